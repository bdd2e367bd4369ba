"""Made-up cadres for demonstrations: nobody in it exists; numbers are valid in form only.

The same seed gives the same cadres. Most come from units of Taoyuan county and of the city, some from other counties;
a few are kept out by each hard rule, so that a plan has something to explain.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Any

from cadres.domain.cadre_row import cadre_fields
from households.domain.id_number import check_character

CITY, WULING, DINGCHENG = 430700000000, 430702000000, 430703000000
HANSHOU, LINLI, TAOYUAN, SHIMEN = 430722000000, 430724000000, 430725000000, 430726000000
FENGMING, ZHANGSHAN, LONGJIAZUI = 430725103202, 430725103204, 430725103206
RESHI = 430725103000

_SURNAMES = "王李张刘陈杨黄赵周吴徐孙朱马胡郭何罗高林郑梁谢唐许冯邓曹彭曾覃向龚田卢"
_MEN = "建国 志强 文斌 海波 立新 永红 国平 晓东 伟民 军 勇 涛 明辉 继祥 宏伟 长春 新华 启明"
_WOMEN = "丽华 桂芳 秀英 红梅 静 敏 艳 小燕 玉兰 春香 晓琴 雪梅 翠萍 美玲 芬 莉 佳慧 思雨"
_EDUCATION = ("大专", "本科", "本科", "本科", "硕士")
_RANKS = ("一级科员", "四级主任科员", "三级主任科员", "二级主任科员", "一级主任科员", "四级调研员")
_POSITIONS = ("办事员", "科员", "副股长", "股长", "副科长", "科长", "副主任")
_MAJORS = {
    "种植": "农学",
    "养殖": "畜牧兽医",
    "水利": "水利工程",
    "卫生": "临床医学",
    "教育": "教育学",
    "工程建设": "土木工程",
    "金融": "金融学",
    "法律": "法学",
    "电商": "电子商务",
    "旅游": "旅游管理",
    "林业": "林学",
    "劳务输出": "劳动与社会保障",
    "党建": "思想政治教育",
    "产业规划": "农业经济管理",
}
_DIALECTS = {
    TAOYUAN: "桃源话",
    LINLI: "临澧话",
    SHIMEN: "石门话",
    HANSHOU: "汉寿话",
    WULING: "常德话",
    DINGCHENG: "常德话",
}


@dataclass(frozen=True)
class _Unit:
    """A unit, how many cadres it names, and what its people know."""

    name: str
    kind: str
    division: int
    cadres: int
    skills: tuple[str, ...]


_UNITS = (
    _Unit("常德市农业农村局", "市直部门", CITY, 4, ("种植", "养殖", "产业规划")),
    _Unit("常德市水利局", "市直部门", CITY, 3, ("水利", "工程建设")),
    _Unit("常德市卫生健康委员会", "市直部门", CITY, 3, ("卫生", "党建")),
    _Unit("常德市教育局", "市直部门", CITY, 2, ("教育", "党建")),
    _Unit("常德市商务局", "市直部门", CITY, 2, ("电商", "产业规划")),
    _Unit("常德市农村商业银行", "国有企业", CITY, 2, ("金融", "产业规划")),
    _Unit("湖湘农业职业学院", "高校", CITY, 2, ("种植", "教育", "产业规划")),
    _Unit("桃源县农业农村局", "县直部门", TAOYUAN, 5, ("种植", "养殖", "产业规划")),
    _Unit("桃源县水利局", "县直部门", TAOYUAN, 4, ("水利", "工程建设")),
    _Unit("桃源县人民医院", "医院", TAOYUAN, 4, ("卫生",)),
    _Unit("桃源县教育局", "县直部门", TAOYUAN, 3, ("教育", "党建")),
    _Unit("桃源县人力资源和社会保障局", "县直部门", TAOYUAN, 3, ("劳务输出", "法律")),
    _Unit("桃源县交通运输局", "县直部门", TAOYUAN, 3, ("工程建设", "水利")),
    _Unit("桃源县林业局", "县直部门", TAOYUAN, 2, ("林业", "种植")),
    _Unit("桃源县委组织部", "县直部门", TAOYUAN, 2, ("党建", "产业规划")),
    _Unit("热市镇人民政府", "乡镇", RESHI, 3, ("党建", "旅游", "劳务输出")),
    _Unit("临澧县农业农村局", "县直部门", LINLI, 3, ("种植", "养殖")),
    _Unit("石门县文化旅游局", "县直部门", SHIMEN, 2, ("旅游", "电商")),
    _Unit("汉寿县畜牧水产局", "县直部门", HANSHOU, 2, ("养殖", "水利")),
    _Unit("武陵区司法局", "县直部门", WULING, 3, ("法律", "党建")),
    _Unit("鼎城区金融办", "县直部门", DINGCHENG, 3, ("金融", "产业规划")),
)


def demo_rows(seed: int) -> Iterator[list[Any]]:
    """The rows of the workbook in the order of the template's columns."""
    random = Random(seed)  # noqa: S311 - a demonstration, nothing secret
    serial = 0
    for unit in _UNITS:
        for _number in range(unit.cadres):
            serial += 1
            facts = _cadre(random, unit, serial)
            yield [facts.get(of.attribute) for of in cadre_fields()]


def _cadre(random: Random, unit: _Unit, serial: int) -> dict[str, Any]:
    sex = random.choice("男男女")
    born = date(1968, 1, 1) + timedelta(days=random.randrange(27 * 365))
    given = random.choice((_MEN if sex == "男" else _WOMEN).split())
    main = random.choice(unit.skills)
    home = unit.division - unit.division % 10**6 if unit.division != CITY else random.choice(tuple(_DIALECTS))
    facts = {
        "staff_number": f"CD{serial:04d}",
        "name": random.choice(_SURNAMES) + given,
        "sex": sex,
        "id_number": _id_number(random, home, born, sex, serial),
        "phone": f"1{random.choice('3578')}{random.randrange(10**9):09d}",
        "unit": unit.name,
        "unit_kind": unit.kind,
        "unit_division": str(unit.division),
        "position": random.choice(_POSITIONS),
        "rank": random.choice(_RANKS),
        "political_status": random.choices(
            ("中共党员", "群众", "中共预备党员", "民主党派", "共青团员"), (74, 14, 4, 4, 4)
        )[0],
        "education": random.choice(_EDUCATION),
        "major": _MAJORS[main],
        "skills": _skills(random, unit, main),
        "dialects": _dialects(random, home),
        "rural_years": random.choice((None, 0, 1, 2, 3, 4, 5, 6, 8, 10, 12, 15)),
        "last_assessment": random.choices(("优秀", "称职", "基本称职", "不称职", None), (24, 62, 6, 3, 5))[0],
        "available_from": str(date(random.choice((2019, 2020)), random.randrange(1, 13), 1)),
        "available_to": random.choices((None, "2035-12-31", "2021-12-31"), (70, 25, 5))[0],
        "wished_counties": random.choices((None, "桃源县", "石门县、桃源县", "临澧县", "鼎城区"), (45, 30, 10, 8, 7))[
            0
        ],
        "possible_roles": random.choices(
            ("第一书记、驻村工作队员", "驻村工作队员", "第一书记、专业书记、驻村工作队员", "专业书记", "帮扶责任人"),
            (40, 25, 20, 10, 5),
        )[0],
    }
    return facts | _ties(random, home)


def _ties(random: Random, home: int) -> dict[str, Any]:
    """Home and relatives' villages: of Taoyuan's people some come from the very villages of the demonstration."""
    if home != TAOYUAN:
        return {}
    village = random.choice((FENGMING, ZHANGSHAN, LONGJIAZUI, None, None))
    avoided = random.choice((None, None, None, f"{FENGMING}、{LONGJIAZUI}", str(ZHANGSHAN)))
    return {"home_village": str(village) if village else None, "avoid_villages": avoided}


def _skills(random: Random, unit: _Unit, main: str) -> str:
    others = [skill for skill in unit.skills if skill != main and random.random() < 0.7]
    parts = [f"{main}({random.choice((2, 2, 3, 3))})"]
    parts += [skill + random.choice(("", "(1)", "(2)")) for skill in others]
    return "、".join(parts)


def _dialects(random: Random, home: int) -> str | None:
    spoken = {_DIALECTS.get(home, "常德话")}
    if random.random() < 0.25:
        spoken.add("常德话")
    return "、".join(sorted(spoken)) if random.random() < 0.8 else None


def _id_number(random: Random, county: int, born: date, sex: str, serial: int) -> str:
    sequence = 2 * (random.randrange(100) + 4 * (serial % 90)) + (1 if sex == "男" else 0)
    first_17 = f"{county // 10**6}{born:%Y%m%d}{sequence:03d}"
    return first_17 + check_character(first_17)
