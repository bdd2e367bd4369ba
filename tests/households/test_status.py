"""The status of a household: one writer, one first load, and what a later workbook may not do."""

import pytest

from changde.accounts.refusal import Refusal
from changde.audit.models import Event
from households.models import Household
from households.selectors.history import history_of
from households.services.status import differs_from, initial_status, set_initial_status, set_status
from tests.factories import make_household
from tests.personas import FENGMING, People


@pytest.fixture
def household(db: None) -> Household:
    return make_household(FENGMING)


def test_a_decision_moves_the_status_with_its_reason(household: Household, people: People) -> None:
    changed = set_status(household=household, status="registered", by=people.taoyuan_office, reason="list 7")
    event = Event.objects.get(verb="households.set_status")
    assert (changed.status, changed.version, event.actor) == ("registered", 2, people.taoyuan_office)
    assert (event.facts["before"], event.facts["after"], event.facts["reason"]) == (
        "unregistered",
        "registered",
        "list 7",
    )


def test_the_history_tells_of_it(household: Household, people: People) -> None:
    set_status(household=household, status="registered", by=people.taoyuan_office, reason="list 7")
    latest = history_of(household)[0]
    assert ("status", "unregistered", "registered") in {(c.name, c.before, c.after) for c in latest.changes}


def test_the_same_status_again_writes_nothing(household: Household, people: People) -> None:
    changed = set_status(household=household, status="unregistered", by=people.taoyuan_office, reason="list 7")
    assert (changed.version, Event.objects.filter(verb="households.set_status").count()) == (1, 0)


@pytest.mark.parametrize(
    ("status", "kind", "reason", "code"),
    [
        ("registered", "", " ", "status_without_reason"),
        ("monitored", "", "lead 3", "status_kind"),
        ("registered", "marginal", "lead 3", "status_kind"),
    ],
)
def test_a_status_without_reason_or_with_the_wrong_kind_is_refused(
    household: Household, status: str, kind: str, reason: str, code: str
) -> None:
    with pytest.raises(Refusal) as refusal:
        set_status(household=household, status=status, kind=kind, by=None, reason=reason)
    assert refusal.value.code == code


@pytest.mark.parametrize(
    ("attribute", "flag", "status"),
    [
        ("一般贫困户", "未脱贫", "registered"),
        ("低保贫困户", "", "registered"),
        ("五保户", "返贫", "registered"),
        ("五保户", "预脱贫", "registered"),
        ("低保贫困户", "已脱贫", "exited"),
        ("低保户", "", "unregistered"),
        ("五保户", "", "unregistered"),
        ("一般农户", "", "unregistered"),
        ("一般农户", "已脱贫", "unregistered"),
        ("", "未脱贫", "unregistered"),
    ],
)
def test_attribute_and_flag_of_a_workbook_say_the_first_status(attribute: str, flag: str, status: str) -> None:
    assert initial_status(attribute, flag) == status


def test_the_first_load_sets_a_status_once(household: Household, people: People) -> None:
    other = make_household(FENGMING, head="李四")
    cards = [(household.pk, "一般贫困户", "未脱贫"), (other.pk, "一般农户", "")]
    first = set_initial_status(cards=cards, by=people.reshi_officer, area=FENGMING)
    again = set_initial_status(cards=[(household.pk, "一般农户", "")], by=people.reshi_officer, area=FENGMING)
    household.refresh_from_db()
    assert (first, again) == ({"registered": 1, "unregistered": 1}, {})
    assert (household.status, Event.objects.filter(verb="households.set_initial_status").count()) == ("registered", 2)


@pytest.mark.parametrize(
    ("status", "attribute", "flag", "differs"),
    [
        ("registered", "一般贫困户", "未脱贫", False),
        ("registered", "一般贫困户", "已脱贫", True),
        ("unregistered", "一般贫困户", "", True),
        ("unregistered", "", "", False),
        ("returned", "一般贫困户", "返贫", False),
        ("returned", "一般贫困户", "已脱贫", True),
        ("monitored", "一般农户", "", False),
    ],
)
def test_a_later_workbook_that_says_otherwise_is_noticed(status: str, attribute: str, flag: str, differs: bool) -> None:
    assert differs_from(status, attribute, flag) is differs
