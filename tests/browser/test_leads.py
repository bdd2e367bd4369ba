"""A township officer works through the leads: from the home page to a visit, the answer, the decision and the next."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from households.models import Finding
from tests.factories import make_household
from tests.households.test_lead_cases import found
from tests.personas import FENGMING, People

pytestmark = pytest.mark.browser


def test_an_officer_visits_hears_confirms_undoes_and_goes_on(browse: Callable[..., Page], people: People) -> None:
    found(make_household(FENGMING, head="欧阳线索"))
    found(make_household(FENGMING, head="司马下一"), "marginal", "marginal", 0.3)

    page = browse(people.reshi_officer, width=360, height=740)
    page.goto("/")
    page.get_by_role("link", name=re.compile("走访核查 2 条线索")).click()
    page.get_by_role("link", name=re.compile("欧阳线索")).click()
    expect(page.get_by_text("低于当年贫困线 3,218 元", exact=False)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 360

    page.locator("[name=note]").fill("房屋漏雨，老人独居")
    page.locator("[name=answer]").fill("去年摔伤后没有收入")
    page.get_by_role("button", name="保存走访情况").click()
    expect(page.get_by_text("农户说：去年摔伤后没有收入")).to_be_visible()

    page.locator("[name=reason]").fill("入户核实，收入属实")
    page.get_by_role("button", name=re.compile("^属实")).click()
    expect(page.get_by_role("heading", name=re.compile("司马下一"))).to_be_visible()
    expect(page.get_by_role("status").filter(has_text="拟本村的识别名单")).to_be_visible()

    page.get_by_role("button", name="撤销").click()
    expect(page.get_by_role("heading", name=re.compile("欧阳线索"))).to_be_visible()
    assert Finding.objects.open().of_leads().count() == 2
