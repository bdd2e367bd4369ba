"""Trying a version of an index: begin a trial, watch it, read who enters and leaves, take the figures along."""

from io import BytesIO
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from changde.accounts.access import access
from changde.accounts.refusal import Refusal
from changde.audit.services import record_export, record_read
from changde.web.pages import UNPROCESSABLE, go, render_page
from households import trial_words as words
from households.forms.index_trials import TrialForm
from households.models import IndexTrial, IndexVersion
from households.selectors import index_trials as selectors
from households.selectors.cards import latest_year
from households.services import index_trials
from households.trial_figures import write_workbook

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@require_http_methods(["GET", "HEAD", "POST"])
@access("manage_index")
def index(request: HttpRequest, version_id: int) -> HttpResponse:
    """The trials of a version, and the form that begins one."""
    version = get_object_or_404(selectors.versions_to_try(request.user), pk=version_id)
    given = request.POST if request.method == "POST" else None
    places, years = selectors.places_of(request.user, version), selectors.years_of(version)
    form = TrialForm(given, places=places, years=years, initial=_likely(request, version, places, years))
    if form.is_valid():
        try:
            tried = index_trials.start_trial(version=version, **form.chosen, by=request.user)
        except Refusal as refusal:
            form.add_error(refusal.field if refusal.field in form.fields else None, refusal.message)
        else:
            messages.success(request, _("开始试算；可以离开本页，稍后再回来看"))
            return go(request, "households:index_trial", tried.pk)
    context = {
        "version": version,
        "version_name": words.version_name(version),
        "form": form,
        "page": selectors.trial_list(request.user, version, request.GET),
    }
    status = UNPROCESSABLE if form.is_bound else 200
    return render_page(
        request, "households/index_trials.html", context, "households/_index_trial_rows.html", status=status
    )


def _likely(request: HttpRequest, version: IndexVersion, places: list[Any], years: list[int]) -> dict[str, Any]:
    """The division worked in where it may be chosen, and its latest year with cards."""
    here = getattr(request.area.division, "code", None)
    place = next((place for place in places if place.code == here), places[0] if places else None)
    latest = latest_year(request.user, place)
    return {"place": place.code if place else None, "year": latest if latest in years else version.year}


@require_safe
@access("manage_index")
def page(request: HttpRequest, trial_id: int) -> HttpResponse:
    """One trial: its progress while it goes on, then everything it found."""
    tried = _found(request, trial_id)
    context: dict[str, Any] = {
        "tried": tried,
        "version_name": words.version_name(tried.version),
        "reference_name": words.version_name(tried.reference),
    }
    if tried.state == IndexTrial.State.DONE:
        context |= _figures(tried) | _villages(request, tried)
    else:
        context |= {
            "done": selectors.done_of(tried),
            "expected": selectors.expected_of(tried),
            "remaining": tried.job.remaining if tried.job else None,
        }
    fragments = {"trial": "households/_index_trial.html", "trial-villages": "households/_index_trial_villages.html"}
    return render_page(request, "households/index_trial.html", context, fragments)


def _figures(tried: IndexTrial) -> dict[str, Any]:
    figures = selectors.TrialFigures(tried)
    return {
        "figures": figures,
        "summary": words.summary(tried, figures),
        "conditions": words.conditions(tried, selectors.counties_left_out(tried)),
        "measures": [(words.MEASURES[one.key], one) for one in figures.measures],
        "indicators": [(words.label_of(one.label), one) for one in figures.indicators],
        "errors": [
            (words.AGAINST[against], words.MEANINGS[meaning], found) for against, meaning, found in figures.errors
        ],
        "flows": [(words.MEANINGS[meaning], flow) for meaning, flow in figures.flows.items()],
        "swings": [
            (words.swing_name(swing), [words.swing_value(swing, position) for position in range(3)], swing)
            for swing in figures.swings
        ],
    }


def _villages(request: HttpRequest, tried: IndexTrial) -> dict[str, Any]:
    return {
        "page": selectors.village_page(tried, request.GET),
        "townships": selectors.townships_of(tried),
        "within": request.GET.get("within", ""),
        "village": request.GET.get("village", ""),
    }


@require_safe
@access("manage_index")
def village(request: HttpRequest, trial_id: int, code: int) -> HttpResponse:
    """What a trial changes in one village, with example households; reading them is one event of the log."""
    tried = _found(request, trial_id)
    row = get_object_or_404(tried.villages.select_related("village__parent"), village_id=code)
    row.trial = tried
    transitions = selectors.transitions_of(request.user, row)
    before, after = tried.reference.system, tried.system
    record_read(
        "index.read_trial_examples",
        by=request.user,
        target=tried,
        area=code,
        households=sum(len(one.examples) for one in transitions),
    )
    context = {
        "tried": tried,
        "row": row,
        "version_name": words.version_name(tried.version),
        "reference_name": words.version_name(tried.reference),
        "transitions": [
            (
                one,
                [
                    (example, [words.difference_words(each, before, after) for each in example.differences])
                    for example in one.examples
                ],
            )
            for one in transitions
        ],
    }
    return render_page(request, "households/index_trial_village.html", context)


@require_safe
@access("manage_index")
def file(request: HttpRequest, trial_id: int) -> HttpResponse:
    """The figures of a complete trial as a workbook; nothing of persons or single households."""
    tried = _found(request, trial_id)
    if tried.state != IndexTrial.State.DONE:
        messages.error(request, _("试算还没有完成，没有可下载的数字"))
        return go(request, "households:index_trial", tried.pk)
    content = BytesIO()
    rows = write_workbook(content, tried, by=request.user.display_name)
    record_export("index.export_trial", by=request.user, target=tried, area=tried.division_id, rows=rows, format="xlsx")
    response = HttpResponse(content.getvalue(), content_type=XLSX)
    response["Content-Disposition"] = f'attachment; filename="trial-{tried.pk}-{tried.year}.xlsx"'
    return response


@require_POST
@access("manage_index")
def cancel(request: HttpRequest, trial_id: int) -> HttpResponse:
    tried = _found(request, trial_id)
    try:
        tried = index_trials.cancel_trial(tried=tried, by=request.user)
    except Refusal as refusal:
        messages.error(request, refusal.message)
    else:
        still = tried.state == IndexTrial.State.RUNNING
        messages.success(request, _("正在停止；算完手上的乡镇就停") if still else _("已停止试算"))
    return go(request, "households:index_trial", trial_id)


def _found(request: HttpRequest, trial_id: int) -> IndexTrial:
    return get_object_or_404(selectors.trials_of(request.user), pk=trial_id)
