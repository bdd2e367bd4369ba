"""The words of people for the codes of the domain."""

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from households.messages import message as card_message

Text = str | Promise

FIT_PARTS: dict[str, Text] = {
    "skills": gettext_lazy("技能对应村需求"),
    "years": gettext_lazy("农村工作年限"),
    "assessment": gettext_lazy("上年考核"),
    "dialect": gettext_lazy("会讲当地方言"),
    "proximity": gettext_lazy("单位离村远近"),
    "wished": gettext_lazy("本人意向县"),
    "cap": gettext_lazy("满分封顶"),
    "change": gettext_lazy("提前结束现任的成本"),
}
NEED_PARTS: dict[str, Text] = {
    "cause": gettext_lazy("致贫原因"),
    "guarantee": gettext_lazy("保障缺口"),
    "labour": gettext_lazy("劳动力"),
    "industry": gettext_lazy("主导产业"),
    "size": gettext_lazy("帮扶规模"),
}
BARRED: dict[str, Text] = {
    "assessment": gettext_lazy("上年考核不称职"),
    "role": gettext_lazy("不能任这个角色"),
    "party": gettext_lazy("不是中共党员"),
    "available": gettext_lazy("派驻期内不能到岗"),
    "place": gettext_lazy("籍贯村或回避村"),
}
_UNFILLED: dict[str, Text] = {
    "no_cadres": gettext_lazy("干部库里没有可派的干部"),
    "nobody_eligible": gettext_lazy("没有符合条件的干部"),
    "all_used": gettext_lazy("符合条件的干部都已派往更需要的岗位"),
    "quota_full": gettext_lazy("符合条件的干部所在单位派出名额已满"),
}
# Problems of a row of the cadre workbook that cards have not, or say otherwise; the rest: households.messages.
_ROW_PROBLEMS: dict[str, Text] = {
    "missing": gettext_lazy("没有填写"),
    "id-check-digit": gettext_lazy("证件号码的校验码不对，或其中的日期不存在"),
    "id-length": gettext_lazy("证件号码应为 18 位，现为 %(length)s 位"),
    "value-list": gettext_lazy("应为以下之一：%(allowed)s"),
    "skill-level": gettext_lazy("技能水平只能是 1、2 或 3，写作：种植(3)"),
    "not-a-village": gettext_lazy("%(code)s 不是常德市的行政村或社区"),
    "division-unknown": gettext_lazy("没有 %(code)s 这个区划"),
    "county-unknown": gettext_lazy("常德市没有“%(name)s”这个县（区、市）"),
    "period": gettext_lazy("可派驻止早于可派驻起"),
    "staff-number-twice": gettext_lazy("工号重复，见第 %(row)s 行"),
    "cadre-elsewhere": gettext_lazy("这个工号属于您工作范围之外的单位"),
    "unit-place-missing": gettext_lazy("新单位须填写单位所在区划"),
    "unit-outside": gettext_lazy("这个单位不在您的工作范围之内"),
    "id-number-taken": gettext_lazy("这个证件号码已属于另一个工号"),
}


def row_problem(code: str, parameters: Mapping[str, Any]) -> str:
    """Why a row of the workbook was refused."""
    text = _ROW_PROBLEMS.get(code)
    if text is None:
        return card_message(code, parameters)
    shown = {name: "、".join(value) if isinstance(value, list) else value for name, value in parameters.items()}
    return str(text) % shown


# Words of the reference tables that pages translate by their value; named here so that the catalogue has them.
WORDS = (
    gettext_lazy("产业规划"),
    gettext_lazy("种植"),
    gettext_lazy("养殖"),
    gettext_lazy("电商"),
    gettext_lazy("旅游"),
    gettext_lazy("金融"),
    gettext_lazy("卫生"),
    gettext_lazy("教育"),
    gettext_lazy("工程建设"),
    gettext_lazy("法律"),
    gettext_lazy("党建"),
    gettext_lazy("劳务输出"),
    gettext_lazy("水利"),
    gettext_lazy("林业"),
    gettext_lazy("因病"),
    gettext_lazy("因残"),
    gettext_lazy("因学"),
    gettext_lazy("因灾"),
    gettext_lazy("缺土地"),
    gettext_lazy("缺水"),
    gettext_lazy("缺技术"),
    gettext_lazy("缺劳力"),
    gettext_lazy("缺资金"),
    gettext_lazy("交通条件落后"),
    gettext_lazy("自身发展动力不足"),
    gettext_lazy("其他"),
    gettext_lazy("饮水安全"),
    gettext_lazy("住房安全"),
    gettext_lazy("基本医疗"),
    gettext_lazy("义务教育"),
    gettext_lazy("无劳动力户"),
    gettext_lazy("富余劳动力"),
    gettext_lazy("水稻"),
    gettext_lazy("油菜"),
    gettext_lazy("棉花"),
    gettext_lazy("柑橘"),
    gettext_lazy("茶叶"),
    gettext_lazy("蔬菜"),
    gettext_lazy("油茶"),
    gettext_lazy("生猪"),
    gettext_lazy("水产"),
    gettext_lazy("家禽"),
    gettext_lazy("乡村旅游"),
    gettext_lazy("帮扶户规模"),
    gettext_lazy("帮扶责任人"),
    gettext_lazy("群众"),
    gettext_lazy("共青团员"),
    gettext_lazy("中共党员"),
    gettext_lazy("中共预备党员"),
    gettext_lazy("民主党派"),
    gettext_lazy("初中"),
    gettext_lazy("高中"),
    gettext_lazy("中专"),
    gettext_lazy("大专"),
    gettext_lazy("本科"),
    gettext_lazy("硕士"),
    gettext_lazy("博士"),
    gettext_lazy("优秀"),
    gettext_lazy("称职"),
    gettext_lazy("基本称职"),
    gettext_lazy("不称职"),
)


def unfilled(reason: str) -> Text:
    """Why a post stays empty, in one sentence."""
    return _UNFILLED.get(reason, reason)


def unfilled_details(facts: Mapping[str, Any]) -> list[str]:
    """The counts behind an empty post: who was barred by which rule, who is used where, whose unit gives no more."""
    barred = [
        _("%(rule)s：%(count)s 人") % {"rule": BARRED.get(code, code), "count": count}
        for code, count in sorted(facts.get("barred", {}).items(), key=lambda pair: -pair[1])
    ]
    used = [
        _("已任%(role)s：%(count)s 人") % {"role": _(role), "count": count}
        for role, count in sorted(facts.get("used_at", {}).items())
    ]
    over = facts.get("over_quota", 0)
    return barred + used + ([_("单位名额已满：%(count)s 人") % {"count": over}] if over else [])
