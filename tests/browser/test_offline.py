"""Without a net a reload leads to a page that helps; the browser keeps the shell and nobody's facts."""

import io
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import pytest
from django.core.management import call_command
from django.urls import reverse
from playwright.sync_api import Page, expect

from households.services.cards import save_card
from tests.browser.test_enter_card import facts, member
from tests.conftest import wait_until
from tests.factories import id_number
from tests.households.cards import a_card
from tests.personas import People

pytestmark = pytest.mark.browser

IN_CHARGE = """() => navigator.serviceWorker.controller ? true : new Promise((done) =>
  navigator.serviceWorker.addEventListener("controllerchange", () => done(true), { once: true }))"""
STORED = """async () => {
  const found = [];
  for (const name of await caches.keys()) {
    const cache = await caches.open(name);
    for (const request of await cache.keys()) {
      const url = new URL(request.url);
      found.push([url.pathname, await (await cache.match(request)).text()]);
    }
  }
  return found;
}"""


class Net:
    """The way from the phone to the server: a forwarder of TCP that can be cut and mended."""

    def __init__(self, server: str):
        self._server = (urlsplit(server).hostname, urlsplit(server).port)
        self._port, self._open = 0, []
        self.mend()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def mend(self) -> None:
        listener = socket.create_server(("127.0.0.1", self._port))
        self._port = listener.getsockname()[1]
        self._open = [listener]
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def cut(self) -> None:
        for each in self._open:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        self._open = []

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                near, _address = listener.accept()
                far = socket.create_connection(self._server)
                self._open += [near, far]
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=self._carry, args=(source, sink), daemon=True).start()

    @staticmethod
    def _carry(source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while read := source.recv(65536):
                sink.sendall(read)
        with suppress(OSError):
            sink.shutdown(socket.SHUT_WR)


@pytest.fixture
def net(server: str) -> Iterator[Net]:
    made = Net(server)
    yield made
    made.cut()


@pytest.fixture
def phone(browse: Callable[..., Page], net: Net, people: People) -> Page:
    """The cadre's phone, the service worker in charge of the page."""
    call_command("load_index_default", stdout=io.StringIO())
    page = browse(people.fengming_cadre, width=360, height=740, address=net.address)
    page.goto("/households/")
    page.evaluate(IN_CHARGE)
    return page


def test_a_reload_without_a_net_says_where_the_typing_is_and_the_form_comes_back_with_it(phone: Page, net: Net) -> None:
    phone.goto("/households/new/")
    phone.evaluate(IN_CHARGE)
    facts(member(phone, 0, "欧阳未发送", id_number("19700203", "男"), "户主"), education="初中", school="非在校生")
    expect(phone.locator("[data-saved-state]")).to_contain_text("草稿已存到服务器", timeout=15_000)
    net.cut()
    phone.locator("[data-attribute=group]").fill("9组")
    expect(phone.locator("[data-saved-state]")).to_contain_text("已存在本机", timeout=15_000)

    phone.reload()
    expect(phone.get_by_role("heading", name="没有网络，这一页暂时打不开")).to_be_visible()
    expect(phone.locator("main")).to_contain_text("本机有 1 份还没有发送的户卡草稿")
    assert "欧阳未发送" not in phone.content() and "9组" not in phone.content()
    assert phone.evaluate("document.documentElement.scrollWidth") == 360
    assert phone.evaluate("getComputedStyle(document.querySelector('.public-body')).paddingTop") != "0px"  # styled

    net.mend()
    expect(phone.locator("[data-attribute=group]")).to_have_value("9组", timeout=15_000)
    expect(phone.locator("[data-attribute=name]").first).to_have_value("欧阳未发送")


def test_the_browser_stores_the_shell_alone_and_drops_it_at_logout(phone: Page, people: People) -> None:
    household = save_card(card=a_card(), by=people.fengming_cadre)
    for address in ("", "edit/", "needs/", "?tab=members", "?tab=history"):
        phone.goto(f"/households/{household.pk}/{address}")
    phone.goto("/households/drafts/")
    stored = phone.evaluate(STORED)
    assert {path for path, _text in stored if not path.startswith("/static/")} == {reverse("web:offline")}
    assert len(stored) > 5
    kept = "".join(text for path, text in stored if path == reverse("web:offline"))
    name = people.fengming_cadre.display_name
    assert not any(word in kept for word in ("csrf", name, household.head_name, "data-login"))

    phone.goto("/")
    phone.locator(".tabbar details summary").click()
    phone.locator(f".tabbar form[action='{reverse('accounts:logout')}'] button").click()
    phone.wait_for_url(re.compile(r"/accounts/login/|/$"))
    wait_until(lambda: phone.evaluate("caches.keys()") == [])
    wait_until(lambda: phone.evaluate("navigator.serviceWorker.getRegistrations().then((all) => all.length)") == 0)
