"""How people look at lists: the columns of cards they chose, the filters of cards and leads they keep."""

from datetime import timedelta

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from changde.accounts.areas import ScopedQuerySet

UNDO_FOR = timedelta(days=30)  # how long a deleted filter can be taken back


class ColumnChoice(models.Model):
    """The columns a person wants to see in the list of cards, by their names in households.columns."""

    scope = "reference"  # about the person at the desk, about no household

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    columns = ArrayField(models.CharField(max_length=30))

    def __str__(self) -> str:
        return f"{self.user_id}: {', '.join(self.columns)}"


class SavedFilterQuerySet(ScopedQuerySet):
    area_field = "area"

    def visible_to(self, user, capability=None):
        """One's own, and what colleagues of the same office share: people with a post at the very same division."""
        if not user.is_authenticated or not user.can(capability or self.read_capability):
            return self.none()
        offices = [post.division_id for post in user.open_posts]
        return self.filter(Q(owner=user) | Q(shared=True, area__in=offices))

    def kept(self):
        return self.filter(deleted_at=None)


class SavedFilter(models.Model):
    """A filter of a list under a name. `query` is the address's query: names and values of filters, never a search.

    `listing` is the list it is of (households.listings). `area` is the division of the office it is shared with. A
    deleted one stays a while, so that it can be taken back.
    """

    class Listing(models.TextChoices):
        CARDS = "cards", _("户卡")
        LEADS = "leads", _("线索核查")

    listing = models.CharField(max_length=10, choices=Listing, default=Listing.CARDS, db_default=Listing.CARDS)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    area = models.BigIntegerField()
    name = models.CharField(_("名称"), max_length=40)
    query = models.TextField()
    shared = models.BooleanField(_("与本单位同事共用"), default=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    deleted_at = models.DateTimeField(null=True)

    objects = SavedFilterQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        indexes = [models.Index(fields=["area"], condition=Q(shared=True, deleted_at=None), name="saved_filter_shared")]
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "listing", "name"], condition=Q(deleted_at=None), name="saved_filter_name_once"
            ),
            models.CheckConstraint(name="saved_filter_listing", condition=Q(listing__in=["cards", "leads"])),
            models.CheckConstraint(name="saved_filter_has_name", condition=~Q(name="")),
        ]

    def __str__(self) -> str:
        return self.name
