"""The days of a publicity, its states, and who may not post; worked dates around midnight in Shanghai."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from supervision.domain import publicity
from supervision.domain.publicity import SHANGHAI, Period, allows, may_decide_objection, may_post, period, state


def shanghai(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=SHANGHAI)


SEVEN = Period(shanghai(2026, 11, 24), shanghai(2026, 12, 1))


@pytest.mark.parametrize(
    ("posted", "days", "starts", "ends"),
    [
        (shanghai(2026, 11, 23, 9, 30), 7, shanghai(2026, 11, 24), shanghai(2026, 12, 1)),
        (shanghai(2026, 11, 23, 0, 0), 7, shanghai(2026, 11, 24), shanghai(2026, 12, 1)),
        (shanghai(2026, 11, 23, 23, 59, 59), 7, shanghai(2026, 11, 24), shanghai(2026, 12, 1)),
        (shanghai(2026, 11, 24, 0, 0), 7, shanghai(2026, 11, 25), shanghai(2026, 12, 2)),
        # 16:00 in Greenwich is midnight in Shanghai
        (datetime(2026, 11, 23, 15, 59, 59, tzinfo=UTC), 7, shanghai(2026, 11, 24), shanghai(2026, 12, 1)),
        (datetime(2026, 11, 23, 16, 0, tzinfo=UTC), 7, shanghai(2026, 11, 25), shanghai(2026, 12, 2)),
        (shanghai(2026, 12, 31, 12), 1, shanghai(2027, 1, 1), shanghai(2027, 1, 2)),
        (shanghai(2024, 2, 27, 12), 5, shanghai(2024, 2, 28), shanghai(2024, 3, 4)),
    ],
)
def test_a_period_begins_the_day_after_posting_and_ends_at_24_of_the_last_day(posted, days, starts, ends):
    assert period(posted, days) == (starts, ends)


def test_the_last_day_is_the_nth_day():
    assert period(shanghai(2026, 11, 23, 9), 7).last_day == shanghai(2026, 11, 30)


def test_a_moment_without_a_zone_and_a_period_without_days_are_refused():
    with pytest.raises(ValueError, match="time zone"):
        period(datetime(2026, 11, 23), 7)
    with pytest.raises(ValueError, match="one day"):
        period(shanghai(2026, 11, 23), 0)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (shanghai(2026, 11, 23, 9, 30), "posted"),
        (SEVEN.starts - timedelta(microseconds=1), "posted"),
        (SEVEN.starts, "running"),
        (shanghai(2026, 11, 30, 23, 59, 59), "running"),
        (SEVEN.ends - timedelta(microseconds=1), "running"),
        (SEVEN.ends, "ended"),
        (shanghai(2027, 6, 1), "ended"),
    ],
)
def test_a_posted_list_goes_from_posted_to_running_to_ended(now, expected):
    assert state(now, SEVEN) == expected
    assert state(now.astimezone(UTC), SEVEN) == expected
    assert state(now, SEVEN, superseded=True) == "superseded"
    assert state(now, None) == "draft"


@pytest.mark.parametrize(("action", "at"), list(product(publicity.ACTIONS, publicity.STATES)))
def test_every_action_has_its_states(action, at):
    allowed = {
        "edit": {"draft"},
        "discard": {"draft"},
        "post": {"draft"},
        "object": {"posted", "running"},
        "correct": {"posted", "running", "ended"},
        "follow": {"ended"},
        "show": {"posted", "running"},
    }
    assert allows(action, at) is (at in allowed[action])


def test_an_unknown_action_is_an_error():
    with pytest.raises(KeyError):
        allows("hide", "draft")


@pytest.mark.parametrize(
    ("step", "poster", "maker", "first", "allowed"),
    [
        ("first", 2, 1, (), True),
        ("first", 1, 1, (), False),
        ("second", 4, 3, (1, 2), True),
        ("second", 3, 3, (1, 2), False),
        ("second", 1, 3, (1, 2), False),
        ("second", 2, 3, (1, 2), False),
    ],
)
def test_nobody_posts_what_they_made_or_posted_before(step, poster, maker, first, allowed):
    assert may_post(step, poster, maker, first) is allowed


@pytest.mark.parametrize(("decider", "allowed"), [(1, False), (2, False), (3, True)])
def test_nobody_decides_an_objection_against_their_own_list(decider, allowed):
    assert may_decide_objection(decider, maker=1, poster=2) is allowed
