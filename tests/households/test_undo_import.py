"""A whole workbook taken back: what it made goes, what it changed is as before, what somebody touched since stays."""

import threading
from dataclasses import replace
from decimal import Decimal

import pytest
from django.db import connections
from django.urls import reverse
from django.utils import timezone

from changde.accounts.refusal import Refusal
from changde.audit.models import Event
from changde.divisions.models import Division
from changde.jobs.models import Job
from changde.jobs.services import run_job
from households import tasks  # noqa: F401 - registers the handlers
from households.domain.worksheet import IncomeLine as Line
from households.models import (
    Finding,
    Household,
    IdentityClaim,
    ImportBatch,
    IncomeLine,
    MemberSheet,
    Membership,
    Person,
    Result,
    Sheet,
    StagedHousehold,
)
from households.selectors.findings import brought_by
from households.services import index_runs, undo
from households.services.card_rows import load_card
from households.services.cards import VersionConflict, save_card
from households.services.index_versions import load_default_versions
from tests.factories import id_number
from tests.households.card_workbooks import workbook_of
from tests.households.cards import a_member, with_household, with_member
from tests.households.test_import_cards import bring, counts, family, many, with_members
from tests.personas import RESHI

pytestmark = pytest.mark.usefixtures("committed_db")
ROWS = (Household, Person, Membership, Sheet, MemberSheet, IdentityClaim, IncomeLine)
MOVED = {"version", "changed_at"}  # rise with every write, an undo too


def rows() -> dict:
    """Every row of every card, without what rises with each write."""
    return {
        model.__name__: {
            row.pk: {
                column.attname: bytes(value) if isinstance(value := getattr(row, column.attname), memoryview) else value
                for column in model._meta.concrete_fields
                if column.name not in MOVED
            }
            for row in model.objects.all()
        }
        for model in ROWS
    }


def take_back(batch: ImportBatch, by, **options) -> ImportBatch:
    undo.undo(batch=batch, by=by, **options)
    run_job(Job.objects.filter(kind="undo_cards").latest("pk").pk)
    batch.refresh_from_db()
    return batch


def test_households_the_batch_made_are_gone_with_their_people_and_their_numbers_are_free(people):
    before = counts()
    batch, _outcome = bring(many(5), by=people.fengming_cadre)
    assert Household.objects.count() == 5
    batch = take_back(batch, people.fengming_cadre)
    assert (batch.state, batch.undone) == ("undone", 5)
    assert counts() == before
    assert Person.pgh_event_model.objects.filter(pgh_label="delete").count() == 5
    event = Event.objects.get(verb="households.undo_workbook")
    assert event.facts == {"kept": 0, "removed": 5, "restored": 0}
    assert bring(many(5), by=people.fengming_cadre)[1].created == 5


def changed_everywhere():
    """The couple with another head, a wife who left, a child who came, another number, a new phone and income."""
    son = a_member("张小明", birth="20080601", relation="之子", school_status="小学", education="小学", labour=None)
    card = family(sheet={"wage_income": Decimal(5000), "main_fuel": "柴草"}, phone="13873600009", bank="农商行")
    card = with_member(card, 0, education="高中", id_number=id_number("19700101", serial=31))
    return with_members(card, card.members[0], son)


@pytest.mark.parametrize("year", [2019, 2020])
def test_a_changed_card_has_every_row_and_claim_as_before(people, year):
    bring(workbook_of(family()), by=people.fengming_cadre)
    household = Household.objects.get()
    before, card = rows(), load_card(household, 2019)
    changed = changed_everywhere()
    batch, outcome = bring(
        workbook_of(replace(changed, sheet=replace(changed.sheet, year=year))), by=people.fengming_cadre
    )
    assert outcome.changed == 1
    assert rows() != before
    batch = take_back(batch, people.fengming_cadre)
    assert rows() == before
    assert load_card(household, 2019) == card
    household.refresh_from_db()
    assert household.version == 3
    assert not Finding.objects.open().filter(code="member-vanished").exists()
    assert Finding.objects.filter(decision="undone").exists()
    assert Event.objects.filter(verb="households.undo_import").count() == 1


def test_lines_of_the_worksheet_that_a_brought_total_closed_stand_again(people):
    card = family()
    bring(workbook_of(card), by=people.fengming_cadre)
    household = Household.objects.get()
    stored = load_card(household, 2019)
    rice = Line(kind="crop", item="水稻", quantity=Decimal("4.2"), fen=400_000, known="estimate")
    with_rice = replace(stored.card, lines=(rice,))
    save_card(card=with_rice, by=people.fengming_cadre, household=household, expected_version=1, persons=stored.persons)
    before = rows()
    brought = replace(card, sheet=replace(card.sheet, business_income=Decimal(9000)))
    batch, _outcome = bring(workbook_of(brought), by=people.fengming_cadre)
    assert IncomeLine.objects.count() == 0
    take_back(batch, people.fengming_cadre)
    assert rows() == before
    assert IncomeLine.objects.get().item == "水稻"


def test_a_head_who_stepped_down_stands_up_again(people):
    card = family()
    bring(workbook_of(card), by=people.fengming_cadre)
    before = rows()
    swapped = with_member(with_member(card, 0, relation="配偶"), 1, relation="户主")
    batch, outcome = bring(
        workbook_of(with_household(swapped, head_id_number=card.members[1].id_number)), by=people.fengming_cadre
    )
    assert outcome.changed == 1
    take_back(batch, people.fengming_cadre)
    assert rows() == before


def test_a_person_who_moved_between_two_cards_of_the_workbook_moves_back(people):
    son = a_member("张小明", birth="19950601", relation="之子")
    first = with_members(family("43072510320290001"), a_member("张三", birth="19600101"), son)
    second = with_members(family("43072510320290002"), a_member("张四", birth="19610101"))
    bring(workbook_of(first, second), by=people.fengming_cadre)
    before = rows()
    moved = workbook_of(
        with_members(first, first.members[0]), with_members(second, second.members[0], replace(son, relation="其他"))
    )
    batch, outcome = bring(moved, by=people.fengming_cadre, chunk_size=1)
    assert outcome.changed == 2
    take_back(batch, people.fengming_cadre)
    assert rows() == before


def test_the_first_load_gives_a_status_and_its_undo_takes_it(people):
    poor = family(sheet={"attribute": "一般贫困户", "exit_flag": "未脱贫", "main_cause": "因病"})
    bring(workbook_of(poor), by=people.taoyuan_office)
    Household.objects.update(status_since=None)
    batch, outcome = bring(workbook_of(poor), by=people.taoyuan_office, initial=True)
    assert (outcome.same, Household.objects.get().status) == (1, "registered")
    take_back(batch, people.taoyuan_office)
    assert (Household.objects.get().status, Household.objects.get().status_since) == ("unregistered", None)


def touch(number: str, by=None) -> None:
    household = Household.objects.get(number=number)
    stored = load_card(household, 2019)
    save_card(
        card=with_household(stored.card, address="新址"),
        persons=stored.persons,
        household=household,
        expected_version=household.version,
        by=by,
    )


def test_a_card_somebody_changed_since_refuses_the_whole_undo_and_is_named(people):
    batch, _outcome = bring(many(3), by=people.fengming_cadre)
    touch("43072510320290001")
    foreseen = undo.foresee(batch)
    assert (foreseen.removed, foreseen.blocked_count) == (3, 1)
    assert [(row.household, reason) for row, reason in foreseen.blocked] == [("43072510320290001", "changed")]
    with pytest.raises(Refusal, match="不能整批撤销"):
        undo.undo(batch=batch, by=people.fengming_cadre)
    assert Household.objects.count() == 3
    batch = take_back(batch, people.fengming_cadre, rest=True)
    assert (batch.state, batch.undone, Household.objects.get().address) == ("undone", 2, "新址")


def test_households_that_stay_are_listed_on_the_page_with_who_changed_them_and_when(people, as_user):
    batch, _outcome = bring(many(3), by=people.fengming_cadre)
    client, page = as_user(people.fengming_cadre), reverse("households:import_page", args=[batch.pk])
    assert "撤销时保持现状" not in client.get(page).content.decode()
    touch("43072510320290001", by=people.reshi_officer)
    assert people.reshi_officer.display_name in client.get(f"{page}undo/").content.decode()
    batch = take_back(batch, people.fengming_cadre, rest=True)
    number, (left,) = undo.left_behind(batch)
    assert (number, left.row.household, left.by, left.reason) == (
        1, "43072510320290001", people.reshi_officer, undo.REASONS["changed"],
    )  # fmt: skip
    text = client.get(page).content.decode()
    assert "撤销时保持现状的 1 户" in text and people.reshi_officer.display_name in text
    assert f"{timezone.localtime(left.at):%H:%M}" in text


def test_a_later_workbook_that_changed_a_card_is_in_the_way(people):
    first, _outcome = bring(workbook_of(family()), by=people.fengming_cadre)
    bring(workbook_of(family(sheet={"wage_income": Decimal(7)})), by=people.fengming_cadre)
    assert [reason for _row, reason in undo.foresee(first).blocked] == ["changed"]


def test_a_number_another_card_took_meanwhile_is_in_the_way(people):
    card = family()
    bring(workbook_of(card), by=people.fengming_cadre)
    batch, _outcome = bring(workbook_of(with_members(card, card.members[0])), by=people.fengming_cadre)
    other = with_members(family("43072510320290002"), a_member("张四", birth="19610101"), card.members[1])
    bring(workbook_of(other), by=people.fengming_cadre)
    assert [reason for _row, reason in undo.foresee(batch).blocked] == ["number"]


def test_a_household_another_table_refers_to_is_in_the_way(people):
    batch, _outcome = bring(many(2), by=people.fengming_cadre)
    first, second = Household.objects.order_by("pk")
    Household.objects.filter(pk=second.pk).update(split_from=first)
    assert [reason for _row, reason in undo.foresee(batch).blocked] == ["referred"]


def test_a_cancelled_undo_can_be_taken_up_again(people):
    batch, _outcome = bring(many(4), by=people.fengming_cadre)
    undo.undo(batch=batch, by=people.fengming_cadre)

    def stop(done: int, total: int) -> None:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        undo.take_back(batch=batch, by=people.fengming_cadre, progress=stop, size=2)
    assert Household.objects.count() == 2
    assert undo.take_back(batch=batch, by=people.fengming_cadre) == 0
    batch.refresh_from_db()
    assert (batch.state, batch.undone, Household.objects.count()) == ("undone", 4, 0)


def test_the_workbooks_waiting_household_waits_no_longer(people):
    bring(workbook_of(family()), by=people.fengming_cadre)
    batch, outcome = bring(workbook_of(family("43072510320290009")), by=people.fengming_cadre)
    assert outcome.waiting == 1
    assert not undo.may_undo(batch)  # nothing of it was written
    both = workbook_of(
        family("43072510320290009"), with_members(family("43072510320290010"), a_member("张四", birth="19610101"))
    )
    batch, _outcome = bring(both, by=people.fengming_cadre)
    take_back(batch, people.fengming_cadre)
    assert (Household.objects.count(), StagedHousehold.objects.filter(undone_at__isnull=False).count()) == (1, 1)


# -- racing ------------------------------


def edit_is_lost(people, monkeypatch) -> bool:
    """Somebody saves a card between the undo's look and its write: was the edit taken and then silently undone?"""
    bring(workbook_of(family()), by=people.fengming_cadre)
    batch, _outcome = bring(workbook_of(family(sheet={"wage_income": Decimal(5000)})), by=people.fengming_cadre)
    undo.undo(batch=batch, by=people.fengming_cadre)
    look, said = undo._in_the_way, []

    def edit() -> None:
        try:
            touch("43072510320290001")
            said.append("saved")
        except VersionConflict:
            said.append("told")
        finally:
            connections.close_all()

    thread = threading.Thread(target=edit)

    def look_and_let_them_in(*arguments):
        found = look(*arguments)
        thread.start()
        thread.join(1)
        return found

    monkeypatch.setattr(undo, "_in_the_way", look_and_let_them_in)
    undo.take_back(batch=batch, by=people.fengming_cadre)
    thread.join(20)
    return said == ["saved"] and Household.objects.get().address != "新址"


def test_an_edit_in_the_moment_of_the_undo_waits_and_is_told(people, monkeypatch):
    assert not edit_is_lost(people, monkeypatch)


def test_without_the_lock_the_same_edit_is_lost(people, monkeypatch):
    """The negative control: what the lock is for."""
    monkeypatch.setattr(undo, "_lock", lambda ids: None)
    assert edit_is_lost(people, monkeypatch)


def test_who_brought_a_card_by_workbook_is_known_as_who_wrote_it(people):
    bring(many(2), by=people.fengming_cadre)
    cards = set(Household.objects.values_list("pk", flat=True))
    assert brought_by(people.fengming_cadre, cards) == cards
    assert brought_by(people.reshi_officer, cards) == set()


def test_a_household_judged_by_a_final_run_stays(people):
    load_default_versions()
    batch, _outcome = bring(many(3), by=people.fengming_cadre)
    run = index_runs.start_run(division=Division.objects.get(code=RESHI), year=2019, by=None, in_background=False)
    run = index_runs.compute_run(run=run)
    Result.objects.filter(
        pk=Result.objects.filter(run=run).earliest("pk").pk
    ).delete()  # as if it had come after the run
    index_runs.mark_final(run=run, by=people.reshi_officer)
    assert [reason for _row, reason in undo.foresee(batch).blocked] == ["final", "final"]
    batch = take_back(batch, people.fengming_cadre, rest=True)
    assert (batch.state, batch.undone) == ("undone", 1)
    assert set(Household.objects.values_list("pk", flat=True)) == set(
        Result.objects.values_list("household_id", flat=True)
    )
