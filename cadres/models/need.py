"""What a village needs, worked out from its cards, and what people on the spot corrected."""

from fractions import Fraction

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from changde.accounts.areas import ScopedQuerySet
from changde.divisions.models import Division
from households.models.history import keep_history


class VillageNeedQuerySet(ScopedQuerySet):
    area_field = "village_id"
    read_capability = "read_needs"


@keep_history
class VillageNeed(models.Model):
    """Facts and need of a village in an accounting year. Weights are {skill: ten-thousandths}, together 10,000.

    `rows` explain the computed weights (cadres.domain.needs.NeedRow as plain values). A correction replaces all
    weights, with who, when and why; it outlives a new computation until it is withdrawn.
    """

    village = models.ForeignKey(Division, models.PROTECT, related_name="needs", verbose_name=_("行政村"))
    year = models.SmallIntegerField(_("年度"))
    registered_households = models.PositiveIntegerField(_("建档立卡户"))
    registered_persons = models.PositiveIntegerField(_("建档立卡人口"))
    rural_persons = models.PositiveIntegerField(_("乡村人口"), null=True)
    persons_from_cards = models.BooleanField(default=False, help_text="no village card: persons on cards stand in")
    provisional = models.BooleanField(default=False, help_text="no household has a status yet: attributes stand in")
    weights = models.JSONField(default=dict)
    rows = models.JSONField(default=list)
    computed_at = models.DateTimeField()
    correction = models.JSONField(null=True, blank=True)
    correction_reason = models.CharField(_("修正理由"), max_length=300, blank=True)
    corrected_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    corrected_at = models.DateTimeField(null=True)

    objects = VillageNeedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["village", "year"], name="village_need_once_a_year"),
            models.CheckConstraint(
                name="village_need_correction_who_when_why",
                condition=Q(correction=None, corrected_by=None, corrected_at=None, correction_reason="")
                | (
                    Q(correction__isnull=False, corrected_by__isnull=False, corrected_at__isnull=False)
                    & ~Q(correction_reason="")
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.village_id} {self.year}"

    @property
    def effective(self) -> dict[str, int]:
        """The weights that count: the correction where there is one."""
        return self.weights if self.correction is None else self.correction

    @property
    def incidence(self) -> Fraction | None:
        if not self.rural_persons:
            return None
        return Fraction(self.registered_persons, self.rural_persons)

    @property
    def incidence_share(self) -> float | None:
        """Incidence for pages."""
        return None if self.incidence is None else float(self.incidence)
