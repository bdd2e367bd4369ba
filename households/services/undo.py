"""Taking a written workbook back, whole, while nobody has changed what it left.

A household the batch made is removed with its people; one it changed gets its rows back as they stood before the
batch's transaction (the row history keeps them, with that transaction's time), rows that were added go. Versions rise
all the same: nothing pretends that the import never was. The last household of the workbook is taken back first, so
that people who moved between cards of the batch move back in order.

Who may stand in the way: a card whose version is not the one the batch left, a reference from another app (a posted
list, a helper), a person or a number that is on another card meanwhile. The job looks again under the rows' locks: a
household that was changed in this second stays as it is and is told.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.db import models, transaction
from django.db.models import Count, Exists, OuterRef, Q
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from changde.accounts.models import Grant, User
from changde.accounts.refusal import Refusal
from changde.audit.models import Event
from changde.audit.services import acting, record
from changde.jobs.models import Job
from changde.jobs.services import enqueue
from households.models import (
    Finding,
    Household,
    IdentityClaim,
    ImportBatch,
    IncomeLine,
    ListedCard,
    ListedMember,
    ListedWithoutLabour,
    MemberSheet,
    Membership,
    Person,
    Result,
    Sheet,
    StagedHousehold,
    WaitingHousehold,
)
from households.services import results

CHUNK = 200
_OVER = (ImportBatch.State.DONE, ImportBatch.State.CANCELLED, ImportBatch.State.FAILED)
_MADE = (StagedHousehold.Kind.NEW, StagedHousehold.Kind.DUPLICATE)
_OWN = (
    Membership, Sheet, MemberSheet, IdentityClaim, Finding, ListedCard, ListedMember, ListedWithoutLabour, Result,
    StagedHousehold, WaitingHousehold,
)  # fmt: skip
_OF_THE_CARD = (Finding.Kind.YELLOW_CHECK, Finding.Kind.STATUS_DIFFERS)
DECISION = "undone"

Progress = Callable[[int, int], None]
# Which of these households stand in the way, seen from an upper app; the time is that of the batch's first write.
Obstacle = Callable[[Collection[int], datetime], Iterable[int]]

REASONS: dict[str, str | Promise] = {
    "changed": gettext_lazy("导入之后又有改动"),
    "gone": gettext_lazy("这张户卡已不在"),
    "referred": gettext_lazy("别处已在使用这张户卡（名单、帮扶等）"),
    "final": gettext_lazy("这一户已在年度最终测算结果里"),
    "moved": gettext_lazy("当时离开的成员现在另一张户卡上"),
    "number": gettext_lazy("原来的证件号码现在另一张户卡上"),
}
_OBSTACLES: dict[str, Obstacle] = {}


def register_obstacle(code: str, reason: str | Promise, finds: Obstacle) -> None:
    """An upper app says which households must not be taken back under it; called in AppConfig.ready."""
    REASONS[code] = reason
    _OBSTACLES[code] = finds


@dataclass
class Foreseen:
    """What an undo would do. `blocked` holds (row, reason code) of the first households in the way."""

    removed: int = 0
    restored: int = 0
    blocked_count: int = 0
    blocked: list[tuple[StagedHousehold, str]] = field(default_factory=list)


def may_undo(batch: ImportBatch) -> bool:
    """Written at least in part, not taken back, and its rows still kept (a month)."""
    return batch.state in _OVER and _written(batch).exists()


def foresee(batch: ImportBatch, *, show: int = 50) -> Foreseen:
    """What undoing would do and what stands in its way; reads only."""
    found = Foreseen()
    position, since, before = None, _first_write(batch), set[int]()
    while rows := _chunk(batch, position, 2000):
        position = rows[-1].position
        in_the_way = _in_the_way(rows, since, before)
        before |= {row.card_id for row in rows if row.card_id and row.pk not in in_the_way}
        found.removed += sum(row.kind in _MADE for row in rows)
        found.restored += sum(row.kind == StagedHousehold.Kind.CHANGED for row in rows)
        found.blocked_count += len(in_the_way)
        found.blocked += [(row, in_the_way[row.pk]) for row in rows if row.pk in in_the_way][
            : show - len(found.blocked)
        ]
    return found


@dataclass(frozen=True)
class Left:
    """A household that an undo leaves as it is: why, and who last wrote its card since the batch did, and when."""

    row: StagedHousehold
    reason: str
    by: User | None = None
    at: datetime | None = None


def told_left(batch: ImportBatch, rows: Sequence[tuple[StagedHousehold, str]]) -> list[Left]:
    """Rows and reason codes in words, each with the last act of the log on its card after the batch wrote it."""
    cards = {str(row.card_id) for row, _reason in rows if row.card_id}
    acts = Event.objects.filter(
        kind=Event.Kind.WRITE, target_kind=Household._meta.label_lower, target_id__in=cards, at__gt=_first_write(batch)
    )
    last = {
        act.target_id: act for act in acts.order_by("target_id", "-pk").distinct("target_id").select_related("actor")
    }
    found = []
    for row, reason in rows:
        act = last.get(str(row.card_id))
        left = Left(row, str(REASONS.get(reason, _("撤销时不能恢复"))))
        if act and row.written_until and act.at > row.written_until:
            left = replace(left, by=act.actor, at=act.at)
        found.append(left)
    return found


def left_behind(batch: ImportBatch, *, show: int = 50) -> tuple[int, list[Left]]:
    """How many households an undo that is over has left as they are, and the first of them; (0, []) before."""
    if batch.state != ImportBatch.State.UNDONE:
        return 0, []
    rows = _written(batch).exclude(kind=StagedHousehold.Kind.SAME)
    shown = list(rows.defer("facts_cipher").order_by("position")[:show])
    reasons = _in_the_way(shown, _first_write(batch)) if shown else {}
    number = rows.count() if len(shown) == show else len(shown)
    return number, told_left(batch, [(row, reasons.get(row.pk, "")) for row in shown])


@transaction.atomic
def undo(*, batch: ImportBatch, by: User, rest: bool = False) -> ImportBatch:
    """Have a batch taken back. With `rest` the households in the way stay, else they refuse it."""
    locked = ImportBatch.objects.select_for_update().defer("file_cipher").get(pk=batch.pk)
    if not may_undo(locked):
        raise Refusal("not_undoable", _("这批导入已不能撤销"))
    if not rest and foresee(locked, show=1).blocked_count:
        raise Refusal("undo_blocked", _("有户卡在导入之后已有改动，不能整批撤销"))
    was = locked.state
    locked.state = ImportBatch.State.UNDOING
    locked.job = enqueue("undo_cards", by=by, area=locked.area, parameters={"batch": locked.pk, "was": str(was)})
    locked.save(update_fields=["state", "job"])
    record("households.want_undo_workbook", by=by, target=locked, area=locked.area, rest=rest)
    return locked


def take_back(*, batch: ImportBatch, by: User | None, progress: Progress | None = None, size: int = CHUNK) -> int:
    """Undo chunk by chunk; goes on where an earlier try stood. Returns how many households stay as they are."""
    total, kept, position = _written(batch).count(), 0, None
    seen = 0
    while rows := _chunk(batch, position, size):
        position = rows[-1].position
        kept += _take_back_chunk(batch, rows, by)
        seen += len(rows)
        if progress:
            progress(seen, total)
    with transaction.atomic(), acting(by):
        _settle_waiting(batch, by)
        counts = StagedHousehold.objects.filter(batch=batch, undone_at__isnull=False).aggregate(
            removed=Count("pk", filter=Q(kind__in=_MADE)),
            restored=Count("pk", filter=Q(kind=StagedHousehold.Kind.CHANGED)),
        )
        ImportBatch.objects.filter(pk=batch.pk).update(
            state=ImportBatch.State.UNDONE,
            undone_at=timezone.now(),
            undone=counts["removed"] + counts["restored"],
        )
        record("households.undo_workbook", by=by, target=batch, area=batch.area, kept=kept, **counts)
    return kept


def note_undo_broke_off(batch: ImportBatch, job: Job) -> None:
    """The job was cancelled or failed for good: what was taken back stays so, the rest can be taken back again."""
    done = StagedHousehold.objects.filter(batch=batch, undone_at__isnull=False)
    ImportBatch.objects.filter(pk=batch.pk, state=ImportBatch.State.UNDOING).update(
        state=job.parameters["was"], undone=done.exclude(kind=StagedHousehold.Kind.SAME).count()
    )


def settle(batch: ImportBatch) -> None:
    """A batch whose undo was cancelled before a worker took it is as it was."""
    if batch.state == ImportBatch.State.UNDOING and batch.job is not None and not batch.job.is_open:
        note_undo_broke_off(batch, batch.job)
        batch.refresh_from_db(fields=["state", "undone"])


# -- what stands in the way ------------------------------


def _written(batch: ImportBatch) -> models.QuerySet[StagedHousehold]:
    rows = StagedHousehold.objects.filter(batch=batch, written_at__isnull=False, undone_at=None)
    return rows.filter(kind__in=StagedHousehold.GOES_IN)


def _chunk(batch: ImportBatch, before: int | None, size: int) -> list[StagedHousehold]:
    rows = _written(batch) if before is None else _written(batch).filter(position__lt=before)
    return list(rows.defer("facts_cipher").order_by("-position")[:size])


def _first_write(batch: ImportBatch) -> datetime:
    first = StagedHousehold.objects.filter(batch=batch, written_at__isnull=False).aggregate(at=models.Min("written_at"))
    return first["at"] or timezone.now()


def _in_the_way(rows: Sequence[StagedHousehold], since: datetime, before: Collection[int] = ()) -> dict[int, str]:
    """Row id -> reason, of the rows that cannot be taken back. A household that stayed the same is in nobody's way.

    `before` are households that will have been taken back before these: what they took is free then.
    """
    acting_rows = [row for row in rows if row.kind != StagedHousehold.Kind.SAME]
    ids = {row.card_id for row in acting_rows if row.card_id}
    versions = dict(Household.objects.filter(pk__in=ids).values_list("pk", "version"))
    sheets = {
        (household, year): version
        for household, year, version in Sheet.objects.filter(household__in=ids).values_list(
            "household_id", "year", "version"
        )
    }
    made = {row.card_id for row in acting_rows if row.kind in _MADE and row.card_id}
    outside: dict[int, str] = dict.fromkeys(_referred(Household, made), "referred")
    outside |= dict.fromkeys(_granted(made), "referred")
    kept_for_ever = Result.objects.filter(household__in=made, run__final=True) if made else Result.objects.none()
    outside |= dict.fromkeys(kept_for_ever.values_list("household_id", flat=True), "final")
    for code, finds in _OBSTACLES.items():
        outside |= dict.fromkeys(finds(ids, since), code)
    found: dict[int, str] = {}
    for row in acting_rows:
        if row.card_id is None or row.card_id not in versions:
            found[row.pk] = "gone"
        elif (versions[row.card_id], sheets.get((row.card_id, row.year or 0))) != (row.version, row.sheet_version):
            found[row.pk] = "changed"
        elif row.card_id in outside:
            found[row.pk] = outside[row.card_id]
    changed = [row for row in acting_rows if row.kind == StagedHousehold.Kind.CHANGED and row.pk not in found]
    if changed:
        kept = {row.card_id for row in acting_rows if row.pk in found}
        found |= _Image(changed).people_elsewhere(leaving={*before, *(made - kept)})
    return found


def _granted(ids: Collection[int]) -> set[int]:
    return set(Grant.objects.filter(household_id__in=ids).values_list("household_id", flat=True)) if ids else set()


def _referred(model: type[models.Model], ids: Collection[int]) -> set[int]:
    """Those of the rows that rows outside the card itself refer to, whichever app they belong to."""
    found: set[int] = set()
    for relation in model._meta.get_fields(include_hidden=True):
        if not ids or relation.concrete or not relation.auto_created:
            continue
        of = relation.related_model
        if of in _OWN or not isinstance(of, type) or hasattr(of, "pgh_tracked_model"):
            continue
        name = relation.field.name  # type: ignore[union-attr]
        rows = of._base_manager.filter(**{f"{name}__in": list(ids)})
        found |= set(rows.values_list(name, flat=True))
    return found


# -- the image before ------------------------------


class _Image:
    """How the rows of changed households stood before the batch wrote them, from the row history."""

    def __init__(self, rows: Sequence[StagedHousehold]):
        self.rows = {row.card_id: row for row in rows if row.card_id}
        ids = list(self.rows)
        self.times = {row.written_at for row in rows}
        before = [row.rows_before or {} for row in rows]
        kept = {
            name: {pk for each in before for pk in each.get(name, ())} for name in ("memberships", "sheets", "members")
        }
        self.memberships_now = {row.pk: row for row in Membership.objects.filter(household__in=ids)}
        self.sheets_now = {row.pk: row for row in Sheet.objects.filter(household__in=ids)}
        self.members_now = {row.pk: row for row in MemberSheet.objects.filter(sheet__in=list(self.sheets_now))}
        self.added: dict[type[models.Model], set[int]] = {
            Membership: set(self.memberships_now) - kept["memberships"],
            Sheet: set(self.sheets_now) - kept["sheets"],
            MemberSheet: set(self.members_now) - kept["members"],
        }
        persons = {row.person_id for row in self.memberships_now.values()}
        persons |= {row.person_id for row in self.members_now.values()}
        self.persons = persons
        self.events: dict[type[models.Model], dict[int, Any]] = {
            Household: self._first(Household, pgh_obj_id__in=ids),
            Membership: self._first(Membership, household_id__in=ids),
            Sheet: self._first(Sheet, household_id__in=ids),
            MemberSheet: self._first(MemberSheet, sheet_id__in=list(kept["sheets"])),
            Person: self._first(Person, pgh_obj_id__in=list(persons)),
            # Lines are never changed, so one with an event was closed by a brought total: it comes back.
            IncomeLine: self._first(IncomeLine, sheet_id__in=list(kept["sheets"])),
        }

    def _first(self, model: type[models.Model], **which: Any) -> dict[int, Any]:
        """The first event of each row in the batch's transactions: the row as it was before."""
        events = model.pgh_event_model.objects.filter(pgh_created_at__in=self.times, **which)  # type: ignore[attr-defined]
        found: dict[int, Any] = {}
        for event in events.order_by("pgh_id"):
            found.setdefault(event.pgh_obj_id, event)
        return found

    def open_before(self) -> dict[int, int]:
        """Person -> household, of the memberships that were open."""
        found = {}
        for pk, row in self.memberships_now.items():
            was = self.events[Membership].get(pk, row)
            if pk not in self.added[Membership] and was.until is None:
                found[row.person_id] = row.household_id
        return found

    def claims(self, households: Collection[int]) -> dict[bytes, tuple[int, int]]:
        """Number -> (person, household) as the cards held them."""
        wanted = {person: home for person, home in self.open_before().items() if home in households}
        people = Person.objects.in_bulk(list(wanted))
        found: dict[bytes, tuple[int, int]] = {}
        for person, household in wanted.items():
            hashed = self.events[Person].get(person, people[person]).id_number_hash
            if hashed:
                found[bytes(hashed)] = person, household
        return found

    def people_elsewhere(self, leaving: Collection[int]) -> dict[int, str]:
        """Row id -> reason, where a person or a number of the card before is on another card now."""
        back = self.open_before()
        open_now = Membership.objects.open().filter(person__in=list(back)).exclude(pk__in=self.added[Membership])
        found: dict[int, str] = {}
        for person, household in open_now.exclude(household__in=leaving).values_list("person_id", "household_id"):
            if household != back[person]:
                found[self.rows[back[person]].pk] = "moved"
        claims = self.claims(self.rows)
        held = IdentityClaim.objects.filter(number_hash__in=list(claims)).exclude(household__in=leaving)
        for number, household in held.values_list("number_hash", "household_id"):
            home = claims[bytes(number)][1]
            if household != home and household not in self.rows:
                found.setdefault(self.rows[home].pk, "number")
        return found


# -- writing ------------------------------


class _Lost(Exception):
    """A number was taken by another card in this second."""


def _lock(ids: Collection[int]) -> None:
    list(Household.objects.select_for_update().filter(pk__in=ids).order_by("pk").values_list("pk"))


def _take_back_chunk(batch: ImportBatch, rows: Sequence[StagedHousehold], by: User | None) -> int:
    for last_try in (False, True):
        try:
            with acting(by), transaction.atomic():
                return _take_back(batch, rows, by)
        except _Lost:
            if last_try:
                raise
    raise AssertionError("unreachable")


def _take_back(batch: ImportBatch, rows: Sequence[StagedHousehold], by: User | None) -> int:
    _lock({row.card_id for row in rows if row.card_id})
    in_the_way = _in_the_way(rows, _first_write(batch))
    back = [row for row in rows if row.pk not in in_the_way]
    _close_findings(back, by)
    changed = [row for row in back if row.kind == StagedHousehold.Kind.CHANGED]
    image = _Image(changed) if changed else None
    people = image.persons if image else set()
    if image:
        _remove_added(image)
    people |= _remove_made({row.card_id for row in back if row.kind in _MADE and row.card_id})
    if image:
        _restore(image, batch, by)
    _remove_people(people)
    if image:
        _claim(image)
    if batch.initial:
        _restore_status([row for row in back if row.kind == StagedHousehold.Kind.SAME])
    StagedHousehold.objects.filter(pk__in=[row.pk for row in back]).update(undone_at=timezone.now())
    return len(in_the_way)


def _remove_made(households: Collection[int]) -> set[int]:
    """Remove households the batch made; returns the people who were on them."""
    if not households:
        return set()
    people = set(Membership.objects.filter(household__in=households).values_list("person_id", flat=True))
    IdentityClaim.objects.filter(household__in=households).delete()
    MemberSheet.objects.filter(sheet__household__in=households).delete()
    Sheet.objects.filter(household__in=households).delete()
    Membership.objects.filter(household__in=households).delete()
    Household.objects.filter(pk__in=households).delete()
    return people


def _remove_added(image: _Image) -> None:
    """Rows the batch added to cards that were there, and their claims, which are taken anew."""
    IdentityClaim.objects.filter(household__in=list(image.rows)).delete()
    MemberSheet.objects.filter(pk__in=image.added[MemberSheet]).delete()
    Sheet.objects.filter(pk__in=image.added[Sheet]).delete()
    Membership.objects.filter(pk__in=image.added[Membership]).delete()


def _remove_people(people: Collection[int]) -> None:
    """Nobody stays behind without a card: people who came with the batch go with it."""
    alone = Person.objects.filter(pk__in=people).exclude(
        Exists(Membership.objects.filter(person=OuterRef("pk")))
        | Exists(MemberSheet.objects.filter(person=OuterRef("pk")))
    )
    ids = set(alone.values_list("pk", flat=True))
    Person.objects.filter(pk__in=ids - _referred(Person, ids)).delete()


def _restore(image: _Image, batch: ImportBatch, by: User | None) -> None:
    now = timezone.now()
    versions = dict(Household.objects.filter(pk__in=list(image.rows)).values_list("pk", "version"))
    for model in (Person, Sheet, Membership, MemberSheet, IncomeLine):
        events = image.events[model].items()
        # A head steps down before the other steps up; whoever was on the card no more leaves first.
        for pk, event in sorted(events, key=lambda each: _rises_last(each[1])):
            over: dict[str, Any] = {}
            if model is Sheet:
                over = {"version": image.sheets_now[pk].version + 1, "changed_at": now}
            _put_back(model, pk, event, **over)
    touched: dict[int, set[int]] = defaultdict(set)
    for household, version in versions.items():
        event = image.events[Household].get(household)
        _put_back(Household, household, event, version=version + 1, changed_at=now)
        row = image.rows[household]
        if row.year:
            touched[row.year].add(household)
        record(
            "households.undo_import",
            by=by,
            target=("households.household", household),
            area=row.village_id,
            version=version + 1,
            batch=batch.pk,
        )
    results.refresh_with_batch(changed=sorted(versions), years=touched)


def _rises_last(event: Any) -> tuple[bool, int]:
    rises = getattr(event, "relation", "") == Membership.HEAD and getattr(event, "until", None) is None
    return rises, event.pgh_id


def _put_back(model: type[models.Model], pk: int, event: Any | None, **over: Any) -> None:
    """Write the row as the history has it; a row that was deleted comes back under its id."""
    columns = [column.attname for column in model._meta.concrete_fields if not column.primary_key]
    values = ({name: getattr(event, name) for name in columns} if event is not None else {}) | over
    if not model._base_manager.filter(pk=pk).update(**values):
        model._base_manager.create(pk=pk, **values)


def _claim(image: _Image) -> None:
    """The cards hold their numbers again, in the order of the numbers as every writer takes them."""
    claims = image.claims(image.rows)
    IdentityClaim.objects.bulk_create(
        (
            IdentityClaim(number_hash=number, person_id=claims[number][0], household_id=claims[number][1])
            for number in sorted(claims)
        ),
        ignore_conflicts=True,
    )
    held = dict(IdentityClaim.objects.filter(number_hash__in=list(claims)).values_list("number_hash", "household_id"))
    if any(held[number] != claims[bytes(number)][1] for number in held) or len(held) != len(claims):
        raise _Lost


def _restore_status(rows: Sequence[StagedHousehold]) -> None:
    """The first load set the status of cards it changed nothing else of; those nobody touched since get theirs back."""
    rows = [row for row in rows if row.card_id]
    image = _Image(rows)
    versions = dict(Household.objects.filter(pk__in=list(image.rows)).values_list("pk", "version"))
    for household, event in image.events[Household].items():
        if versions.get(household) == image.rows[household].version:
            _put_back(Household, household, event, version=event.version + 1, changed_at=timezone.now())


def _close_findings(rows: Sequence[StagedHousehold], by: User | None) -> None:
    """Findings the batch opened are closed, those it closed as corrected are open again."""
    known = {row.card_id: row for row in rows if row.card_id and row.kind not in _MADE}
    findings = Finding.objects.filter(household__in=list(known), kind__in=_OF_THE_CARD)
    opened = [finding.pk for finding in findings.open() if _within(finding.found_at, known[finding.household_id])]
    _close(Finding.objects.filter(pk__in=opened), by)
    still = {_key(finding) for finding in findings.open()}
    for finding in findings.filter(decision="corrected").order_by("-decided_at"):
        if _key(finding) not in still and _within(finding.decided_at, known[finding.household_id]):
            still.add(_key(finding))
            Finding.objects.filter(pk=finding.pk).update(decided_at=None, decided_by=None, decision="")


def _key(finding: Finding) -> tuple[Any, ...]:
    return finding.household_id, finding.kind, finding.code, finding.person_id


def _within(moment: datetime | None, row: StagedHousehold) -> bool:
    """In the batch's own transaction, which held the card locked."""
    return bool(moment and row.written_at and row.written_until and row.written_at <= moment <= row.written_until)


def _close(findings: models.QuerySet[Finding], by: User | None) -> None:
    """Closed in the name of who takes the batch back; a system without a name leaves no decision behind."""
    if by is None:
        findings.delete()
    else:
        findings.update(decided_at=timezone.now(), decided_by=by, decision=DECISION)


def _settle_waiting(batch: ImportBatch, by: User | None) -> None:
    """Households of the batch wait no longer, and the cards that hold their numbers are not suspected for them."""
    waiting = WaitingHousehold.objects.filter(batch=batch, settled_at=None)
    rows = StagedHousehold.objects.filter(batch=batch, kind=StagedHousehold.Kind.WAITING, written_at__isnull=False)
    windows = set(rows.order_by().values_list("written_at", "written_until"))
    firsts = set(waiting.filter(first__isnull=False).values_list("first_id", flat=True))
    for since, until in windows:
        suspected = Finding.objects.open().filter(household__in=firsts, kind=Finding.Kind.DUPLICATE_NUMBER)
        _close(suspected.filter(found_at__range=(since, until)), by)
    waiting.update(settled_at=timezone.now(), card_cipher=None)
