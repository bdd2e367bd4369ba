"""Takes the pictures of README.md from a running demonstration: `python scripts/pictures.py [ADDRESS] [PICTURE...]`.

Needs Chromium on the PATH and the demonstration's public logins. Each picture stays under 200 KB.
"""

import shutil
import sys
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "img"
LARGEST = 200 * 1024
PASSWORD = "changde-2019"
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]


def sign_in(page: Any, name: str) -> None:
    page.goto("/accounts/login/")
    page.fill("#id_username", name)
    page.fill("#id_password", PASSWORD)
    page.click("form:has(#id_username) button[type=submit]")
    page.wait_for_url(lambda url: "/login/" not in url)


def card(page: Any) -> None:
    """A household's card, seen by the cadre of its village."""
    sign_in(page, "cun1")
    page.goto("/households/")
    page.locator("td.cell-lead a").nth(1).click()
    page.wait_for_load_state("networkidle")


def posted(page: Any) -> None:
    """A posted list as a villager sees it, without login."""
    page.goto("/p/")
    page.get_by_label("村、乡镇或县的名字").fill("凤鸣")
    page.get_by_role("button", name="查找").click()
    page.get_by_role("link", name="凤鸣村").click()
    page.wait_for_load_state("networkidle")


def counties(page: Any) -> None:
    """The map of counties, seen by the city office."""
    sign_in(page, "shi1")
    page.goto("/city/")
    page.locator("[data-map] canvas").wait_for()
    page.wait_for_timeout(800)  # the map draws itself in


PICTURES = {"card": card, "list": posted, "map": counties}


def main(address: str = "http://127.0.0.1:8000", *wanted: str) -> int:
    IMAGES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        for name in wanted or PICTURES:
            context = browser.new_context(
                base_url=address, viewport={"width": 1120, "height": 860}, locale="zh-CN", timezone_id="Asia/Shanghai"
            )
            page = context.new_page()
            PICTURES[name](page)
            target = IMAGES / f"{name}.png"
            page.screenshot(path=target)
            context.close()
            print(f"{target.name}: {target.stat().st_size // 1024} KB")
            if target.stat().st_size > LARGEST:
                return 1
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
