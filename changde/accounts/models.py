"""Users, their posts (role at a division, from-to) and grants (single households)."""

from datetime import date

from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from changde.accounts.roles import ADMINISTRATORS, Role, capabilities_of
from changde.divisions.models import Division


class PeriodQuerySet(models.QuerySet):
    def on(self, day: date) -> "PeriodQuerySet":
        return self.filter(Q(valid_to=None) | Q(valid_to__gt=day), valid_from__lte=day)


class User(AbstractUser):
    """A person with a login, or the account of a county system. Rights come from posts and grants alone."""

    first_name = last_name = None  # type: ignore[assignment]
    name = models.CharField(_("姓名"), max_length=60)
    language = models.CharField(_("语言"), max_length=10, default="zh-hans")
    is_client = models.BooleanField(default=False, help_text="a system that talks REST, never a browser")

    objects = UserManager()  # type: ignore[misc]

    @property
    def display_name(self) -> str:
        return self.name or self.username

    @cached_property
    def open_posts(self) -> list["Post"]:
        """Posts held today, read once per request (a user object lives one request)."""
        return list(self.posts.on(timezone.localdate()).select_related("division").order_by("division_id", "role"))

    @cached_property
    def roles(self) -> frozenset[str]:
        return frozenset(post.role for post in self.open_posts)

    @cached_property
    def capabilities(self) -> frozenset[str]:
        return capabilities_of(set(self.roles))

    def can(self, capability: str) -> bool:
        return self.is_active and capability in self.capabilities


class Post(models.Model):
    """A role held at a division for a time."""

    user = models.ForeignKey(User, models.CASCADE, related_name="posts")
    role = models.CharField(max_length=20, choices=Role)
    division = models.ForeignKey(Division, models.PROTECT)
    valid_from = models.DateField(default=timezone.localdate)
    valid_to = models.DateField(null=True, blank=True)
    given_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    objects = PeriodQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(name="post_period", condition=Q(valid_to=None) | Q(valid_to__gte=F("valid_from"))),
            models.UniqueConstraint(
                fields=["user", "role", "division"], condition=Q(valid_to=None), name="post_open_once"
            ),
            models.UniqueConstraint(
                fields=["user"],
                condition=Q(valid_to=None, role__in=sorted(ADMINISTRATORS)),
                name="post_one_administrator_duty",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_role_display()} · {self.division}"


class Grant(models.Model):
    """The right to one household, written downwards by the app that knows why (a helper's pairing)."""

    user = models.ForeignKey(User, models.CASCADE, related_name="grants")
    household_id = models.BigIntegerField()
    reason = models.CharField(max_length=60)
    valid_from = models.DateField(default=timezone.localdate)
    valid_to = models.DateField(null=True, blank=True)

    objects = PeriodQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(name="grant_period", condition=Q(valid_to=None) | Q(valid_to__gte=F("valid_from"))),
            models.UniqueConstraint(
                fields=["user", "household_id"], condition=Q(valid_to=None), name="grant_open_once"
            ),
        ]
