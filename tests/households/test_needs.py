"""Needs a household names: a line a kind, merged kind by kind, with history."""

from collections.abc import Callable
from typing import Any

import pghistory.models
import pytest
from django.test import Client

from changde.audit.models import Event
from households.domain.needs import Need, NeedsChange, merge_needs, need_kinds
from households.models import Household, HouseholdNeed
from households.services.cards import save_card
from households.services.needs import needs_of, save_needs
from tests.households.cards import a_card
from tests.households.test_card_form import HEAD, NEW, confirmed, filled_in, posted
from tests.personas import People


@pytest.fixture
def cadre(people: People, as_user: Callable[..., Client]) -> Client:
    return as_user(people.fengming_cadre)


@pytest.fixture
def household(people: People) -> Household:
    return save_card(card=a_card(), by=people.fengming_cadre)


def page_of(household: Household) -> str:
    return f"/households/{household.pk}/needs/"


def test_needs_are_named_and_shown_on_the_card(cadre: Client, household: Household) -> None:
    card = f"/households/{household.pk}/"
    assert page_of(household) in cadre.get(card).content.decode()
    named = {"base": "{}", "house": "urgent", "house_detail": "后墙开裂", "loan": "later"}
    answer = cadre.post(page_of(household), named)
    assert answer.url == f"{card}?year=2019"
    assert needs_of(household, 2019) == {"house": Need("urgent", "后墙开裂"), "loan": Need("later")}
    shown = cadre.get(card).content.decode()
    assert "住房改造" in shown and "后墙开裂" in shown and "急需" in shown
    assert "修改诉求：住房改造、小额贷款" in cadre.get(f"{card}?tab=history").content.decode()


def test_a_change_keeps_what_stood_before(cadre: Client, household: Household) -> None:
    cadre.post(page_of(household), {"base": "{}", "water": "urgent"})
    cadre.post(page_of(household), {"base": '{"water": ["urgent", ""]}', "water": ""})
    assert not HouseholdNeed.objects.exists()
    kept = pghistory.models.Events.objects.references(household).filter(pgh_model="households.HouseholdNeedEvent")
    assert [event.pgh_data["urgency"] for event in kept] == ["urgent"]


def test_two_people_merge_kind_by_kind_and_meet_at_the_same_kind(cadre: Client, household: Household) -> None:
    cadre.post(page_of(household), {"base": "{}", "water": "urgent"})
    cadre.post(page_of(household), {"base": "{}", "school": "later"})
    assert set(needs_of(household, 2019)) == {"water", "school"}
    clash = cadre.post(page_of(household), {"base": "{}", "water": "later"})
    assert (clash.status_code, needs_of(household, 2019)["water"].urgency) == (409, "urgent")
    assert "他人已改为：急需" in clash.content.decode()
    again = {"base": clash.context["form"]["base"].value(), "water": "later", "school": "later"}
    assert cadre.post(page_of(household), again).status_code == 302
    assert needs_of(household, 2019)["water"].urgency == "later"


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"water": "urgent"}, "请重新打开"),
        ({"base": "[1]", "water": "urgent"}, "请重新打开"),
        ({"base": "{}", "water_detail": "井干了"}, "请选紧急程度"),
        ({"base": "{}", "water": "sofort"}, "sofort"),
    ],
)
def test_what_does_not_fit_is_said(cadre: Client, household: Household, data: dict[str, Any], text: str) -> None:
    answer = cadre.post(page_of(household), data)
    assert answer.status_code == 422
    assert text in answer.content.decode()
    assert not HouseholdNeed.objects.exists()


def test_kinds_are_data_and_a_kind_only_one_changed_is_no_clash() -> None:
    assert list(need_kinds()) == ["industry", "job", "house", "water", "school", "medical", "loan", "other"]
    base = {"job": Need("later"), "house": Need("urgent")}
    merged, clashing = merge_needs(base, {"job": Need("urgent"), "house": Need("urgent")}, {"job": Need("later")})
    assert (merged, clashing) == ({"job": Need("urgent")}, [])


# -- with the whole card ------------------------------


@pytest.fixture
def named(household: Household, people: People) -> Household:
    change = NeedsChange({"house": Need("urgent", "后墙开裂"), "loan": Need("later")}, {})
    save_needs(household=household, year=2019, change=change, by=people.fengming_cadre)
    return household


def edit_of(household: Household, year: int = 2019) -> str:
    return f"/households/{household.pk}/edit/?year={year}"


def test_a_new_card_is_saved_with_what_the_household_names(cadre: Client) -> None:
    data = posted(HEAD) | {"needs-base": "{}", "needs-house": "urgent", "needs-house_detail": " 后墙开裂 "}
    assert cadre.post(NEW, data).status_code == 302
    household = Household.objects.get()
    assert needs_of(household, 2019) == {"house": Need("urgent", "后墙开裂")}
    verbs = list(Event.objects.filter(kind=Event.Kind.WRITE).values_list("verb", flat=True))
    assert [verb for verb in verbs if "_card" in verb or "needs" in verb] == [
        "households.save_card",
        "households.save_needs",
    ]
    cadre.post(edit_of(household), filled_in(cadre.get(edit_of(household))) | {"needs-house": "later"})
    assert cadre.post(NEW, data).status_code == 302  # the first sending, come again
    assert (Household.objects.count(), needs_of(household, 2019)["house"].urgency) == (1, "later")


def test_what_is_wrong_in_a_need_refuses_the_card_and_stands_in_its_section(cadre: Client) -> None:
    answer = cadre.post(NEW, posted(HEAD) | {"needs-base": "{}", "needs-water_detail": "井干了"})
    (state,) = [section for section in answer.context["nav"] if section["id"] == "needs"]
    assert (answer.status_code, state["note"], Household.objects.count()) == (422, "1 处错误", 0)
    assert 'href="#id_needs-water"' in answer.content.decode() and "井干了" in answer.content.decode()


def test_needs_somebody_changed_meanwhile_are_asked_and_nothing_of_the_card_is_saved(
    cadre: Client, named: Household, people: People
) -> None:
    data = filled_in(cadre.get(edit_of(named))) | {"pigs": "7", "needs-house": "this_year", "needs-job": "later"}
    theirs = NeedsChange({"house": Need("urgent", "后墙已倒"), "water": Need("later")}, needs_of(named, 2019))
    save_needs(household=named, year=2019, change=theirs, by=people.reshi_officer)
    answer = cadre.post(edit_of(named), data)
    assert (answer.status_code, named.sheets.get().pigs != 7) == (409, True)
    assert "他人已改为：急需 后墙已倒" in answer.content.decode()
    assert cadre.post(edit_of(named), filled_in(answer)).status_code == 302
    assert (named.sheets.get().pigs, set(needs_of(named, 2019))) == (7, {"house", "job", "water"})
    assert needs_of(named, 2019)["house"] == Need("this_year", "后墙开裂")


def test_a_form_that_names_no_base_leaves_the_needs_alone(cadre: Client, named: Household) -> None:
    data = {name: value for name, value in filled_in(cadre.get(edit_of(named))).items() if "needs-" not in name}
    assert cadre.post(edit_of(named), data | {"pigs": "7"}).status_code == 302
    assert (named.sheets.get().pigs, set(needs_of(named, 2019))) == (7, {"house", "loan"})
    refused = cadre.post(edit_of(named), filled_in(cadre.get(edit_of(named))) | {"needs-base": ""})
    assert refused.status_code == 422 and "请重新打开" in refused.content.decode()


@pytest.mark.parametrize(
    ("answers", "kept"),
    [
        ({"needs-still_needs": "same"}, {"house": "urgent", "loan": "later"}),
        ({"needs-still_needs": "changed", "needs-loan": ""}, {"house": "urgent"}),
        ({"needs-still_needs": "", "needs-loan": "urgent", "leave_unknown": "yes"}, {"loan": "urgent"}),
    ],
)
def test_a_new_year_begins_with_last_years_needs_and_copies_what_is_confirmed(
    cadre: Client, named: Household, answers: dict[str, str], kept: dict[str, str]
) -> None:
    page = cadre.get(edit_of(named, 2020))
    assert "后墙开裂" in page.content.decode() and page.context["forms"].needs["base"].value() == "{}"
    assert cadre.post(edit_of(named, 2020), confirmed(page, **answers)).status_code == 302
    assert {kind: need.urgency for kind, need in needs_of(named, 2020).items()} == kept
    assert set(needs_of(named, 2019)) == {"house", "loan"}


def test_last_years_needs_that_nobody_confirmed_are_named_before_the_save(cadre: Client, named: Household) -> None:
    asked = cadre.post(edit_of(named, 2020), confirmed(cadre.get(edit_of(named, 2020)), **{"needs-still_needs": ""}))
    assert asked.status_code == 422
    assert [(group.href, str(group.title)) for group in asked.context["waiting"]] == [("#id_needs-still_needs", "诉求")]
    assert not HouseholdNeed.objects.filter(year=2020).exists()
