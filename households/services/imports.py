"""Workbooks of cards brought in: checked first, then written household by household.

A household is refused for itself alone; the rest goes in. Counts are households: read = accepted + refused + waiting.
Writing goes in chunks, each one transaction with its cards, its problems, its place in the batch and its audit event:
an import that breaks off goes on where it stood, and bringing the same workbook again changes nothing.
"""

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any, BinaryIO

from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from changde.accounts.areas import covers
from changde.accounts.models import User
from changde.audit.services import acting, record
from changde.bulk import allocate_ids
from changde.crypto.cipher import encrypt_bytes
from changde.jobs.models import Job
from changde.jobs.services import enqueue
from households.domain.card import Card, Finding
from households.domain.card_update import Policy
from households.domain.card_workbook import CardBook, Problem
from households.domain.checks import RED, WAIT, YELLOW, Context, run
from households.domain.fields import HOUSEHOLD_SHEET
from households.domain.read_ahead import Judge, Prepared, Work, chunks, seldom_collected
from households.domain.values import MASKED
from households.domain.workbook import Page, WorkbookRefused
from households.messages import message
from households.models import Finding as FindingRow
from households.models import Household, ImportBatch, ImportProblem, Sheet, StagedHousehold
from households.selectors.rules import CheckRules, real_places
from households.services import results, staging, status
from households.services.bulk_cards import (
    NO_KEY,
    Incoming,
    Plan,
    Refused,
    Waiting,
    Written,
    keep_waiting,
    plan_cards,
    write_plan,
)
from households.services.card_rows import NEVER_NULL
from households.services.staging import Staged

CHUNK = 500
KEEP_FILES = timedelta(days=30)
CITY = 430700000000

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Told:
    """Why a household was refused or waits, and where in the workbook."""

    group: int
    household: str
    outcome: str
    problem: Problem

    @property
    def reason(self) -> str:
        return message(self.problem.check_id, self.problem.parameters)


@dataclass
class Outcome:
    """What became of a workbook. Counts are households.

    `told` has a line for each problem of a household, where no batch keeps them (a check that leaves nothing behind).
    """

    households: int = 0
    members: int = 0
    created: int = 0
    changed: int = 0
    same: int = 0
    refused: int = 0
    waiting: int = 0
    left_out: int = 0
    told: list[Told] = field(default_factory=list)

    @property
    def accepted(self) -> int:
        return self.created + self.changed + self.same


class Rules(CheckRules):
    """What a card is judged by besides itself, and the area of who brings it."""

    def __init__(self, by: User | None):
        self.known = real_places()
        super().__init__(self.known)
        self.by = by

    def judge(self, card: Card) -> list[Finding]:
        return run(card, self._for(card))

    def _for(self, card: Card) -> Context:
        village = self.known.village(card.household)
        return self.context(village=village, year=card.sheet.year)

    def findings(self, made: Prepared) -> tuple[Finding, ...]:
        """All findings on a household as read; outside one's area nothing more is said about it."""
        code = made.card.household.village_code
        if code is not None and self.by is not None and not covers(self.by, "import_cards", code):
            return (Finding("area-outside", RED, None, ("village_code",)),)
        return made.findings

    def work(self, start: int, size: int, kept_out: Collection[int] = ()) -> Work:
        """What those who read ahead need to know: nothing of it changes while a workbook is read."""
        rulings = self.rulings((None, *self.known.counties))
        return Work(start, size, frozenset(kept_out), Judge(self.known, rulings), NEVER_NULL)


# -- bringing a file ------------------------------


@transaction.atomic
def bring(
    *,
    by: User,
    area: int | None,
    file_name: str,
    file: BinaryIO,
    initial: bool = False,
    policy: Policy = Policy.UPDATE,
    contents: dict[str, Any] | None = None,
) -> ImportBatch:
    """Keep an uploaded workbook (encrypted) and have it checked in the background; nothing is written yet.

    `policy` says what happens to households that are there; `contents` is what a glance at the file told.
    """
    content = file.read()
    (pk,) = allocate_ids(ImportBatch, 1)
    batch = ImportBatch.objects.create(
        pk=pk,
        owner=by,
        area=area,
        file_name=file_name[-200:],
        digest=hashlib.sha256(content).hexdigest(),
        size=len(content),
        file_cipher=encrypt_bytes(content, field="import.file", owner=pk),
        initial=initial,
        policy=policy.value,
        contents=contents or {},
    )
    record(
        "households.bring_workbook",
        by=by,
        target=batch,
        area=area,
        digest=batch.digest,
        size=batch.size,
        policy=batch.policy,
    )
    batch.job = enqueue("check_cards", by=by, area=area, parameters={"batch": pk})
    batch.save(update_fields=["job"])
    _forget_old_files()
    return batch


def _forget_old_files() -> None:
    """Workbooks are full of numbers of people: they are kept only as long as refused rows are fetched."""
    old = ImportBatch.objects.filter(brought_at__lt=timezone.now() - KEEP_FILES)
    StagedHousehold.objects.filter(batch__in=old).delete()
    old.filter(file_cipher__isnull=False).update(file_cipher=None)


@transaction.atomic
def accept(*, batch: ImportBatch, by: User) -> ImportBatch:
    """Have a checked workbook written; a second click finds it running."""
    locked = _locked(batch)
    if locked.state == ImportBatch.State.CHECKED:
        left_out = StagedHousehold.objects.filter(batch=locked, excluded=True).count()
        record(
            "households.accept_workbook",
            by=by,
            target=locked,
            area=locked.area,
            policy=locked.policy,
            left_out=left_out,
        )
        locked.confirmed_at = timezone.now()
        _start(locked, ImportBatch.State.RUNNING, "import_cards", by)
    return locked


@transaction.atomic
def go_on(*, batch: ImportBatch, by: User) -> ImportBatch:
    """Take up a batch that was cancelled or broke off: its check anew, or its write where it stood."""
    locked = _locked(batch)
    if not may_go_on(locked):
        return locked
    record("households.resume_workbook", by=by, target=locked, area=locked.area, position=locked.position)
    locked.error, locked.finished_at = "", None
    if locked.confirmed_at:
        _start(locked, ImportBatch.State.RUNNING, "import_cards", by)
    else:
        _start(locked, ImportBatch.State.WAITING, "check_cards", by)
    return locked


def may_go_on(batch: ImportBatch) -> bool:
    """Cancelled or broken off by a job, not refused as a file, nothing taken back, and the file still kept."""
    over = batch.state in (ImportBatch.State.CANCELLED, ImportBatch.State.FAILED)
    stopped = over and batch.error in ("", "job-failed") and not batch.undone
    return stopped and ImportBatch.objects.filter(pk=batch.pk, file_cipher__isnull=False).exists()


def _locked(batch: ImportBatch) -> ImportBatch:
    return ImportBatch.objects.select_for_update().defer("file_cipher").get(pk=batch.pk)


def _start(batch: ImportBatch, state: str, kind: str, by: User) -> None:
    batch.state = state
    batch.job = enqueue(kind, by=by, area=batch.area, parameters={"batch": batch.pk})
    batch.save(update_fields=["state", "job", "confirmed_at", "error", "finished_at"])


def note_refused_file(batch: ImportBatch, refused: WorkbookRefused) -> None:
    """The workbook as a whole was not taken."""
    ImportBatch.objects.filter(pk=batch.pk).update(
        state=ImportBatch.State.FAILED, error=refused.code, error_facts=refused.facts, finished_at=Now()
    )


def note_broken_off(batch: ImportBatch, state: str) -> None:
    """The job ended before the workbook did (cancelled, or failed for good). What was written stays, and is counted."""
    ImportBatch.objects.filter(pk=batch.pk, state__in=ImportBatch.OPEN).update(
        state=state, error="" if state == ImportBatch.State.CANCELLED else "job-failed", finished_at=Now()
    )


def settle(batch: ImportBatch) -> None:
    """A batch whose job is over without having finished it (cancelled before a worker took it) is over too."""
    if batch.state == ImportBatch.State.UNDOING:
        return  # services.undo settles those
    if batch.is_open and batch.job is not None and not batch.job.is_open:
        cancelled = batch.job.state == Job.State.CANCELLED
        note_broken_off(batch, ImportBatch.State.CANCELLED if cancelled else ImportBatch.State.FAILED)
        batch.refresh_from_db(fields=["state", "error", "error_facts", "finished_at"])


def open_batch(
    *, by: User | None, file_name: str, content: bytes, initial: bool, policy: Policy = Policy.UPDATE
) -> ImportBatch:
    """A batch that is written at once (the command); the file itself is not kept."""
    with transaction.atomic():
        batch = ImportBatch.objects.create(
            owner=by,
            area=by.open_posts[0].division_id if by and by.open_posts else None,
            file_name=file_name[-200:],
            digest=hashlib.sha256(content).hexdigest(),
            size=len(content),
            initial=initial,
            policy=policy.value,
            state=ImportBatch.State.RUNNING,
            confirmed_at=timezone.now(),
        )
        record(
            "households.bring_workbook",
            by=by,
            target=batch,
            digest=batch.digest,
            size=batch.size,
            policy=batch.policy,
        )
    return batch


# -- checking and writing ------------------------------


def check(
    *,
    book: CardBook,
    by: User | None,
    progress: Progress | None = None,
    policy: Policy = Policy.UPDATE,
    batch: ImportBatch | None = None,
) -> Outcome:
    """What would become of the workbook; no card is written.

    With a `batch` its households are kept one by one for the review, and `told` stays empty: a workbook of any size is
    checked with flat memory.
    """
    rules, taken, outcome = Rules(by), dict[bytes, int](), Outcome(len(book.groups), book.members)
    met = staging.NewHouseholds()
    if batch is not None:
        with transaction.atomic():
            batch.problems.all().delete()
            staging.forget(batch)
    with seldom_collected(), closing(chunks(book, rules.work(0, CHUNK))) as read:
        for _first, last, made in read:
            sifted = _sift(book, made, rules)
            plan = plan_cards(
                sifted.incoming, judge=rules.judge, visible=_visible(by), taken=taken, write=False, policy=policy
            )
            foreseen = _foreseen(plan)
            if batch is not None:
                with transaction.atomic():
                    cards = {new.incoming.group: new.card for new in plan.new}
                    twins = staging.Twins(
                        staging.namesakes(cards, _visible(by)),
                        met.meet(cards, {new.incoming.group: new.household_id for new in plan.new})
                        | _holders_in_workbook(foreseen, met),
                    )
                    staging.keep(batch, _staged(sifted, plan, foreseen, twins, rules))
                    _keep_told(batch, sifted.told(foreseen))
            _count(outcome, sifted, foreseen)
            if batch is None:
                outcome.told += sifted.told(foreseen)
            if progress:
                progress(last, len(book.groups))
    return outcome


def _holders_in_workbook(foreseen: Written, met: staging.NewHouseholds) -> dict[int, int]:
    """Position -> the earlier new household of the workbook that has an ID number of this one."""
    places = {wait.incoming.group: met.place_of(wait.first) for wait in foreseen.waiting}
    return {position: place for position, place in places.items() if place is not None}


def note_checked(*, batch: ImportBatch, outcome: Outcome, book: CardBook) -> None:
    """Keep what a check foresaw, for the page that asks whether to write it."""
    ImportBatch.objects.filter(pk=batch.pk, state=ImportBatch.State.WAITING).update(
        state=ImportBatch.State.CHECKED, unknown_columns=_unknown(book), **_counts(outcome)
    )


def take_in(
    *, book: CardBook, batch: ImportBatch, by: User | None, progress: Progress | None = None, chunk_size: int = CHUNK
) -> Outcome:
    """Write the workbook but for what the reviewer kept out; goes on where an earlier try of the batch stood."""
    rules, outcome = Rules(by), Outcome(len(book.groups), book.members)
    with transaction.atomic():
        batch = ImportBatch.objects.select_for_update().get(pk=batch.pk)
        if batch.position == 0:
            batch.problems.all().delete()  # of the check: the tables may have changed since
            ImportBatch.objects.filter(pk=batch.pk).update(unknown_columns=_unknown(book), **_counts(Outcome()))
    kept_out = staging.kept_out(batch)
    work = rules.work(batch.position, chunk_size, kept_out)
    with seldom_collected(), results.recomputed_beside(by=by) as beside, closing(chunks(book, work)) as read:
        if batch.position:
            beside(partial(_recompute_left, batch))
        for first, last, made in read:
            sifted = _sift(book, made, rules)
            sifted.left_out = last - first - len(made)
            written = _write_chunk(batch, sifted, last, rules)
            _count(outcome, sifted, written)
            beside(partial(_keep_statistics, outcome.accepted))
            if progress:
                progress(last, len(book.groups))
    with transaction.atomic(), acting(by):
        ImportBatch.objects.filter(pk=batch.pk).update(
            state=ImportBatch.State.DONE, finished_at=Now(), households=len(book.groups), members=book.members
        )
        batch.refresh_from_db()
        record(
            "households.finish_workbook",
            by=by,
            target=batch,
            area=batch.area,
            households=batch.households,
            accepted=batch.accepted,
            refused=batch.refused,
            waiting=batch.waiting,
            left_out=batch.left_out,
            policy=batch.policy,
        )
    return outcome


def _recompute_left(batch: ImportBatch) -> None:
    """An earlier try may have been killed between the write of cards and their results."""
    for year, cards in staging.left_unjudged(batch).items():
        for first in range(0, len(cards), CHUNK):
            results.recompute_where_ruled(cards[first : first + CHUNK], [year])


def _keep_statistics(rows: int) -> None:
    """Where the tables were nearly empty before, let Postgres look at what came in before it plans further ones."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT keep_card_statistics(%s)", [rows])


@dataclass
class _Sifted:
    """A chunk after the checks of its cards alone."""

    book: CardBook
    numbers: dict[int, str | None]
    incoming: list[Incoming] = field(default_factory=list)
    waiting: list[Waiting] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    left_out: int = 0

    def told(self, written: Written) -> list[Told]:
        """Every problem of the chunk in the order of the workbook."""
        refused = [*self.refused, *written.refused]
        waiting = [*self.waiting, *written.waiting]
        told = [
            self._told(each.incoming.group, ImportProblem.Outcome.REFUSED, finding)
            for each in refused
            for finding in each.findings
        ]
        told += [
            self._told(
                each.incoming.group, ImportProblem.Outcome.WAITING, Finding(each.reason, WAIT, None, ("number",))
            )
            for each in waiting
        ]
        return sorted(told, key=lambda each: each.group)

    def _told(self, group: int, outcome: str, finding: Finding) -> Told:
        read = self.book.read(self.book.groups[group])  # again: few households have problems
        return Told(group, read.number or "", str(outcome), self.book.locate(read, finding))


def _sift(book: CardBook, chunk: Sequence[Prepared], rules: Rules) -> _Sifted:
    sifted = _Sifted(book, {})
    for made in chunk:
        sifted.numbers[made.index] = made.number
        findings = rules.findings(made)
        masked = tuple(finding for finding in findings if finding.parameters.get("kind") == MASKED)
        incoming = Incoming(
            made.card,
            made.index,
            HOUSEHOLD_SHEET,
            made.row,
            tuple(finding for finding in findings if finding.severity == YELLOW),
            made.text,
            masked,
        )
        red = tuple(finding for finding in findings if finding.severity == RED and finding not in masked)
        if red:
            sifted.refused.append(Refused(incoming, red))
        elif any(finding.severity == WAIT for finding in findings):
            sifted.waiting.append(Waiting(incoming, NO_KEY))
        else:
            sifted.incoming.append(incoming)
    return sifted


def _visible(by: User | None) -> object:
    return None if by is None else Household.objects.visible_to(by, "import_cards")


def _foreseen(plan: Plan) -> Written:
    return Written(
        created=[(new.incoming, new.household_id) for new in plan.new],
        changed=[(known.incoming, known.household_id) for known in plan.known if known.changes],
        same=[(known.incoming, known.household_id) for known in plan.known if not known.changes],
        waiting=plan.waiting,
        refused=plan.refused,
    )


def _write_chunk(batch: ImportBatch, sifted: _Sifted, position: int, rules: Rules) -> Written:
    """One transaction. A household number that another import wrote in this second is found at the next try."""
    for last_try in (False, False, True):
        try:
            with acting(rules.by), transaction.atomic():
                return _write(batch, sifted, position, rules)
        except (IntegrityError, Household.DoesNotExist):
            if last_try:
                raise
    raise AssertionError("unreachable")


def _write(batch: ImportBatch, sifted: _Sifted, position: int, rules: Rules) -> Written:
    plan = plan_cards(sifted.incoming, judge=rules.judge, visible=_visible(rules.by), policy=batch.applies)
    twins = staging.twins_of(batch, min(sifted.numbers, default=0), max(sifted.numbers, default=0))
    before = staging.rows_of_cards([known.household_id for known in plan.known if known.changes])
    written = write_plan(plan, by=rules.by, batch=batch, rules=rules)
    keep_waiting(sifted.waiting, batch)
    _note_status(batch, written, rules.by)
    _keep_told(batch, sifted.told(written))
    rows = _staged(sifted, plan, written, twins, rules)
    for row in rows:
        row.written = row.kind != staging.Kind.REFUSED
        row.rows_before = before.get(row.card or 0) if row.kind == staging.Kind.CHANGED else None
    staging.note_versions(rows)
    staging.keep(batch, rows)
    ImportBatch.objects.filter(pk=batch.pk).update(
        position=position,
        created=F("created") + len(written.created),
        changed=F("changed") + len(written.changed),
        same=F("same") + len(written.same),
        accepted=F("accepted") + len(written.accepted),
        refused=F("refused") + len(written.refused) + len(sifted.refused),
        waiting=F("waiting") + len(written.waiting) + len(sifted.waiting),
        left_out=F("left_out") + sifted.left_out,
        households=position,
    )
    return written


def _staged(sifted: _Sifted, plan: Plan, came: Written, twins: staging.Twins, rules: Rules) -> list[Staged]:
    """A row for each household of the chunk: what it is, or what came of it."""
    kind = staging.Kind
    known = {each.incoming.group: each for each in plan.known}
    rows: list[Staged] = []

    def add(incoming: Incoming, of: str, card: int | None = None, twin: int | None = None) -> None:
        row = staging.staged(incoming.group, of, incoming.card, sifted.numbers[incoming.group])
        row.card, row.twin = card if card is not None and card > 0 else None, twin
        row.twin_position = twins.positions.get(incoming.group)
        if of == kind.CHANGED and incoming.group in known:
            staging.note_changes(row, known[incoming.group])
        rows.append(row)

    for incoming, card in came.created:
        twin = twins.cards.get(incoming.group)
        repeats = twin is not None or incoming.group in twins.positions
        add(incoming, kind.DUPLICATE if repeats else kind.NEW, card, twin)
    for incoming, card in came.changed:
        add(incoming, kind.CHANGED, card)
    for incoming, card in came.same:
        add(incoming, kind.SAME, card)
    waits = [*sifted.waiting, *came.waiting]
    firsts = staging.visible_of({wait.first for wait in waits if wait.first and wait.first > 0}, _visible(rules.by))
    for wait in waits:
        add(wait.incoming, kind.WAITING, None, wait.first if wait.first in firsts else None)
    for refused in (*sifted.refused, *came.refused):
        add(refused.incoming, kind.REFUSED)
    return rows


def _note_status(batch: ImportBatch, written: Written, by: User | None) -> None:
    """The first load sets the status of households; later a difference is a finding, never a change."""
    if batch.initial:
        said = [(pk, each.card.sheet.attribute or "", each.card.sheet.exit_flag or "") for each, pk in written.accepted]
        created = len(written.created)
        status.set_initial_status(
            cards=said[created:],
            created=[status.initial_status(attribute, flag) for _pk, attribute, flag in said[:created]],
            by=by,
            area=batch.area or CITY,
        )
        return
    facts = {pk: each.card.sheet for each, pk in written.accepted}
    later = set(
        Sheet.objects.filter(household__in=facts, year__gt=min((s.year or 0 for s in facts.values()), default=0))
        .values_list("household_id", "year")
        .order_by()
    )
    past = {pk for pk, year in later if year > (facts[pk].year or 0)}
    differing = [
        FindingRow(
            household_id=pk,
            village_id=village,
            kind=FindingRow.Kind.STATUS_DIFFERS,
            code="status-differs",
            facts={"attribute": facts[pk].attribute, "exit_flag": facts[pk].exit_flag, "status": now},
        )
        for pk, village, now in Household.objects.filter(pk__in=facts).values_list("pk", "village_id", "status")
        if pk not in past and status.differs_from(now, facts[pk].attribute or "", facts[pk].exit_flag or "")
    ]
    FindingRow.objects.bulk_create(differing, ignore_conflicts=True)


def _count(outcome: Outcome, sifted: _Sifted, written: Written) -> None:
    outcome.created += len(written.created)
    outcome.changed += len(written.changed)
    outcome.same += len(written.same)
    outcome.refused += len(written.refused) + len(sifted.refused)
    outcome.waiting += len(written.waiting) + len(sifted.waiting)
    outcome.left_out += sifted.left_out


def _counts(outcome: Outcome) -> dict[str, int]:
    names = ("households", "members", "accepted", "created", "changed", "same", "refused", "waiting", "left_out")
    return {name: getattr(outcome, name) for name in names}


def _keep_told(batch: ImportBatch, told: Sequence[Told]) -> None:
    ImportProblem.objects.bulk_create(
        ImportProblem(
            batch=batch,
            position=each.group,
            household=each.household[:40],
            sheet=each.problem.sheet,
            row=each.problem.row,
            column=each.problem.column,
            outcome=each.outcome,
            check_id=each.problem.check_id,
            parameters=dict(each.problem.parameters),
        )
        for each in told
    )


def _unknown(book: CardBook) -> list[dict[str, str]]:
    return [{"sheet": sheet, "column": text} for sheet, texts in book.unknown_columns.items() for text in texts[:50]]


# -- giving back ------------------------------


def returned_pages(book: CardBook, told: Iterable[Told]) -> list[Page]:
    """The rows of refused and waiting households as they came, with their reasons in a last column."""
    reasons: dict[int, dict[str, dict[int, str]]] = {}
    for each in told:
        rows = reasons.setdefault(each.group, {}).setdefault(each.problem.sheet, {})
        place = each.problem.column
        text = f"{place}：{each.reason}" if place else each.reason
        rows[each.problem.row] = f"{rows[each.problem.row]}；{text}" if each.problem.row in rows else text
    return book.pages(reasons)


def told_of(book: CardBook, batch: ImportBatch) -> Iterator[Told]:
    """The kept problems of a batch, brought back to the households of its workbook."""
    for kept in batch.problems.filter(position__lt=len(book.groups)).iterator():
        problem = Problem(kept.check_id, RED, kept.sheet, kept.row or 0, kept.column, "", kept.parameters)
        yield Told(kept.position or 0, kept.household, kept.outcome, problem)
