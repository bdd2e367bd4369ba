"""The list of cards and the search box: server time, queries and weight in a small and a large city."""

import re
from argparse import ArgumentParser
from collections.abc import Callable
from dataclasses import dataclass
from html import unescape
from typing import Any
from urllib.parse import urlencode

from django.test import Client
from django.urls import reverse

from changde.measure.pages import Ask, measure, sign_in, summary, worst
from changde.measure.registry import Say, add_trial_arguments
from households.benchmarks._cities import person, place_of, two_cities
from households.models import Household

HELP = "server time of card lists and searches at two sizes of the city"
PAGES_DEEP = 30  # how far the deep page is turned
add_arguments: Callable[[ArgumentParser], None] = add_trial_arguments


@dataclass(frozen=True)
class Case:
    """A list as one level sees it: filters and order as in its address, the first page or a deep one."""

    level: str
    query: dict[str, str]
    deep: bool = False
    search: str = ""  # which fact of a card is typed into the search box


# One line a case.
CASES = {
    "village": Case("village", {}),
    "village, next page": Case("village", {}, deep=True),
    "village, outcome": Case("village", {"outcome": "relative"}),
    "village, changed": Case("village", {"order": "changed"}),
    "township": Case("township", {}),
    "township, deep page": Case("township", {}, deep=True),
    "township, outcome": Case("township", {"outcome": "absolute"}),
    "township, cause": Case("township", {"cause": "因病"}),
    "township, changed": Case("township", {"order": "changed"}),
    "county": Case("county", {}),
    "county, deep page": Case("county", {}, deep=True),
    "county, status": Case("county", {"status": "registered"}),
    "county, outcome": Case("county", {"outcome": "absolute"}),
    "county, cause": Case("county", {"cause": "因病"}),
    "county, changed": Case("county", {"order": "changed"}),
    "city": Case("city", {}),
    "city, deep page": Case("city", {}, deep=True),
    "city, status": Case("city", {"status": "registered"}),
    "city, outcome": Case("city", {"outcome": "absolute"}),
    "city, cause": Case("city", {"cause": "因病"}),
    "city, changed": Case("city", {"order": "changed"}),
    "village, name": Case("village", {}, search="surname"),
    "township, name": Case("township", {}, search="surname"),
    "county, name": Case("county", {}, search="name"),
    "city, name": Case("city", {}, search="name"),
    "city, surname": Case("city", {}, search="surname"),
    "city, initials": Case("city", {}, search="initials"),
    "county, initials": Case("county", {}, search="initials"),
    "city, ID number": Case("city", {}, search="id_number"),
    "city, phone": Case("city", {}, search="phone"),
    "city, household number": Case("city", {}, search="number"),
    "city, number prefix": Case("city", {}, search="number_prefix"),
}

FACTS: dict[str, Callable[[Household], str]] = {
    "name": lambda card: card.head_name,
    "surname": lambda card: card.head_name[:1],
    "initials": lambda card: card.head_initials,
    "id_number": lambda card: card.memberships.open().latest("position").person.id_number or "",
    "phone": lambda card: card.phone or "",
    "number": lambda card: card.number or "",
    "number_prefix": lambda card: (card.number or "")[:14],
}


def run(options: dict[str, Any], say: Say) -> dict[str, Any]:
    """Of every case p95 and median, queries and bytes; above them the worst of all cases."""
    chosen = CASES
    with two_cities(options, say) as cities:
        cases = {}
        for name, case in chosen.items():
            asks = [city.call(_ask, case) for city in cities]
            cases[name] = summary(*measure(cities, asks, options["rounds"]))
            say(f"{name:<24} {cases[name]}")
    return {"households": [options["small"], options["large"]], **worst(cases), "cases": cases}


def _ask(case: Case) -> tuple[Client, Ask]:
    client = sign_in(person(case.level))
    if case.search:
        return client, Ask(reverse("households:search"), {"q": FACTS[case.search](_a_card(case))})
    address = f"{reverse('households:list')}?{urlencode(case.query)}"
    return client, Ask(_turned(client, address) if case.deep else address)


def _a_card(case: Case) -> Household:
    """A card in the middle of the level's area that has what is searched for."""
    cards = Household.objects.within(place_of(case.level)).exclude(phone_hash=None).order_by("village_id", "pk")
    return cards[min(400, cards.count() // 2)]


def _turned(client: Client, address: str) -> str:
    """The address of the page reached by turning over PAGES_DEEP times, or as far as there are pages."""
    for _ in range(PAGES_DEEP):
        found = re.search(r'href="(\?[^"]*after=[^"]+)"', client.get(address).content.decode())
        if found is None:
            break
        address = f"{reverse('households:list')}{unescape(found[1])}"
    return address
