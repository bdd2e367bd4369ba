"""The households of a workbook one by one, for the review before the write and the undo after it.

One row for each household: what it would become, the fields that change with both values (encrypted, numbers of people
masked), a person's choice to keep it out, and after the write what undoing needs to know. Rows go in by COPY, chunk by
chunk; a chunk that is done again replaces its rows.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from changde.accounts.models import User
from changde.accounts.refusal import Refusal
from changde.audit.services import record
from changde.bulk import allocate_ids, copy_in, run_sql
from changde.crypto.cipher import encrypt
from changde.crypto.masking import MASKS, mask_id_number
from households.domain.card import Card
from households.domain.card_update import changes
from households.domain.fields import by_card_attribute
from households.domain.merge import NumberedCard
from households.domain.name_keys import name_keys
from households.models import Household, ImportBatch, MemberSheet, Membership, Result, Sheet, StagedHousehold
from households.services.bulk_cards import Known

Kind = StagedHousehold.Kind
NAMESAKES = Path(__file__).parent.parent / "sql" / "namesakes.sql"
_CREATED = (Kind.NEW, Kind.DUPLICATE)
_MOST_TWINS = 20


@dataclass
class Staged:
    """One household of a workbook, as it is kept."""

    position: int
    kind: str
    number: str = ""
    head_name: str = ""
    village: int | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    fields: list[str] = field(default_factory=list)
    card: int | None = None
    twin: int | None = None
    twin_position: int | None = None
    year: int | None = None
    version: int | None = None
    sheet_version: int | None = None
    rows_before: dict[str, list[int]] | None = None
    written: bool = False


def staged(position: int, kind: str, card: Card, number: str | None) -> Staged:
    """What is kept of every household: who it is, and its members for the eye."""
    head = card.head
    return Staged(
        position,
        kind,
        (number or card.household.number or "")[:40],
        ((head.name if head else None) or card.household.head_name or "")[:60],
        card.household.village_code,
        {} if kind == Kind.SAME else {"members": members_of(card)},
        year=card.sheet.year,
    )


def note_changes(row: Staged, known: Known) -> None:
    """What changes on a household that is there, field by field, and who joins or leaves it."""
    if known.before is None:
        return
    found = changes(known.before, known.card)
    row.fields = sorted({f"{each.entity}.{each.attribute}" for each in found})
    joined = [
        member.name or ""
        for member, person in zip(known.card.card.members, known.card.persons, strict=True)
        if person is None
    ]
    row.facts = {
        "changes": [
            [each.entity, each.attribute, each.name, *(_shown(each.entity, each.attribute, side) for side in sides)]
            for each in found
            for sides in [(each.old, each.new)]
        ],
        "joined": joined,
        "left": _names(known.before, known.leave),
        "year": known.card.card.sheet.year,
        "new_year": known.before.card.sheet.year is None,
    }


def members_of(card: Card) -> list[list[str]]:
    """(name, relation, sex, birth date, masked number) of each member."""
    return [
        [
            member.name or "",
            member.relation or "",
            member.sex or "",
            member.birth_date.isoformat() if member.birth_date else "",
            mask_id_number(member.id_number),
        ]
        for member in card.members
    ]


def _shown(entity: str, attribute: str, value: Any) -> Any:
    mask = MASKS.get(by_card_attribute(entity, attribute).type)
    if mask is not None:
        return mask(value)
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value


def _names(card: NumberedCard, persons: Collection[int]) -> list[str]:
    members = zip(card.persons, card.card.members, strict=True)
    return [member.name or "" for person, member in members if person in persons]


# -- rows ------------------------------


def forget(batch: ImportBatch) -> None:
    StagedHousehold.objects.filter(batch=batch).delete()


def keep(batch: ImportBatch, rows: Sequence[Staged]) -> None:
    """Write the rows of a chunk in place of those that stand at the same positions and were not kept out."""
    if not connection.in_atomic_block:
        raise RuntimeError("staged rows need the caller's transaction")
    StagedHousehold.objects.filter(batch=batch, excluded=False, position__in=[row.position for row in rows]).delete()
    with connection.cursor() as cursor:
        # now() is the time every row of this transaction carries in the history, whenever it is asked
        cursor.execute("SELECT now(), clock_timestamp()")
        began, until = cursor.fetchone()
    columns = (
        "id", "batch_id", "position", "household", "head_name", "village_id", "kind", "excluded", "fields",
        "facts_cipher", "card_id", "twin_id", "twin_position", "year", "version", "sheet_version", "rows_before",
        "written_at", "written_until",
    )  # fmt: skip
    copy_in(
        StagedHousehold,
        columns,
        (
            (
                pk,
                batch.pk,
                row.position,
                row.number,
                row.head_name,
                row.village,
                str(row.kind),
                False,
                row.fields,
                encrypt(json.dumps(row.facts, ensure_ascii=False), field="staged.facts", owner=pk)
                if row.facts
                else None,
                row.card,
                row.twin,
                row.twin_position,
                row.year,
                row.version,
                row.sheet_version,
                row.rows_before,
                began if row.written else None,
                until if row.written else None,
            )
            for row, pk in zip(rows, allocate_ids(StagedHousehold, len(rows)), strict=True)
        ),
    )


def kept_out(batch: ImportBatch) -> frozenset[int]:
    """Positions of the households the reviewer kept out."""
    rows = StagedHousehold.objects.filter(batch=batch, excluded=True)
    return frozenset(rows.values_list("position", flat=True))


@dataclass(frozen=True, slots=True)
class Twins:
    """What households may repeat, by position: a card that is there, an earlier household of the same workbook."""

    cards: Mapping[int, int] = field(default_factory=dict)
    positions: Mapping[int, int] = field(default_factory=dict)


def twins_of(batch: ImportBatch, first: int, last: int) -> Twins:
    """As the check found them."""
    rows = StagedHousehold.objects.filter(batch=batch, position__range=(first, last))
    found = list(rows.values_list("position", "twin_id", "twin_position"))
    return Twins(
        {position: card for position, card, _ in found if card is not None},
        {position: place for position, _, place in found if place is not None},
    )


class NewHouseholds:
    """The new households of one workbook as its check has met them, to find one that stands there twice.

    Of a person a figure is kept, of a household its place: some 100 bytes each while the check runs.
    """

    def __init__(self) -> None:
        self._people: dict[int, int] = {}
        self._places: dict[int, int] = {}

    def meet(self, cards: Mapping[int, Card], ids: Mapping[int, int]) -> dict[int, int]:
        """Position -> the earlier one with somebody of the same birth date and the same or a like-sounding name in the
        same village. `cards` are new households by position, `ids` their preliminary ids."""
        found: dict[int, int] = {}
        for position, card in cards.items():
            self._places[ids[position]] = position
            for member in card.members:
                if member.name and member.birth_date:
                    person = hash((name_keys(member.name)[0], member.birth_date, card.household.village_code))
                    first = self._people.setdefault(person, position)
                    if first != position:
                        found.setdefault(position, first)
        return found

    def place_of(self, household_id: int | None) -> int | None:
        """Where the household of a preliminary id stands; None for one that is not of this workbook."""
        return self._places.get(household_id or 0)


def namesakes(cards: Mapping[int, Card], visible: Any) -> dict[int, int]:
    """For each of the cards (by position) a visible card that holds somebody of the same name and birth date."""
    wanted = [
        (position, member.name, member.birth_date)
        for position, card in cards.items()
        for member in card.members
        if member.name and member.birth_date
    ]
    if not wanted:
        return {}
    places, names, births = (list(column) for column in zip(*wanted, strict=True))
    found: dict[int, list[int]] = defaultdict(list)
    for row in run_sql(NAMESAKES, {"places": places, "names": names, "births": births}):
        if len(found[row["place"]]) < _MOST_TWINS:
            found[row["place"]].append(row["household"])
    shown = visible_of({household for households in found.values() for household in households}, visible)
    first = {
        position: next((household for household in households if household in shown), None)
        for position, households in found.items()
    }
    return {position: household for position, household in first.items() if household is not None}


def visible_of(households: Collection[int], visible: Any) -> set[int]:
    """Those of the households the importer may see; all for the system."""
    if visible is None or not households:
        return set(households)
    return set(visible.filter(pk__in=households).values_list("pk", flat=True))


def rows_of_cards(households: Sequence[int]) -> dict[int, dict[str, list[int]]]:
    """The ids of the rows of each card: memberships, sheets, members of sheets. Undoing removes what came later."""
    rows: dict[int, dict[str, list[int]]] = {
        household: {"memberships": [], "sheets": [], "members": []} for household in households
    }
    pairs = Membership.objects.filter(household__in=households).order_by("pk")
    for household, pk in pairs.values_list("household_id", "pk"):
        rows[household]["memberships"].append(pk)
    of_sheet = {}
    for household, pk in (
        Sheet.objects.filter(household__in=households).order_by("pk").values_list("household_id", "pk")
    ):
        rows[household]["sheets"].append(pk)
        of_sheet[pk] = household
    for sheet, pk in MemberSheet.objects.filter(sheet__in=of_sheet).order_by("pk").values_list("sheet_id", "pk"):
        rows[of_sheet[sheet]]["members"].append(pk)
    return rows


def note_versions(rows: Sequence[Staged]) -> None:
    """What the batch left: the versions of household and sheet right after the write."""
    written = []
    for row in rows:
        if row.card is None or not row.written:
            continue
        if row.kind in _CREATED:
            row.version = row.sheet_version = 1  # as write_plan creates them
        else:
            written.append(row)
    ids = [row.card for row in written if row.card is not None]
    versions = dict(Household.objects.filter(pk__in=ids).values_list("pk", "version"))
    sheets = {
        (household, year): version
        for household, year, version in Sheet.objects.filter(household__in=ids).values_list(
            "household_id", "year", "version"
        )
    }
    for row in written:
        row.version = versions.get(row.card or 0)
        row.sheet_version = sheets.get((row.card or 0, row.year or 0))


def left_unjudged(batch: ImportBatch) -> dict[int, list[int]]:
    """Year -> cards the batch wrote whose result of that year is missing or stale: a try that is killed leaves some."""
    judged = Result.objects.current().filter(household=OuterRef("card"), year=OuterRef("year"), stale=False)
    written = StagedHousehold.objects.filter(batch=batch, written_at__isnull=False, card__isnull=False)
    left: dict[int, list[int]] = defaultdict(list)
    for year, card in written.exclude(Exists(judged)).order_by("position").values_list("year", "card_id"):
        if year is not None and card is not None:
            left[year].append(card)
    return left


# -- choosing ------------------------------


@transaction.atomic
def choose(*, batch: ImportBatch, by: User, excluded: bool, rows: Collection[int] = (), kind: str = "") -> ImportBatch:
    """Keep households out of the commit, or take them in again: single rows, or all of a kind."""
    locked = ImportBatch.objects.select_for_update().defer("file_cipher").get(pk=batch.pk)
    if locked.state != ImportBatch.State.CHECKED:
        raise Refusal("not_checked", _("只有检查完毕、尚未入库时才能选择"))
    chosen = StagedHousehold.objects.filter(batch=locked, kind__in=StagedHousehold.GOES_IN)
    chosen = chosen.filter(kind=kind) if kind else chosen.filter(pk__in=rows)
    changed = chosen.exclude(excluded=excluded).update(excluded=excluded)
    if changed:
        record("households.choose_rows", by=by, target=locked, area=locked.area, households=changed, excluded=excluded)
    return locked
