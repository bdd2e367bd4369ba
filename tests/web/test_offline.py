"""What a browser keeps for a lost net: the same for everybody, made of files that are there."""

import pytest
from django.contrib.staticfiles import finders
from django.test import Client

from changde.web.views import SHELL
from tests.personas import People

WORKER = "/service-worker.js"


def test_every_part_of_the_shell_is_a_file() -> None:
    assert [name for name in SHELL if finders.find(name) is None] == []


@pytest.mark.parametrize("address", [WORKER, "/offline/"])
def test_it_is_the_same_for_who_is_signed_in_and_gives_a_stranger_no_cookie(
    address: str, people: People, as_user
) -> None:
    signed_in, stranger = as_user(people.fengming_cadre).get(address), Client().get(address)
    assert signed_in.content == stranger.content
    assert not stranger.cookies
    assert people.fengming_cadre.display_name not in signed_in.content.decode()


def test_the_offline_page_may_be_stored_and_speaks_the_language_of_its_address(db: None) -> None:
    client = Client(headers={"Accept-Language": "en"})  # of the browser, not of the person
    page = client.get("/offline/")
    assert "no-store" not in page["Cache-Control"] and "没有网络，这一页暂时打不开" in page.content.decode()
    assert "No network: this page" in client.get("/offline/?language=en").content.decode()
    assert client.get("/offline/?language=../x").status_code == 200
    assert '"/offline/?language=zh-hans"' in client.get(WORKER).content.decode()
    assert '"/offline/?language=en"' in client.get(f"{WORKER}?language=en").content.decode()


def test_another_language_or_shell_is_another_version(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def version(language: str) -> str:
        text = Client().get(WORKER, {"language": language}).content.decode()
        return text.partition('CACHE = "')[2].partition('"')[0]

    first = version("zh-hans")
    assert version("zh-hans") == first != version("en")
    monkeypatch.setattr("changde.web.views.SHELL", SHELL[1:])
    assert version("zh-hans") != first


def test_pages_register_the_worker(people: People, as_user) -> None:
    assert f'data-worker="{WORKER}?language=zh-hans"' in as_user(people.fengming_cadre).get("/").content.decode()
