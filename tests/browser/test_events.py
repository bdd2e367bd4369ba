"""A village cadre splits a household on a phone, from the card."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from households.models import Household, Membership
from tests.factories import make_household
from tests.personas import FENGMING, People

pytestmark = pytest.mark.browser


def test_a_household_is_split_on_a_phone(browse: Callable[..., Page], people: People) -> None:
    card: Any = make_household(FENGMING, members=4)
    page = browse(people.fengming_cadre, width=360, height=740)
    page.goto(f"/households/{card.pk}/")
    page.locator("summary", has_text="办理变更").click()
    page.get_by_role("link", name="分户").click()
    page.get_by_label("张小1（之子）").check()
    page.get_by_label("张小2（之子）").check()
    page.get_by_label("新户的户主").select_option(label="张小1（之子）")
    page.get_by_role("button", name="分户").click()
    expect(page.get_by_label("张小2：与新户户主的关系")).to_have_value("之兄弟姐妹")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.get_by_role("button", name="分户").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("张小1")
    new = Household.objects.get(split_from=card)
    lives = Membership.objects.open().filter(household=new).order_by("position")
    assert list(lives.values_list("relation", flat=True)) == ["户主", "之兄弟姐妹"]
