"""Writing many whole cards at once: the same rules as a single save, over columns and COPY.

Two steps. `plan_cards` decides for each card what becomes of it (new, changed, the same, waits, refused) and writes
nothing, so that a person sees what will change before it does. `write_plan` writes: new cards by COPY, changed ones
like a form that was filled in, unchanged ones not at all. Identity claims are written first (their foreign keys are
checked at commit): the primary key decides every race for an ID number, also against a village cadre who types the same
number in this second.
"""

import dataclasses
import json
from collections import ChainMap
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import count, islice
from typing import Any

from django.db import connection, models
from django.db.models import Q
from django.utils import timezone

from changde.accounts.models import User
from changde.accounts.refusal import Refusal
from changde.audit.services import record
from changde.bulk import allocate_ids, copy_in
from changde.bulk.loading import copy_lines
from changde.crypto.cipher import blind_column, blind_index, encrypt
from households.domain import checks
from households.domain.card import Card, Finding
from households.domain.card_text import (
    HEAD_COLUMNS,
    HOUSEHOLD_COLUMNS,
    MEMBER_COLUMNS,
    NAME_COLUMNS,
    PERSON_COLUMNS,
    SHEET_COLUMNS,
    CardText,
    TextOf,
)
from households.domain.card_update import Policy, as_past, closed_parts, combined, vanished, with_kept_numbers
from households.domain.merge import NumberedCard, changed_fields
from households.models import Finding as FindingRow
from households.models import (
    Household,
    HouseholdStatus,
    IdentityClaim,
    ImportBatch,
    IncomeLine,
    MemberSheet,
    Membership,
    Person,
    Sheet,
    WaitingHousehold,
)
from households.selectors.beside import beside_of, of_a_save
from households.selectors.rules import CheckRules
from households.services import findings as notes
from households.services import results
from households.services.card_rows import NEVER_NULL, SECRETS, read_card, secret_cells, secret_columns
from households.services.cards import CardRefused, NumberWaits, save_card
from households.services.status import initial_status

DUPLICATE = "id-double"
NO_KEY = "household-no-key"


@dataclass(frozen=True)
class Incoming:
    """A checked card with its place in the workbook and the yellow findings it goes in with.

    `group` is the household's place among the households of the workbook, `row` its row on `sheet`.
    """

    card: Card
    group: int = 0
    sheet: str = ""
    row: int | None = None
    findings: tuple[Finding, ...] = ()
    text: CardText | None = None  # the card's cells, where they were made ahead
    masked: tuple[Finding, ...] = ()  # cells with a masked number: on a card that is there they mean "as it is kept"

    @property
    def number(self) -> str:
        return self.card.household.number or ""


@dataclass(frozen=True)
class Waiting:
    """A card that waits. `first` is the household that has its ID number, where that is why."""

    incoming: Incoming
    reason: str
    number: bytes | None = None
    first: int | None = None


@dataclass(frozen=True)
class Refused:
    """A card that is refused by what only the tables know."""

    incoming: Incoming
    findings: tuple[Finding, ...]


@dataclass
class New:
    """A card that gets a household of its own, with the ids it will have."""

    incoming: Incoming
    household_id: int
    hashes: list[bytes | None]
    person_ids: list[int] = field(default_factory=list)
    sheet_id: int = 0

    @property
    def card(self) -> Card:
        return self.incoming.card


@dataclass(frozen=True)
class Known:
    """A card of a household that is there: the card as it will stand, who leaves it, which parts lose their lines."""

    incoming: Incoming
    household_id: int
    card: NumberedCard
    changes: bool
    leave: tuple[int, ...]
    closed: tuple[str, ...] = ()
    before: NumberedCard | None = None


@dataclass
class Plan:
    """What becomes of a chunk of cards."""

    new: list[New] = field(default_factory=list)
    known: list[Known] = field(default_factory=list)
    waiting: list[Waiting] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)


@dataclass
class Written:
    """What came of a chunk. created, changed and same hold (card, household id)."""

    created: list[tuple[Incoming, int]] = field(default_factory=list)
    changed: list[tuple[Incoming, int]] = field(default_factory=list)
    same: list[tuple[Incoming, int]] = field(default_factory=list)
    waiting: list[Waiting] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)

    @property
    def accepted(self) -> list[tuple[Incoming, int]]:
        return self.created + self.changed + self.same


Judge = Callable[[Card], list[Finding]]


# -- planning ------------------------------


def plan_cards(
    incoming: Sequence[Incoming],
    *,
    judge: Judge,
    visible: Any = None,
    taken: MutableMapping[bytes, int] | None = None,
    write: bool = True,
    policy: Policy = Policy.UPDATE,
) -> Plan:
    """Decide what becomes of checked cards; writes nothing.

    A card is matched by its household number, else by its head's ID number to a household that has no number or when
    the card has none. `visible` (a queryset of Household, None for the system) narrows what may be matched: a number of
    a household outside it is refused without telling more. A card with an ID number that another household holds
    waits; inside a chunk the first card has it. `judge` checks a known card again after its empty fields were filled.
    `taken` carries the numbers of planned new cards from chunk to chunk while nothing is written. With `write` the
    known households are locked until the transaction ends, so that nobody changes a card between plan and write.
    `policy` says what happens to known households.
    """
    taken = {} if taken is None else taken
    hashed = iter(blind_column((member.id_number for each in incoming for member in each.card.members), kind="id"))
    hashes = [list(islice(hashed, len(each.card.members))) for each in incoming]
    holders = _holders({value for row in hashes for value in row if value})
    matched = _matched(incoming, holders, visible)
    new_ids = _new_ids(sum(found is None for found in matched), write, taken)
    plan = Plan()
    stored: list[tuple[Incoming, int]] = []
    for each, numbers, found in zip(incoming, hashes, matched, strict=True):
        if found == _ELSEWHERE:
            plan.refused.append(Refused(each, (_red("number-elsewhere", "number"),)))
            continue
        own = found if found is not None else next(new_ids)
        other = _other_holder(numbers, own, ChainMap(taken, holders))  # type: ignore[arg-type]
        if each.masked and (found is None or other):  # nothing is kept behind the masks, or not for sure
            plan.refused.append(Refused(each, each.masked))
            continue
        if other:
            plan.waiting.append(Waiting(each, DUPLICATE, *other))
            continue
        if found is None:
            plan.new.append(New(each, own, numbers))
        else:
            stored.append((each, own))
        taken.update((number, own) for number in numbers if number)
    if write:
        _lock([household_id for _, household_id in stored])
    _plan_known(stored, judge, plan, policy)
    return plan


def _lock(household_ids: Sequence[int]) -> None:
    """In the order of the ids, as every writer of many cards does: no two can wait for each other."""
    rows = Household.objects.select_for_update().filter(pk__in=household_ids).order_by("pk").values_list("pk")
    if len(rows) != len(set(household_ids)):
        raise Household.DoesNotExist  # somebody took one back in this second: plan again


_ELSEWHERE = -1


def _red(check_id: str, *attributes: str, **parameters: Any) -> Finding:
    return Finding(check_id, checks.RED, None, attributes, parameters)


def _new_ids(needed: int, write: bool, taken: Mapping[bytes, int]) -> Iterator[int]:
    """Ids of the new households: real ones to write with, else negative ones that meet nobody's."""
    if write:
        return iter(allocate_ids(Household, needed))
    return count(min([_ELSEWHERE, *taken.values()]) - 1, -1)


def _other_holder(numbers: list[bytes | None], own: int, holders: Mapping[bytes, int]) -> tuple[bytes, int] | None:
    """The first of the card's numbers that another household holds, and that household."""
    for number in numbers:
        if number and holders.get(number, own) != own:
            return number, holders[number]
    return None


def _holders(numbers: set[bytes]) -> dict[bytes, int]:
    """Who holds these numbers today."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT number_hash, household_id FROM households_identityclaim WHERE number_hash = ANY (%s::bytea[])",
            [list(numbers)],
        )
        return {bytes(number): household_id for number, household_id in cursor.fetchall()}


def _matched(incoming: Sequence[Incoming], holders: dict[bytes, int], visible: Any) -> list[int | None]:
    """For each card the household it belongs to, None for a new one, _ELSEWHERE for one the writer may not see."""
    by_number = dict(
        Household.objects.filter(number__in={each.number for each in incoming if each.number}).values_list(
            "number", "pk"
        )
    )
    heads = [None if each.number in by_number else holders.get(_head_hash(each.card) or b"") for each in incoming]
    unnumbered = set(
        Household.objects.filter(Q(number=None), pk__in={pk for pk in heads if pk}).values_list("pk", flat=True)
    )
    named = {*by_number.values(), *(pk for pk in heads if pk)}
    shown = named if visible is None else set(visible.filter(pk__in=named).values_list("pk", flat=True))
    found: list[int | None] = []
    for each, by_head in zip(incoming, heads, strict=True):
        numbered = by_number.get(each.number)
        if numbered is not None:
            found.append(numbered if numbered in shown else _ELSEWHERE)
        else:
            fits = by_head in shown and (not each.number or by_head in unnumbered)
            found.append(by_head if fits else None)
    return found


def _head_hash(card: Card) -> bytes | None:
    head = card.head
    return blind_index((head.id_number if head else None) or card.household.head_id_number, kind="id")


def _plan_known(stored: Sequence[tuple[Incoming, int]], judge: Judge, plan: Plan, policy: Policy) -> None:
    """Cards of households that are there, as they will stand when the brought values are in."""
    for year in sorted({each.card.sheet.year or 0 for each, _ in stored}):
        of_year = [(each, household_id) for each, household_id in stored if (each.card.sheet.year or 0) == year]
        ids = [household_id for _, household_id in of_year]
        past = set(Sheet.objects.filter(household__in=ids, year__gt=year).values_list("household_id", flat=True))
        present = _stored_cards(ids, year, past)
        for each, household_id in of_year:
            before, has_sheet = present[household_id]
            if before.card.household.village_code != each.card.household.village_code:
                plan.refused.append(Refused(each, (_red("village-changed", "village_code"),)))
                continue
            card, stray = with_kept_numbers(before, each.card, each.masked) if each.masked else (each.card, [])
            if stray:
                plan.refused.append(Refused(each, tuple(stray)))
                continue
            after = combined(before, card, policy)
            if after is None:
                plan.refused.append(Refused(each, (_red("household-known", "number"),)))
                continue
            if household_id in past:
                after = as_past(before, after)
            red = tuple(finding for finding in judge(after.card) if finding.severity == checks.RED)
            if household_id in past:
                red += _strangers(after)
            if red:
                plan.refused.append(Refused(each, red))
                continue
            leave = () if household_id in past else vanished(before, after)
            changes = not has_sheet or None in after.persons or bool(leave) or bool(changed_fields(before, after))
            closed = closed_parts(before, after)
            plan.known.append(Known(each, household_id, after, changes, leave, closed, before))


def _strangers(card: NumberedCard) -> tuple[Finding, ...]:
    """An earlier year's sheet can only be written for members who are on the card."""
    return tuple(
        Finding("past-member", checks.RED, index, ("name",))
        for index, person in enumerate(card.persons)
        if person is None
    )


def _stored_cards(
    household_ids: Sequence[int], year: int, past: Collection[int]
) -> dict[int, tuple[NumberedCard, bool]]:
    """The cards of households with their facts of `year`, and whether that year has a sheet (five queries).

    In a household of `past` the relation is that of the sheet, not of today.
    """
    sheets = {row.household_id: row for row in Sheet.objects.filter(household__in=household_ids, year=year)}
    facts = {(row.sheet_id, row.person_id): row for row in MemberSheet.objects.filter(sheet__in=sheets.values())}
    lines: dict[int, list[IncomeLine]] = {}
    for line in IncomeLine.objects.filter(sheet__in=sheets.values()):
        lines.setdefault(line.sheet_id, []).append(line)
    members: dict[int, list[tuple[int, Person, MemberSheet | None, str]]] = {}
    memberships = Membership.objects.open().filter(household__in=household_ids).select_related("person")
    for row in memberships.order_by("household", "position", "pk"):
        sheet = sheets.get(row.household_id)
        known = facts.get((sheet.pk, row.person_id)) if sheet else None
        relation = known.relation if known and row.household_id in past else row.relation
        members.setdefault(row.household_id, []).append((row.person_id, row.person, known, relation))
    found = {}
    for pk, household in Household.objects.in_bulk(household_ids).items():
        sheet = sheets.get(pk)
        own = lines.get(sheet.pk, []) if sheet else []
        card = read_card(household, sheet, members.get(pk, []), household_id=pk, lines=own)
        found[pk] = card, sheet is not None
    return found


# -- writing ------------------------------


def write_plan(
    plan: Plan, *, by: User | None, batch: ImportBatch | None = None, rules: CheckRules | None = None
) -> Written:
    """Write a plan made with `write=True` in this very transaction. Nothing is committed here.

    `rules` are the counties' figures and switches, where the caller has read them already.
    """
    rules = rules or CheckRules()
    if not connection.in_atomic_block:
        raise RuntimeError("write_plan needs the caller's transaction")
    written = Written(refused=list(plan.refused))
    waits = list(plan.waiting)
    _create(plan.new, waits, written, by, rules, batch)
    with results.left_stale():
        for known in plan.known:
            _update(known, by, waits, written, rules)
    touched = [*written.created, *written.changed]
    results.refresh_with_batch(
        created=[household for _, household in written.created],
        changed=[household for _, household in written.changed],
        years={incoming.card.sheet.year for incoming, _ in touched if incoming.card.sheet.year},
    )
    keep_waiting(waits, batch)
    written.waiting = waits
    record(
        "households.import_cards",
        by=by,
        target=batch,
        area=batch.area if batch else None,
        created=len(written.created),
        changed=len(written.changed),
        same=len(written.same),
        waiting=len(written.waiting),
        refused=len(written.refused),
    )
    return written


def keep_waiting(waits: Sequence[Waiting], batch: ImportBatch | None) -> None:
    """Keep waiting cards encrypted for the duplicates desk, and flag the households that hold the numbers."""
    firsts = {wait.first for wait in waits if wait.first is not None}
    villages = dict(Household.objects.filter(pk__in=firsts).values_list("pk", "village_id"))
    people = {
        bytes(number): person
        for number, person in IdentityClaim.objects.filter(
            number_hash__in=[wait.number for wait in waits if wait.number]
        ).values_list("number_hash", "person_id")
    }
    FindingRow.objects.bulk_create(
        [
            FindingRow(
                household_id=wait.first,
                person_id=people.get(wait.number or b""),
                village_id=villages[wait.first],
                kind=FindingRow.Kind.DUPLICATE_NUMBER,
                code=DUPLICATE,
                blocks=True,
                facts={"wanted_in": wait.incoming.card.household.village_code},
            )
            for wait in waits
            if wait.first in villages
        ],
        ignore_conflicts=True,
    )
    if batch is None:
        return
    texts = [_text(wait.incoming.card) for wait in waits]
    marks = [wait.number or blind_index(text, kind="waiting") for wait, text in zip(waits, texts, strict=True)]
    nameless = WaitingHousehold.objects.filter(household="", settled_at=None, number_hash__in=marks)
    already = {bytes(mark or b"") for mark in nameless.values_list("number_hash", flat=True)}
    rows = []
    for wait, text, mark, waiting_id in zip(
        waits, texts, marks, allocate_ids(WaitingHousehold, len(waits)), strict=True
    ):
        if not wait.incoming.number and mark in already:
            continue
        rows.append(
            WaitingHousehold(
                pk=waiting_id,
                batch=batch,
                household=wait.incoming.number,
                village_id=_village(wait.incoming.card),
                sheet=wait.incoming.sheet,
                row=wait.incoming.row,
                reason=wait.reason,
                card_cipher=encrypt(text, field="waiting.card", owner=waiting_id),
                number_hash=mark,
                first_id=wait.first if wait.first in villages else None,
            )
        )
    WaitingHousehold.objects.bulk_create(rows, ignore_conflicts=True)  # the same workbook brought twice waits once


def _village(card: Card) -> int:
    if card.household.village_code is None:
        raise ValueError("a card is written into a village")
    return card.household.village_code


def _text(card: Card) -> str:
    return json.dumps(dataclasses.asdict(card), default=str, ensure_ascii=False)


def _claim(fresh: Sequence[New], waits: list[Waiting]) -> list[New]:
    """Take the numbers of new cards; a card that loses one to another transaction waits, and takes none."""
    claims = {
        number: (person_id, new.household_id)
        for new in fresh
        for number, person_id in zip(new.hashes, new.person_ids, strict=True)
        if number
    }
    # In the order of the numbers, so that two batches that share some cannot lock each other out.
    numbers = sorted(claims)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO households_identityclaim (number_hash, person_id, household_id)
            SELECT * FROM unnest(%s::bytea[], %s::bigint[], %s::bigint[])
            ON CONFLICT DO NOTHING
            """,
            [numbers, [claims[number][0] for number in numbers], [claims[number][1] for number in numbers]],
        )
        if cursor.rowcount == len(numbers):
            return list(fresh)
    holders = _holders(set(claims))
    lost = {household: number for number, (_person, household) in claims.items() if holders[number] != household}
    IdentityClaim.objects.filter(household_id__in=lost).delete()
    for new in fresh:
        if new.household_id in lost:
            number = lost[new.household_id]
            waits.append(Waiting(new.incoming, DUPLICATE, number, holders[number]))
    return [new for new in fresh if new.household_id not in lost]


def _create(
    fresh: Sequence[New],
    waits: list[Waiting],
    written: Written,
    by: User | None,
    rules: CheckRules,
    batch: ImportBatch | None,
) -> None:
    """New households by COPY; in the first load with the status their workbook says."""
    person_ids = iter(allocate_ids(Person, sum(len(new.card.members) for new in fresh)))
    for new in fresh:
        new.person_ids = [next(person_ids) for _ in new.card.members]
    fresh = _claim(fresh, waits)
    for new, sheet_id in zip(fresh, allocate_ids(Sheet, len(fresh)), strict=True):
        new.sheet_id = sheet_id
    texts = [new.incoming.text or _text_of(new.card) for new in fresh]
    since = timezone.localdate() if batch and batch.initial else None
    people = [
        (new, position, member, person_id)
        for new in fresh
        for position, (member, person_id) in enumerate(zip(new.card.members, new.person_ids, strict=True))
    ]
    owners = [new.household_id for new in fresh]
    secrets = secret_cells(Household, [new.card.household for new in fresh], owners)
    _copy(
        Household,
        ("id", "village_id", "version", "status", "status_since", "monitored_kind", *HOUSEHOLD_COLUMNS, *HEAD_COLUMNS),
        (
            (f"{pk}\t{_village(new.card)}\t1\t{_status(new.card, since)}\t", text.household, *secret)
            for pk, new, text, secret in zip(owners, fresh, texts, secrets, strict=True)
        ),
    )
    persons = [text for each in texts for text in each.persons]
    owners = [person_id for _, _, _, person_id in people]
    secrets = secret_cells(Person, [member for _, _, member, _ in people], owners)
    _copy(
        Person,
        ("id", *PERSON_COLUMNS, *NAME_COLUMNS),
        ((str(pk), text, *secret) for pk, text, secret in zip(owners, persons, secrets, strict=True)),
    )
    copy_in(
        Membership,
        ("household_id", "person_id", "relation", "position", "end_reason"),
        (
            (new.household_id, person_id, member.relation or "", position, "")
            for new, position, member, person_id in people
        ),
    )
    _copy(
        Sheet,
        ("id", "household_id", "village_id", "version", "members_counted", *SHEET_COLUMNS),
        (
            (f"{new.sheet_id}\t{new.household_id}\t{_village(new.card)}\t1\t{new.card.counted}", text.sheet)
            for new, text in zip(fresh, texts, strict=True)
        ),
    )
    members = [text for each in texts for text in each.members]
    _copy(
        MemberSheet,
        ("sheet_id", "person_id", "position", *MEMBER_COLUMNS, "relation"),
        (
            (f"{new.sheet_id}\t{person_id}\t{position}", text)
            for (new, position, _, person_id), text in zip(people, members, strict=True)
        ),
    )
    written.created += [(new.incoming, new.household_id) for new in fresh]
    _keep_findings(fresh, by, rules)


_text_of = TextOf(NEVER_NULL)


def _status(card: Card, since: date | None) -> str:
    """The cells of status and since when, as COPY wants them."""
    if since is None:
        return f"{HouseholdStatus.UNREGISTERED.value}\t\\N"
    return f"{initial_status(card.sheet.attribute or '', card.sheet.exit_flag or '').value}\t{since.isoformat()}"


def _copy(model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Rows of cells that are text already; what the model encrypts stands last."""
    secret = secret_columns(model) if model in SECRETS else []
    lines = "".join("\t".join(row) + "\n" for row in rows)
    if lines:
        copy_lines(model, [*columns, *secret], lines.encode())


def _update(known: Known, by: User | None, waits: list[Waiting], written: Written, rules: CheckRules) -> None:
    """A known household: left alone when nothing changes, else saved like a form that was filled in."""
    if not known.changes:
        written.same.append((known.incoming, known.household_id))
        return
    household = Household.objects.select_for_update().get(pk=known.household_id)
    before = household.version
    try:
        household = save_card(
            card=known.card.card,
            by=by,
            household=household,
            expected_version=before,
            persons=known.card.persons,
            capability="import_cards",
            rules=rules,
        )
    except NumberWaits:
        waits.append(Waiting(known.incoming, DUPLICATE))
    except CardRefused as refusal:
        written.refused.append(Refused(known.incoming, refusal.problems))
    except Refusal as refusal:
        finding = _red(refusal.code, refusal.field or "number", text=str(refusal.message))
        written.refused.append(Refused(known.incoming, (finding,)))
    else:
        changed = household.version != before
        (written.changed if changed else written.same).append((known.incoming, known.household_id))
        if changed:
            _keep_closed_lines(household, known)


def _keep_findings(fresh: Sequence[New], by: User | None, rules: CheckRules) -> None:
    """Yellow checks go in as open notes; what their cells said when read, and what other cards say."""
    beside = beside_of({new.household_id: new.person_ids for new in fresh}) if fresh else {}
    judged = []
    for new in fresh:
        context = rules.context(
            village=_village(new.card), year=new.card.sheet.year, beside=of_a_save(beside[new.household_id])
        )
        across = [each for check_id in _ACROSS for each in checks.CHECKS[check_id](new.card, context)]
        found = [*new.incoming.findings, *(each for each in across if each.check_id not in context.off)]
        if found:
            judged.append(
                notes.Judged(new.household_id, _village(new.card), new.card.sheet.year, new.card, new.person_ids, found)
            )
    notes.keep(judged, by=by)


# Of the checks that look past the card those that can say something about a new one.
_ACROSS = ("phone-shared",)


def _keep_closed_lines(household: Household, known: Known) -> None:
    """A total that replaced the lines of the worksheet leaves an open note: the lines are in the history alone."""
    if not known.closed:
        return
    note = FindingRow(
        household=household,
        village_id=household.village_id,
        kind=FindingRow.Kind.YELLOW_CHECK,
        code="lines-closed",
        facts={"attributes": list(known.closed), "year": known.card.card.sheet.year},
    )
    FindingRow.objects.bulk_create([note], ignore_conflicts=True)
