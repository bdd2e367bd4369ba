"""What a workbook does to a card that is there, under each policy; pure."""

from dataclasses import replace
from decimal import Decimal

import pytest

from households.domain.card_update import Change, Policy, changes, combined
from households.domain.merge import NumberedCard
from tests.households.cards import a_member, with_household, with_member, with_sheet
from tests.households.test_import_cards import COUPLE

STORED = NumberedCard(with_sheet(with_household(COUPLE, bank=None), house_area=None), (1, 2))
BROUGHT = with_member(
    with_sheet(with_household(COUPLE, bank="农商行", address="新址"), house_area=Decimal(80), pigs=None, cattle=7),
    0,
    education="高中",
)


def said(after: NumberedCard | None) -> list[tuple[str, object, object]]:
    assert after is not None
    return [(each.attribute, each.old, each.new) for each in changes(STORED, after)]


def test_update_lets_brought_values_win_and_erases_nothing():
    assert said(combined(STORED, BROUGHT, Policy.UPDATE)) == [
        ("address", "凤鸣村3组12号", "新址"),
        ("bank", None, "农商行"),
        ("cattle", 0, 7),
        ("house_area", None, Decimal(80)),
        ("education", "初中", "高中"),
    ]


def test_keep_lets_stored_values_win_and_fills_what_is_empty():
    assert said(combined(STORED, BROUGHT, Policy.KEEP)) == [("bank", None, "农商行"), ("house_area", None, Decimal(80))]


def test_reject_takes_no_household_that_is_there():
    assert combined(STORED, BROUGHT, Policy.REJECT) is None


def test_under_keep_nobody_joins_and_nobody_leaves():
    son = a_member("张小明", birth="20080601", relation="之子")
    others = replace(BROUGHT, members=(BROUGHT.members[0], son))
    kept = combined(STORED, others, Policy.KEEP)
    assert kept is not None
    assert (kept.persons, [member.name for member in kept.card.members]) == ((1, 2), ["张建华", "李秀英"])
    updated = combined(STORED, others, Policy.UPDATE)
    assert updated is not None
    assert updated.persons == (1, None)


@pytest.mark.parametrize("policy", [Policy.UPDATE, Policy.KEEP])
def test_the_same_card_changes_nothing(policy):
    same = NumberedCard(COUPLE, (1, 2))
    after = combined(same, COUPLE, policy)
    assert after is not None
    assert changes(same, after) == []


def test_a_change_names_the_member_it_is_about():
    after = NumberedCard(with_member(STORED.card, 1, labour="技能劳动力"), STORED.persons)
    assert changes(STORED, after) == [Change("member", "labour", "李秀英", "普通劳动力", "技能劳动力")]
