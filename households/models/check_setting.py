"""How a county, or the city for all, has set a check: on or off, and its figures; every change a row of its own."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from changde.divisions.models import Division


class CheckSettingQuerySet(models.QuerySet):
    def in_force(self):
        """The last version of each check in each division."""
        return self.order_by("division", "check_id", "-version").distinct("division", "check_id")


class CheckSetting(models.Model):
    """One version of a check in a county (`division` empty: the city's default). Never changed; the next one follows.

    `figures` are by name of domain.checks.figures, only those that differ from what would hold without them. A red
    check stays on, and its figures stand in the tight direction: held here too, whatever writes.
    """

    scope = "reference"

    division = models.ForeignKey(Division, models.PROTECT, null=True, related_name="+")
    check_id = models.CharField(max_length=40)
    severity = models.CharField(max_length=6, help_text="as the list of the offices says, when it was set")
    is_on = models.BooleanField(default=True)
    figures = models.JSONField(default=dict)
    reason = models.CharField(max_length=300)
    version = models.PositiveIntegerField()
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    set_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = CheckSettingQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["division", "check_id", "version"], nulls_distinct=False, name="check_setting_version"
            ),
            models.CheckConstraint(name="check_setting_severity", condition=Q(severity__in=["red", "yellow", "wait"])),
            models.CheckConstraint(name="check_setting_red_is_on", condition=Q(is_on=True) | Q(severity="yellow")),
            models.CheckConstraint(name="check_setting_reason", condition=~Q(reason="")),
            models.CheckConstraint(
                name="check_setting_red_not_relaxed",
                condition=(~Q(figures__has_key="risk_months") | Q(figures__risk_months__gte=6))
                & (~Q(figures__has_key="sum_tolerance") | Q(figures__sum_tolerance__lte=0.01))
                & (~Q(figures__has_key="per_capita_tolerance") | Q(figures__per_capita_tolerance__lte=0.01)),
            ),
        ]
