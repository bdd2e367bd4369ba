"""Objections: the office's queue, what a village may know, and what the complainant follows by code."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from changde.accounts.areas import covers
from changde.accounts.models import User
from supervision.domain.publicity import may_decide_objection
from supervision.models import Objection, PublicityList
from supervision.services.objections import tracking_hash


def objections(user: User, *, within: int | None = None, state: str = "open") -> "QuerySet[Objection]":
    """The person's objections, the nearest deadline first; decided ones by their decision, latest first."""
    found = Objection.objects.visible_to(user)
    if within:
        found = found.of_villages_in(within)
    found = found.select_related("village__parent", "publicity_list", "entry__household", "owner")
    if state == "decided":
        return found.filter(decided_at__isnull=False).order_by("-decided_at", "pk")
    return found.open().order_by("due", "pk")


def objection_of(user: User, pk: Any) -> Objection:
    """One case. Raises DoesNotExist for what is absent and for what is not the person's."""
    found = Objection.objects.visible_to(user).select_related(
        "village__parent", "publicity_list__snapshot", "entry__household", "owner", "visit_by", "decided_by"
    )
    return found.get(pk=pk)


def due_objections(user: User) -> "QuerySet[Objection]":
    """Open objections this person may decide, the nearest deadline first (work that waits)."""
    mine = Q(publicity_list__drafted_by=user) | Q(publicity_list__snapshot__posted_by=user)
    found = Objection.objects.visible_to(user, "decide_objections").open().exclude(mine)
    return found.select_related("village").order_by("due", "pk")


@dataclass(frozen=True, slots=True)
class CaseChoices:
    """What this person may do with the case; `own` says why not: they made or posted the list."""

    work: bool
    own: bool


def case_choices(user: User, objection: Objection) -> CaseChoices:
    listed = objection.publicity_list
    holds = covers(user, "decide_objections", objection.owner_id)
    own = not may_decide_objection(user.pk, listed.drafted_by_id, listed.snapshot.posted_by_id)
    return CaseChoices(work=objection.is_open and holds and not own, own=objection.is_open and holds and own)


@dataclass(frozen=True, slots=True)
class Notice:
    """What everybody who reads the list may know of an objection: never who raised it, nor in which words."""

    about: str
    position: int | None
    household_id: int | None
    due: date
    late: bool
    decision: str
    answer: str

    @property
    def is_open(self) -> bool:
        return not self.decision


def notices(user: User, listed: PublicityList) -> Sequence[Notice]:
    """Objections of a list the person may read, sealed; open ones first. Nothing for a list that is not theirs."""
    if not PublicityList.objects.visible_to(user).filter(pk=listed.pk).exists():
        return []
    today = timezone.localdate()
    rows = (
        Objection.objects.filter(publicity_list=listed)
        .order_by("decided_at", "due", "pk")
        .values("about", "entry__position", "entry__household", "due", "decision", "answer")
    )
    found = [
        Notice(
            about=row["about"],
            position=row["entry__position"],
            household_id=row["entry__household"],
            due=row["due"],
            late=not row["decision"] and row["due"] < today,
            decision=row["decision"],
            answer=row["answer"],
        )
        for row in rows
    ]
    return sorted(found, key=lambda notice: not notice.is_open)


@dataclass(frozen=True, slots=True)
class Progress:
    """What the complainant follows by code: no names of officers, no words of their own."""

    village: str
    public_id: str
    about: str
    position: int | None
    received_at: datetime
    due: date
    visited_on: date | None
    decision: str
    decided_at: datetime | None
    answer: str


def tracked(code: str) -> Progress | None:
    """The objection with this tracking code; None for an unknown one."""
    hashed = tracking_hash(code)
    if hashed is None:
        return None
    found = Objection.objects.filter(tracking_hash=hashed).select_related("village", "publicity_list", "entry").first()
    if found is None:
        return None
    return Progress(
        village=found.village.name,
        public_id=found.publicity_list.public_id,
        about=found.about,
        position=found.entry.position if found.entry else None,
        received_at=found.received_at,
        due=found.due,
        visited_on=found.visited_on,
        decision=found.decision,
        decided_at=found.decided_at,
        answer=found.answer,
    )
