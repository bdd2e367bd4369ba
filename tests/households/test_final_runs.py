"""A final run in the database: the application's role cannot change it, its ledger or its results by any SQL."""

import pytest
from django.db import IntegrityError, connection, transaction

from changde.divisions.models import Division
from households.models import Household, IndexRun, Result, RunChunk
from households.services import index_runs, results
from households.services.index_versions import load_default_versions
from tests.factories import make_household
from tests.personas import FENGMING, RESHI, People

OTHER_TOWNSHIP = 430725101000
KEPT = [str(each.column) for each in Result._meta.fields if each.name != "stale"]
WRITTEN = ", ".join(f'"{name}"' for name in KEPT if name not in ("id", "run_id", "household_id"))
ORDERS = [
    "UPDATE households_indexrun SET final = false WHERE id = %(run)s",
    "UPDATE households_indexrun SET digest = 'x' WHERE id = %(run)s",
    "UPDATE households_indexrun SET outcomes = '{}' WHERE id = %(run)s",
    "DELETE FROM households_indexrun WHERE id = %(run)s",
    "UPDATE households_runchunk SET digest = 'x' WHERE run_id = %(run)s",
    "UPDATE households_runchunk SET run_id = %(other)s WHERE run_id = %(run)s",
    "DELETE FROM households_runchunk WHERE run_id = %(run)s",
    f"""INSERT INTO households_runchunk
        (run_id, township_id, state, tries, worker, error, expected, households, outcomes, digest)
        VALUES (%(run)s, {OTHER_TOWNSHIP}, 'waiting', 0, '', '', 0, 0, '{{}}', '')""",
    *(f'UPDATE households_result SET "{name}" = "{name}" WHERE run_id = %(run)s' for name in KEPT if name != "id"),
    "UPDATE households_result SET id = DEFAULT WHERE run_id = %(run)s",
    "UPDATE households_result SET outcome = 'absolute', stale = true WHERE run_id = %(run)s",
    "UPDATE households_result SET run_id = %(other)s WHERE run_id = %(run)s",
    "DELETE FROM households_result WHERE run_id = %(run)s",
    f"""INSERT INTO households_result (household_id, run_id, {WRITTEN}, stale)
        SELECT %(new)s, run_id, {WRITTEN}, false FROM households_result WHERE run_id = %(run)s LIMIT 1""",
    f"""WITH gone AS (DELETE FROM households_result WHERE run_id = %(run)s RETURNING *)
        INSERT INTO households_result (household_id, run_id, {WRITTEN}, stale)
        SELECT household_id, run_id, {WRITTEN}, stale FROM gone""",
]  # fmt: skip


def run_over(code: int) -> IndexRun:
    division = Division.objects.get(code=code)
    return index_runs.compute_run(run=index_runs.start_run(division=division, year=2019, by=None, in_background=False))


@pytest.fixture
def final(people: People) -> IndexRun:
    load_default_versions()
    make_household(FENGMING, wage_income=90_000)
    return index_runs.mark_final(run=run_over(RESHI), by=people.reshi_officer)


def said(run: IndexRun) -> tuple[object, ...]:
    return (
        IndexRun.objects.filter(pk=run.pk).values().get(),
        list(RunChunk.objects.filter(run=run).values()),
        list(Result.objects.filter(run=run).order_by("pk").values()),
    )


def order(sql: str, **values: int) -> int:
    """Rows changed, in a transaction that is taken back."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, values)
        transaction.set_rollback(True)
        return cursor.rowcount


@pytest.mark.parametrize("sql", ORDERS)
def test_what_can_be_done_to_another_run_is_refused_of_the_final_one(final: IndexRun, sql: str) -> None:
    other, new = run_over(RESHI).pk, make_household(FENGMING).pk
    before = said(final)
    with pytest.raises(IntegrityError, match="sealed row"):
        order(sql, run=final.pk, other=other, new=new)
    assert said(final) == before


@pytest.mark.parametrize("sql", ORDERS)
def test_a_run_that_is_not_final_can_be_changed(final: IndexRun, sql: str) -> None:
    """The negative control of the test above: the same orders go through."""
    run, other = run_over(RESHI), run_over(RESHI)
    other.chunks.all().delete()
    Result.objects.filter(run=other).delete()
    assert order(sql, run=run.pk, other=other.pk, new=make_household(FENGMING).pk) == 1


@pytest.mark.parametrize("table", ["result", "runchunk"])
def test_nothing_is_moved_into_a_final_run(final: IndexRun, table: str) -> None:
    make_household(FENGMING)
    run = run_over(RESHI)
    Result.objects.filter(run=run, household__results__run=final).delete()
    RunChunk.objects.filter(run=run).update(township_id=OTHER_TOWNSHIP)
    with pytest.raises(IntegrityError, match="sealed row"):
        order(f"UPDATE households_{table} SET run_id = %(final)s WHERE run_id = %(run)s", final=final.pk, run=run.pk)


def test_results_of_a_final_run_go_stale_and_not_back(final: IndexRun) -> None:
    assert results.mark_stale(households=Household.objects.values_list("pk", flat=True)) == 1
    with pytest.raises(IntegrityError, match="sealed row"):
        order("UPDATE households_result SET stale = false WHERE run_id = %(run)s", run=final.pk)
    run_over(RESHI)
    Result.objects.update(stale=True)
    assert order("UPDATE households_result SET stale = false WHERE run_id <> %(run)s", run=final.pk) == 1


def test_later_runs_come_and_go_beside_it(final: IndexRun) -> None:
    before = said(final)
    _first, second, third = (run_over(RESHI) for _ in range(3))
    assert set(Result.objects.values_list("run_id", flat=True)) == {final.pk, second.pk, third.pk}
    assert said(final) == before
