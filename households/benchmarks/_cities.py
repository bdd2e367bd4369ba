"""The cities of a benchmark, small and large, and the people who ask for pages there."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management import call_command
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
    trials = [_prepared(options[size], options["seed"], say) for size in ("small", "large")]
    try:
        with City(trials[0]) as small, City(trials[1]) as large:
            yield small, large
    finally:
        if not options["keep"]:
            for trial in trials:
                databases.drop(trial)


@contextmanager
def one_city(households: int, options: Any, say: Say) -> Iterator[None]:
    """Inside, this thread works in a city of that size, filled and judged; thrown away afterwards unless --keep."""
    quiet_settings()
    trial = _prepared(households, options["seed"], say)
    try:
        with databases.working_in(trial):
            yield
    finally:
        if not options["keep"]:
            databases.drop(trial)


def _prepared(households: int, seed: int, say: Say) -> str:
    """The trial's name; its database is made, or kept from an earlier benchmark and migrated."""
    trial = f"pages_{households}_{seed}"
    if databases.exists(trial):
        with databases.working_in(trial):
            if _is_ready(households):
                call_command("migrate", verbosity=0)
                return trial
    _fill(trial, households, seed, say)
    return trial


def _fill(trial: str, households: int, seed: int, say: Say) -> None:
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
