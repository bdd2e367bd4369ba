"""The copy behind the list of cards says what its sources say, whoever changed them and however."""

import io
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.http import QueryDict

from changde.divisions.models import Division
from households.filters import ABLE, LABOUR, NO_LABOUR
from households.models import (
    Household,
    HouseholdStatus,
    ListedCard,
    ListedMember,
    ListedWithoutLabour,
    MemberSheet,
    Membership,
    Person,
    Result,
    Sheet,
)
from households.selectors.card_list import card_list
from households.selectors.listed import differing_households
from households.services import index_runs, results
from households.services.index_versions import load_default_versions
from households.services.listed_cards import list_all
from tests.factories import make_household
from tests.personas import CITY, FENGMING, OTHER_VILLAGE, RESHI, WULING_VILLAGE

POOR, RICH = Decimal(100), Decimal(90_000)


@pytest.fixture
def cards(db) -> list[Household]:
    """Four judged households: poor and rich in one township, poor in another county, rich and closed."""
    load_default_versions()
    made = [
        make_household(FENGMING, wage_income=POOR, main_cause="因病"),
        make_household(OTHER_VILLAGE, wage_income=RICH, main_cause="因学"),
        make_household(WULING_VILLAGE, wage_income=POOR, main_cause="因病"),
        make_household(FENGMING, wage_income=RICH, status=HouseholdStatus.CLOSED),
    ]
    run_over(CITY)
    return made


def run_over(code: int) -> None:
    division = Division.objects.get(code=code)
    index_runs.compute_run(run=index_runs.start_run(division=division, year=2019, by=None, in_background=False))


def listed() -> list[tuple[int, str, str]]:
    rows = ListedCard.objects.filter(year=2019).order_by("household")
    return list(rows.values_list("household_id", "cause", "outcome"))


def names_listed() -> list[tuple[int, int, str]]:
    rows = ListedMember.objects.order_by("village_id", "head_pinyin", "person")
    return list(rows.values_list("household_id", "village_id", "name"))


def persons_of(card: Household):
    return Person.objects.filter(memberships__household=card)


def members_of(card: Household):
    return MemberSheet.objects.filter(sheet__household=card)


def sheet_of(card: Household):
    return Sheet.objects.filter(household=card)


def test_every_open_card_is_listed_with_the_outcome_its_township_shows(cards):
    assert listed() == [
        (cards[0].pk, "因病", "absolute"),
        (cards[1].pk, "因学", "not_poor"),
        (cards[2].pk, "因病", "absolute"),
    ]
    assert differing_households() == []


CHANGES = {
    "another cause": lambda card: sheet_of(card).update(main_cause="因残"),
    "a sheet of another year": lambda card: Sheet.objects.create(household=card, village_id=FENGMING, year=2020),
    "another head": lambda card: Household.objects.filter(pk=card.pk).update(head_pinyin="li si"),
    "a move": lambda card: Household.objects.filter(pk=card.pk).update(village_id=WULING_VILLAGE),
    "closed": lambda card: Household.objects.filter(pk=card.pk).update(status="closed"),
    "a card recomputed alone": lambda card: (
        sheet_of(card).update(net_income=RICH, wage_income=RICH),
        results.recompute_household(household=card.pk, year=2019),
    ),
    "no result": lambda card: Result.objects.filter(household=card).delete(),
    "a run of the township": lambda card: (sheet_of(card).update(net_income=RICH, wage_income=RICH), run_over(RESHI)),
    "no sheet": lambda card: (MemberSheet.objects.filter(sheet__household=card).delete(), sheet_of(card).delete()),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_the_copy_follows_its_sources(cards, change):
    before = list(ListedCard.objects.order_by("pk").values())
    change(cards[0])
    assert list(ListedCard.objects.order_by("pk").values()) != before
    assert differing_households() == []


def test_every_member_of_an_open_card_is_listed(cards):
    members = Membership.objects.exclude(household=cards[3]).values_list(
        "household", "household__village", "person__name"
    )
    assert sorted(names_listed()) == sorted(members)
    assert len(names_listed()) == 3


MEMBERS_CHANGE = {
    "another name": lambda card, other: persons_of(card).update(name="赵云", pinyin="zhao yun", initials="zy"),
    "another head": lambda card, other: Household.objects.filter(pk=card.pk).update(head_pinyin="li si"),
    "a move": lambda card, other: Household.objects.filter(pk=card.pk).update(village_id=WULING_VILLAGE),
    "closed": lambda card, other: Household.objects.filter(pk=card.pk).update(status="closed"),
    "a member who left": lambda card, other: card.memberships.update(until="2026-01-01"),
    "a member of another card": lambda card, other: card.memberships.update(household=other, relation="长子"),
    "another person": lambda card, other: card.memberships.update(person=Person.objects.create(name="赵云")),
    "a new member": lambda card, other: Membership.objects.create(
        household=card, person=Person.objects.create(name="赵云"), relation="长子"
    ),
    "no member": lambda card, other: card.memberships.all().delete(),
}


@pytest.mark.parametrize("change", MEMBERS_CHANGE.values(), ids=MEMBERS_CHANGE)
def test_the_names_follow_their_sources(cards, change):
    before = names_listed()
    keys = list(ListedMember.objects.order_by("pk").values_list("head_pinyin", flat=True))
    change(cards[0], cards[1])
    after = list(ListedMember.objects.order_by("pk").values_list("head_pinyin", flat=True))
    assert (names_listed(), after) != (before, keys)
    assert differing_households() == []


def without_labour() -> list[tuple[int, int, int, str]]:
    rows = ListedWithoutLabour.objects.order_by("pk")
    return list(rows.values_list("household_id", "year", "village_id", "head_pinyin"))


@pytest.mark.parametrize("labour", ["", *(value for value, _label in LABOUR if value != NO_LABOUR)])
def test_a_household_in_which_nobody_can_work_is_listed(cards, labour):
    members_of(cards[0]).update(labour=labour)
    listed_ = [household for household, *_rest in without_labour()]
    assert listed_ == ([] if labour in ("", *ABLE) else [cards[0].pk])


LABOUR_CHANGES = {
    "able again": lambda card: members_of(card).update(labour="弱劳动力或半劳动力"),
    "an able member": lambda card: MemberSheet.objects.create(
        sheet=sheet_of(card).get(), person=Person.objects.create(name="赵云"), relation="长子", labour="技能劳动力"
    ),
    "no member": lambda card: members_of(card).delete(),
    "another year": lambda card: sheet_of(card).update(year=2018),
    "another head": lambda card: Household.objects.filter(pk=card.pk).update(head_pinyin="li si"),
    "a move": lambda card: Household.objects.filter(pk=card.pk).update(village_id=WULING_VILLAGE),
    "closed": lambda card: Household.objects.filter(pk=card.pk).update(status="closed"),
}


@pytest.mark.parametrize("change", LABOUR_CHANGES.values(), ids=LABOUR_CHANGES)
def test_households_without_labour_follow_their_sources(cards, change):
    members_of(cards[0]).update(labour="丧失劳动力")
    before = without_labour()
    change(cards[0])
    assert (len(before), without_labour() != before) == (1, True)
    assert differing_households() == []


def test_a_household_without_labour_the_triggers_missed_is_found_and_mended(cards):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL changde.lists_wait = 'on'")
        members_of(cards[0]).update(labour="无劳动力")
        cursor.execute("SET LOCAL changde.lists_wait = 'off'")
    assert differing_households() == [cards[0].pk]
    call_command("list_cards", "--mend", stdout=io.StringIO())
    assert (differing_households(), len(without_labour())) == ([], 1)


def test_after_a_load_everything_is_listed_at_once(cards):
    members_of(cards[0]).update(labour="无劳动力")
    kept = names_listed(), listed(), without_labour()
    for copy in (ListedMember, ListedCard, ListedWithoutLabour):
        copy.objects.all().delete()
    list_all()
    assert (names_listed(), listed(), without_labour()) == kept
    assert differing_households() == []


def test_a_name_the_triggers_missed_is_found_and_mended(cards):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL changde.lists_wait = 'on'")
        persons_of(cards[0]).update(name="赵云")
        cards[1].memberships.all().delete()
        cursor.execute("SET LOCAL changde.lists_wait = 'off'")
    assert differing_households() == [cards[0].pk, cards[1].pk]
    call_command("list_cards", "--mend", stdout=io.StringIO())
    assert differing_households() == []
    assert "赵云" in [name for _household, _village, name in names_listed()]


def test_a_reopened_card_is_listed_again(cards):
    Household.objects.filter(pk=cards[3].pk).update(status="unregistered")
    assert (cards[3].pk, "", "") in listed()
    assert cards[3].pk in [household for household, _village, _name in names_listed()]
    assert differing_households() == []


def test_what_the_triggers_missed_is_found_and_mended(cards):
    """The negative control: without the triggers the copy stays behind."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL changde.lists_wait = 'on'")
        sheet_of(cards[0]).update(main_cause="因残")
        cursor.execute("SET LOCAL changde.lists_wait = 'off'")
    assert differing_households() == [cards[0].pk]
    with pytest.raises(CommandError):
        call_command("list_cards")
    call_command("list_cards", "--mend", stdout=io.StringIO())
    assert differing_households() == []


@pytest.mark.parametrize(
    "query",
    [
        "outcome=absolute",
        "cause=因病",
        "outcome=not_poor&cause=因学",
        "outcome=relative",
        "labour=none",
        "labour=none&cause=因病",
    ],
)
def test_a_page_by_outcome_or_cause_holds_the_cards_of_the_filter_in_their_order(cards, people, query):
    """Asked beside it: the cards as they are found without the copy."""
    MemberSheet.objects.filter(sheet__household__in=cards[:2]).update(labour="无劳动力")
    asked = card_list(people.city_office, Division.objects.get(code=CITY), QueryDict(query))
    page = asked.page({})
    assert [card.pk for card in page.rows] == list(
        asked.cards.order_by("village_id", "head_pinyin", "pk").values_list("pk", flat=True)
    )
    assert page.total.number == len(page.rows)


def test_relative_poverty_by_why_is_asked_of_the_results(cards, people):
    Result.objects.filter(household=cards[1]).update(outcome="relative", below_monitoring_line=True)
    asked = card_list(people.city_office, Division.objects.get(code=CITY), QueryDict("outcome=relative_line"))
    assert [card.pk for card in asked.page({}).rows] == [cards[1].pk]


def test_an_office_lists_the_cards_of_its_own_area_alone(cards, people):
    asked = card_list(people.fengming_cadre, Division.objects.get(code=FENGMING), QueryDict("cause=因病"))
    assert [card.pk for card in asked.page({}).rows] == [cards[0].pk]
