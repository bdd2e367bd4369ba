"""Plans: proposed at the optimum from stored rows, scoped, signed by two, followed by postings."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from cadres.models import Cadre, MatchPlan, PlanAssignment, Posting, VillageNeed
from cadres.selectors import plans_to_sign
from cadres.services.needs import correct_need, recompute_needs
from cadres.services.plans import approve_plan, propose_plan
from changde.accounts.refusal import Refusal
from changde.audit.models import Event
from households.models import VillageCard
from tests.cadres.factories import make_cadre, make_posting, make_unit
from tests.factories import make_household
from tests.personas import CITY, FENGMING, OTHER_VILLAGE, RESHI, TAOYUAN, WULING, WULING_VILLAGE, People

pytestmark = pytest.mark.django_db
START = date(2026, 1, 1)
FIRST, MEMBER, PROFESSIONAL = "第一书记", "驻村工作队员", "专业书记"


def poor_village(village: int = FENGMING, rural_persons: int = 1000, cause: str = "缺水") -> None:
    """One registered household of 30 persons in `rural_persons`: at 1000 first priority, no professional secretary."""
    home = make_household(village, status="registered", main_cause=cause)
    type(home).objects.filter(pk=home.pk).update(persons=30)
    VillageCard.objects.create(village_id=village, year=2019, rural_persons=rural_persons)


def propose(division: int = RESHI, by: Any = None, **values: Any) -> MatchPlan:
    return propose_plan(division=division, by=by, start=START, **values)


def posted(plan: MatchPlan) -> dict[tuple[int, str], str]:
    return {(one.village_id, one.role): one.cadre.name for one in plan.assignments.filled().select_related("cadre")}


def test_each_village_gets_the_cadre_that_fits_its_causes() -> None:
    poor_village(FENGMING, cause="缺水")
    poor_village(OTHER_VILLAGE, cause="因学")
    make_cadre("教书", skills={"教育": 3})
    make_cadre("修渠", skills={"水利": 3})
    plan = propose()
    assert posted(plan) == {(FENGMING, FIRST): "修渠", (OTHER_VILLAGE, FIRST): "教书"}
    assert (plan.posts, plan.filled, plan.priority_posts, plan.priority_filled, plan.gap) == (2, 2, 2, 2, 0)
    assert plan.objective == sum(one.score for one in plan.assignments.all())


def test_parts_of_every_assignment_sum_to_its_score() -> None:
    poor_village()
    make_cadre(dialects=["桃源话"], wished_counties=[TAOYUAN])
    one = propose().assignments.get()
    assert sum(one.parts.values()) == pytest.approx(float(one.score), abs=1e-9)
    assert (one.parts["dialect"], one.parts["proximity"], one.parts["wished"]) == (0.1, 0.1, 0.05)


@pytest.mark.parametrize(
    ("dialects", "part"), [([], 0.05), (["桃源话"], 0.1), (["桃源"], 0.1), (["常德话"], 0.0), (["话"], 0.0)]
)
def test_dialects_are_known_by_county(dialects: list[str], part: float) -> None:
    poor_village()
    make_cadre(dialects=dialects)
    assert propose().assignments.get().parts["dialect"] == part


@pytest.mark.parametrize(
    ("unit", "part"),
    [
        ({"division": TAOYUAN}, 0.1),
        ({"division": FENGMING - FENGMING % 1000, "kind": "乡镇"}, 0.1),
        ({"division": CITY, "kind": "高校"}, 0.07),
        ({"division": WULING, "kind": "市直部门"}, 0.07),
        ({"division": WULING}, 0.03),
    ],
)
def test_proximity_follows_the_place_of_the_unit(unit: dict, part: float) -> None:
    poor_village()
    make_cadre(unit=make_unit("某单位", **unit))
    assert propose().assignments.get().parts["proximity"] == part


def test_next_best_and_swap_cost_are_kept() -> None:
    poor_village()
    make_cadre("修渠", skills={"水利": 3})
    make_cadre("教书", skills={"教育": 3})
    one = propose().assignments.get()
    assert one.next_best.name == "教书"
    assert one.swap_cost == one.score - one.next_score > 0


def test_an_empty_post_keeps_its_reason() -> None:
    poor_village()
    make_cadre(political_status="群众")
    one = propose().assignments.get()
    assert (one.cadre, one.reason, one.facts["barred"]) == (None, "nobody_eligible", {"party": 1})


def test_a_correction_of_the_village_changes_the_plan(people: People) -> None:
    poor_village()
    make_cadre("修渠", skills={"水利": 3})
    make_cadre("教书", skills={"教育": 3})
    recompute_needs(division=RESHI, by=None)
    need = VillageNeed.objects.get()
    correct_need(need=need, weights={"教育": 10_000}, reason="学校缺老师", by=people.fengming_cadre)
    assert posted(propose()) == {(FENGMING, FIRST): "教书"}


def test_a_quota_of_a_unit_is_kept() -> None:
    poor_village(FENGMING)
    poor_village(OTHER_VILLAGE)
    unit = make_unit(quota=1)
    make_cadre("甲", unit=unit)
    make_cadre("乙", unit=unit)
    plan = propose()
    assert (plan.filled, plan.assignments.get(cadre=None).reason) == (1, "quota_full")


def test_a_county_office_takes_from_its_own_units_and_the_city_and_the_city_from_all(people: People) -> None:
    poor_village(FENGMING)
    poor_village(OTHER_VILLAGE)
    poor_village(FENGMING + 4)
    make_cadre("本县")
    make_cadre("市直", unit=make_unit("市水利局", CITY, kind="市直部门"))
    make_cadre("外县", unit=make_unit("武陵区水利局", WULING))
    assert set(posted(propose(TAOYUAN, people.taoyuan_office)).values()) == {"本县", "市直"}
    assert set(posted(propose(TAOYUAN, people.city_office)).values()) == {"本县", "市直", "外县"}
    assert set(posted(propose(TAOYUAN)).values()) == {"本县", "市直", "外县"}


def test_who_serves_in_another_area_is_not_taken_away_from_there() -> None:
    poor_village()
    busy = make_cadre("在任")
    make_posting(busy, WULING_VILLAGE, planned_end=date(2026, 12, 31))
    assert posted(propose()) == {}
    Posting.objects.update(planned_end=date(2025, 12, 31))
    assert posted(propose()) == {(FENGMING, FIRST): "在任"}


def test_an_office_plans_for_its_own_area_only(people: People) -> None:
    poor_village()
    with pytest.raises(Refusal, match="本辖区"):
        propose(TAOYUAN, people.wuling_office)


def test_an_area_without_cards_is_refused() -> None:
    with pytest.raises(Refusal, match="户卡"):
        propose(WULING)


def test_a_plan_and_its_event_share_a_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    poor_village()

    def broken(*args: Any, **facts: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr("cadres.services.plans.record", broken)
    with pytest.raises(RuntimeError):
        propose()
    assert not MatchPlan.objects.exists()


def test_progress_is_told_step_by_step() -> None:
    poor_village()
    told: list[tuple[int, int]] = []
    propose(progress=lambda done, of: told.append((done, of)))
    assert told == [(0, 5), (1, 5), (2, 5), (3, 5), (4, 5)]


# --- who sees what ----------------------------------------------------------------------------------------------------


def test_offices_see_plans_of_their_area_and_a_town_the_rows_of_its_villages(people: People) -> None:
    poor_village(FENGMING)
    poor_village(430725102202)
    make_cadre("甲")
    make_cadre("乙")
    plan = propose(TAOYUAN)
    seen = {
        name: (
            MatchPlan.objects.visible_to(getattr(people, name)).count(),
            plan.assignments.visible_to(getattr(people, name)).count(),
        )
        for name in ("taoyuan_office", "city_office", "inspector", "reshi_officer", "wuling_office", "fengming_cadre")
    }
    assert seen == {
        "taoyuan_office": (1, 2),
        "city_office": (1, 2),
        "inspector": (1, 2),
        "reshi_officer": (1, 1),
        "wuling_office": (0, 0),
        "fengming_cadre": (0, 0),
    }


def test_a_county_sees_its_own_cadres_and_those_posted_or_proposed_to_it(people: People) -> None:
    make_cadre("本县")
    posted_here = make_cadre("在任", unit=make_unit("市水利局", CITY, kind="市直部门"))
    make_posting(posted_here, OTHER_VILLAGE)
    make_cadre("外县", unit=make_unit("武陵区水利局", WULING))
    assert set(Cadre.objects.visible_to(people.taoyuan_office).values_list("name", flat=True)) == {"本县", "在任"}
    assert set(Cadre.objects.visible_to(people.wuling_office).values_list("name", flat=True)) == {"外县"}
    assert Cadre.objects.visible_to(people.city_office).count() == 3
    assert Cadre.objects.visible_to(people.reshi_officer).get().name == "在任"
    assert not Cadre.objects.visible_to(people.fengming_cadre).exists()
    assert not Cadre.objects.visible_to(people.no_post).exists()


def test_writing_reaches_cadres_of_own_units_only(people: People) -> None:
    make_posting(make_cadre("市直", unit=make_unit("市水利局", CITY, kind="市直部门")), FENGMING)
    assert not Cadre.objects.visible_to(people.taoyuan_office, "manage_cadres").exists()


def test_a_village_sees_the_postings_to_it(people: People) -> None:
    make_posting(make_cadre("在任"), FENGMING)
    make_posting(make_cadre("邻村"), OTHER_VILLAGE)
    assert [one.cadre.name for one in Posting.objects.visible_to(people.fengming_cadre)] == ["在任"]


# --- signatures and postings ------------------------------------------------------------------------------------------


def test_two_signatures_put_a_plan_into_force_and_postings_follow(people: People) -> None:
    poor_village()
    cadre = make_cadre()
    plan = propose(TAOYUAN, people.taoyuan_office)
    with pytest.raises(Refusal, match="另外两人"):
        approve_plan(plan=plan, by=people.taoyuan_office)
    assert approve_plan(plan=plan, by=people.taoyuan_second).is_proposal
    with pytest.raises(Refusal, match="已经签批"):
        approve_plan(plan=plan, by=people.taoyuan_second)
    with pytest.raises(Refusal, match="本辖区"):
        approve_plan(plan=plan, by=people.wuling_office)
    plan = approve_plan(plan=plan, by=people.city_office)
    assert plan.state == "approved"
    posting = Posting.objects.get()
    assert (posting.cadre, posting.village_id, posting.role) == (cadre, FENGMING, FIRST)
    assert (posting.start, posting.planned_end, posting.plan) == (START, date(2027, 12, 31), plan)
    with pytest.raises(Refusal, match="已经批准"):
        approve_plan(plan=plan, by=people.city_office)
    assert list(Event.objects.filter(verb__endswith="_plan").order_by("pk").values_list("verb", flat=True)) == [
        "cadres.propose_plan",
        "cadres.sign_plan",
        "cadres.sign_plan",
        "cadres.approve_plan",
    ]


def test_a_proposal_waits_for_those_who_may_sign_it(people: People) -> None:
    poor_village()
    plan = propose(TAOYUAN, people.taoyuan_office)
    approve_plan(plan=plan, by=people.taoyuan_second)
    waiting = {name: plans_to_sign(getattr(people, name)).count() for name in vars(people)}
    assert {name for name, count in waiting.items() if count} == {"city_office"}


def test_the_plan_replaces_the_postings_of_its_division_but_those_it_keeps(people: People) -> None:
    poor_village(FENGMING, cause="缺水")
    poor_village(OTHER_VILLAGE, cause="因学")
    stays = make_posting(make_cadre("修渠", skills={"水利": 3}), FENGMING, planned_end=date(2026, 6, 30))
    goes = make_posting(make_cadre("无技", skills={"旅游": 1}), OTHER_VILLAGE, planned_end=date(2026, 6, 30))
    elsewhere = make_posting(make_cadre("外区"), WULING_VILLAGE, planned_end=date(2026, 6, 30))
    make_cadre("教书", skills={"教育": 3})
    plan = propose()
    approve_plan(plan=plan, by=people.taoyuan_office)
    approve_plan(plan=plan, by=people.city_office)
    for posting in (stays, goes, elsewhere):
        posting.refresh_from_db()
    assert (stays.ended_on, elsewhere.ended_on) == (None, None)
    assert (goes.ended_on, goes.end_reason) == (date(2025, 12, 31), "moved")
    assert posted(plan) == {(FENGMING, FIRST): "修渠", (OTHER_VILLAGE, FIRST): "教书"}
    assert Posting.objects.open().count() == 3


# --- constraints, both sides ------------------------------------------------------------------------------------------


def refused(make: Any) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        make()


def test_one_open_posting_a_cadre() -> None:
    cadre = make_cadre()
    first = make_posting(cadre, FENGMING)
    refused(lambda: make_posting(cadre, OTHER_VILLAGE))
    first.ended_on, first.end_reason = date(2025, 6, 1), "moved"
    first.save()
    make_posting(cadre, OTHER_VILLAGE)


def test_one_secretary_of_a_kind_a_village_but_several_members() -> None:
    make_posting(make_cadre(), FENGMING, FIRST)
    make_posting(make_cadre(), FENGMING, PROFESSIONAL)
    make_posting(make_cadre(), FENGMING, MEMBER)
    make_posting(make_cadre(), FENGMING, MEMBER)
    refused(lambda: make_posting(make_cadre(), FENGMING, FIRST))
    refused(lambda: make_posting(make_cadre(), FENGMING, PROFESSIONAL))


@pytest.mark.parametrize(
    "values",
    [
        {"planned_end": date(2025, 1, 1)},
        {"ended_on": date(2025, 2, 1)},
        {"end_reason": "moved"},
        {"ended_on": date(2024, 12, 31), "end_reason": "moved"},
        {"role": "帮扶责任人"},
    ],
)
def test_a_posting_without_sense_is_refused(values: dict) -> None:
    refused(lambda: make_posting(make_cadre(), FENGMING, **values))


@pytest.mark.parametrize(
    "values",
    [
        {"sex": "中"},
        {"political_status": "党员"},
        {"last_assessment": "良好"},
        {"education": "小学"},
        {"possible_roles": ["村长"]},
        {"rural_years": 61},
        {"available_from": date(2026, 1, 2), "available_to": date(2026, 1, 1)},
        {"name": ""},
        {"staff_number": ""},
    ],
)
def test_a_cadre_without_sense_is_refused(values: dict) -> None:
    refused(lambda: make_cadre(**values))


@pytest.mark.parametrize("skills", [{"种植": 0}, {"种植": 4}, {"": 1}])
def test_a_skill_without_sense_is_refused(skills: dict) -> None:
    refused(lambda: make_cadre(skills=skills))


def test_number_and_hash_stand_together_and_a_number_belongs_to_one_cadre() -> None:
    one, other = make_cadre(), make_cadre()
    rows = Cadre.objects.filter(pk=other.pk)
    refused(lambda: rows.update(id_number_hash=None))
    refused(lambda: rows.update(id_number_hash=one.id_number_hash))
    refused(lambda: rows.update(phone_cipher=None))
    rows.update(id_number_hash=None, id_number_cipher=None)


def test_a_unit_has_a_name_once_a_division_and_a_kind_of_the_list() -> None:
    make_unit("某局")
    make_unit("某局", WULING)
    refused(lambda: make_unit("", WULING))
    refused(lambda: make_unit("另一局", kind="公司"))


def test_a_plan_row_is_filled_or_says_why_and_a_cadre_has_one_post() -> None:
    poor_village()
    poor_village(OTHER_VILLAGE)
    make_cadre("甲")
    make_cadre("乙")
    plan = propose()
    rows = PlanAssignment.objects.filter(plan=plan, village_id=FENGMING)
    other = plan.assignments.get(village_id=OTHER_VILLAGE)
    refused(lambda: rows.update(reason="all_used"))
    refused(lambda: rows.update(cadre=None, score=None))
    refused(lambda: rows.update(cadre=other.cadre))
    refused(lambda: rows.update(next_best=other.cadre, swap_cost=None))
    rows.update(cadre=None, score=None, reason="all_used")


@pytest.mark.parametrize(
    "values",
    [
        {"bound": Decimal("-1")},
        {"filled": 2},
        {"priority_filled": 2},
        {"term_end": START},
        {"state": "approved"},
    ],
)
def test_a_plan_without_sense_is_refused(values: dict) -> None:
    poor_village()
    make_cadre()
    rows = MatchPlan.objects.filter(pk=propose().pk)
    refused(lambda: rows.update(**values))
