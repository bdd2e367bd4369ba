"""Pages in a real browser, wide and narrow: nothing wider than the screen, every control has a name, the keys work."""

from typing import Any

import pytest

PAGES = ["/", "/jobs/", "/area/"]

# What a screen reader would stumble over; a list of sentences.
STUMBLES = """() => {
  const said = [];
  const labelled = (one) => one.labels && one.labels.length && one.labels[0].textContent.trim();
  const name = (one) => labelled(one) || one.getAttribute("aria-label") || one.title || one.textContent.trim();
  const controls = "input:not([type=hidden]), select, textarea, button, a[href], summary";
  document.querySelectorAll(controls).forEach((one) => {
    if (!name(one)) said.push("no name: " + one.outerHTML.slice(0, 120));
  });
  const heads = document.querySelectorAll("h1").length;
  if (heads !== 1) said.push("not one h1 but " + heads);
  if (!document.documentElement.lang) said.push("no language");
  if (document.querySelectorAll("main").length !== 1) said.push("not one main");
  const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
  ids.filter((id, at) => ids.indexOf(id) !== at).forEach((id) => said.push("id stands twice: " + id));
  document.querySelectorAll("svg:not([aria-hidden]):not([role=img])").forEach((one) => {
    said.push("a drawing without a word: " + one.outerHTML.slice(0, 80));
  });
  return said;
}"""


def too_wide(page: Any) -> int:
    return page.evaluate("document.documentElement.scrollWidth - innerWidth")


@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("path", PAGES)
def test_a_page_fits_the_screen_and_names_its_controls(people, browse, path, width):
    page = browse(people.reshi_officer, width=width)
    page.goto(path)
    assert too_wide(page) <= 0
    assert page.evaluate(STUMBLES) == []


@pytest.mark.parametrize("width", [1280, 360])
def test_the_login_fits_the_screen_and_says_what_is_wrong(people, browse, width):
    page = browse(None, width=width)
    page.goto("/accounts/login/?next=/jobs/")
    assert too_wide(page) <= 0
    assert page.evaluate(STUMBLES) == []
    page.get_by_label("用户名").fill("reshi_officer")
    page.get_by_label("密码").fill("wrong")
    page.get_by_role("button", name="登录").click()
    assert "不对" in page.get_by_role("alert").inner_text()


def test_escape_closes_a_menu(people, browse):
    page = browse(people.reshi_officer)
    page.goto("/")
    page.locator(".topbar-menus summary").click()
    assert page.get_by_role("button", name="退出登录").is_visible()
    page.keyboard.press("Escape")
    assert page.get_by_role("button", name="退出登录").is_hidden()


def test_the_division_is_switched_from_the_top_bar(people, browse):
    page = browse(people.reshi_officer)
    page.goto("/")
    page.locator(".area summary").click()
    page.get_by_role("button", name="凤鸣村").click()
    assert "凤鸣村" in page.locator(".area [aria-current]").inner_text()


def test_the_language_is_switched_and_stays(people, browse):
    page = browse(people.reshi_officer)
    page.goto("/jobs/")
    page.get_by_role("button", name="English").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Jobs"
    page.goto("/area/")
    assert page.locator("html").get_attribute("lang") == "en"


def test_what_a_fragment_cannot_find_is_said_in_a_toast(people, browse):
    page = browse(people.reshi_officer)
    page.goto("/jobs/")
    with page.expect_response("**/progress/"):
        page.evaluate("""htmx.ajax("GET", "/jobs/999999/progress/", {target: "#main", swap: "none"}); undefined""")
    page.locator("#toasts .notice").wait_for()
    assert "没有找到" in page.locator("#toasts").inner_text()


def test_a_session_that_ended_leads_to_the_login_and_back(people, browse):
    page = browse(people.reshi_officer)
    page.goto("/jobs/")
    page.context.clear_cookies()
    page.evaluate("""htmx.ajax("GET", "/area/", {target: "#main"}); undefined""")
    page.wait_for_url("**/accounts/login/?next=%2Fjobs%2F")
