"""Administrative divisions over time."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from changde.divisions.codes import Level, code_range


class DivisionQuerySet(models.QuerySet):
    def within(self, code: int) -> "DivisionQuerySet":
        """The division itself and all below it."""
        return self.filter(code__range=code_range(code))

    def current(self) -> "DivisionQuerySet":
        return self.filter(valid_to=None)

    def villages(self) -> "DivisionQuerySet":
        return self.filter(level=Level.VILLAGE)


class Division(models.Model):
    """A city, county, township or village; the statistical code is the key, so that a range of codes is an area."""

    class Kind(models.TextChoices):
        RURAL = "rural", _("农村")
        URBAN = "urban", _("城镇")

    LEVELS = [
        (Level.CITY, pgettext_lazy("level", "市")),
        (Level.COUNTY, pgettext_lazy("level", "县")),
        (Level.TOWNSHIP, pgettext_lazy("level", "乡镇")),
        (Level.VILLAGE, pgettext_lazy("level", "村")),
    ]

    code = models.BigIntegerField(primary_key=True)
    name = models.CharField(max_length=60)
    level = models.SmallIntegerField(choices=LEVELS)
    parent = models.ForeignKey("self", models.PROTECT, null=True, related_name="children")
    kind = models.CharField(max_length=5, choices=Kind, blank=True)
    pinyin = models.CharField(max_length=200, help_text="sort key")
    initials = models.CharField(max_length=60, help_text="pinyin initials, for search")
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)
    successors = models.ManyToManyField("self", symmetrical=False, related_name="predecessors")

    objects = DivisionQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["level", "code"]), models.Index(fields=["name"])]
        constraints = [
            models.CheckConstraint(name="division_code_12", condition=models.Q(code__range=(10**11, 10**12 - 1))),
            models.CheckConstraint(
                name="division_kind_of_villages", condition=models.Q(level=Level.VILLAGE) ^ models.Q(kind="")
            ),
            models.CheckConstraint(
                name="division_period",
                condition=models.Q(valid_to=None) | models.Q(valid_to__gt=models.F("valid_from")),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def range(self) -> tuple[int, int]:
        return code_range(self.code)

    def path(self) -> list["Division"]:
        """City, county, township, village down to this one (one query)."""
        codes = {
            code for level in Level if (code := self.code - self.code % 10 ** (8, 6, 3, 0)[level - 1]) <= self.code
        }
        found = {division.code: division for division in Division.objects.filter(code__in=codes)}
        return [found[code] for code in sorted(found)]

    @property
    def is_rural(self) -> bool:
        return self.kind == self.Kind.RURAL
