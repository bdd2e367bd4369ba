"""A card entered on a phone, interrupted in every way a phone knows, loses nothing."""

import io
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urljoin

import pytest
from django.core.management import call_command
from playwright.sync_api import Page, expect

from households.models import CardDraft, Household
from households.services.cards import save_card
from tests.browser.test_enter_card import add, answer, facts, member
from tests.conftest import login
from tests.factories import id_number
from tests.households.cards import a_card
from tests.personas import People

pytestmark = pytest.mark.browser

Browse = Callable[..., Page]
PHONE = {"width": 360, "height": 740}


@pytest.fixture
def browse_phone(browse: Browse, people: People) -> Browse:
    call_command("load_index_default", stdout=io.StringIO())
    return lambda user: browse(user, **PHONE)


def state(page: Page, text: str) -> None:
    expect(page.locator("[data-saved-state]")).to_contain_text(text, timeout=15_000)


def phone_holds(page: Page) -> str:
    """Everything of drafts in this browser's storage, as text."""
    return page.evaluate(
        "JSON.stringify(Object.entries(localStorage).filter(([name]) => name.startsWith('card-draft:')))"
    )


def names(page: Page) -> list[str]:
    return [box.input_value() for box in page.locator("[data-member] [data-attribute=name]").all()]


def test_a_card_interrupted_by_reload_another_phone_and_a_lost_net_is_saved_once(
    browse_phone: Browse, people: People
) -> None:
    page = browse_phone(people.fengming_cadre)
    page.goto("/households/new/")
    page.locator("[data-attribute=group]").fill("3组")
    page.locator("[data-attribute=year]").fill("2019")
    facts(member(page, 0, "张建华", id_number("19700203", "男"), "户主"), education="初中", school="非在校生")
    page.locator("[name=wage_income]").fill("很多")
    state(page, "草稿已存到服务器")

    page.reload()
    state(page, "已恢复")
    assert names(page) == ["张建华"]
    expect(page.locator("[name=wage_income]")).to_have_value("很多")
    add(page)
    facts(member(page, 1, "李秀英", id_number("19720315", "女"), "配偶"), education="小学", school="非在校生")
    state(page, "草稿已存到服务器")
    page.close()

    page = browse_phone(people.fengming_cadre)  # another phone of the same cadre
    page.goto("/")
    page.get_by_role("link", name="户卡草稿还没有提交").click()
    expect(page.locator(".draft-line")).to_contain_text("张建华")
    page.get_by_role("link", name="继续").click()
    state(page, "已恢复")
    assert names(page) == ["张建华", "李秀英"]

    page.context.set_offline(True)
    add(page)
    facts(member(page, 2, "张小明", id_number("20080601", "男"), "之子"), education="小学", school="初中")
    state(page, "网络不通，已存在本机")
    assert "张小明" not in phone_holds(page) and len(json.loads(phone_holds(page))) == 1
    page.get_by_role("button", name="保存户卡").click()
    expect(page.locator("#toasts")).to_contain_text("还没有提交")
    context = page.context
    page.close()  # the tab dies while the phone has no net

    context.set_offline(False)
    page = context.new_page()
    page.goto("/households/new/")
    page.locator("[data-local]").get_by_role("button", name="继续").click()
    assert names(page) == ["张建华", "李秀英", "张小明"]
    state(page, "草稿已存到服务器")
    assert json.loads(phone_holds(page)) == []

    add(page)
    facts(
        member(page, 3, "王桂英", id_number("19450801", "女"), "之母"),
        education="小学",
        school="非在校生",
        health="长期慢性病",
    )
    page.locator("[name=wage_income]").fill("12000")
    page.get_by_role("button", name="保存户卡").dblclick()
    page.locator("[name=explain-all]").fill("上门时没有问到")
    page.get_by_role("button", name="保存户卡").dblclick()
    page.wait_for_url(re.compile(r"/households/\d+/$"))
    assert Household.objects.get().persons == 4
    assert CardDraft.objects.count() == 0
    assert json.loads(phone_holds(page)) == []


def test_a_lost_login_keeps_the_form_and_the_same_person_goes_on(browse_phone: Browse, people: People) -> None:
    page = browse_phone(people.fengming_cadre)
    page.goto("/households/new/")
    answer(page, "owns_car", "否")
    state(page, "草稿已存到服务器")
    page.context.clear_cookies(name="sessionid")
    page.locator("[data-attribute=group]").fill("7组")
    state(page, "登录已失效，内容已存在本机")
    expect(page.get_by_role("link", name="在新页登录")).to_be_visible()
    page.get_by_role("button", name="保存户卡").click()
    expect(page.locator("#toasts")).to_contain_text("还没有提交")

    sign_in(page, people.other_cadre)
    state(page, "另一个人")
    assert CardDraft.objects.exclude(owner=people.fengming_cadre).count() == 0

    sign_in(page, people.fengming_cadre)
    state(page, "草稿已存到服务器")
    assert ("group", "7组") in CardDraft.objects.get().controls


def sign_in(page: Page, user: Any) -> None:
    """As if somebody had signed in in another tab, and come back to this one."""
    session = login(user).cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": session, "url": urljoin(page.url, "/")}])
    page.evaluate("window.dispatchEvent(new Event('focus'))")


def test_two_browsers_on_one_card_meet_at_the_comparison(browse_phone: Browse, people: People) -> None:
    saved = save_card(card=a_card(), by=people.fengming_cadre)
    edit = f"/households/{saved.pk}/edit/"
    mine, theirs = browse_phone(people.fengming_cadre), browse_phone(people.fengming_team)
    for page in (mine, theirs):
        page.goto(edit)
    mine.locator("[name=pigs]").fill("7")
    mine.locator("[name=cattle]").fill("2")
    state(mine, "草稿已存到服务器")
    mine.close()
    theirs.locator("[name=pigs]").fill("9")
    theirs.locator("[name=group]").fill("9组")
    theirs.get_by_role("button", name="保存户卡").click()
    theirs.wait_for_url(re.compile(r"/households/\d+/$"))
    theirs.goto("/households/drafts/")
    expect(theirs.locator("#drafts")).to_contain_text("没有未提交的草稿")

    mine = browse_phone(people.fengming_cadre)
    mine.goto("/households/drafts/")
    expect(mine.locator(".draft-line")).to_contain_text("保存时逐项核对")
    mine.get_by_role("link", name="继续").click()
    state(mine, "已恢复")
    mine.get_by_role("button", name="保存户卡").click()
    conflict = mine.get_by_role("alert")
    expect(conflict).to_contain_text("凤鸣村工作队员")
    versus = mine.locator("[data-choice]")
    expect(versus).to_have_count(1)
    expect(versus).to_contain_text("生猪存栏")
    versus.get_by_label(re.compile("对方填的")).check()
    mine.get_by_role("button", name="保存户卡").click()
    mine.wait_for_url(re.compile(r"/households/\d+/$"))
    saved.refresh_from_db()
    sheet = saved.sheets.get()
    assert (sheet.pigs, sheet.cattle, saved.group) == (9, 2, "9组")
    assert CardDraft.objects.count() == 0
