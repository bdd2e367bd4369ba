"""The worksheet of the card form: rows of income lines in five groups, between POST data and typed lines.

A row that stands empty is no line. Amounts, areas and months are read as every other figure of the card is.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from changde.web.forms import FigureInput
from households.domain.fields import by_attribute
from households.domain.income import to_fen, to_yuan
from households.domain.values import Bad, parse
from households.domain.worksheet import MOST_LINES, PART_OF, WAGE, IncomeLine, carried
from households.domain.yearly_standard import Proposal
from households.line_words import unit_of_line
from households.messages import message
from households.models.income_line import IncomeLine as Row

PREFIX = "lines"
_LARGEST = Decimal(10) ** 9  # yuan of one line: the sum of a part stays inside its column


@dataclass(frozen=True)
class LineGroup:
    """Lines that are typed together: which kinds, and which fields a row of them shows."""

    id: str
    title: str | Promise
    kinds: tuple[str, ...]
    fields: tuple[str, ...]

    @property
    def parts(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(PART_OF[kind] for kind in self.kinds))


GROUPS = (
    LineGroup("wage", gettext_lazy("工资明细"), (WAGE,), ("member", "item", "months", "monthly", "amount", "known")),
    LineGroup(
        "business",
        gettext_lazy("生产经营明细"),
        ("crop", "animal", "business"),
        ("kind", "item", "quantity", "amount", "known"),
    ),
    LineGroup(
        "property",
        gettext_lazy("财产收入明细"),
        ("land_rent", "dividend", "other_property"),
        ("kind", "item", "quantity", "amount", "known"),
    ),
    LineGroup(
        "transfer",
        gettext_lazy("转移收入明细"),
        (
            "family_planning", "dibao", "wubao", "pension", "ecological_compensation", "subsidy", "support",
            "other_transfer",
        ),
        ("kind", "item", "amount", "known"),
    ),
    LineGroup(
        "expenses",
        gettext_lazy("生产支出明细"),
        (
            "seed", "fertiliser", "feed", "young_animals", "machine", "hired_labour", "rent_paid", "other_expense",
        ),
        ("kind", "item", "amount", "known"),
    ),
)  # fmt: skip


class _Figure(forms.CharField):
    """A figure read as the card's own fields are; empty is None, zero and less are told by `least`."""

    def __init__(self, of: tuple[str, str], label: Any, least: Decimal, **attrs: str):
        self.of, self.least = by_attribute(*of), least
        super().__init__(label=label, required=False, widget=FigureInput(attrs))

    def clean(self, value: Any) -> Any:
        parsed = parse(self.of, value)
        if isinstance(parsed, Bad):
            raise forms.ValidationError(message(parsed.check_id, parsed.parameters))
        if parsed is None:
            return None
        if parsed < self.least:  # type: ignore[operator]
            raise forms.ValidationError(_("不能为负") if self.least == 0 else _("应大于零"))
        if parsed >= _LARGEST:  # type: ignore[operator]
            raise forms.ValidationError(message("number-form", {"kind": "large"}))
        return parsed


class LineForm(forms.Form):
    """One row. `member` is the number of the member's row on the same page."""

    use_required_attribute = False
    kind = forms.ChoiceField(label=gettext_lazy("种类"), choices=Row.Kind.choices)
    member = forms.IntegerField(label=gettext_lazy("成员"), required=False, widget=forms.Select)
    item = forms.CharField(
        label=gettext_lazy("项目"), required=False, max_length=60, widget=forms.TextInput({"autocomplete": "off"})
    )
    quantity = _Figure(("sheet", "cultivated_land"), gettext_lazy("数量"), Decimal("0.01"))
    months = _Figure(("member_sheet", "work_months"), gettext_lazy("月数"), Decimal(1), inputmode="numeric")
    monthly = _Figure(("sheet", "wage_income"), gettext_lazy("每月金额"), Decimal(0))
    amount = _Figure(("sheet", "wage_income"), gettext_lazy("全年金额"), Decimal(0))
    known = forms.ChoiceField(
        label=gettext_lazy("依据"), required=False, choices=[("", gettext_lazy("请选择")), *Row.Known.choices]
    )

    TYPED = ("member", "item", "quantity", "months", "monthly", "amount")

    def __init__(self, *args: Any, members: Sequence[tuple[int, str]] = (), **kwargs: Any):
        super().__init__(*args, **kwargs)
        group = self.group
        choices = [(kind, Row.Kind(kind).label) for kind in group.kinds]
        self.fields["kind"].widget = forms.Select(choices=choices) if len(choices) > 1 else forms.HiddenInput()
        self.fields["member"].widget.choices = [("", _("不指明")), *((str(at), name) for at, name in members)]
        if group.id == "wage":
            self.fields["item"].label = _("在哪里务工")
        for name, field in self.fields.items():
            field.widget.attrs["data-line-field"] = name

    @property
    def group(self) -> LineGroup:
        kind = self["kind"].value()
        return next((group for group in GROUPS if kind in group.kinds), GROUPS[1])

    @property
    def shown(self) -> list[tuple[forms.BoundField, str]]:
        """The controls of this row with their units."""
        kind = self["kind"].value() or ""
        units = {"quantity": unit_of_line(kind), "months": _("个月"), "monthly": _("元"), "amount": _("元")}
        return [(self[name], units.get(name, "")) for name in self.group.fields]

    def has_changed(self) -> bool:
        """A row in which only kind and source are chosen is no line."""
        return any(str(self[name].value() or "").strip() for name in self.TYPED)

    def clean_months(self) -> int | None:
        months = self.cleaned_data["months"]
        if months is not None and months > 12:
            raise forms.ValidationError(_("一年最多 12 个月"))
        return months

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if not self.has_changed() or given.get("DELETE"):
            return given
        if given.get("kind") != WAGE:
            given |= {"member": None, "months": None, "monthly": None}
        self._check_amount(given)
        if not given.get("known") and "known" not in self.errors:
            self.add_error("known", _("请选择金额的依据"))
        return given

    def _check_amount(self, given: dict[str, Any]) -> None:
        monthly, months, amount = given.get("monthly"), given.get("months"), given.get("amount")
        if "amount" in self.errors:
            return
        if monthly is not None and months:
            worked_out = monthly * months
            if amount is not None and amount != worked_out:
                self.add_error("amount", _("月数乘每月金额应为 %(sum)s 元") % {"sum": worked_out})
            given["amount"] = worked_out
        elif monthly is not None and "months" not in self.errors:
            self.add_error("months", _("请填写月数"))
        elif amount is None and "monthly" not in self.errors:
            self.add_error("amount", _("请填写金额；不需要的行请移除"))

    def line(self, place: int | None) -> IncomeLine:
        """The typed line of a valid row; `place` is the index of its member on the card."""
        given = self.cleaned_data
        monthly = given["monthly"]
        return IncomeLine(
            kind=given["kind"],
            fen=to_fen(given["amount"]),
            known=given["known"],
            item=given["item"].strip() or None,
            quantity=given["quantity"] if "quantity" in self.group.fields else None,
            member=place,
            months=given["months"],
            monthly_fen=None if monthly is None else to_fen(monthly),
        )


class _LineFormSet(forms.BaseFormSet):
    def add_fields(self, form: forms.Form, index: int | None) -> None:
        super().add_fields(form, index)
        form.fields["DELETE"].label = _("移除这一行")
        form.fields["DELETE"].widget.attrs["data-line-field"] = "DELETE"

    @property
    def present(self) -> list[LineForm]:
        """Rows that are lines: filled in and not taken off."""
        return [
            form
            for form in self.forms
            if form.has_changed() and not form.cleaned_data.get("DELETE")  # type: ignore[misc]
        ]


_FormSet: Any = forms.formset_factory(
    LineForm,
    formset=_LineFormSet,
    extra=0,
    can_delete=True,
    max_num=MOST_LINES,
    absolute_max=MOST_LINES,
    validate_max=True,
)


class Worksheet:
    """All rows of one page. A page that was sent without a worksheet keeps the lines that stand."""

    def __init__(
        self,
        data: QueryDict | None,
        *,
        lines: Sequence[IncomeLine] = (),
        persons: Sequence[int | None] = (),
        members: Sequence[tuple[int, str]] = (),
        blank: int = 0,
        proposed: Sequence[Mapping[str, Any]] = (),
    ):
        self.was_sent = data is not None and f"{PREFIX}-TOTAL_FORMS" in data
        self._stored, self._persons = tuple(lines), tuple(persons)
        initial = [
            *(shown(line, line.member) for line in lines),  # members stand in the order of the card
            *proposed,
            *({"kind": group.kinds[0]} for group in GROUPS for _row in range(blank)),
        ]
        self.formset = _FormSet(
            data if self.was_sent else None,
            prefix=PREFIX,
            initial=initial,
            form_kwargs={"members": members},
        )

    @property
    def groups(self) -> list[tuple[LineGroup, list[LineForm]]]:
        """The rows by the group they are shown in."""
        return [(group, [form for form in self.formset if form.group.id == group.id]) for group in GROUPS]

    @cached_property
    def blanks(self) -> list[tuple[LineGroup, LineForm]]:
        """An empty row of each group, from which the script makes more."""
        options = {"auto_id": self.formset.auto_id, "prefix": f"{PREFIX}-__prefix__", **self.formset.form_kwargs}
        found = []
        for group in GROUPS:
            form = LineForm(initial={"kind": group.kinds[0]}, **options)
            self.formset.add_fields(form, None)
            found.append((group, form))
        return found

    @property
    def parts(self) -> set[str]:
        """Parts whose figure follows from rows of the page."""
        return {
            PART_OF[kind]
            for form in self.formset
            if form.has_changed() and not form["DELETE"].value() and (kind := form["kind"].value()) in PART_OF
        }

    def is_valid(self, rows: Mapping[int, int]) -> bool:
        """Are all rows lines? `rows` maps the number of a member's row to the member's index on the card."""
        if not self.was_sent:
            return True
        valid = self.formset.is_valid()
        for form in self.formset.present if valid else ():
            at = form.cleaned_data.get("member")
            if at is not None and at not in rows:
                form.add_error("member", _("该成员不在本户，请改选或移除这一行"))
                valid = False
        return valid

    def lines(self, rows: Mapping[int, int], persons: Sequence[int | None]) -> tuple[IncomeLine, ...]:
        """The typed lines of valid rows; `persons` are those of the card they go on."""
        if not self.was_sent:
            return carried(self._stored, self._persons, persons)
        return tuple(
            form.line(None if (at := form.cleaned_data.get("member")) is None else rows[at])
            for form in self.formset.present
        )


def shown(line: IncomeLine, row: int | None) -> dict[str, Any]:
    """A line as the controls of a row hold it; `row` is the number of its member's row on the page."""
    return {
        "kind": line.kind,
        "member": "" if row is None else str(row),
        "item": line.item or "",
        "quantity": _figure(line.quantity),
        "months": "" if line.months is None else str(line.months),
        "monthly": "" if line.monthly_fen is None else _figure(to_yuan(line.monthly_fen)),
        "amount": _figure(to_yuan(line.fen)),
        "known": line.known,
    }


def _figure(value: Decimal | None) -> str:
    return "" if value is None else f"{value.normalize():f}"


# -- rows of the sent data ------------------------------


def rows_of(data: QueryDict) -> list[dict[str, str]]:
    """The rows as they were sent, those taken off left out."""
    total = data.get(f"{PREFIX}-TOTAL_FORMS", "0")
    count = min(int(total), MOST_LINES) if total.isdecimal() else 0
    rows = [
        {name: data.get(f"{PREFIX}-{at}-{name}", "") for name in ("kind", "known", "DELETE", *LineForm.TYPED)}
        for at in range(count)
    ]
    return [row for row in rows if not row["DELETE"]]


def put_rows(data: QueryDict, rows: Iterable[Mapping[str, Any]]) -> None:
    """Let `rows` be the rows of the data."""
    for key in [key for key in data if key.startswith(f"{PREFIX}-")]:
        del data[key]
    count = 0
    for count, row in enumerate(rows, 1):
        for name, value in row.items():
            data[f"{PREFIX}-{count - 1}-{name}"] = str(value)
    data[f"{PREFIX}-TOTAL_FORMS"], data[f"{PREFIX}-INITIAL_FORMS"] = str(count), "0"


def put_part(data: QueryDict, part: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Let `rows` be the rows of one part, the rows of the others stay."""
    put_rows(data, [*(row for row in rows_of(data) if PART_OF.get(row["kind"]) != part), *rows])


def proposed_rows(proposals: Iterable[Proposal], present: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    """Rows for the proposals that no present row speaks of yet; the amounts are for the household to say."""
    spoken = {(row["kind"], row["item"].strip(), row["member"] if row["kind"] == WAGE else "") for row in present}
    rows = [
        {
            "kind": each.kind,
            "item": each.item,
            "member": "" if each.member is None else str(each.member),
            "quantity": _figure(each.quantity),
            "months": "" if each.months is None else str(each.months),
        }
        for each in proposals
    ]
    return [row for row in rows if (row["kind"], row["item"], row["member"]) not in spoken]
