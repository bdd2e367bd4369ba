"""Notes of the checks as the desk, the village and the home page read them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q

from changde.accounts.models import User
from changde.audit.models import Event
from households.domain.checks import OFFICE_ONLY
from households.models import Finding, StagedHousehold

COUNTED = 999
STATES = ("waiting", "returned", "decided")


def desk_notes(user: User, *, within: int | None, state: str) -> Any:
    """Notes of the area in a state: waiting for a reviewer, back with the village, or accepted."""
    notes = Finding.objects.visible_to(user, "review_findings").of_checks()
    if within:
        notes = notes.within(within)
    if state == "returned":
        notes = notes.returned()
    elif state == "decided":
        notes = notes.filter(decision=Finding.Decision.ACCEPTED)
    else:
        notes = notes.waiting()
    return notes.select_related("household", "village", "person")


def to_explain(user: User, *, within: int | None) -> Any:
    """Notes the village has to answer: returned ones, and those nobody has said a word about."""
    notes = Finding.objects.visible_to(user, "edit_cards").of_checks().open().exclude(code__in=OFFICE_ONLY)
    if within:
        notes = notes.within(within)
    notes = notes.filter(Q(returned_at__isnull=False) | Q(explanation=""))
    return notes.select_related("household", "village", "person", "returned_by")


@dataclass(frozen=True)
class Waits:
    """How many (more than COUNTED are not counted), and since when the oldest of those."""

    count: int
    since: datetime | None

    @property
    def text(self) -> str:
        return f"{COUNTED}+" if self.count > COUNTED else str(self.count)


def waiting_for_review(user: User, within: int) -> Waits:
    return _waits(desk_notes(user, within=within, state="waiting"))


def unexplained(user: User, within: int) -> Waits:
    """Open notes of the area without a sentence, not counting those that were returned."""
    return _waits(to_explain(user, within=within).filter(returned_at=None))


def _waits(notes: Any) -> Waits:
    """The first page of the home asks often, and a county has many: the index is read so far and no further."""
    found = list(notes.order_by("village_id", "pk").values_list("found_at", flat=True)[: COUNTED + 1])
    return Waits(len(found), min(found, default=None))


def returned_notes(user: User, within: int) -> Any:
    """Notes that came back with a reason, the oldest first."""
    return to_explain(user, within=within).filter(returned_at__isnull=False).order_by("returned_at", "pk")


def without_leads(findings: Iterable[Finding]) -> list[Finding]:
    """What stands on the card itself: leads are read at their own desk, by offices (selectors/leads.py)."""
    return [each for each in findings if not each.is_lead]


def without_office_only(user: User | AnonymousUser, findings: Iterable[Finding]) -> list[Finding]:
    """What a typist may read: what stands on cards of other places is told to the reviewing offices alone."""
    if user.is_authenticated and user.can("review_findings"):
        return list(findings)
    return [each for each in findings if each.code not in OFFICE_ONLY]


def own_records(findings: Iterable[Finding], by: User) -> set[int]:
    """Which of these notes stand on a card the person wrote or explained: somebody else decides them (two queries)."""
    rows = list(findings)
    own = {each.pk for each in rows if by.pk in (each.noted_by_id, each.explained_by_id)}
    written = set(
        Event.objects.filter(
            target_kind="households.household",
            target_id__in=[str(each.household_id) for each in rows],
            verb="households.save_card",
            actor=by,
        ).values_list("target_id", flat=True)
    )
    written |= {str(card) for card in brought_by(by, [each.household_id for each in rows])}
    return own | {each.pk for each in rows if str(each.household_id) in written}


def brought_by(user: User, cards: Iterable[int]) -> set[int]:
    """Which of these cards the person wrote by a workbook (as long as its rows are kept)."""
    staged = StagedHousehold.objects.filter(card__in=list(cards), written_at__isnull=False, batch__owner=user)
    return set(staged.exclude(kind=StagedHousehold.Kind.SAME).values_list("card_id", flat=True))  # type: ignore[arg-type]


@dataclass(frozen=True)
class Choices:
    """What the person may do with a note, and why not."""

    own: bool
    accept: bool
    send_back: bool


def choices(user: User, finding: Finding) -> Choices:
    own = finding.pk in own_records([finding], user)
    free = finding.decided_at is None and not finding.is_returned and not own
    return Choices(own, free and finding.severity != "red", free)
