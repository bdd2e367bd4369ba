"""A village cadre enters a card of four members from nothing, on a phone."""

import io
import re
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.core.management import call_command
from playwright.sync_api import Page, expect

from households.domain import checks, income
from households.domain import id_number as id_rules
from households.domain.card import Card, HouseholdFacts, SheetFacts
from households.domain.card import Member as CardMember
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
    expect(page.locator(".doubts")).to_contain_text("住房面积没有填写")
    expect(page.locator(".field-doubt").first).to_be_attached()
    page.locator("[name=explain-all]").fill("上门时还没有丈量")
    page.get_by_role("button", name="保存户卡").click()
    page.wait_for_url(re.compile(r"/households/\d+/$"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("张建华")
    expect(page.locator(".notices")).to_contain_text("保存")

    saved = Household.objects.get()
    sheet = saved.sheets.get()
    assert (saved.persons, str(sheet.net_income), str(sheet.per_capita_income)) == (4, "17440.50", "4360.13")
    assert MemberSheet.objects.filter(sheet=sheet, health=["长期慢性病"]).count() == 1
    assert set(saved.findings.values_list("explanation", flat=True)) == {"上门时还没有丈量"}


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


def test_the_browser_rounds_as_the_server_does(form: Page) -> None:
    page = form
    for index, name in enumerate(("张建华", "李秀英", "张小明")):
        if index:
            add(page)
        page.locator(f"[name=members-{index}-name]").fill(name)
    page.get_by_role("button", name="其余没有的收支都填 0").click()
    for wage, costs in (("10000", "1"), ("0.01", "0.02"), ("100", "333.33"), ("5", "5")):
        page.locator("[name=wage_income]").fill(wage)
        page.locator("[name=production_expenses]").fill(costs)
        per_capita = income.to_yuan(income.per_capita(income.to_fen(wage) - income.to_fen(costs), 3))
        expect(page.locator("[data-live-value]")).to_have_text(f"{per_capita.normalize():,f}".replace("-", "−"))


def test_the_browser_notes_what_the_checks_find(form: Page) -> None:
    """Every relation against heads and members of many ages: the same notes, whoever looks."""
    births = ("1905-01-01", "1930-05-05", "1945-08-01", "1958-02-03", "1970-02-03", "1984-02-04", "2004-06-01")
    births += ("1995-02-03", "2012-10-01", "2019-12-01")
    relations = ("配偶", "之子", "之女", "之父", "之母", "之孙子", "之外孙女", "其他")
    noted = set(form.evaluate("JSON.parse(document.getElementById('card-rules').textContent).texts"))
    for head_birth in births:
        head = CardMember(name="甲", relation="户主", sex="男", birth_date=date.fromisoformat(head_birth))
        others = [
            CardMember(name="乙", relation=relation, sex=sex, birth_date=date.fromisoformat(birth))
            for relation in relations
            for sex in ("男", "女")
            for birth in births
        ]
        card = Card(HouseholdFacts(), SheetFacts(year=2019), (head, *others))
        found = {(each.check_id, each.member) for each in checks.run(card) if each.check_id in noted}
        told = [
            {"relation": each.relation, "sex": each.sex, "birth": each.birth_date.isoformat(), "number": ""}
            for each in card.members
        ]
        seen = form.evaluate("told => window.changde.memberNotes.find(told, 2019)", told)
        assert {(each["id"], each["member"]) for each in seen} == found


def test_what_does_not_fit_is_noted_at_once_and_does_not_block(form: Page) -> None:
    page = form
    page.locator("[data-attribute=year]").fill("2019")
    member(page, 0, "张建华", id_number("19700203", "男"), "户主")
    add(page)
    son = member(page, 1, "张小明", id_number("19800601", "男"), "之子")
    expect(son.locator("[data-note=child-age]")).to_contain_text("子女比户主小不到14岁")
    expect(son.locator("[data-member-notes]")).to_contain_text("1 处疑点")
    expect(page.locator(".section-nav a[href='#members'] .state-warning")).to_be_visible()
    own = son.locator("[data-attribute=id_number]").input_value()
    son.locator("[data-attribute=disability_certificate]").fill(f"{own}42")
    expect(son.locator("[data-attribute=disability_grade]")).to_have_value("二级")
    expect(son.locator("[data-attribute=health][value='残疾']")).to_be_checked()
    son.locator("[data-attribute=disability_certificate]").fill(f"{id_number('19800601', '男')}42")
    expect(son.locator("[data-note=disability-certificate]")).to_be_visible()
    son.locator("[data-attribute=id_number]").fill("430725720907004")
    expect(son.locator("[data-id-verdict]")).to_contain_text("430725197209070040")
    son.locator("[data-attribute=id_number]").fill("")
    expect(son.locator("[data-note=id-missing]")).to_be_visible()
    son.locator("[data-attribute=no_id_reason]").fill("户口未迁")
    expect(son.locator("[data-note=id-missing]")).to_have_count(0)


def test_members_change_places_and_a_removal_is_taken_back(form: Page) -> None:
    page = form
    page.locator("[data-attribute=year]").fill("2019")
    facts(member(page, 0, "张建华", id_number("19700203", "男"), "户主"), education="初中", school="非在校生")
    for at, (name, birth) in enumerate((("李秀英", "19720315"), ("张小丽", "19960601")), start=1):
        add(page)
        row = member(page, at, name, id_number(birth, "女"), "配偶" if at == 1 else "之女")
        facts(row, education="初中", school="非在校生")
        answer(row, "dibao", "否")
    rows = page.locator("[data-member]")
    rows.nth(2).get_by_role("button", name="上移").click()
    rows.nth(2).get_by_role("button", name="移出本户").click()
    expect(rows.nth(2)).to_contain_text("还可以撤销")
    rows.nth(2).get_by_role("button", name="撤销移出").click()
    rows.nth(2).locator("summary").click()
    expect(rows.nth(2).locator("summary")).to_contain_text("李秀英")
    expect(rows.nth(2).locator("summary")).to_contain_text("配偶 · 47 岁")
    page.get_by_role("button", name="保存户卡").click()
    page.locator("[name=explain-all]").fill("上门时没有问到")
    page.get_by_role("button", name="保存户卡").click()
    page.wait_for_url(re.compile(r"/households/\d+/$"))
    kept = Household.objects.get().memberships.order_by("position")
    assert [row.person.name for row in kept] == ["张建华", "张小丽", "李秀英"]
    assert set(MemberSheet.objects.exclude(person__name="张建华").values_list("dibao", flat=True)) == {False}
