"""Two people on one card: what each changed against the version both began with.

A field only one of them changed is taken from that one; a field both changed alike is no conflict; a field both changed
differently is a conflict, told with both values. Members are matched by person id, else by ID number.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from households.domain.card import Card, HouseholdFacts, Member, SheetFacts

# Worked out from other fields, or written by the save itself: nobody decides about them.
_DERIVED = frozenset(
    {
        "transfer_income", "net_income", "per_capita_income", "entered_by", "entered_at", "old_id_number",
        "city_name", "county_name", "township_name", "village_name", "head_name", "head_id_number",
    }
)  # fmt: skip
HOUSEHOLD_FIELDS = tuple(each.name for each in fields(HouseholdFacts) if each.name not in _DERIVED)
SHEET_FIELDS = tuple(each.name for each in fields(SheetFacts) if each.name not in _DERIVED)
MEMBER_FIELDS = tuple(each.name for each in fields(Member) if each.name not in _DERIVED)


@dataclass(frozen=True, slots=True)
class NumberedCard:
    """A card whose members may be known persons: `persons` holds an id or None for each member."""

    card: Card
    persons: tuple[int | None, ...]

    def __post_init__(self) -> None:
        if len(self.persons) != len(self.card.members):
            raise ValueError("one person id (or None) for each member")


@dataclass(frozen=True, slots=True)
class Conflict:
    """A field both changed. `person` is None for the household and the sheet.

    `attribute` is "" when one removed the member whom the other changed (then the removed side is None).
    """

    entity: str
    attribute: str
    person: int | None
    name: str | None
    mine: Any
    theirs: Any


def merge(
    base: NumberedCard | None, theirs: NumberedCard, mine: NumberedCard
) -> tuple[NumberedCard, tuple[Conflict, ...]]:
    """The card with the changes of both, and the fields a person must decide (there, mine stands for now).

    Without a base nobody knows who changed what: then every field that differs is a conflict, and no member is lost.
    """
    conflicts: list[Conflict] = []
    household, found = _facts(
        HOUSEHOLD_FIELDS, "household", base and base.card.household, theirs.card.household, mine.card.household
    )
    conflicts += found
    sheet, found = _facts(SHEET_FIELDS, "sheet", base and base.card.sheet, theirs.card.sheet, mine.card.sheet)
    conflicts += found
    members: list[Member] = []
    persons: list[int | None] = []
    before, now = _by_person(base) if base else {}, _by_person(theirs)
    for member, person in zip(mine.card.members, _known(mine, theirs), strict=True):
        if person is None:
            kept, found = member, []
        elif person in now:
            kept, found = _facts(MEMBER_FIELDS, "member", before.get(person), now[person], member, person, member.name)
        elif member == before.get(person):
            continue  # they removed the member, I changed nothing
        else:
            kept, found = member, [Conflict("member", "", person, member.name, member.name, None)]
        conflicts += found
        members.append(kept)
        persons.append(person)
    for person, theirs_member in now.items():
        if person in persons:
            continue
        if person in before and theirs_member == before[person]:
            continue  # I removed the member, they changed nothing
        if person in before:
            conflicts.append(Conflict("member", "", person, theirs_member.name, None, theirs_member.name))
        else:
            members.append(theirs_member)
            persons.append(person)
    merged = replace(mine.card, household=household, sheet=sheet, members=tuple(members))
    return NumberedCard(merged, tuple(persons)), tuple(conflicts)


def changed_fields(before: NumberedCard, after: NumberedCard) -> tuple[str, ...]:
    """Names of the fields that differ, as entity.attribute, sorted; for the log, so without any value."""
    changed = _differing("household", HOUSEHOLD_FIELDS, before.card.household, after.card.household)
    changed |= _differing("sheet", SHEET_FIELDS, before.card.sheet, after.card.sheet)
    known = _by_person(before)
    for person, member in _by_person(after).items():
        if person in known:
            changed |= _differing("member", MEMBER_FIELDS, known[person], member)
    return tuple(sorted(changed))


def _facts(
    names: Sequence[str],
    entity: str,
    base: Any,
    theirs: Any,
    mine: Any,
    person: int | None = None,
    name: str | None = None,
) -> tuple[Any, list[Conflict]]:
    values, conflicts = {}, []
    for attribute in names:
        other, own = getattr(theirs, attribute), getattr(mine, attribute)
        if own == other or (base is not None and other == getattr(base, attribute)):
            values[attribute] = own
        elif base is not None and own == getattr(base, attribute):
            values[attribute] = other
        else:
            values[attribute] = own
            conflicts.append(Conflict(entity, attribute, person, name, own, other))
    return replace(mine, **values), conflicts


def _differing(entity: str, names: Sequence[str], before: Any, after: Any) -> set[str]:
    return {f"{entity}.{name}" for name in names if getattr(before, name) != getattr(after, name)}


def _by_person(side: NumberedCard) -> dict[int, Member]:
    return {person: member for person, member in zip(side.persons, side.card.members, strict=True) if person}


def _known(mine: NumberedCard, theirs: NumberedCard) -> list[int | None]:
    """My members' person ids; a member both of us added is the same person when the ID number is."""
    numbers = {member.id_number: person for person, member in _by_person(theirs).items() if member.id_number}
    return [
        person or numbers.get(member.id_number) if member.id_number else person
        for person, member in zip(mine.persons, mine.card.members, strict=True)
    ]
