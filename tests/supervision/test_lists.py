"""First and second lists: who stands on them, who may do what and when, and that nothing of a posted one changes."""

import hashlib
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from changde.accounts.refusal import Refusal
from changde.audit.models import Event
from households.models import Finding, Household, Sheet
from households.services.results import recompute_household
from supervision.domain.snapshot import parse
from supervision.models import ListEntry, PublicityList, Snapshot
from supervision.services import lists, objections
from tests.personas import FENGMING
from tests.supervision.conftest import AFTER, MONDAY, YEAR, entry_of, household, object_to, shanghai

pytestmark = pytest.mark.usefixtures("clock")


def refused(code, act):
    with pytest.raises(Refusal) as caught:
        act()
    assert caught.value.code == code


def last_event() -> Event:
    return Event.objects.latest("id")


# --- drafting -------------------------------------------------------------------------------------


def test_a_draft_names_candidates_and_holds_back_the_rest_with_reasons(draft, village):
    said = {entry.household_id: (entry.included, entry.kind, entry.blocks) for entry in draft.entries.all()}
    assert said == {
        village.poor.pk: (True, "identification", []),
        village.marginal.pk: (True, "marginal", []),
        village.unknown.pk: (False, "", ["undetermined"]),
        village.stale.pk: (False, "identification", ["stale"]),
        village.excluded.pk: (False, "identification", ["excluded"]),
        village.doubtful.pk: (False, "identification", ["verify"]),
    }


def test_a_draft_is_logged_with_its_counts(draft, people):
    event = last_event()
    assert (event.verb, event.actor, event.area) == ("lists.draft", people.fengming_cadre, FENGMING)
    assert event.facts == {"year": YEAR, "step": "first", "included": 2, "held_back": 4}


def test_a_card_without_a_result_is_held_back_and_one_without_a_sheet_is_not_examined(people, village):
    unjudged = household("新来", judged=False)
    elsewhere = household("旧卡", judged=False, year=2018)
    draft = lists.draft_first_list(village=village.division, year=YEAR, by=people.fengming_cadre)
    assert entry_of(draft, unjudged).blocks == ["no_result"]
    assert not draft.entries.filter(household=elsewhere).exists()


def test_exited_households_come_as_return_or_unstable(people, village):
    returned = household("回贫", wage_income=2000, status="exited")
    unstable = household("不稳", wage_income=4000, status="exited")
    draft = lists.draft_first_list(village=village.division, year=YEAR, by=people.fengming_cadre)
    assert (entry_of(draft, returned).kind, entry_of(draft, unstable).kind) == ("return", "unstable")


def test_a_year_without_sheets_has_no_list(people, village):
    refused("no_results", lambda: lists.draft_first_list(village=village.division, year=2015, by=people.fengming_cadre))


def test_a_round_begins_once_a_year(draft, people, village):
    refused(
        "round_exists", lambda: lists.draft_first_list(village=village.division, year=YEAR, by=people.fengming_team)
    )


def test_a_discarded_draft_leaves_room_for_another(draft, people, village):
    lists.discard(publicity_list=draft, by=people.fengming_team)
    assert not PublicityList.objects.exists()
    assert last_event().verb == "lists.discard"
    assert lists.draft_first_list(village=village.division, year=YEAR, by=people.fengming_team)


def test_leaving_out_needs_a_reason_and_can_be_taken_back(draft, people, village):
    entry = entry_of(draft, village.poor)
    refused("reason_missing", lambda: lists.leave_out(entry=entry, reason=" ", by=people.fengming_cadre))
    refused(
        "reason_has_number",
        lambda: lists.leave_out(entry=entry, reason="见 430725194309046431", by=people.fengming_cadre),
    )
    lists.leave_out(entry=entry, reason="已搬到县城居住", by=people.fengming_cadre)
    entry.refresh_from_db()
    assert (entry.included, entry.left_out_reason, entry.left_out_by) == (
        False,
        "已搬到县城居住",
        people.fengming_cadre,
    )
    assert last_event().facts == {"household": village.poor.pk, "kind": "identification"}
    refused("not_on_list", lambda: lists.leave_out(entry=entry, reason="又", by=people.fengming_cadre))
    lists.take_in(entry=entry, by=people.fengming_cadre)
    entry.refresh_from_db()
    assert (entry.included, entry.left_out_reason, entry.left_out_by) == (True, "", None)


def test_what_a_rule_holds_back_cannot_be_taken_in_by_hand(draft, people, village):
    for held_back in (village.unknown, village.stale, village.excluded, village.doubtful):
        entry = entry_of(draft, held_back)
        refused("not_left_out", lambda entry=entry: lists.take_in(entry=entry, by=people.fengming_cadre))


def test_a_held_back_household_comes_in_once_its_reason_is_gone(draft, people, village):
    lists.leave_out(entry=entry_of(draft, village.marginal), reason="在外定居", by=people.fengming_cadre)
    recompute_household(household=village.stale.pk, year=YEAR)
    Sheet.objects.filter(household=village.unknown).update(wage_income=2000)
    recompute_household(household=village.unknown.pk, year=YEAR)
    Finding.objects.update(
        decided_at=timezone.now(), decided_by=people.taoyuan_office, decision="kept", reason="查实为登记错误"
    )
    lists.refresh(publicity_list=draft, by=people.fengming_cadre)
    included = set(draft.entries.included().values_list("household", flat=True))
    assert included == {village.poor.pk, village.stale.pk, village.unknown.pk, village.doubtful.pk}
    assert entry_of(draft, village.marginal).left_out_reason == "在外定居"
    assert entry_of(draft, village.excluded).blocks == ["excluded"]


def test_the_township_may_clear_an_exclusion_after_hearing_the_household(draft, people, village):
    entry = entry_of(draft, village.excluded)
    with pytest.raises(PermissionDenied):
        lists.clear_exclusion(entry=entry, reason="车是残疾人代步车", by=people.fengming_team)
    refused("reason_missing", lambda: lists.clear_exclusion(entry=entry, reason="", by=people.reshi_officer))
    lists.clear_exclusion(entry=entry, reason="车是残疾人代步车", by=people.reshi_officer)
    entry.refresh_from_db()
    assert (entry.included, entry.blocks, entry.cleared_by) == (True, [], people.reshi_officer)
    lists.refresh(publicity_list=draft, by=people.fengming_cadre)
    assert entry_of(draft, village.excluded).included
    clean = entry_of(draft, village.poor)
    refused("not_excluded", lambda: lists.clear_exclusion(entry=clean, reason="核", by=people.reshi_officer))


def test_only_the_maker_changes_a_draft(draft, people, village):
    entry = entry_of(draft, village.poor)
    refused("not_maker", lambda: lists.leave_out(entry=entry, reason="不是", by=people.fengming_team))
    refused("not_maker", lambda: lists.refresh(publicity_list=draft, by=people.fengming_team))


# --- posting --------------------------------------------------------------------------------------


def test_a_posted_list_is_numbered_masked_checksummed_and_dated(first, people, village):
    snapshot = first.snapshot
    assert (first.number, first.state(timezone.now())) == (1, "posted")
    assert (snapshot.posted_by, snapshot.posted_at) == (people.fengming_team, MONDAY)
    assert snapshot.period == (shanghai(2026, 11, 24), shanghai(2026, 12, 1))
    assert snapshot.sha256 == hashlib.sha256(snapshot.text.encode()).hexdigest()
    assert snapshot.previous_sha256 == ""
    content = parse(snapshot.text)
    assert content.area == ("常德市", "桃源县", "热市镇", "凤鸣村")
    assert [(row.position, row.head, row.group, row.persons, row.kind, row.cause) for row in content.rows] == [
        (1, "李*", "1组", 1, "marginal", "缺劳力"),
        (2, "张*华", "1组", 3, "identification", "因病"),
    ]
    assert content.index_version == village.poor.results.get().version.digest == snapshot.index_version
    assert list(first.entries.included().order_by("position").values_list("position", "household")) == [
        (1, village.marginal.pk),
        (2, village.poor.pk),
    ]


def test_posting_is_logged_with_number_and_checksum(first, people):
    event = last_event()
    assert (event.verb, event.actor, event.target_id) == ("lists.post", people.fengming_team, str(first.pk))
    assert event.facts == {
        "step": "first", "number": 1, "sha256": first.snapshot.sha256, "households": 2, "days": 7,
    }  # fmt: skip


def test_when_the_event_cannot_be_written_nothing_is_posted(draft, people, monkeypatch):
    def broken(*_arguments, **_facts):
        raise RuntimeError("the log is down")

    monkeypatch.setattr(lists, "record", broken)
    with pytest.raises(RuntimeError):
        lists.post(publicity_list=draft, by=people.fengming_team)
    draft.refresh_from_db()
    assert draft.is_draft
    assert not Snapshot.objects.exists()


def test_groups_stand_in_their_natural_order(people, village):
    for group in ("10组", "2组", "红旗组"):
        made = household(f"组{group}", wage_income=2000)
        Household.objects.filter(pk=made.pk).update(group=group)
    draft = lists.draft_first_list(village=village.division, year=YEAR, by=people.fengming_cadre)
    posted = lists.post(publicity_list=draft, by=people.fengming_team)
    groups = [row.group for row in parse(posted.snapshot.text).rows]
    assert groups == ["1组", "1组", "2组", "10组", "红旗组"]


def test_a_list_is_not_posted_when_results_moved_since_the_draft(draft, people, village):
    village.poor.results.update(stale=True)
    refused("changed_since", lambda: lists.post(publicity_list=draft, by=people.fengming_team))
    recompute_household(household=village.poor.pk, year=YEAR)
    assert lists.post(publicity_list=draft, by=people.fengming_team).number == 1


def test_a_list_is_not_posted_when_a_candidate_appeared_since(draft, people):
    household("新贫", wage_income=1000)
    refused("changed_since", lambda: lists.post(publicity_list=draft, by=people.fengming_team))
    lists.refresh(publicity_list=draft, by=people.fengming_cadre)
    assert lists.post(publicity_list=draft, by=people.fengming_team)


def test_a_list_without_a_household_is_not_posted(draft, people, village):
    for listed in (village.poor, village.marginal):
        lists.leave_out(entry=entry_of(draft, listed), reason="已迁出", by=people.fengming_cadre)
    refused("empty", lambda: lists.post(publicity_list=draft, by=people.fengming_team))


@pytest.mark.parametrize("group", ["1组430725194309046431", "13812345678", "４３０７２５１９４３０９０４６４３１"])
def test_a_list_with_a_number_of_a_person_is_not_posted(draft, people, village, group):
    Household.objects.filter(pk=village.poor.pk).update(group=group)
    refused("personal_numbers", lambda: lists.post(publicity_list=draft, by=people.fengming_team))
    assert not Snapshot.objects.exists()


def test_an_illness_written_as_cause_is_published_as_other(draft, people, village):
    Sheet.objects.filter(household=village.poor).update(main_cause="尿毒症")
    posted = lists.post(publicity_list=draft, by=people.fengming_team)
    assert "尿毒症" not in posted.snapshot.text
    assert "其他" in posted.snapshot.text


def test_a_posted_list_is_posted_once(first, people):
    refused("already_posted", lambda: lists.post(publicity_list=first, by=people.fengming_team))


# --- the second list and corrections --------------------------------------------------------------


def test_the_second_list_waits_for_the_end_of_the_first(clock, first, people):
    for moment in (MONDAY, shanghai(2026, 11, 24), AFTER - timedelta(microseconds=1)):
        clock.move_to(moment)
        refused("period_not_over", lambda: lists.draft_second_list(first=first, by=people.reshi_officer))
    clock.move_to(AFTER)
    assert lists.draft_second_list(first=first, by=people.reshi_officer).first == first


def test_the_second_list_is_chained_to_the_first(second, first, village):
    content = parse(second.snapshot.text)
    assert (second.number, second.snapshot.previous_sha256) == (2, first.snapshot.sha256)
    assert (content.step, content.first.number, content.first.sha256) == ("second", 1, first.snapshot.sha256)
    assert {entry.household_id for entry in second.entries.all()} == {village.poor.pk, village.marginal.pk}


def test_an_open_objection_holds_the_second_list(clock, first, people):
    raised = object_to(first)
    clock.move_to(AFTER)
    refused("open_objections", lambda: lists.draft_second_list(first=first, by=people.reshi_officer))
    objections.note_visit(objection=raised.objection, on=AFTER.date(), note="看了", by=people.reshi_officer)
    objections.decide(objection=raised.objection, decision="rejected", answer="车是借的", by=people.reshi_officer)
    assert lists.draft_second_list(first=first, by=people.reshi_officer)


def test_an_upheld_objection_asks_for_a_correction_without_the_household(clock, first, people, village):
    raised = object_to(first, position=2)
    objections.note_visit(objection=raised.objection, on=MONDAY.date(), note="属实", by=people.reshi_officer)
    clock.shift(60)
    objections.decide(objection=raised.objection, decision="upheld", answer="退出名单", by=people.reshi_officer)
    clock.move_to(AFTER)
    refused("not_corrected", lambda: lists.draft_second_list(first=first, by=people.reshi_officer))
    correction = lists.correct(publicity_list=first, reason="异议成立", by=people.fengming_cadre)
    assert entry_of(correction, village.poor).blocks == ["upheld"]
    refused("correction_pending", lambda: lists.draft_second_list(first=first, by=people.reshi_officer))
    lists.post(publicity_list=correction, by=people.fengming_team)
    content = parse(correction.snapshot.text)
    assert [row.head for row in content.rows] == ["李*"]
    assert (content.corrects.number, content.corrects.sha256) == (1, first.snapshot.sha256)
    first.refresh_from_db()
    assert first.state(timezone.now()) == "superseded"
    refused("superseded", lambda: lists.draft_second_list(first=first, by=people.reshi_officer))
    refused("period_not_over", lambda: lists.draft_second_list(first=correction, by=people.reshi_officer))
    clock.move_to(shanghai(2026, 12, 9))
    second = lists.draft_second_list(first=correction, by=people.reshi_officer)
    assert list(second.entries.values_list("household", flat=True)) == [village.marginal.pk]


def test_an_objection_decided_after_the_correction_was_drafted_needs_a_fresh_draft(clock, first, people):
    raised = object_to(first, position=2)
    correction = lists.correct(publicity_list=first, reason="漏写一户", by=people.fengming_cadre)
    clock.shift(60)
    objections.note_visit(objection=raised.objection, on=MONDAY.date(), note="属实", by=people.reshi_officer)
    objections.decide(objection=raised.objection, decision="upheld", answer="退出", by=people.reshi_officer)
    refused("changed_since", lambda: lists.post(publicity_list=correction, by=people.fengming_team))
    lists.refresh(publicity_list=correction, by=people.fengming_cadre)
    assert lists.post(publicity_list=correction, by=people.fengming_team).number == 2


def test_a_correction_may_be_empty(clock, first, people, village):
    correction = lists.correct(publicity_list=first, reason="两户都已迁出", by=people.fengming_cadre)
    for entry in correction.entries.included():
        lists.leave_out(entry=entry, reason="已迁出", by=people.fengming_cadre)
    lists.post(publicity_list=correction, by=people.fengming_team)
    assert parse(correction.snapshot.text).rows == ()
    clock.move_to(AFTER)
    refused("empty", lambda: lists.draft_second_list(first=correction, by=people.reshi_officer))


def test_a_correction_needs_a_reason_and_is_begun_once(first, people):
    refused("reason_missing", lambda: lists.correct(publicity_list=first, reason="", by=people.fengming_cadre))
    lists.correct(publicity_list=first, reason="小组写错", by=people.fengming_cadre)
    refused("round_exists", lambda: lists.correct(publicity_list=first, reason="再来", by=people.fengming_cadre))


def test_a_draft_and_a_first_list_with_a_second_are_not_corrected(draft, people):
    refused("not_correctable", lambda: lists.correct(publicity_list=draft, reason="错", by=people.fengming_cadre))


def test_a_first_list_is_not_corrected_once_a_second_rests_on_it(second_draft, first, people):
    refused("second_exists", lambda: lists.correct(publicity_list=first, reason="错", by=people.fengming_cadre))


def test_a_second_list_can_be_corrected_and_its_correction_posted(second, people):
    correction = lists.correct(publicity_list=second, reason="更正", by=people.reshi_officer)
    correction = lists.post(publicity_list=correction, by=people.reshi_second)
    assert (correction.number, correction.first, correction.corrects) == (3, second.first, second)


def test_a_household_whose_result_changed_leaves_the_second_list(clock, first, people, village):
    Sheet.objects.filter(household=village.poor).update(wage_income=90000)
    recompute_household(household=village.poor.pk, year=YEAR)
    clock.move_to(AFTER)
    second = lists.draft_second_list(first=first, by=people.reshi_officer)
    assert entry_of(second, village.poor).blocks == ["no_longer"]
    assert list(second.entries.included().values_list("household", flat=True)) == [village.marginal.pk]


def test_a_second_list_rests_on_a_first_one_and_only_once(second_draft, first, people):
    refused("round_exists", lambda: lists.draft_second_list(first=first, by=people.reshi_second))
    refused("not_first", lambda: lists.draft_second_list(first=second_draft, by=people.reshi_second))


# --- who may (state x action x actor) -------------------------------------------------------------

EVERYBODY = (
    "fengming_cadre", "fengming_team", "other_cadre", "reshi_officer", "reshi_second", "taoyuan_office",
    "wuling_office", "city_office", "inspector", "account_admin", "county_system", "no_post",
)  # fmt: skip


def outcome(act) -> str:
    """done, a Refusal's code, or forbidden; taken back either way."""
    try:
        with transaction.atomic():
            act()
            transaction.set_rollback(True)
    except Refusal as refusal:
        return refusal.code
    except PermissionDenied:
        return "forbidden"
    return "done"


def outcomes(act, people) -> dict[str, str]:
    """What becomes of the act for everybody; who is not named in a table is forbidden."""
    answers = {name: outcome(lambda name=name: act(getattr(people, name))) for name in EVERYBODY}
    return {name: answer for name, answer in answers.items() if answer != "forbidden"}


def acts(listed: PublicityList, entry: ListEntry, excluded: ListEntry) -> dict:
    return {
        "refresh": lambda by: lists.refresh(publicity_list=listed, by=by),
        "leave_out": lambda by: lists.leave_out(entry=entry, reason="原因", by=by),
        "take_in": lambda by: lists.take_in(entry=entry, by=by),
        "clear": lambda by: lists.clear_exclusion(entry=excluded, reason="原因", by=by),
        "discard": lambda by: lists.discard(publicity_list=listed, by=by),
        "post": lambda by: lists.post(publicity_list=listed, by=by),
        "correct": lambda by: lists.correct(publicity_list=listed, reason="原因", by=by),
        "follow": lambda by: lists.draft_second_list(first=listed, by=by),
    }


def table(listed, entry, excluded, people) -> dict[str, dict[str, str]]:
    return {name: outcomes(act, people) for name, act in acts(listed, entry, excluded).items()}


def both(cadre: str, team: str) -> dict[str, str]:
    return {"fengming_cadre": cadre, "fengming_team": team}


def town(officer: str, second: str) -> dict[str, str]:
    return {"reshi_officer": officer, "reshi_second": second}


def test_who_may_do_what_with_a_draft_of_a_first_list(draft, people, village):
    """Drafted by the cadre."""
    entry, excluded = entry_of(draft, village.poor), entry_of(draft, village.excluded)
    assert table(draft, entry, excluded, people) == {
        "refresh": both("done", "not_maker"),
        "leave_out": both("done", "not_maker"),
        "take_in": both("not_left_out", "not_maker"),
        "clear": town("done", "done"),
        "discard": both("done", "done"),
        "post": both("own_list", "done"),
        "correct": both("not_correctable", "not_correctable"),
        "follow": town("period_not_over", "period_not_over"),
    }


@pytest.mark.parametrize(
    ("moment", "follow"),
    [(MONDAY, "period_not_over"), (shanghai(2026, 11, 27), "period_not_over"), (AFTER, "done")],
    ids=["posted", "running", "ended"],
)
def test_who_may_do_what_with_a_posted_first_list(clock, first, people, village, moment, follow):
    clock.move_to(moment)
    entry, excluded = entry_of(first, village.poor), entry_of(first, village.excluded)
    assert table(first, entry, excluded, people) == {
        "refresh": both("already_posted", "already_posted"),
        "leave_out": both("already_posted", "already_posted"),
        "take_in": both("already_posted", "already_posted"),
        "clear": town("already_posted", "already_posted"),
        "discard": both("already_posted", "already_posted"),
        "post": both("already_posted", "already_posted"),
        "correct": both("done", "done"),
        "follow": town(follow, follow),
    }


def test_who_may_do_what_with_a_draft_of_a_second_list(second_draft, people, village):
    """Drafted by the first officer."""
    entry = entry_of(second_draft, village.poor)
    assert table(second_draft, entry, entry, people) == {
        "refresh": town("done", "not_maker"),
        "leave_out": town("done", "not_maker"),
        "take_in": town("not_left_out", "not_maker"),
        "clear": town("own_list", "not_excluded"),
        "discard": town("done", "done"),
        "post": town("own_list", "done"),
        "correct": town("not_correctable", "not_correctable"),
        "follow": town("not_first", "not_first"),
    }


@pytest.mark.parametrize("moment", [AFTER, shanghai(2026, 12, 5), shanghai(2027, 1, 5)])
def test_who_may_do_what_with_a_posted_second_list(clock, second, people, village, moment):
    clock.move_to(moment)
    entry = entry_of(second, village.poor)
    assert table(second, entry, entry, people) == {
        "refresh": town("already_posted", "already_posted"),
        "leave_out": town("already_posted", "already_posted"),
        "take_in": town("already_posted", "already_posted"),
        "clear": town("already_posted", "already_posted"),
        "discard": town("already_posted", "already_posted"),
        "post": town("already_posted", "already_posted"),
        "correct": town("done", "done"),
        "follow": town("not_first", "not_first"),
    }


def test_nothing_can_be_done_with_a_list_that_was_corrected(clock, first, people, village):
    correction = lists.correct(publicity_list=first, reason="更正", by=people.fengming_cadre)
    lists.post(publicity_list=correction, by=people.fengming_team)
    clock.move_to(shanghai(2026, 12, 20))
    entry, excluded = entry_of(first, village.poor), entry_of(first, village.excluded)
    answers = table(first, entry, excluded, people)
    assert answers["correct"] == both("not_correctable", "not_correctable")
    assert answers["follow"] == town("superseded", "superseded")


def test_who_made_or_posted_the_first_list_never_posts_the_second(second_draft, people):
    """One person with a post in the village and one in the township."""
    from changde.accounts.services import open_post
    from changde.divisions.models import Division
    from tests.personas import RESHI

    for both_sides in (people.fengming_cadre, people.fengming_team):
        open_post(user=both_sides, role="township_officer", division=Division.objects.get(code=RESHI), by=None)
        again = type(both_sides).objects.get(pk=both_sides.pk)
        refused("own_list", lambda again=again: lists.post(publicity_list=second_draft, by=again))


# --- frozen ---------------------------------------------------------------------------------------


def sealed(sql: str, *values) -> None:
    """The application's own database role may not."""
    refusal = pytest.raises(IntegrityError, match="cannot be changed")
    with refusal, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, values)


def test_the_suite_speaks_as_the_applications_role():
    assert connection.settings_dict["USER"] != "changde_owner"


def test_a_snapshot_cannot_be_changed_or_removed(first):
    sealed("UPDATE supervision_snapshot SET text = text || 'x' WHERE publicity_list_id = %s", first.pk)
    sealed("UPDATE supervision_snapshot SET ends_at = now() WHERE publicity_list_id = %s", first.pk)
    sealed("DELETE FROM supervision_snapshot WHERE publicity_list_id = %s", first.pk)


def test_a_posted_list_cannot_be_changed_or_removed(first):
    sealed("UPDATE supervision_publicitylist SET number = NULL WHERE id = %s", first.pk)
    sealed("UPDATE supervision_publicitylist SET public_id = 'zzzzzzzz' WHERE id = %s", first.pk)
    sealed("DELETE FROM supervision_publicitylist WHERE id = %s", first.pk)


def test_entries_of_a_posted_list_cannot_be_changed_removed_or_added(first, village):
    entry = entry_of(first, village.poor)
    sealed("UPDATE supervision_listentry SET kind = 'marginal' WHERE id = %s", entry.pk)
    sealed("UPDATE supervision_listentry SET included = false WHERE publicity_list_id = %s", first.pk)
    sealed("DELETE FROM supervision_listentry WHERE id = %s", entry.pk)
    with pytest.raises(IntegrityError, match="cannot be changed"), transaction.atomic():
        ListEntry.objects.create(
            publicity_list=first, household=village.not_poor, kind="marginal", included=True, blocks=[]
        )


def test_an_entry_of_a_draft_cannot_be_moved_onto_a_posted_list(clock, first, people, village):
    correction = lists.correct(publicity_list=first, reason="更正", by=people.fengming_cadre)
    entry = entry_of(correction, village.poor)
    sealed("UPDATE supervision_listentry SET publicity_list_id = %s WHERE id = %s", first.pk, entry.pk)


def test_a_draft_stays_free_to_change(draft, village, people):
    entry = entry_of(draft, village.poor)
    lists.leave_out(entry=entry, reason="已迁出", by=people.fengming_cadre)
    lists.discard(publicity_list=draft, by=people.fengming_cadre)


def test_the_database_refuses_a_snapshot_whose_checksum_is_wrong(draft, people):
    values = {
        "publicity_list": draft, "text": "名单", "posted_by": people.fengming_team, "posted_at": MONDAY,
        "starts_at": shanghai(2026, 11, 24), "ends_at": shanghai(2026, 12, 1), "days": 7, "index_version": "无",
    }  # fmt: skip
    with pytest.raises(IntegrityError, match="snapshot_sha256_of_text"), transaction.atomic():
        Snapshot.objects.create(sha256="0" * 64, **values)
    assert Snapshot.objects.create(sha256=hashlib.sha256("名单".encode()).hexdigest(), **values)
