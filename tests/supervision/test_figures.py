"""Figures of an area: the right sums, inside one's posts, by hand (docs/figures.md)."""

import json
import re
from io import BytesIO

import pytest
from django.http import Http404
from openpyxl import load_workbook

from changde.audit.models import Event
from households.models import VillageCard
from households.services.figures import count_marked
from households.services.index_versions import load_default_versions
from households.services.results import recompute_household
from supervision.selectors.figures import Figures, area_figures
from tests.api import program
from tests.factories import make_household
from tests.households.test_index_runs import run_over
from tests.personas import CITY, FENGMING, OTHER_VILLAGE, RESHI, TAOYUAN, WULING, WULING_VILLAGE


@pytest.fixture
def changde(people):
    """Fengming: 3 registered people of 7 on cards, 100 rural people. Its neighbour has no village card."""
    make_household(FENGMING, members=3, status="registered")
    make_household(FENGMING, members=4)
    make_household(FENGMING, members=5, status="closed")
    make_household(OTHER_VILLAGE, members=2, status="registered")
    make_household(WULING_VILLAGE, members=6, status="exited")
    VillageCard.objects.create(village_id=FENGMING, year=2019, rural_persons=100)
    VillageCard.objects.create(village_id=WULING_VILLAGE, year=2019, rural_persons=50)
    count_marked()
    return people


def test_the_figures_of_a_township_by_hand(changde):
    figures = area_figures(changde.reshi_officer, RESHI).figures
    assert figures == Figures(
        households=3,
        persons=9,
        registered=2,
        registered_persons=5,
        registered_with_village_card=3,
        rural_persons=100,
        villages_without_card=1,
    )


def test_incidence_counts_the_villages_that_have_a_village_card(changde):
    assert area_figures(changde.reshi_officer, RESHI).figures.registered_incidence == 3 / 100


def test_without_a_village_card_incidence_is_unknown_and_not_zero(changde):
    assert area_figures(changde.city_office, OTHER_VILLAGE).figures.registered_incidence is None


def test_before_a_computation_the_computed_incidence_is_unknown(changde):
    assert area_figures(changde.reshi_officer, RESHI).figures.computed_incidence is None


def test_the_computed_incidence_is_people_in_absolute_households_over_people_on_cards(changde):
    load_default_versions()
    poor = make_household(FENGMING, members=3, wage_income=3000)
    well = make_household(FENGMING, members=2, wage_income=90_000)
    for household in (poor, well):
        recompute_household(household=household.pk, year=2019)
    area = area_figures(changde.reshi_officer, RESHI)
    assert (area.figures.absolute, area.figures.absolute_persons, area.figures.judged) == (1, 3, 2)
    assert area.figures.computed_incidence == 3 / 14
    assert (area.year, len(area.versions)) == (2019, 1)


@pytest.mark.parametrize("code", [CITY, TAOYUAN, RESHI])
def test_an_area_is_the_sum_of_the_rows_below(changde, code):
    area = area_figures(changde.city_office, code)
    assert sum((row.figures for row in area.rows), Figures()) == area.figures


def test_the_city_has_ten_rows_and_a_village_none(changde):
    assert len(area_figures(changde.city_office, CITY).rows) == 10
    assert area_figures(changde.city_office, FENGMING).rows == []


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("fengming_cadre", RESHI),
        ("fengming_cadre", OTHER_VILLAGE),
        ("reshi_officer", TAOYUAN),
        ("taoyuan_office", CITY),
        ("taoyuan_office", WULING),
        ("account_admin", CITY),
        ("city_office", 430100000000),
    ],
)
def test_an_area_outside_ones_posts_does_not_exist(changde, name, code):
    with pytest.raises(Http404):
        area_figures(getattr(changde, name), code)


@pytest.mark.parametrize(
    ("name", "heading"),
    [("fengming_cadre", "凤鸣"), ("reshi_officer", "热市镇"), ("taoyuan_office", "桃源县"), ("city_office", "常德市")],
)
def test_everybody_lands_on_the_own_area(changde, as_user, name, heading):
    page = as_user(getattr(changde, name)).get("/city/").content.decode()
    assert re.search(rf"<h1>{heading}", page)


def test_a_county_sees_nothing_of_another(changde, as_user):
    page = as_user(changde.taoyuan_office).get("/city/").content.decode()
    assert "武陵" not in page


def test_the_map_knows_every_county_and_leaves_those_without_cards_empty(changde, as_user):
    page = as_user(changde.city_office).get("/city/").content.decode()
    data = json.loads(re.search(r'<script id="map-data" type="application/json">(.*?)</script>', page)[1])
    values = {area["code"]: area["values"] for area in data["areas"]}
    assert len(values) == 10
    known = {name: value for name, value in values["430725000000"].items() if value is not None}
    assert known == {"households": 3, "registered": 2, "registered_incidence": 0.03}
    assert set(values["430771000000"].values()) == {None}


def test_a_village_leads_to_its_households(changde, as_user):
    page = as_user(changde.reshi_officer).get(f"/city/{FENGMING}/").content.decode()
    assert f"within={FENGMING}" in page


def test_an_empty_area_says_what_to_do_next(people, as_user):
    assert "这里还没有户卡" in as_user(people.fengming_cadre).get("/city/").content.decode()


@pytest.mark.parametrize("code", [CITY, TAOYUAN, RESHI, FENGMING])
def test_a_page_costs_the_same_queries_at_every_level(changde, as_user, code, django_assert_max_num_queries):
    client = as_user(changde.city_office)
    with django_assert_max_num_queries(22):
        client.get(f"/city/{code}/")


@pytest.fixture
def judged(changde):
    """Fengming: 2 poor people under the line by 2,436 yuan, registered; 1 well off, never registered."""
    load_default_versions()
    make_household(FENGMING, members=2, status="registered", wage_income=4000, main_cause="因病", year=2019)
    make_household(FENGMING, members=1, wage_income=90_000)
    run_over(CITY)
    count_marked()
    return changde


def test_the_page_of_a_village_tells_measures_tables_and_leads(judged, as_user):
    page = as_user(judged.fengming_cadre).get("/city/").content.decode()
    for words in (
        "多维贫困发生率 H",
        "结果与状态对照",
        "缺失在哪里",
        "因病",
        "历年与版本",
        "outcome=absolute&amp;status=registered",
    ):
        assert words in page


def test_an_area_adds_its_villages_up_and_shows_its_parent_only_inside_ones_posts(judged):
    county, village = area_figures(judged.taoyuan_office, TAOYUAN), area_figures(judged.fengming_cadre, FENGMING)
    assert sum((row.figures for row in county.rows), Figures()).total.shortfall == county.figures.total.shortfall > 0
    assert (village.parent, village.sisters, county.parent) == (None, [], None)
    inside = area_figures(judged.reshi_officer, FENGMING)
    assert (inside.parent.division.code, OTHER_VILLAGE in [row.division.code for row in inside.sisters]) == (
        RESHI,
        True,
    )
    assert inside.measures == village.measures


def test_the_file_holds_figures_alone_and_is_logged(judged, as_user):
    answer = as_user(judged.reshi_officer).get(f"/city/{RESHI}/figures.xlsx")
    book = load_workbook(BytesIO(b"".join(answer.streaming_content)))
    told = [cell for sheet in book for row in sheet.iter_rows(values_only=True) for cell in row]
    assert book.sheetnames == ["总览", "比较", "指标", "历年", "结果与状态", "致贫原因"]
    assert "<5" in told
    assert "张建华" not in str(told)
    assert Event.objects.filter(verb="supervision.figures_file", area=RESHI).count() == 1


def test_a_system_reads_the_figures_of_its_own_county_only(judged):
    system = program(judged.county_system)
    told = system.get("/api/v1/figures/").json()
    assert (told["division"], told["absolute"], told["year"]) == (str(TAOYUAN), area_absolute(judged), 2019)
    assert system.get(f"/api/v1/figures/?division={RESHI}&year=2019").json()["division"] == str(RESHI)
    assert system.get(f"/api/v1/figures/?division={WULING}").status_code == 404
    assert system.get("/api/v1/figures/?division=abc").status_code == 400


def area_absolute(people) -> int:
    return area_figures(people.taoyuan_office, TAOYUAN).figures.absolute


def test_columns_of_the_comparison_sort_it(judged, as_user):
    page = as_user(judged.taoyuan_office).get(f"/city/{TAOYUAN}/?order=H").content.decode()
    rows = re.search(r'id="divisions".*?<tbody>(.*?)</tbody>', page, re.S)[1]
    assert re.search(r"<tr.*?</tr>", rows, re.S)[0].count("热市镇")
    assert 'aria-sort="descending"' in page
