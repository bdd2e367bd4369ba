"""Runs: a township at once, never half, never two over one area."""

import copy
import threading
from datetime import timedelta
from decimal import Decimal

import pandas as pd
import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from changde.accounts.refusal import Refusal
from changde.audit.models import Event
from changde.divisions.models import Division
from changde.jobs import services as jobs
from changde.jobs.models import Job
from households import frames, tasks  # noqa: F401 - registers the handlers
from households.domain.index_system import IndexSystem
from households.models import (
    FiguresMark,
    Household,
    IndexRun,
    MemberSheet,
    Person,
    Result,
    RunChunk,
    Sheet,
    TownshipPointer,
    VillageCard,
    VillageFigures,
)
from households.services import figures, index_runs, results, run_chunks
from households.services.index_versions import draft_version, load_default_versions, release_version
from tests.factories import make_household
from tests.households import golden
from tests.households.test_features import MEMBERS, member
from tests.personas import CITY, FENGMING, OTHER_VILLAGE, RESHI, TAOYUAN, WULING, WULING_VILLAGE
from tests.template_database import owner_connection

YEAR = 2019
OTHER_TOWNSHIP = 430725101000
OTHER_TOWNSHIP_VILLAGE = 430725101001
BETWEEN_VILLAGE = 430725102202  # of the township between
WULING_TOWNSHIP = 430702001000


@pytest.fixture
def defaults(db):
    load_default_versions()


def division(code: int) -> Division:
    return Division.objects.get(code=code)


def run_over(code: int, year: int = YEAR) -> IndexRun:
    return index_runs.compute_run(
        run=index_runs.start_run(division=division(code), year=year, by=None, in_background=False)
    )


def outcomes_shown() -> dict[int, str]:
    return dict(Result.objects.current().values_list("household_id", "outcome"))


def test_every_household_with_a_sheet_of_the_year_gets_its_outcome(defaults):
    expected = {
        make_household(FENGMING, members=2, wage_income=Decimal("9654")).pk: "not_poor",
        make_household(FENGMING, members=2, wage_income=Decimal("9653.99")).pk: "relative",
        make_household(FENGMING, members=2, wage_income=Decimal("6436")).pk: "relative",
        make_household(OTHER_VILLAGE, members=2, wage_income=Decimal("6435.99")).pk: "absolute",
        make_household(
            OTHER_VILLAGE, members=2, wage_income=Decimal("9000"), house_grade="D级", unsafe_house=True
        ).pk: "absolute",
        make_household(OTHER_VILLAGE, members=2, wage_income=None).pk: "undetermined",
    }
    make_household(FENGMING, year=2018)
    make_household(FENGMING, status="closed")
    run = run_over(RESHI)
    assert outcomes_shown() == expected
    assert run.households == 6
    assert run.outcomes == {"absolute": 2, "relative": 2, "not_poor": 1, "undetermined": 1}
    assert Result.objects.get(outcome="undetermined").open_fields == "wage_income"


def test_a_result_keeps_what_it_read_and_by_which_version(defaults):
    household = make_household(FENGMING, members=2, wage_income=Decimal("9000.50"))
    run_over(RESHI)
    result = Result.objects.get()
    assert (result.household, result.village_id, result.year, result.members) == (household, FENGMING, YEAR, 2)
    assert (result.net_income, result.values_by_name["wage_income"]) == (900050, 900050)
    assert result.values_by_name["house_grade"] == "B级"
    assert (result.version.division, result.version.year, result.card_version) == (None, YEAR, household.version)


def test_the_same_cards_give_the_same_hash_and_another_card_another(defaults):
    household = make_household(FENGMING, wage_income=9000)
    make_household(OTHER_TOWNSHIP_VILLAGE, wage_income=9000)
    first, second = run_over(TAOYUAN), run_over(TAOYUAN)
    assert first.digest == second.digest
    Sheet.objects.filter(household=household).update(medical_cost="0.01")
    assert run_over(TAOYUAN).digest != first.digest


def test_a_village_rounds_up_to_its_township(defaults):
    make_household(FENGMING)
    make_household(OTHER_VILLAGE)
    run = run_over(FENGMING)
    assert (run.division_id, run.households) == (RESHI, 2)


def test_readers_see_a_run_only_through_the_pointer(defaults):
    household = make_household(FENGMING, wage_income=1000)
    other = make_household(OTHER_TOWNSHIP_VILLAGE, wage_income=1000)
    old = run_over(TAOYUAN)
    Sheet.objects.all().update(wage_income=90000)
    new = index_runs.start_run(division=division(TAOYUAN), year=YEAR, by=None, in_background=False)
    run_chunks.compute_chunks(chunks=[new.chunks.get(township_id=RESHI)])
    assert outcomes_shown() == {household.pk: "not_poor", other.pk: "absolute"}
    assert Result.objects.count() == 3
    assert dict(TownshipPointer.objects.values_list("township_id", "run_id")) == {
        RESHI: new.pk,
        OTHER_TOWNSHIP: old.pk,
    }


def test_a_chunk_done_twice_writes_the_same_rows(defaults):
    make_household(FENGMING)
    run = index_runs.start_run(division=division(RESHI), year=YEAR, by=None, in_background=False)
    run_chunks.compute_chunks(chunks=[run.chunks.get()])
    first = run.chunks.get()
    RunChunk.objects.update(state=RunChunk.State.WAITING)
    run_chunks.compute_chunks(chunks=[run.chunks.get()])
    again = run.chunks.get()
    assert (first.digest, first.households) == (again.digest, again.households) != ("", 0)
    assert Result.objects.count() == 1


def test_a_chunk_that_always_fails_is_parked_with_its_reason_and_the_others_go_on(defaults, monkeypatch):
    make_household(FENGMING, wage_income=1000)
    run_over(TAOYUAN)
    make_household(OTHER_TOWNSHIP_VILLAGE)
    Sheet.objects.update(wage_income=90000)
    mark, tries = run_chunks.mark_older_than_cards, []

    def breaks_in_reshi(*, run, townships):
        tries.append(townships)
        return {(OTHER_TOWNSHIP,): mark}[tuple(townships)](run=run, townships=townships)

    monkeypatch.setattr(run_chunks, "mark_older_than_cards", breaks_in_reshi)
    run = run_over(TAOYUAN)
    assert tries == [[OTHER_TOWNSHIP, RESHI], [OTHER_TOWNSHIP], [RESHI], [RESHI]]
    parked = run.chunks.get(township_id=RESHI)
    assert (parked.state, parked.tries) == ("parked", 4)
    assert parked.error.startswith("KeyError (breaks_in_reshi:")
    assert (run.state, run.error, run.households) == ("failed", "1 个乡镇没有完成", 1)
    assert sorted(outcomes_shown().values()) == ["absolute", "not_poor"]


# --- small neighbours together ---------------------------------------------------------------------------------------


def started(code: int) -> IndexRun:
    return index_runs.start_run(division=division(code), year=YEAR, by=None, in_background=False)


def said_of(run: IndexRun) -> list[tuple[object, ...]]:
    """Everything a run says: results without ids, ledger without times, figures."""
    rows = Result.objects.filter(run=run).order_by("household_id")
    left_out = ("id", "run", "run_id", "computed_at")
    names = [field.attname for field in Result._meta.fields if field.attname not in left_out]
    figures = VillageFigures.objects.filter(current=True).order_by("village_id", "version_id")
    return [
        *rows.values_list(*names),
        *run.chunks.values_list("township_id", "households", "digest", "state"),
        *((each.village_id, each.version_id, each.sums) for each in figures),
        (run.digest,),
    ]


def test_townships_together_alone_and_card_by_card_say_the_same(defaults, monkeypatch):
    for village in (OTHER_TOWNSHIP_VILLAGE, FENGMING, WULING_VILLAGE, OTHER_VILLAGE, OTHER_TOWNSHIP_VILLAGE, FENGMING):
        for wage in (1000, 9000, None, 90_000):
            make_household(village, members=3, wage_income=wage)
    asked, read = [], frames.features_of
    monkeypatch.setattr(frames, "features_of", lambda **what: asked.append(what["first"]) or read(**what))
    together = run_over(CITY)
    assert asked == [WULING_TOWNSHIP, OTHER_TOWNSHIP]
    expected = said_of(together)
    monkeypatch.setattr(run_chunks, "AT_ONCE", 0)
    assert said_of(run_over(CITY)) == expected
    assert asked[2:] == [WULING_TOWNSHIP, OTHER_TOWNSHIP, RESHI]
    Result.objects.all().delete()
    TownshipPointer.objects.all().delete()
    for household in Household.objects.all():
        results.recompute_household(household=household.pk, year=YEAR)
    figures.count_marked()
    alone = Result.objects.current().order_by("household_id").values_list("household_id", "values", "outcome", "score")
    assert list(alone) == list(
        Result.objects.filter(run=run_over(CITY)).order_by("household_id").values_list(*alone._fields)
    )


def test_a_batch_holds_undone_neighbours_of_one_county_up_to_the_bound(monkeypatch):
    monkeypatch.setattr(run_chunks, "AT_ONCE", 10)
    told = [(4, "waiting"), (6, "running"), (1, "parked"), (2, "done"), (3, "waiting"), (99, "waiting"), (0, "waiting")]
    ledger = [
        RunChunk(township_id=RESHI + 1000 * place, expected=expected, state=state)
        for place, (expected, state) in enumerate(told)
    ]
    ledger += [RunChunk(township_id=WULING + 1000, expected=0), RunChunk(township_id=WULING + 2000, expected=1)]
    found = [[chunk.expected for chunk in batch] for batch in run_chunks.batches(ledger)]
    assert found == [[4, 6], [1], [3], [99], [0], [0, 1]]


def test_two_townships_ask_the_database_as_often_as_one(defaults, django_assert_num_queries):
    for village in (FENGMING, OTHER_TOWNSHIP_VILLAGE):
        make_household(village, members=3)
    chunks = list(started(TAOYUAN).chunks.select_related("run"))
    with django_assert_num_queries(15):
        run_chunks.compute_chunks(chunks=chunks)
    assert Result.objects.count() == 2


def test_a_township_that_is_done_stays_as_it_is_in_its_batch(defaults):
    for village in (FENGMING, OTHER_TOWNSHIP_VILLAGE):
        make_household(village)
    run = started(TAOYUAN)
    chunks = list(run.chunks.select_related("run"))
    run_chunks.compute_chunks(chunks=chunks[:1])
    before = Result.objects.get()
    FiguresMark.objects.create(village_id=before.village_id, year=YEAR)
    run_chunks.compute_chunks(chunks=chunks)
    assert Result.objects.get(village_id=before.village_id).pk == before.pk
    assert Result.objects.filter(run=run).count() == 2
    marked = FiguresMark.objects.filter(year=YEAR).values_list("village_id", flat=True)
    assert list(marked) == [before.village_id]


def test_a_card_of_a_township_that_is_not_in_the_ledger_is_not_judged(defaults):
    for village in (FENGMING, OTHER_TOWNSHIP_VILLAGE):
        make_household(village)
    chunks = list(started(TAOYUAN).chunks.select_related("run"))
    made_meanwhile = make_household(BETWEEN_VILLAGE)
    run_chunks.compute_chunks(chunks=chunks)
    assert Result.objects.count() == 2
    assert not Result.objects.filter(household=made_meanwhile).exists()


def test_each_township_of_a_batch_keeps_its_own_last_two_runs(defaults):
    make_household(FENGMING)
    make_household(OTHER_TOWNSHIP_VILLAGE)
    city, township, county, last = run_over(CITY), run_over(RESHI), run_over(TAOYUAN), run_over(TAOYUAN)
    kept = set(Result.objects.values_list("village_id", "run_id"))
    assert kept == {(village, run.pk) for village in (FENGMING, OTHER_TOWNSHIP_VILLAGE) for run in (county, last)}
    again = run_over(RESHI)
    assert set(Result.objects.filter(village_id=FENGMING).values_list("run_id", flat=True)) == {last.pk, again.pk}
    assert set(Result.objects.exclude(village_id=FENGMING).values_list("run_id", flat=True)) == {county.pk, last.pk}
    assert {city.pk, township.pk} <= set(IndexRun.objects.values_list("pk", flat=True))


def test_a_batch_at_which_a_worker_died_is_shared_out(defaults):
    for village in (FENGMING, OTHER_TOWNSHIP_VILLAGE):
        make_household(village)
    run = index_runs.start_run(division=division(TAOYUAN), year=YEAR, by=None)
    jobs.run_job(run.job_id)
    batch = Job.objects.get(parent=run.job)
    assert (batch.area, batch.parameters["chunks"]) == (TAOYUAN, list(run.chunks.values_list("pk", flat=True)))
    long_ago = timezone.now() - timedelta(minutes=5)
    Job.objects.filter(pk=batch.pk).update(state="running", heartbeat_at=long_ago, started_at=long_ago, tries=1)
    RunChunk.objects.update(state="running", started_at=long_ago, heartbeat_at=long_ago, worker="gone:1", tries=1)
    jobs.run_job(batch.pk)
    alone = Job.objects.filter(parent=run.job).exclude(pk=batch.pk).order_by("pk")
    assert [job.parameters["chunks"] for job in alone] == [[chunk.pk] for chunk in run.chunks.all()]
    index_runs.enqueue_alone(job=batch)
    assert alone.count() == 2
    for job in alone:
        jobs.run_job(job.pk)
    run.refresh_from_db()
    assert (run.state, run.households, run.job.done, run.job.total) == ("done", 2, 2, 2)
    assert set(run.chunks.values_list("tries", flat=True)) == {2}


def test_a_township_whose_cards_are_gone_shows_none(defaults):
    household = make_household(FENGMING)
    run_over(RESHI)
    make_household(OTHER_TOWNSHIP_VILLAGE)
    household.status = "closed"
    household.save()
    assert run_over(TAOYUAN).households == 1
    assert not Result.objects.current().filter(village_id=FENGMING).exists()


def test_results_of_two_runs_stay_and_of_final_runs_for_ever(defaults):
    make_household(FENGMING)
    first = run_over(RESHI)
    IndexRun.objects.filter(pk=first.pk).update(final=True)
    dropped, third, fourth = run_over(RESHI), run_over(RESHI), run_over(RESHI)
    assert set(Result.objects.values_list("run_id", flat=True)) == {first.pk, third.pk, fourth.pk}
    assert IndexRun.objects.filter(pk=dropped.pk).exists()


def test_a_year_without_index_version_is_refused_before_anything_is_written(defaults):
    make_household(FENGMING, year=2021)
    with pytest.raises(Refusal) as refused:
        run_over(RESHI, 2021)
    assert refused.value.code == "no_index_version"
    assert "2021" in refused.value.message
    assert not IndexRun.objects.exists()


def test_a_year_without_sheets_is_refused(defaults):
    make_household(FENGMING)
    with pytest.raises(Refusal) as refused:
        run_over(WULING)
    assert refused.value.code == "no_sheets"
    with pytest.raises(Refusal):
        index_runs.latest_year(division=division(WULING))
    assert index_runs.latest_year(division=division(TAOYUAN)) == YEAR


@pytest.mark.parametrize(("open_", "wanted"), [(TAOYUAN, RESHI), (RESHI, TAOYUAN), (RESHI, FENGMING), (RESHI, RESHI)])
def test_a_run_over_part_of_an_open_run_is_refused(defaults, open_, wanted):
    make_household(FENGMING)
    index_runs.start_run(division=division(open_), year=YEAR, by=None, in_background=False)
    with pytest.raises(Refusal) as refused:
        index_runs.start_run(division=division(wanted), year=YEAR, by=None, in_background=False)
    assert refused.value.code == "run_overlap"


def test_another_area_or_another_year_may_run_beside(defaults):
    make_household(FENGMING)
    make_household(FENGMING, year=2018)
    make_household(WULING_VILLAGE)
    for code, year in ((RESHI, YEAR), (RESHI, 2018), (WULING, YEAR)):
        index_runs.start_run(division=division(code), year=year, by=None, in_background=False)
    assert IndexRun.objects.filter(state="running").count() == 3


def race(count: int) -> list[str]:
    """Start `count` runs over one township at the same moment; what became of each."""
    gate, said = threading.Barrier(count, timeout=20), []

    def start() -> None:
        try:
            township = division(RESHI)
            gate.wait()
            index_runs.start_run(division=township, year=YEAR, by=None, in_background=False)
            said.append("started")
        except Refusal as refusal:
            said.append(refusal.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=start) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(said)


def test_of_runs_started_at_the_same_moment_one_goes(committed_db):
    load_default_versions()
    make_household(FENGMING)
    assert race(4) == ["run_overlap"] * 3 + ["started"]


def test_without_the_constraint_they_would_all_go(committed_db):
    """The negative control of the test above: it is the constraint that holds, not luck."""
    load_default_versions()
    make_household(FENGMING)
    owner = owner_connection()
    with owner.cursor() as cursor:
        cursor.execute("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'index_run_no_overlap'")
        (definition,) = cursor.fetchone()
        cursor.execute("ALTER TABLE households_indexrun DROP CONSTRAINT index_run_no_overlap")
        try:
            assert race(4) == ["started"] * 4
        finally:
            cursor.execute("TRUNCATE households_indexrun CASCADE")
            cursor.execute(f"ALTER TABLE households_indexrun ADD CONSTRAINT index_run_no_overlap {definition}")
    owner.close()


def test_the_area_of_a_dead_process_is_free_after_minutes(defaults):
    make_household(FENGMING)
    dead = index_runs.start_run(division=division(RESHI), year=YEAR, by=None, in_background=False)
    IndexRun.objects.update(heartbeat_at=timezone.now() - timedelta(minutes=6))
    index_runs.start_run(division=division(RESHI), year=YEAR, by=None, in_background=False)
    dead.refresh_from_db()
    assert dead.state == "failed"


def test_a_card_changed_during_the_run_is_marked_stale(defaults, monkeypatch):
    changed, kept = make_household(FENGMING), make_household(FENGMING)
    read = frames.features_of

    def read_then_change(**parameters):
        cards = read(**parameters)
        changed.version += 1
        changed.save()
        return cards

    monkeypatch.setattr(frames, "features_of", read_then_change)
    run_over(RESHI)
    assert dict(Result.objects.values_list("household_id", "stale")) == {changed.pk: True, kept.pk: False}


def reading_the_village() -> IndexSystem:
    """The default of 2019 with a house that is unsafe where the village has no hardened road."""
    definition = copy.deepcopy(golden.DEFAULTS[YEAR].to_json())
    road = {"field": "village_hardened_road", "operator": "=", "value": False}
    definition["dimensions"][1]["indicators"][0]["rule"] = road
    return IndexSystem.from_json(definition)


@pytest.mark.parametrize("reads_village", [True, False])
def test_a_village_card_changed_during_the_run_makes_stale_what_reads_it(defaults, monkeypatch, reads_village):
    if reads_village:
        release_version(version=draft_version(division=None, system=reading_the_village(), by=None), by=None)
    make_household(FENGMING)
    read = frames.features_of

    def read_then_change(**parameters):
        cards = read(**parameters)
        VillageCard.objects.create(village_id=FENGMING, year=YEAR)
        return cards

    monkeypatch.setattr(frames, "features_of", read_then_change)
    run_over(RESHI)
    assert Result.objects.get().stale is reads_village


def test_a_run_is_logged_with_its_event_in_one_transaction(defaults, monkeypatch):
    make_household(FENGMING)
    run_over(RESHI)
    events = Event.objects.filter(verb__startswith="index.run").order_by("id")
    assert list(events.values_list("verb", flat=True)) == ["index.run", "index.run_over"]

    def broken(*_, **__):
        raise RuntimeError

    monkeypatch.setattr(index_runs, "record", broken)
    with pytest.raises(RuntimeError):
        index_runs.start_run(division=division(RESHI), year=YEAR, by=None, in_background=False)
    assert IndexRun.objects.count() == 1


def test_a_run_asks_the_database_a_fixed_number_of_times(defaults, django_assert_num_queries):
    for _ in range(3):
        make_household(FENGMING, members=3)
    run = index_runs.start_run(division=division(RESHI), year=YEAR, by=None, in_background=False)
    chunk = run.chunks.select_related("run").get()
    with django_assert_num_queries(15):
        run_chunks.compute_chunks(chunks=[chunk])


# --- the SQL twin of the domain ------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", MEMBERS, ids=lambda row: row["case"])
def test_golden_members_are_counted_alike_in_postgres(db, row):
    from households.domain.features import count_members
    from tests.households.test_features import frame

    year = int(row["year"])
    household = make_household(FENGMING, year=year)
    said = member(row)
    Person.objects.update(birth_date=said.pop("birth_date"))
    health = said.pop("health")
    MemberSheet.objects.update(
        health=health.split("、") if health else [],
        **{
            name: ("" if value is None else value) if name in ("education", "school_status", "labour") else value
            for name, value in said.items()
        },
    )
    cards = frames.features_of(year=year, first=FENGMING, last=FENGMING)
    counted = count_members(frame([member(row)], [household.pk]), year)
    pd.testing.assert_series_equal(
        cards[list(counted.columns)].iloc[0].astype("int64"), counted.iloc[0].astype("int64"), check_names=False
    )


def test_features_come_out_in_the_units_of_the_domain(db):
    make_household(FENGMING, house_area="48.25", wage_income=None, house_grade="", water_safe=None, members=2)
    VillageCard.objects.create(village_id=FENGMING, year=YEAR, disasters=["洪涝"], clinic=True, terrain="山区")
    card = frames.features_of(year=YEAR, first=FENGMING, last=FENGMING).iloc[0]
    assert (card["house_area"], card["medical_cost"], card["members"]) == (4825, 0, 2)
    assert all(pd.isna(card[name]) for name in ("wage_income", "house_grade", "water_safe", "village_school"))
    assert (card["village_disaster"], card["village_clinic"], card["village_terrain"]) == (True, True, "山区")
    VillageCard.objects.update(disasters=["无"])
    assert not frames.features_of(year=YEAR, first=FENGMING, last=FENGMING)["village_disaster"].iloc[0]


def test_the_frame_of_a_township_has_every_column_any_rule_may_read(db):
    make_household(FENGMING)
    cards = frames.features_of(year=YEAR, first=FENGMING, last=FENGMING)
    assert set(frames.DTYPES) == set(cards.columns)


def test_stored_values_explain_themselves(defaults):
    from households.domain.explain import explain

    make_household(FENGMING, wage_income=Decimal("6435.99"), members=2, sanitary_toilet=False, main_fuel="柴草")
    run_over(RESHI)
    result = Result.objects.select_related("version").get()
    why = explain(result.version.system, result.values_by_name)
    assert (why.outcome, why.score) == (result.outcome, float(result.score))
    assert why.net_income == result.net_income
    assert result.version.system == golden.DEFAULTS[YEAR]


def test_results_have_constraints_on_both_sides(defaults):
    make_household(FENGMING)
    run_over(RESHI)
    Result.objects.update(score=1)
    with pytest.raises(IntegrityError):
        Result.objects.update(score="1.1")


# --- one card alone ------------------------------------------------------------------------------------------------


def test_a_card_recomputed_alone_gives_what_the_run_gives(defaults):
    household = make_household(FENGMING, wage_income=9000, members=2)
    make_household(FENGMING)
    run_over(RESHI)
    fields = [field.attname for field in Result._meta.fields if field.attname not in ("id", "computed_at")]
    whole = Result.objects.filter(household=household).values(*fields).get()
    Result.objects.filter(household=household).delete()
    results.recompute_household(household=household.pk, year=YEAR)
    assert Result.objects.filter(household=household).values(*fields).get() == whole


def test_a_changed_card_shows_its_new_outcome_and_is_fresh(defaults):
    household, other = make_household(FENGMING, wage_income=90000), make_household(FENGMING, wage_income=90000)
    run_over(RESHI)
    Sheet.objects.filter(household=household).update(wage_income=1000)
    results.mark_stale(households=[household.pk])
    assert Result.objects.current().get(household=household).stale
    result = results.recompute_household(household=household.pk, year=YEAR)
    assert (result.outcome, result.stale) == ("absolute", False)
    assert outcomes_shown() == {household.pk: "absolute", other.pk: "not_poor"}


def test_a_card_of_a_township_without_any_run_is_shown_too(defaults):
    household = make_household(FENGMING, wage_income=1000)
    result = results.recompute_household(household=household.pk, year=YEAR)
    assert (result.outcome, result.run.kind) == ("absolute", "cards")
    run_over(RESHI)
    assert Result.objects.current().get().run.kind == "run"


def test_a_card_without_sheet_or_closed_has_no_result(defaults):
    household = make_household(FENGMING, wage_income=1000)
    assert results.recompute_household(household=household.pk, year=2018) is None
    assert results.recompute_household(household=household.pk, year=YEAR)
    household.status = "closed"
    household.save()
    assert results.recompute_household(household=household.pk, year=YEAR) is None


def test_a_household_that_moved_is_shown_once(defaults):
    household = make_household(FENGMING)
    run_over(RESHI)
    Sheet.objects.update(village_id=OTHER_TOWNSHIP_VILLAGE)
    results.recompute_household(household=household.pk, year=YEAR)
    assert list(Result.objects.current().values_list("village_id", flat=True)) == [OTHER_TOWNSHIP_VILLAGE]


def test_what_is_stale_or_missing_is_found_and_recomputed_at_night(defaults):
    stale, fresh = make_household(FENGMING), make_household(FENGMING)
    run_over(RESHI)
    new = make_household(FENGMING)
    results.mark_stale(households=[stale.pk])
    Result.objects.filter(household=fresh).update(net_income=-1)  # would come back if it were recomputed too
    assert results.recompute_stale() == 2
    assert set(outcomes_shown()) == {stale.pk, fresh.pk, new.pk}
    assert Result.objects.get(household=fresh).net_income == -1
    assert results.recompute_stale() == 0


def test_a_village_card_marks_the_results_that_read_it(defaults):
    release_version(version=draft_version(division=None, system=reading_the_village(), by=None), by=None)
    make_household(FENGMING)
    make_household(OTHER_VILLAGE)
    run_over(RESHI)
    assert results.mark_village_stale(village=FENGMING, year=2018, by=None) == 0
    assert results.mark_village_stale(village=FENGMING, year=YEAR, by=None) == 1
    assert Job.objects.get(kind="recompute_stale")


def test_a_village_card_leaves_results_that_do_not_read_it(defaults):
    make_household(FENGMING)
    run_over(RESHI)
    assert results.mark_village_stale(village=FENGMING, year=YEAR, by=None) == 0


def test_one_card_is_recomputed_well_within_a_second(defaults, django_assert_max_num_queries):
    household = make_household(FENGMING, members=5)
    run_over(RESHI)
    results.recompute_household(household=household.pk, year=YEAR)  # opens its lead
    with django_assert_max_num_queries(14):
        results.recompute_household(household=household.pk, year=YEAR)


def test_a_saved_card_is_stale_with_the_save_and_recomputed_after_it(defaults, django_capture_on_commit_callbacks):
    household = make_household(FENGMING, wage_income=90000)
    run_over(RESHI)
    with django_capture_on_commit_callbacks() as callbacks:
        results.refresh_with_save(household=household.pk, year=YEAR)
    assert Result.objects.get().stale
    Sheet.objects.update(wage_income=1000)
    for callback in callbacks:
        callback()
    assert (Result.objects.get().stale, Result.objects.get().outcome) == (False, "absolute")


def test_a_batch_leaves_its_cards_stale_for_one_job(defaults, django_capture_on_commit_callbacks):
    household, new = make_household(FENGMING), make_household(OTHER_TOWNSHIP_VILLAGE)
    run_over(RESHI)
    with django_capture_on_commit_callbacks() as callbacks, results.left_stale():
        results.refresh_with_save(household=household.pk, year=YEAR)
    assert callbacks == []
    assert results.recompute_stale(area=TAOYUAN, year=YEAR) == 2
    assert set(outcomes_shown()) == {household.pk, new.pk}


def test_what_goes_wrong_after_a_save_is_logged_and_costs_the_save_nothing(committed_db, monkeypatch, caplog):
    household = make_household(FENGMING)
    monkeypatch.setattr(results, "recompute_household", lambda **_: 1 / 0)
    with transaction.atomic():
        results.refresh_with_save(household=household.pk, year=YEAR)
    assert "ZeroDivisionError" in caplog.text


# --- a run that broke, and the run that is kept -----------------------------------------------------------------------


def broken_run(monkeypatch, code: int = TAOYUAN) -> IndexRun:
    """A run in which the township of Reshi was parked."""
    readable = {OTHER_TOWNSHIP + 999: frames.features_of}
    with monkeypatch.context() as patch:
        patch.setattr(frames, "features_of", lambda **asked: readable[asked["last"]](**asked))
        return run_over(code)


def test_what_is_undone_is_taken_up_again_where_the_run_stood(defaults, monkeypatch):
    make_household(FENGMING)
    make_household(OTHER_TOWNSHIP_VILLAGE)
    undisturbed = run_over(TAOYUAN)
    run = broken_run(monkeypatch)
    done = run.chunks.get(township_id=OTHER_TOWNSHIP)
    assert (run.state, run.chunks.get(township_id=RESHI).state) == ("failed", "parked")
    again = index_runs.compute_run(run=index_runs.resume_run(run=run, by=None, in_background=False))
    assert (again.pk, again.state, again.digest) == (run.pk, "done", undisturbed.digest)
    assert again.chunks.get(township_id=OTHER_TOWNSHIP).started_at == done.started_at
    assert Result.objects.filter(run=run).count() == 2


def test_a_run_is_not_taken_up_where_it_would_mix_two_states_of_affairs(defaults, monkeypatch):
    make_household(FENGMING)
    broken = broken_run(monkeypatch)
    whole = run_over(RESHI)
    for run, code in ((broken, "later_run"), (whole, "nothing_left")):
        with pytest.raises(Refusal) as refused:
            index_runs.resume_run(run=run, by=None)
        assert refused.value.code == code
    last = broken_run(monkeypatch)
    IndexRun.objects.filter(pk=last.pk).update(started_at=timezone.now() - timedelta(days=1))  # before the release
    with pytest.raises(Refusal) as refused:
        index_runs.resume_run(run=last, by=None)
    assert refused.value.code == "version_changed"


def test_a_worker_given_up_for_dead_writes_nothing_into_a_run_that_is_over(defaults):
    make_household(FENGMING)
    run = index_runs.start_run(division=division(RESHI), year=YEAR, by=None, in_background=False)
    chunk = run.chunks.select_related("run").get()
    index_runs.close_run(run=run, state=IndexRun.State.FAILED, error="silent")
    run_chunks.compute_chunks(chunks=[chunk])
    assert not Result.objects.exists()
    assert [each.state for each in run_chunks.work_off(chunks=[chunk])] == ["waiting"]


def test_a_chunk_whose_worker_always_dies_is_parked(defaults):
    make_household(FENGMING)
    run = index_runs.start_run(division=division(RESHI), year=YEAR, by=None, in_background=False)
    RunChunk.objects.update(tries=run_chunks.MAX_TRIES)
    (parked,) = run_chunks.work_off(chunks=[run.chunks.get()])
    assert (parked.state, parked.error) == ("parked", "工作进程每次都中断")


def test_the_final_run_stays_as_it_is_while_cards_change(defaults, people):
    changed, kept = make_household(FENGMING, wage_income=90000), make_household(FENGMING, wage_income=90000)
    final = index_runs.mark_final(run=run_over(RESHI), by=people.reshi_officer)
    Sheet.objects.filter(household=changed).update(wage_income=1000)
    results.recompute_household(household=changed.pk, year=YEAR)
    assert outcomes_shown() == {changed.pk: "absolute", kept.pk: "not_poor"}
    results.recompute_household(household=kept.pk, year=YEAR)
    assert set(Result.objects.filter(run=final).values_list("outcome", flat=True)) == {"not_poor"}
    assert IndexRun.objects.filter(kind="cards").count() == 1
    assert Event.objects.get(verb="index.run_final").facts["digest"] == final.digest


def test_a_household_that_left_a_final_run_behind_is_shown_once(defaults, people):
    household, neighbour = make_household(FENGMING), make_household(FENGMING)
    index_runs.mark_final(run=run_over(RESHI), by=people.reshi_officer)
    Sheet.objects.filter(household=household).update(village_id=OTHER_TOWNSHIP_VILLAGE)
    results.recompute_household(household=household.pk, year=YEAR)
    shown = dict(Result.objects.current().values_list("household_id", "village_id"))
    assert shown == {household.pk: OTHER_TOWNSHIP_VILLAGE, neighbour.pk: FENGMING}
    assert Result.objects.filter(run__final=True).count() == 2


def test_a_year_of_a_division_has_one_final_run_and_only_a_complete_one(defaults, people, monkeypatch):
    make_household(FENGMING)
    unfinished, first, second = broken_run(monkeypatch, RESHI), run_over(RESHI), run_over(RESHI)
    index_runs.mark_final(run=second, by=people.reshi_officer)
    run_over(RESHI)
    for run, code in ((unfinished, "not_done"), (first, "final_exists")):
        with pytest.raises(Refusal) as refused:
            index_runs.mark_final(run=run, by=people.reshi_officer)
        assert refused.value.code == code
    with pytest.raises(IntegrityError):
        IndexRun.objects.filter(pk=first.pk).update(final=True)


def test_where_rows_lie_in_the_tables_does_not_change_the_hash(defaults):
    for wage in (1000, 9000, 90000):
        make_household(FENGMING, wage_income=wage, members=3)
    before = run_over(RESHI)
    for model in (MemberSheet, Person, Sheet, Household):
        for row in model.objects.order_by("-pk"):
            model.objects.filter(pk=row.pk).update(id=row.pk)  # a new place in the table
    assert run_over(RESHI).digest == before.digest
