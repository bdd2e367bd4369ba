"""County systems get a token for their secret, and nothing for guessing."""

import base64
import io

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from oauth2_provider.models import AccessToken, Application

from changde.accounts.services import close_post
from changde.api import tokens
from changde.api.services import create_client
from changde.audit.models import Event
from changde.divisions.models import Division
from tests.api import program, token_of
from tests.personas import TAOYUAN


@pytest.fixture
def credentials(db, settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    return create_client(name="桃源县系统", division=Division.objects.get(code=TAOYUAN), by=None)


def ask(client_id, secret, **more):
    """The token address, asked from one address with the client's credentials in the header."""
    header = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
    form = {"grant_type": "client_credentials"} | more.pop("form", {})
    return Client().post("/api/oauth/token/", form, headers={"Authorization": f"Basic {header}"}, **more)


def test_a_secret_opens_the_api_for_an_hour(credentials):
    answer = ask(*credentials).json()
    cards = Client().get("/api/v1/cards/", headers={"Authorization": f"Bearer {answer['access_token']}"})
    assert (answer["token_type"], answer["expires_in"], answer["scope"]) == ("Bearer", 3600, "read")
    assert cards.status_code == 200


def test_secret_and_token_are_stored_as_hashes_only(credentials):
    token = ask(*credentials).json()["access_token"]
    application, stored = Application.objects.get(), AccessToken.objects.get()
    assert credentials[1] not in application.client_secret
    assert stored.token == "" and token not in stored.token_checksum


def test_a_wrong_secret_and_an_unknown_client_get_the_same_answer(credentials):
    wrong, unknown = ask(credentials[0], "guess"), ask("nobody", "guess")
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.content == unknown.content


def test_five_wrong_secrets_lock_the_client_at_that_address_alone(credentials):
    guesses = [ask(credentials[0], "guess").status_code for _ in range(tokens.PAIR_LIMIT)]
    locked = ask(*credentials)
    elsewhere = ask(*credentials, REMOTE_ADDR="127.0.0.2")
    assert guesses == [401] * tokens.PAIR_LIMIT
    assert (locked.status_code, locked["Retry-After"]) == (429, "900")
    assert elsewhere.status_code == 200


def test_guessing_from_many_addresses_locks_the_client(credentials, monkeypatch):
    monkeypatch.setattr(tokens, "CLIENT_LIMIT", 3)
    for place in range(3):
        ask(credentials[0], "guess", REMOTE_ADDR=f"127.0.1.{place}")
    assert ask(*credentials, REMOTE_ADDR="127.0.2.1").status_code == 429


@pytest.mark.parametrize("grant", ["password", "authorization_code", "refresh_token", "implicit"])
def test_no_other_grant_is_served(credentials, grant):
    answer = ask(*credentials, form={"grant_type": grant})
    assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_grant_type")


def test_there_are_no_pages_of_the_oauth_library(client):
    answers = [client.get(f"/api/oauth/{page}/").status_code for page in ("authorize", "applications", "introspect")]
    assert answers == [404, 404, 404]


def test_a_token_in_the_address_is_not_looked_at(people):
    token = token_of(people.county_system)
    assert Client().get(f"/api/v1/cards/?access_token={token}").status_code == 401


def test_a_client_whose_post_ended_reads_nothing_at_its_next_request(people):
    system = program(people.county_system)
    before = system.get("/api/v1/cards/").status_code
    close_post(post=people.county_system.posts.get(), by=None)
    assert (before, system.get("/api/v1/cards/").status_code) == (200, 403)


def test_a_client_that_was_switched_off_is_not_authenticated(people):
    system = program(people.county_system)
    people.county_system.is_active = False
    people.county_system.save()
    assert system.get("/api/v1/cards/").status_code == 401


def test_a_token_of_a_person_is_worth_nothing(people):
    assert program(people.taoyuan_office).get("/api/v1/cards/").status_code == 401


def test_the_command_prints_the_secret_once_and_logs_the_act(db):
    out = io.StringIO()
    call_command("create_api_client", "安乡县系统", "--division", "430721000000", stdout=out, stderr=io.StringIO())
    identity, secret = (line.split(": ")[1] for line in out.getvalue().splitlines())
    assert Application.objects.get(client_id=identity).name == "安乡县系统"
    assert len(secret) == 128
    assert Event.objects.get(verb="api.create_client").area == 430721000000


def test_the_command_refuses_a_division_that_does_not_exist(db):
    with pytest.raises(CommandError):
        call_command("create_api_client", "无", "--division", "999999999999")
