"""The reasons of a result as people read them."""

from decimal import Decimal

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from changde.audit.models import Event
from households.models import Household, MemberSheet, Result
from households.services import results
from households.services.index_versions import load_default_versions
from tests.factories import make_household
from tests.personas import FENGMING

pytestmark = pytest.mark.django_db


@pytest.fixture
def household(db):
    load_default_versions()
    household = make_household(FENGMING, members=2, wage_income=Decimal("6435.99"), house_area=20)
    results.recompute_household(household=household.pk, year=2019)
    return household


def text(client, household, **headers) -> str:
    answer = client.get(f"/households/{household.pk}/why/", **headers)
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_panel_tells_the_figures_the_line_and_what_would_change(people, as_user, household):
    said = text(as_user(people.fengming_cadre), household, headers={"HX-Request": "true"})
    assert "年纯收入 6,435.99 元，低于全家的收入标准 6,436.00 元，差 0.01 元。" in said
    assert "住房面积低于 26 m² (13 × 计入家庭人口 2 人)" in said
    assert "比标准少 6 m²" in said
    assert "家庭年纯收入增加 0.01 元（到 6,436.00 元）" in said
    assert "<html" not in said


def test_it_is_a_page_to_print_without_javascript_and_one_event(people, as_user, household):
    assert "<html" in text(as_user(people.fengming_cadre), household)
    assert Event.objects.filter(verb="households.read_result").count() == 1


def test_open_fields_are_named_by_their_headers(people, as_user):
    load_default_versions()
    household = make_household(FENGMING, house_grade="", wage_income=None)
    results.recompute_household(household=household.pk, year=2019)
    said = text(as_user(people.fengming_cadre), household)
    assert "工资性收入、危房级别" in said


def test_a_card_without_result_says_so_and_strangers_to_the_area_see_nothing(people, as_user):
    household = make_household(FENGMING)
    assert "还没有测算结果" in text(as_user(people.fengming_cadre), household)
    assert as_user(people.wuling_office).get(f"/households/{household.pk}/why/").status_code == 404


@pytest.fixture
def ill_household(db):
    load_default_versions()
    household = make_household(FENGMING, head="欧阳建华", members=2, wage_income=8000, house_area=20)
    MemberSheet.objects.filter(sheet__household=household, relation="户主").update(health=["长期慢性病"])
    results.recompute_household(household=household.pk, year=2019)
    return household


def test_a_dimension_tells_its_part_of_the_score(people, as_user, ill_household):
    said = text(as_user(people.fengming_cadre), ill_household)
    assert said.count("占本户得分的") == said.count("满分") > 1
    assert "占本户得分的 0 %" in said


def test_members_behind_a_count_are_named_on_screen_and_masked_on_paper(people, as_user, ill_household):
    said = text(as_user(people.fengming_cadre), ill_household)
    assert '<div class="small no-print">计入患病或残疾的16至59岁人数：欧阳建华（户主）</div>' in said
    assert '<div class="small only-print">计入患病或残疾的16至59岁人数：欧**华（户主）</div>' in said


def test_members_are_not_named_after_the_card_changed(people, as_user, ill_household):
    Household.objects.update(version=F("version") + 1)
    said = text(as_user(people.fengming_cadre), ill_household)
    assert "计入患病" not in said
    assert "测算以后户卡改过" in said


def test_paper_says_whose_by_which_standard_and_where_to_object(people, as_user, ill_household):
    said = text(as_user(people.fengming_cadre), ill_household)
    result = Result.objects.select_related("version").get()
    assert "data-print" in said
    assert f"户主 欧**华，户编号 {ill_household.number}" in said
    assert f"校验码 {result.version.digest[:12]}" in said
    assert "在名单公示期内提出" in said


def test_the_place_in_the_village_is_hidden_below_ten_cards(people, as_user, household, django_assert_num_queries):
    others = [make_household(FENGMING, wage_income=wage, members=2) for wage in range(1000, 9000, 1000)]
    results.recompute_households(households=[card.pk for card in others], year=2019)
    client = as_user(people.fengming_cadre)
    client.get("/")
    with CaptureQueriesContext(connection) as few:
        assert "在本村的位置" not in text(client, household)
    others = [make_household(FENGMING, wage_income=wage, members=1) for wage in (3217, 3218)]
    results.recompute_households(households=[card.pk for card in others], year=2019)
    with django_assert_num_queries(len(few)):
        said = text(client, household)
    # 1000 to 6000 for two, 3217 for one: 3217.995 a head is between 3217 and 3218
    assert "本村 11 户可以比较：人均纯收入比本户低的有 7 户" in said


def test_the_standard_and_the_leads_are_linked_for_who_may_read_them(people, as_user, household):
    leads, standard = f"/households/{household.pk}/leads/", f"/index/{Result.objects.get().version_id}/"
    cadre = text(as_user(people.fengming_cadre), household)
    assert (leads in cadre, standard in cadre) == (False, True)
    assert leads in text(as_user(people.taoyuan_office), household)
