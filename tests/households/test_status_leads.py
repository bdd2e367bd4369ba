"""Outcome against status: the table of identification as leads, household by household and area by area."""

from datetime import date
from itertools import product

import pytest

from households.domain.priority import Said, doubt_of, weight_of, wilson
from households.domain.status_leads import KINDS, NOT_COUNTED, Standing, YearBefore, lead_of
from households.models import Finding, HouseholdStatus, LeadRule, MemberSheet, Result, Sheet
from households.services import leads, status_leads
from households.services.index_runs import compute_run, start_run
from households.services.index_versions import load_default_versions
from households.services.results import recompute_household
from households.services.status import set_status
from tests.factories import make_household
from tests.personas import FENGMING, TAOYUAN, WULING, WULING_VILLAGE

GOOD, POOR = YearBefore("not_poor", False), YearBefore("absolute", True)
# (outcome, below the monitoring line) -> status -> kind of lead; the words of the table in docs/identification.md.
TABLE = {
    ("undetermined", False): {},
    ("absolute", True): {"unregistered": "left_out", "exited": "returned", "monitored": "left_out"},
    ("relative", True): {"unregistered": "marginal", "exited": "unstable"},
    ("relative", False): {},
    ("not_poor", False): {"registered": "exit_due", "returned": "exit_due"},
}


@pytest.mark.parametrize("status", HouseholdStatus.values)
@pytest.mark.parametrize("judged", TABLE)
def test_every_outcome_and_status_names_the_lead_of_the_table_or_none(judged, status):
    outcome, below = judged
    found = lead_of(Standing(status, outcome, below_monitoring=below))
    assert (found.kind if found else None) == TABLE[judged].get(status)


@pytest.mark.parametrize("status", sorted(set(HouseholdStatus.values) - {"closed"}))
@pytest.mark.parametrize("outcome", ["relative", "not_poor"])
def test_above_the_monitoring_line_a_missing_guarantee_is_a_lead_for_help_and_no_exit_is_due(status, outcome):
    assert lead_of(Standing(status, outcome, guarantee_gap=True)).kind == "guarantee_gap"


def test_two_good_years_make_a_clinging_lead_of_an_exit_that_is_due():
    assert lead_of(Standing("registered", "not_poor", before=GOOD)).kind == "clinging"
    assert lead_of(Standing("registered", "not_poor", before=POOR)).kind == "exit_due"


def test_who_came_on_the_list_in_between_does_not_cling_and_whose_bills_eat_the_income_has_no_good_year():
    assert lead_of(Standing("registered", "not_poor", before=GOOD, helped_through=False)).kind == "exit_due"
    burdened_before = YearBefore("not_poor", False, burdened=True)
    assert lead_of(Standing("registered", "not_poor", before=burdened_before)).kind == "exit_due"
    assert lead_of(Standing("registered", "not_poor", before=GOOD, burdened=True)) is None


def test_a_return_counts_only_where_a_fact_of_the_household_changed():
    def rule(before):
        return lead_of(Standing("exited", "absolute", before=before)).rule

    assert rule(YearBefore("not_poor", False)) == "returned"
    assert rule(None) == "returned"
    assert {rule(YearBefore("relative", True)), rule(POOR)} == NOT_COUNTED


def test_a_monitored_household_that_was_once_registered_returns_and_others_are_left_out():
    assert lead_of(Standing("monitored", "absolute", monitored_kind="unstable")).kind == "returned"
    assert lead_of(Standing("monitored", "absolute", monitored_kind="marginal")).kind == "left_out"


def test_a_household_far_under_the_line_is_surer_than_one_beside_it_or_one_that_owns_a_car():
    far, near = Standing("unregistered", "absolute", distance=-0.6), Standing("unregistered", "absolute", distance=-0.1)
    owns = Standing("unregistered", "absolute", distance=-0.6, excluded=True)
    assert lead_of(far).score > lead_of(near).score > lead_of(owns).score


def test_no_combination_gives_a_score_outside_zero_to_one():
    for status, outcome, flags, gone in product(
        HouseholdStatus.values, Result.Outcome.values, product((True, False), repeat=3), (None, -3.0, 0.0, 9.0)
    ):
        found = lead_of(Standing(status, outcome, *flags, distance=gone))
        assert found is None or (found.kind in KINDS and 0 < found.score <= 1)


def test_two_leads_together_say_more_than_each_and_never_more_than_one():
    half = Said("left_out", "left_out", 0.5, 1.0)
    assert doubt_of([]) == 1
    assert 1 - doubt_of([half, half]) == pytest.approx(0.75)
    assert 0 <= doubt_of([Said("deceased", "x", 1.0, 1.0)] * 3) <= 1


def test_a_weight_moves_from_what_is_expected_to_what_the_office_found():
    assert weight_of("marginal") == pytest.approx(0.6)
    assert weight_of("marginal", confirmed=3, dismissed=17) == pytest.approx(15 / 40)
    assert weight_of("marginal", confirmed=0, dismissed=10_000) < 0.01


def test_wilson_gives_the_published_interval_and_none_without_decisions():
    assert wilson(8, 10) == pytest.approx((0.490, 0.943), abs=0.001)
    assert wilson(0, 0) is None


# -- from results to leads ------------------------------


@pytest.fixture
def county(db):
    """Five households of Taoyuan and one of Wuling, with results of 2018 and 2019."""
    load_default_versions()
    made = {
        "poor": make_household(FENGMING, wage_income=1000),
        "edge": make_household(FENGMING, wage_income=4000),
        "back": make_household(FENGMING, wage_income=1000, status="exited"),
        "stays": make_household(FENGMING, wage_income=60000, status="registered"),
        "fine": make_household(FENGMING, wage_income=60000),
        "wuling": make_household(WULING_VILLAGE, wage_income=1000),
    }
    for household in made.values():
        recompute_household(household=household.pk, year=2019)
    return made


def kinds():
    return dict(Finding.objects.open().of_leads().values_list("household_id", "kind"))


def test_a_card_names_its_own_lead_as_soon_as_it_is_judged(county):
    expected = {"poor": "left_out", "edge": "marginal", "back": "returned", "stays": "exit_due", "wuling": "left_out"}
    assert kinds() == {county[name].pk: kind for name, kind in expected.items()}


@pytest.mark.django_db(transaction=False)
def test_a_card_that_is_no_longer_poor_closes_its_lead_and_another_year_leaves_it(county):
    sheet = county["poor"].sheets.get()
    sheet.wage_income = sheet.net_income = 60000
    sheet.save()
    recompute_household(household=county["poor"].pk, year=2018)
    assert county["poor"].pk in kinds()
    recompute_household(household=county["poor"].pk, year=2019)
    assert county["poor"].pk not in kinds()


def test_an_exit_is_due_after_a_good_year_that_bills_did_not_eat_and_clinging_is_who_was_helped_through_two(county):
    card = county["stays"]
    sheet = card.sheets.get()
    last = Sheet.objects.get(pk=sheet.pk)
    last.pk, last.year = None, 2018
    last.save()
    for row in MemberSheet.objects.filter(sheet=sheet):
        row.pk, row.sheet = None, last
        row.save()
    recompute_household(household=card.pk, year=2018)

    def told(since, bills):
        card.status_since = since
        card.save(update_fields=["status_since"])
        Sheet.objects.filter(pk=sheet.pk).update(medical_cost=bills)
        return [hit.kind for hit in status_leads.hits(first=FENGMING, last=FENGMING, year=2019, households=[card.pk])]

    assert told(date(2018, 9, 30), 0) == ["clinging"]
    assert told(date(2018, 10, 1), 0) == ["exit_due"]
    assert told(date(2018, 9, 30), 58_000) == []


def test_an_area_keeps_its_leads_and_says_nothing_of_another(county):
    Finding.objects.all().delete()
    kept = status_leads.keep_area(area=TAOYUAN, year=2019)
    assert (kept.opened, set(kinds())) == (4, {county[name].pk for name in ("poor", "edge", "back", "stays")})
    assert status_leads.keep_area(area=TAOYUAN, year=2019).opened == 0
    assert status_leads.keep_area(area=WULING, year=2019).opened == 1


def test_a_change_of_status_brings_the_lead_along(county, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        set_status(household=county["poor"], status="registered", by=None, reason="list-1")
    assert county["poor"].pk not in kinds()


def test_the_order_of_the_desk_is_the_product_of_the_domain(county):
    lead = Finding.objects.get(household=county["poor"])
    said = [Said(lead.kind, lead.code, lead.score, weight_of(lead.kind))]
    assert lead.doubt == pytest.approx(doubt_of(said), abs=1e-5)
    hit = leads.Hit(county["poor"].pk, "vehicle", "private_car", 0.5)
    leads.keep_leads([hit], kinds=["vehicle"], area=FENGMING, year=2019)
    said.append(Said("vehicle", "private_car", 0.5, weight_of("vehicle")))
    lead.refresh_from_db()
    assert lead.doubt == pytest.approx(doubt_of(said), abs=1e-5)


def test_a_township_cannot_read_a_sign_about_its_office_off_its_own_order(county):
    before = Finding.objects.get(household=county["poor"]).doubt
    hit = leads.Hit(county["poor"].pk, "kin", "same_account", 1.0)
    leads.keep_leads([hit], kinds=["kin"], area=FENGMING, year=2019)
    assert Finding.objects.get(household=county["poor"], kind="left_out").doubt == before
    assert Finding.objects.get(household=county["poor"], kind="kin").doubt < before


def test_the_night_learns_from_decisions(county, people):
    Finding.objects.filter(kind="left_out").update(
        decision="dismissed", decided_at="2026-01-01T00:00Z", decided_by=people.reshi_officer
    )
    leads.learn_weights()
    rule = LeadRule.objects.get(code="left_out")
    assert (rule.dismissed, rule.weight) == (2, pytest.approx(weight_of("left_out", dismissed=2)))


def test_a_run_that_is_over_asks_for_the_leads_of_its_area(county):
    from changde.divisions.models import Division
    from changde.jobs.models import Job

    run = start_run(division=Division.objects.get(code=TAOYUAN), year=2019, by=None, in_background=False)
    compute_run(run=run)
    assert Job.objects.filter(kind=status_leads.JOB, area=TAOYUAN, parameters={"area": TAOYUAN, "year": 2019}).exists()
