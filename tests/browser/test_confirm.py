"""The password once more: a number asks in its own place, a file starts by itself."""

import io
from collections.abc import Callable

import pytest
from django.core.management import call_command
from django.test import Client
from playwright.sync_api import Page, expect

from changde.jobs.models import Job
from changde.jobs.services import run_job
from households.models import CardExport
from households.services.cards import save_card
from tests.households.cards import a_card
from tests.households.test_exports import NEW, REASON
from tests.personas import People

pytestmark = pytest.mark.browser

PASSWORD = "a-long-sentence-of-mine"


@pytest.fixture
def page(browse: Callable[..., Page], people: People) -> Page:
    call_command("load_index_default", stdout=io.StringIO())
    people.fengming_cadre.set_password(PASSWORD)
    people.fengming_cadre.save()
    return browse(people.fengming_cadre, width=360, height=740)


def test_a_number_asks_for_the_password_in_its_place_and_is_shown_there(page: Page, people: People) -> None:
    household = save_card(card=a_card(), by=people.fengming_cadre)
    number = household.memberships.get(relation="户主").person.id_number
    page.goto(f"/households/{household.pk}/?tab=members")
    page.locator(".secret button").first.click()
    password = page.get_by_label("再次输入密码")
    expect(password).to_be_focused()
    password.fill("wrong")
    password.press("Enter")
    expect(page.locator(".secret-ask")).to_contain_text("密码不对")
    assert number not in page.content()
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    page.get_by_label("再次输入密码").fill(PASSWORD)
    page.get_by_role("button", name="确认身份").click()
    expect(page.locator(".secret.is-shown")).to_have_text(number or "?")
    page.locator(".secret button").first.click()  # the next one does not ask again
    expect(page.locator(".secret.is-shown")).to_have_count(2)


def test_a_file_starts_by_itself_after_the_password(page: Page, people: People, as_user: Callable[..., Client]) -> None:
    save_card(card=a_card(number="43072510320200001"), by=people.fengming_cadre)
    as_user(people.fengming_cadre).post(NEW, REASON)
    for job in Job.objects.filter(kind="export_cards", state=Job.State.WAITING):
        run_job(job.pk)
    export = CardExport.objects.get()
    page.goto(f"/exports/{export.pk}/")
    page.get_by_role("link", name="下载").click()
    page.get_by_label("密码").fill(PASSWORD)
    with page.expect_download() as begun:
        page.get_by_role("button", name="确认身份").click()
    assert begun.value.suggested_filename.endswith(".xlsx")
    expect(page.get_by_role("heading", name="已确认身份")).to_be_visible()
    page.get_by_role("link", name="返回").click()
    expect(page).to_have_url(f"{page.url.split('/exports')[0]}/exports/{export.pk}/")
