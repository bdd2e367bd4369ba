"""Workbooks of cards in the browser: checked, looked at, written, taken back."""

import io

import openpyxl
import pytest
from django.urls import reverse

from changde.audit.models import Event
from changde.jobs.models import Job
from changde.jobs.services import cancel, run_job
from households import tasks  # noqa: F401 - registers the handlers
from households.domain.card_workbook import open_cards
from households.models import Household, ImportBatch, ImportProblem
from tests.households import hostile
from tests.households.test_import_cards import COUPLE, SAMPLE, counts, family, workbook_of
from tests.personas import FENGMING

NEW = reverse("households:import")


def upload(client, file: io.BytesIO, **fields):
    file.name = "户卡.xlsx"
    return client.post(NEW, {"file": file, "policy": "update", **fields})


def do_jobs() -> None:
    for job in Job.objects.filter(state=Job.State.WAITING):
        run_job(job.pk)


def page_of(client, batch: ImportBatch, **query):
    return client.get(reverse("households:import_page", args=[batch.pk]), query)


def test_a_workbook_is_checked_shown_and_written_only_when_confirmed(people, as_user):
    client = as_user(people.taoyuan_office)
    with SAMPLE.open("rb") as file:
        answer = client.post(NEW, {"file": file, "policy": "update", "initial_load": "on"})
    batch = ImportBatch.objects.get()
    assert answer["Location"] == reverse("households:import_page", args=[batch.pk])
    assert "正在检查" in page_of(client, batch).content.decode()
    do_jobs()
    text = page_of(client, batch).content.decode()
    assert "确认入库 108 户" in text
    assert "43072510320200006" in text
    assert Household.objects.count() == 0

    client.post(reverse("households:import_accept", args=[batch.pk]))
    client.post(reverse("households:import_accept", args=[batch.pk]))
    assert Job.objects.filter(kind="import_cards").count() == 1
    do_jobs()
    batch.refresh_from_db()
    assert (batch.state, batch.accepted, Household.objects.count()) == ("done", 108, 108)
    assert Household.objects.filter(status="registered").exists()
    assert "等待重号核查" in page_of(client, batch, show="waiting").content.decode()
    assert {"households.bring_workbook", "households.accept_workbook", "households.import_cards"} <= set(
        Event.objects.values_list("verb", flat=True)
    )


def test_refused_rows_come_back_for_who_brought_them_and_the_export_is_logged(people, as_user):
    client = as_user(people.fengming_cadre)
    upload(client, workbook_of(family(village_code=430725103204)))
    do_jobs()
    batch = ImportBatch.objects.get()
    answer = client.get(reverse("households:import_returned", args=[batch.pk]))
    sheet = openpyxl.load_workbook(io.BytesIO(b"".join(answer.streaming_content)))["户信息"]
    assert "该村不在您的工作范围之内" in sheet.cell(2, sheet.max_column).value
    assert Event.objects.get(kind=Event.Kind.EXPORT).verb == "households.returned_rows"
    assert as_user(people.reshi_officer).get(reverse("households:import_returned", args=[batch.pk])).status_code == 404


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: io.BytesIO(b"\x89PNG\r\n\x1a\n\x00\x00"), "这不是 Excel 工作簿"),
        (lambda: io.BytesIO("户编号,姓名".encode()), "找不到表头"),
        (hostile.corner_cells, "范围异常"),
        (hostile.entities, "内容异常"),
        (lambda: hostile.archive(extra={"xl/vbaProject.bin": b"\0"}), "带有宏"),
        (lambda: hostile.workbook([], [], names=("户信息", "别的")), "缺少工作表"),
        (lambda: io.BytesIO(b"PK\x03\x04junk"), "已损坏"),
    ],
)
def test_a_wrong_file_is_told_at_its_field_at_once(people, as_user, make, words):
    answer = upload(as_user(people.fengming_cadre), make())
    assert (answer.status_code, ImportBatch.objects.count()) == (422, 0)
    assert words in answer.content.decode()


def test_a_bomb_the_glance_does_not_see_ends_its_batch_and_neither_server_nor_worker(people, as_user):
    client = as_user(people.fengming_cadre)
    before = counts()
    upload(client, hostile.shared_text_bomb())
    do_jobs()
    batch = ImportBatch.objects.get()
    text = page_of(client, batch).content.decode()
    assert (batch.state, Job.objects.get().state) == ("failed", "done")
    assert "没有读取，也没有写入任何内容" in text
    assert counts() == before


def test_a_file_larger_than_the_limit_is_refused_unread(people, as_user, monkeypatch):
    monkeypatch.setattr("households.forms.imports.LARGEST", 100)
    answer = upload(as_user(people.fengming_cadre), workbook_of(family()))
    assert answer.status_code == 422


def test_the_first_load_is_offered_to_county_and_city_alone(people, as_user):
    assert "首次建库" not in as_user(people.fengming_cadre).get(NEW).content.decode()
    assert "首次建库" in as_user(people.taoyuan_office).get(NEW).content.decode()
    upload(as_user(people.fengming_cadre), workbook_of(family()), initial_load="on")
    assert not ImportBatch.objects.get().initial


def test_a_cancelled_check_says_so_and_writes_nothing(people, as_user):
    client = as_user(people.fengming_cadre)
    upload(client, workbook_of(family()))
    cancel(job=Job.objects.get(), by=people.fengming_cadre)
    assert "已取消，没有写入任何内容" in page_of(client, ImportBatch.objects.get()).content.decode()
    assert (ImportBatch.objects.get().state, Household.objects.count()) == ("cancelled", 0)


def test_the_uploaded_file_is_kept_encrypted_and_forgotten_in_time(people, as_user, monkeypatch):
    client = as_user(people.fengming_cadre)
    upload(client, workbook_of(family()))
    batch = ImportBatch.objects.get()
    assert COUPLE.members[0].id_number.encode() not in bytes(batch.file_cipher)
    assert batch.content[:2] == b"PK"
    ImportBatch.objects.update(brought_at="2026-01-01T00:00:00Z", state="done")
    upload(client, workbook_of(family()))
    assert ImportBatch.objects.get(pk=batch.pk).content is None


def test_unknown_columns_are_named(people, as_user):
    file = workbook_of(family())
    book = openpyxl.load_workbook(file)
    book["户信息"].cell(1, book["户信息"].max_column + 1, "帮扶措施")
    changed = io.BytesIO()
    book.save(changed)
    changed.seek(0)
    client = as_user(people.fengming_cadre)
    upload(client, changed)
    do_jobs()
    text = page_of(client, ImportBatch.objects.get()).content.decode()
    assert "不会读取的列：帮扶措施" in text


def test_the_template_opens_and_names_every_column(people, as_user):
    answer = as_user(people.fengming_cadre).get(reverse("households:import_template"))
    with open_cards(io.BytesIO(b"".join(answer.streaming_content))) as book:
        assert (book.groups, len(book.attributes)) == ([], 92)


def test_pages_cost_the_same_queries_however_much_they_show(people, as_user, django_assert_max_num_queries):
    client = as_user(people.fengming_cadre)
    for number in range(30):
        batch = ImportBatch.objects.create(
            owner=people.fengming_cadre, area=FENGMING, file_name=f"{number}.xlsx", digest="x", size=1, state="checked"
        )
    ImportProblem.objects.bulk_create(
        ImportProblem(batch=batch, household=str(row), sheet="户信息", row=row, column="年度", check_id="year-missing")
        for row in range(120)
    )
    client.get(reverse("households:imports"))
    with django_assert_max_num_queries(12):
        client.get(reverse("households:imports"))
    with django_assert_max_num_queries(14):
        page_of(client, batch)


def test_nothing_yet_says_what_to_do(people, as_user):
    text = as_user(people.fengming_cadre).get(reverse("households:imports")).content.decode()
    assert "还没有导入过工作簿" in text
