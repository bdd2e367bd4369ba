"""From the city down to the village: figures, tables, trend, map, and the list of households behind every figure."""

from collections.abc import Callable
from decimal import Decimal
from io import BytesIO
from typing import Any

from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from changde.accounts.access import access
from changde.accounts.areas import covers
from changde.audit.services import record_export
from changde.divisions.codes import Level
from changde.web.pages import render_page
from households.domain.figures import CAUSES, CLASSES, RELATIVE_CUTOFF, RELATIVE_LINE, STATUSES
from households.domain.index import ABSOLUTE, NOT_POOR, UNDETERMINED
from households.domain.workbook import write
from households.index_words import label_text
from households.models import HouseholdStatus, Result
from supervision.figures_book import pages_of
from supervision.selectors.figures import AreaFigures, Row, area_figures, area_for

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# Columns of the table outcome x status that stand always; the others where they hold a household.
_ALWAYS = ("unregistered", "registered", "exited", "monitored")

ORDERS: dict[str, Callable[[Row], float | None]] = {
    "households": lambda row: row.figures.households,
    "persons": lambda row: row.figures.persons,
    "registered": lambda row: row.figures.registered,
    "absolute": lambda row: row.figures.absolute if row.figures.judged else None,
    "registered_incidence": lambda row: row.figures.registered_incidence,
    "computed_incidence": lambda row: row.figures.computed_incidence,
    "H": lambda row: row.measures.H if row.measures else None,
    "M0": lambda row: row.measures.M0 if row.measures else None,
    "gap": lambda row: row.measures.gap if row.measures else None,
}


@require_safe
@access("read_figures")
def city(request: HttpRequest, code: int | None = None) -> HttpResponse:
    """A division one may see, by default the one worked in; the city with its map."""
    area = _area(request, code)
    cards = f"{reverse('households:list')}?within={area.division.code}"
    order = request.GET.get("order", "")
    compared = area.sisters if area.division.level == Level.VILLAGE else area.rows
    context = {
        "area": area,
        "crumbs": _crumbs(area),
        "years": [{"text": str(one), "href": f"?year={one}", "on": one == area.year} for one in area.years],
        "changes": _changes(area),
        "map": _map(area) if area.division.level == Level.CITY else None,
        "cards": cards,
        "compared": _ordered(compared, order),
        "orders": _order_links(order),
        "highest": {name: max((of(row) or 0 for row in compared), default=0) for name, of in ORDERS.items()},
        "place": _place(area),
        "by_status": by_status(area, cards, _leads_page(request, area)),
        "by_cause": by_cause(area, cards),
        "indicators": _indicators(area),
        "trend": _trend(area),
        "shortfall": Decimal(area.figures.total.shortfall).scaleb(-2),
    }
    return render_page(request, "supervision/city.html", context, {"home-figures": "supervision/_home_figures.html"})


@require_safe
@access("read_figures")
def city_file(request: HttpRequest, code: int) -> FileResponse:
    """The figures of a division as a workbook; counts of fewer than five households are not told apart."""
    area = _area(request, code)
    mark = f"{request.user.display_name} {timezone.localtime():%Y-%m-%d %H:%M}"  # type: ignore[union-attr]
    content = BytesIO()
    write(content, pages_of(area, by_status(area, ""), by_cause(area, ""), mark))
    content.seek(0)
    record_export("supervision.figures_file", by=request.user, area=code, year=area.year)
    name = f"{area.division.name}-{area.year or ''}.xlsx"
    answer = FileResponse(content, as_attachment=True, filename=name, content_type=XLSX)
    answer["Cache-Control"] = "private, no-store"
    return answer


def _leads_page(request: HttpRequest, area: AreaFigures) -> str:
    """The desk of leads narrowed to the division, for who reads leads there."""
    if not covers(request.user, "read_leads", area.division.code):
        return ""
    return f"{reverse('households:leads')}?whose=area&within={area.division.code}"


def _area(request: HttpRequest, code: int | None) -> AreaFigures:
    code = code or area_for(request.user, request.area.code)  # type: ignore[arg-type, attr-defined]
    if code is None:
        raise Http404
    year = request.GET.get("year", "")
    return area_figures(request.user, code, int(year) if year.isdecimal() and len(year) == 4 else None)  # type: ignore[arg-type]


def _crumbs(area: AreaFigures) -> list[dict[str, Any]]:
    """The way down; steps above one's posts are names only."""
    here = area.division.code
    return [
        {
            "text": step.division.name,
            "href": reverse("city", args=[step.division.code]) if step.own and step.division.code != here else "",
        }
        for step in area.way
    ]


def _changes(area: AreaFigures) -> dict[str, int]:
    """What is different from the year before, where that was computed."""
    now, before = area.figures, area.before
    if before is None or not before.judged:
        return {}
    return {"absolute": now.absolute - before.absolute, "relative": now.relative - before.relative}


def _ordered(rows: list[Row], order: str) -> list[Row]:
    """By a column, the largest first and unknown ones last; by code without one."""
    of = ORDERS.get(order)
    if of is None:
        return rows
    return sorted(rows, key=lambda row: -1.0 if (value := of(row)) is None else float(value), reverse=True)


def _order_links(order: str) -> list[dict[str, Any]]:
    names = {
        "households": _("户卡（户）"),
        "persons": _("人口（人）"),
        "registered": _("建档立卡（户）"),
        "absolute": _("绝对贫困（户）"),
        "registered_incidence": _("建档立卡发生率"),
        "computed_incidence": _("测算发生率"),
        "H": _("多维贫困发生率 H"),
        "M0": _("多维贫困指数 M0"),
        "gap": _("收入缺口率"),
    }
    return [{"key": key, "name": name, "on": key == order} for key, name in names.items()]


def _place(area: AreaFigures) -> dict[str, Any] | None:
    """Where the division stands among its sisters by computed incidence, 1 is the highest; None without comparison."""
    known = [row for row in area.sisters if row.figures.computed_incidence is not None]
    own = area.figures.computed_incidence
    if area.parent is None or own is None or len(known) < 2:
        return None
    higher = sum((row.figures.computed_incidence or 0) > own for row in known)
    return {"rank": higher + 1, "of": len(known), "parent": area.parent}


def _class_names() -> dict[str, Any]:
    return {
        UNDETERMINED: Result.Outcome.UNDETERMINED.label,
        ABSOLUTE: Result.Outcome.ABSOLUTE.label,
        RELATIVE_LINE: _("相对贫困：低于监测线"),
        RELATIVE_CUTOFF: _("相对贫困：仅因缺失达到临界值"),
        NOT_POOR: Result.Outcome.NOT_POOR.label,
    }


def _leads() -> dict[tuple[str, str], list[tuple[str, str]]]:
    """What each cell of the table calls for: (kind of lead or empty, words), as households.domain.status_leads finds
    them. Source: docs/figures.md."""
    never, running, registered = ("unregistered",), ("proposed",), ("registered", "returned")
    monitored, exited = ("monitored",), ("exited",)
    cells = [
        (ABSOLUTE, never, [("left_out", _("漏评线索"))]),
        (ABSOLUTE, running, [("", _("在识别程序中"))]),
        (ABSOLUTE, registered, [("", _("继续在册"))]),
        (ABSOLUTE, monitored, [("left_out", _("漏评线索")), ("returned", _("返贫线索"))]),
        (ABSOLUTE, exited, [("returned", _("返贫线索"))]),
        (RELATIVE_LINE, never, [("marginal", _("边缘易致贫线索"))]),
        (RELATIVE_LINE, running, [("", _("在识别程序中"))]),
        (RELATIVE_LINE, registered, [("", _("继续在册"))]),
        (RELATIVE_LINE, exited, [("unstable", _("脱贫不稳定线索"))]),
        (RELATIVE_CUTOFF, (*never, *running), [("", _("按维度帮扶，不建档"))]),
        (RELATIVE_CUTOFF, registered, [("", _("继续在册，核查退出"))]),
        (RELATIVE_CUTOFF, exited, [("", _("观察"))]),
        (NOT_POOR, registered, [("exit_due", _("应退出线索")), ("clinging", _("两年达标未退线索"))]),
    ]
    found = {(of, status): leads for of, statuses, leads in cells for status in statuses}
    return found | {(UNDETERMINED, status): [("", _("退回村里补填"))] for status in STATUSES}


def by_status(area: AreaFigures, cards: str, leads_page: str = "") -> dict[str, Any] | None:
    """The table outcome x status: households and persons, what a cell calls for, and the lists behind it.

    `cards` and `leads_page` are the addresses of the lists, empty where the person has none. Leads are of the latest
    year; a lead that was decided, or said no more, is on the list no longer.
    """
    total = area.figures.total
    if not total.households:
        return None
    width, leads, doors = len(STATUSES), _leads(), _is_latest(area)
    shown = [
        status
        for place, status in enumerate(STATUSES)
        if status in _ALWAYS or any(total.by_status[row * width + place] for row in range(len(CLASSES)))
    ]
    names = _class_names()

    def cell(row: int, of: str, status: str) -> dict[str, Any]:
        place = row * width + STATUSES.index(status)
        count = total.by_status[place]
        return {
            "status": HouseholdStatus(status).label,
            "households": count,
            "persons": total.by_status_persons[place],
            "href": f"{cards}&outcome={of}&status={status}" if cards and count and doors else "",
            "leads": [
                {
                    "text": text,
                    "href": f"{leads_page}&kind={kind}&status={status}" if kind and leads_page and doors else "",
                }
                for kind, text in leads.get((of, status), [])
            ],
        }

    return {
        "columns": [HouseholdStatus(status).label for status in shown],
        "rows": [
            {"key": of, "name": names[of], "cells": [cell(row, of, status) for status in shown]}
            for row, of in enumerate(CLASSES)
        ],
    }


def by_cause(area: AreaFigures, cards: str) -> dict[str, Any] | None:
    """Poor households by main cause and outcome, the most frequent cause first."""
    total = area.figures.total
    if not total.households:
        return None
    width, names = len(CAUSES), _class_names()
    poor = (ABSOLUTE, RELATIVE_LINE, RELATIVE_CUTOFF)
    rows = []
    for place, cause in enumerate(CAUSES):
        counts = [total.by_cause[CLASSES.index(of) * width + place] for of in poor]
        if sum(counts):
            doors = cards and cause and _is_latest(area)
            cells = [
                {
                    "name": names[of],
                    "households": count,
                    "href": f"{cards}&outcome={of}&cause={cause}" if doors and count else "",
                }
                for of, count in zip(poor, counts, strict=True)
            ]
            rows.append({"name": _(cause) if cause else _("未填原因"), "cells": cells, "sum": sum(counts)})
    rows.sort(key=lambda row: -row["sum"])
    return {
        "columns": [names[of] for of in poor],
        "rows": rows,
        "highest": max((row["sum"] for row in rows), default=0),
    }


def _indicators(area: AreaFigures) -> list[dict[str, Any]]:
    """Dimensions with their share of M0, and in each its indicators."""
    dimensions: dict[str, dict[str, Any]] = {}
    for one in area.indicators:
        name = label_text(one.dimension)
        of = dimensions.setdefault(name, {"name": name, "contribution": 0.0, "rows": []})
        of["contribution"] += one.contribution
        of["rows"].append({"name": label_text(one.indicator.label), "figures": one})
    return list(dimensions.values())


def _is_latest(area: AreaFigures) -> bool:
    """The list of cards shows the latest year: other years have no door to it."""
    return bool(area.years) and area.year == area.years[0]


def _trend(area: AreaFigures) -> dict[str, Any] | None:
    """What static/js/chart.js draws; None for a single year."""
    years = [year for year in reversed(area.trend) if year.measures]
    if len(years) < 2:
        return None
    series = [
        (_("绝对贫困人口占比"), "danger", lambda year: year.absolute),
        (_("多维贫困发生率 H"), "accent", lambda year: year.measures.H),
        (_("收入低于标准的人口占比"), "info", lambda year: year.measures.headcount),
    ]
    return {
        "type": "line",
        "categories": [str(year.year) for year in years],
        "series": [
            {"name": name, "tone": tone, "data": [round(100 * (of(year) or 0), 2) for year in years]}
            for name, tone, of in series
        ],
        "unit": "%",
        "places": 2,
    }


def _map(area: AreaFigures) -> dict[str, Any]:
    """What static/js/map.js draws. A county without a card has no value, not zero."""
    metrics = [
        ("registered_incidence", _("建档立卡发生率"), "share", "", ""),
        ("computed_incidence", _("测算发生率"), "share", "danger", ""),
        ("H", _("多维贫困发生率 H"), "share", "", ""),
        ("A", _("平均缺失强度 A"), "share", "", ""),
        ("M0", _("多维贫困指数 M0"), "share", "danger", ""),
        ("headcount", _("收入低于标准的人口占比"), "share", "danger", ""),
        ("gap", _("收入缺口率"), "share", "danger", ""),
        ("households", _("户卡"), "number", "info", _("户")),
        ("registered", _("建档立卡户"), "number", "", _("户")),
        ("absolute", _("绝对贫困户"), "number", "danger", _("户")),
    ]
    names = ("key", "name", "kind", "tone", "unit")
    areas = [
        {
            "code": str(row.division.code),
            "name": row.division.name,
            "url": reverse("city", args=[row.division.code]),
            "values": {
                "households": row.figures.households or None,
                "registered": row.figures.registered if row.figures.households else None,
                "absolute": row.figures.absolute if row.figures.judged else None,
                "registered_incidence": row.figures.registered_incidence,
                "computed_incidence": row.figures.computed_incidence,
                **{name: getattr(row.measures, name, None) for name in ("H", "A", "M0", "headcount", "gap")},
            },
        }
        for row in area.rows
    ]
    metrics_told = [dict(zip(names, metric, strict=True)) for metric in metrics]
    return {"metric": "registered_incidence", "metrics": metrics_told, "areas": areas}
