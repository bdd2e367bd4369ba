"""Runs in the browser: begin, watch, stop, read; only offices, and only over their own area."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from changde.audit.models import Event
from changde.divisions.models import Division
from households.models import IndexRun, Result, RunChunk
from households.services import index_runs
from households.services.index_versions import load_default_versions
from tests.conftest import login, wait_until
from tests.factories import make_household
from tests.personas import CITY, FENGMING, RESHI, TAOYUAN, WULING, WULING_VILLAGE

OTHER_TOWNSHIP_VILLAGE = 430725101001


def run_over(code: int, by=None, *, background: bool = False) -> IndexRun:
    run = index_runs.start_run(division=Division.objects.get(code=code), year=2019, by=by, in_background=background)
    return run if background else index_runs.compute_run(run=run)


def test_an_office_begins_a_run_and_lands_on_its_page(people):
    load_default_versions()
    make_household(FENGMING)
    office = login(people.reshi_officer)
    answer = office.post("/runs/", {"year": 2019}, follow=True)
    run = IndexRun.objects.get()
    assert (run.division_id, run.year, run.owner) == (RESHI, 2019, people.reshi_officer)
    assert answer.redirect_chain == [(f"/runs/{run.pk}/", 302)]
    assert "正在逐乡镇测算" in answer.content.decode()
    assert Event.objects.filter(verb="index.run", actor=people.reshi_officer).count() == 1


def test_a_second_run_over_the_same_area_is_refused_in_words(people):
    load_default_versions()
    make_household(FENGMING)
    run_over(TAOYUAN, people.taoyuan_office, background=True)
    answer = login(people.reshi_officer).post("/runs/", {"year": 2019})
    assert answer.status_code == 422
    assert "正在测算" in answer.content.decode()
    assert IndexRun.objects.count() == 1


def test_a_year_without_sheets_and_a_year_without_a_version_are_refused_at_the_field(people):
    load_default_versions()
    make_household(FENGMING)
    office = login(people.reshi_officer)
    assert "没有2018年的年度表" in office.post("/runs/", {"year": 2018}).content.decode()
    assert office.post("/runs/", {"year": 1999}).status_code == 422
    assert IndexRun.objects.count() == 0


def test_without_a_released_version_the_page_says_who_must_release_one(people):
    make_household(FENGMING)
    page = login(people.reshi_officer).get("/runs/").content.decode()
    assert "请县或市扶贫办先发布" in page
    assert 'name="year"' not in page


def test_a_village_reads_runs_and_begins_none(people):
    load_default_versions()
    make_household(FENGMING)
    cadre = login(people.fengming_cadre)
    assert "重新测算" not in cadre.get("/runs/").content.decode()
    assert "只有乡镇、县、市办公室" in cadre.post("/runs/", {"year": 2019}, follow=True).content.decode()
    assert IndexRun.objects.count() == 0


def test_the_page_of_a_finished_run_shows_figures_hash_and_townships(people):
    load_default_versions()
    make_household(FENGMING, members=2, wage_income=1000)
    make_household(OTHER_TOWNSHIP_VILLAGE, members=2, wage_income=90_000)
    run = run_over(TAOYUAN)
    page = login(people.taoyuan_office).get(f"/runs/{run.pk}/").content.decode()
    assert run.digest in page
    assert page.count("within=430725") >= 2
    assert "热市镇" in page


def test_a_run_is_cancelled_and_the_rest_keeps_what_it_showed(people):
    load_default_versions()
    make_household(FENGMING, wage_income=1000)
    run = run_over(TAOYUAN, people.taoyuan_office, background=True)
    answer = login(people.taoyuan_office).post(f"/runs/{run.pk}/cancel/", follow=True)
    run.refresh_from_db()
    assert run.state == IndexRun.State.CANCELLED
    assert "已停止" in answer.content.decode()
    assert Result.objects.count() == 0
    again = login(people.taoyuan_office).post(f"/runs/{run.pk}/cancel/", follow=True)
    assert "已经结束" in again.content.decode()


def test_an_office_sees_and_stops_runs_of_its_own_area_only(people):
    load_default_versions()
    make_household(FENGMING)
    make_household(WULING_VILLAGE)
    own, foreign = run_over(TAOYUAN), run_over(WULING)
    office = login(people.taoyuan_office)
    listed = office.get("/runs/").content.decode()
    assert f"/runs/{own.pk}/" in listed
    assert f"/runs/{foreign.pk}/" not in listed
    assert office.get(f"/runs/{foreign.pk}/").status_code == 404
    assert office.post(f"/runs/{foreign.pk}/cancel/").status_code == 404
    assert login(people.inspector).post(f"/runs/{own.pk}/cancel/").status_code == 403


def test_an_area_sees_its_own_part_of_a_larger_run(people):
    load_default_versions()
    cards = [(FENGMING, 1000), (FENGMING, 90_000), (OTHER_TOWNSHIP_VILLAGE, 1000), (WULING_VILLAGE, 1000)]
    for village, wage in [*cards, (WULING_VILLAGE, 8000)]:
        make_household(village, members=2, wage_income=wage)
    run = run_over(CITY)
    foreign = run_over(WULING)
    seen = {
        who: listed(login(getattr(people, who)), run)
        for who in ("city_office", "taoyuan_office", "reshi_officer", "wuling_office", "fengming_cadre")
    }
    assert seen == {
        "city_office": (5, 3, {"热市镇", "陬市镇", "启明街道"}),
        "taoyuan_office": (3, 2, {"热市镇", "陬市镇"}),
        "reshi_officer": (2, 1, {"热市镇"}),
        "wuling_office": (2, 1, {"启明街道"}),
        "fengming_cadre": None,
    }
    relative = 'data-label="相对贫困（户）">{}<'
    for who, count in (("city_office", 1), ("taoyuan_office", 0)):
        assert relative.format(count) in login(getattr(people, who)).get("/runs/").content.decode()
    county = login(people.taoyuan_office)
    assert county.get(f"/runs/{foreign.pk}/").status_code == 404
    assert county.post(f"/runs/{run.pk}/final/").status_code == 404
    page = county.get(f"/runs/{run.pk}/").content.decode()
    assert "这里只显示您所在区划的乡镇和户数" in page
    assert run.digest not in page
    assert "定为最终结果" not in page


def listed(client, run: IndexRun) -> tuple[int, int, set[str]] | None:
    """Households, absolutely poor ones and townships a person is shown of a run; None where it is not listed."""
    rows = {shown.run.pk: shown for shown in client.get("/runs/").context["page"].rows}
    answer = client.get(f"/runs/{run.pk}/")
    assert (answer.status_code == 200) == (run.pk in rows)
    if run.pk not in rows:
        return None
    shown = answer.context["shown"]
    assert shown == rows[run.pk]
    return shown.households, shown.outcomes["absolute"], {chunk.township.name for chunk in answer.context["chunks"]}


def test_a_run_without_townships_of_ones_county_is_not_seen(people):
    load_default_versions()
    make_household(WULING_VILLAGE)
    run = run_over(CITY)
    county = login(people.taoyuan_office)
    assert "还没有整体测算过" in county.get("/runs/").content.decode()
    assert county.get(f"/runs/{run.pk}/").status_code == 404


def test_an_office_takes_up_what_broke_and_keeps_the_finished_run_for_ever(people):
    load_default_versions()
    make_household(FENGMING)
    run = run_over(RESHI, people.reshi_officer, background=True)
    index_runs.close_run(run=run, state=IndexRun.State.FAILED, error="broken off")
    RunChunk.objects.update(state=RunChunk.State.PARKED, error="KeyError (read:1)", tries=3)
    office = login(people.reshi_officer)
    broken = office.get(f"/runs/{run.pk}/").content.decode()
    assert "KeyError (read:1)" in broken
    assert "接着测算没有完成的乡镇" in broken
    assert "已接着测算" in office.post(f"/runs/{run.pk}/resume/", follow=True).content.decode()
    run.refresh_from_db()
    index_runs.compute_run(run=run)
    assert "定为最终结果" in office.get(f"/runs/{run.pk}/").content.decode()
    kept = office.post(f"/runs/{run.pk}/final/", follow=True).content.decode()
    assert "永久保留" in kept
    assert "定为最终结果" not in kept
    assert "年度最终" in office.get("/runs/").content.decode()
    assert Event.objects.filter(verb__in=["index.run_resume", "index.run_final"]).count() == 2


def test_a_silent_township_is_named_and_may_be_taken_up_at_once(people):
    load_default_versions()
    make_household(FENGMING)
    run = run_over(RESHI, people.reshi_officer, background=True)
    long_ago = timezone.now() - timedelta(minutes=1)
    RunChunk.objects.update(state="running", started_at=long_ago, heartbeat_at=long_ago, worker="server:7", tries=1)
    page = login(people.reshi_officer).get(f"/runs/{run.pk}/").content.decode()
    assert "没有响应" in page
    assert "server:7" in page
    assert "马上接着做" in page


@pytest.mark.parametrize("count", [1, 4])
def test_the_list_asks_the_same_queries_for_one_run_and_for_many(people, count):
    load_default_versions()
    make_household(FENGMING)
    for _ in range(count):
        run_over(RESHI)
    client = login(people.reshi_officer)
    with CaptureQueriesContext(connection) as asked:
        client.get("/runs/")
    assert len(asked) <= 14


def test_a_worker_does_the_run_while_the_page_asks(people, worker):
    load_default_versions()
    make_household(FENGMING, wage_income=1000)
    office = login(people.reshi_officer)
    office.post("/runs/", {"year": 2019})
    run = IndexRun.objects.get()
    wait_until(lambda: IndexRun.objects.get(pk=run.pk).state == IndexRun.State.DONE)
    part = office.get(f"/runs/{run.pk}/", headers={"HX-Request": "true", "HX-Target": "run"}).content.decode()
    assert "hx-trigger" not in part
    assert IndexRun.objects.get(pk=run.pk).digest in part
