"""Making, posting and correcting publicity lists. Rules and reasons: docs/publicity.md.

Whoever makes a list never posts it; nothing of a posted list changes. Every function writes its audit event in the same
transaction and raises Refusal where a rule of the offices says no.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from changde.accounts.areas import covers
from changde.accounts.models import User
from changde.accounts.refusal import Refusal
from changde.audit.services import record
from changde.crypto.masking import mask_name
from changde.divisions.models import Division
from households.models import Finding, Household, Result, Sheet
from supervision.domain import publicity
from supervision.domain.candidates import EXCLUDED, VERIFY, Facts, judge
from supervision.domain.publicity import FIRST, SECOND, may_post, period
from supervision.domain.snapshot import (
    NOTHING,
    Content,
    Reference,
    Row,
    canonical,
    checksum,
    clean,
    long_numbers,
    natural,
    personal_numbers,
    public_cause,
)
from supervision.models import ListEntry, Objection, PublicityList, Snapshot

_MAKE = {FIRST: "make_village_list", SECOND: "make_township_list"}
_POST = {FIRST: "post_village_list", SECOND: "post_township_list"}
_REASON_LENGTH = 300


# --- drafts ---------------------------------------------------------------------------------------


@transaction.atomic
def draft_first_list(*, village: Division, year: int, by: User) -> PublicityList:
    """A village's draft from the present results of `year`: every candidate, and every household held back with why.

    One round a village and year: what is found later goes into a correction. Raises Refusal `no_results` when no
    household of the village has a sheet of that year, `round_exists` when the round was begun.
    """
    _require(by, _MAKE[FIRST], village.code)
    if not Sheet.objects.filter(village=village, year=year).exists():
        raise Refusal("no_results", _("本村没有 %(year)s 年度的户卡，无法拟定名单") % {"year": year}, field="year")
    draft = _create(
        PublicityList(village=village, year=year, step=FIRST, drafted_by=by),
        _("本村 %(year)s 年度的名单已经拟定。如需改动，请更正已公示的名单") % {"year": year},
    )
    return _compose(draft, "lists.draft", by)


@transaction.atomic
def draft_second_list(*, first: PublicityList, by: User) -> PublicityList:
    """The township's draft upon a village's first list whose period ended without an open objection."""
    _require(by, _MAKE[SECOND], first.village_id)
    first = _locked(first)
    _check_followable(first)
    draft = _create(
        PublicityList(village_id=first.village_id, year=first.year, step=SECOND, first=first, drafted_by=by),
        _("这份名单的第二次公示已经拟定"),
    )
    return _compose(draft, "lists.draft", by)


@transaction.atomic
def correct(*, publicity_list: PublicityList, reason: str, by: User) -> PublicityList:
    """A draft that will replace a posted list: made anew from present results, without households of upheld objections.

    A first list is corrected only before a second one rests on it.
    """
    _require(by, _MAKE[publicity_list.step], publicity_list.village_id)
    reason = _reason(reason)
    old = _locked(publicity_list)
    if not publicity.allows(publicity.CORRECT, old.state(timezone.now())):
        raise Refusal("not_correctable", _("只有已公示且未被更正的名单可以更正"))
    if old.step == FIRST and _round(old, SECOND).exists():
        raise Refusal("second_exists", _("已有第二次公示名单，不能再更正第一次公示的名单；请更正第二次公示的名单"))
    draft = _create(
        PublicityList(
            village_id=old.village_id,
            year=old.year,
            step=old.step,
            first=old.first,
            corrects=old,
            correction_reason=reason,
            drafted_by=by,
        ),
        _("这份名单的更正已经拟定"),
    )
    return _compose(draft, "lists.correct", by, corrects=old.pk)


@transaction.atomic
def refresh(*, publicity_list: PublicityList, by: User) -> PublicityList:
    """Make the entries of a draft anew from present results; what people left out or cleared stays so."""
    return _compose(_own_draft(publicity_list, by), "lists.refresh", by)


@transaction.atomic
def leave_out(*, entry: ListEntry, reason: str, by: User) -> ListEntry:
    """The maker keeps a candidate off the list and says why."""
    reason = _reason(reason)
    entry = _entry(entry, _own_draft(entry.publicity_list, by))
    if not entry.included:
        raise Refusal("not_on_list", _("这一户本来就不在名单上"))
    entry.included, entry.left_out_reason, entry.left_out_by, entry.left_out_at = False, reason, by, timezone.now()
    entry.save()
    return _recorded("lists.leave_out", entry, by)


@transaction.atomic
def take_in(*, entry: ListEntry, by: User) -> ListEntry:
    """The maker takes a household in again that was left out. What a rule holds back stays off until it is decided."""
    entry = _entry(entry, _own_draft(entry.publicity_list, by))
    if not entry.left_out_reason:
        raise Refusal("not_left_out", _("这一户不是人工排除的，须先解决所列的问题再更新名单"))
    entry.left_out_reason, entry.left_out_by, entry.left_out_at = "", None, None
    entry.included = bool(entry.kind) and not entry.blocks
    if not entry.included and not entry.blocks:
        raise Refusal("no_candidate", _("按现在的结果，这一户不符合条件"))
    entry.save()
    return _recorded("lists.take_in", entry, by)


@transaction.atomic
def clear_exclusion(*, entry: ListEntry, reason: str, by: User) -> ListEntry:
    """The township heard the household and lets it onto this round's lists although an exclusion rule fired."""
    _require(by, _MAKE[SECOND], entry.publicity_list.village_id)
    reason = _reason(reason)
    draft = _draft(entry.publicity_list)
    entry = _entry(entry, draft)
    if by.pk == draft.drafted_by_id:
        raise Refusal("own_list", _("名单由您拟定，须由另一位同志核定"))
    if EXCLUDED not in entry.blocks:
        raise Refusal("not_excluded", _("这一户没有触发排除条件"))
    entry.blocks = [block for block in entry.blocks if block != EXCLUDED]
    entry.cleared_reason, entry.cleared_by, entry.cleared_at = reason, by, timezone.now()
    entry.included = bool(entry.kind) and not entry.blocks and not entry.left_out_reason
    entry.save()
    return _recorded("lists.clear_exclusion", entry, by)


@transaction.atomic
def discard(*, publicity_list: PublicityList, by: User) -> None:
    """Throw a draft away. Anybody who may make such a list can, so that a draft never hangs on one absent person."""
    _require(by, _MAKE[publicity_list.step], publicity_list.village_id)
    draft = _draft(publicity_list)
    record("lists.discard", by=by, target=draft, area=draft.village_id, year=draft.year, step=draft.step)
    draft.delete()


# --- posting --------------------------------------------------------------------------------------


@transaction.atomic
def post(*, publicity_list: PublicityList, by: User) -> PublicityList:
    """Post a draft: number, period, masked snapshot with its checksum, linked into the village's chain.

    Raises Refusal: `already_posted`, `own_list`, `changed_since` (results moved: refresh first), `empty`,
    `mixed_versions`, `personal_numbers`, and for a second list whatever forbids it to rest on its first.
    """
    _require(by, _POST[publicity_list.step], publicity_list.village_id)
    draft = _locked(publicity_list)
    now = _now()
    if not draft.is_draft:
        raise Refusal("already_posted", _("这份名单已经公示"))
    _check_poster(draft, by)
    if draft.step == SECOND:
        assert draft.first is not None
        _check_followable(_locked(draft.first))
    examined = _check_unchanged(draft)
    included = _ordered(draft)
    if not included and draft.corrects is None:
        raise Refusal("empty", _("名单上没有一户，无需公示"))
    content = _content(draft, included, examined, now)
    _check_no_numbers(content)
    text = canonical(content)
    snapshot = Snapshot.objects.create(
        publicity_list=draft,
        text=text,
        sha256=checksum(text),
        previous_sha256=content.previous or "",
        posted_by=by,
        posted_at=content.posted_at,
        starts_at=content.starts_at,
        ends_at=content.ends_at,
        days=content.days,
        index_version=content.index_version,
    )
    for position, entry in enumerate(included, start=1):
        entry.position = position
    ListEntry.objects.bulk_update(included, ["position"])
    draft.number = content.number
    draft.save(update_fields=["number"])
    record(
        "lists.post",
        by=by,
        target=draft,
        area=draft.village_id,
        step=draft.step,
        number=draft.number,
        sha256=snapshot.sha256,
        households=len(included),
        days=draft.days,
    )
    return draft


def _now() -> datetime:
    """The moment of posting, in whole seconds as the snapshot says it."""
    return timezone.now().replace(microsecond=0)


def _check_poster(draft: PublicityList, by: User) -> None:
    earlier: set[int] = set()
    if draft.first is not None:
        for first in _round(draft, FIRST).posted().select_related("snapshot"):
            earlier |= {first.drafted_by_id, first.snapshot.posted_by_id}
    if not may_post(draft.step, by.pk, draft.drafted_by_id, earlier):
        raise Refusal("own_list", _("名单由您拟定，或您办理过上一次公示，须由另一位同志公示"))


def _check_followable(first: PublicityList) -> None:
    """May a second list rest on `first` now?"""
    if first.step != FIRST:
        raise Refusal("not_first", _("第二次公示须依据第一次公示的名单"))
    state = first.state(timezone.now())
    if state == publicity.SUPERSEDED:
        raise Refusal("superseded", _("这份名单已被更正，请依据更正后的名单办理"))
    if not publicity.allows(publicity.FOLLOW, state):
        raise Refusal("period_not_over", _("第一次公示还没有期满"))
    if _round(first, FIRST).drafts().exists():
        raise Refusal("correction_pending", _("第一次公示的更正名单已拟定还没有公示"))
    raised = Objection.objects.filter(publicity_list__in=_round(first, FIRST))
    if raised.open().exists():
        raise Refusal("open_objections", _("第一次公示还有没有办结的异议"))
    if raised.upheld().filter(decided_at__gt=first.drafted_at).exists():
        raise Refusal("not_corrected", _("有异议成立，须先公示更正后的名单"))
    if not first.entries.included().exists():
        raise Refusal("empty", _("名单上没有一户，无需公示"))


def _check_unchanged(draft: PublicityList) -> Mapping[int, "Examined"]:
    """The draft must say what the results say now: a stale or moved result would otherwise be posted."""
    examined = _examine(draft)
    found = {entry.household_id: entry for entry in _entries(draft, examined)}
    stored = {entry.household_id: entry for entry in draft.entries.included()}
    moved = [
        household_id
        for household_id in stored.keys() | {key for key, entry in found.items() if entry.included}
        if _said(stored.get(household_id)) != _said(found.get(household_id))
    ]
    if moved:
        raise Refusal(
            "changed_since",
            _("名单拟定以后有 %(count)s 户的情况变了，请拟定人更新名单后再公示") % {"count": len(moved)},
        )
    return examined


def _said(entry: ListEntry | None) -> tuple[bool, str]:
    return (entry.included, entry.kind) if entry else (False, "")


def _check_no_numbers(content: Content) -> None:
    found = sorted({position for position, _column in long_numbers(content)})
    if found or personal_numbers(canonical(content)):
        raise Refusal(
            "personal_numbers",
            _("名单第 %(rows)s 行含有证件号、电话或账号一类的长数字，请先改正户卡上的村民小组或姓名")
            % {"rows": "、".join(map(str, found))},
        )


def _content(
    draft: PublicityList, included: list[ListEntry], examined: Mapping[int, "Examined"], now: datetime
) -> Content:
    versions = {examined[entry.household_id].index_version for entry in included}
    if len(versions) > 1:
        raise Refusal("mixed_versions", _("名单中的结果出自不同的指标版本，请先重新测算本村"))
    causes = dict(
        Sheet.objects.filter(household__in=[entry.household_id for entry in included], year=draft.year).values_list(
            "household_id", "main_cause"
        )
    )
    starts, ends = period(now, draft.days)
    chain = _chain(draft.village_id)
    return Content(
        village=draft.village_id,
        area=tuple(division.name for division in draft.village.path()),
        year=draft.year,
        step=draft.step,
        number=chain.number + 1 if chain else 1,
        posted_at=now,
        starts_at=starts,
        ends_at=ends,
        days=draft.days,
        corrects=_reference(draft.corrects),
        first=_reference(draft.first),
        previous=chain.sha256 if chain else None,
        index_version=versions.pop() if versions else NOTHING,
        rows=tuple(
            _row(position, entry, causes.get(entry.household_id, ""))
            for position, entry in enumerate(included, start=1)
        ),
    )


def _row(position: int, entry: ListEntry, cause: str) -> Row:
    household = entry.household
    return Row(
        position=position,
        head=mask_name(clean(household.head_name)) or NOTHING,
        group=clean(household.group) or NOTHING,
        persons=household.persons,
        kind=entry.kind,
        cause=public_cause(cause),
    )


def _reference(posted: PublicityList | None) -> Reference | None:
    if posted is None:
        return None
    assert posted.number is not None
    return Reference(posted.number, posted.snapshot.sha256)


def _chain(village_id: int) -> Reference | None:
    """The village's latest posted list."""
    return _reference(
        PublicityList.objects.posted().filter(village=village_id).select_related("snapshot").order_by("-number").first()
    )


def _ordered(draft: PublicityList) -> list[ListEntry]:
    """Included entries by group (2组 before 10组), then by the head's name."""
    return sorted(draft.entries.included().select_related("household"), key=place_of)


def place_of(entry: ListEntry) -> tuple[Any, ...]:
    """Sort key of an entry on its list."""
    return natural(entry.household.group), entry.household.head_pinyin, entry.household_id


# --- entries from results -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Examined:
    """A household as the list sees it: facts for the judgement, and the version that judged it."""

    household_id: int
    facts: Facts
    index_version: str


def _examine(draft: PublicityList) -> dict[int, Examined]:
    """The village's households with a sheet of the year (for a second list: those on the first), with their results."""
    households = Household.objects.filter(village=draft.village_id)
    if draft.first is not None:
        households = households.filter(pk__in=draft.first.entries.included().values("household"))
    else:
        households = households.filter(sheets__year=draft.year)
    results = {
        result.household_id: result
        for result in Result.objects.current()
        .filter(village=draft.village_id, year=draft.year)
        .select_related("version")
        .defer("values", "version__definition")
    }
    doubtful = set(
        Finding.objects.filter(village=draft.village_id, blocks=True).open().values_list("household_id", flat=True)
    )
    return {
        household.pk: _examined(household, results.get(household.pk), household.pk in doubtful)
        for household in households
    }


def _examined(household: Household, result: Result | None, doubtful: bool) -> Examined:
    flags = {VERIFY} if doubtful else set()
    if result is not None:
        flags |= {flag for flag in ("stale", EXCLUDED) if getattr(result, flag)}
    return Examined(
        household_id=household.pk,
        facts=Facts(
            status=household.status,
            outcome=result.outcome if result else None,
            below_monitoring=result.below_monitoring_line if result else None,
            flags=frozenset(flags),
            monitored_kind=household.monitored_kind,
        ),
        index_version=result.version.digest if result else "",
    )


def _entries(draft: PublicityList, examined: Mapping[int, Examined]) -> list[ListEntry]:
    """What the draft should hold now, with the decisions people took before carried over."""
    decided = _decided(draft)
    upheld = _upheld(draft)
    earlier = dict(draft.first.entries.included().values_list("household_id", "kind")) if draft.first else {}
    made = (
        _entry_of(
            draft,
            one,
            decided.get(one.household_id),
            earlier.get(one.household_id) if draft.first else None,
            one.household_id in upheld,
        )
        for one in examined.values()
    )
    return [entry for entry in made if entry]


def _entry_of(
    draft: PublicityList, one: Examined, before: ListEntry | None, kind_before: str | None, upheld: bool
) -> ListEntry | None:
    judgement = judge(one.facts)
    blocks = list(judgement.blocks)
    if before and before.cleared_reason:
        blocks = [block for block in blocks if block != EXCLUDED]
    if kind_before is not None and judgement.kind != kind_before and not blocks:
        blocks.append(ListEntry.Block.NO_LONGER)
    if upheld and judgement.kind:
        blocks.append(ListEntry.Block.UPHELD)
    if not judgement.kind and not blocks:
        return None
    entry = ListEntry(
        publicity_list=draft,
        household_id=one.household_id,
        kind=judgement.kind,
        outcome=one.facts.outcome or "",
        blocks=blocks,
    )
    if before:
        for field in ("left_out_reason", "left_out_by", "left_out_at", "cleared_reason", "cleared_by", "cleared_at"):
            setattr(entry, field, getattr(before, field))
    entry.included = bool(entry.kind) and not entry.blocks and not entry.left_out_reason
    return entry


def _decided(draft: PublicityList) -> dict[int, ListEntry]:
    """Entries whose decisions hold on: the draft's own, else those of the list it corrects or rests on."""
    sources = [source for source in (draft.first, draft.corrects, draft) if source]
    entries: dict[int, ListEntry] = {}
    for source in sources:
        entries |= {entry.household_id: entry for entry in source.entries.select_related("left_out_by", "cleared_by")}
    return entries


def _upheld(draft: PublicityList) -> set[int]:
    """Households against which an objection of this round and step was upheld."""
    return set(
        Objection.objects.upheld()
        .filter(publicity_list__in=_round(draft, draft.step), entry__isnull=False)
        .values_list("entry__household_id", flat=True)
    )


def _compose(draft: PublicityList, verb: str, by: User, **facts: Any) -> PublicityList:
    entries = _entries(draft, _examine(draft))
    draft.entries.all().delete()
    ListEntry.objects.bulk_create(entries)
    draft.drafted_at = timezone.now()
    draft.save(update_fields=["drafted_at"])
    included = sum(entry.included for entry in entries)
    record(
        verb,
        by=by,
        target=draft,
        area=draft.village_id,
        year=draft.year,
        step=draft.step,
        included=included,
        held_back=len(entries) - included,
        **facts,
    )
    return draft


# --- locks and rights -----------------------------------------------------------------------------


def _require(by: User, capability: str, village: int) -> None:
    if not covers(by, capability, village):
        raise PermissionDenied(capability)


def _locked(publicity_list: PublicityList) -> PublicityList:
    """The list as it is now, held until the transaction ends; lists of one village come one after the other.

    The advisory lock carries the village's 12-digit code, which no other advisory lock of the project can be.
    """
    _lock_village(publicity_list.village_id)
    return (
        PublicityList.objects.select_for_update(of=("self",))
        .select_related("village", "first__snapshot", "corrects__snapshot")
        .get(pk=publicity_list.pk)
    )


def _lock_village(village_id: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [village_id])


def _draft(publicity_list: PublicityList) -> PublicityList:
    draft = _locked(publicity_list)
    if not publicity.allows(publicity.EDIT, draft.state(timezone.now())):
        raise Refusal("already_posted", _("这份名单已经公示，不能改动"))
    return draft


def _own_draft(publicity_list: PublicityList, by: User) -> PublicityList:
    _require(by, _MAKE[publicity_list.step], publicity_list.village_id)
    draft = _draft(publicity_list)
    if by.pk != draft.drafted_by_id:
        raise Refusal("not_maker", _("草稿只由拟定人改动，这样公示的人就不是拟定的人"))
    return draft


def _entry(entry: ListEntry, draft: PublicityList) -> ListEntry:
    return draft.entries.select_for_update().get(pk=entry.pk)


def _round(listed: PublicityList, step: str) -> Any:
    """All lists of the same village, year and step: the first try and its corrections."""
    return PublicityList.objects.filter(village=listed.village_id, year=listed.year, step=step)


def _create(draft: PublicityList, exists: str) -> PublicityList:
    _lock_village(draft.village_id)
    try:
        with transaction.atomic():
            draft.save()
    except IntegrityError as error:
        raise Refusal("round_exists", exists) from error
    return draft


def _reason(text: str) -> str:
    reason = clean(text)
    if not reason:
        raise Refusal("reason_missing", _("请写明原因"), field="reason")
    if len(reason) > _REASON_LENGTH:
        raise Refusal("reason_too_long", _("原因请不超过 300 字"), field="reason")
    if personal_numbers(reason):
        raise Refusal("reason_has_number", _("原因里不要写证件号码"), field="reason")
    return reason


def _recorded(verb: str, entry: ListEntry, by: User) -> ListEntry:
    record(
        verb,
        by=by,
        target=entry.publicity_list,
        area=entry.publicity_list.village_id,
        household=entry.household_id,
        kind=entry.kind,
    )
    return entry
