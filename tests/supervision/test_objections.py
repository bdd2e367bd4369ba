"""Objections: raised without login, tracked by code, sealed from the village, decided in time by somebody else."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction

from changde.accounts.refusal import Refusal
from changde.audit.models import Event
from supervision.models import Objection
from supervision.selectors import objections as selectors
from supervision.services import objections
from supervision.services.objections import CODE_PLACES, new_form_key, tracking_hash
from tests.personas import RESHI, TAOYUAN
from tests.supervision.conftest import AFTER, MONDAY, object_to, shanghai
from tests.supervision.test_lists import EVERYBODY, outcome, refused, sealed

pytestmark = pytest.mark.usefixtures("clock")

WORDS = "他家在镇上有门面，儿子开车，不该评。"
CONTACT = "13812345678"


@pytest.fixture
def raised(first):
    return object_to(first, position=2, text=WORDS, contact=CONTACT)


def decided(objection, people, decision="rejected", by="reshi_officer"):
    by = getattr(people, by)
    objections.note_visit(objection=objection, on=MONDAY.date(), note="到户看过，问了两户邻居。", by=by)
    return objections.decide(objection=objection, decision=decision, answer="门面是租的，收入已计入。", by=by)


# --- raising --------------------------------------------------------------------------------------


def test_an_objection_is_due_in_five_working_days_and_belongs_to_the_township(raised, village):
    objection = raised.objection
    assert (objection.received_at, objection.due) == (MONDAY, date(2026, 11, 30))
    assert (objection.owner_id, objection.entry.household) == (RESHI, village.poor)


def test_an_objection_against_the_townships_own_list_belongs_to_the_county(second):
    assert object_to(second).objection.owner_id == TAOYUAN


def test_the_deadline_leaps_over_the_spring_festival(clock, draft, people):
    from supervision.services import lists

    clock.move_to(shanghai(2027, 2, 4, 8))
    first = lists.post(publicity_list=draft, by=people.fengming_team)
    assert object_to(first).objection.due == date(2027, 2, 15)


def test_receiving_is_logged_without_a_word_of_it(raised, first):
    event = Event.objects.latest("id")
    assert (event.verb, event.actor, event.target_id) == ("objections.receive", None, str(raised.objection.pk))
    assert event.facts == {"list": first.pk, "about": "listed", "due": "2026-11-30"}


def test_text_and_contact_are_encrypted_and_the_code_is_stored_as_a_hash_alone(raised):
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(o)::text FROM supervision_objection o")
        (stored,) = cursor.fetchone()
    for secret in (WORDS, CONTACT, raised.code, raised.code.replace("-", "")):
        assert secret not in stored
        assert secret.encode().hex() not in stored
    objection = Objection.objects.get()
    assert (objection.text, objection.contact) == (WORDS, CONTACT)


def test_a_ciphertext_moved_to_another_objection_does_not_open(raised, first, owner):
    from changde.crypto.cipher import CannotDecrypt

    other = object_to(first, position=1).objection
    other.text_cipher = raised.objection.text_cipher
    with pytest.raises(CannotDecrypt):
        _ = other.text


@pytest.mark.parametrize("about", ["left_out", "list"])
def test_one_may_object_for_a_household_left_out_or_to_the_whole_list(first, about):
    objection = object_to(first, about=about).objection
    assert (objection.about, objection.entry) == (about, None)


@pytest.mark.parametrize("position", [None, 0, 3, 99])
def test_only_a_household_on_the_list_can_be_named(first, position):
    refused("not_on_list", lambda: object_to(first, position=position))


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ({"text": "  "}, "text_missing"),
        ({"text": "长" * 2001}, "text_too_long"),
        ({"contact": "1" * 101}, "contact_too_long"),
        ({"key": "made-up"}, "form_expired"),
        ({"key": ""}, "form_expired"),
    ],
)
def test_what_cannot_be_taken_is_refused(first, words, code):
    refused(code, lambda: object_to(first, **words))
    assert not Objection.objects.exists()


@pytest.mark.parametrize(
    ("moment", "accepted"),
    [(MONDAY, True), (shanghai(2026, 11, 24), True), (AFTER - timedelta(seconds=1), True), (AFTER, False)],
)
def test_objections_are_taken_from_posting_to_the_end_of_the_period(clock, first, moment, accepted):
    clock.move_to(moment)
    if accepted:
        assert object_to(first).objection.is_open
    else:
        refused("period_over", lambda: object_to(first))


def test_a_draft_takes_no_objection(draft):
    refused("period_over", lambda: object_to(draft, about="list"))


def test_a_form_expires_after_a_day(clock, first):
    key = new_form_key()
    clock.shift(86_401)
    refused("form_expired", lambda: object_to(first, key=key))


def test_the_same_form_sent_twice_is_one_objection_with_one_code(first):
    key = new_form_key()
    one, two = object_to(first, key=key), object_to(first, key=key)
    assert (one.code, one.objection.pk) == (two.code, two.objection.pk)
    assert Objection.objects.count() == 1
    assert Event.objects.filter(verb="objections.receive").count() == 1


def test_a_repeated_sending_after_the_period_still_shows_its_code(clock, first):
    clock.move_to(AFTER - timedelta(seconds=1))
    key = new_form_key()
    code = object_to(first, key=key).code
    clock.move_to(AFTER)
    assert object_to(first, key=key).code == code


def test_the_same_form_with_other_words_is_refused(first):
    key = new_form_key()
    object_to(first, key=key)
    refused("already_sent", lambda: object_to(first, key=key, text="另一番话"))


# --- tracking -------------------------------------------------------------------------------------


def test_codes_are_long_random_and_free_of_letters_that_look_alike(first):
    codes = {object_to(first, text=f"意见{number}").code for number in range(20)}
    assert len(codes) == 20
    plain = [code.replace("-", "") for code in codes]
    assert {len(code) for code in plain} == {CODE_PLACES}
    assert not set("".join(plain)) & set("01ILO")


@pytest.mark.parametrize("typed", [str, str.lower, lambda code: code.replace("-", " "), lambda code: f" {code}　"])
def test_a_code_is_found_however_it_is_typed(raised, typed):
    progress = selectors.tracked(typed(raised.code))
    assert (progress.village, progress.position, progress.due) == ("凤鸣村", 2, date(2026, 11, 30))
    assert (progress.visited_on, progress.decision, progress.answer) == (None, "", "")


@pytest.mark.parametrize("typed", ["", "-", "ABCD-EFGH-2345", "x" * 300])
def test_an_unknown_code_finds_nothing(raised, typed):
    assert selectors.tracked(typed) is None


def test_who_tracks_sees_visit_decision_and_answer_and_no_officer(raised, people):
    decided(raised.objection, people)
    progress = selectors.tracked(raised.code)
    assert (progress.visited_on, progress.decision) == (MONDAY.date(), "rejected")
    assert progress.answer == "门面是租的，收入已计入。"
    assert people.reshi_officer.name not in repr(progress)


def test_two_codes_have_two_hashes():
    assert tracking_hash("ABCD-EFGH-2345") != tracking_hash("ABCD-EFGH-2346")


# --- sealed from the village ----------------------------------------------------------------------


def seen_by(people):
    return {name for name in EVERYBODY if Objection.objects.visible_to(getattr(people, name)).exists()}


def test_an_objection_against_a_villages_list_is_seen_from_the_township_upwards(raised, people):
    assert seen_by(people) == {"reshi_officer", "reshi_second", "taoyuan_office", "inspector"}


def test_an_objection_against_a_townships_list_is_seen_from_the_county_upwards(second, people):
    object_to(second)
    assert seen_by(people) == {"taoyuan_office", "inspector"}


def test_the_village_learns_that_a_household_is_objected_to_and_the_answer_and_no_more(raised, first, people):
    (notice,) = selectors.notices(people.fengming_cadre, first)
    assert (notice.about, notice.position, notice.is_open, notice.due) == ("listed", 2, True, date(2026, 11, 30))
    decided(raised.objection, people)
    (notice,) = selectors.notices(people.fengming_cadre, first)
    assert (notice.is_open, notice.decision, notice.answer) == (False, "rejected", "门面是租的，收入已计入。")
    assert not any(secret in repr(notice) for secret in (WORDS, CONTACT, raised.code, "邻居"))


def test_a_stranger_to_the_village_learns_nothing(raised, first, people):
    assert selectors.notices(people.other_cadre, first) == []
    assert selectors.notices(people.wuling_office, first) == []


# --- visit and decision ---------------------------------------------------------------------------


def test_a_decision_needs_a_visit_first(raised, people):
    refused(
        "visit_first",
        lambda: objections.decide(
            objection=raised.objection, decision="upheld", answer="属实", by=people.reshi_officer
        ),
    )


@pytest.mark.parametrize(
    ("on", "allowed"),
    [(date(2026, 11, 22), False), (date(2026, 11, 23), True), (date(2026, 11, 25), True), (date(2026, 11, 26), False)],
)
def test_a_visit_lies_between_receipt_and_today(clock, raised, people, on, allowed):
    clock.move_to(shanghai(2026, 11, 25, 10))
    act = lambda: objections.note_visit(objection=raised.objection, on=on, note="看过", by=people.reshi_officer)  # noqa: E731
    assert outcome(act) == ("done" if allowed else "visit_date")


@pytest.mark.parametrize("words", ["", "  ", "身份证430725194309046431"])
def test_notes_and_answers_are_written_and_hold_no_numbers(raised, people, words):
    with pytest.raises(Refusal):
        objections.note_visit(objection=raised.objection, on=MONDAY.date(), note=words, by=people.reshi_officer)
    objections.note_visit(objection=raised.objection, on=MONDAY.date(), note="看过", by=people.reshi_officer)
    with pytest.raises(Refusal):
        objections.decide(objection=raised.objection, decision="upheld", answer=words, by=people.reshi_officer)
    with pytest.raises(Refusal):
        objections.decide(objection=raised.objection, decision="perhaps", answer="属实", by=people.reshi_officer)


def test_visit_and_decision_are_logged(raised, people):
    decided(raised.objection, people, "upheld")
    verbs = list(Event.objects.order_by("-id").values_list("verb", "actor__username")[:2])
    assert verbs == [("objections.decide", "reshi_officer"), ("objections.visit", "reshi_officer")]
    assert WORDS not in str(list(Event.objects.values_list("facts", flat=True)))


def who(act, people):
    answers = {name: outcome(lambda name=name: act(getattr(people, name))) for name in EVERYBODY}
    return {name: answer for name, answer in answers.items() if answer != "forbidden"}


def test_who_may_decide_about_a_villages_list(raised, people):
    objections.note_visit(objection=raised.objection, on=MONDAY.date(), note="看过", by=people.reshi_officer)
    act = lambda by: objections.decide(objection=raised.objection, decision="rejected", answer="不成立", by=by)  # noqa: E731
    assert who(act, people) == {"reshi_officer": "done", "reshi_second": "done", "taoyuan_office": "done"}


def test_who_may_decide_about_a_townships_list(second, people):
    objection = object_to(second).objection
    objections.note_visit(objection=objection, on=AFTER.date(), note="看过", by=people.taoyuan_office)
    act = lambda by: objections.decide(objection=objection, decision="rejected", answer="不成立", by=by)  # noqa: E731
    assert who(act, people) == {"taoyuan_office": "done"}


def test_who_made_or_posted_the_list_does_not_decide_even_with_a_second_post(raised, people):
    from changde.accounts.services import open_post
    from changde.divisions.models import Division

    objections.note_visit(objection=raised.objection, on=MONDAY.date(), note="看过", by=people.reshi_officer)
    for hand in (people.fengming_cadre, people.fengming_team):
        open_post(user=hand, role="township_officer", division=Division.objects.get(code=RESHI), by=None)
        again = type(hand).objects.get(pk=hand.pk)
        refused(
            "own_list",
            lambda again=again: objections.decide(
                objection=raised.objection, decision="rejected", answer="不成立", by=again
            ),
        )
        assert not selectors.due_objections(again).exists()


def test_a_decided_objection_is_decided_for_good(raised, people):
    decided(raised.objection, people)
    refused(
        "already_decided",
        lambda: objections.decide(
            objection=raised.objection, decision="upheld", answer="改了", by=people.taoyuan_office
        ),
    )
    refused(
        "already_decided",
        lambda: objections.note_visit(
            objection=raised.objection, on=MONDAY.date(), note="改", by=people.taoyuan_office
        ),
    )


def test_the_village_and_others_may_not_work_on_it(raised, people):
    for name in ("fengming_cadre", "other_cadre", "city_office", "inspector", "wuling_office"):
        with pytest.raises(PermissionDenied):
            objections.note_visit(objection=raised.objection, on=MONDAY.date(), note="看过", by=getattr(people, name))


# --- kept -----------------------------------------------------------------------------------------


def test_an_objection_never_disappears_and_its_words_never_change(raised):
    pk = str(raised.objection.pk)
    sealed("DELETE FROM supervision_objection WHERE id = %s", pk)
    sealed("UPDATE supervision_objection SET text_cipher = '\\x00' WHERE id = %s", pk)
    sealed("UPDATE supervision_objection SET contact_cipher = NULL WHERE id = %s", pk)
    sealed("UPDATE supervision_objection SET due = due + 30 WHERE id = %s", pk)
    sealed("UPDATE supervision_objection SET entry_id = NULL, about = 'list' WHERE id = %s", pk)


def test_a_decided_objection_cannot_be_changed(raised, people):
    decided(raised.objection, people)
    sealed("UPDATE supervision_objection SET answer = '改' WHERE id = %s", str(raised.objection.pk))
    sealed("UPDATE supervision_objection SET decided_at = NULL WHERE id = %s", str(raised.objection.pk))


@pytest.mark.parametrize(
    "wrong",
    [
        {"about": "left_out"},  # with an entry
        {"decision": "upheld"},  # without who and when
        {"visited_on": date(2026, 11, 23)},  # without a note
    ],
)
def test_the_database_refuses_half_an_objection(raised, owner, wrong):
    with pytest.raises(IntegrityError), transaction.atomic():
        Objection.objects.filter(pk=raised.objection.pk).update(**wrong)


# --- the queue ------------------------------------------------------------------------------------


def test_the_nearest_deadline_comes_first(clock, first, people):
    early = object_to(first, text="早").objection
    clock.shift(timedelta(days=2))
    late = object_to(first, text="晚").objection
    assert list(selectors.objections(people.reshi_officer)) == [early, late]
    assert list(selectors.due_objections(people.reshi_second)) == [early, late]


def test_the_queue_is_one_query(first, people, django_assert_num_queries):
    for number in range(5):
        object_to(first, text=f"意见{number}")
    _ = people.reshi_officer.open_posts
    with django_assert_num_queries(1):
        rows = list(selectors.objections(people.reshi_officer, within=RESHI))
        assert [(row.village.name, row.entry.household.masked_head, row.owner.name) for row in rows][0][0] == "凤鸣村"


def test_a_late_objection_says_so(clock, raised, first, people):
    clock.move_to(shanghai(2026, 11, 30, 23, 59))
    assert not selectors.notices(people.fengming_cadre, first)[0].late
    clock.move_to(shanghai(2026, 12, 1))
    assert selectors.notices(people.fengming_cadre, first)[0].late
