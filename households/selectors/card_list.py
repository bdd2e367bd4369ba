"""The list of cards as one asks for it: scope, filters, search and order of an address; its pages; what is on.

The page of the list and the export job read the same address here, so that a file holds what the page showed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import BigIntegerField, ExpressionWrapper, F, QuerySet
from django.http import QueryDict
from django.utils.translation import gettext as _

from changde.accounts.areas import covers
from changde.accounts.models import User
from changde.divisions.codes import Level, contains
from changde.divisions.models import Division
from changde.web.keyset import PAGE_SIZE, KeysetPage
from households.filters import KEYS, NO_LABOUR, ORDERS, CardFilter
from households.models import Household, HouseholdStatus, ListedCard, ListedMember, ListedWithoutLabour, Result, Sheet
from households.selectors import cards as selectors
from households.selectors.search import Search, has_listed_member, listed_members, matching, understand, unsealed

_COUNTY = 10**6
COSTLY_COUNT_LIMIT = 1_000  # what is looked up card by card in a county or the city is counted up to it


@dataclass(frozen=True)
class CardList:
    """What was asked. `division` is the area of the list, `year` the accounting year of sheets and results."""

    user: User
    division: Division | None
    narrowed: bool
    year: int | None
    filter: CardFilter
    search: Search | None
    order: str

    @property
    def values(self) -> dict[str, Any]:
        """The filters that are on, by name; those that cannot be read are not."""
        self.filter.is_valid()
        return {name: value for name, value in self.filter.form.cleaned_data.items() if value not in (None, "")}

    @property
    def is_filtered(self) -> bool:
        return bool(self.search or self.values) or not self.filter.form.is_valid()

    @property
    def cards(self) -> QuerySet[Household]:
        """The cards found, in no order."""
        closed = self.values.get("status") == HouseholdStatus.CLOSED
        return matching(self.filter.qs, self.search, closed=closed) if self.search else self.filter.qs

    @property
    def on(self) -> list[tuple[str, str, str]]:
        """What is on, in words: (name in the address, label, value); of a searched number the kind alone."""
        found = []
        if self.search:
            kinds = {"id_number": _("证件号码"), "phone": _("电话")}
            found.append(("find", _("搜索"), kinds.get(self.search.kind, self.search.text)))
        if self.division and self.narrowed:
            found.append(("within", _("范围"), self.division.name))
        for name, value in self.values.items():
            field = self.filter.form.fields[name]
            choices = dict(getattr(field, "choices", ()))
            shown = choices.get(value, f"{value:f}" if name.startswith("income") else value)
            found.append((name, str(field.label), str(shown)))
        return found

    def page(self, parameters: Mapping[str, Any], *, size: int = PAGE_SIZE) -> KeysetPage:
        """One page of cards with sheet, result and flags of the year (a fixed number of queries)."""
        listed = self._listed()
        wide = not self.division or self.division.level < Level.TOWNSHIP
        looked_up = listed is None and bool(set(self.values) - {"status", "group", "changed_since"})
        limit = COSTLY_COUNT_LIMIT if self.search or wide and looked_up else None
        if self.order == "income":
            # Paged over the sheets: their index holds the order, and a card without a known income has no place in it.
            rows = Sheet.objects.filter(year=self.year or 0, per_capita_income__isnull=False, household__in=self.cards)
            page = KeysetPage(
                rows.select_related("household").prefetch_related("household__village"),
                parameters,
                order=("per_capita_income", "pk"),
                size=size,
                count_limit=limit,
            )
            page.rows = [sheet.household for sheet in page.rows]
        elif listed is not None:
            page = KeysetPage(
                listed.select_related("household").prefetch_related("household__village"),
                parameters,
                order=("village_id", "head_pinyin", "pk"),
                size=size,
                count_limit=limit,
            )
            page.rows = [card.household for card in page.rows]
        elif (members := self._members()) is not None and not self.order:
            # One row a household, however many of its members are found: the index gives them side by side.
            page = KeysetPage(
                members.values("village_id", "head_pinyin", "household_id").distinct(),
                parameters,
                order=("village_id", "head_pinyin", "household_id"),
                size=size,
                unique="household_id",
                count_limit=limit,
            )
            homes = Household.objects.prefetch_related("village").in_bulk([row["household_id"] for row in page.rows])
            page.rows = [homes[row["household_id"]] for row in page.rows if row["household_id"] in homes]
        else:
            page = KeysetPage(self._ordered(), parameters, order=_ORDERS[self.order], size=size, count_limit=limit)
            page.queryset = self.cards if self.order == "changed" else page.queryset  # what the total is counted from
        page.rows = selectors.with_year(page.rows, self.year)
        return page

    def _listed(self) -> QuerySet[Any] | None:
        """The list by outcome, cause and want of labour, with a name or without: they stand beside the order of the
        list, and one index answers. Why somebody is relatively poor does not stand there."""
        on = self.values
        facts = {name: on[name] for name in ("outcome", "cause") if name in on}
        without_labour = on.get("labour") == NO_LABOUR
        if not on or self.order or len(facts) + without_labour < len(on) or self.search and not self.search.by_name:
            return None
        if facts.get("outcome", Result.Outcome.RELATIVE) not in Result.Outcome:
            return None
        year = self.year or 0
        cards = (ListedCard if facts else ListedWithoutLabour).objects.visible_to(self.user).filter(year=year, **facts)
        if facts and without_labour:
            cards = cards.filter(sheet__in=ListedWithoutLabour.objects.filter(year=year).values("sheet"))
        if self.search:
            cards = cards.filter(has_listed_member(self.search))
        return cards.within(self.division.code) if self.division else cards

    def _members(self) -> QuerySet[ListedMember] | None:
        """The list by a name alone: members stand in the order of the list. None where other filters are on, or where
        households are granted one by one: those few are looked at themselves."""
        here = self.division
        if not self.search or not self.search.by_name or self.values or not here:
            return None
        if not covers(self.user, "read_cards", here.code):
            return None
        return listed_members(ListedMember.objects.visible_to(self.user).within(here.code), self.search)

    def _ordered(self) -> QuerySet[Household]:
        cards = self.cards
        if self.order == "number":
            return cards.filter(number__isnull=False)
        if self.order == "changed" and self.division and self.division.level == Level.COUNTY:
            county = ExpressionWrapper(F("village_id") / _COUNTY, output_field=BigIntegerField())
            return cards.alias(county=county).filter(county=self.division.code // _COUNTY)
        return cards


_ORDERS: dict[str, tuple[str, ...]] = {
    "": ("village_id", "head_pinyin", "pk"),
    "changed": ("-changed_at", "-pk"),
    "number": ("village_id", "number", "pk"),
}


def card_list(user: User | AnonymousUser, here: Division | None, parameters: QueryDict) -> CardList:
    """Read an address: `here` is the division one works in; `within` narrows it, never widens it."""
    within = code_within(here, parameters.get("within", ""))
    division = Division.objects.filter(code=within).first() if within else here
    year = selectors.latest_year(user, division)
    groups = selectors.groups_of(user, division) if division and division.level == Level.VILLAGE else None
    order = parameters.get("order", "")
    return CardList(
        user=user,  # type: ignore[arg-type]
        division=division or here,
        narrowed=bool(within),
        year=year,
        filter=CardFilter(parameters, queryset=selectors.cards_in(user, division or here), year=year, groups=groups),
        search=understand(unsealed(user, parameters.get("find", ""))),  # type: ignore[arg-type]
        order=order if order in dict(ORDERS) else "",
    )


def code_within(here: Division | None, text: str) -> int | None:
    """The code of a division inside the one worked in, else None."""
    code = int(text) if len(text) == 12 and text.isascii() and text.isdecimal() else 0
    return code if here and code and contains(here.code, code) else None


def kept_query(parameters: QueryDict, *, search: bool = False) -> str:
    """The part of an address that is worth keeping: filters and order; the sealed search only when asked for."""
    query = QueryDict(mutable=True)
    for name in (*KEYS, "find") if search else KEYS:
        if value := parameters.get(name, ""):
            query[name] = value
    return query.urlencode()
