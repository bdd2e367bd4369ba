"""Trials on stored cards: beside the version in force, townships that add up, nothing of it in the results."""

import copy
import json
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command

from changde.accounts.refusal import Refusal
from changde.audit.models import Event
from changde.divisions.models import Division
from households.domain import trial
from households.domain.index_system import IndexSystem
from households.domain.trial import Count
from households.models import IndexTrial, IndexTrialTownship, IndexTrialVillage, IndexVersion, Result
from households.services import index_trials
from households.services.index_versions import draft_version, load_default_versions, propose_version, release_version
from tests.conftest import wait_until
from tests.factories import make_household
from tests.households import golden
from tests.personas import CITY, FENGMING, OTHER_VILLAGE, RESHI, TAOYUAN, WULING, WULING_VILLAGE

YEAR = 2019
OTHER_TOWNSHIP_VILLAGE = 430725101001


@pytest.fixture
def defaults(db):
    load_default_versions()


def division(code: int) -> Division:
    return Division.objects.get(code=code)


def system(year: int = YEAR, **changes) -> IndexSystem:
    return IndexSystem.from_json(copy.deepcopy(golden.DEFAULTS[year].to_json()) | changes)


def draft(code: int | None = TAOYUAN, year: int = YEAR, **changes) -> IndexVersion:
    """A draft of a county (None: of the city's default), by default with a line of 4,000 yuan."""
    changed = system(year, **(changes or {"income_line": "4000", "monitoring_line": "6000"}))
    return draft_version(division=division(code) if code else None, system=changed, by=None)


def release(version: IndexVersion) -> IndexVersion:
    return release_version(version=version, by=None)


def try_now(version: IndexVersion, code: int = TAOYUAN, year: int = YEAR) -> IndexTrial:
    tried = index_trials.start_trial(version=version, division=division(code), year=year, by=None, in_background=False)
    return index_trials.compute_trial(tried=tried)


def transitions(tried: IndexTrial) -> dict[str, int]:
    return {
        name.removeprefix("households."): number
        for name, number in tried.totals.items()
        if name.startswith("households.")
    }


def cards() -> dict[str, int]:
    """Two townships of Taoyuan: who is poor by a line of 3,218 and by one of 4,000 (two persons a household)."""
    return {
        "poor by both": make_household(FENGMING, members=2, wage_income=6_000, status="registered").pk,
        "enters": make_household(FENGMING, members=2, wage_income=7_000).pk,
        "enters elsewhere": make_household(OTHER_TOWNSHIP_VILLAGE, members=2, wage_income=7_999).pk,
        "becomes relative": make_household(OTHER_VILLAGE, members=2, wage_income=11_500, status="registered").pk,
        "stays out": make_household(OTHER_VILLAGE, members=2, wage_income=30_000).pk,
        "unknown": make_household(FENGMING, members=2, wage_income=None).pk,
    }


def test_a_trial_says_who_enters_and_leaves_by_village_and_in_all(defaults):
    made = cards()
    make_household(FENGMING, status="closed")
    make_household(WULING_VILLAGE)
    tried = try_now(draft())
    assert (tried.state, tried.households) == ("done", 6)
    assert transitions(tried) == {
        "absolute.absolute": 1,
        "relative.absolute": 2,
        "not_poor.relative": 1,
        "not_poor.not_poor": 1,
        "undetermined.undetermined": 1,
    }
    assert trial.flow(tried.totals, "absolute").enters == Count(2, 4)
    assert trial.errors_of_registration(tried.totals, "absolute").missed == Count(1, 2)
    rows = {row.village_id: row for row in tried.villages.all()}
    assert {code: (row.households, row.changed, row.absolute_in, row.poor_in) for code, row in rows.items()} == {
        FENGMING: (3, 1, 1, 0),
        OTHER_VILLAGE: (2, 1, 0, 1),
        OTHER_TOWNSHIP_VILLAGE: (1, 1, 1, 0),
    }
    assert rows[FENGMING].examples == {"relative.absolute": [made["enters"]]}
    assert trial.add_up(row.sums for row in rows.values()) == tried.totals
    assert tried.sensitivity["monitoring_line.down"]["households"] == 1  # 11,500 is not below 2 x 5,700


def test_nothing_of_a_trial_reaches_the_results(defaults):
    cards()
    try_now(draft())
    assert not Result.objects.exists()


def test_a_complete_trial_makes_the_draft_tried_and_logs_it(defaults):
    cards()
    version = draft()
    tried = try_now(version)
    version.refresh_from_db()
    assert version.state == IndexVersion.State.TRIED
    assert not tried.is_out_of_date
    verbs = Event.objects.filter(verb__startswith="index.tr").order_by("pk").values_list("verb", flat=True)
    assert list(verbs) == ["index.try", "index.try_over", "index.tried"]


def test_a_draft_changed_meanwhile_stays_a_draft_and_its_trial_is_out_of_date(defaults):
    cards()
    version = draft()
    tried = index_trials.start_trial(
        version=version, division=division(TAOYUAN), year=YEAR, by=None, in_background=False
    )
    changed = system(income_line="4500", monitoring_line="6000")
    IndexVersion.objects.filter(pk=version.pk).update(definition=changed.to_json(), digest=changed.digest)
    tried = index_trials.compute_trial(tried=tried)
    assert (tried.state, tried.version.state, tried.is_out_of_date) == ("done", "draft", True)
    assert tried.system.income_line == 400_000


def test_a_released_version_is_tried_and_stays_as_it_is(defaults):
    cards()
    version = release(draft())
    assert trial.changed(try_now(version).totals) == Count(0, 0)
    version.refresh_from_db()
    assert version.state == IndexVersion.State.RELEASED


def test_another_year_is_tried_with_the_lines_of_that_year(defaults):
    make_household(FENGMING, members=1, year=2018, wage_income=3_100)
    tried = try_now(draft(year=2020, income_line="9000", monitoring_line="9500"), year=2018)
    assert (tried.system.income_line, tried.system.monitoring_line) == (299_500, 449_250)
    assert tried.borrows_lines
    assert (tried.reference.year, transitions(tried)) == (2018, {"relative.relative": 1})


def test_a_year_of_its_own_without_a_version_in_force_is_compared_with_the_latest_before(defaults):
    make_household(FENGMING, year=2021, wage_income=4_100)
    document = golden.DEFAULTS[2020].to_json() | {"year": 2021, "income_line": "4200", "monitoring_line": "6300"}
    version = draft_version(division=division(TAOYUAN), system=IndexSystem.from_json(document), by=None)
    tried = try_now(version, year=2021)
    assert (tried.reference.year, transitions(tried)) == (2020, {"relative.absolute": 1})


def test_a_county_is_compared_with_its_own_version_and_the_city_leaves_it_out(defaults):
    make_household(FENGMING, members=2, wage_income=7_000)
    make_household(WULING_VILLAGE, members=2, wage_income=7_000)
    own = release(draft(TAOYUAN))
    assert try_now(draft(TAOYUAN, income_line="3300", monitoring_line="4950")).reference == own
    tried = try_now(draft(None), CITY)
    assert tried.reference.division is None
    assert list(tried.villages.values_list("village_id", flat=True)) == [WULING_VILLAGE]
    assert transitions(try_now(draft(None), TAOYUAN)) == {"absolute.absolute": 1}


@pytest.mark.parametrize(
    ("of", "area", "year", "code", "field"),
    [
        (TAOYUAN, WULING, YEAR, "not_its_area", "place"),
        (TAOYUAN, RESHI, YEAR, "not_its_area", "place"),
        (None, RESHI, YEAR, "not_its_area", "place"),
        (TAOYUAN, TAOYUAN, 2015, "no_index_version", "year"),
        (TAOYUAN, TAOYUAN, 2017, "no_sheets", "year"),
    ],
)
def test_an_area_or_a_year_that_cannot_be_tried_is_refused(defaults, of, area, year, code, field):
    make_household(FENGMING)
    with pytest.raises(Refusal) as refused:
        try_now(draft(of), area, year)
    assert (refused.value.code, refused.value.field) == (code, field)
    assert not IndexTrial.objects.exists()


def test_an_office_tries_its_own_drafts_and_the_citys_released_default_on_its_county(people):
    load_default_versions()
    make_household(FENGMING)
    default = IndexVersion.objects.in_force().get(year=YEAR, division=None)

    def may(version: IndexVersion, by, code: int = TAOYUAN) -> bool:
        try:
            tried = index_trials.start_trial(version=version, division=division(code), year=YEAR, by=by)
        except Refusal as refusal:
            assert refusal.code == "not_your_area"
            return False
        return bool(index_trials.cancel_trial(tried=tried, by=by))

    assert may(draft(TAOYUAN), people.taoyuan_office)
    assert may(draft(TAOYUAN), people.city_office)
    assert may(default, people.taoyuan_office)
    assert not may(draft(TAOYUAN), people.wuling_office)
    assert not may(draft(None), people.taoyuan_office)
    assert not may(default, people.taoyuan_office, WULING)


def test_a_version_is_tried_once_at_a_time(defaults):
    cards()
    version = draft()
    index_trials.start_trial(version=version, division=division(TAOYUAN), year=YEAR, by=None)
    with pytest.raises(Refusal) as refused:
        index_trials.start_trial(version=version, division=division(TAOYUAN), year=YEAR, by=None)
    assert refused.value.code == "trial_running"
    try_now(draft())


def test_a_trial_broken_off_goes_on_where_it_stopped_and_doubles_nothing(defaults, monkeypatch):
    cards()
    version = draft()
    start = {"version": version, "division": division(TAOYUAN), "year": YEAR, "by": None, "in_background": False}
    tried = index_trials.start_trial(**start)

    def killed(done: int, total: int) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        index_trials.compute_trial(tried=tried, progress=killed)
    assert IndexTrialTownship.objects.filter(state="done").count() == 1
    again = index_trials.start_trial(**start)
    assert again == tried
    whole = index_trials.compute_trial(tried=again)
    assert (whole.state, whole.households, IndexTrialVillage.objects.count()) == ("done", 6, 3)
    assert try_now(draft()).totals == whole.totals


def test_a_township_that_fails_closes_the_trial_and_leaves_nothing(defaults, monkeypatch):
    cards()

    def broken(*_, **__):
        raise RuntimeError

    monkeypatch.setattr(index_trials, "_examples", broken)
    version = draft()
    with pytest.raises(RuntimeError):
        try_now(version)
    tried = IndexTrial.objects.get()
    assert (tried.state, tried.error, tried.villages.count()) == ("failed", "RuntimeError", 0)
    version.refresh_from_db()
    assert version.state == IndexVersion.State.DRAFT


def test_a_discarded_draft_takes_its_trials_along(defaults):
    cards()
    version = draft()
    try_now(version)
    version.delete()
    assert not IndexTrialVillage.objects.exists()


def test_the_last_trials_of_a_version_are_kept(defaults, monkeypatch):
    monkeypatch.setattr(index_trials, "KEPT_TRIALS", 2)
    make_household(FENGMING)
    version = draft()
    tried = [try_now(version) for _ in range(3)]
    assert list(IndexTrial.objects.order_by("pk")) == tried[1:]


def test_a_township_asks_the_database_a_fixed_number_of_times(defaults, django_assert_num_queries):
    cards()
    tried = index_trials.start_trial(
        version=draft(), division=division(TAOYUAN), year=YEAR, by=None, in_background=False
    )
    with django_assert_num_queries(8):
        index_trials.try_township(row=tried.townships.get(township_id=RESHI))


def test_proposing_and_releasing_a_tried_version_goes_on_as_before(people):
    load_default_versions()
    make_household(FENGMING, wage_income=Decimal("7000"))
    version = draft()
    try_now(version)
    propose_version(version=version, by=people.taoyuan_office)
    assert release_version(version=version, by=people.taoyuan_second).state == IndexVersion.State.RELEASED


def test_workers_try_a_version_township_by_township(people, worker):
    load_default_versions()
    cards()
    tried = index_trials.start_trial(version=draft(), division=division(TAOYUAN), year=YEAR, by=people.taoyuan_office)
    wait_until(lambda: IndexTrial.objects.get(pk=tried.pk).state != IndexTrial.State.RUNNING)
    tried.refresh_from_db()
    tried.job.refresh_from_db()
    assert (tried.state, tried.households, tried.job.state) == ("done", 6, "done")
    assert trial.flow(tried.totals, "absolute").enters == Count(2, 4)


def test_the_command_tries_a_version_and_prints_its_figures(defaults, capsys):
    cards()
    call_command("try_index", str(draft().pk), "--json")
    said = json.loads(capsys.readouterr().out)
    assert said["flows"]["absolute"] == {"enters": 2, "leaves": 0, "unchanged": 3, "undecided": 1}
    assert (said["households"], said["sensitivity"]["monitoring_line.down"]) == (6, 1)
    call_command("try_index", str(draft().pk), "--division", str(TAOYUAN), "--year", str(YEAR))
    assert "绝对贫困: 新进 2 户, 退出 0 户, 3 户不变, 1 户无法判定" in capsys.readouterr().out
    with pytest.raises(CommandError, match="没有2016年"):
        call_command("try_index", str(draft().pk), "--year", "2016")
