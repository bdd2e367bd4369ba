"""The register of village cadres: the county's alone, masked, logged, removed with undo, imported row by row."""

from io import BytesIO

import pytest
import xlsxwriter
from django.core.exceptions import PermissionDenied

from changde.audit.models import Event
from changde.crypto.cipher import blind_index
from changde.divisions.models import Division
from households.domain.village_cadre import COLUMNS, SHEET, CadreFacts, RelativeFacts
from households.models import CadreRelative, VillageCadre
from households.services import village_cadres
from tests.conftest import login
from tests.factories import id_number
from tests.personas import FENGMING, WULING_VILLAGE

REGISTER = "/village-cadres/"
NUMBER, WIFE = id_number("19700101", "男", 301), id_number("19720202", "女", 302)
FACTS = CadreFacts("欧阳主任", "director", number=NUMBER, phone="13800001234", account="6217001234567890123")


@pytest.fixture
def cadre(people):
    return village_cadres.save_cadre(
        cadre=None, village=Division.objects.get(code=FENGMING), facts=FACTS,
        relatives=[RelativeFacts("配偶", "司马氏", WIFE)], by=people.taoyuan_office,
    )  # fmt: skip


def test_numbers_are_found_by_hash_and_shown_masked(cadre, people):
    assert bytes(cadre.number_hash) == blind_index(NUMBER, kind="id")
    assert bytes(CadreRelative.objects.get().number_hash) == blind_index(WIFE, kind="id")
    pages = [login(people.taoyuan_office).get(where).content.decode() for where in (REGISTER, f"{REGISTER}{cadre.pk}/")]
    assert [
        number for number in (NUMBER, WIFE, FACTS.phone, FACTS.account) if any(number in page for page in pages)
    ] == []
    assert "138****1234" in pages[0]
    assert Event.objects.filter(verb__in=("village_cadres.list", "village_cadres.read")).count() == 2


@pytest.mark.parametrize("name", ["reshi_officer", "fengming_cadre", "city_office", "wuling_office", "inspector"])
def test_nobody_but_the_countys_own_office_writes_the_register(cadre, people, name):
    with pytest.raises(PermissionDenied):
        village_cadres.remove_cadre(cadre=cadre, by=getattr(people, name))


def test_an_empty_number_keeps_what_is_stored_and_a_relative_without_a_name_goes(cadre, people):
    client = login(people.taoyuan_office)
    relative = cadre.relatives.get()
    form = {
        "village": FENGMING, "name": "欧阳主任", "post": "secretary", "valid_from": "2018-01-01",
        "relatives-TOTAL_FORMS": 2, "relatives-INITIAL_FORMS": 1, "relatives-0-stored": relative.pk,
        "relatives-0-relation": "配偶", "relatives-0-name": "", "relatives-1-relation": "子女",
        "relatives-1-name": "欧阳小", "relatives-1-number": "",
    }  # fmt: skip
    assert client.post(f"{REGISTER}{cadre.pk}/", form).status_code == 302
    cadre.refresh_from_db()
    assert (cadre.post, bytes(cadre.number_hash)) == ("secretary", blind_index(NUMBER, kind="id"))
    assert list(cadre.relatives.values_list("name", "number_hash")) == [("欧阳小", None)]


def test_wrong_numbers_are_told_at_their_fields(people):
    form = {"village": FENGMING, "name": "甲", "post": "clerk", "number": "430725197001011234", "phone": "12",
            "account": "x", "valid_from": "2019-01-01", "valid_to": "2018-01-01",
            "relatives-TOTAL_FORMS": 0, "relatives-INITIAL_FORMS": 0}  # fmt: skip
    answer = login(people.taoyuan_office).post(f"{REGISTER}new/", form)
    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == {"number", "phone", "account", "valid_to"}
    assert not VillageCadre.objects.exists()


def test_a_removed_cadre_comes_back_as_it_was_with_relatives(cadre, people):
    client = login(people.taoyuan_office)
    client.post(f"{REGISTER}{cadre.pk}/remove/")
    assert (VillageCadre.objects.count(), CadreRelative.objects.count()) == (0, 0)
    assert "撤销" in client.get(REGISTER).content.decode()
    client.post(f"{REGISTER}{cadre.pk}/restore/")
    back = VillageCadre.objects.get()
    assert (back.pk, back.masked_phone, back.relatives.get().masked_number) == (
        cadre.pk, "138****1234", f"{WIFE[:4]}{'*' * 10}{WIFE[-4:]}",
    )  # fmt: skip


def workbook(*rows):
    file = BytesIO()
    book = xlsxwriter.Workbook(file)
    sheet = book.add_worksheet(SHEET)
    for place, row in enumerate((list(COLUMNS), *rows)):
        sheet.write_row(place, 0, row)
    book.close()
    file.seek(0)
    file.name = "cadres.xlsx"
    return file


def test_good_rows_go_in_and_bad_ones_are_named_with_their_reason(cadre, people):
    known = [str(FENGMING), "凤鸣村", "欧阳主任", "村委会主任", NUMBER, "", "", "2018-01-01", "", "子女", "欧阳小", ""]
    new = [str(FENGMING), "凤鸣村", "司马会计", "会计、文书", "", "13900005678", "", "", "", "", "", ""]
    bad = [str(FENGMING), "凤鸣村", "", "村长", "123", "", "", "昨天", "", "远房", "", ""]
    foreign = [str(WULING_VILLAGE), "", "外县人", "委员", "", "", "", "", "", "", "", ""]
    answer = login(people.taoyuan_office).post(f"{REGISTER}import/", {"file": workbook(known, new, bad, foreign)})
    summary = answer.context["summary"]
    assert (summary.read, summary.accepted, summary.refused_rows, summary.cadres) == (4, 2, 2, 2)
    assert {(one.row, one.column) for one in summary.refused} == {
        (4, "姓名"), (4, "村内职务"), (4, "证件号码"), (4, "任职起"), (4, "与干部关系"), (4, "亲属姓名"), (5, "村编码"),
    }  # fmt: skip
    cadre.refresh_from_db()
    assert (f"{cadre.valid_from}", sorted(cadre.relatives.values_list("name", flat=True))) == (
        "2018-01-01", ["司马氏", "欧阳小"],
    )  # fmt: skip


def test_a_file_that_is_no_workbook_is_refused_in_words(people):
    file = BytesIO(b"not a workbook")
    file.name = "cadres.xlsx"
    answer = login(people.taoyuan_office).post(f"{REGISTER}import/", {"file": file})
    assert answer.status_code == 422
    assert answer.context["form"].errors["file"]


def test_the_template_can_be_filled_in_and_brought_back(people):
    answer = login(people.taoyuan_office).get(f"{REGISTER}template/")
    assert answer.getvalue()[:2] == b"PK"
