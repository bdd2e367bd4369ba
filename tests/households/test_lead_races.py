"""Two people decide at once of leads of one household, whose doubt either decision moves."""

import threading
from collections.abc import Callable
from contextlib import suppress

import pytest
from django.db import OperationalError, connection

from households.models import Finding
from households.services import lead_cases
from tests.factories import make_household
from tests.households.test_lead_cases import found
from tests.personas import FENGMING, People

NO = {"decision": "dismissed", "reason": "登记的是同名的另一个人", "no_visit_reason": "车管所已出具证明"}


def decided_at_once(people: People, monkeypatch: pytest.MonkeyPatch, *, patience: float) -> list[str]:
    """What each of two got who decide a lead each: both write before either weighs the household, where they can.

    `patience` seconds: where a lock keeps the second out, the first waits in vain as long as this.
    """
    household = make_household(FENGMING, head="欧阳甲")
    leads = found(household, "vehicle", "private_car", cars=1), found(household, "real_estate", "flat")
    both_wrote, answers, weigh = threading.Barrier(2), list[str](), lead_cases.weigh

    def meet_and_weigh(**arguments: list[int]) -> int:
        with suppress(threading.BrokenBarrierError):
            both_wrote.wait(patience)
        return weigh(**arguments)

    monkeypatch.setattr(lead_cases, "weigh", meet_and_weigh)

    def decide(lead: Finding) -> Callable[[], None]:
        def act() -> None:
            try:
                lead_cases.decide(lead=lead, by=people.reshi_officer, **NO)
                answers.append("decided")
            except OperationalError:
                answers.append("deadlock")
            finally:
                connection.close()

        return act

    threads = [threading.Thread(target=decide(lead)) for lead in leads]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(answers)


def test_two_decisions_of_one_household_wait_for_each_other(
    committed_db: None, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert decided_at_once(people, monkeypatch, patience=1) == ["decided", "decided"]
    assert not Finding.objects.open().exists()


def test_without_the_locks_one_of_them_is_lost(
    committed_db: None, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control."""
    monkeypatch.setattr(lead_cases, "_hold", lambda ids: None)
    assert decided_at_once(people, monkeypatch, patience=30) == ["deadlock", "decided"]
