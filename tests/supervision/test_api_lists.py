"""Posted lists over REST: frozen, masked, with the checksum anybody can work out again."""

import hashlib
from datetime import datetime

import pytest

from changde.audit.models import Event
from supervision.models import PublicityList
from tests.api import program
from tests.personas import FENGMING, OTHER_VILLAGE, WULING_VILLAGE
from tests.supervision.posted import START, posted


@pytest.fixture
def lists(people):
    return [posted(people, village) for village in (FENGMING, OTHER_VILLAGE, WULING_VILLAGE)]


@pytest.fixture
def system(people):
    return program(people.county_system)


def names(answer):
    return [row["id"] for row in answer.json()["results"]]


def test_a_county_reads_the_posted_lists_of_its_villages(system, lists):
    assert names(system.get("/api/v1/lists/")) == [lists[0].public_id, lists[1].public_id]


def test_another_countys_list_does_not_exist(system, lists):
    assert system.get(f"/api/v1/lists/{lists[2].public_id}/").status_code == 404
    assert names(system.get("/api/v1/lists/?division=430702000000")) == []


def test_a_draft_does_not_exist(system, people):
    draft = PublicityList.objects.create(village_id=FENGMING, year=2019, step="first", drafted_by=people.fengming_cadre)
    assert names(system.get("/api/v1/lists/")) == []
    assert system.get(f"/api/v1/lists/{draft.public_id}/").status_code == 404


def test_the_checksum_is_that_of_the_text(system, lists):
    body = system.get(f"/api/v1/lists/{lists[0].public_id}/").json()
    assert hashlib.sha256(body["text"].encode()).hexdigest() == body["sha256"]
    assert (body["number"], body["step"], body["days"]) == (1, "first", 7)
    assert datetime.fromisoformat(body["starts_at"]) == START


def test_lists_are_found_by_year_step_and_posting(system, lists):
    first, second, _foreign = (row.public_id for row in lists)
    asked = {
        "year=2019&step=first": [first, second],
        "step=second": [],
        "year=2018": [],
        "posted_since=2026-11-23T00:00:00Z": [first, second],
        "posted_since=2026-11-24T00:00:00Z": [],
    }
    assert {query: names(system.get(f"/api/v1/lists/?{query}")) for query in asked} == asked


def test_a_page_of_lists_costs_the_same_queries_however_long(system, people, django_assert_num_queries):
    for number in range(1, 11):
        posted(people, FENGMING, 2013 + number, number)
    with django_assert_num_queries(5):  # token and client, account, posts; lists; the event
        assert len(names(system.get("/api/v1/lists/"))) == 10
    assert Event.objects.get(verb="api.lists.list").facts["rows"] == 10
