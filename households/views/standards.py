"""The yearly standard: read by whoever reads cards, made by the county's (or the city's) office, released by two."""

from collections.abc import Callable
from itertools import groupby
from typing import Any

from django.contrib import messages
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from changde.accounts.access import access
from changde.accounts.areas import covers
from changde.accounts.refusal import Refusal
from changde.web.pages import CONFLICT, UNPROCESSABLE, go, render_page
from changde.web.steps import take_step
from households.domain.years import last_full_year
from households.forms.standards import PROPOSED_BY, DraftForm, RateFormSet, SettingsForm, initial_rates
from households.models import YearlyStandard
from households.models.yearly_standard import CITY
from households.selectors import standards as selectors
from households.services import yearly_standards


@require_safe
@access("read_standards")
def index(request: HttpRequest) -> HttpResponse:
    return _index(request)


def _index(request: HttpRequest, form: DraftForm | None = None) -> HttpResponse:
    shown = selectors.standards_for(request.user).select_related("division", "proposed_by")
    places = selectors.places_of(request.user)
    context = {
        "standards": list(shown.order_by("-year", "division_id", "-number")),
        "form": form or (_draft_form(request, places=places) if places else None),
    }
    return render_page(request, "households/standards.html", context, status=UNPROCESSABLE if form else 200)


def _draft_form(request: HttpRequest, *, places: list[Any], data: Any = None) -> DraftForm:
    released = selectors.standards_for(request.user).filter(state=YearlyStandard.State.RELEASED)
    own_first = F("division").asc(nulls_last=True)
    sources = list(released.select_related("division").order_by("-year", own_first))
    initial: dict[str, Any] = {"year": last_full_year(timezone.localdate())}
    if sources:
        initial["copied_from"] = str(sources[0].pk)
    return DraftForm(data, places=places, sources=sources, initial=initial)


@require_POST
@access("manage_standards")
def draft(request: HttpRequest) -> HttpResponse:
    """Start a draft: copied from an earlier standard, from the city's default, or empty."""
    form = _draft_form(request, places=selectors.places_of(request.user), data=request.POST)
    if not form.is_valid():
        return _index(request, form)
    try:
        standard = yearly_standards.draft_standard(**form.chosen, by=request.user)  # type: ignore[arg-type]
    except Refusal as refusal:
        form.add_error(refusal.field if refusal.field in form.fields else None, refusal.message)
        return _index(request, form)
    return go(request, "households:standard_edit", standard.pk)


@require_safe
@access("read_standards")
def page(request: HttpRequest, standard_id: int) -> HttpResponse:
    """One standard: its rates, and what differs from the one before."""
    standard = _found(request, standard_id)
    other = selectors.compared_with(standard)
    rates = list(standard.rates.all())
    context = {
        "standard": standard,
        "groups": [(kind, list(group)) for kind, group in groupby(rates, key=lambda rate: rate.get_kind_display())],
        "other": other,
        "differences": selectors.differences(other, standard) if other else [],
        "proposed_by_names": PROPOSED_BY,
        "may_change": standard.is_draft and _may_manage(request, standard),
        "may_release": standard.proposed_by_id not in (None, request.user.pk),
    }
    return render_page(request, "households/standard.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@access("manage_standards")
def edit(request: HttpRequest, standard_id: int) -> HttpResponse:
    """All rates of a draft on one page."""
    standard = _found(request, standard_id, manage=True)
    if not standard.is_draft:
        messages.error(request, _("已发布的标准不能再改动；要改请另起草一份"))
        return go(request, "households:standard", standard.pk)
    status = 200
    if request.method != "POST":
        names = ("revision", "days_low", "days_high", "tolerance")
        settings = SettingsForm(initial={name: getattr(standard, name) for name in names})
        formset = RateFormSet(initial=initial_rates(standard), prefix="rates")
    else:
        settings, formset = SettingsForm(request.POST), RateFormSet(request.POST, prefix="rates")
        status = UNPROCESSABLE
        if all([settings.is_valid(), formset.is_valid()]):
            try:
                yearly_standards.edit_standard(
                    standard=standard,
                    settings=settings.cleaned_data,
                    rates=formset.rates(),
                    expected_revision=settings.cleaned_data["revision"],
                    by=request.user,  # type: ignore[arg-type]
                )
            except Refusal as refusal:
                settings.add_error(None, refusal.message)
                status = CONFLICT if refusal.code == "revision" else UNPROCESSABLE
            else:
                messages.success(request, _("草稿已保存；核对后提请发布"))
                return go(request, "households:standard", standard.pk)
    context = {"standard": standard, "settings": settings, "formset": formset}
    return render_page(request, "households/standard_form.html", context, status=status)


@require_POST
@access("manage_standards")
def propose(request: HttpRequest, standard_id: int) -> HttpResponse:
    standard = _found(request, standard_id, manage=True)
    return _done(request, standard, yearly_standards.propose_standard, _("已提请发布；由另一人核对后发布"))


@require_POST
@access("manage_standards")
def release(request: HttpRequest, standard_id: int) -> HttpResponse:
    standard = _found(request, standard_id, manage=True)
    read = request.POST.get("revision", "")
    return _done(
        request,
        standard,
        yearly_standards.release_standard,
        _("已发布，本年度户卡从现在起按这份标准对照"),
        expected_revision=int(read) if read.isdecimal() else 0,
    )


@require_POST
@access("manage_standards")
def discard(request: HttpRequest, standard_id: int) -> HttpResponse:
    standard = _found(request, standard_id, manage=True)
    discard = yearly_standards.discard_standard
    if take_step(request, lambda: discard(standard=standard, by=request.user), _("草稿已作废")):  # type: ignore[arg-type]
        return go(request, "households:standards")
    return go(request, "households:standard", standard_id)


def _done(
    request: HttpRequest, standard: YearlyStandard, step: Callable[..., Any], said: str, **more: Any
) -> HttpResponse:
    take_step(request, lambda: step(standard=standard, by=request.user, **more), said)
    return go(request, reverse("households:standard", args=[standard.pk]))


def _found(request: HttpRequest, standard_id: int, *, manage: bool = False) -> YearlyStandard:
    """The standard, or 404 for absent and for not yours alike."""
    shown = selectors.standards_for(request.user).select_related("division", "proposed_by", "released_by")
    standard = get_object_or_404(shown, pk=standard_id)
    if manage and not _may_manage(request, standard):
        return get_object_or_404(shown.none())
    return standard


def _may_manage(request: HttpRequest, standard: YearlyStandard) -> bool:
    return covers(request.user, "manage_standards", standard.division_id or CITY)
