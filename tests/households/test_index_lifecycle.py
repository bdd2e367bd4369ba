"""The way of an index version: who may do which step in which state, its day, what is frozen, what is logged."""

import copy
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from changde.accounts.refusal import Refusal
from changde.audit.models import Event
from changde.divisions.models import Division
from households.domain.index_draft import Typed, typed_of
from households.domain.index_system import InvalidIndex
from households.models import IndexVersion, Result
from households.selectors.index_versions import versions_of, versions_to_release
from households.services import index_runs
from households.services import index_versions as services
from households.tasks import put_index_versions_in_force
from tests.factories import make_household
from tests.households import golden
from tests.households.test_index_versions import released_in_taoyuan, tried
from tests.personas import FENGMING, TAOYUAN, WULING, People

pytestmark = pytest.mark.django_db

State = IndexVersion.State


@pytest.fixture
def default() -> IndexVersion:
    """The city's of 2020 and of 2019, in force; the latter."""
    drafts = [services.draft_version(division=None, system=golden.DEFAULTS[year], by=None) for year in (2020, 2019)]
    return [services.release_version(version=draft, by=None) for draft in drafts][-1]


@pytest.fixture
def draft(default: IndexVersion, people: People) -> IndexVersion:
    return started(people, default)


def started(people: People, source: IndexVersion, year: int = 2019) -> IndexVersion:
    taoyuan = Division.objects.get(code=TAOYUAN)
    return services.start_draft(division=taoyuan, year=year, copied_from=source, by=people.taoyuan_office)


def typed(version: IndexVersion, **changes: Any) -> Typed:
    return copy.deepcopy(version.unfinished or typed_of(version.definition)) | changes


def edited(version: IndexVersion, people: People, *, unfinished: bool = False, **changes: Any) -> IndexVersion:
    return services.edit_version(
        version=version,
        typed=typed(version, **changes),
        expected_revision=version.revision,
        by=people.taoyuan_office,
        unfinished=unfinished,
    )


STEPS: dict[str, Callable[..., Any]] = {
    "edit": lambda version, by: services.edit_version(
        version=version, typed=typed(version, zh="新名称"), expected_revision=version.revision, by=by
    ),
    "propose": lambda version, by: services.propose_version(version=version, by=by),
    "withdraw": lambda version, by: services.withdraw_version(version=version, by=by),
    "send_back": lambda version, by: services.send_back_version(version=version, reason="权重不妥", by=by),
    "release": lambda version, by: services.release_version(version=version, by=by),
    "discard": lambda version, by: services.discard_version(version=version, by=by),
    "restore": lambda version, by: services.restore_version(version=version, by=by),
    "cancel": lambda version, by: services.cancel_version(version=version, reason="权重不妥", by=by),
}
# state -> step -> the state after it, or the code of the refusal; done by the colleague of who drafted and proposed.
WAY = {
    "draft": dict(edit="draft", propose="not_tried", withdraw="not_proposed", send_back="not_proposed",
                  release="not_proposed", discard="discarded", restore="not_discarded", cancel="not_scheduled"),
    "tried": dict(edit="draft", propose="proposed", withdraw="not_proposed", send_back="not_proposed",
                  release="not_proposed", discard="discarded", restore="not_discarded", cancel="not_scheduled"),
    "proposed": dict(edit="proposed", propose="proposed", withdraw="tried", send_back="tried", release="released",
                     discard="proposed", restore="not_discarded", cancel="not_scheduled"),
    "scheduled": dict(edit="frozen", propose="frozen", withdraw="not_proposed", send_back="not_proposed",
                      release="frozen", discard="frozen", restore="not_discarded", cancel="cancelled"),
    "released": dict(edit="frozen", propose="frozen", withdraw="not_proposed", send_back="not_proposed",
                     release="frozen", discard="frozen", restore="not_discarded", cancel="not_scheduled"),
    "cancelled": dict(edit="frozen", propose="frozen", withdraw="not_proposed", send_back="not_proposed",
                      release="frozen", discard="frozen", restore="not_discarded", cancel="not_scheduled"),
    "discarded": dict(edit="discarded", propose="not_tried", withdraw="not_proposed", send_back="not_proposed",
                      release="not_proposed", discard="discarded", restore="tried", cancel="not_scheduled"),
}  # fmt: skip


def in_state(version: IndexVersion, people: People, state: str) -> IndexVersion:
    """The draft, brought on to a state by one of its office (and released by the other)."""
    one, two = people.taoyuan_office, people.taoyuan_second
    if state == "draft":
        return version
    tried(version)
    if state == "discarded":
        return services.discard_version(version=version, by=one)
    if state == "tried":
        return version
    later = timezone.localdate() + timedelta(days=3) if state in ("scheduled", "cancelled") else None
    version = services.propose_version(version=version, by=one, effective_from=later)
    if state == "proposed":
        return version
    version = services.release_version(version=version, by=two)
    return version if state != "cancelled" else services.cancel_version(version=version, reason="权重不妥", by=one)


@pytest.mark.parametrize("state", WAY)
def test_every_step_in_every_state(draft: IndexVersion, people: People, state: str) -> None:
    version = in_state(draft, people, state)
    found = {}
    for step, do in STEPS.items():
        with transaction.atomic():
            try:
                found[step] = str(do(version, people.taoyuan_second).state)
            except Refusal as refusal:
                found[step] = refusal.code
            transaction.set_rollback(True)
        version.refresh_from_db()
    assert found == WAY[state]


@pytest.mark.parametrize("who", ["wuling_office", "fengming_cadre", "reshi_officer", "inspector"])
def test_nobody_else_takes_any_step(draft: IndexVersion, people: People, who: str) -> None:
    in_state(draft, people, "proposed")
    for do in STEPS.values():
        with pytest.raises(Refusal) as refused:
            do(draft, getattr(people, who))
        assert refused.value.code == "not_your_area"


def test_the_proposer_neither_releases_nor_sends_back(draft: IndexVersion, people: People) -> None:
    version = in_state(draft, people, "proposed")
    for step in ("release", "send_back"):
        with pytest.raises(Refusal) as refused:
            STEPS[step](version, people.taoyuan_office)
        assert refused.value.code == "same_person"


def test_a_returned_proposal_says_why_until_it_is_proposed_again(draft: IndexVersion, people: People) -> None:
    version = services.send_back_version(
        version=in_state(draft, people, "proposed"), reason=" 权重不妥 ", by=people.taoyuan_second
    )
    assert (version.state, version.return_reason, version.proposed_by) == ("tried", "权重不妥", None)
    assert services.propose_version(version=version, by=people.taoyuan_office).return_reason == ""
    with pytest.raises(Refusal, match="原因"):
        services.send_back_version(version=version, reason=" ", by=people.taoyuan_second)


# -- drafts ---------------------------------------------------


def test_a_county_copies_the_default_under_its_own_name(draft: IndexVersion, default: IndexVersion) -> None:
    assert draft.system.name.zh == "桃源县识别指标体系"
    assert (draft.based_on, draft.state, draft.system.dimensions) == (default, "draft", default.system.dimensions)


def test_a_copy_of_another_year_takes_the_lines_of_its_own(default: IndexVersion, people: People) -> None:
    assert started(people, default, year=2020).system.income_line == 400_000


def test_a_copy_into_a_year_without_lines_waits_for_them(default: IndexVersion, people: People) -> None:
    version = started(people, default, year=2021)
    assert version.unfinished["income_line"] == ""
    with pytest.raises(Refusal) as refused:
        services.propose_version(version=tried(version), by=people.taoyuan_office)
    assert refused.value.code == "unfinished"
    finished = edited(version, people, income_line="4,200", monitoring_line="6300")
    assert (finished.unfinished, finished.system.income_line, finished.state) == (None, 420_000, "draft")


def test_what_does_not_hold_is_refused_or_kept_for_later(draft: IndexVersion, people: People) -> None:
    with pytest.raises(InvalidIndex):
        edited(draft, people, cutoff="7")
    kept = edited(draft, people, unfinished=True, cutoff="7")
    assert (kept.unfinished["cutoff"], str(kept.system.cutoff), kept.revision) == ("7", "1/3", 2)
    with pytest.raises(IntegrityError, match="finished_when_proposed"), transaction.atomic():
        IndexVersion.objects.filter(pk=kept.pk).update(
            state="proposed", proposed_by=people.taoyuan_office, effective_from="2026-01-01"
        )


def test_only_a_change_has_to_be_tried_again(draft: IndexVersion, people: People) -> None:
    same = edited(tried(draft), people)
    assert (same.state, same.digest) == ("tried", draft.digest)
    assert edited(same, people, cutoff="0.4").state == "draft"


def test_weights_are_kept_as_they_were_entered(draft: IndexVersion, people: People) -> None:
    changes = typed(draft)
    changes["dimensions"][0]["indicators"][0]["weight"] = "0.25"
    version = edited(draft, people, **changes)
    assert version.definition["dimensions"][0]["indicators"][0]["weight"] == "0.25"
    assert version.digest == draft.digest


def test_two_edits_do_not_overwrite_one_another(draft: IndexVersion, people: People) -> None:
    edited(draft, people, cutoff="0.4")
    with pytest.raises(Refusal) as refused:
        edited(draft, people, cutoff="0.5")  # read before the other was written
    assert refused.value.code == "revision"
    assert str(IndexVersion.objects.get(pk=draft.pk).system.cutoff) == "2/5"


def test_what_was_edited_since_it_was_read_is_not_released(draft: IndexVersion, people: People) -> None:
    version = in_state(draft, people, "proposed")
    with pytest.raises(Refusal) as refused:
        services.release_version(version=version, by=people.taoyuan_second, expected_revision=version.revision - 1)
    assert refused.value.code == "revision"


# -- its day --------------------------------------------------------


def test_a_version_waits_for_its_day_and_then_supersedes_the_one_before(people: People, default: IndexVersion) -> None:
    before = released_in_taoyuan(people)
    judged_by(before)
    assert (services.put_due_versions_in_force(), services.version_for(county=TAOYUAN, year=2019)) == (0, before)
    due = released_for_today(started(people, default), people)
    put_index_versions_in_force()
    assert services.version_for(county=TAOYUAN, year=2019) == due
    before.refresh_from_db()
    assert (before.state, before.superseded_at is not None) == ("superseded", True)
    assert Result.objects.get().stale
    assert Event.objects.get(verb="index.in_force").target_id == str(due.pk)
    assert services.put_due_versions_in_force() == 0


def judged_by(version: IndexVersion) -> None:
    """A household of the county has its result by the version."""
    make_household(FENGMING)
    run = index_runs.start_run(division=Division.objects.get(code=FENGMING), year=2019, by=None, in_background=False)
    index_runs.compute_run(run=run)
    assert Result.objects.get().version == version


def released_for_today(draft: IndexVersion, people: People) -> IndexVersion:
    """As if it had been scheduled some days ago: the day of one that is cannot be moved."""
    IndexVersion.objects.filter(pk=draft.pk).update(
        state="scheduled",
        effective_from=timezone.localdate(),
        proposed_by=people.taoyuan_office,
        released_by=people.taoyuan_second,
        released_at=timezone.now(),
    )
    return draft


def test_a_day_before_today_is_refused_and_one_version_waits_at_a_time(people: People, default: IndexVersion) -> None:
    first, second = tried(started(people, default)), tried(started(people, default))
    with pytest.raises(Refusal) as refused:
        yesterday = timezone.localdate() - timedelta(days=1)
        services.propose_version(version=first, by=people.taoyuan_office, effective_from=yesterday)
    assert (refused.value.code, refused.value.field) == ("effective_before_today", "effective_from")
    in_state(first, people, "scheduled")
    with pytest.raises(Refusal) as refused:
        in_state(second, people, "scheduled")
    assert refused.value.code == "scheduled"


def test_a_cancelled_version_never_comes_and_makes_room_for_the_next(draft: IndexVersion, people: People) -> None:
    before = released_in_taoyuan(people)
    version = in_state(draft, people, "scheduled")
    cancelled = services.cancel_version(version=version, reason=" 权重不妥 ", by=people.taoyuan_office)
    assert (cancelled.state, cancelled.cancel_reason, cancelled.cancelled_by) == (
        "cancelled", "权重不妥", people.taoyuan_office,
    )  # fmt: skip
    event = Event.objects.get(verb="index.cancel")
    assert (event.target_id, event.actor, event.area) == (str(version.pk), people.taoyuan_office, TAOYUAN)
    assert services.put_due_versions_in_force() == 0
    assert services.version_for(county=TAOYUAN, year=2019) == before
    next_one = in_state(started(people, before), people, "scheduled")
    assert (next_one.state, next_one.number) == ("scheduled", version.number + 2)


def test_a_version_is_not_cancelled_from_its_day_on_nor_without_a_reason(draft: IndexVersion, people: People) -> None:
    with pytest.raises(Refusal) as refused:
        services.cancel_version(version=in_state(draft, people, "scheduled"), reason=" ", by=people.taoyuan_office)
    assert (refused.value.code, refused.value.field) == ("reason_missing", "reason")
    due = released_for_today(started(people, draft, year=2020), people)
    with pytest.raises(Refusal) as refused:
        services.cancel_version(version=due, reason="权重不妥", by=people.taoyuan_office)
    assert refused.value.code == "day_has_come"
    orders = """state = 'cancelled', cancelled_at = now(), cancelled_by_id = created_by_id, cancel_reason = 'x'"""
    with pytest.raises(IntegrityError, match="released"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE households_indexversion SET {orders} WHERE id = %s", [due.pk])


# -- frozen for ever ----------------------------------------------------------


CHANGES = (
    "SET definition = '{}'",
    "SET definition = jsonb_set(definition, '{income_line}', '\"1\"')",
    "SET digest = 'x'",
    "SET columns = '{}'",
    "SET effective_from = '2020-01-01'",
    "SET unfinished = '{}'",
    "SET revision = 9",
    "SET based_on_id = NULL",
    "SET released_at = now()",
    "SET state = 'draft', released_at = NULL, released_by_id = NULL, proposed_by_id = NULL, effective_from = NULL",
    "SET state = 'superseded', superseded_at = now(), digest = 'x'",
    "SET state = 'released', digest = 'x'",
    "SET state = 'cancelled', cancelled_at = now(), cancelled_by_id = created_by_id, cancel_reason = 'x', digest = 'x'",
)


@pytest.mark.parametrize("state", ["released", "scheduled", "cancelled"])
def test_the_application_cannot_change_it_by_sql(draft: IndexVersion, people: People, state: str) -> None:
    version = in_state(draft, people, state)
    orders = [f"UPDATE households_indexversion {change} WHERE id = %s" for change in CHANGES]
    for order in (*orders, "DELETE FROM households_indexversion WHERE id = %s"):
        with pytest.raises(IntegrityError, match="released"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(order, [version.pk])


def test_a_scheduled_version_does_not_come_before_its_day(draft: IndexVersion, people: People) -> None:
    version = in_state(draft, people, "scheduled")
    with pytest.raises(IntegrityError, match="released"), transaction.atomic():
        IndexVersion.objects.filter(pk=version.pk).update(state="released")


# -- who reads what, and the log -------------------------------------------------------


def test_drafts_are_read_by_their_office_alone(draft: IndexVersion, people: People) -> None:
    own = released_in_taoyuan(people)
    others = {"fengming_cadre", "reshi_officer", "inspector", "wuling_office", "no_post"}
    assert draft in versions_of(people.taoyuan_second)
    assert [name for name in others if versions_of(getattr(people, name)).filter(pk=draft.pk).exists()] == []
    assert own in versions_of(people.fengming_cadre) and own in versions_of(people.inspector)
    assert own not in versions_of(people.wuling_office)
    assert not versions_of(people.wuling_office).exclude(division=None).exclude(division=WULING).exists()


def test_a_proposal_waits_for_the_colleague(draft: IndexVersion, people: People) -> None:
    in_state(draft, people, "proposed")
    assert list(versions_to_release(people.taoyuan_second)) == [draft]
    assert not versions_to_release(people.taoyuan_office).exists()
    assert not versions_to_release(people.fengming_cadre).exists()


def test_every_step_is_in_the_log(draft: IndexVersion, people: People) -> None:
    version = edited(draft, people, cutoff="0.4")
    version = services.restore_version(
        version=services.discard_version(version=version, by=people.taoyuan_office), by=people.taoyuan_office
    )
    version = services.withdraw_version(version=in_state(version, people, "proposed"), by=people.taoyuan_office)
    version = services.propose_version(version=version, by=people.taoyuan_office)
    version = services.send_back_version(version=version, reason="权重不妥", by=people.taoyuan_second)
    version = services.propose_version(version=version, by=people.taoyuan_office)
    services.release_version(version=version, by=people.taoyuan_second)
    steps = ["draft", "edit", "discard", "restore", "propose", "withdraw", "propose", "send_back", "propose", "release"]
    events = Event.objects.filter(target_kind="households.indexversion", target_id=version.pk).order_by("pk")
    assert [event.verb for event in events] == [f"index.{step}" for step in steps]
    assert {event.area for event in events} == {TAOYUAN}
