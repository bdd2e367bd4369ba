"""Something an office must look into; never a decision.

Two kinds of finding share the table. Notes of checks are about what was typed, and the village answers them. Leads are
about who was helped: hits in registers, signs of favor or falsification, households left out or kept on; an office
visits, hears the household and decides, and the village cadre is not shown them (services/leads.py).

A note of a check waits for the reviewer (open, not returned), goes back to the village with a reason (returned), comes
again with an explanation, and ends accepted by a reviewer or corrected by a change of the card.
"""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from changde.accounts.areas import ScopedQuerySet, between, ranges_of
from changde.divisions.codes import Level, level_of
from changde.divisions.models import Division
from households.models.history import keep_history_but
from households.models.household import Household
from households.models.person import Person


class FindingQuerySet(ScopedQuerySet):
    area_field = "village_id"
    household_field = None
    read_capability = "read_results"

    def open(self):
        return self.filter(decided_at=None)

    def of_checks(self):
        """Notes of the checks of a card: what the reviewer's desk decides (a number on two cards has its own desk)."""
        return self.filter(kind=Finding.Kind.YELLOW_CHECK)

    def of_leads(self):
        """What an office follows up with a visit; notes of checks and numbers on two cards have desks of their own."""
        return self.filter(kind__in=Finding.LEADS)

    def leads_visible_to(self, user, capability="read_leads"):
        """Leads of the person's areas; those about people of an office only where the post is a county's or higher."""
        scope = Q()
        for first, last in ranges_of(user, capability):
            here = between("village_id", first, last)
            scope |= here if level_of(first) <= Level.COUNTY else here & ~Q(kind__in=Finding.ABOUT_OFFICES)
        return self.filter(scope, owner__isnull=False) if scope else self.none()

    def waiting(self):
        """Open, and with the reviewer."""
        return self.open().filter(returned_at=None)

    def returned(self):
        """Open, and back with the village."""
        return self.open().filter(returned_at__isnull=False)


@keep_history_but("doubt")
class Finding(models.Model):
    """A lead on a card: kind, facts (codes and figures, no numbers of people), and what an office decided.

    `mark` is a keyed hash of the values the check looked at: a note a reviewer accepted comes again only when they
    change. `severity` is red where a stored card breaks a red check: it can be corrected, never accepted.
    """

    class Kind(models.TextChoices):
        DUPLICATE_NUMBER = "duplicate_number", _("同一证件号码出现在两张户卡")
        YELLOW_CHECK = "yellow_check", _("数据疑点")
        STATUS_DIFFERS = "status_differs", _("表内属性与系统状态不一致")
        # hits in department registers
        VEHICLE = "vehicle", _("名下有车辆")
        REAL_ESTATE = "real_estate", _("名下有商品房")
        PUBLIC_PAYROLL = "public_payroll", _("有财政供养人员")
        COMPANY = "company", _("名下有企业")
        DECEASED = "deceased", _("成员已死亡")
        MEDICAL = "medical", _("大额医疗支出")
        SCHOOL = "school", _("学籍与户卡不一致")
        DISABILITY = "disability", _("残疾登记与户卡不一致")
        DIBAO = "dibao", _("低保登记与户卡不一致")
        INSURANCE = "insurance", _("社会保险与户卡不一致")
        # favor and falsification
        KIN = "kin", _("与村干部有亲属等关系")
        INCOME_IMPLAUSIBLE = "income_implausible", _("申报收入与条件不符")
        BUNCHING = "bunching", _("收入集中在线下")
        DIGIT_PREFERENCE = "digit_preference", _("数字取整过多")
        TYPING_SPEED = "typing_speed", _("录入过快")
        PAPER_SPLIT = "paper_split", _("疑似拆户分户")
        VILLAGE_RATE = "village_rate", _("村贫困发生率异常")
        # outcome against status (domain: identification)
        LEFT_OUT = "left_out", _("应纳未纳")
        MARGINAL = "marginal", _("边缘易致贫")
        RETURNED = "returned", _("疑似返贫")
        UNSTABLE = "unstable", _("脱贫不稳定")
        SUDDEN_HARDSHIP = "sudden_hardship", _("突发严重困难")
        EXIT_DUE = "exit_due", _("应退未退")
        CLINGING = "clinging", _("长期未退")
        GUARANTEE_GAP = "guarantee_gap", _("保障有缺口")

    class Decision(models.TextChoices):
        ACCEPTED = "accepted", _("予以认可")
        CORRECTED = "corrected", _("已更正")
        CONFIRMED = "confirmed", _("属实")
        DISMISSED = "dismissed", _("不属实")

    LEADS = tuple(
        kind for kind in Kind.values if kind not in ("duplicate_number", "yellow_check", "status_differs")
    )  # fmt: skip

    # About the people who type and decide in a place: read and decided by the county or the city.
    ABOUT_OFFICES = ("kin", "bunching", "digit_preference", "typing_speed", "village_rate")

    household = models.ForeignKey(Household, models.CASCADE, related_name="findings")
    person = models.ForeignKey(Person, models.CASCADE, null=True, related_name="+")
    village = models.ForeignKey(Division, models.PROTECT)
    kind = models.CharField(max_length=30, choices=Kind)
    code = models.CharField(max_length=40, blank=True, help_text="the check that fired, or the rule of a lead")
    severity = models.CharField(max_length=6, default="yellow")
    mark = models.BinaryField(null=True, max_length=32)
    blocks = models.BooleanField(default=False, help_text="sets the flag verify: no posting until decided")
    facts = models.JSONField(default=dict)
    score = models.FloatField(_("把握"), null=True, help_text="of a lead: 0 to 1, how sure its rule is")
    doubt = models.FloatField(
        db_default=1.0, help_text="of a lead: the chance that no open lead of the household is right; smallest first"
    )
    year = models.SmallIntegerField(_("年度"), null=True, help_text="of a lead: the accounting year it speaks of")
    owner = models.ForeignKey(
        Division, models.PROTECT, null=True, related_name="+", help_text="of a lead: the office that looks into it"
    )
    due_on = models.DateField(_("办理期限"), null=True)
    visited_on = models.DateField(_("走访日期"), null=True)
    visited_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    visit_note = models.CharField(_("走访情况"), max_length=300, blank=True)
    no_visit_reason = models.CharField(_("不需走访的理由"), max_length=300, blank=True)
    answer = models.CharField(_("农户的说法"), max_length=300, blank=True)
    handed_at = models.DateTimeField(null=True)
    handed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    hand_reason = models.CharField(_("转办原因"), max_length=300, blank=True)
    found_at = models.DateTimeField(db_default=Now(), editable=False)
    noted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        help_text="who wrote the card; null: night",
    )
    explanation = models.CharField(_("说明"), max_length=300, blank=True)
    explained_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    explained_at = models.DateTimeField(null=True)
    returned_at = models.DateTimeField(null=True)
    returned_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    return_reason = models.CharField(_("退回原因"), max_length=300, blank=True)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    decision = models.CharField(max_length=20, blank=True)
    reason = models.CharField(max_length=300, blank=True)

    objects = FindingQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["village", "kind", "id"], condition=Q(decided_at=None), name="finding_open"),
            models.Index(fields=["decided_by", "-decided_at"], condition=Q(decision="accepted"), name="finding_by"),
            models.Index(fields=["household"], condition=Q(decided_at=None, blocks=True), name="finding_blocks"),
            models.Index(fields=["owner", "due_on", "id"], condition=Q(decided_at=None), name="finding_owner_due"),
            # The desk: an office's own queue, and one of an area (the smallest doubt first).
            models.Index(
                fields=["owner", "doubt", "due_on", "village", "id"],
                condition=Q(decided_at=None, owner__isnull=False),
                name="finding_owner_desk",
            ),
            models.Index(
                fields=["doubt", "due_on", "village", "id"],
                condition=Q(decided_at=None, owner__isnull=False),
                name="finding_area_desk",
            ),
            models.Index(
                fields=["decided_at"], condition=Q(decision__in=["confirmed", "dismissed"]), name="finding_lead_decided"
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["household", "kind", "code", "person"],
                condition=Q(decided_at=None),
                nulls_distinct=False,
                name="finding_open_once",
            ),
            models.CheckConstraint(
                name="finding_decided_who_when",
                condition=Q(decided_at=None, decided_by=None, decision="")
                | (Q(decided_at__isnull=False, decided_by__isnull=False) & ~Q(decision=""))
                | Q(decided_at__isnull=False, decision="corrected"),  # by the night: nobody's decision
            ),
            models.CheckConstraint(
                name="finding_explained_who_when",
                condition=Q(explanation="", explained_at=None, explained_by=None)
                | (~Q(explanation="") & Q(explained_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="finding_returned_who_when",
                condition=Q(returned_at=None, returned_by=None, return_reason="")
                | (Q(returned_at__isnull=False, returned_by__isnull=False) & ~Q(return_reason="")),
            ),
            models.CheckConstraint(name="finding_red_not_accepted", condition=~Q(severity="red", decision="accepted")),
            models.CheckConstraint(
                name="finding_lead_owned",
                condition=Q(score=None, owner=None, due_on=None)
                | Q(score__gte=0, score__lte=1, owner__isnull=False, due_on__isnull=False),
            ),
            models.CheckConstraint(
                name="finding_visited_who_when",
                condition=Q(visited_on=None, visited_by=None, visit_note="")
                | Q(visited_on__isnull=False, visited_by__isnull=False),
            ),
            models.CheckConstraint(
                name="finding_handed_who_when",
                condition=Q(handed_at=None, handed_by=None, hand_reason="")
                | (Q(handed_at__isnull=False, handed_by__isnull=False) & ~Q(hand_reason="")),
            ),
            models.CheckConstraint(name="finding_doubt_range", condition=Q(doubt__gte=0, doubt__lte=1)),
            models.CheckConstraint(name="finding_severity", condition=Q(severity__in=["red", "yellow"])),
            models.CheckConstraint(
                name="finding_no_number_in_words",
                condition=~Q(explanation__regex=r"[0-9]{15}")
                & ~Q(return_reason__regex=r"[0-9]{15}")
                & ~Q(reason__regex=r"[0-9]{15}")
                & ~Q(visit_note__regex=r"[0-9]{15}")
                & ~Q(answer__regex=r"[0-9]{15}")
                & ~Q(no_visit_reason__regex=r"[0-9]{15}")
                & ~Q(hand_reason__regex=r"[0-9]{15}"),
            ),
        ]

    @property
    def state(self) -> str:
        """For its badge."""
        if self.decision:
            return self.decision
        return "returned" if self.is_returned else "red" if self.severity == "red" else "waiting"

    @property
    def is_lead(self) -> bool:
        return self.owner_id is not None or self.kind in self.LEADS

    @property
    def lead_state(self) -> str:
        """Of a lead, for its badge."""
        if self.decision:
            return self.decision
        late = self.due_on is not None and self.due_on < timezone.localdate()
        return "late" if late else "visited" if self.visited_on else "open"

    @property
    def priority(self) -> float:
        return 1 - self.doubt

    @property
    def is_returned(self) -> bool:
        return self.returned_at is not None and self.decided_at is None
