"""A cadre posted to a village."""

from datetime import date

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from cadres.models.cadre import Cadre
from changde.accounts.areas import ScopedQuerySet
from changde.divisions.models import Division
from households.models.history import keep_history

TERM_YEARS = 2


def end_of_term(start: date, years: int = TERM_YEARS) -> date:
    """The last day of a term that begins on `start`: two years (default) less a day."""
    try:
        same_day = start.replace(year=start.year + years)
    except ValueError:  # 29 February
        same_day = start.replace(year=start.year + years, month=3, day=1)
    return date.fromordinal(same_day.toordinal() - 1)


class Role(models.TextChoices):
    FIRST_SECRETARY = "第一书记", _("第一书记")
    TEAM_MEMBER = "驻村工作队员", _("驻村工作队员")
    PROFESSIONAL_SECRETARY = "专业书记", _("专业书记")


class PostingQuerySet(ScopedQuerySet):
    area_field = "village_id"
    read_capability = "read_needs"

    def open(self):
        return self.filter(ended_on=None)


@keep_history
class Posting(models.Model):
    """From when to when a cadre serves in a village, and why it ended. One open posting a cadre."""

    class EndReason(models.TextChoices):
        TERM_OVER = "term_over", _("任期届满")
        MOVED = "moved", _("工作调整")
        RECALLED = "recalled", _("派出单位召回")
        UNFIT = "unfit", _("不胜任")
        PERSONAL = "personal", _("个人原因")

    cadre = models.ForeignKey(Cadre, models.PROTECT, related_name="postings")
    village = models.ForeignKey(Division, models.PROTECT, related_name="postings", verbose_name=_("行政村"))
    role = models.CharField(_("角色"), max_length=6, choices=Role)
    start = models.DateField(_("到任日期"))
    planned_end = models.DateField(_("计划期满"))
    ended_on = models.DateField(_("实际离任"), null=True, blank=True)
    end_reason = models.CharField(_("离任原因"), max_length=10, blank=True, choices=EndReason)
    plan = models.ForeignKey("cadres.MatchPlan", models.PROTECT, null=True, related_name="postings")

    objects = PostingQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["village", "role", "id"]), models.Index(fields=["cadre", "-start"])]
        constraints = [
            models.UniqueConstraint(fields=["cadre"], condition=Q(ended_on=None), name="posting_open_once_a_cadre"),
            models.UniqueConstraint(
                fields=["village", "role"],
                condition=Q(ended_on=None, role__in=["专业书记", "第一书记"]),
                name="posting_one_secretary_a_village",
            ),
            models.CheckConstraint(name="posting_role", condition=Q(role__in=["第一书记", "驻村工作队员", "专业书记"])),
            models.CheckConstraint(name="posting_planned_period", condition=Q(planned_end__gt=F("start"))),
            models.CheckConstraint(
                name="posting_end_after_start", condition=Q(ended_on=None) | Q(ended_on__gte=F("start"))
            ),
            models.CheckConstraint(
                name="posting_end_with_reason",
                condition=Q(ended_on=None, end_reason="") | (Q(ended_on__isnull=False) & ~Q(end_reason="")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.cadre_id} {self.village_id} {self.role}"
