"""What a lead from a department register says to people: Chinese texts by rule, English by the switch.

A sentence is built from the lead's parameters: source and date of the register, then the fact, then what the card says.
"""

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from households.messages import message

# rule -> (the fact, what the card says beside it)
REGISTER_SENTENCES: dict[str, tuple[str | Promise, str | Promise]] = {
    "private_car": (_("名下有 %(count)s 辆%(vehicle_type)s%(price_told)s"), _("户卡没有填生活用汽车")),
    "vehicle_for_living": (
        _("名下有 %(count)s 辆%(vehicle_type)s%(price_told)s，可能用于谋生"),
        _("户卡没有填车辆或大型农机"),
    ),
    "vehicle_unclear": (
        _("名下有 %(count)s 辆车，车型写作“%(vehicle_type)s”%(price_told)s，看不出用途"),
        _("户卡没有填生活用汽车"),
    ),
    "commercial_flat": (_("名下有 %(count)s 处%(use)s%(area_told)s"), _("户卡没有填商品房")),
    "shop": (_("名下有 %(count)s 处%(use)s%(area_told)s"), _("户卡没有填商品房")),
    "on_payroll": (_("在财政供养人员名册中%(duty_told)s"), _("户卡没有填财政供养人员")),
    "minor_post": (
        _("在财政供养人员名册中%(duty_told)s，可能是公益性岗位或村组职务"),
        _("户卡没有填财政供养人员"),
    ),
    "company": (_("名下有 %(count)s 家%(form)s%(capital_told)s%(state_told)s"), _("户卡没有填办企业")),
    "sole_trader": (_("名下有 %(count)s 家%(form)s%(capital_told)s%(state_told)s"), _("户卡没有填办企业")),
    "deceased_counted": (_("%(died_on)s 死亡"), _("户卡 %(card_year)s 年度仍计入家庭人口")),
    "deceased_open": (_("%(died_on)s 死亡"), _("户卡上仍是现有成员")),
    "medical_hardship": (_("自付医疗费用 %(own_cost_told)s"), _("户卡自付医疗支出%(declared_told)s")),
    "medical_understated": (_("自付医疗费用 %(own_cost_told)s"), _("户卡自付医疗支出%(declared_told)s")),
    "school_dropout": (_("学籍状态为“%(state)s”%(stage_told)s"), _("户卡填在校")),
    "school_suspended": (_("学籍状态为“%(state)s”%(stage_told)s"), _("户卡填在校")),
    "school_attending": (_("学籍状态为“%(state)s”%(stage_told)s"), _("户卡填非在校生")),
    "disability_unlisted": (_("有残疾证%(grade_told)s"), _("户卡健康状况没有填残疾，可能漏了应有的帮扶")),
    "dibao_undeclared": (_("在享低保%(yearly_told)s"), _("户卡没有填低保金")),
    "dibao_understated": (_("在享低保%(yearly_told)s"), _("户卡低保金%(declared_told)s")),
    "hidden_wage": (
        _("%(persons)s 人参加职工社会保险，月缴费基数合计 %(monthly_told)s"),
        _("户卡没有工资性收入"),
    ),
    "wage_understated": (
        _("%(persons)s 人参加职工社会保险，月缴费基数合计 %(monthly_told)s"),
        _("户卡工资性收入%(declared_told)s"),
    ),
    "insurance_lapsed": (_("%(scheme)s状态为“%(state)s”"), _("户卡填已参加居民医疗保险")),
}

# rule -> what it is called, short
REGISTER_RULES: dict[str, str | Promise] = {
    "private_car": _("生活用车"),
    "vehicle_for_living": _("谋生用车"),
    "vehicle_unclear": _("用途不明的车"),
    "commercial_flat": _("商品房"),
    "shop": _("商铺或办公用房"),
    "on_payroll": _("财政供养"),
    "minor_post": _("公益性岗位或村组职务"),
    "company": _("企业"),
    "sole_trader": _("个体工商户"),
    "deceased_counted": _("死亡后仍计入人口"),
    "deceased_open": _("死亡后仍在册"),
    "medical_hardship": _("大额自付医疗费用"),
    "medical_understated": _("医疗支出少填"),
    "school_dropout": _("辍学而户卡在校"),
    "school_suspended": _("休学而户卡在校"),
    "school_attending": _("在读而户卡不在校"),
    "disability_unlisted": _("有残疾证而户卡没有填"),
    "dibao_undeclared": _("低保金没有填"),
    "dibao_understated": _("低保金少填"),
    "hidden_wage": _("有职工保险而没有填工资"),
    "wage_understated": _("工资性收入少填"),
    "insurance_lapsed": _("居民医疗保险断保"),
}

# what is wrong with a row of a register, beside the texts of the cells (messages)
ROW_TEXTS: dict[str, str | Promise] = {
    "cell-missing": _("这一栏必须填写"),
    "date-after": _("日期晚于数据日期%(as_of)s"),
    "id-length": _("证件号码应为18位（或15位老号码），现为%(length)s位"),
    "register-number": _("证件号码的校验码不对，或其中的日期不存在"),
    "register-long-number": _("这一栏里有长号码，请核对是否填错了列"),
    "register-certificate": _("残疾证号不是有效的20位号码"),
    "register-certificate-differs": _("残疾证号与证件号码不是同一个人"),
}


def register_row_message(code: str, parameters: Mapping[str, Any] | None = None) -> str:
    """Why a row of a register was refused."""
    text = ROW_TEXTS.get(code)
    return message(code, parameters) if text is None else str(text) % dict(parameters or {})


def sentence(rule: str, parameters: Mapping[str, Any]) -> str:
    """What a lead of a register says: source and date, the fact, and what the card says beside it.

    车管所 2019-10-31 的登记：名下有 1 辆小型轿车，购置价 10.1 万元；户卡没有填生活用汽车。
    A rule that is not a register's is its own text.
    """
    texts = REGISTER_SENTENCES.get(rule)
    if texts is None:
        return rule
    told = {**_told(parameters), **parameters}
    fact, card = (str(text) % _Forgiving(told) for text in texts)
    begin = gettext("%(source)s %(as_of)s 的登记：") % _Forgiving(told)
    return gettext("%(begin)s%(fact)s；%(card)s。") % {"begin": begin, "fact": fact, "card": card}


class _Forgiving(dict[str, Any]):
    """A figure a lead was kept without is left blank, not an error on a desk."""

    def __missing__(self, key: str) -> str:
        return ""


def _told(given: Mapping[str, Any]) -> dict[str, str]:
    """Optional figures as the ends of sentences, empty where the register does not say."""
    told = {}
    for name, text in (
        ("price", gettext("，购置价 %s")),
        ("capital", gettext("，注册资本 %s")),
        ("yearly", gettext("，每年 %s")),
    ):
        told[f"{name}_told"] = text % _yuan(given[name]) if given.get(name) is not None else ""
    for name in ("own_cost", "monthly"):
        told[f"{name}_told"] = _yuan(given.get(name))
    declared = given.get("declared")
    told["declared_told"] = gettext("没有填") if declared is None else gettext("填 %s") % _yuan(declared)
    told["area_told"] = gettext("，%s 平方米") % f"{given['area']:g}" if given.get("area") is not None else ""
    told["duty_told"] = gettext("，职务为%s") % given["duty"] if given.get("duty") else ""
    told["state_told"] = gettext("，状态为%s") % given["state"] if given.get("state") else ""
    told["stage_told"] = gettext("（%s）") % given["stage"] if given.get("stage") else ""
    grade = "".join(str(given.get(name) or "") for name in ("category", "grade"))
    told["grade_told"] = gettext("（%s）") % grade if grade else ""
    return told


def _yuan(amount: Any) -> str:
    """100763 -> 10.1 万元, 8287 -> 8,287 元."""
    if amount is None:
        return gettext("未知")
    if abs(amount) >= 100_000 and (get_language() or "").startswith("zh"):  # only Chinese counts in ten thousands
        return f"{amount / 10_000:,.1f}".removesuffix(".0") + " 万元"
    return gettext("%s 元") % f"{amount:,.0f}"
