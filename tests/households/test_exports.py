"""Exports: a reason, a limit, a watermark, an expiry, a log; never a formula and never an open number."""

import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import openpyxl
import pytest
from django.test import Client
from django.utils import timezone

from changde.accounts.models import Post
from changde.audit.models import Event
from changde.jobs.models import Job
from changde.jobs.services import run_job
from households import tasks  # noqa: F401 - registers the handlers
from households.models import CardExport, Household
from households.services import exports
from households.services.cards import save_card
from tests.conftest import confirmed
from tests.factories import make_household
from tests.households.cards import a_card
from tests.personas import FENGMING, OTHER_VILLAGE, WULING_VILLAGE, People

NEW = "/exports/new/"
REASON = {"reason": "第三季度入户核查", "format": "xlsx", "columns": ["number", "per_capita_income", "outcome"]}


@pytest.fixture
def cadre(people: People, as_user: Callable[..., Client]) -> Client:
    return confirmed(as_user(people.fengming_cadre))


@pytest.fixture
def saved(people: People) -> Household:
    return save_card(card=a_card(number="43072510320200001"), by=people.fengming_cadre)


def ordered(client: Client, query: str = "", **fields: Any) -> CardExport:
    """Ask for a file and let the job make it."""
    answer = client.post(f"{NEW}?{query}", REASON | fields)
    assert answer.status_code == 302, answer.content.decode()
    for job in Job.objects.filter(kind="export_cards", state=Job.State.WAITING):
        run_job(job.pk)
    return CardExport.objects.latest("pk")


def body(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


def book_of(client: Client, export: CardExport) -> Any:
    return openpyxl.load_workbook(io.BytesIO(body(client.get(f"/exports/{export.pk}/file/"))))


def test_a_workbook_holds_the_list_with_masked_numbers_and_says_who_when_and_why(
    cadre: Client, saved: Household
) -> None:
    make_household(OTHER_VILLAGE, head="欧阳邻村")
    book = book_of(cadre, ordered(cadre))
    assert book.sheetnames == ["导出说明", "户卡"]
    about = {row[0]: row[1] for row in book["导出说明"].iter_rows(min_row=2, values_only=True)}
    assert (about["导出人"], about["用途"]) == ("凤鸣村干部（fengming_cadre）", "第三季度入户核查")
    sheet = book["户卡"]
    number = saved.memberships.get(relation="户主").person.id_number
    assert [cell.value for cell in sheet[1]][:3] == ["行政村", "户主", "户主证件号码（遮盖）"]
    assert [cell.value for cell in sheet[2]] == [
        saved.village.name, "张建华", f"{number[:4]}**********{number[-4:]}", "138****0001", "43072510320200001",
        None, 3500,
    ]  # fmt: skip
    assert sheet.max_row == 2
    assert "第三季度入户核查" in sheet.oddHeader.left.text and "凤鸣村干部" in sheet.oddFooter.left.text


def test_no_open_number_stands_in_either_file(cadre: Client, saved: Household) -> None:
    numbers = [row.person.id_number for row in saved.memberships.all()]
    for form in ("xlsx", "csv"):
        export = ordered(cadre, format=form)
        text = body(cadre.get(f"/exports/{export.pk}/file/")).decode("latin-1")
        assert not any(number in text for number in [*numbers, "13873600001"])


def test_text_that_looks_like_a_formula_stays_text(cadre: Client) -> None:
    for head in ("=1+1", "+86", "-1", "@SUM(A1)"):
        make_household(FENGMING, head=head, entered_by='=cmd|" /C calc"!A0')
    sheet = book_of(cadre, ordered(cadre, columns=["entered_by"]))["户卡"]
    cells = [cell for row in sheet.iter_rows(min_row=2) for cell in row if cell.value]
    assert {cell.data_type for cell in cells} == {"s"}
    assert {row[1].value for row in sheet.iter_rows(min_row=2)} == {"=1+1", "+86", "-1", "@SUM(A1)"}

    export = ordered(cadre, columns=["entered_by"], format="csv")
    content = body(cadre.get(f"/exports/{export.pk}/file/"))
    assert content.startswith(b"\xef\xbb\xbf")
    assert all(f"'{head}" in content.decode() for head in ("=1+1", "+86", "-1", "@SUM(A1)"))


def test_the_file_holds_what_the_filters_of_the_list_show(cadre: Client) -> None:
    make_household(FENGMING, head="李因病", main_cause="因病")
    make_household(FENGMING, head="王因学", main_cause="因学")
    book = book_of(cadre, ordered(cadre, "cause=因病"))
    assert [row[1] for row in book["户卡"].iter_rows(min_row=2, values_only=True)] == ["李因病"]
    assert "主要致贫原因：因病" in str([row for row in book["导出说明"].iter_rows(values_only=True)])


def test_a_file_of_many_pages_holds_each_household_once(cadre: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "CHUNK", 3)
    made = {make_household(FENGMING, head=f"户{index}").number for index in range(8)}
    export = ordered(cadre, columns=["number"])
    rows = list(book_of(cadre, export)["户卡"].iter_rows(min_row=2, values_only=True))
    assert (len(rows), {row[4] for row in rows}, export.rows) == (8, made, 8)


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("", "field-error"),
        ("查", "请写明用途"),
        ("核对 430725197001010019 的情况", "请不要写证件号码"),
    ],
)
def test_a_file_needs_a_reason_that_can_be_logged(cadre: Client, saved: Household, reason: str, words: str) -> None:
    answer = cadre.post(NEW, REASON | {"reason": reason})
    assert answer.status_code == 422 and words in answer.content.decode()
    assert not CardExport.objects.exists() and not Job.objects.exists()


def test_more_households_than_the_limit_are_refused_in_words(cadre: Client, settings: Any) -> None:
    settings.EXPORT_ROW_LIMIT = 2
    for index in range(3):
        make_household(FENGMING, head=f"户{index}")
    page = cadre.get(NEW).content.decode()
    assert "超过一次导出的上限 2 户" in page and "生成文件" not in page
    assert cadre.post(NEW, REASON).status_code == 422
    assert not CardExport.objects.exists()


def test_order_file_and_each_download_are_logged_with_the_reason_and_without_values(
    cadre: Client, saved: Household
) -> None:
    export = ordered(cadre)
    body(cadre.get(f"/exports/{export.pk}/file/"))
    body(cadre.get(f"/exports/{export.pk}/file/"))
    events = list(Event.objects.filter(target_kind="households.cardexport").order_by("pk"))
    assert [event.verb for event in events] == [
        "households.order_export", "households.export_cards", "households.fetch_export", "households.fetch_export",
    ]  # fmt: skip
    assert (events[1].kind, events[1].facts["rows"], events[1].facts["reason"]) == ("export", 1, "第三季度入户核查")
    assert "张建华" not in str([event.facts for event in events])
    export.refresh_from_db()
    assert export.fetched == 2


def test_the_file_is_encrypted_at_rest_and_gone_after_a_week(cadre: Client, saved: Household) -> None:
    export = ordered(cadre, format="csv")
    assert "张建华".encode() not in bytes(export.file_cipher) and "张建华".encode() in export.content
    CardExport.objects.update(made_at=timezone.now() - timedelta(days=8), expires_at=timezone.now() - timedelta(days=1))
    assert "已按期删除" in cadre.get(f"/exports/{export.pk}/file/", follow=True).content.decode()
    assert exports.forget_expired() == 1
    export.refresh_from_db()
    assert (export.file_cipher, export.state) == (None, "expired")
    assert "已过期删除" in cadre.get("/exports/").content.decode()


def test_nobody_but_who_asked_gets_the_file_and_only_while_the_right_lasts(
    cadre: Client, saved: Household, people: People, as_user: Callable[..., Client]
) -> None:
    export = ordered(cadre)
    for other in (people.fengming_team, people.reshi_officer, people.taoyuan_office):
        assert as_user(other).get(f"/exports/{export.pk}/file/").status_code == 404
    Post.objects.filter(user=people.fengming_cadre).update(division_id=WULING_VILLAGE)
    assert as_user(people.fengming_cadre).get(f"/exports/{export.pk}/file/").status_code == 404


def test_a_right_taken_away_before_the_job_runs_leaves_no_file(cadre: Client, saved: Household, people: People) -> None:
    cadre.post(NEW, REASON)
    Post.objects.filter(user=people.fengming_cadre).update(division_id=WULING_VILLAGE)
    job = run_job(Job.objects.get(kind="export_cards").pk)
    assert (job.state, "已不再有导出" in job.error) == ("failed", True)
    assert CardExport.objects.get().file_cipher is None


def test_my_exports_tell_their_state_and_what_to_do_when_there_are_none(cadre: Client, saved: Household) -> None:
    assert "还没有导出过户卡" in cadre.get("/exports/").content.decode()
    cadre.post(NEW, REASON)
    assert "排队中" in cadre.get("/exports/").content.decode()
    export = CardExport.objects.get()
    assert "hx-trigger" in cadre.get(f"/exports/{export.pk}/").content.decode()
    run_job(export.job_id)
    page = cadre.get(f"/exports/{export.pk}/").content.decode()
    assert "下载" in page and "hx-trigger" not in page.partition("export-")[2].partition("</section>")[0]


def test_what_was_searched_for_can_be_exported_and_a_number_is_not_repeated(cadre: Client, saved: Household) -> None:
    make_household(FENGMING, head="李四")
    address = cadre.post("/search/", {"q": "李秀"}).url
    book = book_of(cadre, ordered(cadre, address.partition("?")[2]))
    assert [row[1] for row in book["户卡"].iter_rows(min_row=2, values_only=True)] == ["张建华"]
