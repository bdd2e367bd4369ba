"""Workbooks of cards in the browser: checked, looked at, written, taken back."""

import io
from dataclasses import replace
from decimal import Decimal
from urllib.parse import urlencode

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from changde.audit.models import Event
from changde.jobs.models import Job
from changde.jobs.services import cancel, run_job
from households import tasks  # noqa: F401 - registers the handlers
from households.domain.card_workbook import open_cards
from households.models import Household, ImportBatch, ImportProblem
from households.services import imports
from tests.conftest import confirmed
from tests.households import hostile
from tests.households.cards import a_member
from tests.households.test_card_tables import HOUSEHOLDS, MEMBERS, text_of
from tests.households.test_import_cards import COUPLE, SAMPLE, counts, family, with_members, workbook_of
from tests.households.test_import_cards import bring as bring_in
from tests.personas import FENGMING, OTHER_VILLAGE, WULING_VILLAGE

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
    address, page = (
        reverse(name, args=[batch.pk]) for name in ("households:import_returned", "households:import_page")
    )
    asked = client.get(address)
    assert asked["Location"] == f"/accounts/confirm/?{urlencode({'next': address, 'page': page})}"
    assert not Event.objects.filter(kind=Event.Kind.EXPORT).exists()
    answer = confirmed(client).get(address)
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


# -- reviewing ------------------------------


def review(people, as_user, *cards, policy="update"):
    """A client of the village cadre on the checked workbook of the cards."""
    client = as_user(people.fengming_cadre)
    upload(client, workbook_of(*cards), policy=policy)
    do_jobs()
    return client, ImportBatch.objects.latest("pk")


def row_of(client, batch, number: str) -> str:
    row = batch.staged.get(household=number)
    return client.get(reverse("households:import_row", args=[batch.pk, row.pk])).content.decode()


def write(client, batch) -> ImportBatch:
    client.post(reverse("households:import_accept", args=[batch.pk]))
    do_jobs()
    batch.refresh_from_db()
    return batch


def neighbour(number="43072510320290002", name="张四", **facts):
    return with_members(family(number), a_member(name, birth="19610101", **facts))


def test_a_changed_household_opens_field_by_field_with_numbers_masked(people, as_user):
    bring_in(workbook_of(family()), by=people.fengming_cadre)
    changed = family(sheet={"wage_income": Decimal(5000)}, phone="13873600009")
    client, batch = review(people, as_user, changed, neighbour())
    assert batch.staged.get(kind="changed").fields == ["household.phone", "sheet.wage_income"]
    text = row_of(client, batch, "43072510320290001")
    assert "138****0001" in text and "138****0009" in text and "13873600009" not in text
    assert "<del>0 元</del>" in text and "<ins>5,000 元</ins>" in text
    assert Event.objects.filter(verb="households.read_staged", kind=Event.Kind.READ).exists()
    assert "13873600009" not in str(list(batch.staged.values()))


def test_a_household_that_is_kept_out_is_not_written_and_is_counted(people, as_user):
    client, batch = review(people, as_user, family(), neighbour())
    kept_out = batch.staged.get(household="43072510320290002")
    choose = reverse("households:import_choose", args=[batch.pk])
    client.post(choose, {"row": [kept_out.pk], "do": "exclude", "show": "new"})
    assert "确认入库 1 户" in page_of(client, batch, show="excluded").content.decode()
    batch = write(client, batch)
    assert (batch.state, batch.accepted, batch.left_out, Household.objects.count()) == ("done", 1, 1, 1)
    client.post(choose, {"row": [kept_out.pk], "do": "include"})
    assert batch.staged.get(pk=kept_out.pk).excluded
    assert Event.objects.get(verb="households.accept_workbook").facts == {"policy": "update", "left_out": 1}


def test_all_of_a_kind_are_kept_out_at_once(people, as_user):
    client, batch = review(people, as_user, family(), neighbour())
    client.post(reverse("households:import_choose", args=[batch.pk]), {"kind": "new", "show": "new"})
    assert batch.staged.filter(excluded=True).count() == 2


@pytest.mark.parametrize(("policy", "kind", "income"), [("update", "changed", 5000), ("keep", "same", 0)])
def test_the_policy_is_shown_and_kept_by_the_write(people, as_user, policy, kind, income):
    bring_in(workbook_of(family()), by=people.fengming_cadre)
    client, batch = review(people, as_user, family(sheet={"wage_income": Decimal(5000)}), policy=policy)
    assert batch.staged.get().kind == kind
    assert batch.get_policy_display() in page_of(client, batch).content.decode()
    write(client, batch)
    assert Household.objects.get().sheets.get().wage_income == income


def test_under_reject_a_known_household_is_refused_with_its_reason(people, as_user):
    bring_in(workbook_of(family()), by=people.fengming_cadre)
    client, batch = review(people, as_user, family(), neighbour(), policy="reject")
    assert (batch.refused, batch.accepted) == (1, 1)
    assert "该户已在系统中" in page_of(client, batch, show="refused").content.decode()


def test_somebody_of_the_same_name_and_birth_date_on_a_visible_card_is_shown_beside(people, as_user):
    bring_in(workbook_of(family()), by=people.fengming_cadre)
    double = neighbour("43072510320290003", "张建华", id_number=None, no_id_reason="遗失")
    double = with_members(double, replace(double.members[0], birth_date=COUPLE.members[0].birth_date))
    client, batch = review(people, as_user, double)
    assert batch.staged.get().kind == "duplicate"
    text = row_of(client, batch, "43072510320290003")
    assert "系统中的另一户" in text and "43072510320290001" in text and "李秀英" in text


def test_a_new_household_that_stands_in_the_workbook_twice_is_shown_beside_the_first(people, as_user):
    lost = {"id_number": None, "no_id_reason": "遗失"}
    heard = neighbour("43072510320290003", "张思", **lost)
    elsewhere = replace(
        heard, household=replace(heard.household, number="43072510320290004", village_code=OTHER_VILLAGE)
    )
    client, batch = review(
        people, as_user, neighbour(name="张四"), neighbour("43072510320290005", "李五"), heard, elsewhere
    )
    assert dict(batch.staged.values_list("household", "kind")) == {
        "43072510320290002": "new", "43072510320290003": "duplicate", "43072510320290004": "refused",
        "43072510320290005": "new",
    }  # fmt: skip
    assert "本工作簿前面的另一户" in page_of(client, batch, show="duplicate").content.decode()
    text = row_of(client, batch, "43072510320290003")
    assert "工作簿中前面的另一户" in text and "43072510320290002" in text and "工作簿第 1 户" in text
    batch = write(client, batch)
    assert (batch.created, batch.staged.get(household="43072510320290003").twin_position) == (3, 0)


def test_a_number_that_stands_on_two_households_of_the_workbook_shows_both(people, as_user):
    client, batch = review(people, as_user, family(), family("43072510320290009"))
    assert (batch.accepted, batch.waiting) == (1, 1)
    text = row_of(client, batch, "43072510320290009")
    assert "工作簿中前面的另一户" in text and "43072510320290001" in text


def test_a_namesake_on_a_card_one_may_not_see_is_not_hinted_at(people, as_user):
    bring_in(workbook_of(neighbour("43070200100490001", "张建华", id_number=None, no_id_reason="遗失")))
    Household.objects.update(village_id=WULING_VILLAGE)
    namesake = neighbour("43072510320290003", "张建华", id_number=None, no_id_reason="遗失")
    _client, batch = review(people, as_user, namesake)
    assert batch.staged.get().kind == "new"


def test_a_household_is_found_by_number_or_name_and_the_name_stays_out_of_the_address(people, as_user):
    client, batch = review(people, as_user, family(), neighbour())
    answer = client.post(reverse("households:import_find", args=[batch.pk]), {"q": "张四", "show": "new"})
    assert "张四" not in answer["Location"] and "%E5" not in answer["Location"]
    text = client.get(answer["Location"]).content.decode()
    assert "43072510320290002" in text and "43072510320290001" not in text


def test_a_cancelled_write_says_what_is_in_and_goes_on(people, as_user, monkeypatch):
    client, batch = review(people, as_user, family(), neighbour())
    client.post(reverse("households:import_accept", args=[batch.pk]))
    with open_cards(io.BytesIO(batch.content)) as book, pytest.raises(ConnectionError):
        imports.take_in(book=book, batch=batch, by=people.fengming_cadre, progress=broken_line, chunk_size=1)
    cancel(job=Job.objects.get(kind="import_cards"), by=people.fengming_cadre)
    text = page_of(client, batch).content.decode()
    assert "取消之前已入库 1 户" in text and "还有 1 户没有处理" in text
    client.post(reverse("households:import_resume", args=[batch.pk]))
    do_jobs()
    batch.refresh_from_db()
    assert (batch.state, batch.created, Household.objects.count()) == ("done", 2, 2)


def broken_line(done: int, total: int) -> None:
    raise ConnectionError


def test_what_the_file_is_stands_there_before_the_check_has_ended(people, as_user):
    client = as_user(people.fengming_cadre)
    upload(client, workbook_of(family(), neighbour()))
    text = page_of(client, ImportBatch.objects.get()).content.decode()
    assert "正在检查" in text and "约 2 行数据" in text and "认出 68 列" in text


def test_two_csv_files_are_taken_together(people, as_user):
    tables = {name: text_of(rows).encode("gbk") for name, rows in (("户.csv", HOUSEHOLDS), ("人.csv", MEMBERS))}
    files = [SimpleUploadedFile(name, content) for name, content in tables.items()]
    as_user(people.fengming_cadre).post(NEW, {"file": files, "policy": "update"})
    do_jobs()
    assert (ImportBatch.objects.get().state, ImportBatch.objects.get().households) == ("checked", 1)


def test_staged_households_go_with_the_file(people, as_user):
    client, batch = review(people, as_user, family())
    ImportBatch.objects.update(brought_at="2026-01-01T00:00:00Z", state="done")
    upload(client, workbook_of(neighbour()))
    assert batch.staged.count() == 0
    assert "已按期删除" in page_of(client, batch).content.decode()


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
