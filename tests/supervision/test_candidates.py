"""Which households a first list names: the table of docs/publicity.md, cell by cell."""

import pytest

from supervision.domain.candidates import Facts, judge

ABSOLUTE = {"outcome": "absolute", "below_monitoring": True}
BELOW = {"outcome": "relative", "below_monitoring": True}
BY_SCORE = {"outcome": "relative", "below_monitoring": False}
NOT_POOR = {"outcome": "not_poor", "below_monitoring": False}


@pytest.mark.parametrize(
    ("status", "result", "kind"),
    [
        ("unregistered", ABSOLUTE, "identification"),
        ("unregistered", BELOW, "marginal"),
        ("unregistered", BY_SCORE, ""),
        ("unregistered", NOT_POOR, ""),
        ("proposed", ABSOLUTE, "identification"),
        ("proposed", BELOW, "marginal"),
        ("exited", ABSOLUTE, "return"),
        ("exited", BELOW, "unstable"),
        ("exited", BY_SCORE, ""),
        ("exited", NOT_POOR, ""),
        ("monitored", ABSOLUTE, "identification"),
        ("monitored", BELOW, ""),
        ("registered", ABSOLUTE, ""),
        ("registered", BELOW, ""),
        ("returned", ABSOLUTE, ""),
        ("closed", ABSOLUTE, ""),
    ],
)
def test_the_table_of_outcome_and_status(status, result, kind):
    judgement = judge(Facts(status=status, **result))
    assert (judgement.kind, judgement.blocks) == (kind, ())
    assert judgement.enters is bool(kind)


def test_a_monitored_household_that_was_registered_once_returns():
    assert judge(Facts("monitored", "absolute", True, monitored_kind="unstable")).kind == "return"


@pytest.mark.parametrize("status", ["unregistered", "exited", "monitored"])
def test_a_household_without_a_result_is_held_back(status):
    judgement = judge(Facts(status, None))
    assert (judgement.kind, judgement.blocks, judgement.enters, judgement.matters) == ("", ("no_result",), False, True)


@pytest.mark.parametrize(
    ("outcome", "flags", "blocks"),
    [
        ("undetermined", set(), ("undetermined",)),
        ("undetermined", {"stale", "verify"}, ("stale", "undetermined")),
        ("not_poor", {"stale"}, ("stale",)),
        ("absolute", {"stale"}, ("stale",)),
        ("absolute", {"excluded"}, ("excluded",)),
        ("absolute", {"verify"}, ("verify",)),
        ("absolute", {"stale", "excluded", "verify"}, ("stale", "excluded", "verify")),
        ("absolute", {"guarantee_gap"}, ()),
        ("not_poor", {"excluded", "verify"}, ()),  # no candidate: nothing to hold back
    ],
)
def test_what_holds_a_household_back(outcome, flags, blocks):
    judgement = judge(Facts("unregistered", outcome, outcome == "absolute", frozenset(flags)))
    assert judgement.blocks == blocks
    assert judgement.matters is bool(blocks or judgement.kind)


def test_a_registered_household_is_never_held_back():
    assert not judge(Facts("registered", None)).matters
    assert not judge(Facts("registered", "undetermined", flags=frozenset({"stale"}))).matters
