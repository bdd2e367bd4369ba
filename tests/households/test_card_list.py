"""Finding cards: every filter, the orders, chosen columns, kept filters, the search box."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import pytest
from django.http import QueryDict
from django.test import Client
from django.utils import timezone

from changde.accounts.models import Grant
from changde.accounts.roles import Role
from changde.accounts.services import create_user, open_post
from changde.divisions.models import Division
from households.filters import ORDERS
from households.models import ColumnChoice, Finding, Household, MemberSheet, Membership, Person, Result, SavedFilter
from households.services.cards import save_card
from households.services.index_versions import load_default_versions
from households.services.results import recompute_households
from tests.factories import make_household
from tests.households.cards import a_card, a_member, a_wife
from tests.personas import FENGMING, OTHER_VILLAGE, TAOYUAN, WULING_VILLAGE, People

LIST = "/households/"


@pytest.fixture
def cadre(people: People, as_user: Callable[..., Client]) -> Client:
    return as_user(people.fengming_cadre)


def heads(answer: Any) -> list[str]:
    """The heads of the rows, in their order."""
    return [card.head_name for card in answer.context["page"]]


def text(answer: Any) -> str:
    return answer.content.decode()


# -- filters ------------------------------


@pytest.fixture
def four(people: People) -> dict[str, Household]:
    """Four households that differ in everything one can ask for."""
    made = {
        "王一": make_household(FENGMING, head="王一", attribute="五保户", exit_flag="已脱贫", entered_by="陈会计"),
        "李二": make_household(FENGMING, head="李二", main_cause="因病", wage_income=9000, entered_by="陈主任"),
        "张三": make_household(FENGMING, head="张三", wage_income=3000, members=2),
        "赵四": make_household(FENGMING, head="赵四", status="registered", wage_income=60000),
    }
    Household.objects.filter(pk=made["李二"].pk).update(group="2组")
    Household.objects.exclude(pk=made["张三"].pk).update(changed_at=timezone.make_aware(datetime(2024, 5, 1, 12)))
    MemberSheet.objects.filter(sheet__household=made["王一"]).update(health=["残疾", "长期慢性病"], labour="丧失劳动力")
    MemberSheet.objects.filter(sheet__household=made["李二"]).update(health=["患有大病"])
    kind = Finding.Kind.DUPLICATE_NUMBER
    Finding.objects.create(household=made["赵四"], village_id=FENGMING, kind=kind, blocks=True)
    Finding.objects.create(household=made["张三"], village_id=FENGMING, kind=kind, blocks=False)
    load_default_versions()
    recompute_households(households=[card.pk for card in made.values()], year=2019)
    Result.objects.filter(household=made["张三"]).update(stale=True)
    Result.objects.filter(household=made["李二"]).update(guarantee_gap=True)
    Result.objects.filter(household=made["赵四"]).update(excluded=True)
    return made


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ({}, {"王一", "李二", "张三", "赵四"}),
        ({"group": "2组"}, {"李二"}),
        ({"attribute": "五保户"}, {"王一"}),
        ({"cause": "因病"}, {"李二"}),
        ({"exit_flag": "已脱贫"}, {"王一"}),
        ({"outcome": "not_poor"}, {"李二", "赵四"}),
        ({"flag": "guarantee_gap"}, {"李二"}),
        ({"flag": "excluded"}, {"赵四"}),
        ({"flag": "verify"}, {"赵四"}),
        ({"flag": "stale"}, {"张三"}),
        ({"health": "残疾"}, {"王一"}),
        ({"health": "患有大病"}, {"李二"}),
        ({"labour": "丧失劳动力"}, {"王一"}),
        ({"labour": "none"}, {"王一"}),
        ({"income_min": "1500"}, {"李二", "张三", "赵四"}),
        ({"income_max": "1500"}, {"王一", "张三"}),
        ({"income_min": "1500", "income_max": "9000"}, {"李二", "张三"}),
        ({"changed_since": "2024-05-02"}, {"张三"}),
        ({"changed_since": "2024-05-01"}, {"王一", "李二", "张三", "赵四"}),
        ({"entered_by": "陈"}, {"王一", "李二"}),
        ({"status": "registered", "flag": "verify"}, {"赵四"}),
        ({"attribute": "五保户", "cause": "因病"}, set()),
    ],
)
def test_each_filter_shows_the_cards_it_names(
    cadre: Client, four: dict[str, Household], query: dict[str, str], shown: set[str]
) -> None:
    assert set(heads(cadre.get(LIST, query))) == shown


def test_chips_say_what_is_on_and_each_takes_off_one(cadre: Client, four: dict[str, Household]) -> None:
    answer = cadre.get(LIST, {"cause": "因病", "income_min": "1500", "order": "income"})
    chips = answer.context["chips"]
    assert [chip["text"] for chip in chips] == ["主要致贫原因：因病", "人均纯收入不低于（元）：1500", "全部去掉"]
    without_cause = cadre.get(LIST + chips[0]["href"])
    assert heads(without_cause) == ["张三", "李二", "赵四"]
    assert [chip["text"] for chip in without_cause.context["chips"]] == ["人均纯收入不低于（元）：1500"]
    assert "order=income" in chips[2]["href"] and "cause" not in chips[2]["href"]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"income_min": "9000", "income_max": "100"}, "上限低于下限"),
        ({"income_min": "很多"}, "field-error"),
        ({"changed_since": "昨天"}, "field-error"),
        ({"changed_since": "0001-01-01"}, "field-error"),
        ({"entered_by": "x\0y"}, "field-error"),
    ],
)
def test_what_cannot_be_read_is_told_at_its_field(
    cadre: Client, four: dict[str, Household], query: dict[str, str], words: str
) -> None:
    answer = cadre.get(LIST, query)
    assert answer.status_code == 200 and words in text(answer)


# -- orders and pages ------------------------------


@pytest.mark.parametrize(
    ("order", "shown"),
    [
        ("", ["李二", "王一", "张三", "赵四"]),
        ("income", ["王一", "张三", "李二", "赵四"]),
        ("number", ["王一", "李二", "张三", "赵四"]),
        ("nonsense", ["李二", "王一", "张三", "赵四"]),
    ],
)
def test_the_orders(cadre: Client, four: dict[str, Household], order: str, shown: list[str]) -> None:
    assert heads(cadre.get(LIST, {"order": order})) == shown


def test_the_card_changed_last_comes_first(cadre: Client, four: dict[str, Household]) -> None:
    assert heads(cadre.get(LIST, {"order": "changed"}))[0] == "张三"


@pytest.mark.parametrize("order", [order for order, _label in ORDERS])
def test_pages_of_every_order_follow_without_gap_or_double_and_lead_back(
    people: People, as_user: Callable[..., Client], monkeypatch: pytest.MonkeyPatch, order: str
) -> None:
    made = {
        make_household(village, head=f"户{index}", wage_income=index // 2 * 100).pk
        for index in range(5)
        for village in (FENGMING, OTHER_VILLAGE)
    }
    monkeypatch.setattr("households.views.cards.PAGE_SIZE", 4)
    client = as_user(people.taoyuan_office)
    pages = [client.get(LIST, {"order": order})]
    for _ in range(2):
        pages.append(client.get(LIST, {"order": order, "after": pages[-1].context["page"].next}))
    seen = [[card.pk for card in page.context["page"]] for page in pages]
    assert (len(sum(seen, [])), set(sum(seen, []))) == (10, made)
    back = client.get(LIST, {"order": order, "before": pages[2].context["page"].previous})
    assert [card.pk for card in back.context["page"]] == seen[1]


def test_fifty_rows_cost_the_queries_of_one(cadre: Client, django_assert_max_num_queries: Any) -> None:
    ColumnChoice.objects.create(
        user_id=cadre.session["_auth_user_id"], columns=["flags", "outcome", "net_income", "entered_by", "changed_at"]
    )
    for index in range(50):
        make_household(FENGMING, head=f"户{index}", main_cause="因病")
    query = {"cause": "因病", "income_max": "99", "labour": "普通劳动力", "order": "income"}
    with django_assert_max_num_queries(24):
        assert len(heads(cadre.get(LIST, query))) == 50


# -- columns ------------------------------


def test_chosen_columns_are_shown_and_remembered_for_the_person_alone(
    cadre: Client, four: dict[str, Household], people: People, as_user: Callable[..., Client]
) -> None:
    answer = cadre.post("/households/columns/", {"column": ["attribute", "wage_income", "junk"], "query": "cause=因病"})
    assert answer.url == f"{LIST}?{urlencode({'cause': '因病'})}"
    assert [column.name for column in cadre.get(LIST).context["columns"]] == ["attribute", "wage_income"]
    assert "五保户" in text(cadre.get(LIST)).partition('id="cards"')[2]
    assert "number" in [column.name for column in as_user(people.fengming_team).get(LIST).context["columns"]]
    cadre.post("/households/columns/", {"standard": "1", "column": ["attribute"]})
    assert "per_capita_income" in [column.name for column in cadre.get(LIST).context["columns"]]


# -- kept filters ------------------------------


def kept(client: Client, name: str = "因病户", **fields: str) -> SavedFilter:
    client.post("/households/filters/keep/", {"name": name, "query": "cause=因病&after=x&find=y", **fields})
    return SavedFilter.objects.latest("pk")


def test_a_filter_is_kept_without_page_and_search_and_opens_from_the_list(
    cadre: Client, four: dict[str, Household]
) -> None:
    mine = kept(cadre)
    assert QueryDict(mine.query).dict() == {"cause": "因病"}
    assert f'href="{LIST}?{mine.query}"' in text(cadre.get(LIST))
    assert heads(cadre.get(f"{LIST}?{mine.query}")) == ["李二"]


def test_colleagues_of_the_same_office_see_a_shared_filter_and_nobody_else(
    cadre: Client, people: People, as_user: Callable[..., Client]
) -> None:
    make_household(FENGMING)
    kept(cadre, name="只给自己")
    shared = kept(cadre, name="大家的", shared="on")
    assert "大家的" in text(as_user(people.fengming_team).get(LIST))
    assert "只给自己" not in text(as_user(people.fengming_team).get(LIST))
    for other in (people.reshi_officer, people.other_cadre, people.taoyuan_office):
        assert "大家的" not in text(as_user(other).get(LIST))
    team = as_user(people.fengming_team)
    assert team.post(f"/households/filters/{shared.pk}/delete/").status_code == 404
    assert team.post(f"/households/filters/{shared.pk}/", {"name": "x"}).status_code == 404


def test_a_filter_is_renamed_deleted_and_taken_back(cadre: Client) -> None:
    make_household(FENGMING)
    mine = kept(cadre)
    cadre.post(f"/households/filters/{mine.pk}/", {"name": "大病户", "shared": "on"})
    mine.refresh_from_db()
    assert (mine.name, mine.shared) == ("大病户", True)
    answer = cadre.post(f"/households/filters/{mine.pk}/delete/", headers={"HX-Request": "true"})
    toast = json.loads(answer.headers["HX-Trigger"])["toasts"]["toasts"][0]
    assert "大病户" not in text(cadre.get(LIST))
    cadre.post(toast["undo"])
    assert "大病户" in text(cadre.get(LIST))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": "因病户", "query": "cause=因病"}, "已有同名"),
        ({"name": "空的", "query": "after=x"}, "没有筛选条件"),
        ({"name": "  ", "query": "cause=因病"}, "field-error"),
    ],
)
def test_a_filter_that_cannot_be_kept_is_told_why(cadre: Client, fields: dict[str, str], words: str) -> None:
    kept(cadre)
    answer = cadre.post("/households/filters/keep/", fields)
    assert answer.status_code == 422 and words in text(answer)
    assert SavedFilter.objects.count() == 1


# -- the search box ------------------------------


def found(client: Client, typed: str) -> Any:
    return client.post("/search/", {"q": typed}, follow=True)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("李秀", "按姓名查找：户主或家庭成员的姓名以“李秀”开头"),
        ("lxy", "按拼音查找"),
        ("li xiu", "按拼音查找"),
        ("990725", "按户编号查找：户编号以“990725”开头"),
    ],
)
def test_a_household_is_found_by_a_member_and_the_page_says_how_it_read_the_text(
    cadre: Client, people: People, typed: str, words: str
) -> None:
    save_card(card=a_card(a_member(), a_wife(), number="99072510320200001"), by=people.fengming_cadre)
    make_household(FENGMING, head="王五")
    answer = found(cadre, typed)
    assert heads(answer)[:1] == ["张建华"] and words in text(answer)


def test_the_member_by_whom_a_card_was_found_is_named(cadre: Client, people: People) -> None:
    save_card(card=a_card(a_member(), a_wife()), by=people.fengming_cadre)
    assert "成员：李秀英" in text(found(cadre, "李秀"))
    assert "成员：" not in text(found(cadre, "张建"))


def test_a_member_who_left_finds_the_card_no_more(cadre: Client, people: People) -> None:
    card = save_card(card=a_card(a_member(), a_wife()), by=people.fengming_cadre)
    Membership.objects.filter(household=card, relation="配偶").update(until=timezone.localdate())
    assert heads(found(cadre, "李秀")) == []


def test_search_and_filters_narrow_one_another(cadre: Client, four: dict[str, Household]) -> None:
    address = cadre.post("/search/", {"q": "王"}).url
    assert heads(cadre.get(address)) == ["王一"]
    assert heads(cadre.get(f"{address}&cause=因病")) == []


def test_closed_cards_are_searched_when_asked_for(cadre: Client, people: People) -> None:
    make_household(FENGMING, head="王五", status="closed")
    address = cadre.post("/search/", {"q": "王"}).url
    assert heads(cadre.get(address)) == []
    assert heads(cadre.get(f"{address}&status=closed")) == ["王五"]


@pytest.mark.parametrize("order", [order for order, _label in ORDERS])
def test_pages_of_a_search_hold_each_card_once_and_count_to_the_limit(
    people: People, as_user: Callable[..., Client], monkeypatch: pytest.MonkeyPatch, order: str
) -> None:
    """Every card has two members of the name that is looked for."""
    made = {
        make_household(village, head=f"王{index}", members=2, wage_income=index * 100).pk
        for index in range(5)
        for village in (FENGMING, OTHER_VILLAGE)
    }
    Person.objects.update(name="王五", initials="ww", pinyin="wang wu")
    make_household(OTHER_VILLAGE, head="李四")
    monkeypatch.setattr("households.views.cards.PAGE_SIZE", 4)
    monkeypatch.setattr("households.selectors.card_list.COSTLY_COUNT_LIMIT", 9)
    client = as_user(people.taoyuan_office)
    for typed in ("王", "w", "wang w"):
        address = f"{client.post('/search/', {'q': typed}).url}&order={order}"
        pages = [client.get(address)]
        for _ in range(2):
            pages.append(client.get(f"{address}&{urlencode({'after': pages[-1].context['page'].next})}"))
        seen = [[card.pk for card in page.context["page"]] for page in pages]
        assert (len(sum(seen, [])), set(sum(seen, []))) == (10, made)
        back = client.get(f"{address}&{urlencode({'before': pages[2].context['page'].previous})}")
        assert [card.pk for card in back.context["page"]] == seen[1]
        assert "超过 9 户" in text(pages[0])


def test_a_search_finds_nobody_outside_the_area(
    people: People, as_user: Callable[..., Client], four: dict[str, Household]
) -> None:
    make_household(WULING_VILLAGE, head="王九")
    assert heads(found(as_user(people.fengming_cadre), "王")) == ["王一"]
    assert heads(found(as_user(people.city_office), "王")) == ["王九", "王一"]


def test_a_household_granted_alone_is_found_and_its_neighbours_are_not(
    people: People, as_user: Callable[..., Client]
) -> None:
    granted = make_household(OTHER_VILLAGE, head="王八")
    make_household(OTHER_VILLAGE, head="王七")
    helper = create_user(username="helper", name="帮扶人", password=None, by=None)
    open_post(user=helper, role=Role.HELPER, division=Division.objects.get(code=TAOYUAN), by=None)
    Grant.objects.create(user=helper, household_id=granted.pk)
    assert heads(found(as_user(helper), "王")) == ["王八"]


def test_what_is_looked_up_card_by_card_is_counted_to_a_limit_in_a_county_and_to_the_end_in_a_village(
    people: People, as_user: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    for index in range(3):
        make_household(FENGMING, head=f"户{index}", attribute="五保户")
    monkeypatch.setattr("households.views.cards.PAGE_SIZE", 1)
    monkeypatch.setattr("households.selectors.card_list.COSTLY_COUNT_LIMIT", 2)
    county, village = as_user(people.taoyuan_office), as_user(people.fengming_cadre)
    assert "超过 2 户" in text(county.get(LIST, {"attribute": "五保户"}))
    assert "3 户" in text(village.get(LIST, {"attribute": "五保户"}))
    assert "3 户" in text(county.get(LIST, {"status": "unregistered"}))


def test_closed_cards_without_labour_are_found_when_asked_for(cadre: Client, people: People) -> None:
    for head, status in (("王五", "closed"), ("王六", "registered")):
        card = make_household(FENGMING, head=head, status=status)
        MemberSheet.objects.filter(sheet__household=card).update(labour="无劳动力")
    assert heads(cadre.get(LIST, {"labour": "none"})) == ["王六"]
    assert heads(cadre.get(LIST, {"labour": "none", "status": "registered"})) == ["王六"]
    assert heads(cadre.get(LIST, {"labour": "none", "status": "closed"})) == ["王五"]
