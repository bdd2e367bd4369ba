"""Tables of department registers: brought, checked, taken into force, withdrawn, forgotten.

Entries are written while a table is checked, chunk by chunk, and count only when somebody takes the version into force;
a check that breaks off leaves nothing that counts, and begins anew. Numbers are kept as keyed hash and ciphertext.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from typing import BinaryIO

from django.db import IntegrityError, connection, transaction
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from changde.accounts.areas import covers
from changde.accounts.models import User
from changde.accounts.refusal import Refusal
from changde.audit.services import record
from changde.bulk import allocate_ids, copy_in
from changde.crypto.cipher import blind_column, encrypt_bytes, encrypt_column
from changde.divisions.codes import Level, code_range
from changde.divisions.models import Division
from changde.jobs.models import Job
from changde.jobs.services import enqueue
from households.domain.registers import REGISTERS, Entry, ReadRow, RegisterTable
from households.domain.workbook import Page, WorkbookRefused
from households.models import RegisterEntry, RegisterKeeper, RegisterProblem, RegisterVersion
from households.services import register_comparison

CHECK_JOB = "check_register"
CHUNK = 5000
KEEP_FILES = timedelta(days=30)
# Entries of a version that a newer one replaced, or that was withdrawn: kept while a lead may be asked about.
KEEP_REPLACED = timedelta(days=400)
KEEP_WITHDRAWN = timedelta(days=30)
State = RegisterVersion.State

Progress = Callable[[int, int], None]


# -- who may ------------------------------


def kinds_for(user: User) -> frozenset[str]:
    """The registers a person may bring: offices all, a department those it was asked for."""
    if user.can("read_registers"):
        return frozenset(REGISTERS)
    if not user.can("bring_registers"):
        return frozenset()
    return frozenset(RegisterKeeper.objects.filter(user=user).values_list("kind", flat=True))


# -- bringing ------------------------------


@transaction.atomic
def bring(
    *,
    by: User | None,
    kind: str,
    source: str,
    division: Division,
    as_of: date,
    file_name: str,
    file: BinaryIO,
    in_background: bool = True,
) -> RegisterVersion:
    """Keep a table (encrypted) and have it checked; nothing counts yet.

    Refused: a register one may not bring, an area that is not a city or county of one's own, a day ahead, a file that
    is there already.
    """
    _check_right(by, kind, division, as_of)
    content = file.read()
    (pk,) = allocate_ids(RegisterVersion, 1)
    digest = hashlib.sha256(content).hexdigest()
    try:
        with transaction.atomic():
            version = RegisterVersion.objects.create(
                pk=pk,
                kind=kind,
                source=source,
                division=division,
                as_of=as_of,
                owner=by,
                file_name=file_name.rsplit("/")[-1][-200:],
                digest=digest,
                size=len(content),
                file_cipher=encrypt_bytes(content, field="register.file", owner=pk),
            )
    except IntegrityError as error:
        constraint = getattr(getattr(error.__cause__, "diag", None), "constraint_name", "") or ""
        if constraint != "register_file_once":
            raise
        raise AlreadyThere(same_file(kind=kind, source=source, division=division, digest=digest)) from None
    record(
        "registers.bring", by=by, target=version, area=division.pk, kind=kind, as_of=as_of.isoformat(),
        digest=version.digest, size=version.size,
    )  # fmt: skip
    if in_background:
        version.job = enqueue(CHECK_JOB, by=by, area=division.pk, parameters={"version": pk})
        version.save(update_fields=["job"])
    return version


class AlreadyThere(Refusal):
    """The same file of the same source and area was brought before; `version` is that one."""

    def __init__(self, version: RegisterVersion):
        self.version = version
        said = _("这份文件已于%(day)s作为%(kind)s（数据日期%(as_of)s）上传过；要改数据日期，请先撤回那一版") % {
            "day": date_format(timezone.localtime(version.brought_at), "Y-m-d"),
            "kind": version.get_kind_display(),
            "as_of": version.as_of.isoformat(),
        }
        super().__init__("file_there", said, field="file")


def same_file(*, kind: str, source: str, division: Division, digest: str) -> RegisterVersion:
    """The live version of the same file, source and area; DoesNotExist when there is none."""
    live = (*RegisterVersion.TAKEN, State.WAITING, State.CHECKED)
    found = RegisterVersion.objects.defer("file_cipher").filter(kind=kind, source=source, division=division)
    return found.get(digest=digest, state__in=live)


def _check_right(by: User | None, kind: str, division: Division, as_of: date) -> None:
    if as_of > timezone.localdate():
        raise Refusal("day_ahead", _("数据日期不能晚于今天"), field="as_of")
    if division.level not in (Level.CITY, Level.COUNTY):
        raise Refusal("not_a_county", _("部门数据按县（市、区）或全市报送"), field="division")
    if by is None:
        return
    if kind not in kinds_for(by):
        raise Refusal("not_yours", _("您没有报送这种登记的任务；请联系县扶贫办"), field="kind")
    if not covers(by, "bring_registers", division.pk):
        raise Refusal("outside", _("该地区不在您的工作范围之内"), field="division")


# -- checking ------------------------------


@dataclass(frozen=True)
class _Chunk:
    entries: list[tuple[int, Entry]]
    problems: list[RegisterProblem]
    rows: int


def check(*, version: RegisterVersion, table: RegisterTable, progress: Progress | None = None) -> RegisterVersion:
    """Read the whole table, write its entries and problems, foresee what it would bring. Chunks of 5,000 rows."""
    with transaction.atomic():
        RegisterEntry.objects.filter(version=version).delete()
        version.problems.all().delete()
    total, rows, accepted, refused = table.quantity, table.rows(version.as_of), 0, 0
    while chunk := _next_chunk(version, rows):
        with transaction.atomic():
            _write(version, chunk)
        accepted += len(chunk.entries)
        refused += chunk.rows - len(chunk.entries)
        if progress is not None:
            progress(min(accepted + refused, max(0, total - 1)), total)
    with transaction.atomic():
        version.rows, version.accepted, version.refused = accepted + refused, accepted, refused
        version.matched = _matched(version)
        version.foreseen = register_comparison.foreseen(version)
        version.unknown_columns = [text[:60] for text in table.unknown_columns[:50]]
        version.state = State.CHECKED
        version.save(update_fields=["rows", "accepted", "refused", "matched", "foreseen", "unknown_columns", "state"])
        record(
            "registers.check", by=version.owner, target=version, area=version.division_id, rows=version.rows,
            accepted=accepted, refused=refused,
        )  # fmt: skip
    if progress is not None:
        progress(total, total)
    return version


def _next_chunk(version: RegisterVersion, rows: Iterator[ReadRow]) -> _Chunk | None:
    read = list(islice(rows, CHUNK))
    if not read:
        return None
    return _Chunk(
        [(row.row.number, row.entry) for row in read if row.entry is not None],
        [
            RegisterProblem(
                version=version,
                row=row.row.number,
                column=problem.column[:60],
                code=problem.code,
                parameters=dict(problem.parameters),
            )
            for row in read
            for problem in row.problems
        ],
        len(read),
    )


def _write(version: RegisterVersion, chunk: _Chunk) -> None:
    ids = allocate_ids(RegisterEntry, len(chunk.entries))
    numbers = [entry.number for _row, entry in chunk.entries]
    details = [
        json.dumps(dict(entry.details), ensure_ascii=False) if entry.details else None for _row, entry in chunk.entries
    ]
    columns = ("id", "version_id", "row", "number_hash", "number_cipher", "facts", "details_cipher")
    rows = zip(
        ids,
        [version.pk] * len(ids),
        [row for row, _entry in chunk.entries],
        blind_column(numbers, kind="id"),
        encrypt_column(numbers, field="register_entry.number", owners=ids),
        [dict(entry.facts) for _row, entry in chunk.entries],
        encrypt_column(details, field="register_entry.details", owners=ids),
        strict=True,
    )
    copy_in(RegisterEntry, columns, rows)
    RegisterProblem.objects.bulk_create(chunk.problems)


def _matched(version: RegisterVersion) -> int:
    """Open members of the area it covers whose number it holds."""
    first, last = code_range(version.division_id)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(DISTINCT claim.person_id)
            FROM households_registerentry entry
            JOIN households_identityclaim claim ON claim.number_hash = entry.number_hash
            JOIN households_household card ON card.id = claim.household_id AND card.status <> 'closed'
            WHERE entry.version_id = %s AND card.village_id BETWEEN %s AND %s
            """,
            [version.pk, first, last],
        )
        (matched,) = cursor.fetchone()
    return int(matched)


def note_refused_file(version: RegisterVersion, refused: WorkbookRefused) -> None:
    """The file as a whole was not taken."""
    RegisterVersion.objects.filter(pk=version.pk).update(
        state=State.FAILED, error=refused.code, error_facts=refused.facts, file_cipher=None
    )


@transaction.atomic
def note_check_broke_off(version: RegisterVersion, *, cancelled: bool) -> None:
    """The check ended before the table did: what it wrote is deleted."""
    state = State.CANCELLED if cancelled else State.FAILED
    error = "" if cancelled else "job-failed"
    waiting = RegisterVersion.objects.filter(pk=version.pk, state=State.WAITING)
    if waiting.update(state=state, error=error, file_cipher=None, rows=0, accepted=0, refused=0):
        RegisterEntry.objects.filter(version=version).delete()
        version.problems.all().delete()


def settle(version: RegisterVersion) -> None:
    """A version whose job is over without having finished it is over too."""
    if version.job is None or version.job.is_open:
        return
    if version.state == State.WAITING:
        note_check_broke_off(version, cancelled=version.job.state == Job.State.CANCELLED)
    elif version.state == State.RUNNING:
        note_compared(version, opened=None)
    else:
        return
    version.refresh_from_db(fields=["state", "error", "error_facts", "rows", "accepted", "refused"])


# -- taking into force, withdrawing ------------------------------


@transaction.atomic
def accept(*, version: RegisterVersion, by: User | None, in_background: bool = True) -> RegisterVersion:
    """Take a checked version into force and have the area compared; a second click finds it done."""
    locked = _locked(version)
    if locked.state != State.CHECKED:
        return locked
    locked.state, locked.confirmed_at, locked.confirmed_by = State.RUNNING, timezone.now(), by
    if in_background:
        locked.job = _compare_later(locked, by)
    locked.save(update_fields=["state", "confirmed_at", "confirmed_by", "job"])
    record("registers.accept", by=by, target=locked, area=locked.division_id, kind=locked.kind, rows=locked.accepted)
    return locked


@transaction.atomic
def withdraw(*, version: RegisterVersion, by: User) -> RegisterVersion:
    """Take a version back: it counts no more, the one before it does again, and leads that stood on it alone close."""
    locked = _locked(version)
    if locked.state not in (State.CHECKED, *RegisterVersion.TAKEN):
        raise Refusal("not_withdrawable", _("这一版没有启用，或已经撤回"))
    was_taken = locked.is_taken
    locked.state, locked.withdrawn_at, locked.withdrawn_by = State.WITHDRAWN, timezone.now(), by
    if was_taken:
        locked.job = _compare_later(locked, by)
    locked.save(update_fields=["state", "withdrawn_at", "withdrawn_by", "job"])
    record("registers.withdraw", by=by, target=locked, area=locked.division_id, kind=locked.kind)
    return locked


@transaction.atomic
def restore(*, version: RegisterVersion, by: User) -> RegisterVersion:
    """Take a withdrawn version into force again, while its entries are kept and the same file did not come anew."""
    locked = _locked(version)
    if locked.state != State.WITHDRAWN or locked.forgotten_at is not None or locked.confirmed_at is None:
        raise Refusal("not_restorable", _("这一版不能恢复：没有撤回过，或数据已按期删除"))
    live = (*RegisterVersion.TAKEN, State.WAITING, State.CHECKED)
    same = RegisterVersion.objects.filter(
        kind=locked.kind, source=locked.source, division=locked.division, digest=locked.digest, state__in=live
    )
    if same.exists():
        raise Refusal("file_there", _("同一份文件已重新上传，不用再恢复这一版"))
    locked.state, locked.withdrawn_at, locked.withdrawn_by = State.RUNNING, None, None
    locked.job = _compare_later(locked, by)
    locked.save(update_fields=["state", "withdrawn_at", "withdrawn_by", "job"])
    record("registers.restore", by=by, target=locked, area=locked.division_id, kind=locked.kind)
    return locked


def _compare_later(version: RegisterVersion, by: User | None) -> Job:
    parameters = {"version": version.pk}
    return enqueue(register_comparison.COMPARE_JOB, by=by, area=version.division_id, parameters=parameters)


def compare_version(
    *, version: RegisterVersion, by: User | None, progress: Progress | None = None
) -> register_comparison.KeptLeads:
    """Compare the area a version covers with its register, after it came into force or was withdrawn."""
    kept = register_comparison.compare(area=version.division_id, by=by, registers=[version.kind], progress=progress)
    note_compared(version, opened=kept.opened)
    return kept


def note_compared(version: RegisterVersion, *, opened: int | None) -> None:
    """The comparison is over. `opened` None: it broke off, and the night does it again."""
    running = RegisterVersion.objects.filter(pk=version.pk, state=State.RUNNING)
    if opened is None:
        running.update(state=State.DONE)
    else:
        running.update(state=State.DONE, opened=opened, compared_at=Now())


def _locked(version: RegisterVersion) -> RegisterVersion:
    return RegisterVersion.objects.select_for_update().defer("file_cipher").get(pk=version.pk)


# -- giving back, forgetting ------------------------------


def returned_page(version: RegisterVersion, table: RegisterTable) -> Page:
    """The refused rows as they came, with their reasons in a last column."""
    reasons: dict[int, str] = {}
    for problem in version.problems.all():
        text = f"{problem.column}：{problem.reason}" if problem.column else problem.reason
        reasons[problem.row] = f"{reasons[problem.row]}；{text}" if problem.row in reasons else text
    return table.returned(reasons)


def forget_old() -> dict[str, int]:
    """Delete what is kept no longer: files after KEEP_FILES, entries of replaced versions after KEEP_REPLACED, of
    withdrawn and never accepted ones after KEEP_WITHDRAWN. The versions stay, with counts and checksum. How many.
    """
    now = timezone.now()
    files = RegisterVersion.objects.filter(brought_at__lt=now - KEEP_FILES, file_cipher__isnull=False)
    dropped = files.update(file_cipher=None)
    newer = RegisterVersion.objects.filter(
        Q(as_of__gt=OuterRef("as_of")) | Q(as_of=OuterRef("as_of"), pk__gt=OuterRef("pk")),
        kind=OuterRef("kind"),
        source=OuterRef("source"),
        division=OuterRef("division"),
        state__in=RegisterVersion.TAKEN,
        confirmed_at__lt=now - KEEP_REPLACED,
    )
    replaced = Q(state=State.DONE) & Exists(newer)
    withdrawn = Q(state=State.WITHDRAWN, withdrawn_at__lt=now - KEEP_WITHDRAWN)
    never = Q(state=State.CHECKED, brought_at__lt=now - KEEP_WITHDRAWN)
    old = RegisterVersion.objects.filter(replaced | withdrawn | never, forgotten_at=None)
    counted: Counter[str] = Counter()
    for pk in list(old.values_list("pk", flat=True)):
        with transaction.atomic():
            version = _locked(RegisterVersion(pk=pk))
            counted["entries"] += RegisterEntry.objects.filter(version=version).delete()[0]
            version.problems.all().delete()
            if version.state == State.CHECKED:
                version.state = State.CANCELLED
            version.forgotten_at = now
            version.save(update_fields=["state", "forgotten_at"])
            record("registers.forget", by=None, target=version, area=version.division_id, entries=version.accepted)
        counted["versions"] += 1
    return {"files": dropped, "versions": counted["versions"], "entries": counted["entries"]}


# -- keepers ------------------------------


@transaction.atomic
def set_kinds(*, user: User, kinds: Collection[str], by: User) -> None:
    """Say which registers a department's person brings."""
    posts = [post for post in user.open_posts if post.role == "department"]
    if not any(covers(by, "read_registers", post.division_id) for post in posts):
        raise Refusal("outside", _("该单位不在您的工作范围之内"))
    RegisterKeeper.objects.filter(user=user).exclude(kind__in=kinds).delete()
    present = set(RegisterKeeper.objects.filter(user=user).values_list("kind", flat=True))
    RegisterKeeper.objects.bulk_create(
        RegisterKeeper(user=user, kind=kind, given_by=by) for kind in sorted(set(kinds) - present)
    )
    record("registers.set_kinds", by=by, target=user, area=posts[0].division_id, kinds=sorted(kinds))
