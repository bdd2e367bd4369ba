"""One village from workbook to posted list: every person does her part at her own screen, from the first page on.

The county brings the workbook and the cadres, recomputes and matches; the village drafts its list and the work team
posts it; a villager reads it and checks the checksum; the county's system reads over REST; the city walks down the map;
the inspector sees everything and changes nothing. A worker does what is long.
"""

import hashlib
import io
import re
from pathlib import Path

import pytest
from django.core.management import call_command
from playwright.sync_api import Page, expect

from households.models import Household, IndexRun
from supervision.models import PublicityList
from tests.api import program
from tests.personas import FENGMING, TAOYUAN

pytestmark = pytest.mark.browser
ROOT = Path(__file__).parents[2]
CARDS = ROOT / "households/reference/sample_cards.xlsx"
CADRES = ROOT / "cadres/reference/demo_cadres.xlsx"
LONG = 60_000  # milliseconds a worker may take


def go_to(page: Page, entry: str) -> None:
    """By the navigation, as a person goes: the rail, or what is under its "more"."""
    page.goto("/")
    link = page.locator("nav.rail").get_by_role("link", name=entry, exact=True)
    if not link.is_visible():
        page.locator("nav.rail .rail-more summary").click()
    link.click()


def test_from_workbook_to_posted_list(people, browse, worker):
    call_command("load_index_default", stdout=io.StringIO())
    county = browse(people.taoyuan_office)

    go_to(county, "导入")
    county.get_by_role("link", name="导入工作簿").first.click()
    county.locator("input[type=file]").set_input_files(CARDS)
    county.get_by_label("首次建库").check()
    county.get_by_role("button", name="上传并检查").click()
    accept = county.get_by_role("button", name=re.compile("确认入库 108 户"))
    accept.click(timeout=LONG)
    expect(county.get_by_role("link", name="查看户卡")).to_be_visible(timeout=LONG)
    assert Household.objects.count() == 108

    go_to(county, "识别测算")
    county.get_by_role("button", name="重新测算桃源县").click()
    expect(county.locator("p.checksum")).to_have_text(re.compile("^[0-9a-f]{64}$"), timeout=LONG)
    assert IndexRun.objects.get(kind="run").households == 108

    go_to(county, "干部")
    county.get_by_role("link", name="导入干部").first.click()
    county.get_by_label("干部工作簿").set_input_files(CADRES)
    county.get_by_role("button", name="检查并导入").click()
    expect(county.locator(".tile", has_text="新建")).to_contain_text("29")
    county.goto("/cadres/plans/new/")
    county.get_by_role("button", name="开始匹配").click()
    county.get_by_role("link", name="第 1 号").click(timeout=LONG)
    expect(county.locator(".tile", has_text="与上界之差")).to_contain_text("0")

    cadre = browse(people.fengming_cadre)
    go_to(cadre, "户卡")
    cadre.locator("td.cell-lead a").first.click()
    expect(cadre.get_by_text("缺失的标准").first).to_be_visible()
    go_to(cadre, "公示")
    cadre.get_by_role("button", name="拟定 2019 年度名单").click()
    draft = cadre.url

    team = browse(people.fengming_team)
    team.goto("/")
    team.get_by_role("link", name=re.compile("核对并张贴")).click()
    assert team.url == draft
    team.get_by_role("button", name="公示这份名单").click()
    checksum = team.locator("p.checksum").inner_text()

    villager = browse(None, width=360)
    villager.goto(f"/p/{PublicityList.objects.get().public_id}/")
    with villager.expect_download() as download:
        villager.get_by_role("link", name="下载名单原文").click()
    assert hashlib.sha256(Path(download.value.path()).read_bytes()).hexdigest() == checksum

    system = program(people.county_system)
    assert len(system.get("/api/v1/results/?year=2019&page_size=200").json()["results"]) == 108
    assert [row["sha256"] for row in system.get("/api/v1/lists/").json()["results"]] == [checksum]

    city = browse(people.city_office)
    go_to(city, "全域")
    for name in ("桃源县", "热市镇", "凤鸣村"):
        city.locator("td.cell-lead").get_by_role("link", name=name).click()
    city.locator(".tile", has_text="户卡").first.click()
    expect(city.locator("table.data-table tbody tr").first).to_contain_text("凤鸣村")

    inspector = browse(people.inspector)
    go_to(inspector, "公示")
    inspector.get_by_role("link", name=re.compile("凤鸣村")).first.click()
    expect(inspector.locator("p.checksum")).to_have_text(checksum)
    assert inspector.get_by_role("button", name=re.compile("公示|拟定|测算")).count() == 0
    assert (FENGMING // 10**6 * 10**6, inspector.locator("nav.rail").get_by_role("link", name="识别测算").count()) == (
        TAOYUAN,
        0,
    )
