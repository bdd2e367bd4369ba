"""Writing many whole cards at once: the same rules as a single save, over columns and COPY.

The caller has parsed and checked the cards and owns the transaction (one for a chunk of a batch). Identity claims are
written first (their foreign keys are checked at commit): the primary key decides every race for an ID number, also
against a village cadre who types the same number in this second.
"""

import dataclasses
import json
from collections import ChainMap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from django.db import connection, models

from changde.accounts.models import User
from changde.accounts.refusal import Refusal
from changde.audit.services import record
from changde.bulk import allocate_ids, copy_in
from changde.crypto.cipher import blind_index, encrypt
from households.domain.card import Card, Finding
from households.domain.card_income import with_income
from households.models import Finding as FindingRow
from households.models import (
    Household,
    HouseholdStatus,
    IdentityClaim,
    ImportBatch,
    MemberSheet,
    Membership,
    Person,
    Sheet,
    WaitingHousehold,
)
from households.services.card_rows import (
    household_columns,
    member_columns,
    name_keys,
    person_columns,
    read_card,
    sheet_columns,
)
from households.services.cards import save_card

DUPLICATE = "id-double"


@dataclass(frozen=True)
class Incoming:
    """A checked card with its place in the workbook and the yellow findings it goes in with."""

    card: Card
    sheet: str = ""
    row: int | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def key(self) -> str:
        return self.card.household.number or ""


@dataclass
class Written:
    """What came of a chunk, by household."""

    created: list[int] = field(default_factory=list)
    changed: list[int] = field(default_factory=list)
    same: list[int] = field(default_factory=list)
    waiting: list[tuple[Incoming, str]] = field(default_factory=list)
    refused: list[tuple[Incoming, str]] = field(default_factory=list)


@dataclass(frozen=True)
class _Wait:
    """A card one of whose numbers `first` holds."""

    incoming: Incoming
    number: bytes
    first: int


@dataclass
class _New:
    """A card that gets a household of its own, with the ids it will have."""

    incoming: Incoming
    household_id: int
    hashes: list[bytes | None]
    person_ids: list[int]
    sheet_id: int = 0

    @property
    def card(self) -> Card:
        return self.incoming.card


def write_cards(
    incoming: Sequence[Incoming], *, by: User | None, batch: ImportBatch | None = None, visible: Any = None
) -> Written:
    """Write checked cards: new ones by COPY, changed ones one by one, unchanged ones not at all.

    A card is matched by its household number, else by its head's ID number. A card whose number belongs to a
    household outside `visible` (a queryset of Household, None for the system) is refused without telling more.
    A household with an ID number that is active on another card waits; the first keeps it and gets a finding.
    Must stand in a transaction. Nothing is committed here.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("write_cards needs the caller's transaction")
    written = Written()
    hashes = [[blind_index(member.id_number, kind="id") for member in each.card.members] for each in incoming]
    holders = _holders({value for row in hashes for value in row if value})
    known = _known(incoming, holders)
    shown = None if visible is None else set(visible.filter(pk__in=known.values()).values_list("pk", flat=True))

    fresh: list[_New] = []
    waits: list[_Wait] = []
    stored: list[tuple[Incoming, int]] = []
    taken: dict[bytes, int] = {}  # numbers of this chunk's own new cards -> household id
    household_ids = iter(allocate_ids(Household, sum(position not in known for position in range(len(incoming)))))
    for position, (each, numbers) in enumerate(zip(incoming, hashes, strict=True)):
        household_id = known.get(position)
        if household_id is not None and shown is not None and household_id not in shown:
            written.refused.append((each, "number-elsewhere"))
            continue
        own = household_id if household_id is not None else next(household_ids)
        other = _other_holder(numbers, own, ChainMap(taken, holders))
        if other:
            waits.append(_Wait(each, *other))
        elif household_id is not None:
            stored.append((each, household_id))
            taken |= {number: own for number in numbers if number}
        else:
            fresh.append(_New(each, own, numbers, []))
            taken |= {number: own for number in numbers if number}

    _create(fresh, waits, written)
    _update(stored, by, written)
    _keep_waiting(waits, batch)
    written.waiting = [(wait.incoming, DUPLICATE) for wait in waits]
    record(
        "cards.import",
        by=by,
        target=batch,
        area=batch.area if batch else None,
        created=len(written.created),
        changed=len(written.changed),
        same=len(written.same),
        waiting=len(written.waiting),
    )
    return written


def _other_holder(numbers: list[bytes | None], own: int, holders: Mapping[bytes, int]) -> tuple[bytes, int] | None:
    """The first of the card's numbers that another household holds, and that household."""
    for number in numbers:
        if number and holders.get(number, own) != own:
            return number, holders[number]
    return None


def _holders(numbers: set[bytes]) -> dict[bytes, int]:
    """Who holds these numbers today."""
    claims = IdentityClaim.objects.filter(number_hash__in=numbers).values_list("number_hash", "household_id")
    return {bytes(number): household_id for number, household_id in claims}


def _known(incoming: Sequence[Incoming], holders: dict[bytes, int]) -> dict[int, int]:
    """Position -> id of the household the card belongs to, by number, else by the head's ID number."""
    numbers = {each.key for each in incoming if each.key}
    by_number = dict(Household.objects.filter(number__in=numbers).values_list("number", "pk"))
    found = {}
    for position, each in enumerate(incoming):
        household_id = by_number.get(each.key) if each.key else None
        if household_id is None and not each.key:
            head = each.card.head
            number = blind_index((head.id_number if head else None) or each.card.household.head_id_number, kind="id")
            household_id = holders.get(number) if number else None
        if household_id is not None:
            found[position] = household_id
    return found


def _keep_waiting(waits: list[_Wait], batch: ImportBatch | None) -> None:
    """Keep waiting cards encrypted for the duplicates desk, and flag the households that hold the numbers."""
    villages = dict(Household.objects.filter(pk__in={wait.first for wait in waits}).values_list("pk", "village_id"))
    FindingRow.objects.bulk_create(
        [
            FindingRow(
                household_id=first,
                village_id=village,
                kind=FindingRow.Kind.DUPLICATE_NUMBER,
                code=DUPLICATE,
                blocks=True,
            )
            for first, village in villages.items()
        ],
        ignore_conflicts=True,
    )
    if batch is None:
        return
    rows = []
    for wait, waiting_id in zip(waits, allocate_ids(WaitingHousehold, len(waits)), strict=True):
        text = json.dumps(dataclasses.asdict(wait.incoming.card), default=str, ensure_ascii=False)
        rows.append(
            WaitingHousehold(
                pk=waiting_id,
                batch=batch,
                household=wait.incoming.key,
                village_id=wait.incoming.card.household.village_code,
                sheet=wait.incoming.sheet,
                row=wait.incoming.row,
                reason=DUPLICATE,
                card_cipher=encrypt(text, field="waiting.card", owner=waiting_id),
                number_hash=wait.number,
                first_id=wait.first if wait.first in villages else None,
            )
        )
    WaitingHousehold.objects.bulk_create(rows, ignore_conflicts=True)  # the same workbook brought twice waits once


def _claim(fresh: list[_New], waits: list[_Wait]) -> list[_New]:
    """Take the numbers of new cards; a card that loses one to another transaction waits, and takes none."""
    claims = {
        number: IdentityClaim(number_hash=number, person_id=person_id, household_id=new.household_id)
        for new in fresh
        for number, person_id in zip(new.hashes, new.person_ids, strict=True)
        if number
    }
    # In the order of the numbers, so that two batches that share some cannot lock each other out.
    IdentityClaim.objects.bulk_create((claims[number] for number in sorted(claims)), ignore_conflicts=True)
    holders = _holders(set(claims))
    lost = {claim.household_id: number for number, claim in claims.items() if holders[number] != claim.household_id}
    IdentityClaim.objects.filter(household_id__in=lost).delete()
    for new in fresh:
        if new.household_id in lost:
            number = lost[new.household_id]
            waits.append(_Wait(new.incoming, number, holders[number]))
    return [new for new in fresh if new.household_id not in lost]


def _create(fresh: list[_New], waits: list[_Wait], written: Written) -> None:
    """New households by COPY."""
    person_ids = iter(allocate_ids(Person, sum(len(new.card.members) for new in fresh)))
    for new in fresh:
        new.person_ids = [next(person_ids) for _ in new.card.members]
    fresh = _claim(fresh, waits)
    for new, sheet_id in zip(fresh, allocate_ids(Sheet, len(fresh)), strict=True):
        new.sheet_id = sheet_id
    people = [
        (new, position, member, person_id)
        for new in fresh
        for position, (member, person_id) in enumerate(zip(new.card.members, new.person_ids, strict=True))
    ]
    _copy(
        Household,
        (
            {"id": new.household_id, "version": 1, "status": HouseholdStatus.UNREGISTERED.value, "monitored_kind": ""}
            | household_columns(new.card.household, new.household_id)
            | _head_columns(new.card)
            for new in fresh
        ),
    )
    _copy(Person, ({"id": person_id} | person_columns(member, person_id) for _, _, member, person_id in people))
    _copy(
        Membership,
        (
            {
                "household_id": new.household_id,
                "person_id": person_id,
                "relation": member.relation or "",
                "position": position,
                "end_reason": "",
            }
            for new, position, member, person_id in people
        ),
    )
    _copy(
        Sheet,
        (
            {
                "id": new.sheet_id,
                "household_id": new.household_id,
                "village_id": new.card.household.village_code,
                "version": 1,
                "members_counted": new.card.counted,
            }
            | sheet_columns(with_income(new.card).sheet)
            for new in fresh
        ),
    )
    _copy(
        MemberSheet,
        (
            {"sheet_id": new.sheet_id, "person_id": person_id, "position": position} | member_columns(member)
            for new, position, member, person_id in people
        ),
    )
    written.created += [new.household_id for new in fresh]
    _keep_findings((new.incoming, new.household_id) for new in fresh)


def _head_columns(card: Card) -> dict[str, Any]:
    name = (card.head.name if card.head else None) or ""
    pinyin, initials = name_keys(name)
    return {"head_name": name, "head_pinyin": pinyin, "head_initials": initials, "persons": len(card.members)}


def _copy(model: type[models.Model], rows: Iterable[dict[str, Any]]) -> None:
    rows = iter(rows)
    first = next(rows, None)
    if first is not None:
        copy_in(model, list(first), (tuple(row.values()) for row in chain([first], rows)))


def _stored_cards(household_ids: Iterable[int], year: int | None) -> dict[int, Card]:
    """The cards of households as their sheet of `year` has them, by household id (four queries)."""
    sheets = {row.household_id: row for row in Sheet.objects.filter(household__in=household_ids, year=year)}
    households = Household.objects.in_bulk(sheets)
    members: dict[int, list[tuple[int, Person, MemberSheet, str]]] = {}
    rows = MemberSheet.objects.filter(sheet__in=sheets.values()).select_related("person")
    for row in rows.order_by("sheet", "position", "pk"):
        members.setdefault(row.sheet_id, []).append((row.person_id, row.person, row, row.relation))
    return {
        household_id: read_card(
            households[household_id], sheet, members.get(sheet.pk, []), household_id=household_id
        ).card
        for household_id, sheet in sheets.items()
    }


def _comparable(card: Card) -> Card:
    """Without what only names the place and the head; worked-out figures from the parts, so rounding is no change."""
    facts = dataclasses.replace(
        card.household, city_name=None, county_name=None, township_name=None, village_name=None,
        head_name=None, head_id_number=None,
    )  # fmt: skip
    return with_income(dataclasses.replace(card, household=facts))


def _update(stored: list[tuple[Incoming, int]], by: User | None, written: Written) -> None:
    """Known households: unchanged ones are left alone; changed ones are saved like a form that was filled in."""
    for year in {each.card.sheet.year for each, _ in stored}:
        of_year = [(each, household_id) for each, household_id in stored if each.card.sheet.year == year]
        present = _stored_cards([household_id for _, household_id in of_year], year)
        for each, household_id in of_year:
            if household_id in present and _comparable(present[household_id]) == _comparable(each.card):
                written.same.append(household_id)
                continue
            household = Household.objects.select_for_update().get(pk=household_id)
            try:
                save_card(card=each.card, by=by, household=household, expected_version=household.version)
            except Refusal as refusal:
                written.refused.append((each, refusal.code))
            else:
                written.changed.append(household_id)


def _keep_findings(cards: Iterable[tuple[Incoming, int]]) -> None:
    """Yellow checks go in as open findings, once each."""
    rows = {
        (household_id, finding.check_id): FindingRow(
            household_id=household_id,
            village_id=each.card.household.village_code,
            kind=FindingRow.Kind.YELLOW_CHECK,
            code=finding.check_id,
            facts={"member": finding.member},
        )
        for each, household_id in cards
        for finding in each.findings
    }
    FindingRow.objects.bulk_create(rows.values(), ignore_conflicts=True)
