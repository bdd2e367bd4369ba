"""The household's own page and paper say until when, and where, one may object to the lists of its village."""

import pytest
from django.conf import settings

from households.objection_periods import objection_periods
from households.paper import Printed, can_print, card_pdf
from households.selectors.paper import paper_cards
from tests.conftest import login
from tests.factories import make_household
from tests.households.pdf_text import read
from tests.personas import OTHER_VILLAGE
from tests.supervision.conftest import AFTER, MONDAY, YEAR, household


def why(client, household):
    return client.get(f"/households/{household.pk}/why/").content.decode()


def test_a_posted_list_tells_its_last_day_and_where_to_object_to_who_stands_on_it_and_who_does_not(
    first, village, people
):
    client = login(people.fengming_cadre)
    poor, other = why(client, village.poor), why(client, village.not_poor)
    for page in (poor, other):
        assert "最迟 2026-11-30 提意见" in page
        assert "公示期 2026-11-24 至 2026-11-30 24:00" in page
        assert "到热市镇当面提" in page
        assert f"{settings.PUBLIC_URL}/p/{first.public_id}/" in page
    assert ("本户在名单上" in poor, "本户不在名单上" in poor) == (True, False)
    assert ("本户在名单上" in other, "本户不在名单上" in other) == (False, True)


def test_after_the_last_day_the_end_is_told_and_no_longer_who_stood_there(first, village, people, clock):
    clock.move_to(AFTER)
    page = why(login(people.fengming_cadre), village.poor)
    assert "提意见的时间已于 2026-11-30 24:00 截止" in page
    assert ("名单上" in page, "最迟" in page) == (False, False)


def test_a_second_list_stands_beside_the_first(second, village, people):
    [early, late] = objection_periods([village.poor], YEAR)[village.poor.pk]
    assert [(each.over, each.listed) for each in (early, late)] == [(True, None), (False, True)]
    assert late.begins == AFTER.date().replace(day=2)
    assert (late.last_day - late.begins).days == 6


def test_a_draft_another_year_and_another_village_say_nothing(draft, village, people, clock):
    page = why(login(people.fengming_cadre), village.poor)
    assert "截止日期写在公示上" in page
    assert "名单上" not in page
    assert MONDAY.year != YEAR and objection_periods([village.poor], YEAR + 1)[village.poor.pk] == []


def test_a_village_without_a_list_of_its_own_is_not_told_that_of_its_neighbour(first, village):
    neighbour = make_household(OTHER_VILLAGE)
    assert objection_periods([neighbour, village.poor], YEAR)[neighbour.pk] == []


def test_many_households_cost_as_many_queries_as_one(first, village, django_assert_num_queries):
    cards = [village.poor, village.marginal, *(household(f"司马{place}", judged=False) for place in range(4))]
    with django_assert_num_queries(2):
        found = objection_periods(cards, YEAR)
    assert [periods[0].listed for periods in found.values()] == [True, True, False, False, False, False]


@pytest.mark.skipif(not can_print(), reason="no pango")
def test_the_printed_card_names_the_last_day_and_the_address(first, village, people):
    [card] = paper_cards(people.fengming_cadre, [village.poor], YEAR)
    printed = read(card_pdf(card, Printed(by="凤鸣村", at=MONDAY))).text
    assert "最迟 2026-11-30 提意见" in printed.replace("\n", " ").replace("  ", " ")
    assert first.public_id in printed.replace("\n", "")
