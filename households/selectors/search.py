"""One search box: what a text can mean, and the cards it finds."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

from django.db.models import Exists, OuterRef, Q, QuerySet

from changde.crypto.cipher import blind_index
from households.domain import id_number
from households.models import Household, Membership

Kind = Literal["id_number", "phone", "number", "letters", "name"]


@dataclass(frozen=True)
class Search:
    """A text as the box understands it. `sensitive` searches are logged (without the text)."""

    kind: Kind
    text: str

    @property
    def sensitive(self) -> bool:
        return self.kind in ("id_number", "phone")


def understand(text: str) -> Search | None:
    """Read a text: full width, spaces and case do not matter; None when nothing was typed."""
    text = unicodedata.normalize("NFKC", text).strip()
    packed = re.sub(r"[\s-]", "", text).upper()
    if not packed:
        return None
    if re.fullmatch(r"\d{17}[\dX]|\d{15}", packed):
        return Search("id_number", packed)
    if re.fullmatch(r"1\d{10}|0\d{9,11}", packed):
        return Search("phone", packed)
    if re.fullmatch(r"[A-Z]+", packed):
        return Search("letters", re.sub(r"\s+", " ", text).lower())
    if re.search(r"\d", packed):
        return Search("number", packed)
    return Search("name", re.sub(r"\s", "", text))


def matching(cards: QuerySet[Household], search: Search) -> QuerySet[Household]:
    """Of `cards`, those the search finds. Number and phone are found by keyed hash, on any member of the household."""
    if search.kind == "id_number":
        members = Membership.objects.open().filter(household=OuterRef("pk"), person__id_number_hash=_hash(search))
        return cards.filter(Exists(members))
    if search.kind == "phone":
        # Two index look-ups; an OR with a subquery in one statement would read every card of the city.
        own = Household.objects.filter(phone_hash=_hash(search)).values("pk")
        members = Membership.objects.open().filter(person__phone_hash=_hash(search)).values("household")
        return cards.filter(pk__in=own.union(members))
    if search.kind == "number":
        # A range of the unique index; a prefix by LIKE would need a second one.
        return cards.filter(number__gte=search.text, number__lt=search.text + "\uffff")
    if search.kind == "letters":
        initials = search.text.replace(" ", "")
        return cards.filter(Q(head_initials__startswith=initials) | Q(head_pinyin__startswith=search.text))
    return cards.filter(head_name__startswith=search.text)


def _hash(search: Search) -> bytes | None:
    if search.kind == "phone":
        return blind_index(search.text, kind="phone")
    number = id_number.parse(search.text)  # an old 15-digit number is stored in its 18-character form
    return blind_index(number.number if number else search.text, kind="id")
