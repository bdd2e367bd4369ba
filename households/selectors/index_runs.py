"""What the pages of index runs read."""

from collections.abc import Mapping
from typing import Any

from django.db.models import F, Q, QuerySet, Sum

from changde.accounts.models import User
from changde.divisions.codes import Level, ancestor
from changde.divisions.models import Division
from changde.web.keyset import KeysetPage
from households.models import IndexRun, IndexVersion, RunChunk


def runs_of(user: User) -> QuerySet[IndexRun]:
    """Whole runs over divisions the user may see; the cards recomputed one by one belong to the run shown."""
    runs = IndexRun.objects.visible_to(user).filter(kind=IndexRun.Kind.RUN)
    return runs.select_related("division", "owner", "job")


def run_list(user: User, parameters: Mapping[str, Any]) -> KeysetPage:
    """Runs, the latest first."""
    return KeysetPage(runs_of(user), parameters, order=["-pk"])


def years_with_version(division: Division) -> list[int]:
    """Accounting years the division can be judged by: its county's versions in force and the city's, latest first."""
    county = ancestor(division.code, Level.COUNTY)
    versions = IndexVersion.objects.in_force().filter(Q(division=county) | Q(division=None))
    return sorted(set(versions.values_list("year", flat=True)), reverse=True)


def townships_of(run: IndexRun) -> QuerySet[RunChunk]:
    """The ledger of a run: a row a township, with its name, in the order of the codes."""
    return run.chunks.select_related("township").order_by("township_id")


def expected_of(run: IndexRun) -> int:
    """Households the run found when it began."""
    return run.chunks.aggregate(expected=Sum("expected"))["expected"] or 0


def done_of(run: IndexRun) -> int:
    """Households judged so far, from the ledger: the truth also where no job counts them."""
    return run.chunks.filter(state=RunChunk.State.DONE).aggregate(done=Sum(F("expected")))["done"] or 0
