"""An office imports cadres, has them matched in the background and reads why; a village corrects its need."""

from pathlib import Path

import pytest

from tests.browser.test_look import STUMBLES, too_wide
from tests.factories import make_household
from tests.personas import FENGMING, OTHER_VILLAGE

DEMO = Path(__file__).parents[2] / "cadres" / "reference" / "demo_cadres.xlsx"


def test_from_workbook_to_plan(people, browse, worker):
    for _number in range(3):
        make_household(FENGMING, status="registered", main_cause="缺水", members=3)
        make_household(OTHER_VILLAGE, status="registered", main_cause="因学", members=2)
    page = browse(people.city_office)
    page.goto("/cadres/")
    page.get_by_role("link", name="导入干部").first.click()
    page.get_by_label("干部工作簿").set_input_files(DEMO)
    page.get_by_role("button", name="检查并导入").click()
    assert page.locator(".tile", has_text="新建").inner_text().endswith("60")
    page.goto("/cadres/plans/new/")
    page.get_by_role("button", name="开始匹配").click()
    page.get_by_role("link", name="第 1 号").click(timeout=30_000)  # a worker does it
    assert page.locator(".tile", has_text="与上界之差").inner_text().endswith("0")
    page.get_by_text("为什么是这个人").first.click()
    assert page.get_by_text("技能对应村需求").first.is_visible()


@pytest.mark.parametrize("width", [1280, 360])
def test_the_pages_fit_the_screen_and_name_their_controls(people, browse, width):
    make_household(FENGMING, status="registered", main_cause="缺水", members=3)
    page = browse(people.taoyuan_office, width=width)
    page.goto("/cadres/needs/")
    page.get_by_role("button", name="重新测算").click()
    for path in ("/cadres/", "/cadres/import/", "/cadres/plans/", "/cadres/plans/new/", f"/cadres/needs/{FENGMING}/"):
        page.goto(path)
        assert (too_wide(page), page.evaluate(STUMBLES)) == (0, []), path


def test_a_village_corrects_its_need_on_a_phone(people, browse):
    make_household(FENGMING, status="registered", main_cause="缺水", members=3)
    office = browse(people.reshi_officer)
    office.goto("/cadres/needs/")
    office.get_by_role("button", name="重新测算").click()
    page = browse(people.fengming_cadre, width=360)
    page.goto(f"/cadres/needs/{FENGMING}/")
    for box in page.locator("#correct input[type=number]").all():
        box.fill("")
    page.get_by_label("教育").fill("100")
    page.get_by_label("修正理由").fill("学校缺老师")
    page.get_by_role("button", name="保存修正").click()
    assert page.get_by_text("学校缺老师").is_visible()
    page.get_by_role("button", name="撤回修正").click()
    assert page.get_by_text("学校缺老师").count() == 0
