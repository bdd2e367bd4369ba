"""A card as it stood at the end of a day: rebuilt from the row history, read-only, and bounded."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
import time_machine
from django.test import Client

from changde.accounts.models import Post
from changde.accounts.refusal import Refusal
from changde.audit.models import Event
from households.domain.worksheet import IncomeLine
from households.models import Household
from households.selectors.as_of import AsOf, card_as_of
from households.selectors.history import history_of
from households.services.card_rows import load_card
from households.services.cards import save_card
from households.services.events import note_birth
from households.services.status import set_status
from tests.households.cards import a_card, a_member, with_household, with_member, with_sheet
from tests.personas import People
from tests.template_database import owner_connection

ENTERED, CHANGED, LATER = date(2026, 3, 2), date(2026, 5, 10), date(2026, 8, 20)
STAMPED = (
    ("households_household", "created_at", "id"),  # first: the stamp itself leaves an event of the row
    *((f"households_{model}event", "pgh_created_at", "pgh_id") for model in ("household", "sheet", "person")),
    *(
        (f"households_{model}event", "pgh_created_at", "pgh_id")
        for model in ("membership", "membersheet", "incomeline")
    ),
    ("audit_event", "at", "id"),
)


@contextmanager
def on(day: date) -> Iterator[None]:
    """What is written inside happened at noon of `day`: the database's clock cannot be turned, its rows can."""
    owner = owner_connection()
    with owner.cursor() as cursor:
        last = {table: _highest(cursor, table, key) for table, _column, key in STAMPED}
        with time_machine.travel(datetime(day.year, day.month, day.day, 4, tzinfo=UTC), tick=False):
            yield
        for table, column, key in STAMPED:
            moment = f"{day} 12:00:00+08"
            cursor.execute(f"UPDATE {table} SET {column} = %s WHERE {key} > %s", [moment, last[table]])
    owner.close()


def _highest(cursor: Any, table: str, key: str) -> int:
    cursor.execute(f"SELECT coalesce(max({key}), 0) FROM {table}")
    return cursor.fetchone()[0]


@pytest.fixture
def card(committed_db: None, people: People) -> Household:
    """A couple, entered in March by the cadre. In May: more pigs, a new phone, a son. In August: a new sheet, the wife
    taken off, the status set by the county."""
    Post.objects.update(valid_from=date(2019, 1, 1))
    with on(ENTERED):
        household = save_card(card=a_card(number="43072510320200001"), by=people.fengming_cadre)
    with on(CHANGED):
        stored = load_card(household, 2019)
        changed = with_sheet(with_household(stored.card, group="5组"), pigs=9)
        changed = with_member(changed, 0, phone="13973600088", education="小学")
        son = a_member("张小明", "男", "20050101", relation="之子", education="初中", labour="无劳动力")
        changed = replace(changed, members=(*changed.members, son))
        persons = (*stored.persons, None)
        save_card(card=changed, persons=persons, by=people.reshi_officer, household=household, expected_version=1)
    with on(LATER):
        stored = load_card(household, 2019)
        later = with_sheet(stored.card, year=2020, pigs=30)
        later = replace(later, members=(later.members[0], later.members[2]))
        persons = (stored.persons[0], stored.persons[2])
        save_card(card=later, persons=persons, by=people.fengming_cadre, household=household, expected_version=2)
        set_status(household=household, status="registered", by=people.taoyuan_office, reason="list 7")
    return Household.objects.get(pk=household.pk)


def at(people: People, card: Household, day: date, **asked: Any) -> AsOf:
    return card_as_of(people.fengming_cadre, card, day, **asked)


def names(then: AsOf) -> list[str]:
    return [row.person.name for row in then.page.members]


def test_the_card_stands_as_it_was_entered_until_it_is_changed(people: People, card: Household) -> None:
    for day in (ENTERED, date(2026, 5, 9)):
        then = at(people, card, day)
        assert (then.version, then.page.household.group, then.page.sheet.pigs) == (1, "3组", 2)
        assert (names(then), then.page.years) == (["张建华", "李秀英"], [2019])
        assert (then.page.members[0].education, then.page.members[0].person.phone) == ("初中", None)
        assert (then.page.household.status, then.page.household.persons) == ("unregistered", 2)


def test_the_day_of_a_change_shows_what_stood_at_its_end(people: People, card: Household) -> None:
    then = at(people, card, CHANGED)
    assert (then.version, then.page.household.group, then.page.sheet.pigs) == (2, "5组", 9)
    assert names(then) == ["张建华", "李秀英", "张小明"]
    assert (then.page.members[0].education, then.page.members[0].person.phone) == ("小学", "13973600088")
    assert then.page.gone == []


def test_later_sheets_and_departures_show_from_their_day_on(people: People, card: Household) -> None:
    then = at(people, card, LATER)
    assert (then.page.years, then.page.sheet.year, then.page.sheet.pigs) == ([2020, 2019], 2020, 30)
    assert (names(then), then.page.household.status) == (["张建华", "张小明"], "registered")
    assert [row.person.name for row in then.page.gone] == ["李秀英"]
    assert [row.person.name for row in at(people, card, LATER, year=2019).page.members][:1] == ["张建华"]


def test_the_worksheet_of_a_day_has_the_lines_of_that_day(committed_db: None, people: People) -> None:
    Post.objects.update(valid_from=date(2019, 1, 1))
    rice = IncomeLine(kind="crop", item="水稻", fen=400_000, known="estimate")
    with on(ENTERED):
        household = save_card(card=replace(a_card(), lines=(rice,)), by=people.fengming_cadre)
    with on(CHANGED):
        stored = load_card(household, 2019)
        save_card(
            card=replace(stored.card, lines=(replace(rice, fen=410_000),)),
            by=people.fengming_cadre,
            household=household,
            expected_version=1,
            persons=stored.persons,
        )
    household.refresh_from_db()
    amounts = {
        day: [line.amount for line in card_as_of(people.fengming_cadre, household, day).lines]
        for day in (ENTERED, CHANGED)
    }
    assert amounts == {ENTERED: [4000], CHANGED: [4100]}


def test_a_child_born_since_is_not_on_the_card_of_an_earlier_day(people: People, card: Household) -> None:
    born = date(2026, 9, 5)
    card.refresh_from_db()
    child = replace(a_member("张小宝", birth="20260905", relation="之孙子"), id_number=None, id_kind=None)
    with on(born):
        note_birth(household=card, by=people.fengming_cadre, expected_version=card.version, member=child, on=born)
    card.refresh_from_db()
    assert "张小宝" not in names(at(people, card, LATER))
    assert "张小宝" in names(at(people, card, born))


@pytest.mark.parametrize(
    ("day", "until", "words"),
    [
        (date(2026, 3, 1), None, "2026-03-02 才录入系统"),
        (date(2999, 1, 1), None, "还没有到"),
        (LATER, date(2026, 6, 30), "已于 2026-06-30 迁出"),
    ],
)
def test_days_the_card_has_no_state_for_are_refused_in_words(
    people: People, card: Household, day: date, until: date | None, words: str
) -> None:
    with pytest.raises(Refusal, match=words):
        at(people, card, day, until=until)


def test_the_office_a_household_left_sees_its_history_up_to_that_day(people: People, card: Household) -> None:
    everything = history_of(card)
    seen = history_of(card, until=date(2026, 6, 30))
    assert [act.version for act in everything][-2:] == [act.version for act in seen] == [2, 1]
    assert at(people, card, date(2026, 6, 30), until=date(2026, 6, 30)).version == 2


# -- the page ------------------------------


@pytest.fixture
def cadre(people: People, as_user: Callable[..., Client]) -> Client:
    return as_user(people.fengming_cadre)


@pytest.mark.parametrize("tab", ["overview", "members", "income", "conditions", "history"])
def test_every_part_of_the_page_opens_read_only_as_of_the_day(
    people: People, card: Household, cadre: Client, tab: str
) -> None:
    answer = cadre.get(f"/households/{card.pk}/?as_of=2026-05-09&tab={tab}")
    page = answer.content.decode()
    assert answer.status_code == 200 and "2026-05-09 当天结束时的户卡（第 1 版），只读" in page
    assert not any(word in page for word in ("/reveal/", "/edit/", "张小明", "139****0088"))
    assert Event.objects.get(kind="read").facts["as_of"] == "2026-05-09"


def test_the_history_leads_to_the_card_of_a_day_and_names_the_year_of_a_sheet(
    people: People, card: Household, cadre: Client
) -> None:
    page = " ".join(cadre.get(f"/households/{card.pk}/?tab=history").content.decode().split())
    assert "?as_of=2026-05-10" in page and "2019 年度 · 生猪存栏" in page and "热市镇专干" in page
    of_2020 = cadre.get(f"/households/{card.pk}/?tab=history&of=2020").content.decode()
    assert "生猪存栏" not in of_2020 and "第 3 版" in of_2020


@pytest.mark.parametrize("day", ["2026-03-01", "2999-01-01", "gestern", ""])
def test_a_day_without_a_card_is_told_and_leads_back(people: People, card: Household, cadre: Client, day: str) -> None:
    answer = cadre.get(f"/households/{card.pk}/?as_of={day}")
    page = answer.content.decode()
    assert answer.status_code == 404 and "没有这一天的户卡" in page and "张小明" not in page
