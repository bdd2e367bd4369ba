"""A person's drafts of cards, as pages list and offer them."""

from dataclasses import dataclass
from typing import Any

from changde.accounts.models import User
from households.domain.card import HEAD
from households.models import CardDraft, Household

_MEMBERS = "members-"


@dataclass(frozen=True)
class DraftLine:
    """A draft with what its owner knows it by: the head's name and the number of members typed so far."""

    draft: CardDraft
    head: str
    members: int


def drafts_of(user: User, *, discarded: bool = False) -> list[DraftLine]:
    """The person's drafts, last changed first."""
    own = CardDraft.objects.visible_to(user)
    return _lines(own.restorable() if discarded else own.current())


def drafts_for(user: User, household: Household | None) -> list[DraftLine]:
    """The person's drafts of this card, or of new cards."""
    return _lines(CardDraft.objects.visible_to(user).current().filter(household=household))


def _lines(rows: Any) -> list[DraftLine]:
    return [_line(draft) for draft in rows.select_related("village", "household").order_by("-changed_at", "-pk")[:50]]


def _line(draft: CardDraft) -> DraftLine:
    content = dict(draft.controls)
    named = {
        name.split("-")[1]: value
        for name, value in content.items()
        if name.startswith(_MEMBERS) and name.endswith("-name") and value.strip()
    }
    heads = [value for at, value in named.items() if content.get(f"{_MEMBERS}{at}-relation") == HEAD]
    name = next(iter([*heads, *named.values()]), "")
    return DraftLine(draft, name, len(named))
