"""What a lead says, in one sentence: Chinese texts by rule, filled with its codes and figures."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from households import register_messages
from households.models import Finding, HouseholdStatus, Result, VillageCadre

Parameters = Mapping[str, Any]
# Rule -> a text with %(name)s of its parameters, or a function of them.
Sentences = Mapping[str, Any]

GUARANTEES = {
    "school": gettext_lazy("义务教育"),
    "insurance": gettext_lazy("基本医疗"),
    "house": gettext_lazy("住房安全"),
    "water": gettext_lazy("饮水安全"),
}


def _yuan(fen: int) -> str:
    return f"{Decimal(fen) / 100:,.2f}".removesuffix(".00")


def _a_head(facts: Parameters) -> str:
    net, members = facts.get("net_income"), facts.get("members")
    return _yuan(round(net / members)) if net is not None and members else _("未知")


def _income(facts: Parameters) -> str:
    said = {"year": facts.get("year", ""), "amount": _a_head(facts), "line": _yuan(facts.get("line", 0))}
    said["monitoring"] = _yuan(facts.get("monitoring_line", 0))
    net, members, line = facts.get("net_income"), facts.get("members") or 0, facts.get("line", 0)
    if net is not None and net < line * members:
        return _("%(year)s 年度人均纯收入 %(amount)s 元，低于当年贫困线 %(line)s 元") % said
    if net is not None and net < facts.get("monitoring_line", 0) * members:
        return _("%(year)s 年度人均纯收入 %(amount)s 元，低于监测线 %(monitoring)s 元") % said
    return _("%(year)s 年度人均纯收入 %(amount)s 元，不低于监测线 %(monitoring)s 元") % said


def _missing(facts: Parameters) -> str:
    names = [str(GUARANTEES.get(name, name)) for name in facts.get("guarantees", ())]
    return _("%(names)s没有保障") % {"names": "、".join(names)} if names else ""


def _joined(*parts: str) -> str:
    return "，".join(part for part in parts if part) + "。"


def _owns(facts: Parameters) -> str:
    return _("但户卡上有应排除的资产，先听取农户说明") if facts.get("excluded") else ""


def _poor(facts: Parameters) -> tuple[str, str]:
    return _income(facts), _missing(facts)


def _status(facts: Parameters) -> str:
    return str(HouseholdStatus(facts["status"]).label) if facts.get("status") else ""


def _left_out(facts: Parameters) -> str:
    was = _("现为监测对象") if facts.get("status") == "monitored" else _("从未建档立卡")
    return _joined(*_poor(facts), was, _owns(facts))


def _before(facts: Parameters) -> str:
    before = facts.get("before")
    if not before or not before.get("members") or before.get("net_income") is None:
        return _("上一年度没有可比的结果")
    return _("上一年度人均 %(amount)s 元") % {"amount": _a_head(before)}


def _returned(facts: Parameters) -> str:
    return _joined(_("已脱贫"), *_poor(facts), _before(facts), _owns(facts))


def _returned_line(facts: Parameters) -> str:
    return _joined(*_poor(facts), _before(facts), _("按今年的线去年也在线下：是线或指标变了，不计入返贫"))


def _returned_before(facts: Parameters) -> str:
    return _joined(*_poor(facts), _before(facts), _("上一年度已是绝对贫困：请复核当时的退出，不计入返贫"))


STATUS_SENTENCES: Sentences = {
    "left_out": _left_out,
    "marginal": lambda facts: _joined(_income(facts), _("从未建档立卡，可能滑入贫困"), _owns(facts)),
    "returned": _returned,
    "returned-line": _returned_line,
    "returned-before": _returned_before,
    "unstable": lambda facts: _joined(_("已脱贫"), _income(facts), _before(facts), _owns(facts)),
    "exit_due": lambda facts: _joined(_income(facts), _("仍在册帮扶，应核实是否退出")),
    "clinging": lambda facts: _joined(_income(facts), _("连续两年不贫困，仍在册帮扶")),
    "guarantee_gap": lambda facts: _joined(_income(facts), _missing(facts), _status(facts)),
}


# -- hard times of households nobody helps (domain.detection.sudden_hardship) ------------------------------


def _a_year(facts: Parameters) -> str:
    said = {"year": facts.get("year", ""), "amount": yuan(facts.get("head") or 0)}
    this = _("%(year)s 年度人均纯收入%(amount)s") % said
    before = facts.get("before")
    return this if before is None else this + _("，上一年度%(amount)s") % {"amount": yuan(before)}


HARDSHIP_SENTENCES: Sentences = {
    "hardship_bills": lambda facts: _joined(
        _a_year(facts),
        _("当年自付医疗支出%(amount)s，扣除后低于监测线") % {"amount": yuan(facts.get("bills") or 0)},
        _("没有帮扶"),
    ),
    "hardship_death": lambda facts: _joined(_("本年度有挣钱的成员去世"), _a_year(facts), _("没有帮扶")),
    "hardship_disaster": lambda facts: _joined(
        _("本村当年受灾，本户住房变为危房或经营收入减半"), _a_year(facts), _("没有帮扶")
    ),
    "hardship_falling": lambda facts: _joined(_("收入骤降"), _a_year(facts), _("没有帮扶")),
}


# -- what the cards themselves suggest (domain.detection) ------------------------------

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


def _income_below_means(parameters: Parameters) -> str:
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
    "income_below_means": _income_below_means,
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


def sentence(rule: str, parameters: Parameters, kind: str = "") -> str:
    """The sentence of a rule; of a rule nobody wrote one for, the label of the lead's kind."""
    if rule in register_messages.REGISTER_SENTENCES:
        return register_messages.sentence(rule, parameters)
    for sentences in (STATUS_SENTENCES, HARDSHIP_SENTENCES, DETECTOR_SENTENCES):
        if rule in sentences:
            text: str | Callable[[Parameters], str] = sentences[rule]
            return text(parameters) if callable(text) else str(text) % parameters
    return str(Finding.Kind(kind).label) if kind in Finding.Kind.values else ""


RULE_NAMES = {
    "returned-line": gettext_lazy("疑似返贫：线或指标变了（另列）"),
    "returned-before": gettext_lazy("疑似返贫：退出时已贫困（另列）"),
    "hardship_bills": gettext_lazy("突发严重困难：大额医疗支出"),
    "hardship_death": gettext_lazy("突发严重困难：挣钱的成员去世"),
    "hardship_disaster": gettext_lazy("突发严重困难：受灾"),
    "hardship_falling": gettext_lazy("突发严重困难：收入骤降"),
}


def rule_name(kind: str, rule: str) -> str:
    """A rule among others: its own name where it has one, else its kind with the rule's id where they differ."""
    names = register_messages.REGISTER_RULES | RULE_NAMES
    if rule in names:
        return str(names[rule])
    label = str(Finding.Kind(kind).label) if kind in Finding.Kind.values else kind
    return label if rule in ("", kind) else f"{label}（{rule}）"


_CORRECT_CARD = (gettext_lazy("请按查实的情况更正户卡，识别结果会随之重算。"), "households:edit")
_HEAR = (gettext_lazy("资产属实：更正户卡后按排除条件听取农户说明，再在名单上核定。"), "households:edit")
_NEXT_STEPS = {
    "left_out": (gettext_lazy("下一步：纳入识别程序，拟本村的识别名单，经评议、公示后才改变户状态。"), "lists:index"),
    "returned": (gettext_lazy("下一步：纳入返贫名单，经评议、公示后重新登记帮扶。"), "lists:index"),
    "marginal": (gettext_lazy("下一步：纳入监测名单（边缘易致贫户），经公示后列为监测对象。"), "lists:index"),
    "unstable": (gettext_lazy("下一步：纳入监测名单（脱贫不稳定户），经公示后列为监测对象。"), "lists:index"),
    "sudden_hardship": (
        gettext_lazy("下一步：入户核实困难和原因，按突发严重困难户监测，并转医保、民政等部门救助。"),
        "",
    ),
    "exit_due": (gettext_lazy("下一步：由村里评议退出，村和工作队核实，农户签字，公示后才脱贫。"), ""),
    "clinging": (gettext_lazy("下一步：由村里评议退出，村和工作队核实，农户签字，公示后才脱贫。"), ""),
    "guarantee_gap": (
        gettext_lazy("下一步：把缺的保障写进该户诉求，转有关部门补上；补上后更正户卡。"),
        "households:edit",
    ),
    "vehicle": _HEAR,
    "real_estate": _HEAR,
    "public_payroll": _HEAR,
    "company": _HEAR,
    "deceased": (gettext_lazy("请在户卡上登记死亡，成员和人均收入会随之重算。"), "households:edit"),
    "kin": (gettext_lazy("下一步：该户的评议和审核由与村干部无亲属关系的人重做。"), ""),
    "bunching": (gettext_lazy("下一步：对这名录入人的户卡抽样重新入户核实。"), ""),
    "digit_preference": (gettext_lazy("下一步：对这名录入人的户卡抽样重新入户核实。"), ""),
    "typing_speed": (gettext_lazy("下一步：对这名录入人的户卡抽样重新入户核实。"), ""),
    "village_rate": (gettext_lazy("下一步：对该村抽样入户核实。"), ""),
    "paper_split": (gettext_lazy("下一步：共同生活的并回一户，在户卡的“变更”里办理合并。"), "households:edit"),
}


def next_step(kind: str) -> tuple[str, str]:
    """What the procedure does with a confirmed lead, and the address where it begins (empty: no page of its own)."""
    text, name = _NEXT_STEPS.get(kind, _CORRECT_CARD)
    return str(text), name


_SOURCES = {"source": gettext_lazy("来源"), "as_of": gettext_lazy("数据日期"), "event_on": gettext_lazy("发生日期")}


def facts_of(lead: Finding) -> list[tuple[str, str]]:
    """Where a lead comes from, in pairs of name and value: rule, source and date, how sure."""
    parameters = lead.facts.get("parameters", {})
    found = [(_("类型"), str(lead.get_kind_display()))]
    found += [(str(name), str(parameters[key])) for key, name in _SOURCES.items() if parameters.get(key)]
    if not parameters.get("source"):
        found.append((_("来源"), _("系统按规则比对户卡")))
    if lead.year:
        found.append((_("年度"), str(lead.year)))
    return [*found, (_("规则的把握"), f"{lead.score or 0:.0%}")]


def figures_of(result: Result) -> list[tuple[str, str | None]]:
    """What the card's result stands on, in pairs of name and value; None where it is unknown."""
    system, facts = result.version.system, {"net_income": result.net_income, "members": result.members}
    known = result.net_income is not None and bool(result.members)
    score = None if result.score is None else f"{result.score:.3f} / {float(system.cutoff):.3f}"
    yuan = _("%(amount)s 元")
    return [
        (_("计算人口"), None if result.members is None else str(result.members)),
        (_("人均纯收入"), yuan % {"amount": _a_head(facts)} if known else None),
        (
            _("贫困线、监测线"),
            " / ".join(yuan % {"amount": _yuan(line)} for line in (system.income_line, system.monitoring_line)),
        ),
        (_("多维得分、临界值"), score),
    ]
