"""Saving a whole card: what is written, what is refused, who wins a race, what the log and the history say."""

import threading
import uuid
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, connections, transaction

from changde.accounts.refusal import Refusal
from changde.audit.models import Event
from changde.crypto.cipher import CannotDecrypt, blind_index
from households.domain.card_income import with_income
from households.models import Finding, Household, IdentityClaim, MemberSheet, Membership, Person, Sheet
from households.selectors.history import history_of
from households.services import card_rows, cards
from households.services.cards import CardRefused, NumberWaits, VersionConflict, save_card
from tests.households.cards import a_card, a_member, a_wife, with_household, with_member, with_sheet
from tests.personas import FENGMING, OTHER_VILLAGE, People

CADRE = "fengming_cadre"


@pytest.fixture
def saved(people: People) -> Household:
    return save_card(card=a_card(), by=people.fengming_cadre)


def again(household: Household) -> tuple[Any, tuple[int, ...]]:
    """The card as a form would read it now, with the ids of its persons."""
    numbered = card_rows.load_card(household, 2019)
    return numbered.card, numbered.persons


def counts() -> dict[str, int]:
    models = (Household, Person, Membership, Sheet, MemberSheet, IdentityClaim, Finding)
    return {model.__name__: model.objects.count() for model in models}


# -- what is written ------------------------------


def test_a_new_card_is_written_whole(saved: Household) -> None:
    assert counts() | {"Finding": 0} == {
        "Household": 1, "Person": 2, "Membership": 2, "Sheet": 1, "MemberSheet": 2, "IdentityClaim": 2, "Finding": 0,
    }  # fmt: skip
    assert (saved.head_name, saved.head_pinyin, saved.head_initials, saved.persons, saved.version) == (
        "张建华", "zhang jian hua", "zjh", 2, 1,
    )  # fmt: skip
    assert saved.status == "unregistered"


def test_what_was_written_is_read_again_the_same(saved: Household) -> None:
    wanted = with_income(a_card())
    card, _ = again(saved)
    assert card.household == wanted.household
    assert replace(card.sheet, entered_by=None, entered_at=None) == wanted.sheet
    assert [member.name for member in card.members] == ["张建华", "李秀英"]


def test_income_is_worked_out_from_the_parts_whatever_the_card_says(people: People) -> None:
    card = a_card(
        sheet={"other_transfer": Decimal("600.50"), "net_income": Decimal(1), "per_capita_income": Decimal(1)}
    )
    sheet = save_card(card=card, by=people.fengming_cadre).sheets.get()
    assert (sheet.transfer_income, sheet.net_income, sheet.per_capita_income) == (
        Decimal("600.50"), Decimal("7600.50"), Decimal("3800.25"),
    )  # fmt: skip


def test_an_unknown_part_leaves_the_income_unknown(people: People) -> None:
    sheet = save_card(card=a_card(sheet={"wage_income": None}), by=people.fengming_cadre).sheets.get()
    assert (sheet.net_income, sheet.per_capita_income) == (None, None)


def test_the_sheet_names_who_entered_it_first(saved: Household, people: People) -> None:
    card, persons = again(saved)
    save_card(
        card=with_sheet(card, pigs=9, entered_by=None, entered_at=None), persons=persons, by=people.reshi_officer,
        household=saved, expected_version=1,
    )  # fmt: skip
    assert saved.sheets.get().entered_by == people.fengming_cadre.name


def test_a_member_who_left_the_form_ends_the_membership_and_the_person_stays(saved: Household, people: People) -> None:
    card, persons = again(saved)
    changed = save_card(
        card=replace(card, members=card.members[:1]), persons=persons[:1], by=people.fengming_cadre,
        household=saved, expected_version=1,
    )  # fmt: skip
    gone = Membership.objects.get(person_id=persons[1])
    assert (gone.until is not None, gone.end_reason, changed.persons) == (True, "removed", 1)
    assert Person.objects.filter(pk=persons[1]).exists()
    assert not IdentityClaim.objects.filter(person_id=persons[1]).exists()
    assert changed.sheets.get().members_counted == 1


def test_a_member_who_comes_back_is_the_same_person(saved: Household, people: People) -> None:
    card, persons = again(saved)
    alone = replace(card, members=card.members[:1])
    save_card(card=alone, persons=persons[:1], by=people.fengming_cadre, household=saved, expected_version=1)
    save_card(card=card, persons=(persons[0], None), by=people.fengming_cadre, household=saved, expected_version=2)
    assert Membership.objects.open().filter(household=saved, person_id=persons[1]).exists()
    assert Person.objects.count() == 2


def test_members_of_a_form_without_ids_are_found_by_their_numbers(saved: Household, people: People) -> None:
    card, persons = again(saved)
    save_card(
        card=with_member(card, 1, education="高中"), by=people.fengming_cadre, household=saved, expected_version=1
    )
    assert MemberSheet.objects.get(person_id=persons[1]).education == "高中"
    assert Person.objects.count() == 2


def test_the_head_can_change(saved: Household, people: People) -> None:
    card, persons = again(saved)
    card = with_member(with_member(card, 0, relation="配偶"), 1, relation="户主")
    changed = save_card(card=card, persons=persons, by=people.fengming_cadre, household=saved, expected_version=1)
    assert (changed.head_name, changed.head_initials) == ("李秀英", "lxy")


def test_a_next_year_gets_a_sheet_of_its_own(saved: Household, people: People) -> None:
    card, persons = again(saved)
    save_card(
        card=with_sheet(card, year=2020, pigs=5), persons=persons, by=people.fengming_cadre,
        household=saved, expected_version=1,
    )  # fmt: skip
    assert list(saved.sheets.order_by("year").values_list("year", "pigs")) == [(2019, 2), (2020, 5)]


def test_an_earlier_year_never_changes_the_present(saved: Household, people: People) -> None:
    card, persons = again(saved)
    earlier = with_sheet(with_household(card, group="9组"), year=2018, pigs=1)
    alone = replace(earlier, members=(replace(earlier.members[0], name="张旧名"),))
    save_card(card=alone, persons=persons[:1], by=people.fengming_cadre, household=saved, expected_version=1)
    saved.refresh_from_db()
    assert (saved.group, saved.persons, saved.head_name, saved.version) == ("3组", 2, "张建华", 2)
    assert saved.sheets.get(year=2018).members.count() == 1


def test_saving_the_same_again_writes_nothing(saved: Household, people: People) -> None:
    card, persons = again(saved)
    save_card(card=card, persons=persons, by=people.fengming_cadre, household=saved, expected_version=1)
    saved.refresh_from_db()
    assert (saved.version, Event.objects.filter(verb="households.save_card").count()) == (1, 1)


def test_a_repeated_submission_is_one_card(people: People) -> None:
    key, card = uuid.uuid4(), a_card()
    first = save_card(card=card, by=people.fengming_cadre, client_key=key)
    second = save_card(card=card, by=people.fengming_cadre, client_key=key)
    assert (first.pk, Household.objects.count()) == (second.pk, 1)


# -- what is refused ------------------------------


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"village_code": OTHER_VILLAGE}, "not_your_area"),
        ({"village_code": 430725103999}, "village_unknown"),
        ({"village_code": 430725103000}, "village_unknown"),
        ({"village_code": None}, "village_unknown"),
    ],
)
def test_a_card_of_another_place_is_refused(people: People, changes: dict, code: str) -> None:
    with pytest.raises(Refusal) as refusal:
        save_card(card=a_card(**changes), by=people.fengming_cadre)
    assert (refusal.value.code, Household.objects.count()) == (code, 0)


def test_a_card_cannot_be_moved_by_writing_another_village(saved: Household, people: People) -> None:
    card, persons = again(saved)
    with pytest.raises(Refusal) as refusal:
        save_card(
            card=with_household(card, village_code=OTHER_VILLAGE), persons=persons, by=people.reshi_officer,
            household=saved, expected_version=1,
        )  # fmt: skip
    assert refusal.value.code == "village_changed"


def test_a_person_of_another_card_cannot_be_slipped_in(saved: Household, people: People) -> None:
    other = save_card(card=a_card(a_member("王大明", birth="19600505")), by=people.fengming_cadre)
    stranger = other.memberships.get().person_id
    card, persons = again(saved)
    with pytest.raises(Refusal) as refusal:
        save_card(
            card=card, persons=(persons[0], stranger), by=people.fengming_cadre, household=saved, expected_version=1
        )
    assert refusal.value.code == "stranger"


def test_a_household_number_stands_once(people: People) -> None:
    save_card(card=a_card(number="43072510320200001"), by=people.fengming_cadre)
    with pytest.raises(Refusal) as refusal:
        save_card(card=a_card(a_member("王大明"), number="43072510320200001"), by=people.fengming_cadre)
    assert (refusal.value.code, refusal.value.field, Household.objects.count()) == ("number_taken", "number", 1)


def test_red_checks_refuse_the_card_and_name_the_member(people: People) -> None:
    card = with_member(a_card(), 1, sex="男")
    with pytest.raises(CardRefused) as refusal:
        save_card(card=card, by=people.fengming_cadre)
    assert ("id-sex", 1) in {(problem.check_id, problem.member) for problem in refusal.value.problems}
    assert set(counts().values()) == {0}


def test_yellow_checks_go_in_as_open_findings_and_close_when_corrected(people: People) -> None:
    saved = save_card(card=with_member(a_card(), 1, birth_date=None, id_number=None), by=people.fengming_cadre)
    wife = saved.memberships.get(relation="配偶").person_id
    assert Finding.objects.open().filter(code="id-missing", person_id=wife).exists()
    card, persons = again(saved)
    save_card(
        card=with_member(card, 1, no_id_reason="未办理"), persons=persons, by=people.fengming_cadre,
        household=saved, expected_version=1,
    )  # fmt: skip
    closed = Finding.objects.get(code="id-missing", person_id=wife)
    assert (closed.decision, closed.decided_by) == ("corrected", people.fengming_cadre)


# -- versions ------------------------------


def test_a_missing_version_is_refused(saved: Household, people: People) -> None:
    card, persons = again(saved)
    with pytest.raises(Refusal) as refusal:
        save_card(card=card, persons=persons, by=people.fengming_cadre, household=saved)
    assert refusal.value.code == "version_missing"


def test_two_people_who_change_different_fields_both_win(saved: Household, people: People) -> None:
    card, persons = again(saved)
    write = {"household": saved, "expected_version": 1, "persons": persons}
    save_card(card=with_sheet(card, pigs=9), by=people.reshi_officer, **write)
    save_card(
        card=with_household(with_member(card, 1, education="高中"), group="5组"), by=people.fengming_cadre, **write
    )
    saved.refresh_from_db()
    assert (saved.sheets.get().pigs, saved.group, saved.version) == (9, "5组", 3)
    assert MemberSheet.objects.get(person_id=persons[1]).education == "高中"


def test_the_same_field_changed_twice_is_a_conflict_with_both_values(saved: Household, people: People) -> None:
    card, persons = again(saved)
    write = {"household": saved, "expected_version": 1, "persons": persons}
    save_card(card=with_sheet(card, pigs=9), by=people.reshi_officer, **write)
    with pytest.raises(VersionConflict) as conflict:
        save_card(card=with_sheet(card, pigs=7, cattle=1), by=people.fengming_cadre, **write)
    told = conflict.value
    assert [(each.attribute, each.mine, each.theirs) for each in told.conflicts] == [("pigs", 7, 9)]
    assert (told.who, told.version) == (people.reshi_officer, 2)
    assert told.card.card.sheet.cattle == 1
    assert saved.sheets.get().pigs == 9


def test_after_the_choice_the_card_is_saved_against_the_new_version(saved: Household, people: People) -> None:
    card, persons = again(saved)
    write = {"household": saved, "persons": persons}
    save_card(card=with_sheet(card, pigs=9), by=people.reshi_officer, expected_version=1, **write)
    save_card(card=with_sheet(card, pigs=7), by=people.fengming_cadre, expected_version=2, **write)
    assert saved.sheets.get().pigs == 7


def test_a_member_added_by_one_is_not_lost_by_the_other(saved: Household, people: People) -> None:
    card, persons = again(saved)
    son = a_member("张小明", birth="20000601", relation="之子")
    save_card(
        card=replace(card, members=(*card.members, son)), persons=(*persons, None), by=people.reshi_officer,
        household=saved, expected_version=1,
    )  # fmt: skip
    save_card(
        card=with_sheet(card, pigs=7), persons=persons, by=people.fengming_cadre, household=saved, expected_version=1
    )
    saved.refresh_from_db()
    assert (saved.persons, saved.sheets.get().pigs) == (3, 7)


def test_one_removes_a_member_whom_the_other_changes(saved: Household, people: People) -> None:
    card, persons = again(saved)
    write = {"household": saved, "expected_version": 1}
    save_card(card=with_member(card, 1, education="高中"), persons=persons, by=people.reshi_officer, **write)
    with pytest.raises(VersionConflict) as conflict:
        save_card(card=replace(card, members=card.members[:1]), persons=persons[:1], by=people.fengming_cadre, **write)
    assert [(each.person, each.mine, each.theirs) for each in conflict.value.conflicts] == [
        (persons[1], None, "李秀英")
    ]


def test_where_the_way_back_has_a_gap_every_difference_is_asked(saved: Household, people: People) -> None:
    card, persons = again(saved)
    Household.objects.filter(pk=saved.pk).update(version=2, group="8组")  # past the service: no event tells of it
    with pytest.raises(VersionConflict) as conflict:
        save_card(
            card=with_sheet(card, pigs=7), persons=persons, by=people.fengming_cadre, household=saved,
            expected_version=1,
        )  # fmt: skip
    assert {each.attribute for each in conflict.value.conflicts} == {"group", "pigs"}


# -- one number, one card ------------------------------


def test_a_number_of_another_card_waits_without_telling_where(saved: Household, people: People) -> None:
    head = a_card().members[0]
    number = again(saved)[0].members[0].id_number
    with pytest.raises(NumberWaits) as refusal:
        save_card(
            card=a_card(replace(head, name="张重复", id_number=number), a_wife(), village_code=OTHER_VILLAGE),
            by=people.other_cadre,
        )
    assert refusal.value.members == (0,)
    assert not {"凤鸣", "张建华", str(FENGMING), number} & set(refusal.value.message)
    assert all(word not in refusal.value.message for word in ("凤鸣", "张建华", str(FENGMING), number))
    assert Household.objects.count() == 1


def test_the_first_card_of_a_number_gets_one_finding_that_blocks_a_posting(saved: Household, people: People) -> None:
    number = again(saved)[0].members[0].id_number
    second = a_card(a_member("张重复", id_number=number), village_code=OTHER_VILLAGE)
    for _ in range(2):
        with pytest.raises(NumberWaits):
            save_card(card=second, by=people.other_cadre)
    finding = Finding.objects.get(kind=Finding.Kind.DUPLICATE_NUMBER)
    assert (finding.household_id, finding.blocks, finding.decided_at) == (saved.pk, True, None)


def race(people: People) -> list[Any]:
    """Two cadres of two villages save the same number at the same moment; what each got."""
    number = a_member().id_number
    one = a_card(a_member("张甲", id_number=number))
    other = a_card(a_member("张乙", id_number=number), village_code=OTHER_VILLAGE)
    start, results = threading.Barrier(2), []

    def save(card: Any, by: Any) -> None:
        start.wait()
        try:
            results.append(save_card(card=card, by=by))
        except Refusal as refusal:
            results.append(refusal.code)
        finally:
            connections.close_all()

    threads = [
        threading.Thread(target=save, args=(one, people.fengming_cadre)),
        threading.Thread(target=save, args=(other, people.other_cadre)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


def test_of_two_cards_that_race_for_a_number_one_waits(committed_db: None, people: People) -> None:
    results = race(people)
    assert results.count("number_waits") == 1
    assert Household.objects.count() == 1


def test_without_the_claim_the_race_would_put_one_person_on_two_cards(
    committed_db: None, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control: looking first and writing after is not enough."""
    both_looked = threading.Barrier(2)

    def look_then_write(row: Household, wanted: dict[bytes, int]) -> list[bytes]:
        taken = list(IdentityClaim.objects.filter(number_hash__in=list(wanted)).values_list("number_hash", flat=True))
        both_looked.wait(10)
        return [bytes(hashed) for hashed in taken]

    monkeypatch.setattr(cards, "claim_numbers", look_then_write)
    assert "number_waits" not in race(people)
    assert Household.objects.count() == 2


# -- log and history ------------------------------


@pytest.fixture
def broken_log(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def broken(*args: Any, **kwargs: Any) -> None:
        raise OSError("the log is full")

    with monkeypatch.context() as patch:
        patch.setattr(cards, "record", broken)
        yield


def test_a_log_that_fails_leaves_nothing_written(people: People, broken_log: None) -> None:
    with pytest.raises(OSError):
        save_card(card=a_card(), by=people.fengming_cadre)
    assert set(counts().values()) == {0}


def test_a_save_writes_one_event_without_personal_data(saved: Household, people: People) -> None:
    event = Event.objects.get(verb="households.save_card")
    assert (event.actor, event.target_id, event.area) == (people.fengming_cadre, str(saved.pk), FENGMING)
    number = again(saved)[0].members[0].id_number
    assert "张建华" not in str(event.facts) and number not in str(event.facts)


def test_a_change_is_told_by_field_with_numbers_masked(saved: Household, people: People) -> None:
    card, persons = again(saved)
    card = with_sheet(with_household(card, phone="13873600099"), pigs=9)
    save_card(card=card, persons=persons, by=people.reshi_officer, household=saved, expected_version=1)
    latest = history_of(saved)[0]
    told = {change.name: (change.before, change.after) for change in latest.changes}
    assert (latest.actor, latest.version) == (people.reshi_officer, 2)
    assert told == {"phone": ("138****0001", "138****0099"), "pigs": (2, 9)}


def test_raw_sql_leaves_history_too(saved: Household) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE households_sheet SET pigs = 99 WHERE household_id = %s", [saved.pk])
    past = [act for act in history_of(saved) if act.verb == ""]
    assert [(change.name, change.before, change.after) for change in past[0].changes] == [("pigs", 2, 99)]


def test_a_number_of_one_person_does_not_open_as_anothers(saved: Household, owner: Any) -> None:
    first, second = Person.objects.filter(memberships__household=saved).order_by("pk")
    Person.objects.filter(pk=second.pk).update(id_number_cipher=bytes(first.id_number_cipher))
    second.refresh_from_db()
    with pytest.raises(CannotDecrypt):
        second.id_number  # noqa: B018


def test_no_number_stands_readable_in_the_tables(saved: Household) -> None:
    number = again(saved)[0].members[0].id_number
    with connection.cursor() as cursor:
        cursor.execute("SELECT p::text FROM households_person p UNION ALL SELECT h::text FROM households_household h")
        dump = " ".join(row[0] for row in cursor.fetchall())
    assert number not in dump and "13873600001" not in dump
    assert blind_index(number, kind="id").hex() in dump


# -- constraints, from both sides ------------------------------


def test_two_open_heads_are_refused_by_the_database(saved: Household) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Membership.objects.filter(household=saved).update(relation="户主")


def test_one_ended_and_one_open_head_are_fine(saved: Household, people: People) -> None:
    card, persons = again(saved)
    card = with_member(with_member(card, 0, relation="其他"), 1, relation="户主")
    save_card(
        card=replace(card, members=card.members[1:]), persons=persons[1:], by=people.fengming_cadre,
        household=saved, expected_version=1,
    )  # fmt: skip
    assert Membership.objects.filter(household=saved, relation="户主").count() == 2


def test_a_person_is_an_open_member_once(saved: Household, people: People) -> None:
    other = save_card(card=a_card(a_member("王大明")), by=people.fengming_cadre)
    with pytest.raises(IntegrityError), transaction.atomic():
        Membership.objects.create(household=other, person=saved.memberships.first().person, relation="其他")


def test_a_negative_income_is_refused_by_the_database(saved: Household) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        saved.sheets.update(wage_income=-1)


def test_a_number_without_its_hash_is_refused_by_the_database(saved: Household) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Person.objects.filter(memberships__household=saved).update(id_number_hash=None)
