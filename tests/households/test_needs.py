"""Needs a household names: a line a kind, merged kind by kind, with history."""

from collections.abc import Callable
from typing import Any

import pghistory.models
import pytest
from django.test import Client

from households.domain.needs import Need, merge_needs, need_kinds
from households.models import Household, HouseholdNeed
from households.services.cards import save_card
from households.services.needs import needs_of
from tests.households.cards import a_card
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
