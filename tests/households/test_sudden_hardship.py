"""Hard times within a year: what each rule tells and what only looks like it; from cards and registers to leads."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from households.domain.detection.sudden_hardship import hardships
from households.lead_messages import sentence
from households.models import MemberSheet, Membership, Sheet, VillageCard
from households.services import hardship_leads
from households.services.index_versions import load_default_versions
from tests.factories import make_household
from tests.households.registers import take, text_table
from tests.personas import FENGMING, TAOYUAN

MONITORING = 4827.0
# A household of four that lives on 48,000 yuan in both years and owes no bills.
STEADY = {
    "members": 4, "net": 48_000, "wage": 40_000, "business": 10_000, "expenses": 4_000, "bills": 500, "unsafe": 0,
    "members_before": 4, "net_before": 48_000, "wage_before": 40_000, "business_before": 10_000,
    "expenses_before": 4_000, "bills_before": 500, "unsafe_before": 0, "disaster": 0, "died": 0, "workers": 2,
}  # fmt: skip
NO_SHEET = {name: np.nan for name in STEADY if name.endswith("_before")}


def told(**changes) -> dict[str, float]:
    cards = pd.DataFrame([{"household_id": 7, **STEADY, **changes}])
    return hardships(cards, MONITORING).set_index("rule")["score"].to_dict()


@pytest.mark.parametrize(
    ("changes", "rules"),
    [
        ({}, []),
        ({"bills": 40_000}, ["hardship_bills"]),
        ({"bills": 40_000, **NO_SHEET}, ["hardship_bills"]),
        ({"bills": 20_000}, []),  # 7,000 a head are left
        ({"bills": 40_000, "bills_before": 38_000}, []),  # of many years
        ({"net": 20_000, "bills": 2_000, "net_before": 20_000, "bills_before": 0}, []),  # near the line, small bills
        ({"died": 1, "members": 3, "net": 25_000, "wage": 20_000}, ["hardship_death"]),
        ({"died": 1, "members": 3, "net": 36_000}, []),  # as much a head as before
        ({"disaster": 1, "unsafe": 1}, ["hardship_disaster"]),
        ({"disaster": 1, "unsafe": 1, "unsafe_before": 1}, []),  # unsafe before the flood
        ({"unsafe": 1}, []),  # no disaster in the village
        ({"disaster": 1, "business": 1_000, "net": 36_000}, ["hardship_disaster"]),
        ({"disaster": 1, "business": 1_000, "net": 46_000}, []),  # half the harvest, a small part of the living
        ({"net": 24_000, "wage": 14_000}, ["hardship_falling"]),
        ({"net": 24_000, "net_before": 60_000}, []),  # money that came once
        ({"net": 24_000, "wage": 14_000, **NO_SHEET}, []),
        ({"net": 18_000, "wage": 8_000}, []),  # below the monitoring line: told as marginal
        ({"net": 90_000, "wage": 80_000, "net_before": 190_000, "wage_before": 180_000}, []),  # lives well all the same
    ],
)
def test_each_rule_tells_what_it_says_and_leaves_what_only_looks_like_it(changes, rules):
    assert sorted(told(**changes)) == rules


def test_the_deeper_below_the_line_the_bills_take_it_the_surer():
    assert told(bills=47_000)["hardship_bills"] > told(bills=31_000)["hardship_bills"] >= 0.6


@pytest.fixture
def two_years(db):
    """A household of three that nobody helps, with sheets of 2018 and 2019."""
    load_default_versions()
    card = make_household(FENGMING, members=3, wage_income=40_000, medical_cost=30_000)
    sheet = card.sheets.get()
    last = Sheet.objects.get(pk=sheet.pk)
    last.pk, last.year, last.medical_cost = None, 2018, 0
    last.save()
    for row in MemberSheet.objects.filter(sheet=sheet):
        row.pk, row.sheet, row.work_place, row.work_months = None, last, "省外务工", 9
        row.save()
    return card


def rules_of(card):
    first, last = FENGMING, FENGMING
    return {hit.rule: hit for hit in hardship_leads.hits(first=first, last=last, year=2019) if hit.household == card.pk}


def test_a_household_that_pays_for_a_hospital_is_told_with_its_figures(two_years):
    hit = rules_of(two_years)["hardship_bills"]
    assert sentence(hit.rule, hit.parameters) == (
        "2019 年度人均纯收入1.3万元，上一年度1.3万元，当年自付医疗支出3.0万元，扣除后低于监测线，没有帮扶。"
    )


@pytest.mark.parametrize("status", ["registered", "proposed", "returned", "closed"])
def test_who_is_helped_already_is_no_case(two_years, status):
    two_years.status = status
    two_years.save(update_fields=["status"])
    assert rules_of(two_years) == {}


def test_an_earner_who_died_is_told_by_the_cards_own_event_and_one_who_married_is_not(two_years):
    member = two_years.memberships.get(position=1)
    Sheet.objects.filter(household=two_years, year=2019).update(net_income=16_000, members_counted=2, medical_cost=0)
    ended = Membership.objects.filter(pk=member.pk)
    ended.update(until=date(2019, 3, 1), end_reason="died")
    assert list(rules_of(two_years)) == ["hardship_death"]
    ended.update(end_reason="married_out")
    assert rules_of(two_years) == {}
    ended.update(end_reason="died", until=date(2018, 9, 30))  # of the year before
    assert rules_of(two_years) == {}


def test_an_earner_of_whom_only_a_register_knows_the_death_is_told(two_years):
    member = two_years.memberships.get(position=1)
    Sheet.objects.filter(household=two_years, year=2019).update(net_income=16_000, members_counted=2, medical_cost=0)
    Membership.objects.filter(pk=member.pk).update(until=date(2019, 3, 5), end_reason="removed")
    assert rules_of(two_years) == {}
    rows = [["证件号码", "死亡日期"], [member.person.id_number, "2019-03-01"]]
    take(text_table(*rows), kind="death", source="公安局")
    assert list(rules_of(two_years)) == ["hardship_death"]


def test_a_house_lost_in_a_year_of_flood_is_told(two_years):
    Sheet.objects.filter(household=two_years, year=2019).update(unsafe_house=True, medical_cost=0)
    VillageCard.objects.create(village_id=FENGMING, year=2019, disasters=["无"])
    assert rules_of(two_years) == {}
    VillageCard.objects.update(disasters=["洪涝"])
    assert list(rules_of(two_years)) == ["hardship_disaster"]


def test_leads_of_hardship_are_kept_with_the_others_of_a_county(two_years):
    from households.models import Finding
    from households.services import detection

    detection.keep(division=TAOYUAN, year=2019)
    assert Finding.objects.of_leads().get(household=two_years, kind="sudden_hardship").code == "hardship_bills"
