"""A lead worked by an office: the visit, what the household says, the decision, the hand-over. See docs/leads.md.

None of it touches the card or the household's status: what a confirmed lead leads to is the procedure's.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from changde.accounts.areas import covers
from changde.accounts.models import User
from changde.accounts.refusal import Refusal
from changde.audit.services import record
from changde.divisions.codes import Level, ancestor, level_of
from households.models import Finding
from households.selectors.findings import own_records
from households.services.findings import plain_words
from households.services.leads import COUNTY_KINDS, weigh

UNDO_FOR = timedelta(hours=1)
OLDEST_VISIT = timedelta(days=366)
MOST_TOGETHER = 200
DECISIONS = (Finding.Decision.CONFIRMED, Finding.Decision.DISMISSED)


@dataclass(frozen=True)
class Choices:
    """What the person may do with a lead, and why not."""

    visit: bool = False
    decide: bool = False
    hand_to: int | None = None
    own: bool = False
    elsewhere: bool = False


@dataclass(frozen=True)
class Together:
    """Of several leads: those the step was taken for, and the others with the reason in the person's language."""

    taken: list[Finding]
    refused: list[tuple[Finding, str]]


def choices(user: User, lead: Finding) -> Choices:
    """`own`: who wrote the card does not decide what is said of it; `elsewhere`: another office has the lead."""
    if lead.decided_at is not None or not covers(user, "work_leads", lead.village_id):
        return Choices()
    ours = covers(user, "work_leads", lead.owner_id or 0)
    own = bool(own_records([lead], user))
    return Choices(True, ours and not own, other_office(lead) if ours else None, own, not ours)


def other_office(lead: Finding) -> int | None:
    """Where it can be handed: from the township to its county and back; what is about people of an office stays."""
    if lead.kind in COUNTY_KINDS or lead.owner_id is None:
        return None
    level = Level.COUNTY if level_of(lead.owner_id) == Level.TOWNSHIP else Level.TOWNSHIP
    return ancestor(lead.village_id, level)


@transaction.atomic
def note_visit(*, lead: Finding, on: date, note: str, answer: str = "", by: User) -> Finding:
    """Who went to the household, when, what was seen, and what the household says itself; until the decision the last
    visit stands, and the history keeps the others."""
    row = _open(lead, by)
    today = timezone.localdate()
    if on > today:
        raise Refusal("visit_future", _("走访日期不能晚于今天"), field="on")
    if on < today - OLDEST_VISIT:
        raise Refusal("visit_old", _("走访日期太早；请填写这次走访的日期"), field="on")
    row.visited_on, row.visited_by = on, by
    row.visit_note = plain_words(note, "note")
    row.answer = plain_words(answer, "answer") if answer.strip() else ""
    row.save(update_fields=["visited_on", "visited_by", "visit_note", "answer"])
    record("leads.visit", by=by, target=row, area=row.village_id, kind=row.kind, rule=row.code)
    return row


@transaction.atomic
def decide(*, lead: Finding, decision: str, reason: str, no_visit_reason: str = "", by: User) -> Finding:
    """Confirmed or dismissed, with the reason. After a visit, or with a word why none is needed; never by who wrote
    the card, never by an office that does not have the lead."""
    row = _mine(lead, by)
    _may_decide(row, by, own=bool(own_records([row], by)))
    said = _decision(decision, reason, no_visit_reason, [row])
    _write(row, said, at=timezone.now(), by=by)
    weigh(households=[row.household_id])
    return row


@transaction.atomic
def decide_together(
    *, leads: Collection[Finding], decision: str, reason: str, no_visit_reason: str = "", by: User
) -> Together:
    """One decision with one reason for several leads of one kind, each by the rules of `decide`.

    Leads the person may not decide stay as they are and are told with the reason; the others are written in one
    transaction, each with its own event and history, at one moment, by which `undo_together` knows them again.
    Raises Refusal, with nothing written, for no leads or more than MOST_TOGETHER, several kinds, wrong words, or where
    one of them was not visited and no_visit_reason is empty.
    """
    if not leads:
        raise Refusal("none_chosen", _("请先勾选要一起办理的线索"))
    if len(leads) > MOST_TOGETHER:
        raise Refusal("too_many", _("一次最多一起办理 %(number)s 条") % {"number": MOST_TOGETHER})
    if len({lead.kind for lead in leads}) > 1:
        raise Refusal("kinds", _("一次只能办理同一类型的线索，一条依据不能说明几种情况"))
    rows = _locked(leads, by)
    own = own_records(rows, by)
    free, refused = _sorted_out(rows, lambda row: _may_decide(row, by, own=row.pk in own))
    said = _decision(decision, reason, no_visit_reason, free)
    at = timezone.now()
    for row in free:
        _write(row, said, at=at, by=by, together=len(free))
    weigh(households=[row.household_id for row in free])
    return Together(free, refused)


def refusals(leads: Collection[Finding], by: User) -> dict[int, str]:
    """Why the person may not decide some of these, by the lead's id (three queries)."""
    own = own_records(leads, by)
    _free, refused = _sorted_out(leads, lambda row: _may_decide(row, by, own=row.pk in own))
    return {row.pk: why for row, why in refused}


@transaction.atomic
def undo(*, lead: Finding, by: User) -> Finding:
    """Take back one's own decision within the hour, unless the same lead has come anew."""
    row = _mine(lead, by)
    _may_take_back(row, by)
    _take_back(row, by)
    weigh(households=[row.household_id])
    return row


@transaction.atomic
def undo_together(*, lead: Finding, by: User) -> Together:
    """Take back what was decided together with this lead, as `undo` does each; what was touched since then stays and is
    told with the reason; what has left the person's area stays too. Raises Refusal where this lead is not the person's
    own decision of the last hour."""
    here = Finding.objects.get(pk=lead.pk)
    _may_take_back(here, by, alone=False)
    within = Finding.objects.leads_visible_to(by, "work_leads").filter(pk__in=decided_together(here, by).values("pk"))
    rows = _locked({here, *within}, by)
    free, refused = _sorted_out(rows, lambda row: _may_take_back(row, by))
    for row in free:
        _take_back(row, by, together=len(free))
    weigh(households=[row.household_id for row in free])
    return Together(free, refused)


def decided_together(lead: Finding, by: User) -> "QuerySet[Finding]":
    """The leads decided at the same moment by the same person: a decision for several, or the lead alone."""
    return Finding.objects.filter(decided_by=by, decided_at=lead.decided_at, decision__in=DECISIONS)


@transaction.atomic
def hand_over(*, lead: Finding, reason: str, by: User) -> Finding:
    """Township to county or back, with the reason; the due date stays."""
    row = _open(lead, by)
    if not covers(by, "work_leads", row.owner_id or 0):
        raise Refusal("elsewhere", _("这条线索由%(office)s办理") % {"office": row.owner})
    to = other_office(row)
    if to is None:
        raise Refusal("stays", _("涉及干部的线索由县办理，不能转办"))
    row.hand_reason, row.handed_by, row.handed_at = plain_words(reason, "reason"), by, timezone.now()
    row.owner_id = to
    row.save(update_fields=["hand_reason", "handed_by", "handed_at", "owner"])
    record("leads.hand_over", by=by, target=row, area=row.village_id, kind=row.kind, to=to)
    return row


def _sorted_out(
    rows: Iterable[Finding], check: Callable[[Finding], None]
) -> tuple[list[Finding], list[tuple[Finding, str]]]:
    """(rows that pass, the others with what the check says)."""
    free, refused = [], []
    for row in rows:
        try:
            check(row)
        except Refusal as refusal:
            refused.append((row, refusal.message))
        else:
            free.append(row)
    return free, refused


def _decision(decision: str, reason: str, no_visit_reason: str, rows: Iterable[Finding]) -> dict[str, str]:
    """What is written of a decision; refuses wrong words, and none about a visit where one of the rows had none."""
    if decision not in DECISIONS:
        raise Refusal("decision", _("请选择属实或不属实"), field="decision")
    said = {"decision": decision, "no_visit_reason": ""}
    if any(row.visited_on is None for row in rows):
        if not no_visit_reason.strip():
            raise Refusal("not_visited", _("先记下走访情况，或写明为什么不需走访"), field="no_visit_reason")
        said["no_visit_reason"] = plain_words(no_visit_reason, "no_visit_reason")
    return said | {"reason": plain_words(reason, "reason")}


def _may_decide(row: Finding, by: User, *, own: bool) -> None:
    if row.decided_at is not None:
        raise Refusal("decided", _("这条线索已经办结"))
    if not covers(by, "work_leads", row.owner_id or 0):
        raise Refusal("elsewhere", _("这条线索由%(office)s办理") % {"office": row.owner})
    if own:
        raise Refusal("own_record", _("这张户卡由您录入或说明，须由另一位同志办理"))


def _write(row: Finding, said: dict[str, str], *, at: datetime, by: User, **facts: int) -> None:
    row.reason, row.decision = said["reason"], said["decision"]
    row.no_visit_reason = said["no_visit_reason"] if row.visited_on is None else ""
    row.decided_by, row.decided_at = by, at
    row.save(update_fields=["no_visit_reason", "reason", "decision", "decided_by", "decided_at"])
    facts_of_row: dict[str, Any] = {"kind": row.kind, "rule": row.code, "decision": row.decision, **facts}
    record("leads.decide", by=by, target=row, area=row.village_id, **facts_of_row)


def _may_take_back(row: Finding, by: User, *, alone: bool = True) -> None:
    """`alone`: also that the lead has not come anew."""
    if row.decision not in DECISIONS or row.decided_by_id != by.pk or row.decided_at is None:
        raise Refusal("not_yours", _("只能撤销自己的决定"))
    if row.decided_at < timezone.now() - UNDO_FOR:
        raise Refusal("too_late", _("只能撤销自己一小时之内的决定"))
    again = Finding.objects.open().filter(household=row.household_id, kind=row.kind, code=row.code)
    if alone and again.filter(person=row.person_id).exists():
        raise Refusal("too_late", _("这条线索又有了新情况，不能撤销"))


def _take_back(row: Finding, by: User, **facts: int) -> None:
    row.decision, row.decided_by, row.decided_at, row.reason, row.no_visit_reason = "", None, None, "", ""
    row.save(update_fields=["decision", "decided_by", "decided_at", "reason", "no_visit_reason"])
    record("leads.undo", by=by, target=row, area=row.village_id, kind=row.kind, rule=row.code, **facts)


def _hold(ids: Collection[int]) -> None:
    """Lock the leads and every open one of their households, whose doubt a decision moves, in the order of their ids:
    two people who decide of one household wait for each other and no more."""
    households = Finding.objects.filter(pk__in=ids).values("household")
    open_beside = Q(household__in=households, decided_at=None, owner__isnull=False)
    held = Finding.objects.select_for_update(no_key=True).filter(Q(pk__in=ids) | open_beside).order_by("pk")
    list(held.values_list("pk"))


def _locked(leads: Iterable[Finding], by: User) -> list[Finding]:
    """The leads, locked."""
    ids = {lead.pk for lead in leads}
    _hold(ids)
    locked = Finding.objects.select_for_update(of=("self",)).select_related("owner", "household", "village")
    rows = list(locked.filter(pk__in=ids).order_by("pk"))
    if Finding.objects.leads_visible_to(by, "work_leads").filter(pk__in=ids).count() < len(ids):
        raise PermissionDenied("work_leads")
    return rows


def _open(lead: Finding, by: User) -> Finding:
    row = _mine(lead, by)
    if row.decided_at is not None:
        raise Refusal("decided", _("这条线索已经办结"))
    return row


def _mine(lead: Finding, by: User) -> Finding:
    """Locked; refuses who may not work it."""
    _hold({lead.pk})
    row = Finding.objects.select_for_update().get(pk=lead.pk)
    if not Finding.objects.leads_visible_to(by, "work_leads").filter(pk=row.pk).exists():
        raise PermissionDenied("work_leads")
    return row
