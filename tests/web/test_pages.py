"""A page or its fragment; the frame by role; the gallery; the language and the division one works in."""

import json

import pytest
from django.contrib import messages
from django.contrib.messages.storage.fallback import FallbackStorage
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.urls import reverse
from django_htmx.middleware import HtmxDetails

from changde.accounts.middleware import AreaMiddleware
from changde.web import badges, navigation, pages, views
from changde.web.icons import ICONS
from tests.personas import FENGMING, RESHI, TAOYUAN

PAGE, ROWS = "web/area.html", "web/_area_menu.html"


@pytest.fixture
def request_of(people, db):
    """A request of the village's cadre with the given headers of htmx."""

    def make(**headers: str) -> HttpRequest:
        request = RequestFactory().get("/area/", headers=headers)
        request.user = people.fengming_cadre
        request.htmx = HtmxDetails(request)
        request.session = {}
        request._messages = FallbackStorage(request)
        AreaMiddleware(HttpResponse)(request)
        return request

    return make


def is_page(response: HttpResponse) -> bool:
    return b"<!doctype html>" in response.content


def test_a_browser_gets_the_whole_page(request_of):
    assert is_page(pages.render_page(request_of(), PAGE, {}, fragment=ROWS))


def test_htmx_gets_the_fragment(request_of):
    assert not is_page(pages.render_page(request_of(HX_Request="true"), PAGE, {}, fragment=ROWS))


@pytest.mark.parametrize("header", ["HX-Boosted", "HX-History-Restore-Request"])
def test_boosted_links_and_rebuilt_history_get_the_whole_page(request_of, header):
    request = request_of(**{"HX-Request": "true", header: "true"})
    assert is_page(pages.render_page(request, PAGE, {}, fragment=ROWS))


def test_the_target_chooses_among_fragments(request_of):
    parts = {"rows": ROWS}
    chosen = request_of(**{"HX-Request": "true", "HX-Target": "rows"})
    other = request_of(**{"HX-Request": "true", "HX-Target": "else"})
    assert not is_page(pages.render_page(chosen, PAGE, {}, fragment=parts))
    assert is_page(pages.render_page(other, PAGE, {}, fragment=parts))


def test_a_cache_is_told_that_page_and_fragment_differ(request_of):
    assert "HX-Request" in pages.render_page(request_of(), PAGE, {}, fragment=ROWS)["Vary"]


def test_messages_of_a_fragment_travel_in_the_header(request_of):
    request = request_of(**{"HX-Request": "true"})
    messages.success(request, "已保存")
    response = pages.render_page(request, PAGE, {}, fragment=ROWS)
    assert json.loads(response["HX-Trigger"])["toasts"]["toasts"] == [{"text": "已保存", "level": "success"}]


def test_a_redirect_reaches_the_browser_through_htmx(request_of):
    assert pages.go(request_of(), "/jobs/")["Location"] == "/jobs/"
    assert pages.go(request_of(**{"HX-Request": "true"}), "/jobs/")["HX-Redirect"] == "/jobs/"


def test_every_entry_of_the_rail_has_an_address_an_icon_and_a_short_way():
    for entry in navigation.entries():
        assert reverse(entry.url_name)
        assert entry.icon in ICONS


def test_nobody_sees_an_entry_without_its_capability(people):
    for user in (people.fengming_cadre, people.no_post):
        allowed = {entry.key for entry in navigation.entries() if not entry.capability or user.can(entry.capability)}
        assert {link.key for link in navigation.links_for(user, "/")} == allowed


def test_every_badge_has_a_drawn_icon():
    for values in badges.kinds().values():
        for look in values.values():
            assert look.icon == "" or look.icon in ICONS
            assert look.tone in badges.TONES


def test_the_gallery_exists_in_development_only(client, db):
    assert client.get("/gallery/").status_code == 404


def test_the_gallery_shows_every_component(request_of, settings):
    settings.DEBUG = True
    shown = views.gallery(request_of()).content.decode()
    for sign in (
        "page-head", "crumbs", "panel", "tile", "tag", "data-table", "chips", "pages", "empty", "card-head", "tabs",
        "why", "facts", "facts-wide", "timeline", "tasks", "section-nav", "error-summary", "field-error", "choices",
        "decision-bar", "queue", "progress-job", "notice", "skeleton", "selection", 'data-chart="#trend"', "data-map",
    ):  # fmt: skip
        assert sign in shown, sign


def test_the_switch_leads_back_up_inside_the_post(people, as_user):
    client = as_user(people.reshi_officer)
    client.post("/accounts/division/", {"division": FENGMING})
    shown = client.get("/area/", headers={"HX-Request": "true"}).content.decode()
    assert f'value="{RESHI}"' in shown
    assert f'value="{TAOYUAN}"' not in shown


def test_the_switch_offers_what_lies_below_and_nothing_outside(people, as_user):
    shown = as_user(people.reshi_officer).get("/area/").content.decode()
    assert "凤鸣村" in shown
    assert "武陵区" not in shown
