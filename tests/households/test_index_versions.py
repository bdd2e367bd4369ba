"""Index versions: four eyes, one in force, frozen by the database."""

import copy

import pytest
from django.db import IntegrityError, connection, transaction

from changde.accounts.refusal import Refusal
from changde.divisions.models import Division
from households.domain.index_system import IndexSystem
from households.models import IndexVersion, Result
from households.services import index_runs
from households.services.index_versions import (
    draft_version,
    load_default_versions,
    propose_version,
    release_version,
    version_for,
)
from tests.factories import make_household
from tests.households import golden
from tests.personas import FENGMING, RESHI, TAOYUAN, WULING, WULING_VILLAGE

pytestmark = pytest.mark.django_db


def stricter() -> IndexSystem:
    """The default of 2019 with a line of 4,000 yuan."""
    definition = copy.deepcopy(golden.DEFAULTS[2019].to_json())
    return IndexSystem.from_json(definition | {"income_line": "4000", "monitoring_line": "6000"})


def released_in_taoyuan(people, system: IndexSystem | None = None) -> IndexVersion:
    taoyuan = Division.objects.get(code=TAOYUAN)
    draft = tried(draft_version(division=taoyuan, system=system or stricter(), by=people.taoyuan_office))
    propose_version(version=draft, by=people.taoyuan_office)
    return release_version(version=draft, by=people.taoyuan_second)


def tried(version: IndexVersion) -> IndexVersion:
    """As after a complete trial of it."""
    version.state = IndexVersion.State.TRIED
    version.save(update_fields=["state"])
    return version


def test_the_defaults_are_loaded_once():
    assert load_default_versions() == 5
    assert load_default_versions() == 0
    versions = IndexVersion.objects.order_by("year")
    assert [version.year for version in versions] == [2016, 2017, 2018, 2019, 2020]
    assert all(version.system.digest == version.digest for version in versions)


def test_a_county_is_judged_by_its_own_version_and_others_by_the_default(people):
    load_default_versions()
    own = released_in_taoyuan(people)
    assert version_for(county=TAOYUAN, year=2019) == own
    assert version_for(county=WULING, year=2019).division is None
    poorer = make_household(FENGMING, wage_income=3500)
    richer = make_household(WULING_VILLAGE, wage_income=3500)
    for code in (RESHI, WULING):
        run = index_runs.start_run(division=Division.objects.get(code=code), year=2019, by=None, in_background=False)
        index_runs.compute_run(run=run)
    assert Result.objects.get(household=poorer).outcome == "absolute"
    assert Result.objects.get(household=richer).outcome == "relative"


def test_two_different_persons_release(people):
    taoyuan = Division.objects.get(code=TAOYUAN)
    draft = tried(draft_version(division=taoyuan, system=stricter(), by=people.taoyuan_office))
    with pytest.raises(Refusal, match="提请"):
        release_version(version=draft, by=people.taoyuan_office)
    propose_version(version=draft, by=people.taoyuan_office)
    with pytest.raises(Refusal) as refused:
        release_version(version=draft, by=people.taoyuan_office)
    assert refused.value.code == "same_person"
    assert release_version(version=draft, by=people.taoyuan_second).state == "released"


def test_the_database_knows_the_two_persons_too(people):
    draft = draft_version(division=None, system=stricter(), by=people.city_office)
    with pytest.raises(IntegrityError), transaction.atomic():
        IndexVersion.objects.filter(pk=draft.pk).update(proposed_by=people.city_office, released_by=people.city_office)


def test_a_new_release_supersedes_the_one_in_force_and_makes_its_results_stale(people):
    load_default_versions()
    make_household(FENGMING)
    make_household(WULING_VILLAGE)
    for code in (RESHI, WULING):
        run = index_runs.start_run(division=Division.objects.get(code=code), year=2019, by=None, in_background=False)
        index_runs.compute_run(run=run)
    first = released_in_taoyuan(people)
    assert dict(Result.objects.values_list("village_id", "stale")) == {FENGMING: True, WULING_VILLAGE: False}
    second = released_in_taoyuan(people)
    first.refresh_from_db()
    assert (first.state, second.state, second.number) == ("superseded", "released", 2)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE households_indexversion SET definition = '{}'",
        "UPDATE households_indexversion SET digest = 'x'",
        "UPDATE households_indexversion SET state = 'draft', released_at = NULL",
        "UPDATE households_indexversion SET state = 'superseded', superseded_at = now(), year = 2030",
        "DELETE FROM households_indexversion",
    ],
)
def test_a_released_version_cannot_be_changed_by_sql(statement):
    load_default_versions()
    with pytest.raises(IntegrityError, match="released"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_a_draft_can_be_changed_by_sql(people):
    draft_version(division=None, system=stricter(), by=people.city_office)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE households_indexversion SET digest = 'x'")
        assert cursor.rowcount == 1


def test_a_superseded_version_stays_frozen():
    load_default_versions()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE households_indexversion SET state = 'superseded', superseded_at = now()")
    with pytest.raises(IntegrityError, match="released"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE households_indexversion SET state = 'released', superseded_at = NULL")


def test_a_released_version_cannot_be_released_or_proposed_again(people):
    load_default_versions()
    version = IndexVersion.objects.first()
    with pytest.raises(Refusal) as refused:
        propose_version(version=version, by=people.city_office)
    assert refused.value.code == "frozen"


def test_only_one_version_is_in_force(people):
    released_in_taoyuan(people)
    draft = draft_version(division=Division.objects.get(code=TAOYUAN), system=stricter(), by=None)
    with pytest.raises(IntegrityError, match="one_in_force"), transaction.atomic():
        IndexVersion.objects.filter(pk=draft.pk).update(
            state="released", released_at="2020-01-01T00:00Z", effective_from="2020-01-01"
        )
