"""Figures of an area as a workbook: sheets of figures alone, small counts not told apart."""

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _

from households.domain.workbook import Page
from households.index_words import label_text
from supervision.selectors.figures import AreaFigures, Row

FEW = 5  # fewer households than this stand as "<5" in the sheets by status and by cause


def pages_of(
    area: AreaFigures, by_status: dict[str, Any] | None, by_cause: dict[str, Any] | None, mark: str
) -> list[Page]:
    """The sheets of the workbook; `mark` stands on every printed page."""
    pages = [
        Page(_("总览"), [_("指标"), _("数值")], _overview(area), mark=mark, widths=[34, 24]),
        Page(_("比较"), _comparison_heads(), _comparison(area), mark=mark, widths=[20]),
        Page(
            _("指标"),
            [_("维度"), _("指标"), _("权重"), _("贫困且缺失的人口占比"), _("对 M0 的贡献")],
            (
                [
                    label_text(one.dimension),
                    label_text(one.indicator.label),
                    " / ".join(f"{weight:.6g}" for weight in one.weights),
                    one.censored,
                    one.contribution,
                ]
                for one in area.indicators
            ),
            mark=mark,
        ),
        Page(_("历年"), _trend_heads(), _trend(area), mark=mark),
    ]
    for title, table in ((_("结果与状态"), by_status), (_("致贫原因"), by_cause)):
        if table:
            rows = ([row["name"], *(_few(cell["households"]) for cell in row["cells"])] for row in table["rows"])
            pages.append(Page(title, [_("户"), *map(str, table["columns"])], rows, mark=mark, widths=[32]))
    return pages


def _few(count: int) -> int | str:
    return f"<{FEW}" if 0 < count < FEW else count


def _overview(area: AreaFigures) -> Iterable[list[Any]]:
    figures, found = area.figures, area.measures
    yield [_("区划"), area.division.name]
    yield [_("区划代码"), str(area.division.code)]
    yield [_("年度"), area.year]
    yield [_("截至"), f"{area.as_of:%Y-%m-%d %H:%M} UTC"]
    for version, households in area.versions:
        yield [_("指标版本"), f"{version} ({households})"]
    yield [_("户卡（户）"), figures.households]
    yield [_("人口（人）"), figures.persons]
    yield [_("建档立卡（户）"), figures.registered]
    yield [_("建档立卡发生率"), figures.registered_incidence]
    yield [_("有结果（户）"), figures.judged]
    yield [_("绝对贫困（户）"), figures.absolute]
    yield [_("相对贫困（户）"), figures.relative]
    yield [_("无法判定（户）"), figures.undetermined]
    yield [_("测算发生率"), figures.computed_incidence]
    if found:
        yield [_("多维贫困发生率 H"), found.H]
        yield [_("平均缺失强度 A"), found.A]
        yield [_("多维贫困指数 M0"), found.M0]
        yield [_("收入低于标准的人口占比"), found.headcount]
        yield [_("收入缺口率"), found.gap]
        yield [_("收入缺口平方率"), found.severity]
        yield [_("收入缺口（元）"), figures.total.shortfall / 100]


def _comparison_heads() -> list[str]:
    return [
        _("区划"), _("区划代码"), _("户卡（户）"), _("人口（人）"), _("建档立卡（户）"), _("绝对贫困（户）"),
        _("建档立卡发生率"), _("测算发生率"), "H", "A", "M0", _("收入低于标准的人口占比"), _("收入缺口率"),
        _("收入缺口平方率"),
    ]  # fmt: skip


def _comparison(area: AreaFigures) -> Iterable[list[Any]]:
    for row in (area.rows or area.sisters, [area.parent] if area.parent else []):
        yield from map(_compared, row)


def _compared(row: Row) -> list[Any]:
    figures, found = row.figures, row.measures
    names = ("H", "A", "M0", "headcount", "gap", "severity")
    return [
        row.division.name,
        str(row.division.code),
        figures.households,
        figures.persons,
        figures.registered,
        _few(figures.absolute) if figures.judged else None,
        figures.registered_incidence,
        figures.computed_incidence,
        *(getattr(found, name, None) for name in names),
    ]


def _trend_heads() -> list[str]:
    return [
        _("年度"), _("指标版本"), _("有结果（户）"), _("绝对贫困人口占比"), "H", "A", "M0",
        _("收入低于标准的人口占比"), _("收入缺口率"), _("收入缺口平方率"),
    ]  # fmt: skip


def _trend(area: AreaFigures) -> Iterable[list[Any]]:
    names = ("H", "A", "M0", "headcount", "gap", "severity")
    for year in area.trend:
        versions = "；".join(map(str, year.versions))
        told = (getattr(year.measures, name, None) for name in names)
        yield [year.year, versions, year.judged, year.absolute, *told]
