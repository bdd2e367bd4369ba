"""What the duplicates desk reads: the queue of an office, and one case side by side."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from changde.accounts.models import User
from changde.crypto.masking import mask_id_number, mask_phone
from changde.divisions.codes import code_range
from changde.divisions.models import Division
from changde.web.keyset import KeysetPage
from changde.web.templatetags.web import day
from households.domain.card import Card
from households.models import DuplicateCase, Household, HouseholdStatus, Membership, Person
from households.services.duplicates import clashing, doubles_of, waiting_card


def cases(user: User, within: int, *, state: str = "open") -> QuerySet[DuplicateCase]:
    """Cases whose both sides the user's office covers, in the division worked in."""
    first, last = code_range(within)
    found = DuplicateCase.objects.visible_to(user).filter(area__gte=first, area__lte=last)
    found = found.open() if state == "open" else found.exclude(decided_at=None)
    return found.select_related("first_person", "second_person", "first__village")


def queue(user: User, within: int, parameters: Mapping[str, Any], *, state: str) -> KeysetPage:
    order = ["id"] if state == "open" else ["-decided_at", "-id"]
    return KeysetPage(cases(user, within, state=state), parameters, order=order)


def case_of(user: User, pk: int) -> DuplicateCase:
    found = DuplicateCase.objects.visible_to(user).select_related(
        "first__village", "second__village", "first_person", "second_person", "waiting__batch", "decided_by", "event"
    )
    return get_object_or_404(found, pk=pk)


@dataclass
class Side:
    """One record as the desk shows it; `person` and `household` are None for a card that waits."""

    title: str
    values: dict[str, str]
    person: Person | None = None
    household: Household | None = None
    members: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Row:
    """One field of both sides; numbers masked, `reveal` names what may be shown on request."""

    label: str
    first: str
    second: str
    differs: bool
    reveal: str = ""


@dataclass(frozen=True)
class SideBySide:
    first: Side
    second: Side | None
    rows: list[Row]


def side_by_side(case: DuplicateCase) -> SideBySide:
    """Both records with what differs."""
    first = _stored(case.first_person, case.first)
    if case.second_person and case.second:
        second: Side | None = _stored(case.second_person, case.second)
    else:
        card = waiting_card(case)
        second = _waiting(card, case) if card else None
    labels = list(first.values)
    rows = []
    for name in labels:
        one, two = first.values[name], second.values.get(name, "") if second else ""
        rows.append(Row(_LABELS[name](), one, two, bool(second) and one != two, name if name in _SECRET else ""))
    return SideBySide(first, second, rows)


_SECRET = frozenset({"id_number", "phone"})
_LABELS = {
    "name": lambda: _("姓名"),
    "sex": lambda: _("性别"),
    "birth_date": lambda: _("出生日期"),
    "id_number": lambda: _("证件号码"),
    "phone": lambda: _("联系电话"),
    "relation": lambda: _("与户主关系"),
    "head": lambda: _("户主"),
    "place": lambda: _("所在村"),
    "number": lambda: _("户编号"),
    "status": lambda: _("户状态"),
    "members": lambda: _("家庭成员"),
}


def _stored(person: Person, household: Household) -> Side:
    """A person where it lives now (the card of the case, when it lives nowhere any more)."""
    lives = Membership.objects.open().filter(person=person).select_related("household__village").first()
    card = lives.household if lives else household
    members = list(
        Membership.objects.open().filter(household=card).select_related("person").values_list("person__name", flat=True)
    )
    values = {
        "name": person.name,
        "sex": _(person.sex) if person.sex else "",
        "birth_date": day(person.birth_date) if person.birth_date else "",
        "id_number": person.masked_id_number,
        "phone": person.masked_phone or card.masked_phone,
        "relation": _(lives.relation) if lives else _("已离户"),
        "head": card.head_name,
        "place": _place(card.village, card.group),
        "number": card.number or "",
        "status": str(HouseholdStatus(card.status).label),
        "members": "、".join(members),
    }
    return Side(f"{card.village.name} {card.head_name}", values, person, card, members)


def _waiting(card: Card, case: DuplicateCase) -> Side:
    member = card.members[clashing(card, case.first_person.id_number)] if card.members else None
    village = Division.objects.filter(code=case.typed_in or 0).first()
    names = [each.name or "" for each in card.members]
    values = {
        "name": (member and member.name) or "",
        "sex": _(member.sex) if member and member.sex else "",
        "birth_date": day(member.birth_date) if member and member.birth_date else "",
        "id_number": mask_id_number(member.id_number if member else None),
        "phone": mask_phone((member and member.phone) or card.household.phone),
        "relation": _(member.relation) if member and member.relation else "",
        "head": (card.head and card.head.name) or "",
        "place": _place(village, card.household.group or "") if village else "",
        "number": card.household.number or "",
        "status": _("等待入库"),
        "members": "、".join(names),
    }
    return Side(_("等待入库的户卡"), values, members=names)


def _place(village: Division, group: str) -> str:
    return " ".join([*(each.name for each in village.path()[1:]), group]).strip()


@dataclass(frozen=True)
class Joining:
    """The members who would join the kept card when two households are one."""

    keep: int
    left: Household
    members: list[Membership]


def joinings(case: DuplicateCase) -> list[Joining]:
    """Both directions of merging the households, with the members whose relation must be said."""
    pair = {case.first_person_id, case.second_person_id}
    lives = {
        row.person_id: row
        for row in Membership.objects.open().filter(person__in=pair - {None}).select_related("household")
    }
    if len(lives) < 2 or lives[case.first_person_id].household_id == lives[case.second_person_id].household_id:  # type: ignore[index]
        return []
    found = []
    for keep in (case.first_person_id, case.second_person_id):
        (gone,) = pair - {keep}
        left, kept_on = lives[gone].household, lives[keep].household  # type: ignore[index]
        doubles = {gone, *doubles_of(left, kept_on, leave_out={gone, keep})}  # type: ignore[arg-type]
        rows = Membership.objects.open().filter(household=left).exclude(person__in=doubles).select_related("person")
        found.append(Joining(keep, left, list(rows.order_by("position", "pk"))))  # type: ignore[arg-type]
    return found
