"""Forms of household events: one plain form each, asked again where the answer needs a second look.

Where an event gives a card a new head, everybody's relation to it is proposed (domain.events.relation_to) and sent
back once to be looked at. Where it names another card or village, what was found is sent back once too. `asked`
remembers for which answer, so that a changed one is asked about anew.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from changde.accounts.models import User
from changde.divisions.models import Division
from households.domain.card import Member, member_from
from households.domain.events import HEAD, relation_to
from households.domain.fields import by_attribute
from households.messages import CLOSING_REASONS
from households.models import Household, Membership
from households.selectors.events import card_named, villages_named

RELATIONS = tuple(by_attribute("membership", "relation").values)
MOST_VILLAGES = 12


def _relations(*, head: bool = False) -> list[tuple[str, str]]:
    return [("", _("请选择")), *((each, _(each)) for each in RELATIONS if head or each != HEAD)]


@dataclass(frozen=True)
class Group:
    """Members whose relation to a head must be said: the head is one of them, or of another card (`head` None)."""

    title: str
    members: Sequence[Membership]
    head: int | None


class EventForm(forms.Form):
    """What every event says: the card's version, the day, and why."""

    needs_reason = False
    look_again = ""  # what the person must look at before submitting once more
    version = forms.IntegerField(widget=forms.HiddenInput)
    asked = forms.CharField(required=False, widget=forms.HiddenInput)
    on = forms.DateField(label=gettext_lazy("发生日期"), widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"))
    reason = forms.CharField(label=gettext_lazy("说明"), max_length=300, required=False)

    def __init__(
        self,
        *args: Any,
        household: Household,
        members: Sequence[Membership],
        gone: Sequence[Membership],
        user: User,
        **kwargs: Any,
    ):
        today = timezone.localdate()
        kwargs["initial"] = {"version": household.version, "on": today} | kwargs.get("initial", {})
        super().__init__(*args, **kwargs)
        self.household, self.members, self.gone, self.user = household, members, gone, user
        self.relations: dict[int, str] = {}
        self.fields["on"].widget.attrs["max"] = today.isoformat()
        self.fields["reason"].required = self.needs_reason
        self.order_fields([*(name for name in self.fields if name not in ("on", "reason")), "on", "reason"])

    def fill(self, name: str, value: str) -> None:
        """Put a value into the answer as it is shown again."""
        given: Any = self.data.copy()  # type: ignore[attr-defined]
        given[name] = value
        self.data = given

    def people_choices(self, rows: Iterable[Membership]) -> list[tuple[str, str]]:
        return [(str(row.person_id), f"{row.person.name}（{_(row.relation)}）") for row in rows]

    @property
    def head(self) -> Membership | None:
        return next((row for row in self.members if row.relation == HEAD), None)

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if not self.errors:
            self._ask(self.groups(values))
        return values

    def groups(self, values: dict[str, Any]) -> list[Group]:
        """Whose relations this event changes; adds errors where a head is missing."""
        return []

    def others_to_confirm(self) -> tuple[str, str]:
        """(mark, text) of what was found and must be looked at; ("", "") when there is nothing."""
        return "", ""

    def _ask(self, groups: Sequence[Group]) -> None:
        if self.errors:
            return
        mark, found = self.others_to_confirm()
        mark = "|".join([mark, *(str(group.head or "") for group in groups)]).strip("|")
        again = bool(mark) and self.data.get("asked", "") != mark
        self.fill("asked", mark)
        for group in groups:
            for row in group.members:
                if row.person_id == group.head:
                    self.relations[row.person_id] = HEAD
                else:
                    self._ask_relation(group, row, again)
        if again:
            text = _("请核对以下内容，无误后再提交一次。")
            self.look_again = f"{found}{text}"
            self.order_fields(sorted(self.fields, key=lambda name: not name.startswith("relation_")))
            raise forms.ValidationError(self.look_again, code="look_again")

    def _ask_relation(self, group: Group, row: Membership, again: bool) -> None:
        name = f"relation_{row.person_id}"
        field = forms.ChoiceField(
            label=_("%(name)s：%(group)s") % {"name": row.person.name, "group": group.title},
            choices=_relations(),
        )
        self.fields[name] = field
        if again:
            self.fill(name, self._proposal(group, row))
        relation = self.data.get(name, "")
        self.relations[row.person_id] = relation
        if not again and relation not in RELATIONS:
            self.add_error(name, _("请选择与户主的关系"))

    def _proposal(self, group: Group, row: Membership) -> str:
        head = next((each for each in group.members if each.person_id == group.head), None)
        return relation_to(head.relation, head.person.sex, row.relation, row.person.sex) if head else ""


class WithPeople(EventForm):
    """Several members are chosen."""

    people = forms.MultipleChoiceField(
        widget=forms.CheckboxSelectMultiple, error_messages={"required": gettext_lazy("请选择成员")}
    )

    @property
    def chosen(self) -> set[int]:
        return {int(value) for value in self.cleaned_data["people"]}


class SplitForm(WithPeople):
    new_head = forms.ChoiceField(label=gettext_lazy("新户的户主"))
    stay_head = forms.ChoiceField(
        label=gettext_lazy("留下一户的户主"), required=False, help_text=gettext_lazy("原户主也分出去时填写")
    )
    group = forms.CharField(label=gettext_lazy("新户的村民小组"), max_length=40, required=False)
    address = forms.CharField(label=gettext_lazy("新户的家庭住址"), max_length=200, required=False)

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        choices = self.people_choices(self.members)
        self.fields["people"].label = _("分出去的成员")
        self.fields["people"].choices = choices  # type: ignore[attr-defined]
        for name in ("new_head", "stay_head"):
            self.fields[name].choices = [("", _("请选择")), *choices]  # type: ignore[attr-defined]
        self.initial.update({"group": self.household.group, "address": self.household.address})

    def groups(self, values: dict[str, Any]) -> list[Group]:
        going = [row for row in self.members if row.person_id in self.chosen]
        staying = [row for row in self.members if row.person_id not in self.chosen]
        if not staying:
            self.add_error("people", _("全家都分出就不是分户；整户搬走请办理迁移"))
            return []
        head = int(values["new_head"])
        if head not in self.chosen:
            self.add_error("new_head", _("新户的户主须是分出去的成员"))
            return []
        groups = [Group(_("与新户户主的关系"), going, head)]
        if self.head and self.head.person_id in self.chosen:
            stay = int(values["stay_head"] or 0)
            if stay not in {row.person_id for row in staying}:
                self.add_error("stay_head", _("原户主分出后，留下的一户须有户主"))
                return []
            groups.append(Group(_("与留下一户户主的关系"), staying, stay))
        return groups

    @property
    def going(self) -> dict[int, str]:
        return {person: relation for person, relation in self.relations.items() if person in self.chosen}

    @property
    def staying(self) -> dict[int, str]:
        return {person: relation for person, relation in self.relations.items() if person not in self.chosen}


class LeaveForm(EventForm):
    """One member leaves the card; when it is the head, another becomes it."""

    person = forms.ChoiceField(label=gettext_lazy("成员"))
    new_head = forms.ChoiceField(
        label=gettext_lazy("新户主"), required=False, help_text=gettext_lazy("离户的是户主时填写")
    )

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        choices = self.people_choices(self.members)
        self.fields["person"].choices = [("", _("请选择")), *choices]  # type: ignore[attr-defined]
        self.fields["new_head"].choices = [("", _("请选择")), *choices]  # type: ignore[attr-defined]
        if len(self.members) < 2:
            del self.fields["new_head"]

    @property
    def gone_person(self) -> int:
        return int(self.cleaned_data["person"])

    def groups(self, values: dict[str, Any]) -> list[Group]:
        staying = [row for row in self.members if row.person_id != self.gone_person]
        if not staying or not self.head or self.head.person_id != self.gone_person:
            return []
        head = int(values.get("new_head") or 0)
        if head not in {row.person_id for row in staying}:
            self.add_error("new_head", _("户主离户后，须在其他成员中指定新户主"))
            return []
        return [Group(_("与新户主的关系"), staying, head)]


class WithOther(EventForm):
    """Names another card of one's area; what was found is looked at before anything happens."""

    other = forms.CharField(label=gettext_lazy("对方户"), max_length=60)
    other_version = forms.IntegerField(required=False, widget=forms.HiddenInput)
    card: Household | None = None

    def clean_other(self) -> str:
        text = self.cleaned_data["other"].strip()
        if not text:
            return text
        found = card_named(self.user, text)
        found = [card for card in found if card.pk != self.household.pk]
        if not found:
            raise forms.ValidationError(_("在您的辖区内找不到这一户"))
        if len(found) > 1:
            raise forms.ValidationError(_("有几户都叫这个户主名，请改填户编号或户主证件号码"))
        self.card = found[0]
        return text

    def others_to_confirm(self) -> tuple[str, str]:
        if self.card is None:
            return "", ""
        if self.data.get("asked", "").split("|")[0] != f"card{self.card.pk}":
            self.fill("other_version", str(self.card.version))
        place = f"{self.card.village.name}{self.card.group}"
        text = _("对方户：%(head)s，%(place)s，%(persons)s 人。") % {
            "head": self.card.head_name,
            "place": place,
            "persons": self.card.persons,
        }
        return f"card{self.card.pk}", text

    @property
    def versions(self) -> dict[int, int]:
        found = {self.household.pk: self.cleaned_data["version"]}
        if self.card:
            found[self.card.pk] = int(self.data.get("other_version") or 0)
        return found


_CARD_HELP = gettext_lazy("填户编号、户主证件号码，或户主姓名；限本辖区内的户")


class MergeForm(WithOther):
    needs_reason = True

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["other"].label = _("并入哪一户")
        self.fields["other"].help_text = str(_CARD_HELP)

    def groups(self, values: dict[str, Any]) -> list[Group]:
        return [Group(_("与对方户户主的关系"), self.members, None)]


class MarryOutForm(LeaveForm, WithOther):
    relation = forms.ChoiceField(label=gettext_lazy("与对方户户主的关系"), required=False)

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["other"].label = _("嫁入哪一户")
        self.fields["other"].required = False
        self.fields["other"].help_text = _("嫁到外地或没有户卡的人家不填。") + str(_CARD_HELP)
        self.fields["relation"].choices = _relations()  # type: ignore[attr-defined]
        self.order_fields(["person", "new_head", "other", "relation", "on", "reason"])

    def clean(self) -> dict[str, Any]:
        if self.card and not self.cleaned_data.get("relation"):
            self.add_error("relation", _("请选择与户主的关系"))
        return super().clean()


class MoveForm(EventForm):
    needs_reason = True
    to = forms.CharField(label=gettext_lazy("迁往哪个村"), max_length=60, help_text=gettext_lazy("填村名或12位代码"))
    code = forms.ChoiceField(label=gettext_lazy("选定的村"), required=False, widget=forms.RadioSelect, choices=[])
    village: Division | None = None

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        del self.fields["on"]  # the day is the day of acceptance
        self.fields["reason"].label = _("迁移原因")
        found = villages_named(self.data.get("to", "").strip(), limit=MOST_VILLAGES + 1) if self.is_bound else []
        self.found = [village for village in found if village.code != self.household.village_id]
        choices = [(str(village.code), _place(village)) for village in self.found[:MOST_VILLAGES]]
        self.fields["code"].choices = choices  # type: ignore[attr-defined]
        if not choices:
            self.fields["code"].widget = forms.HiddenInput()

    def clean(self) -> dict[str, Any]:
        values = super().clean()
        if values.get("to") and not self.found:
            self.add_error("to", _("找不到这个村，或就是现在的村"))
        elif len(self.found) > MOST_VILLAGES:
            self.add_error("to", _("同名的村太多，请填12位代码"))
        elif values.get("to") and not values.get("code") and "code" not in self.errors:
            self.add_error("code", _("请选定迁往的村"))
        self.village = next((each for each in self.found if str(each.code) == values.get("code")), None)
        return values


def _place(village: Division) -> str:
    return " › ".join(each.name for each in village.path()[1:])


class CloseForm(EventForm):
    why = forms.ChoiceField(label=gettext_lazy("销户原因"), choices=[])

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        reasons: list[tuple[str, str | Promise]] = [("", _("请选择")), *CLOSING_REASONS.items()]
        self.fields["why"].choices = reasons  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        values = super().clean()
        if values.get("why") == "other" and not values.get("reason", "").strip():
            self.add_error("reason", _("请写明原因"))
        return values


class ReopenForm(WithPeople):
    needs_reason = True
    new_head = forms.ChoiceField(label=gettext_lazy("户主"))

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        choices = self.people_choices(self.gone)
        self.fields["people"].label = _("恢复在户的成员")
        self.fields["people"].choices = choices  # type: ignore[attr-defined]
        self.fields["new_head"].choices = [("", _("请选择")), *choices]  # type: ignore[attr-defined]
        self.initial.update({"people": [value for value, _label in choices]})

    def groups(self, values: dict[str, Any]) -> list[Group]:
        head = int(values["new_head"])
        if head not in self.chosen:
            self.add_error("new_head", _("户主须是恢复在户的成员"))
            return []
        return [Group(_("与户主的关系"), [row for row in self.gone if row.person_id in self.chosen], head)]


class ArriveForm(EventForm):
    """A new member: who it is, and what to the head. The facts of the year come with the card form."""

    name = forms.CharField(label=gettext_lazy("姓名"), max_length=60)
    sex = forms.ChoiceField(label=gettext_lazy("性别"), choices=[])
    birth_date = forms.DateField(
        label=gettext_lazy("出生日期"), widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d")
    )
    id_number = forms.CharField(label=gettext_lazy("证件号码"), max_length=24, required=False)
    no_id_reason = forms.CharField(label=gettext_lazy("无证件原因"), max_length=200, required=False)
    relation = forms.ChoiceField(label=gettext_lazy("与户主关系"), choices=[])
    other_version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["sex"].choices = [("", _("请选择")), ("男", _("男")), ("女", _("女"))]  # type: ignore[attr-defined]
        self.fields["relation"].choices = _relations()  # type: ignore[attr-defined]

    @property
    def member(self) -> Member:
        values = self.cleaned_data
        given = {name: values.get(name) or None for name in ("name", "sex", "birth_date", "relation", "no_id_reason")}
        number = "".join(values.get("id_number", "").split())
        given |= {"id_number": number or None, "id_kind": "居民身份证" if number else None}
        return member_from({name: value for name, value in given.items() if value is not None})


class BornForm(ArriveForm):
    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        del self.fields["on"]  # the day of birth
        del self.fields["no_id_reason"]
        self.fields["id_number"].help_text = _("还没有上户口的先不填，以后在户卡里补")


class ReturnForm(EventForm):
    person = forms.ChoiceField(label=gettext_lazy("谁返回"))
    relation = forms.ChoiceField(label=gettext_lazy("与户主关系"), choices=[])

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        choices = self.people_choices(self.gone)
        self.fields["person"].choices = [("", _("请选择")), *choices]  # type: ignore[attr-defined]
        self.fields["relation"].choices = _relations()  # type: ignore[attr-defined]


class AnswerForm(forms.Form):
    """Why a move is not received."""

    answer = forms.CharField(label=gettext_lazy("不接收的原因"), max_length=300, required=False)
