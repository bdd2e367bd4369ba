"""Every address x method x person has a written answer (tests/access_table.csv); what is not written fails the build.

The table speaks of objects of Fengming village in Taoyuan county, seen by people of the village, its township, county
and city, by people of other areas and by strangers. The resolver is walked, so an address cannot be forgotten.
"""

import csv
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLResolver, get_resolver, reverse

from tests.access_samples import MARKS, SAMPLES, World
from tests.conftest import login
from tests.personas import make_people

# column of the table -> persona of tests/personas.py
COLUMNS = {
    "stranger": None,
    "no_post": "no_post",
    "village_cadre": "fengming_cadre",
    "work_team": "fengming_team",
    "township_officer": "reshi_officer",
    "county_office": "taoyuan_office",
    "city_office": "city_office",
    "inspector": "inspector",
    "account_admin": "account_admin",
    "county_system": "county_system",
    "other_village_cadre": "other_cadre",
    "other_county_office": "wuling_office",
}
OUTSIDE = ("stranger", "no_post", "account_admin", "other_village_cadre", "other_county_office")


def read_table() -> list[dict[str, str]]:
    text = (Path(__file__).parent / "access_table.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(line for line in text.splitlines() if not line.startswith(("#", '"#'))))


ROWS = read_table()


def walk(resolver: URLResolver, names: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Every pattern below `resolver` as (name with its namespaces, view)."""
    for pattern in resolver.url_patterns:
        inner = names + ((pattern.namespace,) if getattr(pattern, "namespace", None) else ())
        if isinstance(pattern, URLResolver):
            yield from walk(pattern, inner)
        else:
            yield ":".join((*inner, str(pattern.name))), pattern.callback


@cache
def addresses() -> dict[str, Any]:
    return dict(walk(get_resolver()))


def declared_capability(view: Any) -> Any:
    """What the view declares: a capability, or None for a public page; "undeclared" when it says nothing."""
    said = [getattr(owner, "capability", "undeclared") for owner in (view, getattr(view, "cls", view))]
    return next((capability for capability in said if capability != "undeclared"), "undeclared")


def test_every_address_is_in_the_table():
    assert set(addresses()) - {row["url_name"] for row in ROWS} == set()


def test_the_table_names_no_address_that_is_gone():
    assert {row["url_name"] for row in ROWS} - set(addresses()) == set()


def test_the_table_has_each_row_once_and_every_cell_filled():
    keys = [(row["url_name"], row["method"], row["path"], row["data"]) for row in ROWS]
    assert len(keys) == len(set(keys))
    assert [key for key, row in zip(keys, ROWS, strict=True) if not all(row[column] for column in COLUMNS)] == []


def test_every_view_declares_its_capability_or_says_that_it_is_public():
    assert [name for name, view in addresses().items() if declared_capability(view) == "undeclared"] == []


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """People and objects, made once; every request happens inside a savepoint that is taken back."""
    with django_db_blocker.unblock(), transaction.atomic():
        world = World(make_people())
        world.make()
        yield world
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def headers(world: World) -> dict[str, dict[str, str]]:
    """What each persona's program sends: the cookie of a session; the county system sends its token."""
    clients = {column: login(getattr(world.people, str(name), None)) for column, name in COLUMNS.items()}
    made = {column: {"Cookie": client.cookies.output(header="", attrs=[])} for column, client in clients.items()}
    return made | {"county_system": {"Authorization": f"Bearer {world.token}"}}


def filled(world: World, text: str) -> dict[str, Any]:
    """`a=1 b=@sample` as a dict, the samples made."""
    pairs = (pair.split("=", 1) for pair in text.split())
    return {name: SAMPLES[value[1:]](world) if value.startswith("@") else value for name, value in pairs}


Answers = dict[str, tuple[str, str]]
Ask = Callable[[dict[str, str], str, Iterable[str]], Answers]


@pytest.fixture(scope="module")
def ask(world: World, headers: dict[str, dict[str, str]]) -> Ask:
    """Ask as each persona: the status of the answer (`login` for a redirect to the login page) and its text, once each.

    The samples of a row are made once for all who have not asked yet; what an answer changed is taken back before the
    next one asks.
    """
    client, answers = Client(), {}

    def answer(path: str, data: dict[str, Any], method: str, column: str) -> tuple[str, str]:
        client.cookies.clear()
        with transaction.atomic():
            response = getattr(client, method.lower())(path, data, headers=headers[column])
            transaction.set_rollback(True)
        to_login = urlsplit(response.get("Location", "")).path == reverse("accounts:login")
        return "login" if to_login else str(response.status_code), response.getvalue().decode("utf-8", "replace")

    def answered(row: dict[str, str], method: str, columns: Iterable[str]) -> Answers:
        with transaction.atomic():
            path, data = reverse(row["url_name"], kwargs=filled(world, row["path"])), filled(world, row["data"])
            found = {column: answer(path, data, method, column) for column in columns}
            transaction.set_rollback(True)
        return found

    def remembered(row: dict[str, str], method: str, columns: Iterable[str]) -> Answers:
        known = answers.setdefault((*row.values(), method), {})
        missing = [column for column in columns if column not in known]
        if missing:
            known.update(answered(row, method, missing))
        return {column: known[column] for column in columns}

    return remembered


def statuses(answers: Answers) -> dict[str, str]:
    return {column: status for column, (status, _text) in answers.items()}


@pytest.mark.parametrize("row", ROWS, ids=[f"{row['method']} {row['url_name']} {row['data']}" for row in ROWS])
def test_each_person_gets_the_written_answer(ask, row):
    assert statuses(ask(row, row["method"], COLUMNS)) == {column: row[column] for column in COLUMNS}


@pytest.mark.parametrize(
    "row",
    [row for row in ROWS if declared_capability(addresses().get(row["url_name"]))],
    ids=lambda row: f"{row['method']} {row['url_name']} {row['data']}",
)
def test_nothing_of_the_village_stands_in_an_answer_to_people_outside(ask, row):
    answers = ask(row, row["method"], OUTSIDE)
    assert [(column, mark) for column, (_status, text) in answers.items() for mark in MARKS if mark in text] == []


LISTED = {(row["url_name"], row["method"]) for row in ROWS}
FIRST_ROW = {row["url_name"]: row for row in reversed(ROWS)}


@pytest.mark.parametrize(
    ("name", "method"),
    [(name, method) for name in FIRST_ROW for method in ("GET", "POST", "DELETE") if (name, method) not in LISTED],
)
def test_a_method_without_a_row_is_refused(ask, name, method):
    asked = ("stranger", "village_cadre", "township_officer", "county_office", "county_system")
    answers = statuses(ask(FIRST_ROW[name], method, asked))
    assert set(answers.values()) <= {"405", "403", "404", "401", "login"}, answers
