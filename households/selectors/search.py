"""One search box: what a text can mean, and the cards it finds."""

import base64
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from changde.accounts.models import User
from changde.crypto.cipher import CannotDecrypt, blind_index, decrypt, encrypt
from households.domain import id_number
from households.models import Household, ListedMember, Membership

Kind = Literal["id_number", "phone", "number", "letters", "name"]
LONGEST = 60


@dataclass(frozen=True)
class Search:
    """A text as the box understands it. `sensitive` searches are logged (without the text)."""

    kind: Kind
    text: str

    @property
    def sensitive(self) -> bool:
        return self.kind in ("id_number", "phone")

    @property
    def by_name(self) -> bool:
        return self.kind in ("letters", "name")

    @property
    def understood(self) -> str:
        """How the text was read, in words; a number of a person is never repeated."""
        words = {
            "id_number": _("按证件号码查找：户主或任一家庭成员的号码与它完全相同"),
            "phone": _("按电话查找：户卡或任一家庭成员的电话与它完全相同"),
            "number": _("按户编号查找：户编号以“%(text)s”开头"),
            "letters": _("按拼音查找：户主或家庭成员姓名的首字母或全拼以“%(text)s”开头"),
            "name": _("按姓名查找：户主或家庭成员的姓名以“%(text)s”开头"),
        }
        return words[self.kind] % {"text": self.text}


def understand(text: str) -> Search | None:
    """Read a text: full width, spaces and case do not matter; None when nothing was typed."""
    text = unicodedata.normalize("NFKC", text).replace("\0", "").strip()
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


def matching(cards: QuerySet[Household], search: Search, *, closed: bool = False) -> QuerySet[Household]:
    """Of `cards`, those the search finds: by their number, or by any member who is on the card now.

    The head is a member too, so names are looked for among members alone: an OR of both would scan every card.
    `closed`: the cards are closed ones; they are few, and their members are not listed. Without it, a search by name
    leaves closed cards out.
    """
    if search.kind == "number":
        # A range of the unique index; a prefix by LIKE would need a second one.
        return cards.filter(number__gte=search.text, number__lt=search.text + "\uffff")
    if search.by_name and not closed:
        return cards.filter(has_listed_member(search, household="pk"))
    members = _members(search)
    if search.kind == "phone":
        ids = Household.objects.filter(phone_hash=_hash(search)).values("pk").union(members.values("household_id"))
        return cards.filter(pk__in=ids)
    return cards.filter(Exists(members.filter(household=OuterRef("pk"))))


def found_members(cards: Iterable[Household], search: Search | None) -> dict[int, list[str]]:
    """Names of the members, other than the head, by whom each card of a page was found (one query)."""
    if search is None or search.kind == "number":
        return {}
    found = defaultdict(list)
    rows = _members(search).filter(household__in=list(cards)).exclude(relation=Membership.HEAD).order_by("position")
    for household, name in rows.values_list("household_id", "person__name"):
        found[household].append(name)
    return dict(found)


def listed_members(members: QuerySet[ListedMember], search: Search) -> QuerySet[ListedMember]:
    """Of the members listed on open cards, those whose name the search finds."""
    return members.filter(_named(search, ""))


def has_listed_member(search: Search, *, household: str = "household_id") -> Exists:
    """Somebody whose name the search finds is listed on the card of the row.

    The keys of the list's order name the household once more, so that the index of the order finds its members.
    """
    keys = {"village_id": "village_id", "head_pinyin": "head_pinyin", "household": household}
    own = {name: OuterRef(column) for name, column in keys.items()}
    return Exists(listed_members(ListedMember.objects.filter(**own), search))


def _members(search: Search) -> QuerySet[Membership]:
    members = Membership.objects.open()
    if search.kind == "id_number":
        return members.filter(person__id_number_hash=_hash(search))
    if search.kind == "phone":
        return members.filter(person__phone_hash=_hash(search))
    return members.filter(_named(search, "person__"))


def _named(search: Search, path: str) -> Q:
    if search.kind == "letters":
        initials = search.text.replace(" ", "")
        return Q(**{f"{path}initials__startswith": initials}) | Q(**{f"{path}pinyin__startswith": search.text})
    return Q(**{f"{path}name__startswith": search.text})


def _hash(search: Search) -> bytes | None:
    if search.kind == "phone":
        return blind_index(search.text, kind="phone")
    number = id_number.parse(search.text)  # an old 15-digit number is stored in its 18-character form
    return blind_index(number.number if number else search.text, kind="id")


# -- a searched text in an address: names and numbers of people must not be readable there --


def sealed(user: User, text: str) -> str:
    """The text as it may stand in an address: encrypted for this person."""
    blob = encrypt(text, field="search", owner=user.pk) or b""
    return base64.urlsafe_b64encode(blob).decode().rstrip("=")


def unsealed(user: User, code: str) -> str:
    """The searched text of an address; empty when it is not this person's or was changed."""
    try:
        blob = base64.urlsafe_b64decode(code + "=" * (-len(code) % 4))
        return decrypt(blob or None, field="search", owner=user.pk) or ""
    except (ValueError, IndexError, CannotDecrypt):
        return ""
