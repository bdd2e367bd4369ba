"""The desk of leads by keys, on a phone and without script: cars of other people of the same name are dismissed."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from households.models import Finding
from tests.conftest import login
from tests.factories import make_household
from tests.households.test_lead_cases import found
from tests.personas import FENGMING, People

pytestmark = pytest.mark.browser
REASON = "登记的是同名的另一个人"


@pytest.fixture
def cars(people: People) -> list[Finding]:
    heads = ("欧阳一", "欧阳二", "欧阳三")
    return [found(make_household(FENGMING, head=head), "vehicle", "private_car", cars=1) for head in heads]


def decisions() -> list[str]:
    return sorted(Finding.objects.values_list("decision", flat=True))


def dismiss(page: Page) -> None:
    page.get_by_label("结论的依据").fill(REASON)
    page.get_by_label(re.compile("^不需走访的理由")).fill("车管所已出具证明")
    page.get_by_role("button", name=re.compile("^都不属实")).click()
    expect(page.get_by_role("status").filter(has_text="已一起办结：不属实")).to_be_visible()


def test_j_k_x_and_b_choose_and_enter_opens(browse: Callable[..., Page], people: People, cars: list[Finding]) -> None:
    page = browse(people.reshi_officer)
    page.goto("/leads/")
    expect(page.get_by_text("一起办", exact=False).first).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("x")  # off again
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator("input[data-select]:checked")).to_have_count(2)
    expect(page.locator("[data-selection]")).to_be_in_viewport()
    page.locator("input[data-select]").nth(1).click()  # the box has the focus, the keys go on
    page.keyboard.press("x")
    page.keyboard.press("b")
    expect(page.locator("input[name=lead]:checked")).to_have_count(2)
    dismiss(page)
    assert decisions() == ["", "dismissed", "dismissed"]
    page.keyboard.press("u")
    expect(page.get_by_text("2 条线索重新待办")).to_be_visible()
    assert decisions() == ["", "", ""]
    page.get_by_label("选中本页").click()
    page.keyboard.press("b")
    expect(page.locator("input[name=lead]:checked")).to_have_count(3)
    page.go_back()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/leads/\d+/"))


def test_on_a_phone_an_open_case_stands_alone_and_ticked_ones_are_at_hand(
    browse: Callable[..., Page], people: People, cars: list[Finding]
) -> None:
    page = browse(people.reshi_officer, width=360, height=740)
    page.goto("/leads/?kind=vehicle")
    page.locator(".queue a").first.click()
    expect(page.get_by_role("heading", level=2).first).to_be_in_viewport()
    expect(page.locator(".desk-queue")).to_be_hidden()
    page.get_by_role("link", name="回到线索核查").click()
    page.get_by_label("选中本页").check()
    expect(page.get_by_role("button", name=re.compile("^一起办理"))).to_be_in_viewport()
    page.get_by_role("button", name=re.compile("^一起办理")).click()
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    page.get_by_label("欧阳二").uncheck()
    dismiss(page)
    assert decisions() == ["", "dismissed", "dismissed"]
    assert page.url.endswith("/leads/?kind=vehicle")


def test_without_script_boxes_and_a_button_do_the_same(
    chromium: Any, server: str, people: People, cars: list[Finding]
) -> None:
    context = chromium.new_context(base_url=server, java_script_enabled=False, locale="zh-CN")
    session = login(people.reshi_officer).cookies["sessionid"]
    context.add_cookies([{"name": "sessionid", "value": session.value, "url": server}])
    page = context.new_page()
    page.goto("/leads/")
    page.get_by_label("选择 欧阳一").check()
    page.get_by_label("选择 欧阳三").check()
    page.get_by_role("button", name="一起办理选中的").click()
    dismiss(page)
    page.get_by_role("button", name="全部撤销").click()
    page.get_by_role("link", name="本页全部一起办理").click()
    expect(page.locator("input[name=lead]:checked")).to_have_count(3)
    dismiss(page)
    assert decisions() == ["dismissed"] * 3
    context.close()
