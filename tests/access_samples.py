"""The objects the access table speaks of: a household of Fengming village and what belongs to it.

A cell of the columns `path` and `data` says `argument=@name`; `name` is a function here that makes the object from the
`World` and returns the value that goes into the address or the form.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any
from uuid import UUID

from django.utils import timezone

from cadres.models import VillageNeed
from cadres.services.needs import recompute_needs
from cadres.services.plans import propose_plan
from changde.jobs.models import Job
from households.models import Household, ImportBatch, StagedHousehold, VillageCard
from households.services.index_versions import load_default_versions
from households.services.results import recompute_household
from supervision.models import Objection, PublicityList
from supervision.services import lists
from supervision.services.objections import new_form_key, raise_objection
from tests.api import token_of
from tests.cadres.factories import make_cadre, make_posting
from tests.factories import make_household
from tests.personas import FENGMING, RESHI, TAOYUAN, WULING_VILLAGE, People

# Stand in the answers of Taoyuan county's pages and in no answer to anybody outside.
MARKS = ("凤鸣暗记组", "H430725103202SECRET")


@dataclass
class World:
    people: People

    @cached_property
    def household(self) -> Household:
        household = make_household(FENGMING, head="欧阳建国", members=2)
        household.number, household.group = MARKS[1], MARKS[0]
        household.save()
        return household

    @cached_property
    def token(self) -> str:
        """A bearer token of the county system."""
        return token_of(self.people.county_system)

    @cached_property
    def foreign_household(self) -> Household:
        return make_household(WULING_VILLAGE, head="司马武陵")

    @cached_property
    def posted(self) -> PublicityList:
        """The village's first list, with the household on it, open to objections."""
        load_default_versions()
        recompute_household(household=self.household.pk, year=2019)
        made = lists.draft_first_list(village=self.household.village, year=2019, by=self.people.fengming_cadre)
        return lists.post(publicity_list=made, by=self.people.fengming_team)

    @cached_property
    def draft(self) -> PublicityList:
        """The draft that would correct it, by the village cadre."""
        return lists.correct(publicity_list=self.posted, reason=MARKS[0], by=self.people.fengming_cadre)

    @cached_property
    def objection(self) -> Objection:
        """Against the posted list, by somebody who left a contact."""
        raised = raise_objection(
            publicity_list=self.posted, about="listed", position=1, text=MARKS[0], contact="1", key=new_form_key()
        )
        return raised.objection

    def make(self) -> None:
        """Once, before the first request: what is made inside a request's savepoint is taken back with it."""
        assert self.household and self.foreign_household and self.draft and self.objection


def household(world: World) -> int:
    return world.household.pk


def village(world: World) -> int:
    return FENGMING


def township(world: World) -> int:
    return RESHI


def county(world: World) -> int:
    return TAOYUAN


def village_card(world: World) -> int:
    return VillageCard.objects.create(village_id=FENGMING, year=2019).pk


def job(world: World) -> int:
    return Job.objects.create(kind="sample", owner=world.people.fengming_cadre, area=FENGMING).pk


def import_batch(world: World) -> int:
    """A workbook a cadre of the village brought, checked and not yet written."""
    return _batch(world, "checked").pk


def _batch(world: World, state: str) -> ImportBatch:
    """With one household; made once, so that a row of the table can name it and its household."""
    batch, _made = ImportBatch.objects.get_or_create(
        owner=world.people.fengming_cadre, area=FENGMING, file_name=MARKS[0], digest="", size=1, state=state
    )
    StagedHousehold.objects.get_or_create(
        batch=batch,
        position=0,
        defaults={
            "household": MARKS[1],
            "head_name": MARKS[0],
            "village_id": FENGMING,
            "kind": "changed",
            "card": world.household if state == "done" else None,
            "version": world.household.version,
            "sheet_version": world.household.sheets.get().version,
            "year": 2019,
            "rows_before": {},
            "written_at": timezone.now() if state == "done" else None,
        },
    )
    return batch


def import_row(world: World) -> int:
    return _batch(world, "checked").staged.get().pk


def written_batch(world: World) -> int:
    """A workbook of the village cadre that was written and can be taken back."""
    return _batch(world, "done").pk


def posted_cadre(world: World) -> int:
    """A cadre of a county unit who serves in the village."""
    cadre = make_cadre(MARKS[0])
    make_posting(cadre, FENGMING)
    return cadre.pk


def village_with_need(world: World) -> int:
    assert world.household
    recompute_needs(division=RESHI, by=None)
    VillageNeed.objects.update(
        correction={"教育": 10_000},
        correction_reason=MARKS[0],
        corrected_by=world.people.fengming_cadre,
        corrected_at=timezone.now(),
    )
    return FENGMING


def plan(world: World) -> int:
    """A plan of the county with one post, in the village."""
    type(world.household).objects.filter(pk=world.household.pk).update(status="registered")
    make_cadre(MARKS[0])
    return propose_plan(division=TAOYUAN, by=None).pk


def list_draft(world: World) -> int:
    return world.draft.pk


def list_entry(world: World) -> int:
    return world.draft.entries.get().pk


def posted_list(world: World) -> int:
    return world.posted.pk


def public_list(world: World) -> str:
    return world.posted.public_id


def objection(world: World) -> UUID:
    return world.objection.pk


def form_key(world: World) -> str:
    return new_form_key()


def today(world: World) -> date:
    return timezone.localdate()


def result(world: World) -> int:
    load_default_versions()
    return recompute_household(household=world.household.pk, year=2019).pk


SAMPLES: dict[str, Callable[[World], Any]] = {
    function.__name__: function
    for function in (
        household,
        village,
        township,
        county,
        village_card,
        job,
        import_batch,
        import_row,
        written_batch,
        posted_cadre,
        village_with_need,
        plan,
        list_draft,
        list_entry,
        posted_list,
        public_list,
        objection,
        form_key,
        today,
        result,
    )
}
