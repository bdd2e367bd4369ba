"""Comparisons of who types: what a file brought says nothing about how long a card took."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from households.models import Comparison
from households.services.card_patterns import county_of
from households.services.cards import save_card
from households.services.comparisons import compare
from households.services.index_versions import load_default_versions
from tests.factories import id_number
from tests.households.card_workbooks import workbook_of
from tests.households.cards import a_card, a_member
from tests.households.test_import_cards import bring
from tests.personas import FENGMING, TAOYUAN

CLERK = "凤鸣录入员"


def card(place: int, at: datetime):
    born = f"197001{place + 1:02d}"
    made = a_card(a_member(f"张某{place}", birth=born, id_number=id_number(born)))
    household = replace(made.household, number=f"4307251032029{place:04d}")
    return replace(made, household=household, sheet=replace(made.sheet, entered_by=CLERK, entered_at=at))


@pytest.fixture
def typed_and_brought(people):
    """Four cards typed ten minutes apart, and eight of a workbook that says they were typed a minute apart."""
    load_default_versions()
    morning = timezone.make_aware(datetime(2019, 10, 8, 9, 0))
    for place in range(4):
        save_card(card=card(place, morning + timedelta(minutes=10 * place)), by=people.fengming_cadre)
    file = workbook_of(*(card(4 + place, morning + timedelta(hours=2, minutes=place)) for place in range(8)))
    _batch, outcome = bring(file)
    assert outcome.told == []


@pytest.mark.parametrize("unit", ["clerk", "village"])
def test_the_typing_interval_is_that_of_cards_typed_here(typed_and_brought, unit):
    compare(county_of(county=TAOYUAN, year=2019))
    row = Comparison.objects.get(unit=unit)
    assert (row.cards, row.median_seconds) == (12, 600)
    assert row.area == (FENGMING if unit == "village" else FENGMING // 1000 * 1000)


def test_where_nothing_was_typed_here_the_interval_is_unknown(people):
    load_default_versions()
    morning = timezone.make_aware(datetime(2019, 10, 8, 9, 0))
    bring(workbook_of(*(card(place, morning + timedelta(minutes=place)) for place in range(3))))
    compare(county_of(county=TAOYUAN, year=2019))
    assert Comparison.objects.get(unit="clerk").median_seconds is None
