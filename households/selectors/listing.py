"""What a person chose for the list of cards, and one's exports."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from changde.accounts.models import User
from changde.web.keyset import KeysetPage
from households.columns import STANDARD, Column, named
from households.models import CardExport, ColumnChoice, SavedFilter
from households.models.listing import UNDO_FOR


def columns_of(user: User) -> Sequence[Column]:
    """The columns of the list for this person."""
    choice = ColumnChoice.objects.filter(user=user).values_list("columns", flat=True).first()
    return named(choice or STANDARD)


def kept_filters(user: User, listing: str = SavedFilter.Listing.CARDS) -> QuerySet[SavedFilter]:
    """Of one list: one's own and the office's, by name."""
    return SavedFilter.objects.visible_to(user).kept().filter(listing=listing).select_related("owner")


def deleted_filters(user: User) -> QuerySet[SavedFilter]:
    """One's own that can still be taken back, the latest first."""
    since = timezone.now() - UNDO_FOR
    return SavedFilter.objects.filter(Q(owner=user) & Q(deleted_at__gte=since)).order_by("-deleted_at")


def exports_of(user: User, parameters: Mapping[str, Any]) -> KeysetPage:
    """One's exports, the latest first, without their files."""
    found = CardExport.objects.visible_to(user).defer("file_cipher").select_related("job")
    return KeysetPage(found, parameters, order=["-id"], size=20)
