"""The first page says what waits today, late ones first, each a click to the step."""

from datetime import timedelta

import pytest
from django.utils import timezone

from changde.accounts.models import User
from changde.jobs.models import Job
from households.models import Finding
from supervision.models import PublicityList
from supervision.selectors import home as selector
from supervision.selectors.home import waiting_for
from supervision.selectors.tasks import Task
from tests.factories import make_household
from tests.personas import FENGMING, RESHI, TAOYUAN, WULING, WULING_VILLAGE


def keys(user, code):
    """Keys of the tasks without their numbers."""
    return [task.key.partition("_")[0] for task in waiting_for(User.objects.get(pk=user.pk), code)]


@pytest.fixture
def everything_has_a_page(monkeypatch):
    monkeypatch.setattr("supervision.selectors.waiting._to", lambda name, *arguments, **query: f"/{name}/")


def find(village):
    household = make_household(village)
    return Finding.objects.create(household=household, village_id=village, kind="yellow_check", code="x")


def test_a_finding_waits_for_its_village_and_the_offices_above(people, everything_has_a_page):
    find(FENGMING)
    seen = {
        name: keys(getattr(people, name), code)
        for name, code in {
            "fengming_cadre": FENGMING, "reshi_officer": RESHI, "taoyuan_office": TAOYUAN, "wuling_office": WULING,
            "inspector": TAOYUAN, "account_admin": TAOYUAN,
        }.items()
    }  # fmt: skip
    assert seen == {
        "fengming_cadre": ["findings"],
        "reshi_officer": ["findings"],
        "taoyuan_office": ["findings"],
        "wuling_office": [],
        "inspector": [],
        "account_admin": [],
    }


def test_what_lies_outside_the_division_worked_in_does_not_stand_there(people, everything_has_a_page):
    find(WULING_VILLAGE)
    assert keys(people.city_office, WULING) == ["findings"]
    assert keys(people.city_office, TAOYUAN) == []


def test_a_draft_waits_for_somebody_other_than_its_maker(people, everything_has_a_page):
    PublicityList.objects.create(village_id=FENGMING, year=2019, step="first", drafted_by=people.fengming_cadre)
    assert keys(people.fengming_cadre, FENGMING) == []
    assert keys(people.fengming_team, FENGMING) == ["draft"]
    assert keys(people.reshi_officer, RESHI) == []


def test_a_failed_job_is_told_to_its_owner_for_a_week(people):
    now = timezone.now()
    Job.objects.create(kind="x", state="failed", owner=people.taoyuan_office, finished_at=now, error="坏了")
    Job.objects.create(kind="x", state="failed", owner=people.taoyuan_second, finished_at=now - timedelta(days=8))
    assert keys(people.taoyuan_office, TAOYUAN) == ["job"]
    assert keys(people.taoyuan_second, TAOYUAN) == []


def test_late_ones_come_first_then_deadlines_then_the_oldest(people, monkeypatch):
    today, now = timezone.localdate(), timezone.now()
    tasks = [
        Task("new", "", "/", "", since=now),
        Task("old", "", "/", "", since=now - timedelta(days=3)),
        Task("soon", "", "/", "", due=today + timedelta(days=1)),
        Task("late", "", "/", "", due=today - timedelta(days=1)),
        Task("later", "", "/", "", due=today + timedelta(days=4)),
        Task("latest", "", "/", "", due=today - timedelta(days=9)),
    ]
    monkeypatch.setattr(selector, "PROVIDERS", [lambda user, code: tasks])
    order = [task.key for task in waiting_for(people.fengming_cadre, FENGMING)]
    assert order == ["latest", "late", "soon", "later", "old", "new"]


def test_a_task_whose_page_is_missing_is_left_out(people, monkeypatch):
    monkeypatch.setattr(selector, "PROVIDERS", [lambda user, code: [Task("nowhere", "", "", "")]])
    assert waiting_for(people.fengming_cadre, FENGMING) == []


def test_with_nothing_to_do_the_page_says_so(people, as_user):
    assert "今天没有要办的事" in as_user(people.fengming_cadre).get("/").content.decode()


def test_an_administrator_is_told_what_is_not_built(people, as_user):
    assert "还没有建成" in as_user(people.account_admin).get("/").content.decode()


def test_a_late_task_says_how_late(people, as_user, monkeypatch):
    due = timezone.localdate() - timedelta(days=2)
    monkeypatch.setattr(selector, "PROVIDERS", [lambda user, code: [Task("a", "答复异议", "/x/", "scale", due=due)]])
    page = as_user(people.reshi_officer).get("/").content.decode()
    assert "超期 2 天" in page and 'href="/x/"' in page


@pytest.mark.parametrize(
    ("name", "queries"), [("fengming_cadre", 18), ("reshi_officer", 21), ("city_office", 19), ("inspector", 12)]
)
def test_the_page_costs_few_queries_however_much_waits(people, as_user, name, queries, django_assert_max_num_queries):
    for _ in range(5):
        find(FENGMING)
    client = as_user(getattr(people, name))
    with django_assert_max_num_queries(queries):
        client.get("/")
