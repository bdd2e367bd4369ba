"""The reasons of a result as people read them."""

from decimal import Decimal

import pytest

from changde.audit.models import Event
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
