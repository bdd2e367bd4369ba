"""The city page and the pages below it (figures of divisions), from what is kept per village."""

from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from django.test import Client
from django.urls import reverse

from changde.measure.pages import Ask, measure, sign_in, summary, worst
from changde.measure.registry import Say, add_trial_arguments
from households.benchmarks._cities import person, place_of, two_cities

HELP = "server time of the figures of city, county, township and village at two sizes of the city"
add_arguments: Callable[[ArgumentParser], None] = add_trial_arguments

LEVELS = ("city", "county", "township", "village")


def run(options: dict[str, Any], say: Say) -> dict[str, Any]:
    """Of every level p95 and median, queries and bytes."""
    with two_cities(options, say) as cities:
        cases = {}
        for level in LEVELS:
            asks = [city.call(_ask, level) for city in cities]
            cases[level] = summary(*measure(cities, asks, options["rounds"]))
            say(f"{level:<24} {cases[level]}")
    return {"households": [options["small"], options["large"]], **worst(cases), "cases": cases}


def _ask(level: str) -> tuple[Client, Ask]:
    return sign_in(person(level)), Ask(reverse("city", args=[place_of(level)]))
