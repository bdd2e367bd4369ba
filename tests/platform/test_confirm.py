"""The password once more before a download: asked, tried, remembered ten minutes, locked like a login."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from changde.accounts import confirm
from changde.audit.models import Event
from households.models import CardExport
from tests.personas import FENGMING, People

PASSWORD = "a-long-sentence-of-mine"


@pytest.fixture
def export(people: People) -> CardExport:
    people.fengming_cadre.set_password(PASSWORD)
    people.fengming_cadre.save()
    return CardExport.objects.create(
        owner=people.fengming_cadre, area=FENGMING, reason="第三季度入户核查", columns=["number"]
    )


@pytest.fixture
def cadre(export: CardExport, people: People, as_user: Callable[..., Client]) -> Client:
    return as_user(people.fengming_cadre)


def asked(client: Client, export: CardExport) -> bool:
    """Whether the download asks for the password; else it says that there is no file."""
    return client.get(f"/exports/{export.pk}/file/")["Location"].startswith("/accounts/confirm/")


def test_a_download_asks_for_the_password_and_the_right_one_leads_back(cadre: Client, export: CardExport) -> None:
    answer = cadre.get(f"/exports/{export.pk}/file/", follow=True)
    text = answer.content.decode()
    file, page = f"/exports/{export.pk}/file/", f"/exports/{export.pk}/"
    assert "再次输入密码" in text and f'name="next" value="{file}"' in text and f'name="page" value="{page}"' in text
    begun = cadre.post("/accounts/confirm/", {"password": PASSWORD, "next": file, "page": page}).content.decode()
    assert f'content="0; url={file}"' in begun and f'href="{page}"' in begun
    assert not asked(cadre, export)
    event = Event.objects.get(verb="accounts.confirm_password")
    assert (event.actor, event.target_id) == (export.owner, str(export.owner_id))


def test_a_page_that_asked_comes_by_itself(cadre: Client) -> None:
    answer = cadre.post("/accounts/confirm/", {"password": PASSWORD, "next": "/leads/export/?kind=kin"})
    assert answer["Location"] == "/leads/export/?kind=kin"


def test_a_wrong_password_is_told_at_its_field_and_opens_nothing(cadre: Client, export: CardExport) -> None:
    answer = cadre.post("/accounts/confirm/", {"password": "wrong", "next": "/exports/"})
    assert answer.status_code == 422 and "密码不对" in answer.content.decode()
    assert asked(cadre, export)
    assert not Event.objects.filter(verb="accounts.confirm_password").exists()


def test_a_confirmation_expires(cadre: Client, export: CardExport, monkeypatch: pytest.MonkeyPatch) -> None:
    cadre.post("/accounts/confirm/", {"password": PASSWORD})
    later = timezone.now() + confirm.VALID_FOR - timedelta(seconds=30)
    monkeypatch.setattr(confirm.timezone, "now", lambda: later)
    assert not asked(cadre, export)
    monkeypatch.setattr(confirm.timezone, "now", lambda: later + timedelta(seconds=60))
    assert asked(cadre, export)


def test_too_many_wrong_passwords_lock_even_the_right_one(cadre: Client, export: CardExport, settings) -> None:
    settings.AXES_FAILURE_LIMIT = 2
    cadre.post("/accounts/confirm/", {"password": "wrong"})
    assert "登录暂停" in cadre.post("/accounts/confirm/", {"password": "wrong"}).content.decode()
    assert "登录暂停" in cadre.post("/accounts/confirm/", {"password": PASSWORD}).content.decode()
    assert asked(cadre, export)


@pytest.mark.parametrize("address", ["https://evil.example/", "//evil.example/x", "javascript:alert(1)"])
def test_nobody_is_led_to_another_site(cadre: Client, address: str) -> None:
    assert 'name="next" value="/"' in cadre.get("/accounts/confirm/", {"next": address}).content.decode()
    assert cadre.post("/accounts/confirm/", {"password": PASSWORD, "next": address})["Location"] == "/"
    begun = cadre.post("/accounts/confirm/", {"password": PASSWORD, "next": "/", "page": address})
    assert begun["Location"] == "/"


def test_the_export_of_somebody_else_is_not_there_before_any_question(
    export: CardExport, people: People, as_user: Callable[..., Client]
) -> None:
    assert as_user(people.fengming_team).get(f"/exports/{export.pk}/file/").status_code == 404
