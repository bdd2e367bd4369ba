"""A control for every field of the registry, parsed as a workbook's cell is (domain.values).

A form validates, converts and stops: what a value means is said by domain.values, what a card may be by domain.checks.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

from django import forms
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from pypinyin import Style, lazy_pinyin

from changde.crypto.masking import MASKS
from changde.web.forms import FigureInput
from households.card_facts import unit_of
from households.card_sections import OPTIONAL, Group
from households.domain.fields import CARD_FIELDS, Field
from households.domain.values import Bad, parse
from households.messages import message

_FEW = 2  # up to so many choices lie open, more fold into a list
_LASTING = frozenset({"year", "political_status"})  # on the sheet, but nothing to ask about every year
_MANY = 8  # from so many on, a list can be searched (static/js/choice-search.js)


class RegistryField(forms.Field):
    """A field of the registry. Cleans to the typed value of domain.values.

    A personal number is shown masked; the mask sent back unchanged means the number that is stored (`kept`).
    """

    def __init__(self, of: Field, **options: Any):
        self.of, self.kept = of, None
        self.must = of.attribute in ("name", "relation", "village_code", "year")
        super().__init__(
            label=_(of.header),
            help_text=_help(of),
            required=of.attribute not in OPTIONAL,
            widget=_widget(of),
            **options,
        )

    @property
    def unit(self) -> str:
        return unit_of(self.of)

    @property
    def wide(self) -> bool:
        return self.of.type == "enum list" or self.of.attribute in ("request", "address")

    @property
    def short(self) -> bool:
        return self.of.type not in ("text", "enum list", "account") or self.of.attribute in ("group", "name")

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, bool):
            return "是" if value else "否"
        if isinstance(value, Decimal):
            return f"{value.normalize():f}"
        if isinstance(value, date):
            return value.isoformat()
        if isinstance(value, tuple):
            return list(value)
        return "" if value is None else value

    def masked(self, value: str | None) -> str:
        return MASKS[self.of.type](value)

    def shown(self, value: Any) -> Any:
        """The value as a control holds it; a personal number masked."""
        return self.masked(value) if self.of.is_personal else self.prepare_value(value)

    def has_changed(self, initial: Any, data: Any) -> bool:
        return (self.prepare_value(initial) or "") != (data or "")

    def clean(self, value: Any) -> Any:
        if self.of.is_personal and isinstance(value, str) and "*" in value:
            if self.kept and value.strip() == self.masked(self.kept):
                return self.kept
            raise forms.ValidationError(_("请填写完整号码；不修改的，请保持原样"), code="masked")
        parsed = parse(self.of, value)
        if isinstance(parsed, Bad):
            raise forms.ValidationError(message(parsed.check_id, parsed.parameters), code=parsed.check_id)
        if self.must and parsed is None:
            raise forms.ValidationError(_("请填写%(field)s") % {"field": self.label}, code="required")
        return parsed


_HELP = {
    "id_number": gettext_lazy("18 位，最后一位可为 X；填完自动带出性别和出生日期"),
    "birth_date": gettext_lazy("例：1972-09-07"),
    "no_id_reason": gettext_lazy("没有号码，或号码较特殊时填写"),
    "disability_certificate": gettext_lazy("20 位，以证件号码开头"),
    "other_causes": gettext_lazy("最多两项"),
    "attribute": gettext_lazy("只作记录，不改变户的状态"),
    "exit_flag": gettext_lazy("只作记录，不改变户的状态"),
    "number": gettext_lazy("新户可以不填"),
    "counts": gettext_lazy("不选即计入；服刑或由国家全供养的选“否”，现役军人一律不计入"),
    "wage_income": gettext_lazy("没有的收入填 0，不知道的留空"),
    "medical_cost": gettext_lazy("报销之后由家庭承担的部分，不计入纯收入"),
    "out_of_school_reason": gettext_lazy("6 至 15 岁不在校的必须填写"),
}


def _help(of: Field) -> str:
    # 人编号 shares its name with 户编号
    return "" if of.entity == "person" and of.attribute == "number" else str(_HELP.get(of.attribute, ""))


def _widget(of: Field) -> forms.Widget:
    data = {"data-attribute": of.attribute}
    if of.type == "yes/no":
        return forms.RadioSelect(data | {"data-segment": ""}, choices=_choices(("是", "否"), "未知", get_language()))
    choices = _choices(of.values, "", get_language())
    if of.type == "enum list":
        return forms.CheckboxSelectMultiple(data, choices=choices)
    if of.type == "enum":
        if len(choices) <= _FEW:
            return forms.RadioSelect(data | {"data-segment": ""}, choices=_choices(of.values, "未知", get_language()))
        searched = {"data-search": ""} if len(choices) >= _MANY else {}
        return forms.Select(data | searched, choices=[("", _("请选择")), *choices])
    if of.type in ("money", "decimal"):
        return FigureInput(data)
    if of.type in ("integer", "year"):
        return FigureInput(data | {"inputmode": "numeric"})
    if of.attribute == "request":
        return forms.Textarea(data | {"rows": 4, "maxlength": 1000})
    keyboard = {"phone": "tel", "date": "numeric", "account": "numeric"}.get(of.type)
    return forms.TextInput(data | {"autocomplete": "off"} | ({"inputmode": keyboard} if keyboard else {}))


@cache
def _choices(values: tuple[str, ...], unknown: str, language: str | None) -> tuple[tuple[str, str], ...]:
    """Values with their words in the language of the request, translated once: a form shows eight hundred."""
    return (*((value, _(value)) for value in values), *([("", _(unknown))] if unknown else []))


def _still(group: Group) -> str:
    """The control that asks about a group's facts of last year."""
    return f"still_{group.attributes[0]}"


def _carried(group: Group, kept: Any) -> list[str]:
    """The known facts of a group that belong to a year, and so may have changed."""
    yearly = [of.attribute for of in group.fields if of.entity in ("sheet", "member_sheet")]
    return [name for name in yearly if name not in _LASTING and getattr(kept, name) not in (None, ())]


class RegistryForm(forms.Form):
    """A form whose fields are groups of the registry."""

    use_required_attribute = False
    groups: Sequence[Group] = ()
    fields: dict[str, Any]  # RegistryField, and the hidden ones a form adds

    def __init__(self, *args: Any, kept: Any = None, carried: bool = False, **kwargs: Any):
        """`kept` are the facts the form was filled with; `carried`: they are last year's, and each group asks."""
        super().__init__(*args, **kwargs)
        self.kept = kept
        self.carried = {group: _carried(group, kept) for group in self.groups} if carried and kept is not None else {}
        for group in self.groups:
            if self.carried.get(group):
                self.fields[_still(group)] = StillField(group.title)
            for of in group.fields:
                field = RegistryField(of)
                if of.is_personal and kept is not None:
                    field.kept = getattr(kept, of.attribute)
                self.fields[of.attribute] = field

    def values(self) -> dict[str, Any]:
        """The typed values; last year's that nobody confirmed or changed are unknown, never silently copied."""
        values = {name: self.cleaned_data.get(name) for group in self.groups for name in group.attributes}
        unknown = {name: () if isinstance(values[name], tuple) else None for name in self._unconfirmed_names()}
        return values | unknown

    @property
    def unconfirmed(self) -> list[Group]:
        """Groups with last year's facts that were neither confirmed nor changed."""
        return [group for group in self.carried if self._untouched(group)]

    def _unconfirmed_names(self) -> list[str]:
        return [name for group in self.carried for name in self._untouched(group)]

    def _untouched(self, group: Group) -> list[str]:
        if self.cleaned_data.get(_still(group)):
            return []
        return [name for name in self.carried[group] if self.cleaned_data.get(name) == getattr(self.kept, name)]

    def shown_groups(self, groups: Iterable[Group] | None = None) -> list[tuple[Group, list[forms.BoundField]]]:
        """Groups with their bound fields, for the template."""
        return [(group, [self[name] for name in self._names(group)]) for group in groups or self.groups]

    def _names(self, group: Group) -> list[str]:
        return [*([_still(group)] if self.carried.get(group) else []), *group.attributes]

    def shown(self, facts: Any) -> dict[str, Any]:
        """What the controls hold of typed facts: personal numbers masked."""
        return {
            name: self.fields[name].shown(getattr(facts, name)) for group in self.groups for name in group.attributes
        }


@cache
def choice_initials() -> dict[str, str]:
    """Initials in pinyin of every choice of the lists that are searched: 土家族 -> tjz."""
    searched = (value for of in CARD_FIELDS if of.type == "enum" and len(of.values) >= _MANY for value in of.values)
    return {value: "".join(lazy_pinyin(value, style=Style.FIRST_LETTER)) for value in searched}


class StillField(forms.ChoiceField):
    """Whether last year's facts of a group are still true; not answered is an answer too: unknown."""

    wide = True

    def __init__(self, title: Any):
        super().__init__(
            label=_("%(group)s：与上年相比") % {"group": title},
            choices=[("same", gettext_lazy("没有变化")), ("changed", gettext_lazy("有变化"))],
            widget=forms.RadioSelect({"data-segment": "", "data-still": ""}),
        )

    def validate(self, value: Any) -> None:
        if value:
            super().validate(value)


def display(field: RegistryField, value: Any) -> str:
    """A value as people read it on a page; unknown is a word. Choices are translated, what people wrote is not."""
    shown = field.shown(value)
    if shown in ("", []):
        return _("未填")
    if isinstance(shown, list):
        return "、".join(_(each) for each in shown)
    return _(shown) if field.of.values else str(shown)
