"""Events of households as services write them: rows, numbers, log, versions, undo, races."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connections, transaction
from django.utils import timezone

from changde.accounts.refusal import Refusal
from changde.audit.models import Event
from changde.divisions.models import Division
from households.domain.card import Member
from households.models import (
    Finding,
    FormerVillage,
    Household,
    IdentityClaim,
    LifeEvent,
    MemberSheet,
    Membership,
    MoveRequest,
    Sheet,
)
from households.selectors.history import history_of
from households.services import card_rows, events, moves
from households.services.cards import CardRefused, NumberWaits, save_card
from households.services.status import set_status
from tests.factories import id_number, make_household
from tests.households.cards import a_card
from tests.personas import FENGMING, OTHER_VILLAGE, People

DAY = date(2019, 5, 1)
HEAD = "户主"


@pytest.fixture
def zhang(people: People) -> Household:
    """Head and three sons: 张建华, 张小1, 张小2, 张小3."""
    return make_household(FENGMING, members=4)


@pytest.fixture
def li(people: People) -> Household:
    return make_household(FENGMING, head="李秀英", members=2)


def fresh(household: Household) -> Household:
    return Household.objects.get(pk=household.pk)


def lives(household: Household) -> dict[str, str]:
    rows = Membership.objects.open().filter(household=household).select_related("person")
    return {row.person.name: row.relation for row in rows}


def person(household: Household, name: str) -> int:
    return Membership.objects.filter(household=household, person__name=name).latest("pk").person_id


def claims(household: Household) -> int:
    return IdentityClaim.objects.filter(household=household).count()


def versions(*households: Household) -> dict[int, int]:
    return {row.pk: row.version for row in map(fresh, households)}


def split_off(zhang: Household, people: People, name: str = "张小1", **values: Any) -> LifeEvent:
    given: dict[str, Any] = {
        "household": zhang,
        "by": people.fengming_cadre,
        "expected_version": fresh(zhang).version,
        "going": {person(zhang, name): HEAD},
        "staying": {},
        "on": DAY,
    }
    return events.split_household(**given | values)


def undo(event: LifeEvent, by: Any) -> LifeEvent:
    touched = Household.objects.filter(pk__in=events.cards_of(event))
    return events.undo_event(event=event, by=by, versions=versions(*touched))


def refused(code: str) -> Any:
    return pytest.raises(Refusal, check=lambda refusal: refusal.code == code)


# -- split ------------------------------


def test_a_split_makes_a_card_with_its_people_their_numbers_and_the_facts_of_the_house(
    zhang: Household, people: People
) -> None:
    new = split_off(zhang, people, going={person(zhang, "张小1"): HEAD, person(zhang, "张小2"): "之兄弟姐妹"}).other
    assert new is not None
    assert lives(zhang) == {"张建华": HEAD, "张小3": "之子"}
    assert lives(new) == {"张小1": HEAD, "张小2": "之兄弟姐妹"}
    assert (new.split_from, new.village_id, new.head_name, new.persons, new.status, new.version) == (
        zhang, FENGMING, "张小1", 2, "unregistered", 1,
    )  # fmt: skip
    assert (claims(zhang), claims(new)) == (2, 2)
    sheet = new.sheets.get()
    assert (sheet.year, sheet.house_grade, sheet.water_safe, sheet.wage_income, sheet.cultivated_land) == (
        2019, "B级", True, None, None,
    )  # fmt: skip
    assert [row.education for row in sheet.members.all()] == ["初中", "初中"]


def test_the_old_card_counts_who_stays_and_its_income_a_head_follows(zhang: Household, people: People) -> None:
    zhang.sheets.update(wage_income=9000, net_income=9000, per_capita_income=2250)
    split_off(zhang, people)
    sheet = zhang.sheets.get()
    assert (sheet.members_counted, sheet.per_capita_income, fresh(zhang).persons) == (3, 3000, 3)


def test_an_earlier_years_sheet_keeps_the_members_it_had(zhang: Household, people: People) -> None:
    year = Sheet.objects.create(household=zhang, village_id=FENGMING, year=2018)
    MemberSheet.objects.create(sheet=year, person_id=person(zhang, "张小1"), relation="之子")
    split_off(zhang, people)
    assert year.members.count() == 1


def test_a_ciphertext_opens_on_the_new_card(zhang: Household, people: People) -> None:
    before = Membership.objects.get(household=zhang, person__name="张小1").person.id_number
    new = split_off(zhang, people).other
    assert Membership.objects.get(household=new).person.id_number == before


def test_a_stale_version_is_refused_in_words_and_writes_nothing(zhang: Household, people: People) -> None:
    with refused("stale"):
        split_off(zhang, people, expected_version=7)
    assert (Household.objects.count(), LifeEvent.objects.count()) == (1, 0)


def test_a_cadre_of_another_village_makes_no_event(zhang: Household, people: People) -> None:
    with refused("not_your_area"):
        split_off(zhang, people, by=people.other_cadre)


def test_a_day_ahead_is_refused_at_its_field(zhang: Household, people: People) -> None:
    with pytest.raises(Refusal) as refusal:
        split_off(zhang, people, on=timezone.localdate() + timedelta(days=1))
    assert (refusal.value.code, refusal.value.field) == ("day_ahead", "on")


def test_the_split_is_one_act_on_each_cards_timeline(zhang: Household, people: People) -> None:
    event = split_off(zhang, people)
    for card in (zhang, event.other):
        acts = [act for act in history_of(fresh(card)) if act.verb == "households.event"]
        assert [(act.facts["kind"], act.actor) for act in acts] == [("split", people.fengming_cadre)]
    assert [act.version for act in history_of(fresh(event.other)) if act.verb] == [1]


def test_a_log_that_fails_leaves_nothing_written(
    zhang: Household, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: Any, **kwargs: Any) -> None:
        raise OSError("the log is full")

    monkeypatch.setattr(events, "record", broken)
    with pytest.raises(OSError):
        split_off(zhang, people)
    assert (Household.objects.count(), len(lives(zhang)), LifeEvent.objects.count()) == (1, 4, 0)


def test_an_event_names_nobody_and_holds_no_number(zhang: Household, people: People) -> None:
    event = split_off(zhang, people)
    text = str(event.facts) + str(list(Event.objects.values_list("facts", flat=True)))
    number = Membership.objects.get(household=event.other).person.id_number
    assert ("张小1" in text, number in text) == (False, False)


def test_an_event_is_sealed(zhang: Household, people: People) -> None:
    event = split_off(zhang, people)
    with pytest.raises(IntegrityError), transaction.atomic():
        LifeEvent.objects.filter(pk=event.pk).update(reason="别的")


# -- merge, close, reopen ------------------------------


def merged(li: Household, zhang: Household, people: People, **values: Any) -> LifeEvent:
    given: dict[str, Any] = {
        "household": li,
        "into": zhang,
        "by": people.fengming_cadre,
        "versions": versions(li, zhang),
        "relations": dict.fromkeys(
            Membership.objects.open().filter(household=li).values_list("person", flat=True), "其他"
        ),
        "on": DAY,
        "reason": "老人随子女生活",
    }
    return events.merge_households(**given | values)


def test_a_merged_card_is_closed_and_its_people_and_numbers_go_along(
    li: Household, zhang: Household, people: People
) -> None:
    merged(li, zhang, people)
    gone = fresh(li)
    assert (gone.status, gone.merged_into, lives(li), claims(li)) == ("closed", zhang, {}, 0)
    assert (len(lives(zhang)), fresh(zhang).persons, claims(zhang)) == (6, 6, 6)
    assert zhang.sheets.get().members.count() == 6
    assert li.sheets.get().members.count() == 2


def test_a_merge_that_is_undone_gives_each_card_its_own_again(li: Household, zhang: Household, people: People) -> None:
    set_status(household=li, status="registered", by=None, reason="list 1")
    before = [lives(li), lives(zhang), claims(li), claims(zhang)]
    undo(merged(li, zhang, people), people.fengming_cadre)
    assert [lives(li), lives(zhang), claims(li), claims(zhang)] == before
    assert (fresh(li).status, fresh(li).merged_into, fresh(zhang).persons) == ("registered", None, 4)
    assert zhang.sheets.get().members.count() == 4


def test_a_merge_needs_a_reason_and_both_versions(li: Household, zhang: Household, people: People) -> None:
    with refused("reason_missing"):
        merged(li, zhang, people, reason=" ")
    with refused("version_missing"):
        merged(li, zhang, people, versions=versions(li))


def test_a_closed_card_frees_its_numbers_and_reopens_with_its_status(li: Household, people: People) -> None:
    set_status(household=li, status="registered", by=None, reason="list 1")
    events.close_household(
        household=li, by=people.fengming_cadre, expected_version=fresh(li).version, why="left_city", on=DAY
    )
    assert (fresh(li).status, lives(li), claims(li)) == ("closed", {}, 0)
    people_of = {person(li, "李秀英"): HEAD, person(li, "李小1"): "之子"}
    events.reopen_household(
        household=li,
        by=people.fengming_cadre,
        expected_version=fresh(li).version,
        relations=people_of,
        on=timezone.localdate(),
        reason="返回本市",
    )
    assert (fresh(li).status, lives(li), claims(li)) == ("registered", {"李秀英": HEAD, "李小1": "之子"}, 2)


# -- members ------------------------------


def a_child(**facts: Any) -> Member:
    return replace(Member(name="张小宝", sex="男", birth_date=DAY, relation="之孙子", counts=True), **facts)


def test_a_newborn_joins_without_a_number(zhang: Household, people: People) -> None:
    events.note_birth(household=zhang, by=people.fengming_cadre, expected_version=1, member=a_child(), on=DAY)
    assert (lives(zhang)["张小宝"], fresh(zhang).persons, zhang.sheets.get().members_counted) == ("之孙子", 5, 5)
    assert claims(zhang) == 4


def test_a_newborn_with_a_wrong_number_is_refused_by_the_check(zhang: Household, people: People) -> None:
    child = a_child(id_kind="居民身份证", id_number="430725201905010011")
    with pytest.raises(CardRefused) as refusal:
        events.note_birth(household=zhang, by=people.fengming_cadre, expected_version=1, member=child, on=DAY)
    assert [problem.check_id for problem in refusal.value.problems] == ["id-check-digit"]
    assert len(lives(zhang)) == 4


def test_a_newborn_with_a_number_of_another_card_waits(zhang: Household, people: People) -> None:
    other = make_household(OTHER_VILLAGE, head="王小丫")
    number = Membership.objects.get(household=other).person.id_number
    with pytest.raises(NumberWaits) as refusal:
        events.note_birth(
            household=zhang,
            by=people.fengming_cadre,
            expected_version=1,
            member=a_child(id_kind="居民身份证", id_number=number, birth_date=date(1970, 1, 1)),
            on=DAY,
        )
    assert "王" not in refusal.value.message
    assert Finding.objects.get(kind=Finding.Kind.DUPLICATE_NUMBER).household == other
    assert len(lives(zhang)) == 4


def test_a_death_ends_the_membership_and_frees_the_number(zhang: Household, people: People) -> None:
    gone = person(zhang, "张小3")
    event = events.note_death(household=zhang, by=people.fengming_cadre, expected_version=1, person=gone, on=DAY)
    ended = Membership.objects.get(household=zhang, person=gone)
    assert (ended.until, ended.end_reason, claims(zhang)) == (DAY, "died", 3)
    undo(event, people.fengming_cadre)
    assert (len(lives(zhang)), claims(zhang), zhang.sheets.get().members.count()) == (4, 4, 4)


def test_the_death_of_the_head_names_the_next_one(zhang: Household, people: People) -> None:
    head, heir = person(zhang, "张建华"), person(zhang, "张小1")
    arguments: dict[str, Any] = {
        "household": zhang, "by": people.fengming_cadre, "expected_version": 1, "person": head, "on": DAY,
    }  # fmt: skip
    with refused("relation_missing"):
        events.note_death(**arguments)
    brothers = {person(zhang, name): "之兄弟姐妹" for name in ("张小2", "张小3")}
    events.note_death(**arguments, relations={heir: HEAD} | brothers)
    assert lives(zhang) == {"张小1": HEAD, "张小2": "之兄弟姐妹", "张小3": "之兄弟姐妹"}
    assert (fresh(zhang).head_name, zhang.sheets.get().members.get(person=heir).relation) == ("张小1", HEAD)


def test_who_marries_from_one_card_to_another_is_on_the_other_alone(
    zhang: Household, li: Household, people: People
) -> None:
    daughter = person(li, "李小1")
    event = events.marry_out(
        household=li,
        by=people.fengming_cadre,
        versions=versions(li, zhang),
        person=daughter,
        into=zhang,
        relation="之儿媳",
        on=DAY,
    )
    assert (lives(li), lives(zhang)["李小1"]) == ({"李秀英": HEAD}, "之儿媳")
    assert IdentityClaim.objects.get(person=daughter).household == zhang
    assert zhang.sheets.get().members.get(person=daughter).education == "初中"
    undo(event, people.fengming_cadre)
    assert (lives(li)["李小1"], "李小1" in lives(zhang), claims(li)) == ("之子", False, 2)


def test_who_married_out_of_the_city_comes_back_as_the_same_person(zhang: Household, people: People) -> None:
    gone = person(zhang, "张小3")
    events.marry_out(household=zhang, by=people.fengming_cadre, versions=versions(zhang), person=gone, on=DAY)
    events.note_return(
        household=zhang, by=people.fengming_cadre, expected_version=2, person=gone, relation="之子", on=date(2019, 8, 1)
    )
    assert (lives(zhang)["张小3"], Membership.objects.filter(person=gone).count(), claims(zhang)) == ("之子", 2, 4)


def a_bride(**facts: Any) -> Member:
    bride = Member(
        name="陈桂花", sex="女", birth_date=date(1996, 2, 3), relation="之儿媳", id_kind="居民身份证",
        id_number=id_number("19960203", "女"), ethnicity="汉族",
    )  # fmt: skip
    return replace(bride, **facts)


def test_a_bride_from_outside_is_a_new_person_with_her_number_held(zhang: Household, people: People) -> None:
    events.marry_in(household=zhang, by=people.fengming_cadre, expected_version=1, member=a_bride(), on=DAY)
    assert (lives(zhang)["陈桂花"], claims(zhang)) == ("之儿媳", 5)


def test_a_bride_from_a_card_of_ones_own_village_is_asked_about_and_then_leaves_it(
    zhang: Household, li: Household, people: People
) -> None:
    daughter = Membership.objects.get(household=li, person__name="李小1").person
    bride = a_bride(name="李小1", id_number=daughter.id_number, birth_date=daughter.birth_date)
    with pytest.raises(events.LivesOnCard) as asked:
        events.marry_in(household=zhang, by=people.fengming_cadre, expected_version=1, member=bride, on=DAY)
    assert asked.value.household == li
    events.marry_in(
        household=zhang, by=people.fengming_cadre, expected_version=1, member=bride, on=DAY, other_version=1
    )
    assert ("李小1" in lives(li), lives(zhang)["李小1"]) == (False, "之儿媳")


def test_a_bride_from_a_card_elsewhere_waits_without_a_place_or_name(zhang: Household, people: People) -> None:
    elsewhere = make_household(OTHER_VILLAGE, head="王桂花")
    taken = Membership.objects.get(household=elsewhere).person
    with pytest.raises(NumberWaits):
        events.marry_in(
            household=zhang,
            by=people.fengming_cadre,
            expected_version=1,
            member=a_bride(id_number=taken.id_number),
            on=DAY,
        )
    assert (lives(elsewhere), Finding.objects.get().household) == ({"王桂花": HEAD}, elsewhere)


# -- undo ------------------------------


def test_a_split_that_is_undone_leaves_the_new_card_closed_and_the_old_one_whole(
    zhang: Household, people: People
) -> None:
    before = lives(zhang)
    event = split_off(zhang, people)
    back = undo(event, people.fengming_cadre)
    assert (lives(zhang), claims(zhang), zhang.sheets.get().members.count()) == (before, 4, 4)
    assert (fresh(event.other).status, back.undoes, lives(event.other)) == ("closed", event, {})


def test_an_event_is_taken_back_once(zhang: Household, people: People) -> None:
    event = split_off(zhang, people)
    undo(event, people.fengming_cadre)
    with refused("undone_already"):
        undo(event, people.fengming_cadre)


def test_a_later_event_is_taken_back_first(zhang: Household, people: People) -> None:
    first, second = split_off(zhang, people), split_off(zhang, people, "张小2")
    with refused("undo_later_first"):
        undo(first, people.fengming_cadre)
    undo(second, people.fengming_cadre)
    undo(first, people.fengming_cadre)
    assert len(lives(zhang)) == 4


def test_a_card_form_that_took_the_member_off_stands_in_the_way(zhang: Household, people: People) -> None:
    event = events.note_birth(household=zhang, by=people.fengming_cadre, expected_version=1, member=a_child(), on=DAY)
    Membership.objects.filter(household=zhang, person__name="张小宝").update(until=timezone.localdate())
    with refused("changed_since"):
        undo(event, people.fengming_cadre)


def test_a_form_and_an_event_merge_field_by_field(people: People) -> None:
    """The form was opened before the wife's death; its own change goes in and she does not come back."""
    card = save_card(card=a_card(), by=people.fengming_cadre)
    opened = card_rows.load_card(card, 2019)
    wife = person(card, "李秀英")
    day = timezone.localdate()
    events.note_death(household=card, by=people.fengming_cadre, expected_version=1, person=wife, on=day)
    changed = replace(opened.card, household=replace(opened.card.household, group="8组"))
    save_card(card=changed, by=people.fengming_team, household=card, expected_version=1, persons=opened.persons)
    assert (fresh(card).group, lives(card)) == ("8组", {"张建华": HEAD})


# -- move ------------------------------


@pytest.fixture
def asked(zhang: Household, people: People) -> MoveRequest:
    return moves.ask_move(
        household=zhang,
        to=Division.objects.get(code=OTHER_VILLAGE),
        by=people.fengming_cadre,
        expected_version=1,
        reason="随子女居住",
    )


def test_a_household_moves_when_the_receiving_village_says_yes(
    asked: MoveRequest, zhang: Household, people: People
) -> None:
    assert fresh(zhang).village_id == FENGMING
    moves.accept_move(request=asked, by=people.other_cadre)
    assert fresh(zhang).village_id == OTHER_VILLAGE
    assert zhang.sheets.get(year=2019).village_id == FENGMING
    former = FormerVillage.objects.get()
    assert (former.village_id, former.until, former.version) == (FENGMING, timezone.localdate(), 1)


def test_the_sheet_of_a_year_that_is_not_over_goes_along(asked: MoveRequest, zhang: Household, people: People) -> None:
    running = Sheet.objects.create(household=zhang, village_id=FENGMING, year=timezone.localdate().year + 1)
    moves.accept_move(request=asked, by=people.other_cadre)
    assert Sheet.objects.get(pk=running.pk).village_id == OTHER_VILLAGE


def test_lists_of_the_old_village_do_not_show_it_and_those_of_the_new_one_do(
    asked: MoveRequest, zhang: Household, people: People
) -> None:
    moves.accept_move(request=asked, by=people.other_cadre)
    assert zhang not in Household.objects.visible_to(people.fengming_cadre)
    assert zhang in Household.objects.visible_to(people.other_cadre)


def test_who_asked_does_not_accept_and_the_giving_side_does_not_either(
    asked: MoveRequest, zhang: Household, people: People
) -> None:
    with refused("not_your_area"):
        moves.accept_move(request=asked, by=people.fengming_team)
    moves.withdraw_move(request=asked, by=people.fengming_team)
    again = moves.ask_move(
        household=zhang, to=asked.to_village, by=people.reshi_officer, expected_version=1, reason="随子女居住"
    )
    with refused("own_request"):
        moves.accept_move(request=again, by=people.reshi_officer)


def test_a_refused_move_says_why_and_changes_nothing(asked: MoveRequest, zhang: Household, people: People) -> None:
    with refused("reason_missing"):
        moves.refuse_move(request=asked, by=people.other_cadre, answer="")
    moves.refuse_move(request=asked, by=people.other_cadre, answer="不在本村居住")
    assert (fresh(zhang).village_id, fresh(zhang).version) == (FENGMING, 1)


def test_open_findings_go_along_to_the_new_village(asked: MoveRequest, zhang: Household, people: People) -> None:
    Finding.objects.create(household=zhang, village_id=FENGMING, kind=Finding.Kind.STATUS_DIFFERS)
    moves.accept_move(request=asked, by=people.other_cadre)
    assert Finding.objects.get().village_id == OTHER_VILLAGE


def test_a_move_is_taken_back_by_who_covers_both_villages(asked: MoveRequest, zhang: Household, people: People) -> None:
    event = moves.accept_move(request=asked, by=people.other_cadre).event
    with refused("not_both_villages"):
        undo(event, people.other_cadre)
    undo(event, people.reshi_officer)
    assert fresh(zhang).village_id == FENGMING
    assert not FormerVillage.objects.standing().exists()


# -- races ------------------------------


def race(*acts: Callable[[], Any]) -> list[str]:
    """Do the acts at the same moment; what each got: "done" or the code of the refusal."""
    start, answers = threading.Barrier(len(acts)), []

    def run(act: Callable[[], Any]) -> None:
        start.wait()
        try:
            act()
            answers.append("done")
        except Refusal as refusal:
            answers.append(refusal.code)
        except Exception as error:
            answers.append(type(error).__name__)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return sorted(answers)


def two_splits(people: People) -> tuple[list[str], Household]:
    """Two people split different sons off the same card, each from the card as it was opened."""
    zhang = make_household(FENGMING, members=4)
    sons = [person(zhang, "张小1"), person(zhang, "张小2")]

    def act(by: Any, son: int) -> Callable[[], Any]:
        return lambda: events.split_household(
            household=zhang, by=by, expected_version=1, going={son: HEAD}, staying={}, on=DAY
        )

    return race(act(people.fengming_cadre, sons[0]), act(people.fengming_team, sons[1])), zhang


def without_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the lock away, and let both read before either writes."""
    both_read = threading.Barrier(2)

    def read(households: Any) -> dict[int, Household]:
        rows = {row.pk: row for row in Household.objects.filter(pk__in=list(households)).order_by("pk")}
        both_read.wait(10)
        return rows

    monkeypatch.setattr(events, "_locked", read)


def test_of_two_splits_of_one_card_the_second_is_told_that_it_is_stale(committed_db: None, people: People) -> None:
    answers, zhang = two_splits(people)
    assert answers == ["done", "stale"]
    assert (fresh(zhang).version, fresh(zhang).persons, len(lives(zhang))) == (2, 3, 3)


def test_without_the_lock_both_splits_go_in_and_the_card_loses_count(
    committed_db: None, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control."""
    without_lock(monkeypatch)
    answers, zhang = two_splits(people)
    assert answers == ["done", "done"]
    assert (fresh(zhang).version, len(lives(zhang))) == (2, 2)


def two_merges(people: People) -> tuple[list[str], list[Household]]:
    """Each of two cards is merged into the other at once: locks in any other order would block each other."""
    one, two = make_household(FENGMING, head="张甲"), make_household(FENGMING, head="李乙")
    both = {one.pk: 1, two.pk: 1}

    def act(gone: Household, into: Household, by: Any) -> Callable[[], Any]:
        relations = {person(gone, gone.head_name): "其他"}
        return lambda: events.merge_households(
            household=gone, into=into, by=by, versions=both, relations=relations, on=DAY, reason="同住"
        )

    return race(act(one, two, people.fengming_cadre), act(two, one, people.fengming_team)), [one, two]


def test_two_cards_merged_into_each_other_at_once_become_one(committed_db: None, people: People) -> None:
    answers, both = two_merges(people)
    assert answers == ["done", "stale"]
    assert sorted(fresh(card).status for card in both) == ["closed", "unregistered"]
    assert Membership.objects.open().count() == 2


def married_twice(people: People) -> list[str]:
    """The same bride, not known to the city, is typed into cards of two villages at once."""
    homes = make_household(FENGMING), make_household(OTHER_VILLAGE, head="李乙")
    bride = a_bride()

    def act(home: Household, by: Any) -> Callable[[], Any]:
        return lambda: events.marry_in(household=home, by=by, expected_version=1, member=bride, on=DAY)

    return race(act(homes[0], people.fengming_cadre), act(homes[1], people.other_cadre))


def test_a_bride_married_into_two_cards_at_once_is_on_one(committed_db: None, people: People) -> None:
    assert married_twice(people) == ["done", "number_waits"]
    assert Membership.objects.open().filter(person__name="陈桂花").count() == 1


def test_without_the_claim_the_bride_would_be_on_both(
    committed_db: None, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control: without it, both have looked before either has committed."""
    both_looked = threading.Barrier(2)
    monkeypatch.setattr(events.event_rows, "_hold_numbers", lambda *_: both_looked.wait(10))
    assert married_twice(people) == ["done", "done"]
