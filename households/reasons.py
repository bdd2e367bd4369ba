"""Why a household has its outcome, in sentences: the figures of domain.explain put into the reader's language."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from changde.web.badges import badge_for
from households.domain.explain import Change, ComparisonRow, Explanation, IndicatorRow, RuleRow, features_read
from households.domain.features import Feature
from households.domain.fields import of_entity
from households.index_words import comparison_text, feature_text, figure_text, joined_text, label_text


@dataclass(frozen=True)
class Counted:
    """The members one count is made of: names as the card has them, and masked as paper has them."""

    label: str
    names: Sequence[str]
    masked: Sequence[str]
    sure: bool = True


@dataclass(frozen=True)
class Line:
    """One indicator or guarantee as the page shows it."""

    label: str
    dimension: str
    read: str
    rule: str
    distance: str
    weight: float
    contribution: float
    state: bool | None
    counted: Sequence[Counted] = ()


@dataclass(frozen=True)
class DimensionLines:
    """A dimension with its indicators; `share` is its part of the score, None where there is none to share."""

    label: str
    weight: float
    contribution: float
    share: float | None
    lines: list[Line]


@dataclass(frozen=True)
class Reasons:
    income: str
    score: str
    lines: list[Line]
    dimensions: list[DimensionLines]
    vetoes: list[str]
    exclusions: list[str]
    open_fields: list[str]
    changes: list[tuple[bool, str]]


def reasons(why: Explanation, counted: Mapping[str, Sequence[Counted]] | None = None) -> Reasons:
    """The sentences of one explanation; `counted`: by feature, the members it counts, for who may read the card."""
    dimensions = [
        DimensionLines(
            label_text(row.label),
            row.weight,
            row.contribution,
            row.share,
            [_line(indicator, counted or {}) for indicator in row.indicators],
        )
        for row in why.dimensions
    ]
    return Reasons(
        income=_income(why),
        score=_score(why),
        dimensions=dimensions,
        lines=[line for dimension in dimensions for line in dimension.lines],
        vetoes=[label_text(row.label) for row in why.vetoes if row.state],
        exclusions=[label_text(row.label) for row in why.exclusions if row.state],
        open_fields=[field_text(name) for name in why.open_fields],
        changes=[(change.better, _change(change)) for change in why.changes],
    )


def field_text(name: str) -> str:
    """A field of the card by its header; fields of the village card carry a prefix."""
    entity, _dot, attribute = name.rpartition(".")
    for of in (entity + "_card",) if entity else ("sheet", "member_sheet", "person"):
        found = next((field for field in of_entity(of) if field.attribute == attribute), None)
        if found:
            return found.english if _english() else found.header
    return name


def _english() -> bool:
    return (get_language() or "").startswith("en")


def _yuan(fen: int) -> str:
    return f"{Decimal(fen).scaleb(-2):,.2f}"


def _value(feature: Feature, value: Any) -> str:
    if value is None:
        return _("未填")
    if isinstance(value, bool):
        return _("是") if value else _("否")
    if isinstance(value, tuple):
        return _("%(low)s 至 %(high)s") % {
            "low": figure_text(feature, value[0]),
            "high": figure_text(feature, value[1]),
        }
    return value if isinstance(value, str) else figure_text(feature, value)


def _income(why: Explanation) -> str:
    if why.net_income is None or why.line is None or why.monitoring_line is None:
        return _("家庭年纯收入未知，无法与收入标准比较。")
    facts = {
        "net": _yuan(why.net_income),
        "members": why.members,
        "line": _yuan(why.line),
        "monitoring": _yuan(why.monitoring_line),
        "short": _yuan(abs(why.to_line or 0)),
        "far": _yuan(abs(why.to_monitoring_line or 0)),
    }
    if (why.to_line or 0) < 0:
        return _("全家 %(members)s 人，年纯收入 %(net)s 元，低于全家的收入标准 %(line)s 元，差 %(short)s 元。") % facts
    if (why.to_monitoring_line or 0) < 0:
        return (
            _(
                "全家 %(members)s 人，年纯收入 %(net)s 元，不低于全家的收入标准 %(line)s 元，"
                "但低于监测线 %(monitoring)s 元，差 %(far)s 元。"
            )
            % facts
        )
    return _("全家 %(members)s 人，年纯收入 %(net)s 元，不低于监测线 %(monitoring)s 元，高出 %(far)s 元。") % facts


def _score(why: Explanation) -> str:
    if why.score is None:
        return _("有指标尚不能判定，暂无得分。")
    facts = {"score": f"{why.score:.4f}", "cutoff": f"{why.cutoff:.4f}"}
    if why.score + 1e-6 >= why.cutoff:
        return _("各项缺失权重合计 %(score)s，达到临界值 %(cutoff)s。") % facts
    return _("各项缺失权重合计 %(score)s，未达到临界值 %(cutoff)s。") % facts


def _line(row: IndicatorRow, counted: Mapping[str, Sequence[Counted]]) -> Line:
    leaves = list(_leaves(row.rule))
    read = {leaf.feature.name: f"{feature_text(leaf.feature)} {_value(leaf.feature, leaf.value)}" for leaf in leaves}
    far = [leaf for leaf in leaves if leaf.distance is not None] if len(leaves) == 1 else []
    return Line(
        label=label_text(row.label),
        dimension=label_text(row.dimension),
        read="；".join(read.values()),
        rule=_rule(row.rule),
        distance=_distance(far[0]) if far else "",
        weight=row.weight,
        contribution=row.contribution,
        state=row.state,
        counted=[part for name in features_read(row.rule) for part in counted.get(name, ())],
    )


def _leaves(rule: RuleRow | ComparisonRow) -> Any:
    if isinstance(rule, ComparisonRow):
        yield rule
    else:
        for part in rule.parts:
            yield from _leaves(part)


def _distance(leaf: ComparisonRow) -> str:
    assert leaf.distance is not None
    facts = {"far": figure_text(leaf.feature, abs(leaf.distance))}
    if leaf.distance < 0:
        return _("比标准少 %(far)s") % facts
    return _("比标准多 %(far)s") % facts if leaf.distance else _("正好等于标准")


def _rule(rule: RuleRow | ComparisonRow) -> str:
    if isinstance(rule, ComparisonRow):
        return comparison_text(feature_text(rule.feature), rule.operator, _threshold(rule))
    return joined_text(rule.join, [(isinstance(part, RuleRow), _rule(part)) for part in rule.parts])


def _threshold(rule: ComparisonRow) -> str:
    if isinstance(rule.threshold, tuple):
        return "、".join(rule.threshold)
    if isinstance(rule.threshold, bool):
        return _value(rule.feature, rule.threshold)
    if rule.threshold is None:
        return _("未知")
    figure = figure_text(rule.feature, rule.threshold)
    if rule.of is None:
        return figure
    if isinstance(rule.times, Fraction):
        each = f"{Decimal(rule.times.numerator) / Decimal(rule.times.denominator):f}"
        return f"{figure} ({each} × {feature_text(rule.of)} {_value(rule.of, rule.of_value)})"
    return f"{figure} ({feature_text(rule.of)} {_value(rule.of, rule.of_value)})"


def _change(change: Change) -> str:
    facts = {
        "name": feature_text(change.feature),
        "to": _(" 或 ").join(_value(change.feature, value) for value in change.to),
        "outcome": badge_for("outcome", change.outcome).label,
    }
    if change.distance is None:
        return _("%(name)s改为 %(to)s，结果变为“%(outcome)s”。") % facts
    facts["far"] = figure_text(change.feature, abs(change.distance))
    if change.distance > 0:
        return _("%(name)s增加 %(far)s（到 %(to)s），结果变为“%(outcome)s”。") % facts
    return _("%(name)s减少 %(far)s（到 %(to)s），结果变为“%(outcome)s”。") % facts
