"""Results over REST: the current ones of the client's area, with the values they read."""

import pytest

from households.services.index_versions import load_default_versions
from households.services.results import mark_stale, recompute_household
from tests.api import program
from tests.factories import make_household
from tests.personas import FENGMING, WULING_VILLAGE


@pytest.fixture
def judged(people):
    """A poor household and a well-off one of Fengming, and a poor one of another county."""
    load_default_versions()
    made = [
        make_household(FENGMING, members=3, wage_income=3000),
        make_household(FENGMING, members=2, wage_income=90_000),
        make_household(WULING_VILLAGE, members=3, wage_income=3000),
    ]
    return [recompute_household(household=household.pk, year=2019) for household in made]


@pytest.fixture
def system(people):
    return program(people.county_system)


def ids(answer):
    return [row["id"] for row in answer.json()["results"]]


def test_a_county_reads_its_own_results_only(system, judged):
    poor, well, foreign = judged
    assert ids(system.get("/api/v1/results/")) == [poor.pk, well.pk]
    assert ids(system.get("/api/v1/results/?division=430702000000")) == []
    assert ids(system.get(f"/api/v1/results/?household={foreign.household_id}")) == []
    assert system.get(f"/api/v1/results/{foreign.pk}/").status_code == 404


def test_a_result_says_outcome_flags_income_values_and_version(system, judged):
    body = system.get(f"/api/v1/results/{judged[0].pk}/").json()
    assert (body["outcome"], body["net_income"], body["members"], body["year"]) == ("absolute", 300_000, 3, 2019)
    assert body["version"] == str(judged[0].version)
    assert body["values"] == judged[0].values_by_name
    assert body["flags"] == []


def test_results_and_cards_are_found_by_outcome_and_stale(system, judged):
    poor, well, _foreign = judged
    mark_stale(households=[well.household_id])
    assert ids(system.get("/api/v1/results/?outcome=absolute")) == [poor.pk]
    assert ids(system.get("/api/v1/results/?stale=true")) == [well.pk]
    assert system.get(f"/api/v1/results/{well.pk}/").json()["flags"] == ["stale"]
    assert ids(system.get("/api/v1/cards/?outcome=absolute&year=2019")) == [poor.household_id]
    assert ids(system.get("/api/v1/cards/?outcome=absolute&year=2018")) == []


def test_a_page_of_results_costs_the_same_queries_however_long(system, judged, django_assert_num_queries):
    with django_assert_num_queries(6):  # token and client, account, posts, grants; results; the event
        assert len(ids(system.get("/api/v1/results/"))) == 2
