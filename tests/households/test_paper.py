"""Cards on paper: what stands on them, what does not, who gets them, and the village's file as a job."""

import io
import re
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from zipfile import ZipFile

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from changde.accounts.models import Post
from changde.accounts.refusal import Refusal
from changde.audit.models import Event
from changde.crypto.cipher import encrypt
from changde.divisions.models import Division
from changde.jobs.models import Job
from changde.jobs.services import cancel, run_job
from households import (
    paper,
    tasks,  # noqa: F401 - registers the handler
)
from households.card_sections import SECTIONS
from households.domain import id_number
from households.models import Household, Printout
from households.selectors.paper import paper_cards
from households.services import printouts as services
from households.services.index_versions import load_default_versions
from households.services.results import recompute_household
from tests.conftest import confirmed
from tests.factories import make_household
from tests.households.pdf_text import read
from tests.personas import FENGMING, OTHER_VILLAGE, People

ASK = f"/villages/{FENGMING}/print/"

needs_pango = pytest.mark.skipif(
    not paper.can_print(), reason="no pango on this machine: apt-get install libpango-1.0-0"
)


@pytest.fixture
def household(db: None) -> Household:
    made = make_household(FENGMING, head="张建华", members=3, main_cause="因病", water_safe=False, status="registered")
    made.phone_cipher = encrypt("18452795162", field="household.phone", owner=made.pk)
    made.bank_account_cipher = encrypt("6217995520001234567", field="household.bank_account", owner=made.pk)
    made.save()
    load_default_versions()
    recompute_household(household=made.pk, year=2019)
    return made


@pytest.fixture
def cadre(people: People, as_user: Callable[..., Client]) -> Client:
    return as_user(people.fengming_cadre)


def body(answer: Any) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


def ask(client: Client, **fields: Any) -> Any:
    return client.post(ASK, {"kind": "cards", "year": 2019, "reason": "入户核对", **fields})


def do_jobs() -> None:
    for job in Job.objects.filter(state=Job.State.WAITING):
        run_job(job.pk)


def numbers(text: str) -> list[str]:
    """Identity numbers: 18 places with a right check character, or 15 places, with no figure beside them."""
    runs = re.findall(r"(?<![0-9])(?:[0-9]{17}[0-9Xx]|[0-9]{15})(?![0-9Xx])", text)
    return [run for run in runs if len(run) == 15 or id_number.check_character(run[:17]) == run[17].upper()]


def test_the_scan_finds_a_number():
    assert numbers("x 43072519430904643X".replace("43072519430904643X", "11010519491231002X")) == ["11010519491231002X"]


# -- one card ------------------------------


@needs_pango
def test_a_card_on_paper_holds_the_card_its_result_and_who_printed_it(cadre, household):
    answer = cadre.get(f"/households/{household.pk}/print/")
    assert (answer["Content-Type"], answer["Cache-Control"]) == ("application/pdf", "private, no-store")
    pdf = read(body(answer))
    wanted = (
        "建档立卡户卡", "张建华", "张小1", "2019", "桃源县", "热市镇", "因病", "绝对贫困", "低于全家的收入标准",
        "凤鸣村干部", "第1页，共", household.number, "第1版", "饮水是否安全",
    )  # fmt: skip
    text = re.sub(r"\s", "", pdf.text)
    assert [word for word in wanted if word not in text] == []
    assert len(pdf.pages) == 1


@needs_pango
def test_no_number_of_a_person_stands_in_the_file(cadre, household):
    people = [each.person for each in household.memberships.select_related("person")]
    pdf = read(body(cadre.get(f"/households/{household.pk}/print/")))
    assert people[0].masked_id_number in pdf.text.replace("\n", "")
    held = pdf.text.replace("\n", "") + pdf.raw.decode("latin-1")
    assert numbers(pdf.text) == []
    secrets = [*(person.id_number for person in people), "18452795162", "6217995520001234567"]
    assert [secret for secret in secrets if secret in held] == []


@needs_pango
def test_the_address_in_the_code_is_the_cards_own(household, people):
    (card,) = paper_cards(people.fengming_cadre, [household], 2019)
    facts = paper.Sheets().facts(card)
    assert facts["qr"] == paper.qr(f"http://127.0.0.1:8000/households/{household.pk}/")
    assert facts["qr"].startswith("<svg") and "viewBox" in facts["qr"]


@needs_pango
def test_text_of_a_card_cannot_make_the_press_fetch_anything(cadre, household):
    household.address = '<img src="file:///etc/hostname"><link rel=stylesheet href="http://127.0.0.1:1/x.css">'
    household.save()
    text = read(body(cadre.get(f"/households/{household.pk}/print/"))).text.replace("\n", "")
    assert "<imgsrc=" in text.replace(" ", "")


def test_a_card_on_paper_is_an_export_of_the_log(cadre, household):
    cadre.get(f"/households/{household.pk}/print/")
    event = Event.objects.get(kind=Event.Kind.EXPORT)
    assert (event.verb, event.target_id) == ("households.print_card", str(household.pk))


def test_where_pango_is_missing_the_page_says_so_and_prints_by_its_style(cadre, household, monkeypatch):
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    for address in (f"/households/{household.pk}/print/", "/households/blank/"):
        page = cadre.get(address).content.decode()
        assert "libpango-1.0-0" in page and 'class="paper"' in page and "data-print" in page
    assert "libpango-1.0-0" in cadre.get(ASK).content.decode()


def test_many_cards_cost_as_many_queries_as_few(people, household, django_assert_max_num_queries):
    others = [make_household(FENGMING, head=f"李{index}") for index in range(5)]
    chosen = list(
        Household.objects.filter(pk__in=[household.pk, *(each.pk for each in others)]).select_related("village")
    )
    with django_assert_max_num_queries(9):
        assert len(paper_cards(people.fengming_cadre, chosen, 2019)) == 6


# -- the blank card ------------------------------


def test_every_field_of_the_form_and_every_choice_stands_on_the_blank_card(cadre, monkeypatch):
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    page = cadre.get("/households/blank/?members=2").content.decode()
    fields = [of for section in SECTIONS for group in section.groups for of in group.fields]
    assert [of.header for of in fields if of.header not in page] == []
    assert [value for of in fields for value in of.values if value not in page] == []
    assert "家庭成员 2" in page and "家庭成员 3" not in page


@needs_pango
def test_the_blank_card_is_a_file_of_a_few_pages(cadre):
    pdf = read(body(cadre.get("/households/blank/?members=99")))
    assert "手工填写" in pdf.text and 3 <= len(pdf.pages) <= 6


# -- a village's cards ------------------------------


@needs_pango
def test_a_villages_cards_are_made_fetched_and_logged(cadre, people, household):
    make_household(FENGMING, head="李四", status="registered")
    make_household(FENGMING, head="赵销户", status="closed")
    make_household(OTHER_VILLAGE, head="欧阳邻村", status="registered")
    answer = ask(cadre)
    printout = Printout.objects.without_file().get()
    assert answer["Location"] == f"/printouts/{printout.pk}/"
    assert "排队中" in cadre.get(answer["Location"]).content.decode()
    do_jobs()
    page = cadre.get(answer["Location"]).content.decode()
    assert "下载 凤鸣村_2019年度户卡.pdf" in page and "共 2 户、2 页" in page
    file = confirmed(cadre).get(f"/printouts/{printout.pk}/file/")
    assert "attachment" in file["Content-Disposition"]
    content = body(file)
    pdf = read(content)
    text = re.sub(r"\s", "", pdf.text)
    assert "张建华" in text and "李四" in text and "赵销户" not in text and "欧阳邻村" not in text
    assert text.count("第1页，共1页") == 2 and text.count("用途：入户核对") == 2
    assert numbers(pdf.text) == []
    printout = Printout.objects.get()
    assert content not in bytes(printout.file_cipher) and b"%PDF" not in bytes(printout.file_cipher)
    assert printout.downloaded_at is not None
    exports = Event.objects.filter(kind=Event.Kind.EXPORT).order_by("pk").values_list("verb", flat=True)
    assert list(exports) == ["households.ask_printout", "households.fetch_printout"]


@needs_pango
def test_a_village_of_more_than_a_part_comes_as_several_files(cadre, household, monkeypatch):
    monkeypatch.setattr(services, "PART", 1)
    make_household(FENGMING, head="李四", status="registered")
    ask(cadre, kind="registered")
    do_jobs()
    printout = Printout.objects.get()
    with ZipFile(io.BytesIO(printout.content)) as archive:
        names = archive.namelist()
        texts = [read(archive.read(name)).text for name in names]
    assert names == ["凤鸣村_2019年度户卡_01.pdf", "凤鸣村_2019年度户卡_02.pdf"]
    assert ["李四" in text for text in texts] == [False, True] or ["李四" in text for text in texts] == [True, False]
    assert (printout.cards, printout.pages) == (2, 2)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"reason": " "}, "用途"),
        ({"reason": "核对 430725194309046431"}, "不要写证件号码"),
        ({"year": "今年"}, "整数"),
        ({"kind": "registered"}, "没有符合条件的户卡"),
    ],
)
@needs_pango
def test_what_is_wrong_is_told_at_its_field(cadre, fields, words):
    make_household(FENGMING, head="张建华")
    answer = ask(cadre, **fields)
    assert (answer.status_code, words in answer.content.decode(), Printout.objects.count()) == (422, True, 0)


@needs_pango
def test_more_cards_than_the_limit_are_refused(cadre, household, settings):
    settings.PRINT_MAX_CARDS = 0
    answer = ask(cadre)
    assert (answer.status_code, "一次最多打印 0 户" in answer.content.decode()) == (422, True)


@pytest.fixture
def printout(people: People, household: Household) -> Printout:
    return Printout.objects.create(owner=people.fengming_cadre, area=FENGMING, kind="cards", year=2019, reason="核对")


def keep(printout: Printout, content: bytes, left: timedelta) -> None:
    printout.file_cipher = services.encrypt_bytes(content, field="printout.file", owner=printout.pk)
    printout.file_name, printout.expires_at = "户卡.pdf", timezone.now() + left
    printout.save()


def test_only_who_asked_gets_the_file(people, as_user, printout):
    keep(printout, b"%PDF", timedelta(days=1))
    address = f"/printouts/{printout.pk}/file/"
    assert as_user(people.fengming_cadre).get(address)["Location"].startswith("/accounts/confirm/")
    assert body(confirmed(as_user(people.fengming_cadre)).get(address)) == b"%PDF"
    others = (people.fengming_team, people.reshi_officer, people.city_office, people.other_cadre)
    assert {as_user(other).get(address).status_code for other in others} == {404}


def test_who_lost_the_post_lost_the_file(people, as_user, printout):
    keep(printout, b"%PDF", timedelta(days=1))
    Post.objects.filter(user=people.fengming_cadre).update(division=Division.objects.get(code=OTHER_VILLAGE))
    assert as_user(people.fengming_cadre).get(f"/printouts/{printout.pk}/file/").status_code == 404


def test_a_file_expires_and_is_forgotten(cadre, printout):
    keep(printout, b"%PDF", -timedelta(seconds=1))
    assert confirmed(cadre).get(f"/printouts/{printout.pk}/file/")["Location"] == f"/printouts/{printout.pk}/"
    assert "文件已过期删除" in cadre.get(f"/printouts/{printout.pk}/").content.decode()
    assert services.forget_expired() == 1
    assert Printout.objects.get().file_cipher is None


@needs_pango
def test_a_cancelled_job_leaves_no_file_and_the_page_says_so(cadre, people, household):
    ask(cadre)
    cancel(job=Job.objects.get(), by=people.fengming_cadre)
    do_jobs()
    printout = Printout.objects.get()
    assert printout.file_cipher is None
    assert "任务已取消" in cadre.get(f"/printouts/{printout.pk}/").content.decode()


def test_a_right_lost_between_asking_and_making_stops_the_job(people, printout):
    Post.objects.filter(user=people.fengming_cadre).delete()
    with pytest.raises(Refusal, match="不在您的辖区"):
        services.make(printout=Printout.objects.get())


def test_the_database_keeps_no_file_without_an_end(printout):
    with pytest.raises(IntegrityError), transaction.atomic():
        Printout.objects.update(file_cipher=b"1")


def test_the_ways_to_paper_are_on_the_pages(cadre, household):
    assert f"/households/{household.pk}/print/?year=2019" in cadre.get(f"/households/{household.pk}/").content.decode()
    cards = cadre.get("/households/").content.decode()
    assert ASK in cards and "/households/blank/" in cards
    assert "/households/blank/" in cadre.get("/households/new/").content.decode()
