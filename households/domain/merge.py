"""Two people on one card: what each changed against the version both began with.

A field only one of them changed is taken from that one; a field both changed alike is no conflict; a field both changed
differently is a conflict, told with both values. Members are matched by person id, else by ID number. A part of the
income with its lines is one field: figure and lines come from one side, the order of the lines says nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from typing import Any

from households.domain.card import Card, HouseholdFacts, Member, SheetFacts
from households.domain.worksheet import IncomeLine, by_part, moved

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

    `attribute` is "" when one removed the member whom the other changed (then the removed side is None). A part with
    lines has the entity "worksheet" and a Part on both sides.
    """

    entity: str
    attribute: str
    person: int | None
    name: str | None
    mine: Any
    theirs: Any


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the income: its figure in yuan and the lines it is the sum of; `member` is an index of its own card."""

    figure: Decimal | None
    lines: tuple[IncomeLine, ...]


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
    worked = {line.part for side in (base, theirs, mine) if side for line in side.card.lines}
    plain = [name for name in SHEET_FIELDS if name not in worked]
    sheet, found = _facts(plain, "sheet", base and base.card.sheet, theirs.card.sheet, mine.card.sheet)
    conflicts += found
    members: list[Member] = []
    persons: list[int | None] = []
    before, now = _by_person(base) if base else {}, _by_person(theirs)
    known = _known(mine, theirs)
    new: dict[int, int] = {}
    for index, (member, person) in enumerate(zip(mine.card.members, known, strict=True)):
        if person is None:
            kept, found = member, []
            new[_new_person(index)] = len(members)
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
    parts, found = _parts(worked, base, theirs, NumberedCard(mine.card, tuple(known)))
    conflicts += found
    places = {person: index for index, person in enumerate(persons) if person is not None} | new
    merged = replace(
        mine.card,
        household=household,
        sheet=replace(sheet, **{name: part.figure for name, part in parts.items()}),
        members=tuple(members),
        lines=moved((line for part in parts.values() for line in part.lines), places),
    )
    return NumberedCard(merged, tuple(persons)), tuple(conflicts)


def changed_fields(before: NumberedCard, after: NumberedCard) -> tuple[str, ...]:
    """Names of the fields that differ, as entity.attribute, sorted; for the log, so without any value."""
    changed = _differing("household", HOUSEHOLD_FIELDS, before.card.household, after.card.household)
    changed |= _differing("sheet", SHEET_FIELDS, before.card.sheet, after.card.sheet)
    known = _by_person(before)
    for person, member in _by_person(after).items():
        if person in known:
            changed |= _differing("member", MEMBER_FIELDS, known[person], member)
    lines, now = by_part(_keyed(before)), by_part(_keyed(after))
    changed |= {f"lines.{part}" for part in {*lines, *now} if lines.get(part) != now.get(part)}
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


def _parts(
    names: Iterable[str], base: NumberedCard | None, theirs: NumberedCard, mine: NumberedCard
) -> tuple[dict[str, Part], list[Conflict]]:
    """The parts that have lines on some side; members are named by person here, not by index."""
    merged, conflicts = {}, []
    for name in sorted(names):
        other, own = _part(theirs, name), _part(mine, name)
        start = _part(base, name) if base else None
        if _same(own, other) or (start is not None and _same(other, start)):
            merged[name] = own
        elif start is not None and _same(own, start):
            merged[name] = other
        else:
            merged[name] = own
            conflicts.append(Conflict("worksheet", name, None, None, own, other))
    return merged, conflicts


def _part(side: NumberedCard, name: str) -> Part:
    return Part(getattr(side.card.sheet, name), tuple(line for line in _keyed(side) if line.part == name))


def _same(one: Part, other: Part) -> bool:
    return one.figure == other.figure and sorted(map(repr, one.lines)) == sorted(map(repr, other.lines))


def _keyed(side: NumberedCard) -> tuple[IncomeLine, ...]:
    """The lines with the person in the place of the index; a person who is new to the system has a negative key."""
    keys = {index: _new_person(index) if person is None else person for index, person in enumerate(side.persons)}
    return moved(side.card.lines, keys)


def _new_person(index: int) -> int:
    return -1 - index


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
