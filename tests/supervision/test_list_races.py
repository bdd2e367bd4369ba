"""Two people post at the same moment: one list, one chain. Each race has a control without the lock that must fail."""

import threading
from contextlib import suppress

import pytest
from django.db import IntegrityError, connection, transaction

from changde.accounts.refusal import Refusal
from households.models import Household
from households.services.results import recompute_household
from supervision.models import ListEntry, PublicityList, Snapshot
from supervision.services import lists
from tests.supervision.conftest import YEAR, household, make_village


def posted_twice(monkeypatch, drafts, posters, *, patience: float = 1) -> list[str]:
    """Two people post at once: both wait for each other between the check and the write, where they can.

    `patience` seconds: where a lock keeps the second out, the first waits in vain as long as this.
    """
    barrier = threading.Barrier(2)
    moment = lists._now

    def together():
        with suppress(threading.BrokenBarrierError):
            barrier.wait(timeout=patience)
        return moment()

    monkeypatch.setattr(lists, "_now", together)
    answers: list[str] = []

    def run(draft, by):
        try:
            lists.post(publicity_list=draft, by=by)
            answers.append("posted")
        except Refusal as refusal:
            answers.append(refusal.code)
        except IntegrityError:
            answers.append("broken")
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in zip(drafts, posters, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(answers)


@pytest.fixture
def racing(committed_db, people):
    village = make_village()
    return lists.draft_first_list(village=village.division, year=YEAR, by=people.fengming_cadre)


def without_locks(monkeypatch):
    monkeypatch.setattr(lists, "_lock_village", lambda village_id: None)
    monkeypatch.setattr(lists, "_locked", lambda listed: PublicityList.objects.get(pk=listed.pk))


def test_two_people_who_post_at_once_post_one_list(racing, people, monkeypatch):
    answers = posted_twice(monkeypatch, (racing, racing), (people.fengming_team, people.fengming_team))
    assert answers == ["already_posted", "posted"]
    assert Snapshot.objects.count() == 1


def test_without_the_lock_that_race_breaks(racing, people, monkeypatch):
    """Negative control: the test above must be able to fail."""
    without_locks(monkeypatch)
    answers = posted_twice(monkeypatch, (racing, racing), (people.fengming_team, people.fengming_team), patience=30)
    assert answers == ["broken", "posted"]


@pytest.fixture
def two_years(racing, people):
    household("去年", wage_income=1000, judged=False, year=2018)
    recompute_household(household=Household.objects.get(head_name="去年").pk, year=2018)
    earlier = lists.draft_first_list(village=racing.village, year=2018, by=people.fengming_cadre)
    return racing, earlier


def test_two_lists_of_a_village_posted_at_once_stand_in_one_chain(two_years, people, monkeypatch):
    answers = posted_twice(monkeypatch, two_years, (people.fengming_team, people.fengming_team))
    assert answers == ["posted", "posted"]
    one, two = Snapshot.objects.order_by("publicity_list__number")
    assert (one.previous_sha256, two.previous_sha256) == ("", one.sha256)


def test_without_the_lock_the_chain_breaks(two_years, people, monkeypatch):
    """Negative control."""
    without_locks(monkeypatch)
    answers = posted_twice(monkeypatch, two_years, (people.fengming_team, people.fengming_team), patience=30)
    assert answers == ["broken", "posted"]


def test_an_entry_written_while_the_list_is_being_posted_is_refused(racing, people):
    """The trigger waits for the posting that holds the list, then sees that it is posted."""
    village_household = household("迟来", judged=False)
    held, go_on = threading.Event(), threading.Event()

    def post_slowly():
        with transaction.atomic():
            lists.refresh(publicity_list=racing, by=people.fengming_cadre)
            lists.post(publicity_list=racing, by=people.fengming_team)
            held.set()
            go_on.wait(5)
        connection.close()

    answers: list[str] = []

    def add():
        held.wait(5)
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '5s'")
            threading.Timer(0.3, go_on.set).start()
            ListEntry.objects.create(
                publicity_list=racing, household=village_household, kind="marginal", included=True, blocks=[]
            )
            answers.append("added")
        except IntegrityError as error:
            answers.append("refused" if "cannot be changed" in str(error) else str(error))
        finally:
            connection.close()

    threads = [threading.Thread(target=post_slowly), threading.Thread(target=add)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == ["refused"]
