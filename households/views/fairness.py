"""Who types and which villages stand out; and the button that looks for leads now."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from changde.accounts.access import access
from changde.accounts.areas import covers
from changde.accounts.refusal import Refusal
from changde.audit.services import record_read
from changde.divisions.models import Division
from changde.web.pages import render_page
from households.models import Comparison
from households.selectors import fairness as selectors
from households.services import detection


@require_safe
@access("read_fairness")
def index(request: HttpRequest) -> HttpResponse:
    """By village or by person; every column sorts. Reading names of people who type is logged."""
    unit = request.GET.get("unit", "")
    unit = unit if unit in Comparison.Unit.values else Comparison.Unit.VILLAGE
    order = request.GET.get("order", "")
    order = order if order in selectors.ORDERS else "bunching"
    division: Division | None = request.area.division  # type: ignore[attr-defined]
    found = selectors.comparisons(request.user, division=division, unit=unit, order=order)
    rows = list(found[: selectors.SHOWN + 1])
    record_read(
        "leads.read_comparisons", by=request.user, area=division.code if division else None, unit=unit, rows=len(rows)
    )
    names = selectors.place_names(rows)
    context = {
        "unit": unit,
        "units": Comparison.Unit.choices,
        "order": order,
        "rows": [(row, names[row.area]) for row in rows[: selectors.SHOWN]],
        "more": len(rows) > selectors.SHOWN,
        "shown": selectors.SHOWN,
        "year": rows[0].year if rows else None,
        "made_at": rows[0].made_at if rows else None,
        "may_search": request.user.can("work_leads"),  # type: ignore[union-attr]
        "division": division,
    }
    return render_page(request, "households/fairness.html", context)


@require_POST
@access("work_leads")
def detect(request: HttpRequest) -> HttpResponse:
    """Look for leads in the area posted (`area`: a division's code; else the one worked in), as a job."""
    code = request.POST.get("area", "")
    worked_in: Division | None = request.area.division  # type: ignore[attr-defined]
    if code:
        division = get_object_or_404(Division, code=int(code) if code.isdecimal() and len(code) == 12 else 0)
    elif worked_in is not None:
        division = worked_in
    else:
        division = get_object_or_404(Division, code=detection.CITY)
    if not covers(request.user, "work_leads", division.code):  # type: ignore[arg-type]
        raise Http404
    try:
        detection.start(division=division, by=request.user)  # type: ignore[arg-type]
    except Refusal as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, _("正在查找线索，进度见下；完成后线索在“线索核查”里"))
    return redirect("jobs:list")
