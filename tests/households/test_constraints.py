"""What the database itself refuses, each constraint from both sides."""

from datetime import date

import pytest
from django.db import IntegrityError, transaction

from households.models import Finding, Household, IdentityClaim, MemberSheet, Membership, Sheet, VillageCard
from tests.factories import make_household, make_person
from tests.personas import FENGMING, WULING_VILLAGE

pytestmark = pytest.mark.django_db


@pytest.fixture
def card():
    return make_household(FENGMING, members=2)


def refused(name: str, write) -> None:
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        write()


def test_a_household_number_stands_once(card):
    refused("household_number_once", lambda: Household.objects.create(village_id=FENGMING, number=card.number))


def test_two_households_may_lack_a_number(card):
    Household.objects.create(village_id=FENGMING)
    Household.objects.create(village_id=FENGMING)


def test_an_empty_number_is_none(card):
    refused("household_number_not_empty", lambda: Household.objects.create(village_id=FENGMING, number=""))


def test_one_open_head(card):
    person = make_person("第二户主")
    refused(
        "membership_one_open_head",
        lambda: Membership.objects.create(household=card, person=person, relation=Membership.HEAD),
    )


def test_a_new_head_after_the_old_one_left(card):
    card.memberships.filter(relation=Membership.HEAD).update(until=date(2019, 5, 1), end_reason="died")
    Membership.objects.create(household=card, person=make_person("新户主"), relation=Membership.HEAD)


def test_a_person_is_on_one_card_at_a_time(card):
    other = make_household(WULING_VILLAGE)
    person = card.memberships.last().person
    refused("membership_open_once", lambda: Membership.objects.create(household=other, person=person, relation="其他"))


def test_a_person_may_join_another_card_after_leaving(card):
    other = make_household(WULING_VILLAGE)
    membership = card.memberships.last()
    Membership.objects.filter(pk=membership.pk).update(until=date(2019, 5, 1), end_reason="married out")
    Membership.objects.create(household=other, person=membership.person, relation="之儿媳")


def test_a_number_is_claimed_once_in_the_city(card):
    other = make_household(WULING_VILLAGE)
    claim = card.claims.first()
    refused(
        "identityclaim",
        lambda: IdentityClaim.objects.create(
            number_hash=bytes(claim.number_hash), person=make_person("另一人"), household=other
        ),
    )


def test_one_sheet_a_year(card):
    refused("sheet_once_a_year", lambda: Sheet.objects.create(household=card, village_id=FENGMING, year=2019))


def test_a_sheet_of_another_year(card):
    Sheet.objects.create(household=card, village_id=FENGMING, year=2018)


@pytest.mark.parametrize("column", ["wage_income", "dibao", "production_expenses", "medical_cost"])
def test_a_gross_amount_is_not_negative(card, column):
    refused("sheet_income_not_negative", lambda: card.sheets.update(**{column: -1}))


def test_net_income_may_be_negative(card):
    card.sheets.update(net_income=-1, per_capita_income=-1)


def test_an_area_is_not_negative(card):
    refused("sheet_area_not_negative", lambda: card.sheets.update(forest_land=-1))


def test_irrigated_land_lies_within_cultivated_land(card):
    refused("sheet_irrigated", lambda: card.sheets.update(cultivated_land=2, irrigated_land=3))


def test_unknown_land_refuses_nothing(card):
    card.sheets.update(cultivated_land=None, irrigated_land=3)


@pytest.mark.parametrize("months", [0, 13])
def test_months_away_are_one_to_twelve(card, months):
    refused("member_sheet_months", lambda: MemberSheet.objects.filter(sheet__household=card).update(work_months=months))


def test_monitored_households_have_a_kind_and_others_none(card):
    refused("household_kind_when_monitored", lambda: Household.objects.filter(pk=card.pk).update(status="monitored"))
    refused("household_kind_when_monitored", lambda: Household.objects.filter(pk=card.pk).update(monitored_kind="x"))
    Household.objects.filter(pk=card.pk).update(status="monitored", monitored_kind="marginal")


def test_a_status_is_one_of_the_procedure(card):
    refused("household_status", lambda: Household.objects.filter(pk=card.pk).update(status="rich"))


def test_a_decision_has_who_and_when(card):
    finding = Finding.objects.create(household=card, village_id=FENGMING, kind="yellow_check", code="age-limit")
    refused("finding_decided_who_when", lambda: Finding.objects.filter(pk=finding.pk).update(decision="noted"))


def test_the_same_finding_is_open_once(card):
    Finding.objects.create(household=card, village_id=FENGMING, kind="yellow_check", code="age-limit")
    refused(
        "finding_open_once",
        lambda: Finding.objects.create(household=card, village_id=FENGMING, kind="yellow_check", code="age-limit"),
    )


def test_one_village_card_a_year(card):
    VillageCard.objects.create(village_id=FENGMING, year=2019)
    VillageCard.objects.create(village_id=FENGMING, year=2018)
    refused("village_card_once", lambda: VillageCard.objects.create(village_id=FENGMING, year=2019))


def test_a_number_has_its_hash(card):
    person = card.memberships.first().person
    refused("person_number_and_hash", lambda: type(person).objects.filter(pk=person.pk).update(id_number_hash=None))
