"""The form of a whole card: what it shows, what it makes of what was typed, where it puts what is wrong."""

import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from households.card_sections import DERIVED, SECTIONS
from households.domain.fields import CARD_FIELDS
from households.models import Household, IdentityClaim
from households.services.card_rows import load_card
from households.services.cards import save_card
from tests.factories import id_number, make_household
from tests.households.cards import a_card, with_household, with_member, with_sheet
from tests.personas import FENGMING, OTHER_VILLAGE, People

NEW = "/households/new/"
HEAD = {
    "name": "张建华",
    "relation": "户主",
    "education": "初中",
    "school_status": "非在校生",
    "health": "健康",
    "labour": "普通劳动力",
    "residents_insurance": "是",
}


def posted(*members: dict[str, Any], **household: Any) -> dict[str, Any]:
    data = {"village_code": str(FENGMING), "year": "2019", "group": "3组", "client_key": str(uuid.uuid4())} | household
    data |= {"members-TOTAL_FORMS": str(len(members)), "members-INITIAL_FORMS": "0"}
    data |= {"explain-all": "上门时没有问到"}
    for index, member in enumerate(members):
        data |= {f"members-{index}-{name}": value for name, value in member.items()}
    return data


def filled_in(page: Any) -> dict[str, Any]:
    """What a browser would post of a page that nobody touched."""
    forms = page.context["forms"]
    data: dict[str, Any] = {"members-INITIAL_FORMS": "0", "members-TOTAL_FORMS": str(len(forms.members.forms))}
    for form in [forms.household, *forms.members.forms, forms.needs]:
        for name in form.fields:
            value = form[name].value()
            if value not in (None, ""):
                data[form[name].html_name] = value
    return data


@pytest.fixture
def cadre(people: People, as_user: Callable[..., Client]) -> Client:
    return as_user(people.fengming_cadre)


@pytest.fixture
def saved(people: People) -> Household:
    return save_card(card=a_card(), by=people.fengming_cadre)


def test_every_field_a_person_writes_stands_in_the_form_once() -> None:
    written = [
        (field.entity, field.attribute) for field in CARD_FIELDS if field.entity and field.attribute not in DERIVED
    ]
    shown = [(of.entity, of.attribute) for section in SECTIONS for group in section.groups for of in group.fields]
    assert sorted(shown) == sorted(written)


def test_the_form_shows_every_choice_with_its_national_code(cadre: Client) -> None:
    page = cadre.get(NEW).content.decode()
    assert all(value in page for value in ("自身发展动力不足", "沥青路", "本科及以上", "之外孙女", "基诺族", "aac073"))


def test_a_new_card_is_saved_and_its_page_opens(cadre: Client) -> None:
    number = id_number("19700203", "男")
    answer = cadre.post(NEW, posted(HEAD | {"id_number": number.lower()}, wage_income="１２,０００ 元"))
    household = Household.objects.get()
    assert answer.url == f"/households/{household.pk}/"
    head = household.memberships.get().person
    assert (head.id_number, head.sex, head.birth_date.isoformat()) == (number, "男", "1970-02-03")
    assert household.sheets.get().wage_income == 12000


def test_an_unknown_stays_unknown_and_zero_stays_zero(cadre: Client) -> None:
    cadre.post(NEW, posted(HEAD, wage_income="", pension="0", owns_car="", water_safe="否"))
    sheet = Household.objects.get().sheets.get()
    assert (sheet.wage_income, sheet.pension, sheet.owns_car, sheet.water_safe) == (None, 0, None, False)


def test_blank_rows_are_no_members(cadre: Client) -> None:
    cadre.post(NEW, posted(HEAD, {"relation": ""}, {"name": "", "health": []}))
    assert Household.objects.get().persons == 1


@pytest.mark.parametrize(
    ("change", "field", "text"),
    [
        ({"wage_income": "很多"}, "wage_income", "这里应是数字"),
        ({"pigs": "-1"}, "pigs", "不能为负"),
        ({"year": ""}, "year", "请填写"),
        ({"year": "1999"}, "year", "年度不在"),
        ({"main_cause": "懒惰"}, "main_cause", "不在可选范围"),
        ({"irrigated_land": "5", "cultivated_land": "4"}, "irrigated_land", "有效灌溉面积大于耕地面积"),
        ({"house_grade": "D级", "unsafe_house": "否"}, "house_grade", "不一致"),
        ({"village_code": str(OTHER_VILLAGE)}, "village_code", "不在您的辖区内"),
    ],
)
def test_a_wrong_household_field_is_told_at_its_place(cadre: Client, change: dict, field: str, text: str) -> None:
    answer = cadre.post(NEW, posted(HEAD, **change))
    assert answer.status_code == 422
    assert any(text in error for error in answer.context["forms"].household.errors[field])
    assert Household.objects.count() == 0


@pytest.mark.parametrize(
    ("change", "field", "text"),
    [
        ({"id_number": "430725197002031"}, "id_number", "校验码"),
        ({"id_number": "43072519700203123"}, "id_number", "现为17位"),
        ({"name": "", "sex": "男"}, "name", "请填写"),
        ({"work_place": "省外务工"}, "work_months", "务工时间"),
        ({"birth_date": "1970-02-30"}, "birth_date", "日期"),
    ],
)
def test_a_wrong_member_field_is_told_at_its_place(cadre: Client, change: dict, field: str, text: str) -> None:
    answer = cadre.post(NEW, posted(HEAD, {"name": "张小明", "relation": "之子", **change}))
    assert answer.status_code == 422
    errors = answer.context["forms"].members.forms[1].errors
    assert any(text in error for error in errors.get(field, [])), errors


def test_the_summary_links_to_the_fields(cadre: Client) -> None:
    page = cadre.post(NEW, posted(HEAD | {"name": ""}, wage_income="很多")).content.decode()
    summary = page[page.index("error-summary") : page.index("</ul>", page.index("error-summary"))]
    assert 'href="#id_wage_income"' in summary and 'href="#id_members-0-name"' in summary


def test_a_number_of_another_card_is_told_at_the_member_without_the_place(
    people: People, as_user: Callable[..., Client]
) -> None:
    first = make_household(FENGMING, head="欧阳建国")
    number = first.memberships.get().person.id_number
    data = posted(
        HEAD | {"id_number": id_number("19700203", "男")},
        HEAD | {"name": "张小明", "relation": "其他", "id_number": number},
        village_code=str(OTHER_VILLAGE),
    )
    answer = as_user(people.other_cadre).post(NEW, data)
    errors = answer.context["forms"].members.forms[1].errors["id_number"]
    assert "查重台" in errors[0]
    assert "欧阳" not in answer.content.decode()


def test_a_form_sent_twice_is_one_card(cadre: Client) -> None:
    data = posted(HEAD | {"id_number": id_number("19700203", "男")})
    answers = [cadre.post(NEW, data) for _ in range(2)]
    assert [answer.url for answer in answers] == [f"/households/{Household.objects.get().pk}/"] * 2


# -- correcting ------------------------------


def test_numbers_stand_masked_in_the_form_and_come_back_unchanged(cadre: Client, saved: Household) -> None:
    edit = f"/households/{saved.pk}/edit/"
    page = cadre.get(edit)
    number = saved.memberships.get(relation="户主").person.id_number
    assert number not in page.content.decode() and "13873600001" not in page.content.decode()
    cadre.post(edit, filled_in(page) | {"pigs": "8"})
    saved.refresh_from_db()
    assert (saved.version, saved.phone, saved.sheets.get().pigs) == (2, "13873600001", 8)
    assert saved.memberships.get(relation="户主").person.id_number == number


def test_a_form_sent_back_untouched_writes_nothing(cadre: Client, saved: Household) -> None:
    edit = f"/households/{saved.pk}/edit/"
    cadre.post(edit, filled_in(cadre.get(edit)))
    saved.refresh_from_db()
    assert saved.version == 1


def test_a_new_number_replaces_the_old_one_and_frees_it(cadre: Client, saved: Household) -> None:
    edit = f"/households/{saved.pk}/edit/"
    old = saved.memberships.get(relation="户主").person.id_number_hash
    data = filled_in(cadre.get(edit))
    cadre.post(edit, data | {"members-0-id_number": id_number("19700101", "男", serial=48)})
    assert not IdentityClaim.objects.filter(number_hash=old).exists()


def test_a_half_changed_mask_is_refused(cadre: Client, saved: Household) -> None:
    edit = f"/households/{saved.pk}/edit/"
    answer = cadre.post(edit, filled_in(cadre.get(edit)) | {"phone": "138****0002"})
    assert "完整号码" in answer.context["forms"].household.errors["phone"][0]


def test_a_member_is_moved_out(cadre: Client, saved: Household) -> None:
    edit = f"/households/{saved.pk}/edit/"
    cadre.post(edit, filled_in(cadre.get(edit)) | {"members-1-DELETE": "on"})
    saved.refresh_from_db()
    assert (saved.persons, saved.memberships.filter(until=None).count()) == (1, 1)


def test_another_year_starts_from_the_last_ones_conditions_and_asks_income_anew(
    cadre: Client, saved: Household
) -> None:
    page = cadre.get(f"/households/{saved.pk}/edit/?year=2020")
    form = page.context["forms"].household
    assert (form["house_area"].value(), form["business_income"].value(), form["year"].value()) == ("90", "", 2020)
    assert form["still_house_area"].value() is None
    assert "still_wage_income" not in form.fields


def confirmed(page: Any, **answers: str) -> dict[str, Any]:
    """The untouched new year's form, every group of last year's facts confirmed, `answers` apart."""
    forms = page.context["forms"]
    asked = [
        form.add_prefix(name)
        for form in [forms.household, *forms.members, forms.needs]
        for name in form.fields
        if "still_" in name
    ]
    return filled_in(page) | dict.fromkeys(asked, "same") | answers


def test_what_is_confirmed_is_copied_into_the_new_year(cadre: Client, saved: Household) -> None:
    edit = f"/households/{saved.pk}/edit/?year=2020"
    answer = cadre.post(edit, confirmed(cadre.get(edit)))
    assert answer.status_code == 302
    assert set(saved.sheets.values_list("year", "house_area", "business_income")) == {
        (2019, 90, 9000),
        (2020, 90, None),
    }
    assert saved.sheets.get(year=2020).members.get(relation="户主").education == "初中"


def test_what_nobody_confirmed_is_named_before_the_save_and_then_unknown(cadre: Client, saved: Household) -> None:
    edit = f"/households/{saved.pk}/edit/?year=2020"
    answers = {"still_house_area": "", "house_grade": "A级", "members-1-still_education": ""}
    data = confirmed(cadre.get(edit), **answers)
    asked = cadre.post(edit, data)
    named = [(group.href, group.whose, str(group.title)) for group in asked.context["waiting"]]
    assert (asked.status_code, saved.sheets.count()) == (422, 1)
    assert named == [("#id_still_house_area", "", "住房"), ("#id_members-1-still_education", "李秀英", "教育")]
    unknown = data | {"leave_unknown": "yes", "members-1-out_of_school_reason": "年满16岁", "explain-all": ""}
    doubts = cadre.post(edit, unknown)
    assert 'name="leave_unknown"' in doubts.content.decode()
    cadre.post(edit, unknown | {"explain-all": "上门时没有丈量"})
    sheet = saved.sheets.get(year=2020)
    assert (sheet.house_area, sheet.house_grade, sheet.cultivated_land is None) == (None, "A级", False)
    assert sheet.members.get(relation="配偶").education == ""
    assert saved.sheets.get(year=2019).house_area == 90


def test_the_sheet_of_a_year_that_stands_asks_nothing(cadre: Client, saved: Household) -> None:
    page = cadre.get(f"/households/{saved.pk}/edit/").content.decode()
    assert "data-still" not in page


def test_the_cards_page_leads_to_the_next_years_sheet(cadre: Client, saved: Household) -> None:
    assert f"/households/{saved.pk}/edit/?year=2020" in cadre.get(f"/households/{saved.pk}/").content.decode()


def test_a_new_order_of_members_is_saved(cadre: Client, saved: Household) -> None:
    edit = f"/households/{saved.pk}/edit/"
    data = filled_in(cadre.get(edit))
    rows = {key: value for key, value in data.items() if key.startswith(("members-0-", "members-1-"))}
    turned = {key.translate(str.maketrans("01", "10")): value for key, value in rows.items()}
    kept = {key: value for key, value in data.items() if key not in rows}
    assert cadre.post(edit, kept | turned).status_code == 302
    assert list(saved.memberships.order_by("position").values_list("relation", flat=True)) == ["配偶", "户主"]


def test_long_lists_can_be_searched_by_initials(cadre: Client) -> None:
    page = cadre.get(NEW)
    assert page.context["search"]["initials"]["土家族"] == "tjz"
    assert page.context["forms"].members.forms[0].fields["ethnicity"].widget.attrs["data-search"] == ""


def test_an_edit_is_logged_as_one_read(cadre: Client, saved: Household, django_assert_max_num_queries: Any) -> None:
    from changde.audit.models import Event

    with django_assert_max_num_queries(25):
        cadre.get(f"/households/{saved.pk}/edit/")
    assert Event.objects.filter(kind="read").count() == 1


# -- two people ------------------------------


@pytest.fixture
def changed_meanwhile(cadre: Client, saved: Household, people: People) -> dict[str, Any]:
    """The cadre has the form open; the officer saves other pigs, another group and another schooling of the wife."""
    data = filled_in(cadre.get(f"/households/{saved.pk}/edit/"))
    stored = load_card(saved, 2019)
    card = with_member(with_household(with_sheet(stored.card, pigs=9), group="9组"), 1, education="高中")
    save_card(card=card, persons=stored.persons, by=people.reshi_officer, household=saved, expected_version=1)
    return data


def test_different_fields_merge_without_a_question(
    cadre: Client, saved: Household, changed_meanwhile: dict[str, Any]
) -> None:
    answer = cadre.post(f"/households/{saved.pk}/edit/", changed_meanwhile | {"cattle": "2"})
    saved.refresh_from_db()
    assert (answer.status_code, saved.group, saved.sheets.get().cattle, saved.sheets.get().pigs) == (302, "9组", 2, 9)


def test_a_conflict_shows_mine_theirs_who_and_keeps_the_rest(
    cadre: Client, saved: Household, changed_meanwhile: dict[str, Any]
) -> None:
    mine = changed_meanwhile | {"pigs": "7", "cattle": "2", "members-1-education": "小学"}
    answer = cadre.post(f"/households/{saved.pk}/edit/", mine)
    forms = answer.context["forms"]
    assert answer.status_code == 409
    assert [(c.name, c.whose, c.mine, c.theirs) for c in forms.choices] == [
        ("pigs", "", "7", "9"),
        ("members-1-education", "李秀英", "小学", "高中"),
    ]
    assert (forms.household["group"].value(), forms.household["cattle"].value()) == ("9组", "2")
    assert "热市镇专干" in answer.content.decode()


@pytest.mark.parametrize(("choice", "pigs"), [("mine", 7), ("theirs", 9)])
def test_the_choice_decides(
    cadre: Client, saved: Household, changed_meanwhile: dict[str, Any], choice: str, pigs: int
) -> None:
    edit = f"/households/{saved.pk}/edit/"
    conflict = cadre.post(edit, changed_meanwhile | {"pigs": "7", "cattle": "2"})
    answer = cadre.post(edit, filled_in(conflict) | {"choose-pigs": choice})
    sheet = saved.sheets.get()
    assert (answer.status_code, sheet.pigs, sheet.cattle) == (302, pigs, 2)


def test_a_member_i_moved_out_whom_they_changed_is_asked(
    cadre: Client, saved: Household, changed_meanwhile: dict[str, Any]
) -> None:
    edit = f"/households/{saved.pk}/edit/"
    conflict = cadre.post(edit, changed_meanwhile | {"members-1-DELETE": "on"})
    assert [(c.name, c.mine, c.theirs) for c in conflict.context["forms"].choices] == [
        ("members-1-DELETE", "移出本户", "保留在户")
    ]
    cadre.post(edit, filled_in(conflict) | {"choose-members-1-DELETE": "theirs"})
    saved.refresh_from_db()
    assert saved.persons == 2


def test_the_page_without_scripts_offers_blank_rows(cadre: Client) -> None:
    page = cadre.get(NEW + "?rows=4").content.decode()
    assert len(re.findall(r"name=\"members-\d+-name\"", page)) == 5
