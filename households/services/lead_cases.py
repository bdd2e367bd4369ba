"""A lead worked by an office: the visit, what the household says, the decision, the hand-over. See docs/leads.md.

None of it touches the card or the household's status: what a confirmed lead leads to is the procedure's.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from django.core.exceptions import PermissionDenied
from django.db import transaction
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
DECISIONS = (Finding.Decision.CONFIRMED, Finding.Decision.DISMISSED)


@dataclass(frozen=True)
class Choices:
    """What the person may do with a lead, and why not."""

    visit: bool = False
    decide: bool = False
    hand_to: int | None = None
    own: bool = False
    elsewhere: bool = False


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
    row = _open(lead, by)
    if decision not in DECISIONS:
        raise Refusal("decision", _("请选择属实或不属实"), field="decision")
    if not covers(by, "work_leads", row.owner_id or 0):
        raise Refusal("elsewhere", _("这条线索由%(office)s办理") % {"office": row.owner})
    if own_records([row], by):
        raise Refusal("own_record", _("这张户卡由您录入或说明，须由另一位同志办理"))
    if row.visited_on is None:
        if not no_visit_reason.strip():
            raise Refusal("not_visited", _("先记下走访情况，或写明为什么不需走访"), field="no_visit_reason")
        row.no_visit_reason = plain_words(no_visit_reason, "no_visit_reason")
    row.reason = plain_words(reason, "reason")
    row.decision, row.decided_by, row.decided_at = decision, by, timezone.now()
    row.save(update_fields=["no_visit_reason", "reason", "decision", "decided_by", "decided_at"])
    weigh(households=[row.household_id])
    record("leads.decide", by=by, target=row, area=row.village_id, kind=row.kind, rule=row.code, decision=decision)
    return row


@transaction.atomic
def undo(*, lead: Finding, by: User) -> Finding:
    """Take back one's own decision within the hour, unless the same lead has come anew."""
    row = _mine(lead, by)
    if row.decision not in DECISIONS or row.decided_by_id != by.pk or row.decided_at is None:
        raise Refusal("not_yours", _("只能撤销自己的决定"))
    if row.decided_at < timezone.now() - UNDO_FOR:
        raise Refusal("too_late", _("只能撤销自己一小时之内的决定"))
    again = Finding.objects.open().filter(household=row.household_id, kind=row.kind, code=row.code)
    if again.filter(person=row.person_id).exists():
        raise Refusal("too_late", _("这条线索又有了新情况，不能撤销"))
    row.decision, row.decided_by, row.decided_at, row.reason, row.no_visit_reason = "", None, None, "", ""
    row.save(update_fields=["decision", "decided_by", "decided_at", "reason", "no_visit_reason"])
    weigh(households=[row.household_id])
    record("leads.undo", by=by, target=row, area=row.village_id, kind=row.kind, rule=row.code)
    return row


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


def _open(lead: Finding, by: User) -> Finding:
    row = _mine(lead, by)
    if row.decided_at is not None:
        raise Refusal("decided", _("这条线索已经办结"))
    return row


def _mine(lead: Finding, by: User) -> Finding:
    """Locked; refuses who may not work it."""
    row = Finding.objects.select_for_update().get(pk=lead.pk)
    if not Finding.objects.leads_visible_to(by, "work_leads").filter(pk=row.pk).exists():
        raise PermissionDenied("work_leads")
    return row
