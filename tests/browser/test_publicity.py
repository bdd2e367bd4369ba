"""A list from draft to poster, an objection from a phone to its answer, and the second list of the township."""

import hashlib
from datetime import timedelta
from pathlib import Path
from urllib.request import urlopen

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from supervision.models import PublicityList
from supervision.services import lists
from supervision.services.objections import new_form_key, raise_objection
from tests.browser.test_look import STUMBLES, too_wide
from tests.supervision.conftest import YEAR, make_village

pytestmark = pytest.mark.browser


@pytest.fixture
def village(people):
    return make_village()


def posted(people, village) -> PublicityList:
    draft = lists.draft_first_list(village=village.division, year=YEAR, by=people.fengming_cadre)
    return lists.post(publicity_list=draft, by=people.fengming_team)


def test_from_draft_to_poster_objection_and_answer(people, browse, village, server, tmp_path):
    cadre = browse(people.fengming_cadre)
    cadre.goto("/lists/")
    cadre.get_by_role("button", name="拟定 2019 年度名单").click()
    expect(cadre.get_by_text("有疑点，待核实")).to_be_visible()
    row = cadre.locator("tr", has_text="李四")
    row.locator("summary").click()
    row.get_by_label("不列入的原因").fill("全家已迁到县城")
    row.get_by_role("button", name="确认不列入").click()
    cadre.locator("tr", has_text="李四").get_by_role("button", name="重新列入").click()
    assert cadre.get_by_role("button", name="公示这份名单").count() == 0
    expect(cadre.get_by_text("请另一位同志办理")).to_be_visible()

    team = browse(people.fengming_team)
    team.goto(cadre.url)
    team.get_by_role("button", name="公示这份名单").click()
    expect(team.get_by_text("名单已公示")).to_be_visible()
    checksum = team.locator("p.checksum").inner_text()
    team.get_by_role("link", name="打印海报").click()
    expect(team.locator(".qr svg")).to_be_visible()
    expect(team.get_by_text(checksum)).to_be_visible()
    assert "张建华" not in team.content()
    team.wait_for_load_state("networkidle")  # its own style sheet
    team.pdf(path=tmp_path / "poster.pdf", prefer_css_page_size=True)
    assert (tmp_path / "poster.pdf").read_bytes().count(b"/Type /Page\n") <= 1

    villager = browse(None, width=360)
    villager.goto("/p/")
    villager.get_by_label("村、乡镇或县的名字").fill("凤鸣")
    villager.get_by_role("button", name="查找").click()
    villager.get_by_role("link", name="凤鸣村").click()
    expect(villager.get_by_text("张*华")).to_be_visible()
    with villager.expect_download() as download:
        villager.get_by_role("link", name="下载名单原文").click()
    file = Path(download.value.path())
    assert hashlib.sha256(file.read_bytes()).hexdigest() == checksum
    villager.get_by_role("link", name="我要提意见").click()
    villager.get_by_label("您要说的是哪一户").select_option(label="第 2 号 张*华（1组）不该列入")
    villager.get_by_label("您的意见").fill("他家在镇上有门面。")
    villager.get_by_label("您的电话").fill("13812345678")
    villager.get_by_role("button", name="提交意见").click()
    code = villager.locator("#code").inner_text()

    cadre.reload()
    expect(cadre.get_by_text("第 2 号户")).to_be_visible()
    assert "门面" not in cadre.content()

    people.reshi_officer.set_password("shaoyang-2019")
    people.reshi_officer.save()
    officer = browse(people.reshi_officer)
    officer.goto("/objections/")
    officer.locator(".queue a").first.click()
    expect(officer.get_by_text("他家在镇上有门面。")).to_be_visible()
    assert "13812345678" not in officer.content()
    officer.get_by_role("link", name="显示（会留下记录）").click()
    officer.get_by_label("密码").fill("shaoyang-2019")
    officer.get_by_role("button", name="确认身份").click()
    expect(officer.get_by_text("13812345678")).to_be_visible()
    officer.get_by_label("核实情况").fill("到户看过，门面是租的。")
    officer.get_by_role("button", name="记下核实情况").click()
    officer.get_by_label("答复").fill("门面是租的，收入已计入。")
    officer.get_by_role("button", name="异议不成立").click()
    expect(officer.get_by_text("已答复：异议不成立")).to_be_visible()

    villager.get_by_role("link", name="凭查询码看处理情况").click()
    villager.get_by_label("查询码").fill(code.lower().replace("-", ""))
    villager.get_by_role("button", name="查询").click()
    expect(villager.get_by_text("门面是租的，收入已计入。")).to_be_visible()


def test_the_township_drafts_and_posts_the_second_list(people, browse, village):
    for user in (people.fengming_cadre, people.fengming_team):
        _ = user.open_posts  # read today: their posts began today
    with time_machine.travel(timezone.now() - timedelta(days=10)):
        first = posted(people, village)
    stranger = browse(None)
    stranger.goto(reverse("public:list", args=[first.public_id]))
    expect(stranger.get_by_text("名单不再显示")).to_be_visible()
    assert "张*华" not in stranger.content()

    officer, other = browse(people.reshi_officer), browse(people.reshi_second)
    officer.goto(f"/lists/{first.pk}/")
    officer.get_by_role("button", name="拟定第二次公示名单").click()
    expect(officer.get_by_text("请另一位同志办理")).to_be_visible()
    other.goto(officer.url)
    other.get_by_role("button", name="公示这份名单").click()
    other.get_by_role("link", name="看公开页面").click()
    expect(other.get_by_text("第二次公示（乡镇级）")).to_be_visible()
    expect(other.get_by_text("张*华")).to_be_visible()


@pytest.mark.parametrize("width", [1280, 360])
def test_the_pages_fit_the_screen_and_name_their_controls(people, browse, village, width):
    first = posted(people, village)
    draft = lists.correct(publicity_list=first, reason="小组写错", by=people.fengming_cadre)
    raised = raise_objection(
        publicity_list=first, about="listed", position=1, text="他家有车。", contact="13812345678", key=new_form_key()
    )
    public = [
        reverse("public:index"),
        reverse("public:track"),
        *(reverse(f"public:{name}", args=[first.public_id]) for name in ("list", "poster", "object")),
    ]
    office = ["/lists/", f"/lists/{first.pk}/", f"/lists/{draft.pk}/"]
    desk = ["/objections/", f"/objections/{raised.objection.pk}/", f"/objections/{raised.objection.pk}/contact/"]
    for user, paths in ((None, public), (people.fengming_cadre, office), (people.reshi_officer, office + desk)):
        page = browse(user, width=width)
        for path in paths:
            page.goto(path)
            assert (too_wide(page), page.evaluate(STUMBLES)) == (0, []), path


def test_a_public_page_is_light(people, browse, village, server):
    """Under 100 KB of page and own style, for the cheapest phone; the framework's sheet is cached and compressed."""
    first = posted(people, village)
    with urlopen(server + reverse("public:list", args=[first.public_id])) as answer:
        assert len(answer.read()) < 30_000
