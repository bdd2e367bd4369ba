"""An index system in words: its rules as sentences, how it differs from another, what is wrong with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from households.domain import income
from households.domain.features import FEATURES, Feature
from households.domain.index_difference import Difference, differences
from households.domain.index_rules import AllOf, Comparison, Label, Product, Rule
from households.domain.index_system import IndexSystem, Problem

# what is wrong with a definition (domain.index.Problem)
PROBLEM_TEXTS = {
    "missing": gettext_lazy("请填写"),
    "out_of_range": gettext_lazy("应在 %(low)s 至 %(high)s 之间"),
    "out_of_share": gettext_lazy("应大于 0，不超过 1"),
    "not_money": gettext_lazy("请填金额（元），如 3218 或 3218.50"),
    "not_a_number": gettext_lazy("请填数字；可以写小数、分数（1/3）或百分数（30%%）"),
    "not_a_list": gettext_lazy("请至少选一项"),
    "not_in_list": gettext_lazy("“%(value)s”不在可选范围之内"),
    "not_yes_or_no": gettext_lazy("请选“是”或“否”"),
    "unknown_feature": gettext_lazy("请选择户卡的一项"),
    "unknown_feature_of": gettext_lazy("请选择拿来比较的一项"),
    "wrong_operator": gettext_lazy("请选择怎样比较"),
    "wrong_type": gettext_lazy("只能与数字项比较"),
    "wrong_unit": gettext_lazy("两项的单位不同，不能这样比较"),
    "not_a_rule": gettext_lazy("这里还没有条件，请加一条"),
    "too_deep": gettext_lazy("条件套得太深，最多 %(limit)s 层"),
    "empty": gettext_lazy("至少要有一项"),
    "duplicate": gettext_lazy("与另一项重复"),
    "not_a_name": gettext_lazy("请移除后重新添加这一项"),
    "weights_sum": gettext_lazy("各项权重之和应为 1，现为 %(sum)s"),
    "lines_reversed": gettext_lazy("监测线不能低于收入标准线"),
    "too_many": gettext_lazy("最多 %(limit)s 项"),
    "never_true": gettext_lazy("没有哪一户会符合这个条件，请检查是否写反或自相矛盾"),
    "always_true": gettext_lazy("每一户都会符合这个条件，请检查是否写反"),
}


def problem_text(problem: Problem) -> str:
    """What is wrong, for the control it stands at."""
    code = problem.code
    if code == "out_of_range" and str(problem.parameters.get("low")) == "0":
        code = "out_of_share"
    if code == "unknown_feature" and problem.path.endswith(".value.field"):
        code = "unknown_feature_of"
    text = PROBLEM_TEXTS.get(code)
    return str(text) % problem.parameters if text else code


def label_text(label: Label) -> str:
    return label.en if _english() and label.en else label.zh


def feature_text(feature: Feature) -> str:
    return feature.meaning if _english() else feature.label


def _english() -> bool:
    return (get_language() or "").startswith("en")


def unit_text(feature: Feature) -> str:
    units = {"yuan": _("元"), "m2": "m²", "mu": _("亩"), "head": _("头(只)"), "km": _("公里"), "person": _("人")}
    return units.get(feature.unit, "")


def figure_text(feature: Feature, value: int | Fraction) -> str:
    """A figure of the feature's smallest unit, with its unit."""
    exact = Fraction(value) / feature.scale
    shown = Decimal(exact.numerator) / Decimal(exact.denominator)
    text = f"{shown:,.2f}" if feature.kind == "money" else f"{shown.normalize():,f}"
    return f"{text} {unit_text(feature)}".strip()


def comparison_text(name: str, operator: str, threshold: str) -> str:
    """“house area below 52 m²”: one comparison as a sentence."""
    patterns = {
        "<": _("%(name)s低于 %(threshold)s"),
        "<=": _("%(name)s不高于 %(threshold)s"),
        ">": _("%(name)s超过 %(threshold)s"),
        ">=": _("%(name)s不低于 %(threshold)s"),
        "=": _("%(name)s为 %(threshold)s"),
        "in": _("%(name)s为 %(threshold)s"),
        "!=": _("%(name)s不为 %(threshold)s"),
        "not in": _("%(name)s不为 %(threshold)s"),
    }
    return patterns[operator] % {"name": name, "threshold": threshold}


def joined_text(join: str, parts: Sequence[tuple[bool, str]]) -> str:
    """Sentences joined by and/or; (True, text) is a group and stands in brackets."""
    texts = [f"({text})" if is_group else text for is_group, text in parts]
    return (_(" 且 ") if join == "and" else _(" 或 ")).join(texts)


def rule_text(rule: Rule) -> str:
    """A rule as a sentence, without a household: “house area below 13 × members who count”."""
    if isinstance(rule, Comparison):
        return comparison_text(feature_text(FEATURES[rule.field]), rule.operator, _right_side(rule))
    parts = [(not isinstance(part, Comparison), rule_text(part)) for part in rule.rules]
    return joined_text("and" if isinstance(rule, AllOf) else "or", parts)


def _right_side(rule: Comparison) -> str:
    feature, value = FEATURES[rule.field], rule.value
    if isinstance(value, bool):
        return _("是") if value else _("否")
    if isinstance(value, Product):
        times = value.times if isinstance(value.times, Fraction) else None
        factor = _decimal(times) if times is not None else line_text(str(value.times))
        return f"{factor} × {feature_text(FEATURES[value.field])}"
    if isinstance(value, Fraction):
        return figure_text(feature, value * feature.scale)
    return "、".join(value) if isinstance(value, tuple) else value


def _decimal(value: Fraction) -> str:
    """A factor as people write it: 13, 0.3, 1/3."""
    shown = Decimal(value.numerator) / Decimal(value.denominator)
    return f"{shown.normalize():f}" if Fraction(shown) == value else str(value)


def line_text(name: str) -> str:
    return {"income_line": _("收入标准线"), "monitoring_line": _("监测线"), "cutoff": _("临界值")}[name]


# ------------------------------------------------------------------------------------------------------ one version


@dataclass(frozen=True)
class PartText:
    """An indicator, veto or exclusion rule; `entered` and `share` of indicators only."""

    label: str
    rule: str
    entered: str = ""
    share: float | None = None


@dataclass(frozen=True)
class DimensionText:
    label: str
    share: float
    indicators: list[PartText]


@dataclass(frozen=True)
class SystemText:
    """Lines in yuan a person and year."""

    name: str
    income_line: Decimal
    monitoring_line: Decimal
    cutoff: str
    cutoff_share: float
    dimensions: list[DimensionText]
    vetoes: list[PartText]
    exclusions: list[PartText]


def system_text(system: IndexSystem, definition: Mapping[str, Any]) -> SystemText:
    """A version as its page reads; `definition` knows the weights as they were entered."""
    entered = {
        part["id"]: str(part["weight"]) for dimension in definition["dimensions"] for part in dimension["indicators"]
    }
    weights = system.weights
    return SystemText(
        name=label_text(system.name),
        income_line=income.to_yuan(system.income_line),
        monitoring_line=income.to_yuan(system.monitoring_line),
        cutoff=str(definition["cutoff"]),
        cutoff_share=float(system.cutoff),
        dimensions=[
            DimensionText(
                label=label_text(dimension.label),
                share=sum(weights[indicator.id] for indicator in dimension.indicators),
                indicators=[
                    PartText(label_text(each.label), rule_text(each.rule), entered[each.id], weights[each.id])
                    for each in dimension.indicators
                ],
            )
            for dimension in system.dimensions
        ],
        vetoes=[PartText(label_text(each.label), rule_text(each.rule)) for each in system.vetoes],
        exclusions=[PartText(label_text(each.label), rule_text(each.rule)) for each in system.exclusions],
    )


# ---------------------------------------------------------------------------------------------------- what differs


@dataclass(frozen=True)
class DifferenceText:
    kind: str
    name: str
    aspect: str
    before: str
    after: str
    change: str


def difference_texts(before: IndexSystem, after: IndexSystem) -> list[DifferenceText]:
    """What of `after` is not as it was in `before`, in the order of the page."""
    kinds = {
        "line": _("标准线"),
        "dimension": _("维度"),
        "indicator": _("指标"),
        "veto": _("一票否决"),
        "exclusion": _("排除条件"),
    }
    aspects = {"weight": _("权重"), "rule": _("条件"), "label": _("名称"), "dimension": _("所属维度"), "": ""}
    return [
        DifferenceText(
            kind=kinds[each.kind],
            name=line_text(each.name) if isinstance(each.name, str) else label_text(each.name),
            aspect=aspects[each.aspect],
            before=_difference_side(each, each.before),
            after=_difference_side(each, each.after),
            change=each.change,
        )
        for each in differences(before, after)
    ]


def _difference_side(difference: Difference, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Label):
        return label_text(value)
    if isinstance(value, Fraction):
        return _decimal(value)
    if isinstance(value, int):
        return _("%(amount)s 元") % {"amount": f"{income.to_yuan(value):,.2f}"}
    return rule_text(value)
