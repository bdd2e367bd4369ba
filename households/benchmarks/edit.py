"""A changed card: from saving it to its new result being visible, in cities of three sizes."""

import random
from argparse import ArgumentParser
from dataclasses import replace
from decimal import Decimal
from time import perf_counter
from typing import Any

from changde.measure.pages import percentile
from changde.measure.registry import Say, add_size_arguments
from households.benchmarks._cities import one_city
from households.models import Household, Result, Sheet
from households.services.card_rows import load_card
from households.services.cards import save_card

HELP = "from saving a changed card to its new result, at three sizes of the city"
WARM_UP = 3


def add_arguments(parser: ArgumentParser) -> None:
    add_size_arguments(parser)
    parser.add_argument("--rounds", type=int, default=100, help="cards changed in each city")


def run(options: dict[str, Any], say: Say) -> dict[str, Any]:
    """Per size median and p95 in milliseconds (`cases`); those of the largest city stand at the top."""
    cases = {}
    for size in sorted(options["households"]):
        with one_city(size, options, say):
            cases[str(size)] = _measure(size, options["rounds"])
        say(f"{size:>12,} {cases[str(size)]}")
    return {**cases[max(cases, key=int)], "cases": cases}


def _measure(size: int, rounds: int) -> dict[str, Any]:
    city = Household.objects.order_by("pk")
    first, last = city.first(), city.last()
    assert first and last
    numbers = random.Random(1)  # noqa: S311 - cards of a trial
    wanted = sorted({numbers.randint(first.pk, last.pk) for _ in range(2 * (rounds + WARM_UP))})
    cards = list(city.filter(pk__in=wanted).exclude(status="closed"))[: rounds + WARM_UP]
    numbers.shuffle(cards)
    took = [_change(card) for card in cards][WARM_UP:]
    return {
        "households": size,
        "p50_ms": round(percentile(took, 0.5), 1),
        "p95_ms": round(percentile(took, 0.95), 1),
        "worst_ms": round(max(took), 1),
        "cards": len(took),
    }


def _change(household: Household) -> float:
    """Another medical cost on the card's latest sheet; milliseconds until readers see what it means."""
    year = Sheet.objects.filter(household=household).latest("year").year
    numbered = load_card(household, year)
    sheet = replace(numbered.card.sheet, medical_cost=(numbered.card.sheet.medical_cost or 0) + Decimal("1.00"))
    began = perf_counter()
    saved = save_card(
        card=replace(numbered.card, sheet=sheet),
        persons=numbered.persons,
        household=household,
        expected_version=household.version,
        by=None,
    )
    shown = Result.objects.filter(household=household, year=year).current().get()
    took = 1000 * (perf_counter() - began)
    if shown.stale or shown.card_version != saved.version:
        raise RuntimeError("the result shown is not that of the saved card")
    return took
