"""Evidence as pages read it: rows without their pictures."""

from dataclasses import dataclass

from django.conf import settings
from django.http import Http404
from django.shortcuts import get_object_or_404

from households.models import Evidence, EvidenceContent, Household
from households.selectors.cards import Reader


@dataclass(frozen=True)
class Gallery:
    """The photos of a card's year: those that count, those taken off, and how many more may come."""

    kept: list[Evidence]
    removed: list[Evidence]

    @property
    def room(self) -> int:
        return max(0, settings.EVIDENCE_MAX_PHOTOS - len(self.kept))


@dataclass(frozen=True)
class Shown:
    """One photo in the viewer: where it stands among the year's, and its neighbours."""

    evidence: Evidence
    position: int
    of: int
    before: Evidence | None
    after: Evidence | None


def gallery(user: Reader, household: Household, year: int | None) -> Gallery:
    """The photos of one year in the order they came (one query)."""
    rows = Evidence.objects.visible_to(user).filter(household=household, year=year or 0)
    rows = list(rows.select_related("uploaded_by", "removed_by").order_by("pk"))
    return Gallery([row for row in rows if not row.removed_at], [row for row in rows if row.removed_at])


def evidence_of(user: Reader, household_id: int, evidence_id: int) -> Evidence:
    """The row, taken off or not; 404 for absent and for not yours alike."""
    rows = Evidence.objects.visible_to(user).select_related("household", "household__village", "uploaded_by")
    return get_object_or_404(rows, pk=evidence_id, household_id=household_id)


def shown(user: Reader, household_id: int, evidence_id: int) -> Shown:
    """A photo that counts, for the viewer; one that was taken off is 404."""
    evidence = evidence_of(user, household_id, evidence_id)
    rows = gallery(user, evidence.household, evidence.year).kept
    at = next((index for index, row in enumerate(rows) if row.pk == evidence.pk), None)
    if at is None:
        raise Http404
    before, after = rows[at - 1] if at else None, rows[at + 1] if at + 1 < len(rows) else None
    return Shown(evidence, at + 1, len(rows), before, after)


def content_of(user: Reader, household_id: int, evidence_id: int) -> EvidenceContent:
    """The picture of a photo that counts; 404 for taken off, absent and not yours alike."""
    rows = EvidenceContent.objects.visible_to(user).filter(evidence__household=household_id, evidence__removed_at=None)
    return get_object_or_404(rows.select_related("evidence__household"), pk=evidence_id)
