"""A township officer brings a workbook, reviews it, keeps one household out, has it written and takes it back."""

import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from households.models import Household, Sheet
from tests.households.card_workbooks import workbook_of
from tests.households.cards import a_member
from tests.households.test_import_cards import bring, family, with_members
from tests.personas import People

pytestmark = pytest.mark.browser


def test_an_officer_imports_reviews_leaves_one_out_writes_and_undoes(
    browse: Callable[..., Page], people: People, worker: object, tmp_path: Path
) -> None:
    bring(workbook_of(family()), by=people.reshi_officer)
    changed = family(sheet={"wage_income": Decimal(5000)})
    others = [
        with_members(family(f"4307251032029000{serial}"), a_member(name, birth=f"19{serial}00101"))
        for serial, name in ((5, "张五"), (6, "张六"))
    ]
    file = tmp_path / "热市镇.xlsx"
    file.write_bytes(workbook_of(changed, *others).getvalue())

    page = browse(people.reshi_officer, width=360, height=740)
    page.goto("/imports/")
    page.get_by_role("link", name="导入工作簿").first.click()
    page.locator("[name=file]").set_input_files(file)
    page.get_by_role("button", name="上传并检查").click()
    confirm = page.get_by_role("button", name=re.compile("确认入库 3 户"))
    expect(confirm).to_be_visible(timeout=30_000)
    assert page.evaluate("document.documentElement.scrollWidth") == 360

    page.get_by_role("link", name=re.compile("^有变化")).click()
    page.get_by_role("link", name="张建华").click()
    expect(page.locator("table.changes")).to_contain_text("工资性收入")
    expect(page.locator("table.changes ins")).to_have_text("5,000 元")
    page.get_by_role("link", name="热市镇.xlsx").click()

    page.get_by_role("link", name=re.compile("^新增")).click()
    page.get_by_label("选择 张六").check()
    page.get_by_role("button", name="不入库", exact=True).click()
    page.get_by_role("button", name=re.compile("确认入库 2 户")).click()
    expect(page.get_by_role("link", name="查看户卡")).to_be_visible(timeout=30_000)
    assert Household.objects.count() == 2
    assert Sheet.objects.filter(wage_income=5000).count() == 1

    page.get_by_role("link", name=re.compile("撤销这批导入")).click()
    page.get_by_role("button", name="撤销全部 2 户").click()
    expect(page.get_by_text(re.compile("撤销，恢复 2 户"))).to_be_visible(timeout=30_000)
    assert Household.objects.count() == 1
    assert not Sheet.objects.filter(wage_income=5000).exists()
