"""Needs worked out of stored cards, corrected and withdrawn."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction

from cadres.models import VillageNeed
from cadres.services.needs import correct_need, recompute_needs, withdraw_correction
from changde.accounts.refusal import Refusal
from changde.audit.models import Event
from households.models import MemberSheet, VillageCard
from households.services.status import initial_status
from tests.factories import make_household
from tests.personas import FENGMING, OTHER_VILLAGE, RESHI, TAOYUAN, WULING, WULING_VILLAGE, People

pytestmark = pytest.mark.django_db


def need_of(village: int = FENGMING, division: int = TAOYUAN) -> VillageNeed:
    recompute_needs(division=division, by=None)
    return VillageNeed.objects.get(village_id=village)


def poor(village: int = FENGMING, **values: Any) -> Any:
    return make_household(village, status="registered", **({"main_cause": "因病"} | values))


def counts(need: VillageNeed, part: str) -> dict[str, float]:
    return {row["key"]: row["count"] for row in need.rows if row["part"] == part}


def test_causes_of_registered_households_become_skills() -> None:
    poor(members=2)
    poor(main_cause="因学", other_causes=["因病"])
    make_household(FENGMING, main_cause="缺水")  # not registered: not counted
    need = need_of()
    assert (need.registered_households, need.registered_persons, need.year) == (2, 3, 2019)
    assert counts(need, "cause") == {"因病": 1.5, "因学": 1}
    assert sum(need.weights.values()) == 10_000
    assert need.weights["卫生"] > need.weights["教育"] > need.weights["劳务输出"]


@pytest.mark.parametrize("attribute", ["", "一般农户", "一般贫困户", "低保户", "五保户", "低保贫困户"])
@pytest.mark.parametrize("exit_flag", ["", "未脱贫", "已脱贫", "预脱贫", "返贫"])
def test_before_any_status_the_attributes_stand_in_as_in_the_first_load(attribute: str, exit_flag: str) -> None:
    make_household(FENGMING, attribute=attribute, exit_flag=exit_flag, main_cause="因病")
    need = need_of()
    registered = initial_status(attribute, exit_flag) == "registered"
    assert (need.provisional, need.registered_households) == (True, int(registered))


def test_with_one_status_decided_the_attributes_of_the_village_count_no_more() -> None:
    make_household(FENGMING, attribute="一般贫困户", main_cause="因病")
    make_household(FENGMING, status="exited", main_cause="因病")
    need = need_of()
    assert (need.provisional, need.registered_households) == (False, 0)


def test_missing_guarantees_are_counted_by_household() -> None:
    poor(water_safe=False)
    poor(house_grade="D级", water_difficult=True)
    uninsured = poor(members=3)
    MemberSheet.objects.filter(sheet__household=uninsured).update(residents_insurance=False)
    dropped_out = poor(members=2)
    child = MemberSheet.objects.get(sheet__household=dropped_out, position=1)
    child.person.birth_date = "2008-05-01"
    child.person.save()
    child.education = "小学"
    child.save()
    assert counts(need_of(), "guarantee") == {"饮水安全": 2, "住房安全": 1, "基本医疗": 1, "义务教育": 1}


@pytest.mark.parametrize(
    ("birth", "counted"), [("2013-08-31", 1), ("2013-09-01", 0), ("2003-10-01", 1), ("2003-09-30", 0)]
)
def test_school_age_begins_at_six_by_31_august_and_ends_at_sixteen(birth: str, counted: int) -> None:
    home = poor(members=2)
    MemberSheet.objects.filter(sheet__household=home, position=1).update(education="小学")
    child = MemberSheet.objects.get(sheet__household=home, position=1).person
    child.birth_date = birth
    child.save()
    assert counts(need_of(), "guarantee").get("义务教育", 0) == counted


def test_labour_counts_households_without_an_able_member_and_able_members_without_work() -> None:
    without = poor()
    MemberSheet.objects.filter(sheet__household=without).update(labour="丧失劳动力")
    poor(members=2)
    away = poor()
    MemberSheet.objects.filter(sheet__household=away).update(work_place="省外务工", work_months=10)
    need = need_of()
    assert counts(need, "labour") == {"无劳动力户": 1, "富余劳动力": 2}
    totals = {row["key"]: row["total"] for row in need.rows if row["part"] == "labour"}
    assert totals == {"无劳动力户": 3, "富余劳动力": 3}


def test_the_village_card_gives_population_and_industries() -> None:
    poor()
    VillageCard.objects.create(village_id=FENGMING, year=2018, rural_persons=900, leading_industries=["水稻"])
    VillageCard.objects.create(village_id=FENGMING, year=2019, rural_persons=1000, leading_industries=["茶叶", "生猪"])
    need = need_of()
    assert (need.rural_persons, need.persons_from_cards) == (1000, False)
    assert counts(need, "industry") == {"茶叶": 1, "生猪": 1}


def test_without_a_village_card_the_persons_on_cards_stand_in_and_are_marked() -> None:
    poor(members=2)
    make_household(FENGMING, members=3)
    need = need_of()
    assert (need.rural_persons, need.persons_from_cards) == (5, True)


def test_the_latest_year_of_the_area_is_read() -> None:
    poor(year=2018, main_cause="缺水")
    home = poor(year=2018)
    home.sheets.update(year=2019)
    assert counts(need_of(), "cause") == {"因病": 1}


def test_a_division_reaches_its_own_villages_only() -> None:
    poor()
    poor(WULING_VILLAGE)
    recompute_needs(division=RESHI, by=None)
    assert list(VillageNeed.objects.values_list("village_id", flat=True)) == [FENGMING]


def test_a_division_without_cards_is_refused() -> None:
    with pytest.raises(Refusal, match="户卡"):
        recompute_needs(division=WULING, by=None)


def test_only_what_changed_is_written_again() -> None:
    poor()
    poor(OTHER_VILLAGE)
    assert recompute_needs(division=RESHI, by=None).changed == 2
    assert recompute_needs(division=RESHI, by=None).changed == 0
    poor()
    assert recompute_needs(division=RESHI, by=None).changed == 1


def test_a_thousand_cards_cost_no_more_queries_than_one(django_assert_num_queries: Any) -> None:
    poor()
    poor(OTHER_VILLAGE)
    with django_assert_num_queries(7):  # savepoint, year, facts, stored, insert, event, release
        recompute_needs(division=RESHI, by=None)


HALF = {"卫生": 5000, "水利": 5000}


def test_a_correction_replaces_the_weights_and_outlives_a_new_computation(people: People) -> None:
    poor()
    need = correct_need(need=need_of(), weights=HALF, reason="村里缺水最急", by=people.fengming_cadre)
    assert need.effective == HALF
    poor(main_cause="因学")
    assert need_of().effective == HALF
    event = Event.objects.get(verb="cadres.correct_need")
    assert (event.actor, event.area, event.facts["weights"]) == (people.fengming_cadre, FENGMING, HALF)


def test_a_correction_can_be_withdrawn(people: People) -> None:
    poor()
    need = correct_need(need=need_of(), weights=HALF, reason="试", by=people.reshi_officer)
    need = withdraw_correction(need=need, by=people.fengming_cadre)
    assert need.effective == need.weights
    with pytest.raises(Refusal, match="没有修正过"):
        withdraw_correction(need=need, by=people.fengming_cadre)


@pytest.mark.parametrize(
    ("weights", "reason", "words"),
    [
        (HALF, "  ", "理由"),
        ({"卫生": 9000}, "少了", "100 %"),
        ({"卫生": 12_000, "水利": -2000}, "负", "不能为负"),
        ({"炼丹": 10_000}, "不在表内", "所列技能"),
    ],
)
def test_a_correction_without_sense_is_refused(people: People, weights: dict, reason: str, words: str) -> None:
    poor()
    with pytest.raises(Refusal, match=words):
        correct_need(need=need_of(), weights=weights, reason=reason, by=people.fengming_cadre)


def test_another_village_cannot_correct(people: People) -> None:
    poor()
    with pytest.raises(Refusal, match="本辖区"):
        correct_need(need=need_of(), weights=HALF, reason="试", by=people.other_cadre)


def test_the_write_and_its_event_share_a_transaction(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    poor()
    need = need_of()

    def broken(*args: Any, **facts: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr("cadres.services.needs.record", broken)
    with pytest.raises(RuntimeError):
        correct_need(need=need, weights=HALF, reason="试", by=people.fengming_cadre)
    need.refresh_from_db()
    assert need.correction is None


def test_a_correction_has_who_when_and_why(people: People) -> None:
    poor()
    rows = VillageNeed.objects.filter(pk=need_of().pk)
    with pytest.raises(IntegrityError), transaction.atomic():
        rows.update(correction=HALF, correction_reason="没有人")


def test_every_change_of_a_need_leaves_history(people: People) -> None:
    poor()
    need = correct_need(need=need_of(), weights=HALF, reason="试", by=people.fengming_cadre)
    assert need.events.count() == 1
