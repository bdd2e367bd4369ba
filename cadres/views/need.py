"""Needs of villages: list, explanation, correction."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from cadres import selectors
from cadres.forms import NeedForm
from cadres.models import VillageNeed
from cadres.services import needs
from changde.accounts.access import access
from changde.accounts.areas import covers
from changde.accounts.refusal import Refusal
from changde.web.keyset import KeysetPage
from changde.web.pages import UNPROCESSABLE, go, render_page


@require_safe
@access("read_needs")
def index(request: HttpRequest) -> HttpResponse:
    area = request.area  # type: ignore[attr-defined]
    page = KeysetPage(selectors.need_list(request.user, area.code), request.GET, order=["village_id"])
    rows = [{"need": need, "weights": selectors.weight_rows(need.effective)[:3]} for need in page]
    may = covers(request.user, "recompute", area.code)
    context = {"page": page, "rows": rows, "may_recompute": may, "division": area.division}
    return render_page(request, "cadres/needs.html", context)


@require_POST
@access("recompute")
def recompute(request: HttpRequest) -> HttpResponse:
    """Work the needs of the area out anew; one query counts a county, so no job is needed."""
    area = request.area  # type: ignore[attr-defined]
    if not covers(request.user, "recompute", area.code):
        raise Http404
    try:
        done = needs.recompute_needs(division=area.code, by=request.user)  # type: ignore[arg-type]
    except Refusal as refusal:
        messages.error(request, refusal.message)
    else:
        facts = {"year": done.year, "villages": done.villages, "changed": done.changed}
        messages.success(
            request, _("已按 %(year)s 年度户卡测算 %(villages)s 个村，其中 %(changed)s 个村有变化") % facts
        )
    return go(request, "cadres:needs")


@require_safe
@access("read_needs")
def page(request: HttpRequest, village: int) -> HttpResponse:
    return _page(request, village)


def _page(request: HttpRequest, village: int, form: NeedForm | None = None) -> HttpResponse:
    context = selectors.need_page(request.user, village)
    if context is None:
        raise Http404
    form_of_page = form or NeedForm(weights=context["need"].effective)
    status = UNPROCESSABLE if form else 200
    return render_page(request, "cadres/need.html", context | {"form": form_of_page}, status=status)


def _need(request: HttpRequest, village: int) -> Any:
    visible = VillageNeed.objects.visible_to(request.user, "correct_needs").filter(village_id=village)
    return get_object_or_404(visible.order_by("-year")[:1])


@require_POST
@access("correct_needs")
def correct(request: HttpRequest, village: int) -> HttpResponse:
    need = _need(request, village)
    form = NeedForm(request.POST)
    if not form.is_valid():
        return _page(request, village, form)
    try:
        needs.correct_need(
            need=need,
            weights=form.weights,
            reason=form.cleaned_data["reason"],
            by=request.user,  # type: ignore[arg-type]
        )
    except Refusal as refusal:
        form.add_error(refusal.field, refusal.message)
        return _page(request, village, form)
    messages.success(request, _("已保存修正，下次匹配按修正后的需求"))
    return go(request, "cadres:need", village)


@require_POST
@access("correct_needs")
def withdraw(request: HttpRequest, village: int) -> HttpResponse:
    try:
        needs.withdraw_correction(need=_need(request, village), by=request.user)  # type: ignore[arg-type]
    except Refusal as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, _("已撤回修正，恢复按户卡测算的需求"))
    return go(request, "cadres:need", village)
