"""Every number of an area's page equals what lies behind it: the cards and leads of a cell, the runs of a year."""

import pytest

from households.models import Finding, Household, IndexRun, MemberSheet, Result
from households.services import status_leads
from households.services.figures import count_marked
from households.services.index_versions import draft_version, load_default_versions, release_version
from supervision.selectors.figures import area_figures
from tests.conftest import login
from tests.factories import make_household
from tests.households.test_figures import changed
from tests.households.test_index_runs import run_over
from tests.personas import CITY, FENGMING, OTHER_VILLAGE, RESHI, TAOYUAN, WULING_VILLAGE

DEPRIVED = {"wage_income": 90_000, "house_area": 10, "sanitary_toilet": False, "main_fuel": "柴草"}
FACTS = {
    "undetermined": {"wage_income": None},
    "absolute": {"wage_income": 1000},
    "relative_line": {"wage_income": 4000},
    "relative_cutoff": DEPRIVED,
    "not_poor": {"wage_income": 90_000},
}
STATUSES = ("unregistered", "proposed", "registered", "exited", "returned", "monitored")
# What the table of docs/leads.md opens in a cell; a card that was once registered and is monitored has returned.
LEADS = {
    ("absolute", "unregistered"): {"left_out"},
    ("absolute", "exited"): {"returned"},
    ("absolute", "monitored"): {"left_out", "returned"},
    ("relative_line", "unregistered"): {"marginal"},
    ("relative_line", "exited"): {"unstable"},
    ("not_poor", "registered"): {"exit_due"},
    ("not_poor", "returned"): {"exit_due"},
}


def one(village, outcome, status):
    stands = "unregistered" if status == "monitored" else status
    household = make_household(village, status=stands, **FACTS[outcome])
    if outcome == "relative_cutoff":
        MemberSheet.objects.filter(sheet__household=household).update(education="小学", health=["患有大病"])
    return household


def monitor(household, kind):
    Household.objects.filter(pk=household.pk).update(status="monitored", monitored_kind=kind)


@pytest.fixture
def cells(people):
    """In Fengming one or two households in every cell of the table, others in villages beside it and far away."""
    load_default_versions()
    for row, outcome in enumerate(FACTS):
        for place, status in enumerate(STATUSES):
            for number in range(1 + (row + place) % 2 if status != "monitored" else 2):
                made = one(FENGMING, outcome, status)
                if status == "monitored":
                    monitor(made, ("marginal", "unstable")[number])
    for village in (OTHER_VILLAGE, WULING_VILLAGE):
        one(village, "absolute", "unregistered")
    make_household(FENGMING, status="closed", wage_income=1000)
    run_over(CITY)
    for county in (TAOYUAN, WULING_VILLAGE // 1_000_000 * 1_000_000):
        status_leads.keep_area(area=county, year=2019)
    count_marked()
    return people


def table(client, code=FENGMING):
    told = client.get(f"/city/{code}/").context["by_status"]
    assert len(told["columns"]) == len(STATUSES)
    order = ("unregistered", "proposed", "registered", "exited", "monitored", "returned")
    return {
        (row["key"], status): cell for row in told["rows"] for status, cell in zip(order, row["cells"], strict=True)
    }


def listed(client, address):
    return client.get(address).context["page"].total.number


@pytest.mark.parametrize("code", [FENGMING, RESHI])
def test_a_cell_opens_as_many_cards_as_it_counts(cells, code):
    client = login(cells.reshi_officer)
    found = table(client, code)
    assert len(found) == len(FACTS) * len(STATUSES)
    assert {key: listed(client, cell["href"]) for key, cell in found.items()} == {
        key: cell["households"] for key, cell in found.items()
    }
    assert found["absolute", "unregistered"]["households"] == (2 if code == FENGMING else 3)


@pytest.mark.parametrize("name", ["reshi_officer", "taoyuan_office", "city_office"])
def test_a_cell_opens_as_many_leads_as_it_counts_households(cells, name):
    client = login(getattr(cells, name))
    found = table(client)
    named = {key: cell for key, cell in found.items() if any(lead["href"] for lead in cell["leads"])}
    assert set(named) == set(LEADS)
    for key, cell in named.items():
        rows = [lead for door in cell["leads"] for lead in client.get(door["href"]).context["page"].rows]
        assert ({lead.kind for lead in rows}, len(rows)) == (LEADS[key], cell["households"]), key
        assert {(lead.village_id, lead.household.status) for lead in rows} == {(FENGMING, key[1])}
    leads = Finding.objects.of_leads().open().filter(village=FENGMING).exclude(kind="guarantee_gap")
    assert sum(cell["households"] for cell in named.values()) == leads.count()


def test_who_reads_no_leads_gets_the_words_of_a_cell_and_no_door_to_a_refusal(cells):
    cell = table(login(cells.fengming_cadre))["absolute", "unregistered"]
    assert [(lead["text"], lead["href"]) for lead in cell["leads"]] == [("漏评线索", "")]
    assert cell["href"]


def test_the_desk_says_what_it_is_narrowed_to_and_widens_to_nothing(cells):
    client = login(cells.reshi_officer)
    page = client.get(f"/leads/?whose=area&kind=left_out&status=unregistered&within={FENGMING}")
    assert [(str(chip["text"]), chip["href"]) for chip in page.context["narrowed"]] == [
        ("凤鸣村", "/leads/?kind=left_out&whose=area&status=unregistered"),
        ("未建档", f"/leads/?kind=left_out&whose=area&within={FENGMING}"),
        ("应纳未纳", f"/leads/?whose=area&status=unregistered&within={FENGMING}"),
    ]
    far = client.get(f"/leads/?whose=area&kind=left_out&within={WULING_VILLAGE}").context
    assert ([str(chip["text"]) for chip in far["narrowed"]], {lead.village_id for lead, *_ in far["rows"]}) == (
        ["应纳未纳"],
        {FENGMING, OTHER_VILLAGE},
    )


# -- the trend ------------------------------


def outcomes(run: IndexRun) -> dict[str, int]:
    return {outcome: number for outcome, number in run.outcomes.items() if number}


def by_hand(run: IndexRun) -> tuple[int, float, float]:
    """(households, people in absolute households over people, H) from the rows of a run."""
    rows = list(Result.objects.filter(run=run).select_related("household"))
    people = sum(row.household.persons for row in rows)
    judged = [row for row in rows if row.outcome != "undetermined"]
    poor = sum(row.members for row in judged if row.reaches_cutoff)
    absolute = sum(row.household.persons for row in rows if row.outcome == "absolute")
    return len(rows), absolute / people, poor / sum(row.members for row in judged)


def test_each_year_of_the_trend_says_what_its_run_said(people):
    load_default_versions()
    for year, incomes in ((2018, (1000, 1500, 90_000)), (2019, (1000, 4000, 90_000, 80_000, None))):
        for members, income in enumerate(incomes, start=1):
            make_household(FENGMING, year=year, members=members, wage_income=income)
    runs = {year: run_over(CITY, year) for year in (2018, 2019)}
    count_marked()
    trend = {year.year: year for year in area_figures(people.taoyuan_office, TAOYUAN).trend}
    assert set(trend) == {2018, 2019}
    for year, run in runs.items():
        households, absolute, headcount = by_hand(run)
        assert trend[year].judged == households == run.households == sum(outcomes(run).values())
        assert trend[year].absolute == pytest.approx(absolute)
        assert pytest.approx(headcount) == trend[year].measures.H
    assert outcomes(runs[2019]) == {"absolute": 2, "not_poor": 2, "undetermined": 1}


def test_a_change_of_version_tells_what_the_run_before_and_the_run_after_said(people):
    load_default_versions()
    for income in (1000, 4000, 90_000):
        made = make_household(FENGMING, wage_income=income, house_area=10, sanitary_toilet=False, main_fuel="柴草")
        MemberSheet.objects.filter(sheet__household=made).update(education="小学")
    before = run_over(CITY)
    count_marked()
    told_before = by_hand(before)
    release_version(version=draft_version(division=None, system=changed(cutoff="1/5"), by=None), by=None)
    after = run_over(CITY)
    count_marked()
    [year] = area_figures(people.taoyuan_office, TAOYUAN).trend
    [change] = year.changes
    assert (change.villages, year.judged) == (1, 3)
    assert pytest.approx(told_before[2]) == change.before.H
    assert change.after.H == year.measures.H == pytest.approx(by_hand(after)[2])
    assert change.after.H > change.before.H
