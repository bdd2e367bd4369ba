"""The objects the access table speaks of: a household of Fengming village and what belongs to it.

A cell of the columns `path` and `data` says `argument=@name`; `name` is a function here that makes the object from the
`World` and returns the value that goes into the address or the form.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID, uuid4

from django.utils import timezone

from cadres.models import VillageNeed
from cadres.services.needs import recompute_needs
from cadres.services.plans import propose_plan
from changde.divisions.models import Division
from changde.jobs.models import Job
from households.domain.card import Member
from households.domain.index_rules import Label
from households.models import (
    CardDraft,
    CardExport,
    DuplicateCase,
    Evidence,
    Finding,
    FormerVillage,
    Household,
    ImportBatch,
    IndexTrial,
    IndexVersion,
    LifeEvent,
    Membership,
    Printout,
    RegisterVersion,
    SavedFilter,
    StagedHousehold,
    VillageCadre,
    VillageCard,
    YearlyStandard,
)
from households.services import events, index_versions, moves
from households.services import evidence as evidence_services
from households.services.index_runs import start_run
from households.services.index_trials import compute_trial, start_trial
from households.services.index_versions import draft_version, load_default_versions
from households.services.results import recompute_household
from households.services.yearly_standards import draft_standard, release_standard
from supervision.models import Objection, PublicityList
from supervision.services import lists
from supervision.services.objections import new_form_key, raise_objection
from tests.api import token_of
from tests.cadres.factories import make_cadre, make_posting
from tests.factories import make_household
from tests.households.photos import jpeg
from tests.personas import CITY, FENGMING, RESHI, TAOYUAN, WULING_VILLAGE, People

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
    def namesake(self) -> Household:
        """A household of a third village of the town whose head has the same name."""
        return make_household(430725103206, head="欧阳建国")

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

    @cached_property
    def tried(self) -> IndexTrial:
        """A draft of the county, tried on its cards."""
        load_default_versions()
        county = Division.objects.get(code=TAOYUAN)
        system = IndexVersion.objects.in_force().get(division=None, year=2019).system
        draft = draft_version(division=county, system=system, by=self.people.taoyuan_office)
        tried = start_trial(version=draft, division=county, year=2019, by=None, in_background=False)
        return compute_trial(tried=tried)

    def make(self) -> None:
        """Once, before the first request: what is made inside a request's savepoint is taken back with it."""
        assert self.household and self.foreign_household and self.namesake and self.draft and self.objection
        assert self.tried


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


def card_draft(world: World) -> int:
    """What a cadre of the village typed and has not saved."""
    draft = CardDraft(owner=world.people.fengming_cadre, client_key=uuid4(), village_id=FENGMING)
    draft.save()
    draft.hold(json.dumps([["group", MARKS[0]]]))
    draft.save()
    return draft.pk


def export(world: World) -> int:
    """A file a cadre of the village asked for, not made yet."""
    return CardExport.objects.create(
        owner=world.people.fengming_cadre, area=FENGMING, reason=MARKS[0], columns=["number"]
    ).pk


def kept_filter(world: World) -> int:
    """A filter the cadre shares with colleagues of the village."""
    return SavedFilter.objects.create(
        owner=world.people.fengming_cadre, area=FENGMING, name=MARKS[0], query="cause=x", shared=True
    ).pk


def deleted_filter(world: World) -> int:
    pk = kept_filter(world)
    SavedFilter.objects.filter(pk=pk).update(deleted_at=timezone.now())
    return pk


def evidence(world: World) -> int:
    """A photo of the household, with a caption."""
    return evidence_services.add(
        household=world.household,
        year=2019,
        kind="house",
        caption=MARKS[0],
        content=jpeg(),
        by=world.people.fengming_cadre,
    ).pk


def removed_evidence(world: World) -> int:
    """One that was taken off."""
    row = Evidence.objects.get(pk=evidence(world))
    return evidence_services.remove(evidence=row, reason=MARKS[0], by=world.people.fengming_cadre).pk


def printout(world: World) -> int:
    """A file of the village's cards that a cadre of the village asked for, not yet made."""
    return Printout.objects.create(
        owner=world.people.fengming_cadre, area=FENGMING, kind="cards", year=2019, reason=MARKS[0]
    ).pk


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


def move_request(world: World) -> int:
    """The household is to move to another town of the county."""
    to = Division.objects.get(code=430725001001)
    asked = moves.ask_move(
        household=world.household,
        to=to,
        by=world.people.fengming_cadre,
        expected_version=world.household.version,
        reason=MARKS[0],
    )
    return asked.pk


def life_event(world: World) -> int:
    """A child was born into the household."""
    child = Member(name="欧阳宝", sex="男", birth_date=date(2019, 5, 1), relation="之孙子")
    done = events.note_birth(
        household=world.household,
        by=world.people.fengming_team,
        expected_version=world.household.version,
        member=child,
        on=date(2019, 5, 1),
    )
    return done.pk


def moved_household(world: World) -> int:
    """A household of another county that lived in the village until it moved."""
    household = world.foreign_household
    event = LifeEvent.objects.create(
        kind="move", household=household, village_id=FENGMING, on=timezone.localdate(), facts={"changes": []}
    )
    FormerVillage.objects.create(
        household=household, village_id=FENGMING, until=timezone.localdate(), version=household.version, event=event
    )
    return household.pk


def duplicate_case(world: World) -> int:
    """The head of the household and a namesake of another village: for the town and above."""
    other = world.namesake
    first, second = (
        Membership.objects.filter(household=card).order_by("pk")[0].person_id for card in (world.household, other)
    )
    return DuplicateCase.objects.create(
        kind="name_birth",
        area=RESHI,
        first=world.household,
        first_person_id=first,
        second=other,
        second_person_id=second,
    ).pk


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


def note(world: World) -> int:
    """A note of a check on the household, explained, for the reviewer."""
    return Finding.objects.create(
        household=world.household,
        village_id=FENGMING,
        kind=Finding.Kind.YELLOW_CHECK,
        code="power",
        explanation=MARKS[0],
        explained_at=timezone.now(),
    ).pk


def lead(world: World) -> int:
    """An open lead of the township on the household, visited."""
    return Finding.objects.create(
        household=world.household,
        village_id=FENGMING,
        kind=Finding.Kind.VEHICLE,
        code="private_car",
        score=0.9,
        owner_id=RESHI,
        due_on=timezone.localdate(),
        visited_on=timezone.localdate(),
        visited_by=world.people.reshi_officer,
        visit_note=MARKS[0],
    ).pk


def county_lead(world: World) -> int:
    """A lead about people of an office: the county's."""
    return Finding.objects.create(
        household=world.household,
        village_id=FENGMING,
        kind=Finding.Kind.KIN,
        code="same_account",
        score=0.9,
        owner_id=TAOYUAN,
        due_on=timezone.localdate(),
    ).pk


def village_cadre(world: World) -> int:
    return VillageCadre.objects.create(village_id=FENGMING, name=MARKS[0], post="director").pk


def removed_village_cadre(world: World) -> int:
    pk = village_cadre(world)
    VillageCadre.objects.filter(pk=pk).delete()
    return pk


def returned_note(world: World) -> int:
    """A note that came back to the village with a reason."""
    return Finding.objects.create(
        household=world.household,
        village_id=FENGMING,
        kind=Finding.Kind.YELLOW_CHECK,
        code="water",
        returned_at=timezone.now(),
        returned_by=world.people.reshi_officer,
        return_reason=MARKS[0],
    ).pk


def form_key(world: World) -> str:
    return new_form_key()


def today(world: World) -> date:
    return timezone.localdate()


def county_standard(world: World) -> int:
    """The county's own yearly standard, in force."""
    standard = draft_standard(division=Division.objects.get(code=TAOYUAN), year=2019, copied_from=None, by=None)
    return release_standard(standard=standard, by=None).pk


def standard_draft(world: World) -> int:
    """A draft of the county, which one of its office has put forward."""
    copied = YearlyStandard.objects.get(pk=county_standard(world))
    draft = draft_standard(division=copied.division, year=2020, copied_from=copied, by=world.people.taoyuan_second)
    YearlyStandard.objects.filter(pk=draft.pk).update(proposed_by=world.people.taoyuan_second)
    return draft.pk


def result(world: World) -> int:
    load_default_versions()
    return recompute_household(household=world.household.pk, year=2019).pk


def index_run(world: World) -> int:
    """A run over the county that goes on."""
    load_default_versions()
    assert world.household
    county = Division.objects.get(code=TAOYUAN)
    return start_run(division=county, year=2019, by=world.people.taoyuan_office, in_background=False).pk


def city_run(world: World) -> int:
    """A run over the city: Reshi town, and a township of the other county."""
    load_default_versions()
    assert world.household and world.foreign_household
    city = Division.objects.get(code=CITY)
    return start_run(division=city, year=2019, by=world.people.city_office, in_background=False).pk


def index_default(world: World) -> int:
    """The city's default of 2019, in force."""
    load_default_versions()
    return IndexVersion.objects.get(division=None, year=2019, state="released").pk


def county_index(world: World) -> int:
    """The county's own version, in force."""
    default = IndexVersion.objects.get(pk=index_default(world))
    county = Division.objects.get(code=TAOYUAN)
    draft = index_versions.draft_version(division=county, system=default.system, by=world.people.taoyuan_second)
    return index_versions.release_version(version=draft, by=None).pk


def index_draft(world: World) -> int:
    """A draft of the county, tried."""
    draft = _county_draft(world)
    IndexVersion.objects.filter(pk=draft.pk).update(state="tried")
    return draft.pk


def index_proposal(world: World) -> int:
    """A draft of the county that one of its office has put forward."""
    draft = IndexVersion.objects.get(pk=index_draft(world))
    return index_versions.propose_version(version=draft, by=world.people.taoyuan_second).pk


def scheduled_index(world: World) -> int:
    """A version of the county that waits for its day."""
    draft = IndexVersion.objects.get(pk=index_draft(world))
    day = timezone.localdate() + timedelta(days=3)
    index_versions.propose_version(version=draft, by=world.people.taoyuan_second, effective_from=day)
    return index_versions.release_version(version=draft, by=world.people.taoyuan_office).pk


def discarded_index(world: World) -> int:
    draft = IndexVersion.objects.get(pk=index_draft(world))
    return index_versions.discard_version(version=draft, by=world.people.taoyuan_second).pk


def _county_draft(world: World) -> IndexVersion:
    """Under a name that nobody outside the office reads."""
    default = IndexVersion.objects.get(pk=index_default(world))
    system = replace(default.system, name=Label(zh=MARKS[0], en=""))
    county = Division.objects.get(code=TAOYUAN)
    return index_versions.draft_version(division=county, system=system, by=world.people.taoyuan_second)


def tried_draft(world: World) -> int:
    return world.tried.version_id


def index_trial(world: World) -> int:
    return world.tried.pk


def register(world: World) -> int:
    """A register of Taoyuan county in force, brought by its office."""
    return _register(world, "done").pk


def checked_register(world: World) -> int:
    return _register(world, "checked").pk


def withdrawn_register(world: World) -> int:
    return _register(world, "withdrawn").pk


def _register(world: World, state: str) -> RegisterVersion:
    version, _made = RegisterVersion.objects.get_or_create(
        kind="vehicle",
        source=MARKS[0],
        division_id=TAOYUAN,
        as_of=date(2019, 10, 31),
        owner=world.people.taoyuan_office,
        state=state,
        defaults={
            "file_name": MARKS[0],
            "digest": state,
            "size": 1,
            "confirmed_at": timezone.now(),
            "compared_at": timezone.now(),
            "withdrawn_at": timezone.now() if state == "withdrawn" else None,
        },
    )
    return version


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
        register,
        checked_register,
        withdrawn_register,
        card_draft,
        export,
        kept_filter,
        deleted_filter,
        evidence,
        removed_evidence,
        printout,
        import_row,
        written_batch,
        posted_cadre,
        village_with_need,
        move_request,
        life_event,
        moved_household,
        duplicate_case,
        plan,
        list_draft,
        list_entry,
        posted_list,
        public_list,
        objection,
        note,
        lead,
        county_lead,
        village_cadre,
        removed_village_cadre,
        returned_note,
        form_key,
        today,
        county_standard,
        standard_draft,
        result,
        index_run,
        city_run,
        index_default,
        county_index,
        index_draft,
        index_proposal,
        scheduled_index,
        discarded_index,
        tried_draft,
        index_trial,
    )
}
