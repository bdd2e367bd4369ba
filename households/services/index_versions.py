"""Index versions: drafted, tried, proposed by one person, released by another, frozen from then on."""

import json
from collections.abc import Iterable
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from changde.accounts.areas import between, covers
from changde.accounts.models import User
from changde.accounts.refusal import Refusal
from changde.audit.services import record
from changde.divisions.codes import Level, code_range
from changde.divisions.models import Division
from households.domain.income import to_yuan
from households.domain.index_draft import Typed, definition_of, typed_of
from households.domain.index_system import IndexSystem, InvalidIndex, default_systems
from households.domain.years import FIRST_YEAR, LAST_YEAR
from households.models import IndexVersion, Result
from households.models.yearly_standard import CITY

DEFAULTS = Path(__file__).parents[1] / "reference/index_default.json"


def version_for(*, county: int, year: int) -> IndexVersion:
    """The version in force for a county and a year: its own, else the city's default. Refuses when there is none."""
    return versions_for(counties=[county], year=year)[county]


def versions_for(*, counties: Iterable[int], year: int) -> dict[int, IndexVersion]:
    """The version in force for each county; refuses, naming the year, when one has none."""
    in_force = {version.division_id: version for version in IndexVersion.objects.in_force().filter(year=year)}
    chosen = {county: in_force.get(county) or in_force.get(None) for county in counties}
    if None in chosen.values():
        raise Refusal(
            "no_index_version",
            _("%(year)s年没有已发布的识别指标体系和收入标准,请先发布") % {"year": year},
        )
    return {county: version for county, version in chosen.items() if version}


@transaction.atomic
def draft_version(
    *, division: Division | None, system: IndexSystem, by: User | None, based_on: IndexVersion | None = None
) -> IndexVersion:
    """A new draft for a county (None: the city's default) and the system's year, under the next number."""
    _lock_place(division=division.pk if division else None, year=system.year)
    last = IndexVersion.objects.filter(division=division, year=system.year).order_by("-number").first()
    version = IndexVersion.objects.create(
        division=division,
        year=system.year,
        number=last.number + 1 if last else 1,
        definition=system.to_json(),
        columns=list(system.columns),
        digest=system.digest,
        created_by=by,
        based_on=based_on,
    )
    record("index.draft", by=by, target=version, area=version.division_id, year=version.year, digest=version.digest)
    return version


@transaction.atomic
def start_draft(*, division: Division | None, year: int, copied_from: IndexVersion, by: User) -> IndexVersion:
    """A draft copied from another version, for a county (None: the city's default) and a year.

    Copied from another year, the lines are those in force for the year; where nobody has set any yet, they are left
    empty and the draft is unfinished until they are.
    """
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise Refusal("year_outside", _("年度不在可接受的范围之内（2010至2100）"), field="year")
    if division is not None and division.level != Level.COUNTY:
        raise Refusal("not_a_county", _("识别标准由县（市、区）或全市制定"))
    _check_right(by, division)
    definition = copied_from.definition | {"year": year}
    if division is not None and copied_from.division_id != division.pk:
        definition["name"] = {"zh": f"{division.name}识别指标体系", "en": ""}
    lines = None if copied_from.year == year else _lines_in_force(division, year)
    version = draft_version(
        division=division, system=IndexSystem.from_json(definition | (lines or {})), by=by, based_on=copied_from
    )
    version.definition = definition | (lines or {})
    if copied_from.year != year and lines is None:
        version.unfinished = typed_of(definition | {"income_line": "", "monitoring_line": ""})
    version.save(update_fields=["definition", "unfinished"])
    return version


def _lines_in_force(division: Division | None, year: int) -> dict[str, str] | None:
    """The lines of the version in force for the place and year, as a definition writes them."""
    in_force = {version.division_id: version for version in IndexVersion.objects.in_force().filter(year=year)}
    found = (in_force.get(division.pk) if division else None) or in_force.get(None)
    if found is None:
        return None
    lines = {"income_line": found.system.income_line, "monitoring_line": found.system.monitoring_line}
    return {name: str(to_yuan(fen)) for name, fen in lines.items()}


@transaction.atomic
def edit_version(
    *, version: IndexVersion, typed: Typed, expected_revision: int, by: User, unfinished: bool = False
) -> IndexVersion:
    """Write what an office typed. What makes another index system than before has to be tried again.

    Raises InvalidIndex, place by place, where it makes none; with `unfinished` it is kept as typed for later instead,
    the last definition that held stays, and the version cannot be proposed.
    """
    version = _locked(version, by)
    _refuse_unless_open(version)
    if version.revision != expected_revision:
        raise _revised()
    definition = definition_of(typed, year=version.year)
    before = version.digest
    try:
        system = IndexSystem.from_json(definition)
    except InvalidIndex:
        if not unfinished:
            raise
        version.unfinished, version.state = typed, IndexVersion.State.DRAFT
    else:
        version.unfinished, version.definition = None, definition
        version.columns, version.digest = list(system.columns), system.digest
        if system.digest != before:
            version.state = IndexVersion.State.DRAFT
    version.revision += 1
    version.changed_by, version.changed_at = by, timezone.now()
    version.save()
    record(
        "index.edit",
        by=by,
        target=version,
        area=version.division_id,
        digest=version.digest,
        changed=version.digest != before,
        unfinished=version.unfinished is not None,
    )
    return version


@transaction.atomic
def propose_version(*, version: IndexVersion, by: User, effective_from: date | None = None) -> IndexVersion:
    """Put a tried draft forward for release; somebody else releases it. `effective_from`: today unless told."""
    version = _locked(version, by)
    _refuse_frozen(version)
    today = timezone.localdate()
    if version.state == IndexVersion.State.PROPOSED:
        raise Refusal("proposed", _("已经提请发布，等另一人核对"))
    if version.unfinished is not None:
        raise Refusal("unfinished", _("草稿还有没改完的内容，改好并保存之后才能试算和提请"))
    if version.state != IndexVersion.State.TRIED:
        raise Refusal("not_tried", _("这份草稿（或改动之后）还没有完整试算；请先试算，看清谁进谁出，再提请发布"))
    if effective_from is not None and effective_from < today:
        raise Refusal("effective_before_today", _("生效日期不能早于今天"), field="effective_from")
    version.state = IndexVersion.State.PROPOSED
    version.proposed_by, version.proposed_at = by, timezone.now()
    version.effective_from = effective_from or today
    version.returned_by, version.returned_at, version.return_reason = None, None, ""
    version.save()
    record(
        "index.propose",
        by=by,
        target=version,
        area=version.division_id,
        digest=version.digest,
        effective_from=str(version.effective_from),
    )
    return version


@transaction.atomic
def withdraw_version(*, version: IndexVersion, by: User) -> IndexVersion:
    """Take a proposal back; what was tried stays tried."""
    version = _proposed(version, by)
    _take_proposal_away(version)
    version.save()
    record("index.withdraw", by=by, target=version, area=version.division_id, digest=version.digest)
    return version


@transaction.atomic
def send_back_version(*, version: IndexVersion, reason: str, by: User) -> IndexVersion:
    """Return a proposal with a reason; the proposer withdraws instead."""
    version = _proposed(version, by)
    if version.proposed_by_id == by.pk:
        raise Refusal("same_person", _("自己提请的请用“撤回”"))
    reason = _reason(reason)
    _take_proposal_away(version)
    version.returned_by, version.returned_at, version.return_reason = by, timezone.now(), reason
    version.save()
    record("index.send_back", by=by, target=version, area=version.division_id, digest=version.digest)
    return version


@transaction.atomic
def release_version(*, version: IndexVersion, by: User | None, expected_revision: int | None = None) -> IndexVersion:
    """Release a proposed version: in force at once, or scheduled where its day has not come.

    Two different persons release; `by` None is the system itself (the shipped defaults), which proposes nothing.
    `expected_revision` is what the releasing person has read.
    """
    _lock_place(division=version.division_id, year=version.year)
    version = _locked(version, by)
    _refuse_frozen(version)
    if expected_revision is not None and version.revision != expected_revision:
        raise _revised()
    today = timezone.localdate()
    if by is not None:
        if version.state != IndexVersion.State.PROPOSED:
            raise Refusal("not_proposed", _("请先由一人提请发布"))
        if version.proposed_by_id == by.pk:
            raise Refusal("same_person", _("提请人与发布人不能是同一人"))
    waits = version.effective_from is not None and version.effective_from > today
    facts: dict[str, Any] = {"released_by": by, "released_at": Now()}
    facts["effective_from"] = max(version.effective_from or today, today)
    record(
        "index.release",
        by=by,
        target=version,
        area=version.division_id,
        year=version.year,
        digest=version.digest,
        effective_from=str(facts["effective_from"]),
    )
    if waits:
        same = IndexVersion.objects.filter(division=version.division_id, year=version.year)
        if same.filter(state=IndexVersion.State.SCHEDULED).exists():
            raise Refusal("scheduled", _("这一年度已有一版待生效，等它生效之后再发布下一版"))
        facts["state"] = IndexVersion.State.SCHEDULED
        IndexVersion.objects.filter(pk=version.pk).update(**facts)
    else:
        _put_in_force(version, **facts)
    version.refresh_from_db()
    return version


@transaction.atomic
def cancel_version(*, version: IndexVersion, reason: str, by: User) -> IndexVersion:
    """Take a released version back before its day, with a reason; the version in force goes on, another can follow.

    Refuses from its day on (`day_has_come`), also while the hour's beat has not put it in force yet.
    """
    _lock_place(division=version.division_id, year=version.year)
    version = _locked(version, by)
    if version.state != IndexVersion.State.SCHEDULED:
        raise Refusal("not_scheduled", _("只有待生效的版本可以取消"))
    if version.effective_from is None or version.effective_from <= timezone.localdate():
        raise Refusal("day_has_come", _("生效日期已到，不能再取消；要改请发布新的一版"))
    facts = {"cancelled_by": by, "cancelled_at": Now(), "cancel_reason": _reason(reason)}
    IndexVersion.objects.filter(pk=version.pk).update(state=IndexVersion.State.CANCELLED, **facts)
    record(
        "index.cancel",
        by=by,
        target=version,
        area=version.division_id,
        year=version.year,
        digest=version.digest,
        effective_from=str(version.effective_from),
    )
    version.refresh_from_db()
    return version


def _reason(text: str) -> str:
    """What was typed, without space around; refuses none and what is too long."""
    text = text.strip()
    if not text:
        raise Refusal("reason_missing", _("请写明原因"), field="reason")
    if len(text) > 300:
        raise Refusal("reason_long", _("原因最多 300 个字"), field="reason")
    return text


def put_due_versions_in_force() -> int:
    """Versions whose day has come supersede the ones before; returns how many. Each in its own transaction."""
    due = list(IndexVersion.objects.due(timezone.localdate()).order_by("effective_from", "pk"))
    return sum(_put_due_in_force(version) for version in due)


@transaction.atomic
def _put_due_in_force(waiting: IndexVersion) -> bool:
    _lock_place(division=waiting.division_id, year=waiting.year)
    version = IndexVersion.objects.due(timezone.localdate()).filter(pk=waiting.pk).first()
    if version is None:  # another worker was quicker
        return False
    _put_in_force(version)
    record("index.in_force", by=None, target=version, area=version.division_id, year=version.year)
    return True


def _lock_place(*, division: int | None, year: int) -> None:
    """One after the other of those who number or release versions of a place and year: the second reads what the first
    has written. Also where there is none yet, so that no row could be locked."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"index_versions {division} {year}"])


def _put_in_force(version: IndexVersion, **facts: Any) -> None:
    """The one in force is superseded, this one follows, and results that another version decided become stale."""
    in_force = IndexVersion.objects.in_force().filter(division=version.division_id, year=version.year)
    in_force.update(state=IndexVersion.State.SUPERSEDED, superseded_at=Now())
    IndexVersion.objects.filter(pk=version.pk).update(state=IndexVersion.State.RELEASED, **facts)
    _mark_stale(version)


@transaction.atomic
def discard_version(*, version: IndexVersion, by: User) -> IndexVersion:
    """Put a draft aside; it can be taken back as it was."""
    version = _locked(version, by)
    _refuse_unless_open(version)
    version.state_before_discard, version.state = version.state, IndexVersion.State.DISCARDED
    version.save(update_fields=["state", "state_before_discard"])
    record("index.discard", by=by, target=version, area=version.division_id, digest=version.digest)
    return version


@transaction.atomic
def restore_version(*, version: IndexVersion, by: User) -> IndexVersion:
    """Take a discarded draft back."""
    version = _locked(version, by)
    if version.state != IndexVersion.State.DISCARDED:
        raise Refusal("not_discarded", _("这份草稿没有作废"))
    version.state, version.state_before_discard = version.state_before_discard, ""
    version.save(update_fields=["state", "state_before_discard"])
    record("index.restore", by=by, target=version, area=version.division_id, digest=version.digest)
    return version


@transaction.atomic
def mark_tried(*, version: IndexVersion, digest: str, by: User | None) -> bool:
    """Say that a draft was tried as it stands: one that changed meanwhile (another digest) stays a draft."""
    draft = IndexVersion.objects.filter(pk=version.pk, digest=digest, state=IndexVersion.State.DRAFT)
    if not draft.update(state=IndexVersion.State.TRIED):
        return False
    record("index.tried", by=by, target=version, area=version.division_id, digest=digest)
    return True


def _mark_stale(version: IndexVersion) -> int:
    """Say that another version rules the results of this version's area and year."""
    rows = Result.objects.filter(year=version.year, stale=False).exclude(version=version)
    if version.division_id:
        rows = rows.filter(between("village_id", *code_range(version.division_id)))
    else:
        own = IndexVersion.objects.in_force().filter(year=version.year, division__isnull=False)
        for county in own.values_list("division_id", flat=True):
            rows = rows.exclude(between("village_id", *code_range(county)))
    return rows.update(stale=True)


def _check_right(by: User | None, division: Division | int | None) -> None:
    code = division.pk if isinstance(division, Division) else division
    if by is not None and not covers(by, "manage_index", code or CITY):
        raise Refusal("not_your_area", _("只有本县（全市默认为市）的扶贫办可以制定识别标准"))


def _locked(version: IndexVersion, by: User | None) -> IndexVersion:
    """The version, locked, after the right to change it."""
    _check_right(by, version.division_id)
    return IndexVersion.objects.select_for_update(of=("self",)).get(pk=version.pk)


def _proposed(version: IndexVersion, by: User) -> IndexVersion:
    version = _locked(version, by)
    if version.state != IndexVersion.State.PROPOSED:
        raise Refusal("not_proposed", _("这份草稿没有提请发布，或已经办过"))
    return version


def _take_proposal_away(version: IndexVersion) -> None:
    version.state = IndexVersion.State.TRIED
    version.proposed_by = version.proposed_at = version.effective_from = None


def _refuse_frozen(version: IndexVersion) -> None:
    if version.state in IndexVersion.FROZEN:
        raise Refusal("frozen", _("已发布的版本不能再改动"))


def _refuse_unless_open(version: IndexVersion) -> None:
    _refuse_frozen(version)
    if version.state == IndexVersion.State.PROPOSED:
        raise Refusal("proposed", _("已提请发布的版本不能修改；要改请先撤回"))
    if version.state == IndexVersion.State.DISCARDED:
        raise Refusal("discarded", _("这份草稿已作废；要改请先取回"))


def _revised() -> Refusal:
    return Refusal("revision", _("您打开之后，这份草稿已被他人修改；请重新打开，核对后再办"))


@cache
def _shipped_systems() -> dict[int, IndexSystem]:
    """The defaults by year, read and checked once a process: each is tried out on sample households."""
    return default_systems(json.loads(DEFAULTS.read_text(encoding="utf-8")))


@transaction.atomic
def load_default_versions() -> int:
    """Release the shipped default of every year that has none of the city yet; returns how many. Idempotent."""
    of_city = IndexVersion.objects.filter(division=None, released_at__isnull=False)
    of_city = of_city.exclude(state=IndexVersion.State.CANCELLED)
    released = set(of_city.values_list("year", flat=True))
    missing = [system for year, system in sorted(_shipped_systems().items()) if year not in released]
    for system in missing:
        release_version(version=draft_version(division=None, system=system, by=None), by=None)
    return len(missing)
