"""Filling a system with a made-up city, and measuring it."""

import io
import json

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from changde.audit.models import Event
from changde.measure.registry import benchmarks
from households.benchmarks import lists
from households.models import Household, Person, VillageCard
from households.services.city_rows import LOADED
from tests.personas import make_people


def seed(**options) -> dict:
    out = io.StringIO()
    call_command("seed_city", households=200, seed=1, json=True, stdout=out, **options)
    return json.loads(out.getvalue())


def test_a_seeded_city_lands_in_every_table_and_its_pages_open(committed_db, as_user):
    found = seed()
    assert found["households"] == 200
    assert found["rows"] == {model._meta.label: model.objects.count() for model in LOADED}
    assert Event.objects.get(verb="households.seed_city").facts == {"seed": 1, "households": 200}
    person = Person.objects.exclude(id_number_hash=None).first()
    assert len(person.id_number) == 18
    assert VillageCard.objects.filter(year=2019).count() == found["villages"]

    client = as_user(make_people().city_office)
    page = client.get(reverse("households:list")).content.decode()
    assert Household.objects.order_by("village_id", "head_pinyin", "pk").first().head_name in page
    card = Household.objects.filter(persons__gte=3).first()
    for tab in ("overview", "members", "income", "conditions", "history"):
        assert client.get(reverse("households:card", args=[card.pk]), {"tab": tab}).status_code == 200
    searched = client.post(reverse("households:search"), {"q": person.id_number})
    assert searched["Location"] == reverse("households:card", args=[person.memberships.get().household_id])


def test_a_city_is_not_poured_over_cards_nor_into_production(committed_db, settings):
    seed()
    with pytest.raises(CommandError, match="已有户卡"):
        seed()
    with pytest.raises(CommandError, match="重复"):
        seed(force_add=True)  # the same seed: the same ID numbers
    assert Household.objects.count() == 200
    settings.PRODUCTION = True
    with pytest.raises(CommandError, match="正式系统"):
        seed()


def test_a_later_id_is_beyond_the_seeded_ones(committed_db):
    seed()
    last = Household.objects.latest("pk").pk
    assert Household.objects.create(village_id=Household.objects.first().village_id).pk > last


def test_every_benchmark_says_what_it_measures():
    found = benchmarks()
    assert {"import", "lists", "card", "city"} <= set(found)
    assert all(benchmark.HELP for benchmark in found.values())


@pytest.mark.drill
def test_the_benchmark_of_lists_prints_its_figures(committed_db, monkeypatch):
    monkeypatch.setattr(lists, "CASES", {name: lists.CASES[name] for name in ("village", "city, name")})
    out = io.StringIO()
    call_command("benchmark", "lists", "--small", "30", "--large", "30", "--rounds", "1", "--json", stdout=out)
    found = json.loads(out.getvalue())
    assert {"p95_ms_small", "p95_ms_large", "ratio", "queries", "bytes"} <= set(found)
    assert set(found["cases"]) == {"village", "city, name"}
    assert 0 < found["queries"] < 40
