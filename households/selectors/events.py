"""What the pages of household events read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404

from changde.accounts.areas import covers
from changde.accounts.models import User
from changde.crypto.cipher import blind_index
from changde.divisions.models import Division
from changde.web.keyset import KeysetPage
from households.domain import id_number
from households.domain.events import DIED, DUPLICATE, UNDONE
from households.models import FormerVillage, Household, IdentityClaim, LifeEvent, Membership, MoveRequest, Person, Sheet
from households.selectors.cards import Reader, card_of
from households.selectors.history import rows_at


def editable_card(user: User, household_id: int) -> Household:
    """The card, when the user may make events of it; 404 for absent and for not yours alike."""
    household = card_of(user, household_id)
    if not covers(user, "edit_cards", household.village_id):
        raise Http404
    return household


def events_of(household: Household) -> QuerySet[LifeEvent]:
    """Events that touched the card, the latest first; the caller has checked that the card may be read."""
    found = LifeEvent.objects.of(household).select_related("by", "household", "other", "undoes", "undone_by")
    return found.order_by("-pk")


def present_members(household: Household) -> list[Membership]:
    return list(
        Membership.objects.open().filter(household=household).select_related("person").order_by("position", "pk")
    )


def gone_members(household: Household) -> list[Membership]:
    """Who left the card and may come back: the last membership of each, unless dead, double, or on a card now."""
    at_home = Membership.objects.open().values("person")
    found = (
        Membership.objects.filter(household=household)
        .exclude(until=None)
        .exclude(person__in=at_home)
        .select_related("person")
        .order_by("position", "pk")
    )
    latest = {row.person_id: row for row in found}
    return [row for row in latest.values() if row.end_reason not in (DIED, DUPLICATE, UNDONE)]


def card_named(user: User, text: str, *, limit: int = 3) -> list[Household]:
    """Open cards the user may edit: by household number, the head's ID number, or the head's whole name."""
    cards = Household.objects.visible_to(user, "edit_cards").open().select_related("village")
    number = id_number.parse(text)
    if number:
        hashed = blind_index(number.number, kind="id")
        holders = IdentityClaim.objects.filter(number_hash=hashed).values("household")
        return list(cards.filter(pk__in=holders)[:limit])
    return list(cards.filter(number=text)[:limit]) or list(cards.filter(head_name=text).order_by("pk")[:limit])


def villages_named(text: str, *, limit: int) -> list[Division]:
    """Villages by the beginning of their name, or the one of a code."""
    villages = Division.objects.current().villages()
    if text.isascii() and text.isdecimal():
        return list(villages.filter(code=int(text))) if len(text) == 12 else []
    return list(villages.filter(name__startswith=text).order_by("code")[:limit]) if text else []


# -- moves ------------------------------


def move_requests(user: User, parameters: Mapping[str, Any], *, state: str) -> KeysetPage:
    """Moves from and to the user's villages, newest first: waiting ones, or the decided."""
    found = MoveRequest.objects.visible_to(user).select_related("household", "from_village", "to_village")
    found = found.waiting() if state == "asked" else found.exclude(state=MoveRequest.State.ASKED)
    return KeysetPage(found, parameters, order=["-id"])


def move_request(user: User, pk: int) -> MoveRequest:
    found = MoveRequest.objects.visible_to(user).select_related(
        "household", "from_village", "to_village", "asked_by", "decided_by"
    )
    return get_object_or_404(found, pk=pk)


def moves_to_receive(user: User, code: int) -> QuerySet[MoveRequest]:
    """Waiting moves into the division, which somebody else asked for, the oldest first."""
    found = MoveRequest.objects.to_receive(user, "edit_cards").waiting().exclude(asked_by=user)
    within = Division.objects.within(code).values("code")
    return found.filter(to_village__in=within).select_related("to_village").order_by("asked_at")


# -- cards that moved away ------------------------------


@dataclass(frozen=True)
class FormerCard:
    """A card as it was on the day it left the village; nothing later."""

    former: FormerVillage
    household: Any
    sheet: Sheet | None
    years: list[int]
    members: list[tuple[Any, str]]  # person row as it was, relation


def former_of(user: Reader, household_id: int) -> FormerVillage:
    """The latest time the card lived in the user's area and moved out of it; 404 when it never did."""
    found = FormerVillage.objects.visible_to(user).standing().filter(household=household_id)
    former = found.select_related("household", "village").order_by("-pk").first()
    if former is None:
        raise Http404
    return former


def former_card(former: FormerVillage, year: int | None = None) -> FormerCard:
    """The card before the move, put together from the row history (selectors.history.rows_at)."""
    household = former.household
    earlier = rows_at(household, former.version)
    sheets = {
        row.year: earlier.get((Sheet, row.pk), row)
        for row in Sheet.objects.filter(household=household, village=former.village_id)
    }
    years = sorted(sheets, reverse=True)
    year = year if year in sheets else years[0] if years else None
    lived = Membership.objects.filter(pk__in=former.memberships).select_related("person").order_by("position", "pk")
    members = [
        (earlier.get((Person, row.person_id), row.person), earlier.get((Membership, row.pk), row).relation)
        for row in lived
    ]
    then = earlier.get((Household, household.pk), household)
    return FormerCard(former, then, sheets.get(year) if year else None, years, members)


def gives(user: User, asked: MoveRequest) -> bool:
    """Is the user of the giving side?"""
    return covers(user, "edit_cards", asked.from_village_id)


def reachable_card(user: Reader, household_id: int) -> str:
    """Which page of a card the user may open: the card itself, the one it was before it moved, or none."""
    if Household.objects.visible_to(user).filter(pk=household_id).exists():
        return "card"
    moved = FormerVillage.objects.visible_to(user).standing().filter(household=household_id)
    return "former" if moved.exists() else ""
