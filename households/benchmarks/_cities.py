"""The small and the large city of a benchmark of pages, and the people who ask for pages there."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db.models import Count

from changde.accounts.models import User
from changde.accounts.roles import Role
from changde.accounts.services import create_user, open_post
from changde.divisions.codes import Level, ancestor
from changde.divisions.models import Division
from changde.measure import databases
from changde.measure.pages import City, quiet_settings
from changde.measure.registry import Say
from households.models import Household
from households.services import figures, index_runs
from households.services.index_versions import load_default_versions
from households.services.seed_city import CITY, seed_city

ROLES = {
    "village": Role.VILLAGE_CADRE,
    "township": Role.TOWNSHIP_OFFICER,
    "county": Role.COUNTY_OFFICE,
    "city": Role.CITY_OFFICE,
}


@contextmanager
def two_cities(options: Any, say: Say) -> Iterator[tuple[City, City]]:
    """Both cities, filled and judged; thrown away afterwards unless --keep."""
    quiet_settings()
    trials = [f"pages_{options[size]}_{options['seed']}" for size in ("small", "large")]
    for trial, size in zip(trials, ("small", "large"), strict=True):
        _prepare(trial, options[size], options["seed"], say)
    try:
        with City(trials[0]) as small, City(trials[1]) as large:
            yield small, large
    finally:
        if not options["keep"]:
            for trial in trials:
                databases.drop(trial)


def _prepare(trial: str, households: int, seed: int, say: Say) -> None:
    if databases.exists(trial):
        with databases.working_in(trial):
            if _is_ready(households):
                return
    say(f"{households:,} households: filling the database of the trial ...")
    databases.create(trial)
    with databases.working_in(trial):
        seed_city(households=households, seed=seed)
        load_default_versions()
        city = Division.objects.get(code=CITY)
        year = index_runs.latest_year(division=city)
        index_runs.compute_run(run=index_runs.start_run(division=city, year=year, by=None, in_background=False))
        figures.count_marked()
        make_people()


def _is_ready(households: int) -> bool:
    """A kept database of this size whose people are there (they are made last)."""
    return User.objects.filter(username="trial_city").exists() and Household.objects.count() == households


def make_people() -> None:
    """One person at each level: of the village with the most cards, and of what lies above it."""
    counted = Household.objects.values("village_id").annotate(cards=Count("pk"))
    village = counted.order_by("-cards", "village_id").values_list("village_id", flat=True)[0]
    places = {
        "village": village,
        "township": ancestor(village, Level.TOWNSHIP),
        "county": ancestor(village, Level.COUNTY),
        "city": CITY,
    }
    for level, code in places.items():
        user = create_user(username=f"trial_{level}", name=level, password=None, by=None)
        open_post(user=user, role=ROLES[level], division=Division.objects.get(code=code), by=None)


def person(level: str) -> User:
    return User.objects.get(username=f"trial_{level}")


def place_of(level: str) -> int:
    """The code of the division that level's person works in."""
    return int(person(level).open_posts[0].division_id)
