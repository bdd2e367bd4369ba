"""The next year's sheet on a phone: last year's facts are confirmed section by section, long lists are searched."""

import io
import re
from collections.abc import Callable

import pytest
from django.core.management import call_command
from playwright.sync_api import Page, expect

from households.models import HouseholdNeed
from households.services.cards import save_card
from tests.households.cards import a_card
from tests.personas import People

pytestmark = pytest.mark.browser


def test_last_years_card_is_confirmed_by_sections_and_needs_are_named(
    browse: Callable[..., Page], people: People
) -> None:
    call_command("load_index_default", stdout=io.StringIO())
    household = save_card(card=a_card(), by=people.fengming_cadre)
    page = browse(people.fengming_cadre, width=360, height=740)
    page.goto(f"/households/{household.pk}/")
    page.get_by_role("link", name="填写 2020 年度表").click()
    expect(page.locator(".section-nav a[href='#housing'] .state-warning")).to_be_visible()

    page.locator("#housing").get_by_role("button", name="本节都没有变化").click()
    page.locator("[data-attribute=pigs]").fill("3")
    expect(page.locator("[name=still_pigs][value=changed]")).to_be_checked()
    page.locator("#members").get_by_role("button", name="本节都没有变化").click()

    wife = page.locator("[data-member]").nth(1)
    wife.locator("summary").click()
    ethnicity = wife.get_by_role("combobox", name="民族")
    ethnicity.fill("tj")
    expect(wife.locator(".choice-list:not([hidden]) [role=option]").first).to_have_text("土家族")
    ethnicity.press("ArrowDown")
    ethnicity.press("ArrowUp")
    ethnicity.press("Enter")
    expect(wife.locator("select[data-attribute=ethnicity]")).to_have_value("土家族")
    ethnicity.fill("不存在")
    expect(wife.locator(".choice-list:not([hidden]) .choice-none")).to_be_visible()
    ethnicity.press("Escape")
    expect(ethnicity).to_have_value("土家族")
    ethnicity.press("Alt+PageDown")
    expect(page.locator("#income-title")).to_be_focused()
    assert page.evaluate("document.documentElement.scrollWidth") == 360

    page.get_by_role("button", name="保存户卡").click()
    waiting = page.get_by_role("alert")
    expect(waiting).to_contain_text("上年的内容还没有确认")
    expect(waiting).not_to_contain_text("住房")
    page.get_by_role("button", name="这些按“未知”保存").click()
    expect(page.locator(".doubts")).to_be_visible()
    for sentence in page.locator(".doubts input[type=text]").all():
        sentence.fill("上门时没有问到")
    page.get_by_role("button", name="保存户卡").click()
    page.wait_for_url(re.compile(r"/households/\d+/$"))
    sheet = household.sheets.get(year=2020)
    assert (sheet.house_area, sheet.pigs, sheet.attribute, sheet.business_income) == (90, 3, "", None)
    assert household.memberships.get(relation="配偶").person.ethnicity == "土家族"

    page.get_by_role("link", name="填写诉求").click()
    page.locator("[name=house]").select_option("urgent")
    page.locator("[name=house_detail]").fill("后墙开裂")
    page.get_by_role("button", name="保存诉求").click()
    expect(page.locator(".main")).to_contain_text("后墙开裂")
    assert HouseholdNeed.objects.get().year == 2020


def test_needs_are_a_section_of_the_form_with_its_state_and_come_back_with_the_draft(
    browse: Callable[..., Page], people: People
) -> None:
    call_command("load_index_default", stdout=io.StringIO())
    household = save_card(card=a_card(), by=people.fengming_cadre)
    page = browse(people.fengming_cadre, width=360, height=740)
    page.goto(f"/households/{household.pk}/edit/")
    state = page.locator(".section-nav a[href='#needs'] .state")
    expect(state).to_have_text("空")
    page.get_by_label("安全饮水：说明").fill("井干了")
    expect(state).to_have_class(re.compile("state-warning"))
    expect(page.locator(".need-line .field-note")).to_contain_text("请选紧急程度")
    page.locator("[name=needs-water]").select_option("urgent")
    expect(state).to_have_class(re.compile("state-done"))
    expect(page.locator("[data-saved-state]")).to_contain_text("草稿已存到服务器", timeout=15_000)
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    page.reload()
    expect(page.get_by_label("安全饮水：说明")).to_have_value("井干了")
    page.get_by_role("button", name="保存户卡").click()
    page.wait_for_url(re.compile(r"/households/\d+/$"))
    expect(page.locator(".main")).to_contain_text("井干了")
    assert list(HouseholdNeed.objects.values_list("kind", "urgency")) == [("water", "urgent")]
