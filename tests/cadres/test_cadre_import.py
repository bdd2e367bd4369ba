"""The workbook of cadres: what is tolerated, what is refused and why, what a second import does."""

import io
import json
import tempfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.core.management import CommandError, call_command

from cadres.domain.cadre_row import cadre_fields
from cadres.models import Cadre, CadreSkill, Unit
from cadres.services.cadre_import import ImportSummary, import_cadres
from changde.accounts.refusal import Refusal
from changde.audit.models import Event
from tests.factories import id_number
from tests.personas import CITY, FENGMING, OTHER_VILLAGE, TAOYUAN, WULING, People

pytestmark = pytest.mark.django_db
DEMO = Path(__file__).parents[2] / "cadres" / "reference" / "demo_cadres.xlsx"
HEADERS = {of.attribute: of.header for of in cadre_fields()}
GOOD: dict[str, Any] = {
    "staff_number": "GB001",
    "name": "李建国",
    "sex": "男",
    "id_number": id_number("19800101", "男", 1),
    "phone": "13507360001",
    "unit": "桃源县水利局",
    "unit_kind": "县直部门",
    "unit_division": str(TAOYUAN),
    "position": "科员",
    "political_status": "中共党员",
    "education": "本科",
    "skills": "水利(3)、工程建设",
    "dialects": "桃源话、常德话",
    "home_village": str(OTHER_VILLAGE),
    "avoid_villages": f"{FENGMING}、{OTHER_VILLAGE}",
    "rural_years": 6,
    "last_assessment": "称职",
    "available_from": "2019-01-01",
    "wished_counties": "桃源县、430726",
    "possible_roles": "第一书记、驻村工作队员",
}


def workbook(*rows: dict[str, Any], sheet: str = "干部信息", title: str = "") -> io.BytesIO:
    book = openpyxl.Workbook()
    page = book.active
    page.title = sheet
    if title:
        page.append([title])
        page.append([])
    attributes = list(dict.fromkeys(name for row in rows for name in row))
    page.append([HEADERS[name] for name in attributes])
    for row in rows:
        page.append([row.get(name) for name in attributes])
    file = io.BytesIO()
    book.save(file)
    file.seek(0)
    return file


def take(*rows: dict[str, Any], by: Any = None, **options: Any) -> ImportSummary:
    with tempfile.TemporaryFile() as file:  # the reader is a child process: it needs a real file
        file.write(workbook(*rows, **options).getvalue())
        file.seek(0)
        return import_cadres(source=file, by=by)


def test_every_column_of_the_template_has_its_place() -> None:
    columns = {one.name for one in Cadre._meta.get_fields()}
    elsewhere = {"unit_kind", "unit_division"}  # of the unit
    encrypted = {"id_number", "phone"}
    assert {of.attribute for of in cadre_fields()} - columns == elsewhere | encrypted
    assert {f"{name}_cipher" for name in encrypted} <= columns


def test_every_field_of_a_row_arrives() -> None:
    summary = take(GOOD, title="常德市干部信息表")
    assert (summary.read, summary.created, summary.refused) == (1, 1, [])
    cadre = Cadre.objects.get()
    assert (cadre.name, cadre.pinyin, cadre.initials) == ("李建国", "li jian guo", "ljg")
    assert (cadre.unit.name, cadre.unit.kind, cadre.unit.division_id) == ("桃源县水利局", "县直部门", TAOYUAN)
    assert {skill.skill: skill.level for skill in cadre.skills.all()} == {"水利": 3, "工程建设": 1}
    assert (cadre.dialects, cadre.possible_roles) == (["桃源话", "常德话"], ["第一书记", "驻村工作队员"])
    assert (cadre.home_village, cadre.avoid_villages) == (OTHER_VILLAGE, [FENGMING, OTHER_VILLAGE])
    assert cadre.wished_counties == [TAOYUAN, 430726000000]
    assert (str(cadre.available_from), cadre.available_to, cadre.rural_years) == ("2019-01-01", None, 6)
    assert (cadre.id_number, cadre.phone) == (GOOD["id_number"], "13507360001")
    assert (cadre.masked_id_number[4:-4], cadre.masked_phone) == ("*" * 10, "135****0001")


@pytest.mark.parametrize(
    ("values", "attribute", "expected"),
    [
        ({"name": " 李 建国　"}, "name", "李建国"),
        ({"rural_years": "６"}, "rural_years", 6),
        ({"phone": 13507360001.0}, "phone", "13507360001"),
        ({"unit_division": TAOYUAN}, "unit_id", None),
        ({"home_village": float(FENGMING)}, "home_village", FENGMING),
        ({"avoid_villages": FENGMING}, "avoid_villages", [FENGMING]),
        ({"home_village": "无"}, "home_village", None),
        ({"home_village": "420106001001"}, "home_village", 420106001001),
        ({"dialects": "桃源话，常德话; 桃源话"}, "dialects", ["桃源话", "常德话"]),
        ({"available_to": "2026年3月"}, "available_to", "2026-03-31"),
        ({"available_from": "2026.03"}, "available_from", "2026-03-01"),
        ({"id_number": GOOD["id_number"] + "　"}, "id_number", GOOD["id_number"]),
    ],
)
def test_what_people_write_is_understood(values: dict, attribute: str, expected: Any) -> None:
    summary = take(GOOD | values)
    assert summary.refused == []
    found = getattr(Cadre.objects.get(), attribute)
    known = str(found) if attribute.startswith("available") else found
    assert known == (expected if expected is not None or attribute != "unit_id" else Unit.objects.get().pk)


@pytest.mark.parametrize(
    ("skills", "levels"),
    [
        ("种植(3)、养殖", {"种植": 3, "养殖": 1}),
        ("种植（2），养殖（1）", {"种植": 2, "养殖": 1}),
        ("种植 养殖(2)", {"种植": 1, "养殖": 2}),
        ("种植(1)、种植(3)", {"种植": 3}),
        ("", {}),
        ("无", {}),
    ],
)
def test_skills_come_with_or_without_a_level(skills: str, levels: dict) -> None:
    assert take(GOOD | {"skills": skills}).refused == []
    assert {one.skill: one.level for one in CadreSkill.objects.all()} == levels


BAD: list[tuple[dict[str, Any], str, str]] = [
    ({"staff_number": None}, "工号", "没有填写"),
    ({"name": " "}, "姓名", "没有填写"),
    ({"unit": None}, "单位", "没有填写"),
    ({"id_number": GOOD["id_number"][:-1] + "?"}, "证件号码", "校验码"),
    ({"id_number": GOOD["id_number"][:17]}, "证件号码", "18 位，现为 17 位"),
    ({"id_number": 430725198001011234}, "证件号码", "末尾几位已丢失"),
    ({"sex": "女"}, "性别", "男"),
    ({"sex": "不详"}, "性别", "应为以下之一"),
    ({"phone": "12345"}, "联系电话", "手机号"),
    ({"unit_division": None}, "单位所在区划", "新单位"),
    ({"unit_division": "430799000000"}, "单位所在区划", "没有 430799000000"),
    ({"unit_kind": "公司"}, "单位类别", "应为以下之一"),
    ({"political_status": "党外"}, "政治面貌", "应为以下之一"),
    ({"education": "小学"}, "学历", "应为以下之一"),
    ({"skills": "炼丹(3)"}, "技能", "应为以下之一"),
    ({"skills": "种植(5)"}, "技能", "1、2 或 3"),
    ({"home_village": "430725103999"}, "籍贯村", "430725103999 不是"),
    ({"avoid_villages": "430725103000"}, "回避村", "430725103000 不是"),
    ({"avoid_villages": "凤鸣村"}, "回避村", "12位"),
    ({"rural_years": -1}, "农村工作年限", "不能为负"),
    ({"rural_years": 2.5}, "农村工作年限", "整数"),
    ({"rural_years": 99}, "农村工作年限", "太大"),
    ({"last_assessment": "良好"}, "上年考核", "应为以下之一"),
    ({"available_from": 2019.1}, "可派驻起", "日期"),
    ({"available_from": "明年"}, "可派驻起", "日期"),
    ({"available_to": "2018-12-31"}, "可派驻止", "早于"),
    ({"wished_counties": "长沙县"}, "意向县", "长沙县"),
    ({"possible_roles": "村长"}, "可任角色", "应为以下之一"),
    ({"position": "长" * 101}, "职务", "100"),
]


@pytest.mark.parametrize(("values", "column", "words"), BAD, ids=[f"{column} {values}" for values, column, _w in BAD])
def test_a_wrong_cell_refuses_its_row_with_place_and_reason(values: dict, column: str, words: str) -> None:
    good = GOOD | {"staff_number": "GB002", "id_number": None}
    summary = take(GOOD | values, good)
    refused = summary.refused[0]
    assert (refused.sheet, refused.row, refused.column) == ("干部信息", 2, column)
    assert words in refused.reason
    assert (summary.read, summary.created, summary.refused_rows) == (2, 1, 1)
    assert list(Cadre.objects.values_list("staff_number", flat=True)) == ["GB002"]
    assert GOOD["id_number"] not in json.dumps([one.reason for one in summary.refused])


def test_a_second_import_updates_by_staff_number_without_doubles() -> None:
    take(GOOD)
    again = take(GOOD)
    assert (again.unchanged, again.created, again.updated) == (1, 0, 0)
    changed = take(GOOD | {"skills": "水利(2)", "rural_years": 7, "phone": "13507369999"})
    assert (changed.updated, changed.created, Unit.objects.count()) == (1, 0, 1)
    cadre = Cadre.objects.get()
    assert (cadre.rural_years, cadre.version, cadre.phone) == (7, 2, "13507369999")
    assert [str(one) for one in cadre.skills.all()] == ["水利(2)"]
    assert cadre.events.count() == 1


def test_a_missing_column_leaves_facts_and_an_empty_cell_clears_them_but_never_a_number() -> None:
    take(GOOD)
    take({name: GOOD[name] for name in ("staff_number", "name", "unit")})
    assert Cadre.objects.get().rural_years == 6
    take(GOOD | {"rural_years": None, "id_number": None, "phone": None, "skills": None})
    cadre = Cadre.objects.get()
    assert (cadre.rural_years, cadre.id_number, cadre.phone) == (None, GOOD["id_number"], "13507360001")
    assert not cadre.skills.exists()


def test_a_staff_number_twice_in_a_workbook_is_refused_the_second_time() -> None:
    summary = take(GOOD, GOOD | {"name": "另一人", "id_number": None})
    assert (summary.created, summary.refused[0].row, summary.refused[0].column) == (1, 3, "工号")
    assert "第 2 行" in summary.refused[0].reason


def test_an_id_number_belongs_to_one_staff_number() -> None:
    both = take(GOOD, GOOD | {"staff_number": "GB002"})
    later = take(GOOD | {"staff_number": "GB003"})
    assert [both.refused[0].column, later.refused[0].column] == ["证件号码"] * 2


def test_a_known_unit_needs_no_place_and_a_refused_row_leaves_no_unit() -> None:
    take(GOOD)
    summary = take(GOOD | {"staff_number": "GB002", "id_number": None, "unit_division": None})
    assert summary.refused == []
    take(GOOD | {"staff_number": "GB003", "id_number": None, "unit": "新单位", "sex": "?"})
    assert Unit.objects.count() == 1


def test_a_county_office_writes_cadres_of_its_own_units_only(people: People) -> None:
    own, city = GOOD, GOOD | {"staff_number": "GB002", "id_number": None, "unit_division": str(CITY)}
    summary = take(own, city, by=people.taoyuan_office)
    assert (summary.created, [one.column for one in summary.refused]) == (1, ["单位所在区划"])
    wuling = GOOD | {"staff_number": "GB001", "unit": "武陵区水利局", "unit_division": str(WULING)}
    taken = take(wuling, by=people.wuling_office)
    assert [(one.column, one.reason) for one in taken.refused] == [("工号", "这个工号属于您工作范围之外的单位")]
    assert Event.objects.filter(verb="cadres.import_cadres", actor=people.taoyuan_office).count() == 1


def test_the_sheet_may_have_another_name_and_unknown_columns_are_told() -> None:
    assert take(GOOD, sheet="Sheet1").created == 1


def test_a_workbook_without_the_columns_is_refused_as_a_whole() -> None:
    with pytest.raises(Refusal, match="工号"):
        take({name: GOOD[name] for name in ("name", "unit", "sex")})
    with pytest.raises(Refusal):
        take(sheet="干部信息")


def test_what_is_no_workbook_is_refused_in_clear_words(tmp_path: Path) -> None:
    file = tmp_path / "cadres.xlsx"
    file.write_text("not a workbook")
    with pytest.raises(CommandError, match="xlsx"):
        call_command("import_cadres", str(file))
    with pytest.raises(CommandError, match="no file"):
        call_command("import_cadres", str(tmp_path / "missing.xlsx"))


def test_the_demo_workbook_goes_in_whole_and_the_same_seed_gives_the_same_cadres(tmp_path: Path) -> None:
    out = io.StringIO()
    call_command("import_cadres", str(DEMO), "--json", stdout=out)
    first = json.loads(out.getvalue())
    assert (first["read"], first["accepted"], first["created"], first["refused"]) == (60, 60, 60, [])
    call_command("make_demo_cadres", "--seed", "1", "--out", str(tmp_path / "again.xlsx"), stdout=io.StringIO())
    assert import_cadres(source=tmp_path / "again.xlsx", by=None).unchanged == 60


def test_an_import_costs_the_same_queries_for_one_row_and_for_sixty(django_assert_max_num_queries: Any) -> None:
    units = Unit.objects.count()
    with django_assert_max_num_queries(22 + 2 * 21 - units):  # each new unit is a row of its own
        import_cadres(source=DEMO, by=None)
    with django_assert_max_num_queries(16):
        import_cadres(source=DEMO, by=None)
