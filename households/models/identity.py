"""One ID number, one active card: uniqueness over the whole city in a table of its own."""

from django.db import models

from changde.accounts.areas import ScopedQuerySet
from households.models.household import Household
from households.models.person import Person


class IdentityClaimQuerySet(ScopedQuerySet):
    area_field = "household__village_id"
    household_field = "household_id"


class IdentityClaim(models.Model):
    """The number (as keyed hash) that an open membership holds; the primary key decides a race."""

    number_hash = models.BinaryField(primary_key=True, max_length=32)
    person = models.OneToOneField(Person, models.CASCADE, related_name="claim")
    household = models.ForeignKey(Household, models.CASCADE, related_name="claims")

    objects = IdentityClaimQuerySet.as_manager()
