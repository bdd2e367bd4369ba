"""List, search, card and history: whose cards are shown, what is masked and logged, how many queries it costs."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from changde.accounts.services import grant_household, open_post
from changde.audit.models import Event
from changde.divisions.models import Division
from households.models import Household
from households.selectors.search import understand
from households.services.card_rows import load_card
from households.services.cards import save_card
from households.services.index_versions import load_default_versions
from households.services.results import recompute_households
from households.services.status import set_status
from tests.conftest import confirmed
from tests.factories import make_household
from tests.households.cards import a_card, with_household, with_sheet
from tests.personas import FENGMING, OTHER_VILLAGE, WULING_VILLAGE, People

LIST = "/households/"


@pytest.fixture
def cadre(people: People, as_user: Callable[..., Client]) -> Client:
    return as_user(people.fengming_cadre)


@pytest.fixture
def saved(people: People) -> Household:
    return save_card(card=a_card(number="43072510320200001"), by=people.fengming_cadre)


def text(answer: Any) -> str:
    return answer.content.decode()


def rows(answer: Any) -> str:
    """The rows of the list, without its filters."""
    return text(answer).partition('id="cards"')[2]


def reads() -> list[str]:
    return list(Event.objects.filter(kind="read").order_by("pk").values_list("verb", flat=True))


# -- the list ------------------------------


def test_no_page_behind_the_login_stays_in_a_cache(cadre: Client) -> None:
    assert cadre.get(LIST)["Cache-Control"] == "private, no-store"


def test_a_cadre_sees_the_cards_of_the_own_village_only(cadre: Client) -> None:
    make_household(FENGMING, head="张建华")
    make_household(OTHER_VILLAGE, head="欧阳邻村")
    page = text(cadre.get(LIST))
    assert "张建华" in page and "欧阳邻村" not in page


def test_an_officer_narrows_the_town_to_a_village(people: People, as_user: Callable[..., Client]) -> None:
    make_household(FENGMING, head="张建华")
    make_household(OTHER_VILLAGE, head="欧阳邻村")
    officer = as_user(people.reshi_officer)
    assert {"张建华", "欧阳邻村"} <= set(text(officer.get(LIST)).replace("<", ">").split(">"))
    assert "张建华" not in text(officer.get(f"{LIST}?within={OTHER_VILLAGE}"))


def test_a_division_outside_the_own_area_narrows_nothing(cadre: Client) -> None:
    make_household(FENGMING, head="张建华")
    make_household(WULING_VILLAGE, head="司马武陵")
    page = text(cadre.get(f"{LIST}?within={WULING_VILLAGE}"))
    assert "张建华" in page and "司马武陵" not in page


def test_a_helper_sees_the_granted_household_and_no_other(people: People, as_user: Callable[..., Client]) -> None:
    mine, other = make_household(FENGMING, head="张建华"), make_household(FENGMING, head="李四")
    open_post(user=people.no_post, role="helper", division=Division.objects.get(code=WULING_VILLAGE), by=None)
    grant_household(user=people.no_post, household_id=mine.pk, area=FENGMING, reason="pairing", by=None)
    helper = as_user(people.no_post)
    assert helper.get(f"{LIST}{mine.pk}/").status_code == 200
    assert helper.get(f"{LIST}{other.pk}/").status_code == 404


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("status=registered", {"王登记"}),
        ("status=closed", {"赵销户"}),
        ("cause=因病", {"李因病"}),
        ("", {"王登记", "李因病"}),
        ("order=changed", {"王登记", "李因病"}),
        ("status=nonsense", {"王登记", "李因病"}),
    ],
)
def test_the_filters(cadre: Client, query: str, shown: set[str]) -> None:
    make_household(FENGMING, head="王登记", status="registered")
    make_household(FENGMING, head="李因病", main_cause="因病")
    make_household(FENGMING, head="赵销户", status="closed")
    page = text(cadre.get(f"{LIST}?{query}"))
    assert {name for name in ("王登记", "李因病", "赵销户") if name in page} == shown


def test_outcomes_are_shown_and_filtered(cadre: Client) -> None:
    load_default_versions()
    poor, rich = make_household(FENGMING, head="王贫困"), make_household(FENGMING, head="李富裕", wage_income=90000)
    recompute_households(households=[poor.pk, rich.pk], year=2019)
    page = text(cadre.get(f"{LIST}?outcome=absolute"))
    assert "王贫困" in page and "李富裕" not in page and "绝对贫困" in page
    head = text(cadre.get(f"{LIST}{rich.pk}/"))
    assert "不贫困" in head[: head.index("tabs")]


def test_a_saved_card_makes_its_result_stale_until_it_is_worked_out_again(
    cadre: Client, saved: Household, people: People, django_capture_on_commit_callbacks: Any
) -> None:
    load_default_versions()
    recompute_households(households=[saved.pk], year=2019)
    stored = load_card(saved, 2019)
    card = with_sheet(stored.card, wage_income=Decimal(90000))
    with django_capture_on_commit_callbacks() as later:
        save_card(card=card, persons=stored.persons, by=people.fengming_cadre, household=saved, expected_version=1)
    assert "结果待更新" in rows(cadre.get(LIST))
    for callback in later:
        callback()
    page = rows(cadre.get(LIST))
    assert "结果待更新" not in page and "不贫困" in page


def test_pages_follow_one_another_without_gap_or_double(cadre: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(7):
        Household.objects.create(village_id=FENGMING, head_name=f"户{number}", head_pinyin="hu", number=f"N{number}")
    monkeypatch.setattr("households.views.cards.PAGE_SIZE", 3)
    seen, address = [], LIST
    for _ in range(3):
        page = cadre.get(address).context["page"]
        seen += [card.number for card in page]
        address = f"{LIST}?after={page.next}"
    assert seen == [f"N{number}" for number in range(7)]


def test_the_total_is_counted(cadre: Client) -> None:
    make_household(FENGMING)
    make_household(FENGMING, head="李四")
    make_household(OTHER_VILLAGE)
    total = cadre.get(LIST).context["page"].total
    assert (total.number, total.exact) == (2, True)


@pytest.mark.parametrize("households", [2, 12])
def test_a_list_costs_the_same_queries_however_long(
    cadre: Client, households: int, django_assert_max_num_queries: Any
) -> None:
    for number in range(households):
        make_household(FENGMING, head=f"户{number}")
    with django_assert_max_num_queries(24):
        cadre.get(LIST)


def test_an_empty_village_is_told_what_to_do(cadre: Client, people: People, as_user: Callable[..., Client]) -> None:
    assert "录入第一户" in text(cadre.get(LIST))
    assert "录入第一户" not in text(as_user(people.inspector).get(LIST))


def test_the_list_shows_no_number_of_a_person(cadre: Client, saved: Household) -> None:
    page = text(cadre.get(LIST))
    number = saved.memberships.first().person.id_number
    assert number not in page and "13873600001" not in page


# -- the search box ------------------------------


@pytest.mark.parametrize(
    ("typed", "kind"),
    [
        ("４３０７２５１９４３０９０４６４３１", "id_number"),
        ("43072519430904643x", "id_number"),
        ("430725430904643", "id_number"),
        ("138 7360 0001", "phone"),
        ("43072510320200001", "number"),
        ("ZJH", "letters"),
        (" 张建 ", "name"),
    ],
)
def test_the_box_understands_what_was_typed(typed: str, kind: str) -> None:
    assert understand(typed).kind == kind


def test_nothing_typed_is_no_search() -> None:
    assert understand(" 　") is None


def found(client: Client, typed: str) -> str:
    return text(client.post("/search/", {"q": typed}, follow=True))


@pytest.mark.parametrize("typed", ["张", "张建华", "zjh", "zhang jian", "43072510320200001", "4307251032"])
def test_cards_are_found_by_name_letters_and_number(cadre: Client, saved: Household, typed: str) -> None:
    make_household(FENGMING, head="李四")
    page = found(cadre, typed)
    assert "张建华" in page and ("李四" not in page or typed == "4307251032")


def test_a_member_is_found_by_the_whole_number_and_leads_to_the_card(cadre: Client, saved: Household) -> None:
    number = saved.memberships.get(relation="配偶").person.id_number
    answer = cadre.post("/search/", {"q": f" {number.lower()} "})
    assert answer.url == f"{LIST}{saved.pk}/"


def test_a_phone_is_found(cadre: Client, saved: Household) -> None:
    assert cadre.post("/search/", {"q": "138-7360-0001"}).url == f"{LIST}{saved.pk}/"


def test_what_is_searched_for_stays_out_of_the_address(cadre: Client, saved: Household) -> None:
    for typed in ("张建华", "430725197001010019"):
        answer = cadre.post("/search/", {"q": typed})
        assert typed not in answer.url and "%E5" not in answer.url


def test_an_address_of_a_search_opens_for_nobody_else(
    cadre: Client, saved: Household, people: People, as_user: Callable[..., Client]
) -> None:
    make_household(FENGMING, head="李四")
    address = cadre.post("/search/", {"q": "张建华"}).url
    assert "李四" not in text(cadre.get(address))
    assert "李四" in text(as_user(people.fengming_team).get(address))


def test_a_number_of_another_area_is_found_by_nobody_outside_and_the_search_is_logged(
    saved: Household, people: People, as_user: Callable[..., Client]
) -> None:
    number = saved.memberships.first().person.id_number
    page = found(as_user(people.other_cadre), number)
    assert "辖区内没有这个号码" in page and "张建华" not in page
    event = Event.objects.get(verb="households.search")
    assert (event.facts["by_what"], number in str(event.facts)) == ("id_number", False)


# -- the card ------------------------------


def test_another_villages_card_is_404_like_one_that_never_was(cadre: Client) -> None:
    other = make_household(OTHER_VILLAGE)
    assert cadre.get(f"{LIST}{other.pk}/").status_code == 404
    assert cadre.get(f"{LIST}999999/").status_code == 404
    assert cadre.get(f"{LIST}{other.pk}/edit/").status_code == 404
    assert cadre.post(f"{LIST}{other.pk}/reveal/", {"attribute": "phone"}).status_code == 404


@pytest.mark.parametrize("tab", ["", "members", "income", "conditions", "history"])
def test_opening_a_card_is_one_event_and_few_queries(
    cadre: Client, saved: Household, tab: str, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(35):
        assert cadre.get(f"{LIST}{saved.pk}/?tab={tab}").status_code == 200
    assert reads() == ["households.read_card"]


@pytest.mark.parametrize("tab", ["overview", "members", "history"])
def test_numbers_are_masked_on_every_part(cadre: Client, saved: Household, people: People, tab: str) -> None:
    stored = load_card(saved, 2019)
    card = with_household(stored.card, phone="13873600099")
    save_card(card=card, persons=stored.persons, by=people.reshi_officer, household=saved, expected_version=1)
    page = text(cadre.get(f"{LIST}{saved.pk}/?tab={tab}"))
    numbers = [row.person.id_number for row in saved.memberships.all()]
    assert not any(number in page for number in [*numbers, "13873600001", "13873600099"])


def test_a_number_is_shown_on_request_and_the_look_is_logged(cadre: Client, saved: Household) -> None:
    person = saved.memberships.get(relation="户主").person
    answer = confirmed(cadre).post(
        f"{LIST}{saved.pk}/reveal/", {"attribute": "id_number", "person": person.pk}, headers={"HX-Request": "true"}
    )
    assert person.id_number in text(answer)
    event = Event.objects.get(verb="households.reveal")
    assert (event.target_id, event.facts) == (str(person.pk), {"field": "id_number"})


@pytest.mark.parametrize("headers", [{"HX-Request": "true"}, {}], ids=["in place", "without scripts"])
def test_a_number_waits_for_the_password_which_goes_along_with_what_was_asked(
    cadre: Client, saved: Household, people: People, headers: dict[str, str]
) -> None:
    people.fengming_cadre.set_password("a-long-sentence-of-mine")
    people.fengming_cadre.save()
    cadre.force_login(people.fengming_cadre, backend="django.contrib.auth.backends.ModelBackend")
    person = saved.memberships.get(relation="户主").person
    address, data = f"{LIST}{saved.pk}/reveal/", {"attribute": "id_number", "person": str(person.pk)}
    for password in ({}, {"password": ""}, {"password": "wrong"}):
        asked = text(cadre.post(address, data | password, headers=headers))
        assert "再次输入密码" in asked and person.id_number not in asked
        assert f'name="person" value="{person.pk}"' in asked and 'name="attribute" value="id_number"' in asked
        assert "wrong" not in asked
    assert not Event.objects.filter(verb="households.reveal").exists()
    shown = cadre.post(address, data | {"password": "a-long-sentence-of-mine"}, headers=headers)
    assert person.id_number in text(shown)
    assert Event.objects.filter(verb="households.reveal").count() == 1
    again = cadre.post(address, data, headers=headers)
    assert person.id_number in text(again)


def test_wrong_passwords_at_a_number_lock_like_those_of_a_login(
    cadre: Client, saved: Household, people: People, settings: Any
) -> None:
    settings.AXES_FAILURE_LIMIT = 2
    people.fengming_cadre.set_password("a-long-sentence-of-mine")
    people.fengming_cadre.save()
    cadre.force_login(people.fengming_cadre, backend="django.contrib.auth.backends.ModelBackend")
    person = saved.memberships.get(relation="户主").person
    data = {"attribute": "id_number", "person": str(person.pk)}
    for password in ("wrong", "wrong", "a-long-sentence-of-mine"):
        answer = text(cadre.post(f"{LIST}{saved.pk}/reveal/", data | {"password": password}))
    assert "登录暂停" in answer and person.id_number not in answer
    assert not Event.objects.filter(verb="households.reveal").exists()


@pytest.mark.parametrize("data", [{"attribute": "password"}, {"attribute": "phone", "person": "0"}, {}])
def test_nothing_else_can_be_asked_for(cadre: Client, saved: Household, data: dict) -> None:
    assert cadre.post(f"{LIST}{saved.pk}/reveal/", data).status_code == 404
    assert reads() == []


def test_the_history_tells_who_when_and_what(cadre: Client, saved: Household, people: People) -> None:
    stored = load_card(saved, 2019)
    card = with_sheet(stored.card, pigs=9)
    save_card(card=card, persons=stored.persons, by=people.reshi_officer, household=saved, expected_version=1)
    set_status(household=saved, status="registered", by=people.taoyuan_office, reason="list 7")
    page = " ".join(text(cadre.get(f"{LIST}{saved.pk}/?tab=history")).split())
    assert all(word in page for word in ("热市镇专干", "生猪存栏", "<del>2</del>", "<ins>9</ins>", "未建档 → 建档立卡"))


def test_yellow_findings_stand_on_the_card(cadre: Client, people: People) -> None:
    card = save_card(card=a_card(sheet={"house_area": None}), by=people.fengming_cadre)
    assert "住房面积没有填写" in text(cadre.get(f"{LIST}{card.pk}/"))


def test_a_reader_without_the_right_to_edit_gets_no_button(
    saved: Household, people: People, as_user: Callable[..., Client]
) -> None:
    assert f"{LIST}{saved.pk}/edit/" not in text(as_user(people.inspector).get(f"{LIST}{saved.pk}/"))
    assert as_user(people.inspector).get(f"{LIST}{saved.pk}/edit/").status_code == 403


def test_an_earlier_year_is_shown_as_it_was(cadre: Client, saved: Household, people: People) -> None:
    stored = load_card(saved, 2019)
    card = with_sheet(stored.card, year=2020, house_area=45)
    save_card(card=card, persons=stored.persons, by=people.fengming_cadre, household=saved, expected_version=1)
    assert "45 平方米" in text(cadre.get(f"{LIST}{saved.pk}/?tab=conditions"))
    assert "90 平方米" in text(cadre.get(f"{LIST}{saved.pk}/?tab=conditions&year=2019"))
