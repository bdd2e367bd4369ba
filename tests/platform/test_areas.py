"""Rows of people are seen through posts and grants alone."""

from datetime import timedelta

import pytest
from django.utils import timezone

from changde.accounts.models import User
from changde.accounts.roles import Role
from changde.accounts.services import close_post, grant_household, open_post
from changde.divisions.models import Division
from households.models import Household
from tests.factories import make_household
from tests.personas import FENGMING, OTHER_VILLAGE, TAOYUAN, WULING_VILLAGE


def seen_by(user: User) -> set[int]:
    return set(Household.objects.visible_to(User.objects.get(pk=user.pk)).values_list("village_id", flat=True))


@pytest.fixture
def three_villages(people):
    return [make_household(village) for village in (FENGMING, OTHER_VILLAGE, WULING_VILLAGE)]


def test_a_village_cadre_sees_the_village(people, three_villages):
    assert seen_by(people.fengming_cadre) == {FENGMING}


def test_a_township_officer_sees_the_township(people, three_villages):
    assert seen_by(people.reshi_officer) == {FENGMING, OTHER_VILLAGE}


def test_the_city_sees_all(people, three_villages):
    assert seen_by(people.city_office) == {FENGMING, OTHER_VILLAGE, WULING_VILLAGE}


def test_no_post_sees_nothing(people, three_villages):
    assert seen_by(people.no_post) == set()


def test_an_administrator_sees_no_cards(people, three_villages):
    assert seen_by(people.account_admin) == set()


def test_a_post_taken_away_is_gone_at_once(people, three_villages):
    close_post(post=people.fengming_cadre.posts.get(), by=None)
    assert seen_by(people.fengming_cadre) == set()


def test_a_post_that_begins_tomorrow_gives_nothing_today(people, three_villages):
    open_post(
        user=people.no_post,
        role=Role.COUNTY_OFFICE,
        division=Division.objects.get(code=TAOYUAN),
        by=None,
        since=timezone.localdate() + timedelta(days=1),
    )
    assert seen_by(people.no_post) == set()


def test_a_grant_opens_one_household_to_a_helper_whose_post_opens_no_area(people, three_villages):
    open_post(user=people.no_post, role=Role.HELPER, division=Division.objects.get(code=OTHER_VILLAGE), by=None)
    helper = User.objects.get(pk=people.no_post.pk)
    grant_household(user=helper, household_id=three_villages[2].pk, area=WULING_VILLAGE, reason="pairing", by=None)
    assert seen_by(helper) == {WULING_VILLAGE}
