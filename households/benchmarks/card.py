"""The page of a card and its parts: server time, queries and weight in a small and a large city."""

from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from django.test import Client
from django.urls import reverse

from changde.measure.pages import Ask, measure, sign_in, summary, worst
from changde.measure.registry import Say, add_trial_arguments
from households.benchmarks._cities import person, place_of, two_cities
from households.models import Household

HELP = "server time of the card's page and its parts at two sizes of the city"
add_arguments: Callable[[ArgumentParser], None] = add_trial_arguments

# (level of who looks, address below the card, query); one line a case.
CASES = {
    "overview": ("village", "card", ""),
    "overview, city": ("city", "card", ""),
    "members": ("village", "card", "?tab=members"),
    "income": ("village", "card", "?tab=income"),
    "conditions": ("village", "card", "?tab=conditions"),
    "history": ("village", "card", "?tab=history"),
    "year before": ("village", "card", "?year=2018"),
    "why": ("village", "why", ""),
    "form": ("village", "edit", ""),
}


def run(options: dict[str, Any], say: Say) -> dict[str, Any]:
    """Of every part p95 and median, queries and bytes; above them the worst of all parts."""
    with two_cities(options, say) as cities:
        cases = {}
        for name, case in CASES.items():
            asks = [city.call(_ask, *case) for city in cities]
            cases[name] = summary(*measure(cities, asks, options["rounds"]))
            say(f"{name:<24} {cases[name]}")
    return {"households": [options["small"], options["large"]], **worst(cases), "cases": cases}


def _ask(level: str, page: str, query: str) -> tuple[Client, Ask]:
    """A card of four persons, so that both cities show the same amount."""
    card = Household.objects.within(place_of("village")).filter(persons=4).order_by("pk")[0]
    return sign_in(person(level)), Ask(reverse(f"households:{page}", args=[card.pk]) + query)
