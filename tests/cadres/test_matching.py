"""The plan: the example of docs/matching.md, reasons, quotas and posts left empty. No database."""

from dataclasses import replace
from datetime import date

import pytest

from cadres.domain.fit import SCALE, Candidate, Demand, FitRules, PresentPost, Term
from cadres.domain.matching import Elsewhere, MatchResult, match
from cadres.domain.posts import Post

TAOYUAN, LINLI = 430725000000, 430724000000
FENGMING, ZHANGSHAN = 430725103202, 430725103204
TERM = Term(date(2020, 1, 1), date(2021, 12, 31))
FIRST, MEMBER = "第一书记", "驻村工作队员"
DEMANDS = {
    FENGMING: Demand(FENGMING, TAOYUAN, {"卫生": 6000, "种植": 4000}),
    ZHANGSHAN: Demand(ZHANGSHAN, TAOYUAN, {"养殖": 10_000}),
}
POSTS = [Post(FENGMING, FIRST, priority=True), Post(ZHANGSHAN, FIRST)]
PARTY = {"political_status": "中共党员", "roles": frozenset([FIRST, MEMBER])}
JIA = Candidate(
    staff_number="甲",
    unit="桃源县人民医院",
    unit_county=TAOYUAN,
    skills={"卫生": 3, "种植": 1, "养殖": 2},
    rural_years=8,
    assessment="优秀",
    dialect_counties=frozenset([TAOYUAN]),
    wished_counties=frozenset([TAOYUAN]),
    **PARTY,
)
YI = Candidate(
    staff_number="乙",
    unit="市畜牧局",
    unit_county=None,
    city_unit=True,
    skills={"卫生": 2, "养殖": 2},
    rural_years=3,
    assessment="称职",
    **PARTY,
)
BING = Candidate(
    staff_number="丙",
    unit="临澧县农业局",
    unit_county=LINLI,
    skills={"卫生": 3, "种植": 3},
    rural_years=15,
    assessment="优秀",
    dialect_counties=frozenset([LINLI]),
    **PARTY,
)


def plan(candidates: list[Candidate], posts: list[Post] = POSTS, **quotas: int) -> MatchResult:
    return match(posts, DEMANDS, candidates, rules=FitRules(), term=TERM, quotas=quotas)


def posted(result: MatchResult) -> dict[tuple[int, str], str]:
    return {(one.post.village, one.post.role): one.staff_number for one in result.assignments}


def test_the_example_of_the_docs_comes_out_as_worked_by_hand() -> None:
    result = plan([JIA, YI, BING])
    assert posted(result) == {(FENGMING, FIRST): "丙", (ZHANGSHAN, FIRST): "甲"}
    assert (result.objective, result.bound, result.gap) == (1_683_333_333, 1_683_333_333, 0)


def test_the_best_pair_first_would_have_been_worse() -> None:
    greedy = 886_666_667 + 603_333_333  # 甲 to the village where 甲 is best, 乙 takes what is left
    assert plan([JIA, YI, BING]).objective > greedy


def test_an_assignment_says_who_was_next_and_what_the_swap_costs() -> None:
    of_zhangshan = plan([JIA, YI, BING]).assignments[1]
    assert of_zhangshan.next_best is not None
    assert (of_zhangshan.next_best.staff_number, of_zhangshan.next_best.swap_cost) == ("乙", 250_000_000)


def test_an_assignment_names_the_better_cadre_who_is_used_elsewhere() -> None:
    of_fengming = plan([JIA, YI, BING]).assignments[0]
    assert of_fengming.better_elsewhere == (Elsewhere("甲", 886_666_667, Post(ZHANGSHAN, FIRST)),)


def test_parts_sum_to_the_score() -> None:
    assert all(one.parts.total == one.score for one in plan([JIA, YI, BING]).assignments)


def test_the_order_of_the_inputs_does_not_matter() -> None:
    assert plan([BING, YI, JIA], POSTS[::-1]) == plan([JIA, YI, BING])


def test_a_quota_of_a_unit_is_kept_and_the_swap_names_nobody_over_it() -> None:
    second = replace(JIA, staff_number="丁")
    result = plan([JIA, second, YI], **{"桃源县人民医院": 1})
    assert sorted(posted(result).values()) == ["丁", "乙"]
    by_number = {one.staff_number: one for one in result.assignments}
    assert by_number["乙"].next_best is None
    assert by_number["丁"].next_best is not None
    assert by_number["丁"].next_best.staff_number == "甲"


@pytest.mark.parametrize(
    ("candidates", "quotas", "reason"),
    [
        ([], {}, "no_cadres"),
        ([replace(JIA, political_status="群众")], {}, "nobody_eligible"),
        ([JIA], {}, "all_used"),
        ([JIA, replace(JIA, staff_number="丁")], {"桃源县人民医院": 1}, "quota_full"),
    ],
)
def test_an_empty_post_says_why(candidates: list[Candidate], quotas: dict[str, int], reason: str) -> None:
    assert plan(candidates, **quotas).unfilled[-1].reason == reason


def test_an_empty_post_counts_who_was_barred_by_which_rule_and_who_is_used_where() -> None:
    barred = [
        replace(JIA, staff_number="丁", political_status="群众"),
        replace(JIA, staff_number="戊", assessment="不称职"),
    ]
    empty = plan([JIA, *barred]).unfilled[0]
    assert (empty.post.village, dict(empty.barred), dict(empty.used_at)) == (
        ZHANGSHAN,
        {"party": 1, "assessment": 1},
        {FIRST: 1},
    )


def test_the_only_party_member_goes_where_incidence_is_above_two_percent() -> None:
    assert posted(plan([replace(YI, skills={"养殖": 3})])) == {(FENGMING, FIRST): "乙"}


def test_staying_costs_nothing_and_wins_over_an_equal_change() -> None:
    staying = replace(JIA, present=PresentPost(ZHANGSHAN, FIRST, date(2020, 12, 31)))
    twin = replace(JIA, staff_number="丁")
    result = plan([staying, twin])
    assert posted(result) == {(FENGMING, FIRST): "丁", (ZHANGSHAN, FIRST): "甲"}
    assert result.objective == 886_666_667 + 853_333_333


def test_moving_a_posted_cadre_costs_a_tenth() -> None:
    moved = replace(JIA, present=PresentPost(ZHANGSHAN, MEMBER, date(2020, 12, 31)))
    assert plan([moved], POSTS[:1]).objective == 886_666_667 - SCALE // 10
