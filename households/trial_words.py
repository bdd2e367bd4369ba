"""Trials in words: what was tried, what came of it, what hangs on each figure, what differs of a household."""

from typing import Any

from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from changde.web.templatetags.web import amount, number, share
from households.domain.index_rules import Label
from households.domain.index_system import IndexSystem
from households.domain.trial import Difference
from households.models import IndexTrial, IndexVersion
from households.selectors.index_trials import Swing, TrialFigures

MEASURES = {
    "H": gettext_lazy("多维贫困发生率 H（人）"),
    "A": gettext_lazy("平均缺失强度 A"),
    "M0": gettext_lazy("多维贫困指数 M0 = H × A"),
    "headcount": gettext_lazy("收入低于收入线的人口"),
    "gap": gettext_lazy("收入贫困差距（FGT 1）"),
    "severity": gettext_lazy("收入贫困强度（FGT 2）"),
}
MEANINGS = {"absolute": gettext_lazy("绝对贫困"), "poor": gettext_lazy("绝对和相对贫困合计")}
AGAINST = {
    "version": gettext_lazy("对照现行版本的测算"),
    "register": gettext_lazy("对照今天的建档立卡登记"),
}
FIGURES = {
    "income_line": gettext_lazy("收入线"),
    "monitoring_line": gettext_lazy("监测线"),
    "cutoff": gettext_lazy("临界值 k"),
}


def label_of(label: Label) -> str:
    """The label in the reader's language."""
    return label.en if (get_language() or "").startswith("en") and label.en else label.zh


def version_name(version: IndexVersion) -> str:
    """Place, year and number of a version."""
    facts = {
        "place": version.division.name if version.division else _("全市默认"),
        "year": version.year,
        "number": version.number,
    }
    return _("%(place)s %(year)s 年度第 %(number)s 版") % facts


def summary(tried: IndexTrial, figures: TrialFigures) -> list[str]:
    """What came of it, a sentence for absolute poverty and one for poverty in any way."""
    absolute, poor = figures.flows["absolute"], figures.flows["poor"]
    facts = {
        "year": tried.year,
        "enters": number(absolute.enters.households),
        "leaves": number(absolute.leaves.households),
        "unchanged": number(absolute.unchanged.households),
        "undecided": number(absolute.undecided.households),
    }
    both = {"enters": number(poor.enters.households), "leaves": number(poor.leaves.households)}
    said = [
        _("在%(year)s年的户卡上试算：绝对贫困新进 %(enters)s 户，退出 %(leaves)s 户，%(unchanged)s 户不变。") % facts,
        _("连同相对贫困计算：新进 %(enters)s 户，退出 %(leaves)s 户。") % both,
    ]
    if absolute.undecided.households:
        said.append(_("另有 %(undecided)s 户缺数据，两个版本至少有一个无法判定，不计在内。") % facts)
    return said


def conditions(tried: IndexTrial, left_out: list[str]) -> list[str]:
    """What one must know to read the figures: lines of another year, another year's reference, counties left out."""
    said = []
    if tried.borrows_lines:
        facts = {
            "own": tried.version.year,
            "year": tried.year,
            "line": amount(tried.system.income_line / 100),
            "monitoring": amount(tried.system.monitoring_line / 100),
        }
        said.append(
            _(
                "本版本是 %(own)s 年度的：这里用它的规则、权重和临界值，收入线和监测线用 %(year)s 年的"
                "（%(line)s 元、%(monitoring)s 元）。"
            )
            % facts
        )
    if tried.reference.year != tried.year:
        facts = {"year": tried.year, "other": tried.reference.year}
        said.append(_("%(year)s 年还没有发布的版本，与 %(other)s 年的版本（用它自己的收入线）比较。") % facts)
    if left_out:
        said.append(
            _("没有列入（自有指标体系，或没有这一年的户卡）：%(counties)s。") % {"counties": _("、").join(left_out)}
        )
    return said


def swing_name(swing: Swing) -> str:
    """收入线; 权重：住房安全"""
    if swing.kind == "weight":
        return _("权重：%(indicator)s") % {"indicator": label_of(swing.label)}
    return str(FIGURES[swing.kind])


def swing_value(swing: Swing, position: int) -> str:
    """The figure as it is (1), moved down (0) or up (2)."""
    value = swing.value[position]
    if swing.kind == "weight":
        return share(value, 2)
    if swing.kind == "cutoff":
        return number(value, 4)
    return amount(round(value, 2))


def difference_words(difference: Difference, before: IndexSystem, after: IndexSystem) -> str:
    """What one version says of a household and the other does not."""
    facts: dict[str, Any] = {"side": _("试算版") if difference.by_draft else _("现行版")}
    system = after if difference.by_draft else before
    if difference.kind == "indicator":
        facts["label"] = next(label_of(one.label) for one in system.indicators if one.id == difference.id)
        return _("只有%(side)s算作缺失：%(label)s") % facts
    if difference.kind == "veto":
        facts["label"] = next(label_of(one.label) for one in system.vetoes if one.id == difference.id)
        return _("只有%(side)s算作保障缺失：%(label)s") % facts
    if difference.kind == "line":
        facts["line"] = amount(system.income_line / 100)
        return _("只低于%(side)s的收入线（%(line)s 元）") % facts
    if difference.kind == "monitoring_line":
        facts["line"] = amount(system.monitoring_line / 100)
        return _("只低于%(side)s的监测线（%(line)s 元）") % facts
    if difference.kind == "cutoff":
        facts["cutoff"] = number(float(system.cutoff), 3)
        return _("得分只达到%(side)s的临界值（%(cutoff)s）") % facts
    return _("只有%(side)s无法判定") % facts
