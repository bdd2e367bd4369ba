"""How often a rule of leads proved right: what its next lead counts."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class LeadRule(models.Model):
    """Decisions on the leads of one rule in the whole city, and its weight (domain.priority). Made anew every night."""

    scope = "reference"

    kind = models.CharField(max_length=30)
    code = models.CharField(max_length=40)
    confirmed = models.PositiveIntegerField(default=0)
    dismissed = models.PositiveIntegerField(default=0)
    weight = models.FloatField()
    counted_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "code"], name="lead_rule_once"),
            models.CheckConstraint(name="lead_rule_weight", condition=Q(weight__gte=0, weight__lte=1)),
        ]

    def __str__(self) -> str:
        return f"{self.kind}/{self.code}: {self.weight:.2f}"
