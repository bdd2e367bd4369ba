"""What a workbook does to a card that is already there.

A value changes a value; an empty cell changes nothing (empty is unknown, and unknown erases no knowledge): to empty a
field somebody opens the card. The members are those of the workbook; one who is missing leaves the card with an open
note. Worked-out totals are never carried over: they belong to the parts that were brought with them. A part brought
with another total than its lines of the worksheet closes those lines.
A masked number, as an export writes it, says "as it is kept": it is no change and names nobody new.
That is the policy UPDATE; KEEP turns the sides around, REJECT takes no household that is there.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Any, TypeVar

from households.domain.card import Card, Finding, Member
from households.domain.card_income import standing
from households.domain.fields import of_entity
from households.domain.merge import HOUSEHOLD_FIELDS, MEMBER_FIELDS, SHEET_FIELDS, NumberedCard
from households.domain.worksheet import carried

Facts = TypeVar("Facts")


class Policy(StrEnum):
    """What a workbook may do to households that are there; chosen before it is checked."""

    UPDATE = "update"  # brought values win
    KEEP = "keep"  # stored values win, brought ones fill what is empty; nobody joins or leaves the card
    REJECT = "reject"  # a household that is there is refused


@dataclass(frozen=True, slots=True)
class Change:
    """One field before and after. `entity` is household, sheet or member; `name` is the member's."""

    entity: str
    attribute: str
    name: str
    old: Any
    new: Any


def combined(stored: NumberedCard, brought: Card, policy: Policy) -> NumberedCard | None:
    """The card as it will stand under the policy; None when the policy takes no household that is there."""
    if policy is Policy.REJECT:
        return None
    return completed(stored, brought) if policy is Policy.KEEP else filled(stored, brought)


def completed(stored: NumberedCard, brought: Card) -> NumberedCard:
    """The stored card with its empty fields filled from the brought one; its members stay who they are."""
    persons = _known_persons(stored, brought.members)
    of_person = {person: member for person, member in zip(persons, brought.members, strict=True) if person is not None}
    members = tuple(
        _filled(of_person[person], member) if person in of_person else member
        for person, member in zip(stored.persons, stored.card.members, strict=True)
    )
    card = replace(
        stored.card,
        household=_filled(brought.household, stored.card.household),
        sheet=_filled(brought.sheet, stored.card.sheet, TOTALS),
        members=members,
    )
    return NumberedCard(card, stored.persons)


def with_kept_numbers(stored: NumberedCard, brought: Card, masked: Sequence[Finding]) -> tuple[Card, list[Finding]]:
    """The brought card with the stored ID numbers in place of their masks, and the masks that fit nobody.

    `masked` are the findings of the cells that hold a mask (their attributes are empty on the card). An ID number's
    mask fits the one member of that name whose number has its open figures. A mask of another number stays empty, so
    that the stored one is kept; it needs a member who is known.
    """
    members, stray = list(brought.members), []
    of_members = [each for each in masked if each.member is not None and each.attributes[0] != "head_id_number"]
    for each in of_members:
        if each.attributes[0] == "id_number":
            index = each.member or 0
            number = _number_behind(stored, members[index].name, each.parameters["text"])
            members[index] = replace(members[index], id_number=number)
    persons = _known_persons(stored, members)
    for each in of_members:
        index = each.member or 0
        if persons[index] is None or (each.attributes[0] == "id_number" and members[index].id_number is None):
            stray.append(each)
    return replace(brought, members=tuple(members)), stray


def _number_behind(stored: NumberedCard, name: str | None, mask: str) -> str | None:
    found = [
        member.id_number
        for member in stored.card.members
        if member.id_number and member.name == name and _fits(mask, member.id_number)
    ]
    return found[0] if len(found) == 1 else None


def _fits(mask: str, number: str) -> bool:
    """4307**********6431 fits every number of its length that begins and ends so."""
    return len(mask) == len(number) and all(one in ("*", other) for one, other in zip(mask, number, strict=True))


def changes(before: NumberedCard, after: NumberedCard) -> list[Change]:
    """Every field that differs, in the order of the form; who joins or leaves has no field of its own here."""
    found = _differing("household", "", HOUSEHOLD_FIELDS, before.card.household, after.card.household)
    found += _differing("sheet", "", SHEET_FIELDS, before.card.sheet, after.card.sheet)
    known = dict(zip(before.persons, before.card.members, strict=True))
    for person, member in zip(after.persons, after.card.members, strict=True):
        if person is not None and person in known:
            found += _differing("member", member.name or "", MEMBER_FIELDS, known[person], member)
    return found


def _differing(entity: str, name: str, names: Sequence[str], before: Any, after: Any) -> list[Change]:
    return [
        Change(entity, each, name, getattr(before, each), getattr(after, each))
        for each in names
        if getattr(before, each) != getattr(after, each)
    ]


_IDENTITY = (*(of.attribute for of in of_entity("person")), "old_id_number")
TOTALS = frozenset({"transfer_income", "net_income", "per_capita_income"})


def filled(stored: NumberedCard, brought: Card) -> NumberedCard:
    """The brought card with its empty fields filled from the stored one, and the known persons among its members.

    A member is known by ID number, else by name where the name is alone on both cards and the numbers do not differ.
    """
    persons = _known_persons(stored, brought.members)
    by_person = dict(zip(stored.persons, stored.card.members, strict=True))
    members = tuple(
        member if person is None else _filled(by_person[person], member)
        for person, member in zip(persons, brought.members, strict=True)
    )
    card = replace(
        brought,
        household=_filled(stored.card.household, brought.household),
        sheet=_filled(stored.card.sheet, brought.sheet, TOTALS),
        members=members,
    )
    lines = carried(stored.card.lines, stored.persons, persons)
    return NumberedCard(replace(card, lines=standing(lines, card)), tuple(persons))


def as_past(stored: NumberedCard, updated: NumberedCard) -> NumberedCard:
    """The update of an earlier year's sheet: that year's facts alone, never the household and the persons of today."""
    by_person = dict(zip(stored.persons, stored.card.members, strict=True))
    members = tuple(
        member if person is None else replace(member, **{name: getattr(by_person[person], name) for name in _IDENTITY})
        for person, member in zip(updated.persons, updated.card.members, strict=True)
    )
    card = replace(updated.card, household=stored.card.household, members=members)
    return NumberedCard(card, updated.persons)


def vanished(stored: NumberedCard, updated: NumberedCard) -> tuple[int, ...]:
    """Persons of the stored card whom the workbook does not name any more."""
    return tuple(person for person in stored.persons if person is not None and person not in updated.persons)


def closed_parts(stored: NumberedCard, updated: NumberedCard) -> tuple[str, ...]:
    """Parts whose lines the workbook's total has closed."""
    kept = {line.part for line in updated.card.lines}
    return tuple(sorted({line.part for line in stored.card.lines} - kept))


def _filled(stored: Facts, brought: Facts, never: frozenset[str] = frozenset()) -> Facts:
    known: dict[str, Any] = {
        each.name: getattr(stored, each.name)
        for each in fields(brought)  # type: ignore[arg-type]
        if each.name not in never and getattr(brought, each.name) in (None, ())
    }
    return replace(brought, **known)  # type: ignore[type-var]


def _known_persons(stored: NumberedCard, members: Sequence[Member]) -> list[int | None]:
    by_number = {
        member.id_number: person
        for member, person in zip(stored.card.members, stored.persons, strict=True)
        if member.id_number
    }
    found = [by_number.get(member.id_number) if member.id_number else None for member in members]
    for index, member in enumerate(members):
        if found[index] is None and member.name:
            found[index] = _by_name(stored, members, member, {person for person in found if person is not None})
    return found


def _by_name(stored: NumberedCard, members: Sequence[Member], member: Member, taken: set[int]) -> int | None:
    same = [
        (known, person)
        for known, person in zip(stored.card.members, stored.persons, strict=True)
        if known.name == member.name and person is not None
    ]
    if len(same) != 1 or sum(other.name == member.name for other in members) != 1:
        return None
    known, person = same[0]
    differs = known.id_number and member.id_number and known.id_number != member.id_number
    return None if differs or person in taken else person
