"""The workbook to fill in: the two sheets of the national layout with an example family, and a sheet that explains."""

from collections.abc import Mapping
from typing import Any

from households.domain import fields
from households.domain.card_workbook import EXAMPLE, LAYOUTS
from households.domain.fields import HOUSEHOLD_SHEET, MEMBER_SHEET, Field
from households.domain.workbook import Page

EXPLANATION_SHEET = "填写说明"
_NUMBER = f"{EXAMPLE}（导入时不读，可删除）"
# The numbers of the example are nobody's: their area code does not exist.
_HEAD = "999999197001010010"
_HOUSEHOLD: Mapping[str, Any] = {
    "number": _NUMBER, "village_code": "430725103202", "city_name": "常德市", "county_name": "桃源县",
    "township_name": "热市镇", "village_name": "凤鸣村", "group": "3组", "head_name": "张示例", "head_id_number": _HEAD,
    "phone": "13800000000", "address": "凤鸣村3组12号", "attribute": "一般贫困户", "main_cause": "因病",
    "other_causes": "缺技术、缺资金", "exit_flag": "未脱贫", "year": "2019", "wage_income": "12000",
    "business_income": "5000",
    "property_income": "0", "family_planning": "0", "dibao": "0", "wubao": "0", "pension": "1236",
    "ecological_compensation": "0", "other_transfer": "300", "production_expenses": "1800", "medical_cost": "2600",
    "cultivated_land": "4.2", "irrigated_land": "3", "pigs": "2", "production_power": "是", "domestic_power": "是",
    "water_difficult": "否", "water_safe": "是", "road_distance": "0.5", "entrance_road": "水泥路", "house_area": "90",
    "unsafe_house": "否", "house_grade": "B级", "sanitary_toilet": "是", "main_fuel": "清洁能源",
}  # fmt: skip
_FIRST: Mapping[str, Any] = {
    "name": "张示例", "sex": "男", "id_kind": "居民身份证", "id_number": _HEAD, "birth_date": "1970-01-01",
    "ethnicity": "汉族", "relation": "户主", "education": "初中", "school_status": "非在校生", "health": "长期慢性病",
    "labour": "普通劳动力",
    "residents_insurance": "是", "employees_insurance": "否", "residents_pension": "是", "soldier": "否",
}  # fmt: skip
_SECOND: Mapping[str, Any] = {
    "name": "李示例", "sex": "女", "id_kind": "居民身份证", "id_number": "999999197203150021",
    "birth_date": "1972-03-15", "ethnicity": "汉族", "relation": "配偶", "education": "小学",
    "school_status": "非在校生", "health": "健康",
    "labour": "普通劳动力", "residents_insurance": "是", "employees_insurance": "否", "residents_pension": "是",
    "soldier": "否",
}  # fmt: skip
_HOW = {
    "text": "文字",
    "code12": "12位行政区划代码",
    "id": "18位（或15位老号码）；请把单元格设为文本",
    "certificate": "证件号码；请把单元格设为文本",
    "phone": "11位手机号，或带区号的座机号",
    "account": "银行账号；请把单元格设为文本",
    "enum": "从列表中选一项",
    "enum list": "可填多项，用“、”分开",
    "year": "四位年份，如2019（上年10月至当年9月）",
    "money": "数字，元；没有填0，不知道留空",
    "decimal": "数字，两位小数",
    "integer": "整数",
    "yes/no": "是 或 否",
    "date": "如2019-05-21",
    "datetime": "如2019-05-21 10:30",
}


def template_pages() -> list[Page]:
    """The sheets of the template. The example is left out when the workbook is read."""
    return [
        _sheet(HOUSEHOLD_SHEET, [_HOUSEHOLD]),
        _sheet(MEMBER_SHEET, [{"number": _NUMBER, "head_id_number": _HEAD, **member} for member in (_FIRST, _SECOND)]),
        _explanation(),
    ]


def _sheet(sheet: str, examples: list[dict[str, Any]] | list[Mapping[str, Any]]) -> Page:
    columns = fields.of_sheet(sheet)
    return Page(
        sheet,
        [of.header for of in columns],
        [[_example(of, facts) for of in columns] for facts in examples],
        {index: of.values for index, of in enumerate(columns) if of.values and of.type != "enum list"},
    )


def _example(of: Field, facts: Mapping[str, Any]) -> Any:
    # The member's own number is another column than the household's.
    return None if of.attribute == "number" and of.entity == "person" else facts.get(of.attribute)


def _explanation() -> Page:
    needed = {layout.sheet: layout.needed for layout in LAYOUTS}
    rows = [
        [of.sheet, of.header, _need(of.header, needed[of.sheet]), _HOW[of.type], "、".join(of.values)]
        for sheet in (HOUSEHOLD_SHEET, MEMBER_SHEET)
        for of in fields.of_sheet(sheet)
    ]
    return Page(EXPLANATION_SHEET, ["工作表", "列", "必需", "怎样填写", "可选的内容"], rows)


def _need(header: str, needed: tuple[tuple[str, ...], ...]) -> str:
    choices = next((choices for choices in needed if header in choices), ())
    others = "”或“".join(each for each in choices if each != header)
    return f"与“{others}”至少一列" if others else "必需" if choices else ""
