"""What a lead says to people: a sentence in plain words by its rule, from codes and figures; no number, no name."""

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from households.models import Finding, VillageCadre

Parameters = Mapping[str, Any]

MEAN_WORDS = {
    "months_township": gettext_lazy("在乡镇内务工%(units)s个月"),
    "months_county": gettext_lazy("在县内务工%(units)s个月"),
    "months_province": gettext_lazy("在省内务工%(units)s个月"),
    "months_outside": gettext_lazy("在省外务工%(units)s个月"),
    "local_workers": gettext_lazy("本地就业%(units)s人"),
    "employees": gettext_lazy("参加职工医保%(units)s人"),
    "public_posts": gettext_lazy("公益性岗位%(units)s个"),
    "irrigated": gettext_lazy("水田%(units)s亩"),
    "dry_land": gettext_lazy("旱地%(units)s亩"),
    "orchard": gettext_lazy("林果%(units)s亩"),
    "forest": gettext_lazy("林地%(units)s亩"),
    "water_surface": gettext_lazy("水面%(units)s亩"),
    "pigs": gettext_lazy("生猪%(units)s头"),
    "cattle": gettext_lazy("牛%(units)s头"),
    "sheep": gettext_lazy("羊%(units)s只"),
    "poultry": gettext_lazy("家禽%(units)s只"),
    "cars": gettext_lazy("生活用汽车"),
    "flats": gettext_lazy("商品房"),
    "machines": gettext_lazy("大型农机"),
    "companies": gettext_lazy("办有企业"),
    "payroll": gettext_lazy("有财政供养人员"),
    "idle_able": gettext_lazy("在家劳动力%(units)s人"),
    "old": gettext_lazy("老人%(units)s人"),
}
EVIDENCE_WORDS = {
    "split": gettext_lazy("由另一户分出"),
    "split_before_year_end": gettext_lazy("分户在年度结束前一年之内"),
    "account": gettext_lazy("与另一户同一银行账户"),
    "phone": gettext_lazy("与另一户同一电话"),
    "house": gettext_lazy("与另一户住房面积和到公路的距离都相同"),
    "address": gettext_lazy("与另一户同一住址"),
    "parent_and_child": gettext_lazy("两户户主同姓、相差一代"),
    "poor_part_alone": gettext_lazy("本户没有劳动力而另一户有"),
    "other_part_well_off": gettext_lazy("另一户收入明显高于标准"),
}


def sentence(rule: str, parameters: Parameters, kind: str = "") -> str:
    """The sentence of a rule; an unknown one, or one whose figures are missing, says the kind's name."""
    for sentences in SENTENCES:
        if rule in sentences:
            try:
                return sentences[rule](parameters)
            except (KeyError, TypeError, ValueError):
                break
    return str(Finding.Kind(kind).label) if kind in Finding.Kind.values else rule


def yuan(amount: Any) -> str:
    """Yuan for reading: from ten thousand on in 万元."""
    value = float(amount)
    if abs(value) >= 10_000:
        return _("%(amount)s万元") % {"amount": f"{value / 10_000:.1f}"}
    return _("%(amount)s元") % {"amount": f"{value:,.0f}"}


def _means(parameters: Parameters) -> str:
    words = [
        str(MEAN_WORDS[name]) % {"units": f"{units:g}"}
        for name, units, _yuan in parameters["parts"]
        if name in MEAN_WORDS
    ]
    return _("、").join(words) or _("户卡上的条件")


def _income(parameters: Parameters) -> str:
    return _("%(means)s：同县条件相近的农户一年约有%(expected)s，本户申报%(declared)s") % {
        "means": _means(parameters),
        "expected": yuan(parameters["expected"]),
        "declared": yuan(parameters["declared"]),
    }


def _bunching_clerk(parameters: Parameters) -> str:
    return _(
        "同一录入人的户卡在收入标准（%(line)s元）下方有%(below)s户、上方只有%(above)s户，按其他录入人的情况下方约应有%(expected)s户"
    ) % dict(parameters)


def _bunching_village(parameters: Parameters) -> str:
    return _(
        "本村户卡在收入标准（%(line)s元）下方有%(below)s户、上方只有%(above)s户，按其他村的情况下方约应有%(expected)s户"
    ) % dict(parameters)


def _digits(parameters: Parameters) -> str:
    return _("同一录入人填写的%(amounts)s个金额中，取整或尾数相同的比其他录入人多%(percent)s%%，本户的金额多是这样") % {
        "amounts": parameters["amounts"],
        "percent": f"{100 * float(parameters['excess']):.0f}",
    }


def _typed_fast(parameters: Parameters) -> str:
    return _("本户卡在上一户保存后%(seconds)s秒就保存了；同一录入人%(gaps)s次保存中有%(short)s次快得不合情理") % dict(
        parameters
    )


def _split(parameters: Parameters) -> str:
    words = _("；").join(str(EVIDENCE_WORDS[name]) for name in parameters["evidence"] if name in EVIDENCE_WORDS)
    return _("可能与户卡%(other)s是同一户：%(evidence)s") % {"other": parameters["other"], "evidence": words}


def _rate(parameters: Parameters) -> str:
    return _(
        "本村%(cards)s户中有%(helped)s户享受帮扶，按各户条件约应有%(expected)s户；本户是其中条件最不相符的之一"
    ) % dict(parameters)


def _post(parameters: Parameters) -> str:
    post = parameters.get("post", "")
    label = str(VillageCadre.Post(post).label) if post in VillageCadre.Post.values else _("村干部")
    where = _("本村") if parameters.get("same_village", True) else _("邻村")
    return f"{where}{label}"


def _kin(template: Callable[[], str]) -> Callable[[Parameters], str]:
    return lambda parameters: template() % {"post": _post(parameters), "relation": parameters.get("relation", "")}


DETECTOR_SENTENCES: dict[str, Callable[[Parameters], str]] = {
    "income_below_means": _income,
    "bunching_clerk": _bunching_clerk,
    "bunching_village": _bunching_village,
    "digits_of_clerk": _digits,
    "typed_fast": _typed_fast,
    "split_on_paper": _split,
    "village_helps_more": _rate,
    "kin_of_cadre_itself": _kin(lambda: _("%(post)s就是本户成员")),
    "kin_declared": _kin(lambda: _("本户成员是%(post)s申报的亲属（%(relation)s）")),
    "kin_phone": _kin(lambda: _("本户与%(post)s使用同一电话")),
    "kin_account": _kin(lambda: _("本户与%(post)s使用同一银行账户")),
    "kin_split": _kin(lambda: _("本户与%(post)s所在户有分户关系")),
    "kin_house": _kin(lambda: _("本户与%(post)s所在户住房面积和到公路的距离都相同")),
    "number_twice": lambda parameters: _("本户有成员的证件号码还在另外%(others)s张户卡上") % dict(parameters),
    "number_wanted": lambda parameters: _("本户成员的证件号码在另一处录入时重复，等待重号核查"),
}
SENTENCES = (DETECTOR_SENTENCES,)
