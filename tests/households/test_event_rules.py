"""Rules of household events: whatever happens in whatever order, nobody is lost, doubled or left without a head."""

from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from households.domain import events as rules
from households.domain.events import HEAD, Home, Lives, NotPossible, World, apply

DAY = date(2019, 5, 1)
VILLAGE, OTHER = 430725103202, 430725103204
# A couple with a son, the son's wife, a grandson; and the household next door.
ZHANG = Home(1, VILLAGE, (Lives(1, HEAD), Lives(2, "配偶"), Lives(3, "之子"), Lives(4, "之儿媳"), Lives(5, "之孙子")))
LI = Home(2, VILLAGE, (Lives(6, HEAD), Lives(7, "之女", date(2001, 3, 1))))


@pytest.fixture
def world() -> World:
    return World({1: ZHANG, 2: LI})


def on_card(world: World, household: int) -> dict[int, str]:
    return {each.person: each.relation for each in world.home(household).members}


def refused(code: str):
    return pytest.raises(NotPossible, match=code)


# -- split and merge ------------------------------


def test_a_young_couple_splits_off_with_its_child(world: World) -> None:
    changes = rules.split(world, 1, going={3: HEAD, 4: "配偶", 5: "之子"}, staying={}, new=9, on=DAY)
    after = apply(world, changes)
    assert on_card(after, 1) == {1: HEAD, 2: "配偶"}
    assert on_card(after, 9) == {3: HEAD, 4: "配偶", 5: "之子"}


def test_when_the_head_goes_everybody_who_stays_is_named_anew(world: World) -> None:
    with refused("relation_missing"):
        rules.split(world, 1, going={1: HEAD, 2: "配偶"}, staying={3: HEAD}, new=9, on=DAY)
    staying = {3: HEAD, 4: "配偶", 5: "之子"}
    after = apply(world, rules.split(world, 1, going={1: HEAD, 2: "配偶"}, staying=staying, new=9, on=DAY))
    assert on_card(after, 1) == staying


@pytest.mark.parametrize(
    ("going", "code"),
    [
        ({}, "nobody_chosen"),
        ({person: HEAD for person in (1, 2, 3, 4, 5)}, "everybody_chosen"),
        ({3: "之子"}, "head_missing"),
        ({3: HEAD, 4: HEAD}, "two_heads"),
        ({3: ""}, "relation_missing"),
        ({7: HEAD}, "not_a_member"),
    ],
)
def test_a_split_that_fits_nobody_is_refused(world: World, going: dict[int, str], code: str) -> None:
    with refused(code):
        rules.split(world, 1, going=going, staying={}, new=9, on=DAY)


def test_a_merged_card_is_closed_and_its_people_live_on_the_other(world: World) -> None:
    after = apply(world, rules.merge(world, 2, into=1, relations={6: "之兄弟姐妹", 7: "其他"}, on=DAY))
    assert not after.home(2).is_open
    assert after.home(2).members == ()
    assert on_card(after, 1)[6] == "之兄弟姐妹"


def test_a_double_ends_with_the_merge_and_does_not_join(world: World) -> None:
    after = apply(world, rules.merge(world, 2, into=1, relations={7: "其他"}, doubles={6: 1}, on=DAY))
    assert (after.gone, 6 in on_card(after, 1), 7 in on_card(after, 1)) == ({6: rules.DUPLICATE}, False, True)


# -- members ------------------------------


def test_the_card_of_the_last_member_is_closed_with_the_death() -> None:
    alone = World({2: Home(2, VILLAGE, (Lives(6, HEAD),))})
    after = apply(alone, rules.died(alone, 2, person=6, relations={}))
    assert (after.home(2).is_open, after.gone) == (False, {6: rules.DIED})


def test_who_marries_into_another_card_is_on_that_one_alone(world: World) -> None:
    after = apply(world, rules.married_out(world, 2, person=7, relations={}, into=1, relation="之儿媳", on=DAY))
    assert (7 in on_card(after, 2), on_card(after, 1)[7]) == (False, "之儿媳")


def test_who_married_out_returns_and_the_dead_do_not(world: World) -> None:
    out = apply(world, rules.married_out(world, 2, person=7, relations={}, on=DAY))
    back = apply(out, rules.returned(out, 2, person=7, relation="之女", on=DAY))
    assert on_card(back, 2)[7] == "之女"
    dead = apply(world, rules.died(world, 2, person=7, relations={}))
    with refused("is_dead"):
        rules.returned(dead, 2, person=7, relation="之女", on=DAY)


def test_nobody_joins_a_second_card(world: World) -> None:
    with refused("lives_elsewhere"):
        rules.married_in(world, 1, person=7, relation="之儿媳", on=DAY)


def test_an_event_is_neither_ahead_of_time_nor_before_the_member_came(world: World) -> None:
    changes = rules.married_out(world, 2, person=7, relations={}, on=DAY)
    with refused("day_ahead"):
        rules.check_day(changes, on=DAY + timedelta(days=1), today=DAY)
    with refused("day_before_joining"):
        rules.check_day(changes, on=date(2001, 2, 28), today=DAY)


# -- undo ------------------------------


def test_undo_brings_back_who_lived_where(world: World) -> None:
    changes = rules.merge(world, 2, into=1, relations={6: "其他", 7: "其他"}, on=DAY)
    after = apply(world, changes)
    assert apply(after, rules.undo(after, changes)) == world


def test_undo_is_refused_once_a_member_has_moved_on(world: World) -> None:
    changes = rules.split(world, 1, going={3: HEAD}, staying={}, new=9, on=DAY)
    after = apply(world, changes)
    later = apply(after, rules.died(after, 9, person=3, relations={}))
    with refused("changed_since"):
        rules.undo(later, changes)


def test_an_event_is_read_back_from_its_facts(world: World) -> None:
    changes = rules.split(world, 1, going={3: HEAD}, staying={}, new=9, on=DAY)
    assert rules.from_facts(rules.as_facts(changes)) == changes


# -- a new head ------------------------------


@pytest.mark.parametrize(
    ("new_head", "its_sex", "relation", "sex", "seen"),
    [
        ("配偶", "女", "户主", "男", "配偶"),
        ("配偶", "女", "之父", "男", "之公公"),
        ("配偶", "女", "之子", "男", "之子"),
        ("之子", "男", "户主", "男", "之父"),
        ("之子", "男", "配偶", "女", "之母"),
        ("之子", "男", "之女", "女", "之兄弟姐妹"),
        ("之子", "男", "之儿媳", "女", "配偶"),
        ("之子", "男", "之孙女", "女", "之女"),
        ("之孙子", "男", "之子", "男", ""),
    ],
)
def test_relations_are_proposed_as_the_new_head_sees_them(new_head, its_sex, relation, sex, seen) -> None:
    assert rules.relation_to(new_head, its_sex, relation, sex) == seen


# -- any sequence of events ------------------------------


class Village(RuleBasedStateMachine):
    """Random events on three cards; refused ones change nothing."""

    @initialize()
    def start(self) -> None:
        self.world = World({1: ZHANG, 2: LI, 3: Home(3, OTHER, (Lives(8, HEAD),))})
        self.known = set(range(1, 9))
        self.cards = 3
        self.done: list[tuple[World, tuple[rules.Change, ...]]] = []

    def happen(self, make) -> None:
        try:
            changes = make()
        except NotPossible:
            return
        self.done.append((self.world, changes))
        self.world = apply(self.world, changes)

    def named(self, people: list[int], draw_head: int) -> dict[int, str]:
        """A head among the people, the others related somehow."""
        head = people[draw_head % len(people)] if people else 0
        return {person: HEAD if person == head else "其他" for person in people}

    def living(self, household: int) -> list[int]:
        return [member.person for member in self.world.homes[household].members]

    def card(self, number: int) -> int:
        return sorted(self.world.homes)[number % len(self.world.homes)]

    @rule(card=st.integers(0, 50), who=st.sets(st.integers(0, 9), max_size=4), head=st.integers(0, 9))
    def split(self, card: int, who: set[int], head: int) -> None:
        card, people = self.card(card), self.living(self.card(card))
        going = [person for index, person in enumerate(people) if index in who]
        staying = [person for person in people if person not in going]
        self.cards += 1
        self.happen(
            lambda: rules.split(
                self.world,
                card,
                going=self.named(going, head),
                staying=self.named(staying, head),
                new=self.cards,
                on=DAY,
            )
        )

    @rule(card=st.integers(0, 50), into=st.integers(0, 50))
    def merge(self, card: int, into: int) -> None:
        card, into = self.card(card), self.card(into)
        relations = dict.fromkeys(self.living(card), "其他")
        self.happen(lambda: rules.merge(self.world, card, into=into, relations=relations, on=DAY))

    @rule(card=st.integers(0, 50))
    def close(self, card: int) -> None:
        self.happen(lambda: rules.close(self.world, self.card(card), reason="wrong_entry"))

    @rule(card=st.integers(0, 50), who=st.sets(st.integers(1, 20), max_size=3), head=st.integers(0, 9))
    def reopen(self, card: int, who: set[int], head: int) -> None:
        people = sorted(who & self.known)
        self.happen(
            lambda: rules.reopen(
                self.world, self.card(card), relations=self.named(people, head), reason="closed", on=DAY
            )
        )

    @rule(card=st.integers(0, 50), who=st.integers(0, 9), head=st.integers(0, 9), how=st.sampled_from(["died", "out"]))
    def leave(self, card: int, who: int, head: int, how: str) -> None:
        card, people = self.card(card), self.living(self.card(card)) or [0]
        person = people[who % len(people)]
        relations = self.named([each for each in people if each != person], head)
        event = {"died": rules.died, "out": lambda *a, **k: rules.married_out(*a, on=DAY, **k)}[how]
        self.happen(lambda: event(self.world, card, person=person, relations=relations))

    @rule(card=st.integers(0, 50), into=st.integers(0, 50), who=st.integers(0, 9))
    def marry(self, card: int, into: int, who: int) -> None:
        card, into, people = self.card(card), self.card(into), self.living(self.card(card)) or [0]
        person = people[who % len(people)]
        self.happen(
            lambda: rules.married_out(
                self.world, card, person=person, relations={}, into=into, relation="之儿媳", on=DAY
            )
        )

    @rule(card=st.integers(0, 50))
    def birth(self, card: int) -> None:
        baby = max(self.known) + 1
        self.known.add(baby)
        self.happen(lambda: rules.born(self.world, self.card(card), person=baby, relation="之子", on=DAY))

    @rule(card=st.integers(0, 50), person=st.integers(1, 20))
    def come_back(self, card: int, person: int) -> None:
        self.happen(lambda: rules.returned(self.world, self.card(card), person=person, relation="其他", on=DAY))

    @rule(card=st.integers(0, 50))
    def move(self, card: int) -> None:
        self.happen(lambda: rules.move(self.world, self.card(card), village=OTHER))

    @rule()
    def undo(self) -> None:
        before, changes = self.done.pop() if self.done else (self.world, ())
        self.world = apply(self.world, rules.undo(self.world, changes))
        lived = {k: (v.village, set(v.members)) for k, v in self.world.homes.items() if k in before.homes}
        assert lived == {k: (v.village, set(v.members)) for k, v in before.homes.items()}
        assert self.world.gone == before.gone

    @invariant()
    def every_card_is_right(self) -> None:
        rules.check(self.world)

    @invariant()
    def nobody_is_lost(self) -> None:
        at_home = [member.person for home in self.world.homes.values() for member in home.members]
        assert len(at_home) == len(set(at_home))
        assert set(at_home).isdisjoint(self.world.gone)
        assert set(range(1, 9)) <= set(at_home) | set(self.world.gone)


Village.TestCase.settings = settings(
    max_examples=60, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
TestAnySequenceOfEvents = Village.TestCase
