"""The income worksheet: sums of lines, expected ranges, distances, proposals; the example of docs/worksheet.md."""

from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from households.domain.card import Card
from households.domain.card_income import standing, with_income, with_lines
from households.domain.card_update import closed_parts, filled
from households.domain.income import PARTS, to_fen, to_yuan
from households.domain.merge import NumberedCard, Part, changed_fields, merge
from households.domain.worksheet import KNOWN, PART_OF, IncomeLine, by_part, carried, moved, sums
from households.domain.yearly_standard import (
    Distance,
    Proposal,
    Range,
    Rate,
    Standard,
    distance,
    expected,
    expected_of_parts,
    proposals,
)
from households.models import IncomeLine as Row
from tests.households.cards import a_card, a_member, a_wife, with_sheet

RICE = IncomeLine("crop", 400_000, "estimate", "水稻", Decimal("4.20"))
PIGS = IncomeLine("animal", 260_050, "paper", "生猪", Decimal(2))
WAGE = IncomeLine("wage", 1_500_000, "paper", "省外务工", member=1, months=5, monthly_fen=300_000)

STANDARD = Standard(
    2019,
    (
        Rate("crop", "水稻", 74_000, 110_000, 30_000, 56_000, "irrigated_land"),
        Rate("crop", "玉米", 50_000, 76_000, 19_000, 38_000, "dry_land"),
        Rate("animal", "生猪", 130_000, 260_000, 15_000, 90_000, "pigs"),
        Rate("wage", "省外务工", 13_000, 23_000),
    ),
)


def numbered(card: Card, *persons: int | None) -> NumberedCard:
    return NumberedCard(card, persons)


def with_these(card: Card, *lines: IncomeLine) -> Card:
    return with_lines(replace(card, lines=lines))


# -- the worked example ------------------------------


def test_the_worked_example_of_the_docs():
    card = with_income(with_these(a_card(sheet={"production_expenses": Decimal("1600.50")}), RICE, PIGS, WAGE))
    sheet = card.sheet
    assert (sheet.business_income, sheet.wage_income) == (Decimal("6600.50"), Decimal("15000.00"))
    assert (sheet.net_income, sheet.per_capita_income) == (Decimal("20000.00"), Decimal("10000.00"))
    assert [expected(STANDARD, line) for line in card.lines] == [
        Range(310_800, 462_000),  # 4.2 mu x 740.00 to 4.2 mu x 1,100.00
        Range(260_000, 520_000),  # 2 head x 1,300.00 to 2 x 2,600.00
        Range(1_300_000, 2_990_000),  # 5 months x 20 days x 130.00 to 5 x 26 x 230.00
    ]
    assert {distance(line.fen, expected(STANDARD, line), 50) for line in card.lines} == {Distance.WITHIN}
    assert expected_of_parts(STANDARD, card.lines)["business_income"] == Range(570_800, 982_000)


# -- sums ------------------------------


def lines_of_any_kind():
    return st.lists(
        st.builds(
            IncomeLine,
            kind=st.sampled_from(sorted(PART_OF)),
            fen=st.integers(0, 10**11),
            known=st.sampled_from(KNOWN),
        ),
        max_size=20,
    )


@given(lines_of_any_kind())
def test_a_part_is_the_sum_of_its_lines_to_the_fen(lines):
    sheet = with_these(Card(), *lines).sheet
    totals = {part: sum(line.fen for line in lines if line.part == part) for part in {line.part for line in lines}}
    assert {part: to_fen(getattr(sheet, part)) for part in totals} == totals
    assert {part for part in PARTS if getattr(sheet, part) is not None} == set(totals)


@given(lines_of_any_kind(), st.randoms())
def test_the_order_of_the_lines_does_not_matter(lines, random):
    shuffled = list(lines)
    random.shuffle(shuffled)
    assert sums(shuffled) == sums(lines)
    assert with_these(Card(), *shuffled).sheet == with_these(Card(), *lines).sheet


def test_a_part_without_lines_keeps_what_was_typed():
    sheet = with_these(a_card(sheet={"wage_income": Decimal(800), "pension": None}), RICE).sheet
    assert (sheet.wage_income, sheet.pension, sheet.business_income) == (Decimal(800), None, Decimal(4000))


def test_lines_stand_in_the_order_of_the_form_by_part():
    assert list(by_part([PIGS, WAGE, RICE])) == ["wage_income", "business_income"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "loan"},
        {"known": "hearsay"},
        {"fen": -1},
        {"quantity": Decimal(0)},
        {"months": 5, "monthly_fen": 1},
        {"monthly_fen": 400_000},
    ],
)
def test_what_cannot_be_a_line_is_refused(wrong):
    with pytest.raises(ValueError):
        replace(RICE, **wrong)


def test_the_tables_know_the_same_kinds():
    assert (set(Row.Kind.values), set(Row.Known.values)) == (set(PART_OF), set(KNOWN))


def test_a_wage_follows_its_member_and_names_nobody_who_has_left():
    assert moved([WAGE], {1: 0})[0].member == 0
    assert carried([WAGE], (7, 8), (8, None))[0].member == 0
    assert carried([WAGE], (7, 8), (7,))[0] == replace(WAGE, member=None)


# -- the standard ------------------------------


def test_parts_of_a_fen_widen_the_range():
    line = replace(RICE, quantity=Decimal("0.33"))
    assert expected(Standard(2019, (Rate("crop", "水稻", 101, 101),)), line) == Range(33, 34)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (replace(RICE, item="青稞"), "no such item"),
        (replace(RICE, quantity=None), "no quantity"),
        (replace(WAGE, months=None, monthly_fen=None), "no months"),
        (IncomeLine("dibao", 1, "paper"), "no rate for transfers"),
    ],
)
def test_where_the_standard_cannot_tell_nothing_is_expected(line, why):
    assert expected(STANDARD, line) is None, why


@pytest.mark.parametrize(
    ("fen", "place"),
    [
        (100, "within"), (200, "within"), (99, "low"), (50, "low"), (49, "far"), (201, "high"), (300, "high"),
        (301, "far"),
    ],
)  # fmt: skip
def test_both_ends_belong_to_the_range_and_far_is_beyond_the_tolerance(fen, place):
    assert distance(fen, Range(100, 200), 50) == place


@given(st.integers(0, 10**12), st.integers(0, 10**9), st.integers(0, 10**9), st.integers(0, 100))
def test_an_amount_stands_in_one_place(fen, low, more, tolerance):
    place = distance(fen, Range(low, low + more), tolerance)
    assert (place == Distance.WITHIN) == (low <= fen <= low + more)


def test_a_part_is_expected_only_where_each_of_its_lines_is():
    assert expected_of_parts(STANDARD, [RICE, IncomeLine("business", 100, "estimate"), WAGE]) == {
        "wage_income": Range(1_300_000, 2_990_000)
    }


def test_what_is_left_after_costs_has_a_range_of_its_own():
    assert expected(STANDARD, RICE, net=True) == Range(126_000, 235_200)


def test_land_herds_and_work_away_propose_lines():
    sheet = a_card(sheet={"cultivated_land": Decimal("4.20"), "irrigated_land": Decimal(3), "pigs": 2}).sheet
    away = a_wife(work_place="省外务工", work_months=5)
    assert proposals(STANDARD, sheet, [a_member(), away]) == [
        Proposal("crop", "水稻", Decimal(3)),
        Proposal("crop", "玉米", Decimal("1.20")),
        Proposal("animal", "生猪", Decimal(2)),
        Proposal("wage", "省外务工", member=1, months=5),
    ]


def test_unknown_land_proposes_nothing_and_unwatered_land_is_not_assumed():
    nothing = SimpleNamespace(cultivated_land=None, irrigated_land=None, pigs=None)
    assert proposals(STANDARD, nothing, []) == []
    unsaid = SimpleNamespace(cultivated_land=Decimal(2), irrigated_land=None, pigs=0)
    assert proposals(STANDARD, unsaid, []) == [Proposal("crop", "水稻", Decimal(2))]


# -- two people, and a workbook ------------------------------


def three(mine: tuple[IncomeLine, ...], theirs: tuple[IncomeLine, ...], base: tuple[IncomeLine, ...] = (RICE,)):
    start = a_card()
    sides = [numbered(with_these(start, *lines), 1, 2) for lines in (base, theirs, mine)]
    return merge(*sides)


def test_lines_of_different_parts_merge():
    merged, conflicts = three(mine=(RICE, WAGE), theirs=(RICE, PIGS))
    assert conflicts == ()
    assert set(merged.card.lines) == {RICE, PIGS, WAGE}
    assert merged.card.sheet.business_income == Decimal("6600.50")


def test_lines_of_one_part_that_both_changed_are_asked_with_their_lines():
    dearer = replace(RICE, fen=450_000)
    merged, conflicts = three(mine=(dearer,), theirs=(RICE, PIGS))
    (conflict,) = conflicts
    assert (conflict.entity, conflict.attribute) == ("worksheet", "business_income")
    assert conflict.mine == Part(Decimal("4500.00"), (dearer,))
    assert conflict.theirs == Part(Decimal("6600.50"), (RICE, PIGS))
    assert merged.card.lines == (dearer,)


def test_the_same_lines_in_another_order_are_no_conflict():
    _merged, conflicts = three(mine=(PIGS, RICE), theirs=(RICE, PIGS))
    assert conflicts == ()


def test_a_total_typed_over_lines_that_the_other_changed_is_asked():
    start = a_card()
    base, theirs = (numbered(with_these(start, *lines), 1, 2) for lines in ((RICE,), (RICE, PIGS)))
    mine = numbered(with_sheet(start, business_income=Decimal(9)), 1, 2)
    _merged, conflicts = merge(base, theirs, mine)
    assert [(each.attribute, each.mine.figure, each.theirs.figure) for each in conflicts] == [
        ("business_income", Decimal(9), Decimal("6600.50"))
    ]


def test_a_wage_of_a_new_member_finds_its_member_after_the_merge():
    start = a_card()
    new = a_member("张小明", "男", "19950101", relation="之子")
    base = numbered(start, 1, 2)
    theirs = numbered(replace(start, members=(*start.members, a_member("张小红", "女", "19970101"))), 1, 2, 3)
    mine = numbered(with_these(replace(start, members=(*start.members, new)), replace(WAGE, member=2)), 1, 2, None)
    merged, _conflicts = merge(base, theirs, mine)
    (line,) = merged.card.lines
    assert merged.card.members[line.member].name == "张小明"


def test_changed_lines_are_named_by_part_even_when_the_sum_is_the_same():
    card = a_card()
    before = numbered(with_these(card, RICE), 1, 2)
    after = numbered(with_these(card, replace(RICE, known="paper")), 1, 2)
    assert changed_fields(before, after) == ("lines.business_income",)


def test_a_brought_total_closes_the_lines_it_differs_from_and_no_others():
    stored = numbered(with_these(a_card(), RICE, WAGE), 1, 2)
    same = with_sheet(a_card(*stored.card.members), business_income=Decimal(5000), wage_income=Decimal(15000))
    updated = filled(stored, same)
    assert updated.card.lines == (WAGE,)
    assert closed_parts(stored, updated) == ("business_income",)
    assert standing((RICE,), with_sheet(a_card(), business_income=to_yuan(RICE.fen))) == (RICE,)


def test_an_empty_cell_leaves_the_lines():
    stored = numbered(with_these(a_card(), RICE), 1, 2)
    brought = with_sheet(a_card(*stored.card.members), business_income=None)
    assert filled(stored, brought).card.lines == (RICE,)
