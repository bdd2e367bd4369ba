"""From the city down to the village: a map, a table, the list of households behind every figure."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from changde.accounts.access import access
from changde.divisions.codes import Level
from changde.web.pages import render_page
from supervision.selectors.figures import AreaFigures, area_figures, area_for


@require_safe
@access("read_figures")
def city(request: HttpRequest, code: int | None = None) -> HttpResponse:
    """A division one may see, by default the one worked in; the city with its map."""
    code = code or area_for(request.user, request.area.code)  # type: ignore[arg-type, attr-defined]
    if code is None:
        raise Http404
    year = request.GET.get("year", "")
    area = area_figures(request.user, code, int(year) if year.isdecimal() else None)  # type: ignore[arg-type]
    context = {
        "area": area,
        "crumbs": _crumbs(area),
        "years": [{"text": str(one), "href": f"?year={one}", "on": one == area.year} for one in area.years],
        "changes": _changes(area),
        "map": _map(area) if area.division.level == Level.CITY else None,
        "cards": f"{reverse('households:list')}?within={code}",
    }
    return render_page(request, "supervision/city.html", context, {"home-figures": "supervision/_home_figures.html"})


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


def _map(area: AreaFigures) -> dict[str, Any]:
    """What static/js/map.js draws. A county without a card has no value, not zero."""
    metrics = [
        {"key": "registered_incidence", "name": _("建档立卡发生率"), "unit": "", "kind": "share", "tone": ""},
        {"key": "computed_incidence", "name": _("测算发生率"), "unit": "", "kind": "share", "tone": "danger"},
        {"key": "households", "name": _("户卡"), "unit": _("户"), "kind": "number", "tone": "info"},
        {"key": "registered", "name": _("建档立卡户"), "unit": _("户"), "kind": "number", "tone": ""},
    ]
    areas = [
        {
            "code": str(row.division.code),
            "name": row.division.name,
            "url": reverse("city", args=[row.division.code]),
            "values": {
                "households": row.figures.households or None,
                "registered": row.figures.registered if row.figures.households else None,
                "registered_incidence": row.figures.registered_incidence,
                "computed_incidence": row.figures.computed_incidence,
            },
        }
        for row in area.rows
    ]
    return {"metric": "registered_incidence", "metrics": metrics, "areas": areas}
