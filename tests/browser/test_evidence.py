"""A village cadre photographs a house on a phone; the township looks at it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from households.models import Evidence
from tests.factories import make_household
from tests.households import photos
from tests.personas import FENGMING, People

pytestmark = pytest.mark.browser


def test_a_photo_taken_on_a_phone_is_sent_and_seen_in_the_viewer(
    browse: Callable[..., Page], people: People, tmp_path: Path
) -> None:
    household = make_household(FENGMING, head="张建华")
    files = {"house.jpg": photos.from_a_phone(), "toilet.jpg": photos.jpeg((3000, 2000)), "letter.jpg": b"no photo"}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    phone = browse(people.fengming_cadre, width=360, height=740)
    phone.goto(f"/households/{household.pk}/")
    phone.get_by_role("link", name="佐证照片").click()
    phone.get_by_label("照片内容").select_option("house")
    phone.get_by_label("说明").fill("后墙裂缝")
    with phone.expect_file_chooser() as chooser:
        phone.get_by_role("button", name="拍照").click()
    chooser.value.set_files(tmp_path / "house.jpg")
    expect(phone.locator(".photo-queue li")).to_contain_text("已收到")

    # No net: the photo stays on the page, and goes when asked again.
    phone.get_by_label("照片内容").select_option("toilet")
    phone.context.set_offline(True)
    with phone.expect_file_chooser() as chooser:
        phone.get_by_role("button", name="从相册选择").click()
    chooser.value.set_files([tmp_path / "toilet.jpg", tmp_path / "letter.jpg"])
    expect(phone.locator(".photo-queue li").nth(2)).to_contain_text("没有送达")
    phone.context.set_offline(False)
    expect(phone.locator(".photo-queue li").nth(1)).to_contain_text("已收到")
    expect(phone.locator(".photo-queue li").nth(2)).to_contain_text("这不是照片")
    expect(phone.locator(".photos li")).to_have_count(2)
    assert phone.evaluate("document.documentElement.scrollWidth") == 360
    first, second = Evidence.objects.order_by("pk")
    assert (first.caption, second.width, second.height) == ("后墙裂缝", 1600, 1067)

    desk = browse(people.reshi_officer)
    desk.goto(f"/households/{household.pk}/?tab=evidence")
    desk.get_by_role("link", name="后墙裂缝").click()
    picture = desk.locator(".viewer-photo img")
    expect(picture).to_have_js_property("naturalWidth", 1200)
    desk.keyboard.press("ArrowRight")
    expect(picture).to_have_js_property("naturalWidth", 1600)
    expect(desk.get_by_text("第 2 张，共 2 张")).to_be_visible()
