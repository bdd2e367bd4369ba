"""Yearly standards: drafted, released by two, frozen by the database; which one a village is measured by."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from changde.accounts.refusal import Refusal
from changde.audit.models import Event
from changde.divisions.models import Division
from households.models import StandardRate, YearlyStandard
from households.selectors.standards import compared_with, differences, in_force_for, standard_of, standards_for
from households.services.yearly_standards import (
    discard_standard,
    draft_standard,
    edit_standard,
    load_default_standards,
    propose_standard,
    release_standard,
)
from tests.personas import FENGMING, TAOYUAN, WULING_VILLAGE, People

pytestmark = pytest.mark.django_db

SETTINGS = {"days_low": 20, "days_high": 26, "tolerance": 50}
RICE: dict[str, Any] = {
    "kind": "crop", "item": "水稻", "yield_low": None, "yield_high": None, "low": Decimal(900), "high": Decimal(1200),
    "net_low": Decimal(300), "net_high": Decimal(600), "proposed_by": "irrigated_land", "source": "县调查队",
}  # fmt: skip


@pytest.fixture
def default() -> YearlyStandard:
    load_default_standards()
    return YearlyStandard.objects.get(division=None, year=2019)


def drafted(people: People, copied_from: YearlyStandard | None = None, year: int = 2019) -> YearlyStandard:
    taoyuan = Division.objects.get(code=TAOYUAN)
    return draft_standard(division=taoyuan, year=year, copied_from=copied_from, by=people.taoyuan_office)


def edited(standard: YearlyStandard, people: People, *rates: dict[str, Any]) -> YearlyStandard:
    return edit_standard(
        standard=standard,
        settings=SETTINGS,
        rates=rates,
        expected_revision=standard.revision,
        by=people.taoyuan_office,
    )


def released(people: People, *rates: dict[str, Any]) -> YearlyStandard:
    draft = edited(drafted(people), people, *(rates or (RICE,)))
    propose_standard(standard=draft, by=people.taoyuan_office)
    return release_standard(standard=draft, by=people.taoyuan_second)


def test_the_defaults_are_loaded_once_and_marked_as_such() -> None:
    assert (load_default_standards(), load_default_standards()) == (2, 0)
    assert sorted(YearlyStandard.objects.values_list("year", "state")) == [(2018, "released"), (2019, "released")]
    assert all("市默认" in source for source in StandardRate.objects.values_list("source", flat=True))


def test_a_county_has_its_own_and_others_the_default(default: YearlyStandard, people: People) -> None:
    own = released(people)
    assert in_force_for(FENGMING, 2019) == own
    assert in_force_for(WULING_VILLAGE, 2019) == default
    assert standard_of(FENGMING, 2025) is None


def test_a_draft_starts_with_the_rates_it_is_copied_from(default: YearlyStandard, people: People) -> None:
    draft = drafted(people, default, year=2020)
    assert [rate.item for rate in draft.rates.all()] == [rate.item for rate in default.rates.all()]
    assert differences(default, draft) == []


def test_what_differs_is_told_by_item(default: YearlyStandard, people: People) -> None:
    draft = edited(drafted(people, default), people, RICE, RICE | {"item": "再生稻"})
    found = {each.item.item: (each.before, each.after) for each in differences(default, draft)}
    assert found["水稻"][1].low == 900 and found["水稻"][0].low == 740
    assert found["再生稻"][0] is None and found["生猪"][1] is None
    assert compared_with(draft) == default


def test_two_different_persons_release(people: People) -> None:
    draft = edited(drafted(people), people, RICE)
    with pytest.raises(Refusal, match="提请"):
        release_standard(standard=draft, by=people.taoyuan_second)
    propose_standard(standard=draft, by=people.taoyuan_office)
    with pytest.raises(Refusal, match="同一人"):
        release_standard(standard=draft, by=people.taoyuan_office)
    assert release_standard(standard=draft, by=people.taoyuan_second).state == "released"


def test_an_edit_takes_the_proposal_back(people: People) -> None:
    draft = edited(drafted(people), people, RICE)
    read = propose_standard(standard=draft, by=people.taoyuan_office).revision
    changed = edited(YearlyStandard.objects.get(pk=draft.pk), people, RICE | {"high": Decimal(9000)})
    assert changed.proposed_by is None
    propose_standard(standard=changed, by=people.taoyuan_office)
    with pytest.raises(Refusal, match="他人修改"):
        release_standard(standard=changed, by=people.taoyuan_second, expected_revision=read)


def test_the_database_knows_the_two_persons_too(people: People) -> None:
    draft = drafted(people)
    with pytest.raises(IntegrityError, match="released_by_two"), transaction.atomic():
        one = people.taoyuan_office
        YearlyStandard.objects.filter(pk=draft.pk).update(proposed_by=one, released_by=one)


def test_a_new_release_supersedes_the_one_in_force(people: People) -> None:
    first, second = released(people), released(people)
    first.refresh_from_db()
    assert (first.state, second.state, second.number) == ("superseded", "released", 2)


def test_one_draft_at_a_time_and_two_edits_do_not_overwrite_one_another(people: People) -> None:
    draft = drafted(people)
    with pytest.raises(Refusal, match="已有一份草稿"):
        drafted(people)
    edited(draft, people, RICE)
    stale = {"settings": SETTINGS, "rates": [], "expected_revision": 1, "by": people.taoyuan_second}
    with pytest.raises(Refusal, match="他人修改"):
        edit_standard(standard=draft, **stale)
    assert draft.rates.count() == 1


def test_an_empty_draft_is_not_put_forward(people: People) -> None:
    with pytest.raises(Refusal, match="还没有任何项目"):
        propose_standard(standard=drafted(people), by=people.taoyuan_office)


@pytest.mark.parametrize("who", ["wuling_office", "fengming_cadre", "reshi_officer", "inspector"])
def test_only_the_office_of_the_place_makes_a_standard(people: People, who: str) -> None:
    draft = drafted(people)
    with pytest.raises(Refusal, match="扶贫办"):
        propose_standard(standard=draft, by=getattr(people, who))
    with pytest.raises(Refusal, match="扶贫办"):
        draft_standard(division=None, year=2030, copied_from=None, by=people.taoyuan_office)


def test_villages_read_what_is_released_and_no_draft_of_anybody(default: YearlyStandard, people: People) -> None:
    own, draft = released(people), drafted(people, year=2021)
    assert {own, default} <= set(standards_for(people.fengming_cadre))
    assert draft not in standards_for(people.fengming_cadre)
    assert draft in standards_for(people.taoyuan_second)
    assert own not in standards_for(people.wuling_office)
    assert not standards_for(people.no_post).exclude(division=None).exists()


def test_every_step_is_in_the_log(people: People) -> None:
    draft = released(people)
    discard_standard(standard=drafted(people, year=2022), by=people.taoyuan_office)
    verbs = list(Event.objects.filter(target_kind="households.yearlystandard").order_by("pk").values_list("verb"))
    steps = ["draft", "edit", "propose", "release", "draft", "discard"]
    assert verbs == [(f"standards.{step}",) for step in steps]
    assert draft.division_id == TAOYUAN and not YearlyStandard.objects.filter(year=2022).exists()


# -- the database ------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE households_yearlystandard SET tolerance = 1",
        "UPDATE households_yearlystandard SET state = 'draft', released_at = NULL",
        "UPDATE households_yearlystandard SET state = 'superseded', superseded_at = now(), year = 2030",
        "DELETE FROM households_yearlystandard",
        "UPDATE households_standardrate SET high = high + 1",
        "DELETE FROM households_standardrate",
        "INSERT INTO households_standardrate (standard_id, position, kind, item, low, high, proposed_by, source)"
        " SELECT id, 99, 'crop', 'x', 1, 1, '', '' FROM households_yearlystandard",
    ],
)
def test_a_released_standard_and_its_rates_cannot_be_changed_by_sql(default: YearlyStandard, statement: str) -> None:
    with pytest.raises(IntegrityError, match="released"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_a_draft_can_be_changed_by_sql(people: People) -> None:
    edited(drafted(people), people, RICE)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE households_standardrate SET high = high + 1")
        assert cursor.rowcount == 1


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ({"low": Decimal(2000)}, "standard_rate_range"),
        ({"low": Decimal(0)}, "standard_rate_range"),
        ({"net_high": None}, "standard_rate_net_range"),
        ({"net_high": Decimal(5000)}, "standard_rate_net_range"),
        ({"net_low": None}, "standard_rate_net_range"),
        ({"yield_low": Decimal(5)}, "standard_rate_yield_range"),
        ({"yield_high": Decimal(5)}, "standard_rate_yield_range"),
    ],
)
def test_a_rate_that_cannot_be_is_refused_in_words(people: People, change: dict, constraint: str) -> None:
    draft = drafted(people)
    with pytest.raises(Refusal) as refused, transaction.atomic():
        edited(draft, people, RICE | change)
    assert refused.value.code == constraint


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ({"kind": "loan"}, "standard_rate_kind"),
        ({"item": ""}, "standard_rate_named"),
        ({"proposed_by": "car"}, "standard_rate_proposed_by"),
    ],
)
def test_the_database_refuses_other_rates(people: People, change: dict, constraint: str) -> None:
    draft = drafted(people)
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        StandardRate.objects.create(standard=draft, **(RICE | change))


def test_the_same_item_stands_once(people: People) -> None:
    draft = drafted(people)
    with pytest.raises(Refusal, match="两次"), transaction.atomic():
        edited(draft, people, RICE, RICE)


@pytest.mark.parametrize("change", [{"days_low": 27}, {"days_high": 32}, {"tolerance": 101}, {"year": 1999}])
def test_settings_that_cannot_be_are_refused(people: People, change: dict) -> None:
    draft = drafted(people)
    with pytest.raises(IntegrityError, match="yearly_standard"), transaction.atomic():
        YearlyStandard.objects.filter(pk=draft.pk).update(**change)
