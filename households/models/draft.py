"""What a person typed into the form of a card and has not saved: one person's, encrypted, forgotten after a while."""

import json
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from changde.accounts.areas import ScopedQuerySet
from changde.accounts.models import User
from changde.crypto.cipher import decrypt, encrypt
from changde.divisions.models import Division
from households.models.household import Household

# A draft nobody touches is forgotten after so long, a discarded one sooner; docs/entering.md says so to people.
KEPT_FOR = timedelta(days=30)
DISCARDED_FOR = timedelta(days=7)
NOTICE = timedelta(days=7)


class CardDraftQuerySet(ScopedQuerySet):
    area_field = "village_id"
    read_capability = "edit_cards"

    def visible_to(self, user: User | AnonymousUser, capability: str | None = None) -> Any:
        """Only the owner's own, and of these only where the owner may still enter cards.

        A new card whose village is not chosen yet lies in no area: its owner sees it while entering cards at all.
        """
        if not user.is_authenticated or not user.can(capability or self.read_capability):
            return self.none()
        scoped = super().visible_to(user, capability)
        return (scoped | self.filter(village=None)).filter(owner=user)

    def current(self) -> Any:
        """Not discarded and not over time, whether or not the nightly sweep has been."""
        return self.filter(discarded_at=None, changed_at__gt=timezone.now() - KEPT_FOR)

    def restorable(self) -> Any:
        return self.filter(discarded_at__gt=timezone.now() - DISCARDED_FOR)

    def over_time(self) -> Any:
        now = timezone.now()
        return self.filter(Q(changed_at__lte=now - KEPT_FOR) | Q(discarded_at__lte=now - DISCARDED_FOR))


class CardDraft(models.Model):
    """The raw controls of one form. `content` is AES-GCM over JSON [[name, value], ...], bound to this row's id.

    `client_key` is the form's own key: whatever is sent with it is this one row. `writer` is one opened page and
    `sequence` counts its sendings, so that a late or repeated one changes nothing; `revision` counts what was kept.
    `household` is None for a new card; `base_version` is the version the form was opened with.
    """

    owner = models.ForeignKey(User, models.CASCADE, related_name="+")
    client_key = models.UUIDField()
    household = models.ForeignKey(Household, models.CASCADE, null=True, related_name="+")
    village = models.ForeignKey(Division, models.PROTECT, null=True, verbose_name=_("行政村"))
    year = models.SmallIntegerField(_("年度"), null=True)
    base_version = models.PositiveIntegerField(null=True)
    content = models.BinaryField(null=True)
    revision = models.PositiveIntegerField(default=0)
    writer = models.UUIDField(null=True)
    sequence = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    changed_at = models.DateTimeField(db_default=Now())
    discarded_at = models.DateTimeField(null=True)

    objects = CardDraftQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["changed_at"]), models.Index(fields=["owner", "-changed_at"])]
        constraints = [
            models.UniqueConstraint(fields=["owner", "client_key"], name="card_draft_once"),
            models.CheckConstraint(
                name="card_draft_base_of_a_card", condition=Q(base_version=None) | Q(household__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"draft {self.pk}"

    @property
    def controls(self) -> list[tuple[str, str]]:
        """(name, value) of every control that held something, as the form would post them; a name may repeat."""
        text = decrypt(self.content, field="card_draft.content", owner=self.pk)
        return [(name, value) for name, value in json.loads(text or "[]")]

    def hold(self, text: str) -> None:
        """Take the controls as JSON text, encrypted for this row."""
        self.content = encrypt(text, field="card_draft.content", owner=self.pk)

    @property
    def forgotten_at(self) -> datetime:
        return self.changed_at + KEPT_FOR

    @property
    def is_soon_forgotten(self) -> bool:
        return self.forgotten_at - timezone.now() < NOTICE

    @property
    def is_behind(self) -> bool:
        """Somebody saved the card after this draft's form was opened: saving it goes through the comparison."""
        return bool(self.household and self.base_version and self.base_version < self.household.version)
