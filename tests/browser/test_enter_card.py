"""A village cadre enters a card of four members from nothing, on a phone."""

import io
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command
from playwright.sync_api import Page, expect

from households.domain import id_number as id_rules
from households.domain import income
from households.models import Household, MemberSheet
from tests.factories import id_number
from tests.personas import People

pytestmark = pytest.mark.browser

ZERO = ("property_income", "family_planning", "dibao", "wubao", "ecological_compensation", "other_transfer")


def member(page: Page, index: int, name: str, number: str, relation: str) -> Any:
    """Open the member's row, type name and number once, choose the relation."""
    row = page.locator("[data-member]").nth(index)
    row.locator("[data-attribute=name]").fill(name)
    row.locator("[data-attribute=id_number]").fill(number)
    row.locator("[data-attribute=relation]").select_option(relation)
    return row


def answer(row: Any, name: str, value: str) -> None:
    row.locator(f"[data-attribute={name}][value='{value}']").check()


def facts(row: Any, *, education: str, school: str, labour: str = "", health: str = "健康") -> None:
    row.locator("[data-attribute=education]").select_option(education)
    row.locator("[data-attribute=school_status]").select_option(school)
    answer(row, "health", health)
    if labour:
        row.locator("[data-attribute=labour]").select_option(labour)
    answer(row, "residents_insurance", "是")
    answer(row, "employees_insurance", "否")


def add(page: Page) -> None:
    page.get_by_role("button", name="添加成员").click()


@pytest.fixture
def form(browse: Callable[..., Page], people: People) -> Page:
    call_command("load_index_default", stdout=io.StringIO())
    page = browse(people.fengming_cadre, width=360, height=740)
    page.goto("/households/new/")
    return page


def test_a_card_of_four_members_is_entered_from_nothing(form: Page) -> None:
    page = form
    page.locator("[data-attribute=group]").fill("3组")
    page.locator("[data-attribute=address]").fill("凤鸣村3组12号")
    page.locator("[data-attribute=year]").fill("2019")
    page.locator("[data-attribute=attribute]").select_option("一般农户")

    head = member(page, 0, "张建华", id_number("19700203", "男"), "户主")
    expect(head.locator("[data-attribute=birth_date]")).to_have_value("1970-02-03")
    expect(head.locator("[data-attribute=sex][value='男']")).to_be_checked()
    expect(head.locator("[data-id-verdict]")).to_contain_text("49 岁")
    facts(head, education="初中", school="非在校生", labour="普通劳动力")
    add(page)
    wife = member(page, 1, "李秀英", id_number("19720315", "女"), "配偶")
    facts(wife, education="小学", school="非在校生", labour="普通劳动力")
    add(page)
    son = member(page, 2, "张小明", id_number("20080601", "男"), "之子")
    facts(son, education="小学", school="初中")
    add(page)
    mother = member(page, 3, "王桂英", id_number("19450801", "女"), "之母")
    facts(mother, education="小学", school="非在校生", labour="无劳动力", health="长期慢性病")

    page.locator("[name=wage_income]").fill("12,000.50")
    page.locator("[name=business_income]").fill("5000")
    page.locator("[name=pension]").fill("1440")
    page.locator("[name=production_expenses]").fill("1000")
    page.get_by_role("button", name="其余没有的收支都填 0").click()
    expect(page.locator("[name=other_transfer]")).to_have_value("0")
    expect(page.locator("[data-live-short]")).to_contain_text("4,360.13")
    expect(page.locator("[data-live-verdict]")).to_contain_text("3,218")

    page.get_by_role("button", name="保存户卡").click()
    page.wait_for_url(re.compile(r"/households/\d+/$"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("张建华")
    expect(page.locator(".notices")).to_contain_text("保存")

    saved = Household.objects.get()
    sheet = saved.sheets.get()
    assert (saved.persons, str(sheet.net_income), str(sheet.per_capita_income)) == (4, "17440.50", "4360.13")
    assert MemberSheet.objects.filter(sheet=sheet, health=["长期慢性病"]).count() == 1


def test_errors_stand_at_their_fields_and_nothing_typed_is_lost(form: Page) -> None:
    page = form
    number = id_number("19700203", "男")
    wrong = number[:-1] + ("1" if number[-1] != "1" else "2")
    head = member(page, 0, "张建华", wrong, "户主")
    expect(head.locator("[data-id-verdict]")).to_contain_text("校验码不对")
    page.locator("[name=wage_income]").fill("很多")
    page.get_by_role("button", name="保存户卡").click()
    summary = page.locator(".error-summary")
    expect(summary).to_contain_text("工资性收入")
    expect(page.locator("[name=wage_income]")).to_have_value("很多")
    expect(page.locator("[data-attribute=name]").first).to_have_value("张建华")


def test_leaving_asks_nothing_because_the_draft_is_there(form: Page) -> None:
    page = form
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.locator("[data-attribute=group]").fill("3组")
    expect(page.locator("[data-saved-state]")).to_contain_text("草稿已存到服务器")
    page.goto("/households/")
    assert asked == []
    expect(page.get_by_role("link", name="草稿")).to_contain_text("1")


def test_the_page_is_no_wider_than_the_phone_and_the_button_in_reach(form: Page) -> None:
    page = form
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    box = page.get_by_role("button", name="保存户卡").bounding_box()
    assert box["y"] + box["height"] <= 740


NUMBERS = (
    "430725194309046431", "43072519720907004X", "４３０７２５１９７２０９０７００４x", "430725720907004",
    "430725000907996", "430725197202300011", "430725197209070041", "43072519720907", "abc", "", "110101184912310019",
)  # fmt: skip


def test_the_browser_reads_numbers_as_the_server_does(form: Page) -> None:
    for typed in NUMBERS:
        seen = form.evaluate("typed => window.changde.idNumber.read(typed)", typed)
        number = id_rules.parse(typed)
        assert (seen["state"] == "ok") == (number is not None), typed
        if number:
            assert (seen["number"], seen["birth"], seen["sex"]) == (
                number.number, number.birth_date.isoformat(), number.sex,
            )  # fmt: skip


@pytest.mark.parametrize(("wage", "costs"), [("10000", "1"), ("0.01", "0.02"), ("100", "333.33"), ("5", "5")])
def test_the_browser_rounds_as_the_server_does(form: Page, wage: str, costs: str) -> None:
    page = form
    for index, name in enumerate(("张建华", "李秀英", "张小明")):
        if index:
            add(page)
        page.locator(f"[name=members-{index}-name]").fill(name)
    page.locator("[name=wage_income]").fill(wage)
    page.locator("[name=production_expenses]").fill(costs)
    page.get_by_role("button", name="其余没有的收支都填 0").click()
    shown = page.locator("[data-live-value]").text_content().replace("−", "-").replace(",", "")
    net = income.to_fen(wage) - income.to_fen(costs)
    assert Decimal(shown) == income.to_yuan(income.per_capita(net, 3))
