"""Figures kept per village: sums that give the measures of the households, and never stay behind the tables."""

import copy

import numpy as np
import pandas as pd
import pytest
from django.db.models import F
from hypothesis import given, settings
from hypothesis import strategies as st

from changde.audit.models import Event
from households import frames
from households.domain.figures import CAUSES, CLASSES, STATUSES, Sums, count, measures
from households.domain.index import OUTCOMES, alkire_foster, fgt
from households.domain.index_system import IndexSystem
from households.models import CardCount, FiguresMark, Household, Result, Sheet, TownshipPointer, VillageFigures
from households.services import figures, results
from households.services.index_versions import draft_version, load_default_versions, release_version
from households.services.status import set_status
from tests.factories import make_household
from tests.households import golden
from tests.households.test_index_runs import run_over
from tests.personas import CITY, FENGMING, OTHER_VILLAGE, RESHI

YEAR = 2019
SYSTEM = golden.DEFAULTS[YEAR]
WEIGHTS = SYSTEM.weights
SURE = (0b1_0000_0001, 4, 1_000_000, False)  # a household that is judged

# --- sums: no database ----------------------------------------------------------------------------------------


def results_of(rows: list[tuple[int, int, int, bool]]) -> pd.DataFrame:
    """Results as `judge` gives them, from (deprived bits, members, net income in fen, undetermined), in 3 villages."""
    deprived, members, net, open_ = (np.array(column) for column in zip(*rows, strict=True))
    score = sum(weight * ((deprived >> bit) & 1) for bit, weight in enumerate(WEIGHTS.values()))
    below, monitored = (net < members * line for line in (SYSTEM.income_line, SYSTEM.monitoring_line))
    reaches = score + 1e-6 >= float(SYSTEM.cutoff)
    outcome = np.select([open_, below, monitored | reaches], [0, 1, 2], default=3)
    return pd.DataFrame(
        {
            "village_id": np.sort(np.arange(len(rows)) % 3 + FENGMING),
            "version_id": 1,
            "outcome": np.array(OUTCOMES)[outcome],
            "below_line": below,
            "below_monitoring_line": monitored,
            "reaches_cutoff": reaches,
            "guarantee_gap": False,
            "excluded": False,
            "members": pd.array(np.where(open_, None, members), "Int64"),
            "net_income": pd.array(np.where(open_, None, net), "Int64"),
            "score": np.where(open_, np.nan, np.round(score, 9)),
            "deprived": deprived,
            "persons": members + 1,
            "status": np.array(STATUSES)[deprived % len(STATUSES)],
            "main_cause": pd.Series(np.array(CAUSES)[net % len(CAUSES)]).replace("", None),
        }
    )


HOUSEHOLDS = st.tuples(
    st.integers(0, 2 ** len(WEIGHTS) - 1),
    st.integers(1, 9),
    st.integers(-2_000_000, 12_000_000),
    st.sampled_from([False, False, False, True]),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(HOUSEHOLDS, max_size=30))
def test_sums_over_villages_give_the_measures_of_the_households(rows):
    households = results_of([SURE, *rows])
    found = measures([(SYSTEM, sums) for _village, _version, sums in count(households, {1: SYSTEM})])
    judged = households[households["outcome"] != "undetermined"]
    people = judged["members"].astype("int64")
    bits = judged["deprived"].to_numpy()
    deprived = pd.DataFrame({name: (bits >> bit) & 1 for bit, name in enumerate(WEIGHTS)}, index=judged.index)
    truth = alkire_foster(deprived, WEIGHTS, float(SYSTEM.cutoff), people)
    income = fgt(judged["net_income"].astype("int64"), people * SYSTEM.income_line, people)
    assert found.H == truth.H
    assert max(abs(found.A - truth.A), abs(found.M0 - truth.M0)) < 1e-9
    assert found.censored == pytest.approx(truth.censored.to_dict(), abs=1e-12)
    assert found.contributions == pytest.approx(truth.contributions.to_dict(), abs=1e-12)
    assert [found.headcount, found.gap, found.severity] == pytest.approx(list(income), rel=1e-9)


@settings(max_examples=20, deadline=None)
@given(st.lists(HOUSEHOLDS, max_size=30))
def test_the_tables_by_status_and_by_cause_hold_every_household_once(rows):
    households = results_of([SURE, *rows])
    total = sum((sums for _village, _version, sums in count(households, {1: SYSTEM})), Sums())
    assert sum(total.by_status) == sum(total.by_cause) == total.households == len(households)
    assert sum(total.by_status_persons) == total.persons
    assert total.judged + total.undetermined == total.households


def test_versions_with_different_lines_and_weights_add_up_by_the_id_of_the_indicator():
    """By hand: 1 person short by half of a line of 100 yuan, 1 person short by a quarter of a line of 200 yuan."""
    short = Sums(members=2, poor_members=1, poor_score=0.5, below_line_members=1)
    systems = [changed(income_line="100", monitoring_line="150"), changed(income_line="200", monitoring_line="300")]
    one = Sums(**vars(short) | {"shortfall": 5_000, "squared_shortfall": 5_000.0**2, "censored": (1,) + 8 * (0,)})
    two = Sums(**vars(short) | {"shortfall": 5_000, "squared_shortfall": 5_000.0**2, "censored": (0, 1) + 7 * (0,)})
    found = measures(zip(systems, (one, two), strict=True))
    assert (found.H, found.A, found.M0) == (0.5, 0.5, 0.25)
    assert (found.headcount, found.gap, found.severity) == (0.5, (0.5 + 0.25) / 4, (0.25 + 0.0625) / 4)
    assert sum(found.contributions.values()) == pytest.approx(1)
    assert list(found.contributions.values())[:2] == pytest.approx([0.8, 0.2])  # weights 1/4 and 1/16


def test_where_nobody_was_judged_there_are_no_measures():
    assert measures([(SYSTEM, Sums(households=3, undetermined=3))]) is None


def changed(**values: str) -> IndexSystem:
    return IndexSystem.from_json(copy.deepcopy(SYSTEM.to_json()) | values)


# --- kept per village -------------------------------------------------------------------------------------------


@pytest.fixture
def reshi(db):
    """Fengming: a poor registered household of 2 and one that is well off; its neighbour: one poor household of 3."""
    load_default_versions()
    cards = [
        make_household(FENGMING, members=2, status="registered", wage_income=4000, main_cause="因病"),
        make_household(FENGMING, members=1, wage_income=90_000),
        make_household(OTHER_VILLAGE, members=3, wage_income=3000),
    ]
    run_over(RESHI)
    figures.count_marked()
    return cards


def kept(village: int = FENGMING, **where: object) -> Sums:
    return VillageFigures.objects.get(village_id=village, **{"current": True, **where}).sums


def cell(sums: Sums, outcome: str, status: str) -> int:
    return sums.by_status[CLASSES.index(outcome) * len(STATUSES) + STATUSES.index(status)]


def test_a_run_counts_its_villages_with_the_rows_it_writes(reshi):
    """By hand: 2 members x 3,218 yuan - 4,000 yuan = 2,436 yuan short."""
    sums = kept()
    assert (sums.households, sums.persons, sums.judged, sums.members) == (2, 3, 2, 3)
    assert (sums.absolute, sums.below_line, sums.below_line_members) == (1, 1, 2)
    assert (sums.shortfall, sums.squared_shortfall) == (243_600, 243_600**2 / 2)
    assert cell(sums, "absolute", "registered") == cell(sums, "not_poor", "unregistered") == 1
    assert sums.by_cause[CLASSES.index("absolute") * len(CAUSES) + CAUSES.index("因病")] == 1
    assert not FiguresMark.objects.exists()


def test_a_card_recomputed_alone_is_counted_anew_by_the_reader(reshi):
    Sheet.objects.filter(household=reshi[0]).update(wage_income=90_000)
    results.recompute_household(household=reshi[0].pk, year=YEAR)
    assert kept().absolute == 1
    standing = figures.bring_up_to_date(area=RESHI)
    assert (standing.waiting, kept().absolute, cell(kept(), "not_poor", "registered")) == (0, 0, 1)


def test_a_change_of_status_reaches_both_tables(reshi):
    set_status(household=reshi[0], status="exited", by=None, reason="test")
    figures.bring_up_to_date(area=FENGMING)
    assert (cell(kept(), "absolute", "registered"), cell(kept(), "absolute", "exited")) == (0, 1)
    rows = CardCount.objects.filter(village_id=FENGMING).values_list("status", "households", "persons")
    assert set(rows) == {("exited", 1, 2), ("unregistered", 1, 1)}


@pytest.mark.parametrize("shown_before", [False, True])
def test_a_status_set_while_a_run_judges_the_township_is_counted(reshi, monkeypatch, shown_before):
    if not shown_before:
        TownshipPointer.objects.all().delete()
        Result.objects.all().delete()
        VillageFigures.objects.all().delete()
    read = frames.features_of

    def read_then_change(**parameters):
        cards = read(**parameters)
        set_status(household=reshi[0], status="exited", by=None, reason="test")
        return cards

    monkeypatch.setattr(frames, "features_of", read_then_change)
    run_over(RESHI)
    assert cell(kept(), "absolute", "exited") == 0
    figures.count_marked()
    assert (cell(kept(), "absolute", "registered"), cell(kept(), "absolute", "exited")) == (0, 1)
    assert figures.check() == 0


def test_closing_and_moving_a_household_reach_every_village_concerned(reshi):
    Household.objects.filter(pk=reshi[1].pk).update(status="closed")
    Household.objects.filter(pk=reshi[2].pk).update(village_id=FENGMING)
    assert set(FiguresMark.objects.values_list("village_id", "year")) == {
        (FENGMING, 0), (FENGMING, YEAR), (OTHER_VILLAGE, 0), (OTHER_VILLAGE, YEAR),
    }  # fmt: skip
    figures.count_marked()
    assert kept().households == 1
    assert set(CardCount.objects.values_list("village_id", "status", "persons")) == {
        (FENGMING, "registered", 2),
        (FENGMING, "unregistered", 3),
    }


def test_many_marked_villages_wait_for_the_beat_and_the_area_says_since_when(reshi, monkeypatch):
    monkeypatch.setattr(figures, "AT_ONCE", 0)
    set_status(household=reshi[0], status="exited", by=None, reason="test")
    standing = figures.bring_up_to_date(area=CITY)
    assert standing.waiting == 1
    assert standing.as_of == FiguresMark.objects.earliest("at").at
    assert figures.count_marked() == 2
    assert figures.bring_up_to_date(area=CITY).waiting == 0


def test_another_change_of_a_card_leaves_no_mark(reshi):
    Household.objects.update(version=F("version") + 1, address="1号")
    assert not FiguresMark.objects.exists()


def test_a_new_version_leaves_what_the_old_one_said_last(reshi):
    release_version(version=draft_version(division=None, system=changed(cutoff="1/5"), by=None), by=None)
    results.recompute_household(household=reshi[0].pk, year=YEAR)
    figures.count_marked()
    old, new = sorted(VillageFigures.objects.values_list("version_id", flat=True).distinct())
    assert kept(version_id=old, current=False).households == 2
    assert (kept(version_id=old).households, kept(version_id=new).households) == (1, 1)
    run_over(RESHI)
    assert kept(version_id=old, current=False).households == 2
    assert kept().households == 2


def test_the_night_finds_a_row_that_differs_from_the_tables_and_mends_it(reshi):
    assert figures.check() == 0
    VillageFigures.objects.filter(village_id=FENGMING).update(absolute=0, poor_score=F("poor_score") + 1)
    CardCount.objects.filter(village_id=OTHER_VILLAGE).delete()
    assert figures.check() == 2
    assert kept().absolute == 1
    facts = [event.facts for event in Event.objects.filter(verb="households.figures_differed")]
    assert facts == [{"year": 0, "villages": [OTHER_VILLAGE]}, {"year": YEAR, "villages": [FENGMING]}]
    assert figures.check() == 0
