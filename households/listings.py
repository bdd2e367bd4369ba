"""The lists whose filters people keep: where each stands, what of its address is kept, and how that reads in words."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _

from changde.accounts.models import User
from changde.divisions.models import Division
from households.forms.leads import GROUP_NAMES, WHOSE_NAMES
from households.models import Finding, HouseholdStatus, SavedFilter
from households.selectors.card_list import card_list, kept_query
from households.selectors.leads import kept_lead_query, state_names

Listing = SavedFilter.Listing


@dataclass(frozen=True)
class KeptList:
    """A list with filters to keep. `capability` reads it; `kept` is the part of an address worth keeping; `words` says
    (label, value) of it for a person at a division."""

    listing: str
    capability: str
    url_name: str
    kept: Callable[[QueryDict], str]
    words: Callable[[User, Division | None, QueryDict], list[tuple[str, str]]]

    @property
    def url(self) -> str:
        return reverse(self.url_name)

    @property
    def label(self) -> str:
        return str(Listing(self.listing).label)


def _card_words(user: User, here: Division | None, query: QueryDict) -> list[tuple[str, str]]:
    return [(label, value) for _name, label, value in card_list(user, here, query).on]


def _lead_words(user: User, here: Division | None, query: QueryDict) -> list[tuple[str, str]]:
    kinds = {**GROUP_NAMES, **dict(Finding.Kind.choices)}
    known: tuple[tuple[str, str, Any], ...] = (
        ("state", _("办理情况"), state_names()),
        ("kind", _("类型"), kinds),
        ("whose", _("范围"), WHOSE_NAMES),
        ("status", _("状态"), dict(HouseholdStatus.choices)),
        ("within", _("区划"), dict(Division.objects.filter(pk=query.get("within") or 0).values_list("pk", "name"))),
    )
    asked: dict[str, Any] = query.dict() | {"within": int(query.get("within") or 0)}
    return [(label, str(names[asked[name]])) for name, label, names in known if asked.get(name) in names]


KEPT_LISTS = {
    Listing.CARDS: KeptList(Listing.CARDS, "read_cards", "households:list", kept_query, _card_words),
    Listing.LEADS: KeptList(Listing.LEADS, "read_leads", "households:leads", kept_lead_query, _lead_words),
}


def lists_of(user: User) -> list[KeptList]:
    """Those the person may read."""
    return [each for each in KEPT_LISTS.values() if user.can(each.capability)]
