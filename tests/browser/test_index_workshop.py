"""The county office copies the city's default, gets a weight wrong, sees it at once, mends it and keeps the draft."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from households.models import IndexVersion
from households.services import index_versions
from tests.households import golden
from tests.personas import People

pytestmark = pytest.mark.browser


def test_the_county_copies_the_default_mends_a_weight_and_keeps_the_draft(
    browse: Callable[..., Page], people: People
) -> None:
    default = index_versions.draft_version(division=None, system=golden.DEFAULTS[2019], by=None)
    index_versions.release_version(version=default, by=None)
    page = browse(people.taoyuan_office, width=360, height=740)
    page.goto("/")
    page.locator(".tabbar summary").click()
    page.locator(".tabbar").get_by_role("link", name="识别标准").click()
    page.get_by_role("button", name="照此起草").click()

    weight = page.locator("[name='dimensions.1.indicators.0.weight']")
    weight.fill("0.3")
    bar = page.locator(".decision-bar [data-weight-sum]")
    expect(bar).to_have_text("权重合计 1.2375，多了 0.2375")
    weight.press("Enter")  # shows what is typed again, saves nothing
    page.get_by_role("button", name="保存草稿").click()
    expect(page.locator(".error-summary")).to_contain_text("各项权重之和应为 1，现为 1.2375")
    expect(page.locator("#n-dimensions > .field-error")).to_contain_text("各项权重之和应为 1")
    expect(weight).to_have_value("0.3")
    assert page.evaluate("document.documentElement.scrollWidth") == 360

    page.get_by_role("button", name="改条件 住房面积").press("Enter")
    item = page.get_by_role("combobox", name="户卡的一项")
    item.wait_for()
    expect(page.locator(".htmx-settling, .htmx-added")).to_have_count(0)  # the focus comes last
    item.fill("rhllx")  # initials: 入户路类型
    item.press("Enter")
    page.get_by_label("泥土路").check()
    weight.fill("1/16")
    expect(bar).to_have_text("权重合计 1")
    page.get_by_role("button", name="保存草稿").click()
    page.wait_for_url(re.compile(r"/index/\d+/$"))
    expect(page.locator("body")).to_contain_text("入户路类型为 泥土路")
    expect(page.locator(".index-side")).to_contain_text("住房面积低于 13 × 计入家庭人口")
    draft = IndexVersion.objects.get(division__isnull=False)
    assert (draft.state, draft.unfinished, draft.changed_by) == ("draft", None, people.taoyuan_office)
