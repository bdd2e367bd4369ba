"""Pages of cadres, needs and plans: what they say, to whom, and at what cost."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from cadres.models import Cadre, MatchPlan, VillageNeed
from cadres.services.needs import recompute_needs
from cadres.services.plans import propose_plan
from changde.audit.models import Event
from changde.jobs.models import Job
from changde.jobs.services import run_job
from households.models import Household
from tests.cadres.factories import make_cadre, make_posting, make_unit
from tests.factories import make_household
from tests.personas import CITY, FENGMING, OTHER_VILLAGE, RESHI, TAOYUAN, WULING, People

pytestmark = pytest.mark.django_db
DEMO = Path(__file__).parents[2] / "cadres" / "reference" / "demo_cadres.xlsx"
AsUser = Callable[[Any], Client]


def poor(village: int = FENGMING, **values: Any) -> Household:
    return make_household(village, status="registered", **({"main_cause": "缺水", "members": 2} | values))


def text(client: Client, name: str, *args: Any, **query: str) -> str:
    response = client.get(reverse(name, args=args), query)
    assert response.status_code == 200
    return response.content.decode()


# --- cadres ---------------------------------------------------------------------------------------------------------


def test_the_list_shows_cadres_with_unit_skills_and_present_post(people: People, as_user: AsUser) -> None:
    make_posting(make_cadre("李建国", skills={"水利": 3}), FENGMING)
    make_cadre("外区人", unit=make_unit("武陵区水利局", WULING))
    page = text(as_user(people.taoyuan_office), "cadres:list")
    assert all(words in page for words in ("李建国", "桃源县农业农村局", "水利 3", "凤鸣村 第一书记"))
    assert "外区人" not in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "李"}, {"李建国"}),
        ({"q": "whm"}, {"王惠民"}),
        ({"q": "市水利局"}, {"王惠民"}),
        ({"kind": "市直部门"}, {"王惠民"}),
        ({"skill": "水利"}, {"王惠民"}),
        ({"role": "专业书记"}, {"李建国"}),
        ({"posted": "yes"}, {"王惠民"}),
        ({"posted": "no"}, {"李建国"}),
        ({"kind": "不存在", "skill": "炼丹"}, {"李建国", "王惠民"}),
        ({"q": "无此人"}, set()),
    ],
)
def test_the_list_is_filtered(people: People, as_user: AsUser, query: dict, found: set) -> None:
    make_cadre("李建国", skills={"种植": 1})
    bureau = make_unit("市水利局", CITY, kind="市直部门")
    other = make_cadre("王惠民", unit=bureau, skills={"水利": 2}, initials="whm", possible_roles=["第一书记"])
    make_posting(other, FENGMING)
    page = text(as_user(people.city_office), "cadres:list", **query)
    assert {name for name in ("李建国", "王惠民") if name in page} == found


def test_the_list_costs_the_same_for_two_cadres_and_for_fifty(
    people: People, as_user: AsUser, django_assert_num_queries: Any
) -> None:
    client = as_user(people.taoyuan_office)
    make_posting(make_cadre(), FENGMING)
    with django_assert_num_queries(11):
        text(client, "cadres:list")
    for _number in range(50):
        make_cadre()
    with django_assert_num_queries(12):  # more than one page holds are counted
        text(client, "cadres:list")


def test_a_cadres_page_masks_numbers_names_places_and_logs_the_read(people: People, as_user: AsUser) -> None:
    cadre = make_cadre(home_village=OTHER_VILLAGE, wished_counties=[TAOYUAN], dialects=["桃源话"])
    page = text(as_user(people.taoyuan_office), "cadres:page", cadre.pk)
    assert all(words in page for words in ("桃源县 彰善村", "桃源话", "135****0001", cadre.masked_id_number))
    assert cadre.id_number not in page
    event = Event.objects.get(verb="cadres.read_cadre")
    assert (event.kind, event.actor, event.target_id) == ("read", people.taoyuan_office, str(cadre.pk))


def test_an_empty_list_teaches_the_next_step(people: People, as_user: AsUser) -> None:
    assert reverse("cadres:import") in text(as_user(people.taoyuan_office), "cadres:list")
    assert reverse("cadres:import") not in text(as_user(people.inspector), "cadres:list")


def test_a_workbook_goes_in_by_the_browser_and_the_page_says_what_came_of_it(people: People, as_user: AsUser) -> None:
    client = as_user(people.city_office)
    with DEMO.open("rb") as file:
        page = client.post(reverse("cadres:import"), {"file": file}).content.decode()
    assert Cadre.objects.count() == 60
    assert "新建" in page
    with DEMO.open("rb") as file:
        refused = as_user(people.wuling_office).post(reverse("cadres:import"), {"file": file})
    assert "这个工号属于您工作范围之外的单位" in refused.content.decode()


def test_a_file_that_is_no_workbook_is_refused_at_its_field(people: People, as_user: AsUser, tmp_path: Path) -> None:
    wrong = tmp_path / "cadres.xlsx"
    wrong.write_text("no workbook")
    with wrong.open("rb") as file:
        response = as_user(people.city_office).post(reverse("cadres:import"), {"file": file})
    assert (response.status_code, "不是 Excel 工作簿" in response.content.decode()) == (422, True)


# --- needs ----------------------------------------------------------------------------------------------------------


def test_a_village_sees_its_need_explained_and_who_is_posted_to_it(people: People, as_user: AsUser) -> None:
    poor()
    make_posting(make_cadre("李建国"), FENGMING)
    recompute_needs(division=TAOYUAN, by=None)
    client = as_user(people.fengming_cadre)
    assert "凤鸣村" in text(client, "cadres:needs")
    page = text(client, "cadres:need", FENGMING)
    assert all(words in page for words in ("水利", "缺水", "1 / 1", "李建国", "保存修正"))


def test_a_village_corrects_its_need_and_takes_it_back(people: People, as_user: AsUser) -> None:
    poor()
    recompute_needs(division=TAOYUAN, by=None)
    client = as_user(people.fengming_cadre)
    client.post(reverse("cadres:correct_need", args=[FENGMING]), {"skill_7": "60", "skill_6": "40", "reason": "缺老师"})
    assert VillageNeed.objects.get().correction == {"教育": 6000, "卫生": 4000}
    assert "缺老师" in text(client, "cadres:need", FENGMING)
    client.post(reverse("cadres:withdraw_correction", args=[FENGMING]))
    assert VillageNeed.objects.get().correction is None


@pytest.mark.parametrize(
    ("posted", "words"),
    [
        ({"skill_7": "60", "reason": "缺老师"}, "现在是 60 %"),
        ({"skill_7": "100"}, "修正理由"),
        ({"skill_7": "-5", "skill_6": "105", "reason": "负"}, "请检查"),
        ({"skill_7": "abc", "reason": "字"}, "请检查"),
    ],
)
def test_a_correction_without_sense_comes_back_with_what_was_typed(
    people: People, as_user: AsUser, posted: dict, words: str
) -> None:
    poor()
    recompute_needs(division=TAOYUAN, by=None)
    url = reverse("cadres:correct_need", args=[FENGMING])
    response = as_user(people.fengming_cadre).post(url, posted)
    assert response.status_code == 422
    page = response.content.decode()
    assert words in page or "需要改正" in page
    assert f'value="{posted["skill_7"]}"' in page


def test_an_office_works_the_needs_out_anew(people: People, as_user: AsUser) -> None:
    client = as_user(people.reshi_officer)
    assert "还没有户卡" in client.post(reverse("cadres:recompute_needs"), follow=True).content.decode()
    poor()
    assert "测算 1 个村" in client.post(reverse("cadres:recompute_needs"), follow=True).content.decode()


def test_the_list_of_needs_costs_the_same_for_one_village_and_for_ten(
    people: People, as_user: AsUser, django_assert_num_queries: Any
) -> None:
    poor()
    recompute_needs(division=TAOYUAN, by=None)
    client = as_user(people.taoyuan_office)
    with django_assert_num_queries(9):
        text(client, "cadres:needs")
    for village in (430725103204, 430725103206, 430725103207, 430725103208, 430725103211, 430725103212):
        poor(village)
    recompute_needs(division=TAOYUAN, by=None)
    with django_assert_num_queries(9):
        text(client, "cadres:needs")


# --- plans ----------------------------------------------------------------------------------------------------------

RULES = {
    "start": "2026-01-01",
    "years": "2",
    "skills": "50",
    "rural_years": "15",
    "assessment": "15",
    "dialect": "10",
    "proximity": "10",
    "wished": "5",
    "change": "10",
    "one_member_from": "20",
    "two_members_from": "80",
    "professional_above": "10",
    "priority_above": "2",
}


def test_an_office_lets_a_plan_be_made_in_the_background(people: People, as_user: AsUser) -> None:
    poor()
    make_cadre("李建国", skills={"水利": 3})
    client = as_user(people.taoyuan_office)
    assert client.post(reverse("cadres:new_plan"), RULES).status_code == 302
    job = Job.objects.get(kind="cadres.match")
    assert "正在匹配干部" in text(client, "cadres:plans")
    run_job(job.pk)
    job.refresh_from_db()
    plan = MatchPlan.objects.get()
    assert (job.state, job.result, plan.made_by) == ("done", {"plan": plan.pk}, people.taoyuan_office)
    assert (plan.term_start, plan.term_end) == (date(2026, 1, 1), date(2027, 12, 31))
    page = text(client, "cadres:plans")
    assert "正在匹配干部" not in page
    assert reverse("cadres:plan", args=[plan.pk]) in page


def test_the_rules_of_the_form_are_the_rules_of_the_plan(people: People, as_user: AsUser) -> None:
    for _number in range(3):
        poor()
    for _number in range(4):
        make_cadre(political_status="中共预备党员")
    changed = RULES | {"one_member_from": "2", "two_members_from": "3", "skills": "0", "probationary_may_lead": "on"}
    as_user(people.taoyuan_office).post(reverse("cadres:new_plan"), changed)
    run_job(Job.objects.get(kind="cadres.match").pk)
    plan = MatchPlan.objects.get()
    # a first secretary, two members and a professional secretary: all persons on cards are registered
    assert (plan.posts, plan.filled) == (4, 4)
    assert {one.parts["skills"] for one in plan.assignments.all()} == {0}
    assert plan.parameters["fit"]["probationary_may_lead"] is True


@pytest.mark.parametrize(
    "wrong", [{"start": "morgen"}, {"years": "0"}, {"skills": "101"}, {"change": "-1"}, {"two_members_from": "20"}]
)
def test_rules_without_sense_are_refused(people: People, as_user: AsUser, wrong: dict) -> None:
    assert as_user(people.taoyuan_office).post(reverse("cadres:new_plan"), RULES | wrong).status_code == 422
    assert not Job.objects.exists()


def test_a_match_that_is_refused_says_why_on_the_page(people: People, as_user: AsUser) -> None:
    client = as_user(people.taoyuan_office)
    client.post(reverse("cadres:new_plan"), RULES)
    run_job(Job.objects.get(kind="cadres.match").pk)
    assert "还没有户卡" in text(client, "cadres:plans")


def test_a_plan_says_who_why_who_was_next_and_what_is_empty(people: People, as_user: AsUser) -> None:
    poor()
    poor(OTHER_VILLAGE, main_cause="因学")
    make_cadre("李建国", skills={"水利": 3})
    make_cadre("王惠民", skills={"教育": 3}, possible_roles=["第一书记"])
    plan = propose_plan(division=TAOYUAN, by=None)
    page = text(as_user(people.taoyuan_office), "cadres:plan", plan.pk)
    assert all(words in page for words in ("李建国", "技能对应村需求", "已证明" if plan.gap else "没有得分更高的派驻"))
    assert "没有配上的岗位（2）" in page  # the professional secretaries: nobody is left
    assert "符合条件的干部都已派往更需要的岗位" in page


def test_a_town_sees_its_rows_of_a_plan_without_the_totals_of_the_county(people: People, as_user: AsUser) -> None:
    poor()
    poor(430725102202)
    make_cadre("李建国", skills={"水利": 3})
    plan = propose_plan(division=TAOYUAN, by=None)
    page = text(as_user(people.reshi_officer), "cadres:plan", plan.pk)
    assert "凤鸣村" in page
    assert "莲蓬岗村" not in page
    assert "可派干部" not in page


def test_a_plan_opens_one_township_at_a_time_as_page_and_as_fragment(people: People, as_user: AsUser) -> None:
    poor()
    poor(430725102202)
    plan = propose_plan(division=TAOYUAN, by=None)
    client = as_user(people.taoyuan_office)
    url = reverse("cadres:plan", args=[plan.pk])
    whole = client.get(url, {"township": RESHI}).content.decode()
    part = client.get(url, {"township": RESHI}, headers={"HX-Request": "true", "HX-Target": "posts"}).content.decode()
    assert "凤鸣村" in part
    assert "<html" in whole
    assert "<html" not in part


def test_a_plan_page_costs_the_same_for_one_village_and_for_six(
    people: People, as_user: AsUser, django_assert_num_queries: Any
) -> None:
    client = as_user(people.taoyuan_office)
    poor()
    make_cadre(skills={"水利": 2})
    small = propose_plan(division=TAOYUAN, by=None)
    with django_assert_num_queries(15):
        text(client, "cadres:plan", small.pk)
    for village in (430725103204, 430725103206, 430725103207, 430725103208, 430725103211, 430725103212):
        poor(village)
        make_cadre(skills={"水利": 2})
    plan = propose_plan(division=TAOYUAN, by=None)
    with django_assert_num_queries(15):
        text(client, "cadres:plan", plan.pk)


def test_two_others_sign_a_plan_by_the_page(people: People, as_user: AsUser) -> None:
    poor()
    make_cadre("李建国")
    plan = propose_plan(division=TAOYUAN, by=people.taoyuan_office)
    url = reverse("cadres:approve_plan", args=[plan.pk])
    assert "另外两人" in as_user(people.taoyuan_office).post(url, follow=True).content.decode()
    assert "还需另一人签批" in as_user(people.taoyuan_second).post(url, follow=True).content.decode()
    page = as_user(people.city_office).post(url, follow=True).content.decode()
    assert "派驻记录已建立" in page
    assert "李建国" in text(as_user(people.fengming_cadre), "cadres:need", FENGMING)


def test_no_page_shows_an_open_id_number(people: People, as_user: AsUser) -> None:
    poor()
    call_command("import_cadres", str(DEMO), verbosity=0)
    plan = propose_plan(division=TAOYUAN, by=None)
    client = as_user(people.city_office)
    cadre = Cadre.objects.first()
    pages = [
        text(client, "cadres:list"),
        text(client, "cadres:plan", plan.pk),
        text(client, "cadres:page", cadre.pk),
    ]
    numbers = [one.id_number for one in Cadre.objects.all()] + [one.phone for one in Cadre.objects.all()]
    assert [number for number in numbers for page in pages if number in page] == []
