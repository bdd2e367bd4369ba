"""Two people on one card: nothing one of them changed is lost, no member is lost or doubled."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from households.domain.card import Card, HouseholdFacts, Member, SheetFacts
from households.domain.merge import NumberedCard, changed_fields, merge

BASE = NumberedCard(
    Card(
        HouseholdFacts(village_code=430725103202, group="3组"),
        SheetFacts(year=2019, pigs=2, cattle=0),
        (Member(name="张建华", relation="户主"), Member(name="李秀英", relation="配偶"), Member(name="张小明")),
    ),
    (1, 2, 3),
)


@st.composite
def edits(draw: st.DrawFn) -> NumberedCard:
    """The base card as somebody might send it back: figures changed, members changed, taken off, added."""
    card = BASE.card
    sheet = replace(card.sheet, pigs=draw(st.sampled_from([2, 7, 9])), cattle=draw(st.sampled_from([0, 1])))
    household = replace(card.household, group=draw(st.sampled_from(["3组", "4组", None])))
    kept = [
        (person, replace(member, education=draw(st.sampled_from([None, "初中", "高中"]))))
        for person, member in zip(BASE.persons, card.members, strict=True)
        if draw(st.booleans()) or person == 1
    ]
    return NumberedCard(
        Card(household, sheet, tuple(member for _, member in kept)), tuple(person for person, _ in kept)
    )


@st.composite
def with_new_member(draw: st.DrawFn, edited: st.SearchStrategy[NumberedCard], stored: bool) -> NumberedCard:
    side = draw(edited)
    if not draw(st.booleans()):
        return side
    name, number, person = ("张新来", "A", 9) if stored else ("李新来", "B", None)
    members = (*side.card.members, Member(name=name, id_number=number))
    return NumberedCard(replace(side.card, members=members), (*side.persons, person))


theirs_of, mine_of = with_new_member(edits(), stored=True), with_new_member(edits(), stored=False)


@given(theirs_of, mine_of)
def test_a_field_one_of_them_changed_is_in_the_merged_card(theirs: NumberedCard, mine: NumberedCard) -> None:
    merged, conflicts = merge(BASE, theirs, mine)
    asked = {conflict.attribute for conflict in conflicts if conflict.entity == "sheet"}
    for name in ("pigs", "cattle"):
        was, other, own = (getattr(side.card.sheet, name) for side in (BASE, theirs, mine))
        wanted = other if own == was else own
        assert getattr(merged.card.sheet, name) == wanted
        assert (name in asked) == (len({was, other, own}) == 3)


@given(theirs_of, mine_of)
def test_no_member_is_doubled_and_none_is_lost_without_a_question(theirs: NumberedCard, mine: NumberedCard) -> None:
    merged, conflicts = merge(BASE, theirs, mine)
    known = [person for person in merged.persons if person is not None]
    asked = {conflict.person for conflict in conflicts if conflict.attribute == ""}
    gone = {person for person in BASE.persons if person not in theirs.persons or person not in mine.persons}
    assert len(known) == len(set(known))
    assert set(BASE.persons) - gone <= set(known)
    assert {person for person in (9,) if person in theirs.persons} <= set(known)
    changed_by_the_other = {
        person
        for person in gone
        for side in (theirs, mine)
        if person in side.persons
        and side.card.members[side.persons.index(person)] != BASE.card.members[BASE.persons.index(person)]
    }
    assert changed_by_the_other == asked


@given(mine_of)
def test_nobody_else_wrote_then_mine_stands(mine: NumberedCard) -> None:
    merged, conflicts = merge(BASE, BASE, mine)
    assert (merged.card, conflicts) == (mine.card, ())


@given(theirs_of)
def test_i_changed_nothing_then_theirs_stands(theirs: NumberedCard) -> None:
    merged, conflicts = merge(BASE, theirs, BASE)
    assert (merged.card, merged.persons, conflicts) == (theirs.card, theirs.persons, ())


@given(theirs_of, mine_of)
def test_without_a_base_every_difference_is_asked_and_no_member_lost(theirs: NumberedCard, mine: NumberedCard) -> None:
    merged, conflicts = merge(None, theirs, mine)
    assert set(theirs.persons) | {person for person in mine.persons if person} <= set(merged.persons)
    asked = {conflict.attribute for conflict in conflicts if conflict.entity == "sheet"}
    differing = {
        name for name in ("pigs", "cattle") if getattr(theirs.card.sheet, name) != getattr(mine.card.sheet, name)
    }
    assert asked == differing


def test_both_added_the_same_person_by_number() -> None:
    son = Member(name="张小二", id_number="430725201001010011")
    theirs = NumberedCard(replace(BASE.card, members=(*BASE.card.members, son)), (*BASE.persons, 9))
    mine = NumberedCard(
        replace(BASE.card, members=(*BASE.card.members, replace(son, education="小学"))), (*BASE.persons, None)
    )
    merged, conflicts = merge(BASE, theirs, mine)
    assert merged.persons == (1, 2, 3, 9)
    assert [(each.attribute, each.mine, each.theirs) for each in conflicts] == [("education", "小学", None)]


def test_the_log_gets_names_of_fields_only() -> None:
    after = NumberedCard(replace(BASE.card, sheet=replace(BASE.card.sheet, pigs=9)), BASE.persons)
    assert changed_fields(BASE, after) == ("sheet.pigs",)
