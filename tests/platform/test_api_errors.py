"""Every error of the API has one shape; the docs and the schema are what the code says."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client

from changde.accounts.refusal import Refusal
from tests.api import program

SHAPE = {"type", "title", "status", "detail"}


def shape_of(response):
    body = response.json()
    return set(body) - {"errors"}, body["status"], bool(body["type"] and body["title"] and body["detail"])


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/cards/?division=43", 400),
        ("/api/v1/cards/?changed_since=yesterday", 400),
        ("/api/v1/cards/?year=abc", 400),
        ("/api/v1/cards/?cursor=broken", 404),
        ("/api/v1/cards/?cursor=cD1hYmM%3D", 404),  # p=abc
        ("/api/v1/cards/999999999/", 404),
        ("/api/v1/cards/99999999999999999999999999/", 404),
        ("/api/v1/nothing/", 404),
        ("/api/", 404),
    ],
)
def test_a_client_that_asks_wrongly_gets_a_problem(people, path, status):
    answer = program(people.county_system).get(path)
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    assert shape_of(answer) == (SHAPE, status, True)


def test_a_wrong_parameter_is_named(people):
    answer = program(people.county_system).get("/api/v1/cards/?division=43")
    assert list(answer.json()["errors"]) == ["division"]


def test_a_stranger_is_told_how_to_log_in(db):
    answer = Client().get("/api/v1/cards/")
    assert (answer.status_code, shape_of(answer)) == (401, (SHAPE, 401, True))
    assert answer["WWW-Authenticate"].startswith("Bearer")


def test_somebody_without_the_right_gets_a_problem(people, as_user):
    assert shape_of(as_user(people.account_admin).get("/api/v1/cards/")) == (SHAPE, 403, True)


def test_writing_gets_a_problem(people):
    system = program(people.county_system)
    answers = [getattr(system, method)("/api/v1/cards/") for method in ("post", "put", "patch", "delete")]
    assert [shape_of(answer) for answer in answers] == [(SHAPE, 405, True)] * 4


def test_wrong_credentials_get_the_same_shape_beside_that_of_the_standard(db):
    answer = Client().post("/api/oauth/token/", {"grant_type": "client_credentials", "client_id": "a"})
    body = answer.json()
    assert {name: body[name] for name in ("error", "status")} == {"error": "invalid_client", "status": 401}
    assert set(body) >= SHAPE | {"error_description"}


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [(ValueError("张建华 430725197001010011"), 500, "server_error"), (Refusal("closed", "已结束"), 409, "closed")],
)
def test_a_fault_inside_gets_the_shape_and_quotes_nobody(people, monkeypatch, caplog, fault, status, code):
    def broken(*args, **kwargs):
        raise fault

    system = program(people.county_system)
    monkeypatch.setattr("changde.api.divisions.DivisionViewSet.get_queryset", broken)
    answer = system.get("/api/v1/divisions/")
    assert shape_of(answer) == (SHAPE, status, True)
    assert answer.json()["type"] == code
    assert "430725197001010011" not in answer.content.decode() + caplog.text


def test_an_answer_that_has_not_changed_is_not_sent_again(people):
    system = program(people.county_system)
    first = system.get("/api/v1/divisions/")
    again = system.get("/api/v1/divisions/", headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_the_schema_is_the_committed_one(tmp_path):
    written = tmp_path / "openapi.yaml"
    call_command("spectacular", "--file", str(written), "--validate", "--fail-on-warn")
    committed = Path(settings.BASE_DIR / "docs/openapi.yaml").read_text(encoding="utf-8")
    assert written.read_text(encoding="utf-8") == committed, (
        "the API changed: look at the difference, note it in CHANGELOG.md, then run "
        "manage.py spectacular --file docs/openapi.yaml"
    )


@pytest.mark.parametrize("path", ["/api/docs/", "/api/docs/reference/", "/api/v1/schema/"])
def test_docs_and_schema_are_open_and_let_nothing_inline_run(client, db, path):
    answer = client.get(path)
    assert answer.status_code == 200
    assert "unsafe-inline" not in answer["Content-Security-Policy"].partition("style-src")[0]


def test_the_docs_load_nothing_from_elsewhere(client, db):
    pages = [client.get(path).content.decode() for path in ("/api/docs/", "/api/docs/reference/")]
    assert [re.findall(r"(?:src|href)=\"(?!/)", page) for page in pages] == [[], []]
