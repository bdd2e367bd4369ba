"""A county takes its own standard from the city's default to the figures, and an officer one lead to its decision.

The county office copies the default, gets a weight wrong, mends it, tries it and proposes it; a second person releases
it and recomputes; the map names the version it was counted by; the township's officer visits a household, takes a wrong
decision back and decides.
"""

import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command
from playwright.sync_api import Page, expect

from households.models import Finding, IndexVersion, Result
from tests.browser.test_slice import CARDS, LONG, go_to
from tests.personas import People

pytestmark = pytest.mark.browser


def test_from_the_default_to_the_county_s_own_standard_and_a_decided_lead(
    browse: Callable[..., Page], people: People, worker: Any
) -> None:
    call_command("load_index_default", stdout=io.StringIO())
    call_command("import_cards", str(CARDS), initial=True, stdout=io.StringIO(), stderr=io.StringIO())

    office = browse(people.taoyuan_office)
    go_to(office, "识别标准")
    office.get_by_role("row", name=re.compile("^2019 ")).get_by_role("button", name="照此起草").click()
    weight = office.locator("[name='dimensions.1.indicators.0.weight']")
    weight.fill("1/8")
    expect(office.locator(".decision-bar [data-weight-sum]")).to_have_text("权重合计 1.0625，多了 0.0625")
    office.get_by_role("button", name="保存草稿").click()
    expect(office.locator(".error-summary")).to_contain_text("各项权重之和应为 1，现为 1.0625")
    office.locator("[name='dimensions.0.indicators.0.weight']").fill("3/16")
    office.get_by_role("button", name="保存草稿").click()
    office.get_by_role("link", name="去试算").click()
    office.get_by_role("button", name="开始试算").click()
    expect(office.get_by_role("heading", name="谁会变")).to_be_visible(timeout=LONG)
    office.get_by_role("link", name="去提请发布").click()
    office.get_by_role("button", name="提请发布").click()
    expect(office.get_by_text("已提请，等另一人核对发布。")).to_be_visible()

    second = browse(people.taoyuan_second)
    second.goto("/")
    second.locator(".tasks").get_by_role("link", name=re.compile("识别标准")).click()
    second.get_by_role("button", name="核对无误，发布").click()
    second.get_by_role("link", name="现在重新测算").click()
    second.get_by_role("button", name="重新测算桃源县").click()
    expect(second.locator("p.checksum")).to_have_text(re.compile("^[0-9a-f]{64}$"), timeout=LONG)
    version = IndexVersion.objects.get(division=people.taoyuan_office.open_posts[0].division)
    assert Result.objects.filter(version=version).count() == 108
    go_to(second, "全域")
    expect(second.locator("main")).to_contain_text(str(version))

    officer = browse(people.reshi_officer, width=360, height=740)
    officer.goto("/")
    officer.get_by_role("link", name=re.compile("走访核查")).click()
    officer.locator(".queue a").first.click()
    case = officer.url
    officer.locator("[name=note]").fill("房屋漏雨，老人独居")
    officer.locator("[name=answer]").fill("去年摔伤后没有收入")
    officer.get_by_role("button", name="保存走访情况").click()
    expect(officer.get_by_text("农户说：去年摔伤后没有收入")).to_be_visible()
    assert officer.evaluate("document.documentElement.scrollWidth") == 360

    officer.locator("[name=reason]").fill("看错了户")
    officer.get_by_role("button", name=re.compile("^不属实")).click()
    expect(officer.get_by_role("status").filter(has_text="已办结")).to_be_visible()
    assert officer.url != case  # the next came by itself
    officer.get_by_role("button", name="撤销").click()
    officer.wait_for_url(case)
    officer.locator("[name=reason]").fill("入户核实，收入属实")
    officer.get_by_role("button", name=re.compile("^属实")).click()
    expect(officer.get_by_role("status").filter(has_text="已办结")).to_be_visible()
    decided = Finding.objects.of_leads().get(decision="confirmed")
    assert (decided.decided_by, decided.answer) == (people.reshi_officer, "去年摔伤后没有收入")
