"""Cards over REST: the client's own area, numbers masked, one event a page."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from changde.audit.models import Event
from households.models import Household, HouseholdStatus, VillageCard
from tests.api import program
from tests.factories import make_household
from tests.personas import FENGMING, OTHER_VILLAGE, WULING_VILLAGE

# Exactly 18 digits (the last may be X), the way a number of a person is written.
NUMBER = re.compile(r"(?<!\d)\d{17}[\dXx](?!\d)")


@pytest.fixture
def two_counties(people):
    """The same household in Taoyuan county and in Wuling district, and a second one in Taoyuan."""
    own = make_household(FENGMING, head="欧阳建国", members=3, wage_income=8000)
    second = make_household(OTHER_VILLAGE, head="张建华", status=HouseholdStatus.REGISTERED)
    foreign = make_household(WULING_VILLAGE, head="欧阳建国", members=3, wage_income=8000)
    for village in (FENGMING, WULING_VILLAGE):
        VillageCard.objects.create(village_id=village, year=2019, rural_persons=1200)
    return own, second, foreign


@pytest.fixture
def system(people):
    return program(people.county_system)


def ids(answer):
    return [card["id"] for card in answer.json()["results"]]


def test_a_county_reads_its_own_cards_only(system, two_counties):
    own, second, _foreign = two_counties
    assert ids(system.get("/api/v1/cards/")) == [own.pk, second.pk]


def test_another_countys_card_does_not_exist(system, two_counties):
    foreign, absent = (system.get(f"/api/v1/cards/{pk}/") for pk in (two_counties[2].pk, 10**9))
    assert foreign.status_code == 404
    assert foreign.content == absent.content


@pytest.mark.parametrize(
    "asked",
    ["division=430702000000", "division=430702001004", "number={number}", "division=430700000000&number={number}"],
)
def test_no_filter_reaches_another_county(system, two_counties, asked):
    answer = system.get("/api/v1/cards/?" + asked.format(number=two_counties[2].number))
    assert answer.json() == {"next": None, "previous": None, "results": []}


def test_another_countys_village_card_does_not_exist(system, two_counties):
    own, foreign = VillageCard.objects.get(village=FENGMING), VillageCard.objects.get(village=WULING_VILLAGE)
    assert ids(system.get("/api/v1/village-cards/")) == [own.pk]
    assert system.get(f"/api/v1/village-cards/{foreign.pk}/").status_code == 404


def test_an_officer_reads_the_own_township_in_the_browser_session(people, as_user, two_counties):
    own, second, _foreign = two_counties
    assert ids(as_user(people.reshi_officer).get("/api/v1/cards/")) == [own.pk, second.pk]
    assert ids(as_user(people.fengming_cadre).get("/api/v1/cards/")) == [own.pk]


def test_a_card_holds_household_members_and_the_latest_sheet(system, two_counties):
    card = system.get(f"/api/v1/cards/{two_counties[0].pk}/").json()
    assert (card["village_code"], card["persons"], len(card["members"])) == (str(FENGMING), 3, 3)
    assert [member["relation"] for member in card["members"]] == ["户主", "之子", "之子"]
    assert (card["sheet"]["year"], card["sheet"]["wage_income"]) == (2019, "8000.00")
    assert [row["person"] for row in card["sheet"]["members"]] == [member["person"] for member in card["members"]]


def test_unknown_is_null(system, two_counties):
    assert system.get(f"/api/v1/cards/{two_counties[0].pk}/").json()["sheet"]["pigs"] is None


def test_the_year_chooses_the_sheet_and_leaves_out_cards_without_one(system, two_counties):
    own = two_counties[0]
    own.sheets.create(village_id=FENGMING, year=2020, wage_income=9000)
    answer = system.get("/api/v1/cards/?year=2020")
    assert ids(answer) == [own.pk]
    assert answer.json()["results"][0]["sheet"]["wage_income"] == "9000.00"
    assert system.get(f"/api/v1/cards/{own.pk}/?year=2019").json()["sheet"]["wage_income"] == "8000.00"


def test_filters_narrow_by_division_status_number_and_change(system, two_counties):
    own, second, _foreign = two_counties
    Household.objects.filter(pk=own.pk).update(changed_at=timezone.now() - timedelta(days=3))
    yesterday = (timezone.now() - timedelta(days=1)).isoformat()
    asked = {
        f"division={FENGMING}": [own.pk],
        "division=430725103000": [own.pk, second.pk],
        "status=registered": [second.pk],
        f"number={own.number}": [own.pk],
        "changed_since=" + yesterday.replace("+", "%2B"): [second.pk],
    }
    assert {query: ids(system.get(f"/api/v1/cards/?{query}")) for query in asked} == asked


def test_pages_follow_each_other_without_gap_or_repeat(system, people):
    made = [make_household(FENGMING).pk for _ in range(5)]
    first = system.get("/api/v1/cards/?page_size=2")
    second = system.get(first.json()["next"])
    third = system.get(second.json()["next"])
    assert ids(first) + ids(second) + ids(third) == made
    assert third.json()["next"] is None


def test_national_codes_can_be_the_keys(system, two_counties):
    card = system.get(f"/api/v1/cards/{two_counties[0].pk}/?keys=national").json()
    assert (card["aar007"], card["sheet"]["aac073"], card["members"][0]["aab002"]) == ("1组", "8000.00", "欧阳建国")
    assert card["sheet"]["members"][0]["aab008"] == "初中"


def test_the_fields_tell_code_header_type_unit_and_values(system):
    fields = {(row["entity"], row["attribute"]): row for row in system.get("/api/v1/fields/").json()}
    wage, grade = fields["sheet", "wage_income"], fields["sheet", "house_grade"]
    assert (wage["national_code"], wage["header"], wage["type"]) == ("aac073", "工资性收入", "money")
    assert grade["values"][:2] == ["A级", "B级"]


def test_no_answer_holds_a_number_of_a_person(system, two_counties):
    paths = [
        "cards/",
        f"cards/{two_counties[0].pk}/",
        "cards/?keys=national",
        "village-cards/",
        "divisions/",
        "fields/",
    ]
    answers = {path: system.get(f"/api/v1/{path}") for path in paths}
    assert {path: answer.status_code for path, answer in answers.items()} == dict.fromkeys(paths, 200)
    assert {path: NUMBER.findall(answer.content.decode()) for path, answer in answers.items()} == dict.fromkeys(
        paths, []
    )


def test_numbers_are_masked(system, two_counties):
    head = system.get(f"/api/v1/cards/{two_counties[0].pk}/").json()["members"][0]
    assert re.fullmatch(r"4307\*{10}\d{3}[\dX]", head["id_number"])


def test_a_page_is_one_event_and_a_card_is_one(system, two_counties):
    system.get("/api/v1/cards/?division=430725000000")
    system.get(f"/api/v1/cards/{two_counties[0].pk}/")
    page, card = Event.objects.filter(kind="read").order_by("pk")
    assert (page.verb, page.facts) == ("api.cards.list", {"rows": 2, "filters": ["division"]})
    assert (card.verb, card.target_id, card.area) == ("api.cards.read", str(two_counties[0].pk), FENGMING)


def test_a_page_of_cards_costs_the_same_queries_however_long(system, two_counties, django_assert_num_queries):
    for _ in range(10):
        make_household(FENGMING, members=2)
    with django_assert_num_queries(10):
        # token and client, account, posts, grants; cards, members, sheets, sheets of members; the event
        assert len(ids(system.get("/api/v1/cards/"))) == 12


def test_divisions_are_those_of_the_county_and_the_city_above(system):
    codes = [row["code"] for row in system.get("/api/v1/divisions/?page_size=1000").json()["results"]]
    assert codes[:2] == ["430700000000", "430725000000"]
    assert {code[:6] for code in codes[1:]} == {"430725"}
    assert system.get("/api/v1/divisions/430725103202/").json()["name"].startswith("凤鸣")
    assert system.get("/api/v1/divisions/430702000000/").status_code == 404
