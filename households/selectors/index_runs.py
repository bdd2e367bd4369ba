"""What the pages of index runs read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, F, IntegerField, OuterRef, Q, QuerySet, Sum
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce

from changde.accounts.areas import covers
from changde.accounts.models import User
from changde.divisions.codes import Level, ancestor
from changde.divisions.models import Division
from changde.web.keyset import KeysetPage
from households.models import IndexRun, IndexVersion, Result, RunChunk


def runs_of(user: User) -> QuerySet[IndexRun]:
    """Whole runs over townships the user may see, also those over a larger area that holds them; the cards recomputed
    one by one belong to the run shown."""
    here = RunChunk.objects.visible_to(user).filter(run=OuterRef("pk"))
    runs = IndexRun.objects.filter(Exists(here), kind=IndexRun.Kind.RUN)
    return runs.select_related("division", "owner", "job")


@dataclass(frozen=True)
class ShownRun:
    """A run and its figures in the reader's area; `whole`: the run reaches no further."""

    run: IndexRun
    whole: bool
    households: int
    outcomes: Mapping[str, int]


def run_list(user: User, parameters: Mapping[str, Any]) -> KeysetPage:
    """Runs as the reader sees them (ShownRun), the latest first."""
    page = KeysetPage(runs_of(user), parameters, order=["-pk"])
    page.rows = shown_runs(user, page.rows)
    return page


def shown_runs(user: User, runs: Sequence[IndexRun]) -> list[ShownRun]:
    """Of a run beyond the reader's area the figures of the townships in it that are done. At most one query."""
    beyond = [run.pk for run in runs if not covers(user, "read_results", run.division_id)]
    figures = {run.pk: (run.households, run.outcomes) for run in runs}
    if beyond:
        figures |= dict.fromkeys(beyond, (0, {})) | _parts(user, beyond)
    return [ShownRun(run, run.pk not in beyond, *figures[run.pk]) for run in runs]


def _parts(user: User, runs: Sequence[int]) -> dict[int, tuple[int, dict[str, int]]]:
    done = RunChunk.objects.visible_to(user).filter(run__in=runs, state=RunChunk.State.DONE).order_by()
    sums = {
        name: Coalesce(Sum(Cast(KeyTextTransform(name, "outcomes"), IntegerField())), 0)
        for name in Result.Outcome.values
    }
    rows = done.values("run").annotate(counted=Sum("households"), **sums)
    return {row["run"]: (row["counted"], {name: row[name] for name in sums}) for row in rows}


def years_with_version(division: Division) -> list[int]:
    """Accounting years the division can be judged by: its county's versions in force and the city's, latest first."""
    county = ancestor(division.code, Level.COUNTY)
    versions = IndexVersion.objects.in_force().filter(Q(division=county) | Q(division=None))
    return sorted(set(versions.values_list("year", flat=True)), reverse=True)


def townships_of(user: User, run: IndexRun) -> QuerySet[RunChunk]:
    """The ledger of a run in the reader's area: a row a township, with its name, in the order of the codes."""
    return RunChunk.objects.visible_to(user).filter(run=run).select_related("township").order_by("township_id")


def expected_of(run: IndexRun) -> int:
    """Households the run found when it began."""
    return run.chunks.aggregate(expected=Sum("expected"))["expected"] or 0


def done_of(run: IndexRun) -> int:
    """Households judged so far, from the ledger: the truth also where no job counts them."""
    return run.chunks.filter(state=RunChunk.State.DONE).aggregate(done=Sum(F("expected")))["done"] or 0
