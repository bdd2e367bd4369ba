"""The figures inside the checks: what they are called, in which direction they tighten, how far they may go.

A figure of a red check may only be tightened: a county may ask more than the city, and the city more than the
reference, never less. A figure of a yellow check moves freely between its bounds.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from decimal import Decimal

from households.domain.checks.core import FIGURES_OF, RED, Limits, descriptions

LOWER, HIGHER = "lower", "higher"


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure. `tightens` says which way it catches more; `least` and `most` bound what makes sense."""

    name: str
    unit: str
    tightens: str
    least: Decimal
    most: Decimal

    @property
    def default(self) -> Decimal:
        return _DEFAULTS[self.name]

    def relaxes(self, value: Decimal, than: Decimal) -> bool:
        """Does `value` catch less than `than`?"""
        return value > than if self.tightens == LOWER else value < than

    def tighter(self, one: Decimal, other: Decimal) -> Decimal:
        return min(one, other) if self.tightens == LOWER else max(one, other)


_DEFAULTS: Mapping[str, Decimal] = {each.name: getattr(Limits(), each.name) for each in fields(Limits)}


def _figure(name: str, unit: str, tightens: str, least: str, most: str) -> Figure:
    return Figure(name, unit, tightens, Decimal(least), Decimal(most))


FIGURES: Mapping[str, Figure] = {
    each.name: each
    for each in (
        _figure("oldest", "岁", LOWER, "90", "130"),
        _figure("child_least", "岁", HIGHER, "10", "25"),
        _figure("child_most", "岁", LOWER, "40", "80"),
        _figure("parent_least", "岁", HIGHER, "10", "25"),
        _figure("grandchild_least", "岁", HIGHER, "20", "50"),
        _figure("marriage_men", "岁", HIGHER, "18", "30"),
        _figure("marriage_women", "岁", HIGHER, "18", "30"),
        _figure("spouse_gap", "岁", LOWER, "5", "60"),
        _figure("wage_least", "元/月", HIGHER, "0", "5000"),
        _figure("wage_most", "元/月", LOWER, "3000", "200000"),
        _figure("poor_income", "元/人", HIGHER, "0", "5000"),
        _figure("house_least", "m²", HIGHER, "1", "60"),
        _figure("house_most", "m²", LOWER, "60", "2000"),
        _figure("field_area", "亩", LOWER, "5", "5000"),
        _figure("forest_area", "亩", LOWER, "5", "10000"),
        _figure("road_km", "km", LOWER, "0.5", "50"),
        _figure("members", "人", LOWER, "4", "40"),
        _figure("sum_tolerance", "元", LOWER, "0", "0.01"),
        _figure("per_capita_tolerance", "元", LOWER, "0", "0.01"),
        _figure("jump_factor", "倍", LOWER, "1.1", "10"),
        _figure("risk_months", "个月", HIGHER, "6", "36"),
        _figure("old_months", "个月", LOWER, "1", "60"),
    )
}


def figures_of(check_id: str) -> tuple[Figure, ...]:
    return tuple(FIGURES[name] for name in FIGURES_OF.get(check_id, ()))


def outside(figure: Figure, value: Decimal) -> bool:
    """Not a figure that makes sense, whoever asks for it."""
    return not value.is_finite() or not figure.least <= value <= figure.most


def contradict(check_id: str, limits: Limits) -> bool:
    """Two figures of one check that leave nothing between them."""
    pairs = {
        "child-age": (limits.child_least, limits.child_most),
        "wage-monthly": (limits.wage_least, limits.wage_most),
        "house-area": (limits.house_least, limits.house_most),
    }
    least, most = pairs.get(check_id, (Decimal(0), Decimal(1)))
    return least >= most


def combined(city: Mapping[str, Decimal], county: Mapping[str, Decimal]) -> Limits:
    """The figures in force: the county's own, else the city's, else the reference; of red checks the tightest."""
    chosen: dict[str, Decimal] = {}
    for check_id, names in FIGURES_OF.items():
        is_red = descriptions()[check_id].severity == RED
        for name in names:
            figure, given = FIGURES[name], [side[name] for side in (county, city) if name in side]
            value = given[0] if given else figure.default
            if is_red:
                value = figure.default
                for each in given:
                    value = figure.tighter(value, each)
            chosen[name] = value
    return replace(Limits(), **chosen)
