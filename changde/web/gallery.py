"""Made-up, real-looking content for the gallery of components. Nobody in it exists."""

# ruff: noqa: E501 (rows of examples are read across)

from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils import timezone

from changde.web import badges
from changde.web.forms import FigureInput
from changde.web.icons import ICONS
from changde.web.keyset import Total


class ExampleForm(forms.Form):
    """One field of every kind."""

    name = forms.CharField(label="户主姓名", max_length=30)
    number = forms.CharField(label="身份证号", help_text="18 位；最后一位可为 X。填完后自动带出出生日期和性别。")
    wage = forms.DecimalField(
        label="工资性收入", help_text="上年 10 月 1 日至本年 9 月 30 日", required=False, widget=FigureInput
    )
    cause = forms.ChoiceField(label="主要致贫原因", choices=[("", "请选择"), ("illness", "因病"), ("labour", "缺劳力")])
    grade = forms.ChoiceField(
        label="住房等级",
        choices=[("A", "A 级"), ("B", "B 级"), ("C", "C 级"), ("D", "D 级"), ("unknown", "未鉴定")],
        widget=forms.RadioSelect,
    )
    skills = forms.MultipleChoiceField(
        label="技能", choices=[("farm", "种植"), ("cook", "烹饪")], widget=forms.CheckboxSelectMultiple, required=False
    )
    road = forms.BooleanField(label="入户路已硬化", required=False)
    note = forms.CharField(label="入户走访情况", widget=forms.Textarea(attrs={"rows": 3}), required=False)
    paper = forms.FileField(label="佐证材料", required=False)


_HOUSEHOLDS = [
    ("H-0417", "覃建国", "凤鸣村 3 组", 4, "absolute", "registered", ["guarantee_gap"], 2874, 2874 / 5000),
    ("H-0421", "向桂英", "凤鸣村 3 组", 2, "relative", "monitored", [], 4512, 4512 / 5000),
    ("H-0433", "张友德", "凤鸣村 5 组", 6, "not_poor", "exited", [], 11238, 1),
    ("H-0440", "文秀兰", "凤鸣村 6 组", 1, "undetermined", "unregistered", ["verify", "stale"], None, None),
    ("H-0452", "罗小满", "凤鸣村 8 组", 5, "absolute", "unregistered", ["excluded"], -620, 0),
]


def context(request: HttpRequest) -> dict[str, Any]:
    now = timezone.now()
    bound = ExampleForm({"name": "", "number": "43072519680230512", "wage": "三千", "grade": "C", "road": "on"})
    return {
        "today": date(2026, 11, 23),
        "now": now,
        "icons": sorted(ICONS),
        "kinds": badges.kinds(),
        "form": ExampleForm(),
        "bound": bound,
        "households": [
            {"number": n, "head": h, "place": p, "persons": s, "outcome": o, "status": st, "flags": f, "income": i, "part": b}
            for n, h, p, s, o, st, f, i, b in _HOUSEHOLDS
        ],
        "page": SimpleNamespace(rows=_HOUSEHOLDS, next="x", previous="", total=Total(23_400, exact=False)),
        "crumbs": [{"text": "桃源县", "href": "#"}, {"text": "热市镇", "href": "#"}, {"text": "凤鸣村"}],
        "chips": [
            {"text": "全部", "href": "#", "on": False, "count": 127},
            {"text": "绝对贫困", "href": "#", "on": True, "count": 18},
            {"text": "相对贫困", "href": "#", "on": False, "count": 31},
            {"text": "3 组", "href": "#", "on": True, "removable": True},
        ],
        "tabs": [
            {"text": "家庭", "href": "#", "current": True},
            {"text": "收入", "href": "#"},
            {"text": "为什么", "href": "#"},
            {"text": "疑点", "href": "#", "count": 2},
            {"text": "历史", "href": "#"},
        ],
        "sections": [
            {"id": "s1", "text": "基本情况", "state": "done"},
            {"id": "s2", "text": "家庭成员", "state": "error", "note": "2"},
            {"id": "s3", "text": "收入", "current": True, "note": "3/14"},
            {"id": "s4", "text": "住房和饮水"},
        ],
        "events": [
            {"when": "2026-03-02 09:12", "what": "入户调查", "who": "李卫东", "state": "done"},
            {"when": "2026-03-11 15:40", "what": "民主评议：应到 32 人，实到 27 人，同意 25 人", "who": "凤鸣村", "state": "done"},
            {"when": "2026-03-13 至 2026-03-19", "what": "第一次公示", "text": "无异议", "state": "done", "href": "#"},
            {"when": "应于 2026-03-26 前", "what": "乡镇审核", "who": "热市镇", "state": "late"},
            {"when": "", "what": "第二次公示", "state": ""},
        ],
        "facts": [("户编号", "430725103202-0417"), ("联系电话", None), ("耕地面积", "3.2 亩"), ("开户银行", "农村商业银行")],
        "earlier": now - timedelta(hours=3, minutes=10),
        "trend": {
            "type": "line",
            "unit": "户",
            "categories": ["2016", "2017", "2018", "2019", "2020"],
            "series": [
                {"name": "建档立卡", "data": [412, 371, 266, 140, 61]},
                {"name": "绝对贫困", "data": [398, 340, 251, 122, 40], "tone": "danger"},
            ],
        },
        "spread": {
            "type": "bar",
            "unit": "户",
            "categories": ["<1,000", "1,000", "2,000", "3,000", "4,000", "5,000", "6,000", "7,000", "≥8,000"],
            "series": [{"name": "户数", "data": [6, 11, 23, 31, 40, 52, 38, 30, 44]}],
            "mark": {"axis": "x", "value": 3, "name": "标准线 3,218 元"},
        },
        "map": {
            "metric": "incidence",
            "metrics": [
                {"key": "incidence", "name": "贫困发生率", "kind": "share", "tone": "danger"},
                {"key": "households", "name": "户卡", "kind": "number", "unit": "户"},
            ],
            "areas": [
                {"code": f"{code}000000", "name": name, "url": "#map", "values": {"incidence": share, "households": number}}
                for code, name, share, number in [
                    ("430702", "武陵区", 0.004, 812), ("430703", "鼎城区", 0.016, 4120), ("430721", "安乡县", 0.021, 2874),
                    ("430722", "汉寿县", 0.019, 3911), ("430723", "澧县", 0.017, 4020), ("430724", "临澧县", 0.014, 2310),
                    ("430725", "桃源县", 0.032, 6520), ("430726", "石门县", 0.041, 7034), ("430771", "西洞庭管理区", 0.008, 310),
                    ("430781", "津市市", 0.011, 1204),
                ]
            ],
        },
    }  # fmt: skip
