"""A village with results: what the lists are made from."""

from dataclasses import dataclass
from datetime import datetime

import pytest
import time_machine

from changde.divisions.models import Division
from households.models import Finding, Household
from households.services.index_versions import load_default_versions
from households.services.results import recompute_household, recompute_households
from supervision.domain.publicity import SHANGHAI
from supervision.models import ListEntry, PublicityList
from supervision.services import lists
from supervision.services.objections import new_form_key, raise_objection
from tests.factories import make_household
from tests.personas import FENGMING, People

YEAR = 2019


def shanghai(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=SHANGHAI)


MONDAY = shanghai(2026, 11, 23, 9, 30)  # the day on which the tests post a first list
AFTER = shanghai(2026, 12, 1, 0, 0)  # the first moment after its period


@pytest.fixture
def clock():
    """Time stands at MONDAY until a test moves it."""
    with time_machine.travel(MONDAY, tick=False) as traveller:
        yield traveller


def household(head: str, *, village: int = FENGMING, status: str = "unregistered", judged: bool = True, **sheet):
    """A household with its result. Income decides: 2,000 yuan is absolute, 4,000 below the monitoring line (2019)."""
    made = make_household(village, head=head, status=status, **sheet)
    if judged:
        recompute_household(household=made.pk, year=YEAR)
    return made


@dataclass
class Village:
    """Fengming village in 2019: two candidates, four held back, two that are none."""

    division: Division
    poor: Household
    marginal: Household
    unknown: Household
    stale: Household
    excluded: Household
    doubtful: Household
    not_poor: Household
    registered: Household


def make_village() -> Village:
    load_default_versions()
    made = {
        "poor": household("张建华", judged=False, wage_income=2000, main_cause="因病", members=3),
        "marginal": household("李四", judged=False, wage_income=4000, main_cause="缺劳力"),
        "unknown": household("王五", judged=False, wage_income=None),
        "stale": household("赵六", judged=False, wage_income=2000),
        "excluded": household("周八", judged=False, wage_income=2000, owns_car=True),
        "doubtful": household("孙七", judged=False, wage_income=2000),
        "not_poor": household("吴九", judged=False, wage_income=90000),
        "registered": household("郑十", judged=False, wage_income=2000, status="registered"),
    }
    recompute_households(households=[one.pk for one in made.values()], year=YEAR)
    made["stale"].results.update(stale=True)
    Finding.objects.create(
        household=made["doubtful"], village_id=FENGMING, kind="duplicate_number", blocks=True, facts={"cards": 2}
    )
    return Village(division=Division.objects.get(code=FENGMING), **made)


@pytest.fixture
def village(people: People) -> Village:
    return make_village()


@pytest.fixture
def draft(clock, people: People, village: Village) -> PublicityList:
    """A first list drafted by the village cadre."""
    return lists.draft_first_list(village=village.division, year=YEAR, by=people.fengming_cadre)


@pytest.fixture
def first(draft: PublicityList, people: People) -> PublicityList:
    """The first list, posted by the work team on MONDAY."""
    return lists.post(publicity_list=draft, by=people.fengming_team)


@pytest.fixture
def second_draft(clock, first: PublicityList, people: People) -> PublicityList:
    """A second list drafted by the township after the first one's period."""
    clock.move_to(AFTER)
    return lists.draft_second_list(first=first, by=people.reshi_officer)


@pytest.fixture
def second(second_draft: PublicityList, people: People) -> PublicityList:
    return lists.post(publicity_list=second_draft, by=people.reshi_second)


def entry_of(listed: PublicityList, household: Household) -> ListEntry:
    return ListEntry.objects.get(publicity_list=listed, household=household)


def object_to(
    listed: PublicityList, *, about: str = "listed", position: int | None = 1, text: str = "他家有车。", **more
):
    """An objection by somebody nobody knows."""
    position = position if about == "listed" else None
    return raise_objection(
        publicity_list=listed, about=about, position=position, text=text, key=more.pop("key", new_form_key()), **more
    )
