"""The night: all checks over stored cards, by township, as a job; twice the same; what a save says, it says too."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.utils import timezone

from changde.jobs.models import Job
from changde.jobs.services import run_job
from households.models import Finding, Household, IdentityClaim, MemberSheet, Membership, Sheet
from households.services import night_checks
from households.services.card_rows import load_card, load_latest_cards
from households.services.cards import save_card
from households.services.findings import accept
from households.services.status import set_status
from households.tasks import check_cards_nightly
from tests.conftest import ROOT
from tests.factories import make_household
from tests.households.cards import a_card, a_member, with_sheet
from tests.personas import FENGMING, OTHER_VILLAGE, RESHI, TAOYUAN, WULING_VILLAGE

PLAIN = {"business_income": Decimal("9000.50")}


@pytest.fixture
def saved(people):
    return save_card(card=a_card(sheet=PLAIN), by=people.fengming_cadre)


def night(area=RESHI, **options):
    return night_checks.check_area(area=area, **options)


def codes():
    return sorted(Finding.objects.open().values_list("code", flat=True))


def test_a_night_after_a_save_changes_nothing(people, saved):
    save_card(
        card=a_card(a_member("刘大海"), sheet={"domestic_power": False}, village_code=OTHER_VILLAGE),
        by=people.other_cadre,
    )
    save_card(card=a_card(a_member("陈小山"), sheet={"house_area": None}), by=people.fengming_cadre)
    before = list(Finding.objects.exclude(code="phone-shared").order_by("pk").values_list("pk", "facts", "mark"))
    done = night()
    assert (done.households, done.closed) == (3, 0)
    assert (
        list(Finding.objects.exclude(code="phone-shared").order_by("pk").values_list("pk", "facts", "mark")) == before
    )
    assert night().opened == 0


def test_the_night_opens_what_was_written_past_the_application_and_closes_what_was_mended(saved):
    Sheet.objects.filter(household=saved).update(house_area=7)
    assert night().opened == 1
    note = Finding.objects.get(code="house-area")
    assert (note.noted_by, note.facts["year"]) == (None, 2019)
    Sheet.objects.filter(household=saved).update(house_area=90)
    assert night().closed == 1
    note.refresh_from_db()
    assert (note.decision, note.decided_by) == ("corrected", None)


def test_a_red_check_on_a_stored_card_blocks_until_it_is_mended(saved):
    Sheet.objects.filter(household=saved).update(house_grade="D级")
    night()
    note = Finding.objects.get(code="house-grade")
    assert (note.severity, note.blocks) == ("red", True)


def test_what_a_reviewer_accepted_the_night_does_not_open_again(saved, people):
    Sheet.objects.filter(household=saved).update(house_area=7)
    night()
    accept(finding=Finding.objects.get(), by=people.reshi_officer)
    assert night().opened == 0


def test_the_same_phone_in_two_villages_is_found_on_both_cards(people, saved):
    save_card(card=a_card(a_member("刘大海"), village_code=OTHER_VILLAGE, sheet=PLAIN), by=people.other_cadre)
    night()
    assert Finding.objects.filter(code="phone-shared").count() == 2


def test_the_same_phone_within_a_village_is_nothing(people, saved):
    save_card(card=a_card(a_member("刘大海"), sheet=PLAIN), by=people.fengming_cadre)
    night()
    assert codes() == []


def test_a_card_nobody_touched_for_a_year_is_found(saved):
    assert night(today=timezone.localdate() + timedelta(days=360)).opened == 0
    assert night(today=timezone.localdate() + timedelta(days=370)).opened == 1
    assert codes() == ["card-old"]


def test_income_that_halved_since_last_year_is_found(saved):
    stored = load_card(saved, 2019)
    card = with_sheet(stored.card, year=2020, business_income=Decimal("4500.50"))
    save_card(card=card, persons=stored.persons, household=saved, expected_version=1, by=None)
    assert codes() == ["income-jump"]
    assert night().closed == 0


def test_a_member_of_last_year_who_is_gone_without_an_event_is_found_and_one_who_died_is_not(saved):
    wife = saved.memberships.get(relation="配偶")
    gone = {"until": timezone.localdate(), "since": timezone.localdate() - timedelta(days=400)}
    Membership.objects.filter(pk=wife.pk).update(end_reason="removed", **gone)
    night()
    assert Finding.objects.get(code="member-vanished").person_id == wife.person_id
    Membership.objects.filter(pk=wife.pk).update(end_reason="died")
    night()
    assert "member-vanished" not in codes()


@pytest.mark.parametrize(("removed", "found"), [(date(2019, 7, 14), ["risk-months"]), (date(2019, 7, 15), [])])
def test_a_risk_removed_too_early_is_found_after_the_dates_of_the_status(saved, people, removed, found):
    office = {"household": saved, "by": people.taoyuan_office, "reason": "x"}
    set_status(status="monitored", kind="marginal", since=date(2019, 1, 15), **office)
    set_status(status="registered", since=removed, **office)
    night()
    assert codes() == found


def test_a_number_that_another_card_holds_goes_to_the_duplicates_desk(saved):
    other = make_household(WULING_VILLAGE)
    IdentityClaim.objects.filter(household=saved, person=saved.memberships.get(relation="户主").person).update(
        household=other
    )
    night()
    assert Finding.objects.get(kind="duplicate_number").household == saved


def test_a_closed_card_and_one_without_a_sheet_are_left_alone(saved):
    Sheet.objects.filter(household=saved).update(house_area=7)
    Household.objects.filter(pk=saved.pk).update(status="closed")
    empty = make_household(FENGMING)
    MemberSheet.objects.filter(sheet__household=empty).delete()
    Sheet.objects.filter(household=empty).delete()
    assert night().opened == 0


def test_a_member_who_came_after_the_sheet_breaks_nothing(saved):
    person = make_household(WULING_VILLAGE).memberships.get().person
    Membership.objects.filter(person=person).update(household=saved, relation="之子", position=2)
    night()
    assert "education-empty" not in codes()


def test_the_cards_of_a_chunk_take_a_handful_of_queries(people, django_assert_max_num_queries):
    for name in ("张一", "张二", "张三"):
        save_card(card=a_card(a_member(name), sheet=PLAIN), by=people.fengming_cadre)
    with django_assert_max_num_queries(24):
        assert night(FENGMING).households == 3


def test_the_latest_sheet_is_the_one_that_is_judged(saved):
    stored = load_card(saved, 2019)
    save_card(
        card=with_sheet(stored.card, year=2018), persons=stored.persons, household=saved, expected_version=1, by=None
    )
    assert load_latest_cards([saved.pk])[saved.pk].card.sheet.year == 2019


def test_every_step_of_the_question_beside_the_cards_goes_by_an_index(saved):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        text = (ROOT / "households/sql/beside_cards.sql").read_text(encoding="utf-8")
        cursor.execute(f"EXPLAIN {text}", {"ids": [saved.pk]})
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Seq Scan" not in plan
    assert "household_phone_hash" in plan


def test_the_job_goes_by_township_with_its_progress(committed_db, saved, people):
    save_card(card=a_card(a_member("刘大海"), sheet=PLAIN, phone="13873600009"), by=people.fengming_cadre)
    Sheet.objects.filter(household=saved).update(house_area=7)
    check_cards_nightly()
    parent = Job.objects.get(kind=night_checks.AREA_JOB)
    run_job(parent.pk)
    child = parent.children.get()
    assert (child.area, child.total) == (RESHI, 2)
    run_job(child.pk)
    child.refresh_from_db()
    parent.refresh_from_db()
    assert (child.state, child.result["opened"], parent.state, parent.done) == ("done", 1, "done", 2)


def test_a_second_night_does_not_start_while_one_runs(db):
    assert night_checks.start(area=TAOYUAN).pk == night_checks.start(area=TAOYUAN).pk
