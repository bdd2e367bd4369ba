"""A village cadre fills in the income worksheet on a phone: two crops and a wage, summed while they are typed."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from households.services.cards import save_card
from households.services.index_versions import load_default_versions
from households.services.yearly_standards import load_default_standards
from tests.households.cards import a_card, a_member, a_wife
from tests.personas import People

pytestmark = pytest.mark.browser


@pytest.fixture
def form(browse: Callable[..., Page], people: People) -> Page:
    load_default_versions()
    load_default_standards()
    wife = a_wife(work_place="省外务工", work_months=5)
    facts = {"irrigated_land": Decimal(3), "pigs": 0, "poultry": 0, "production_expenses": Decimal("0.50")}
    facts["wage_income"] = Decimal(9000)  # a member works away: a wage of zero would be refused
    household = save_card(card=a_card(a_member(), wife, sheet=facts), by=people.fengming_cadre)
    page = browse(people.fengming_cadre, width=360, height=740)
    page.goto(f"/households/{household.pk}/edit/")
    return page


def line(page: Page, item: str) -> Any:
    rows = page.locator("[data-line]:visible")
    return rows.filter(has=page.locator(f"[data-line-field=item][value='{item}']"))


def fill(row: Any, name: str, value: str) -> None:
    row.locator(f"[data-line-field={name}]").fill(value)


def test_two_crops_and_a_wage_are_summed_live_saved_and_shown(form: Page) -> None:
    page = form
    page.get_by_role("button", name="从户卡生成建议行").click()
    rice, maize, wage = line(page, "水稻"), line(page, "玉米"), line(page, "省外务工")
    expect(rice.locator("[data-line-expected]")).to_have_text("按本县标准预计 2,220–3,300 元")
    fill(rice, "amount", "3,000.25")
    rice.locator("[data-line-field=known]").select_option("estimate")
    expect(rice.locator("[data-line-mark]")).to_have_text("与标准相符")
    fill(maize, "amount", "9000.25")
    maize.locator("[data-line-field=known]").select_option("paper")
    expect(maize.locator("[data-line-mark]")).to_contain_text("相差较大")
    expect(wage.locator("[data-line-field=member] option:checked")).to_have_text("李秀英")
    fill(wage, "monthly", "3000")
    wage.locator("[data-line-field=known]").select_option("register")

    expect(page.locator("[name=business_income]")).to_have_value("12000.50")
    expect(page.locator("[name=business_income]")).to_have_attribute("readonly", "")
    expect(page.locator("[name=wage_income]")).to_have_value("15000")
    expect(page.locator("[data-live-value]")).to_have_text("13,500")  # (12,000.50 + 15,000 - 0.50) / 2
    expect(page.locator("[data-line-group=business] [data-line-sum]")).to_have_text("2 行，合计 12,000.50 元")
    assert page.evaluate("document.documentElement.scrollWidth") == 360

    page.locator("[data-line-group=transfer] summary").press("Enter")
    page.locator("[data-line-group=transfer] [data-add-line]").press("Enter")
    aid = page.locator("[data-line-group=transfer] [data-line]:visible")
    aid.locator("[data-line-field=kind]").select_option("pension")
    fill(aid, "amount", "1")
    expect(page.locator("[name=pension]")).to_have_value("1")
    aid.locator("[data-line-field=DELETE]").press("Space")
    expect(page.locator("[name=pension]")).not_to_have_attribute("readonly", "")
    page.locator("[name=pension]").fill("0")

    page.get_by_role("button", name="保存户卡").click()
    page.wait_for_url(re.compile(r"/households/\d+/$"))
    page.get_by_role("link", name="收入支出").click()
    shown = page.locator(".data-table")
    expect(shown).to_contain_text("种植 玉米")
    expect(shown).to_contain_text("9,000.25")
    expect(shown).to_contain_text("李秀英")
    expect(shown).to_contain_text("部门登记")
    expect(page.locator("body")).to_contain_text("13,500 元")
    assert page.evaluate("document.documentElement.scrollWidth") == 360
