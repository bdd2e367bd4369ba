"""Runs of the index: begin one, watch it, stop it, read what it found by township."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from changde.accounts.access import access
from changde.accounts.areas import covers
from changde.accounts.refusal import Refusal
from changde.web.pages import UNPROCESSABLE, go, render_page
from changde.web.steps import take_step
from households.domain.years import year_of
from households.forms.index_runs import RunForm
from households.models import IndexRun, RunChunk
from households.selectors import index_runs as selectors
from households.selectors.cards import latest_year
from households.services import index_runs


@require_http_methods(["GET", "HEAD", "POST"])
@access("read_results")
def index(request: HttpRequest) -> HttpResponse:
    """The runs that cover one's area or part of it; who may recompute begins one for the division worked in (a village:
    its township)."""
    here = request.area.division  # type: ignore[attr-defined]
    form, status = None, 200
    if here is not None and covers(request.user, "recompute", here.code):
        given = request.POST if request.method == "POST" else None
        years = selectors.years_with_version(here)
        asked = year_of(request.GET.get("year", ""))  # a page that has just changed what a year is judged by
        form = RunForm(given, years=years, initial={"year": asked or latest_year(request.user, here)})
        if form.is_valid():
            try:
                run = index_runs.start_run(division=here, year=form.cleaned_data["year"], by=request.user)  # type: ignore[arg-type]
            except Refusal as refusal:
                form.add_error(refusal.field if refusal.field in form.fields else None, refusal.message)
            else:
                messages.success(request, _("开始测算；可以离开本页，稍后再回来看"))
                return go(request, "households:run", run.pk)
        status = UNPROCESSABLE if form.is_bound else 200
    elif request.method == "POST":
        messages.error(request, _("只有乡镇、县、市办公室可以重新测算"))
        return go(request, "households:runs")
    page = selectors.run_list(request.user, request.GET)  # type: ignore[arg-type]
    context = {"page": page, "form": form, "division": here}
    return render_page(request, "households/runs.html", context, "households/_run_rows.html", status=status)


@require_safe
@access("read_results")
def page(request: HttpRequest, run_id: int) -> HttpResponse:
    """One run, of one beyond one's area what lies in it; while it goes on the fragment asks for itself again."""
    run = get_object_or_404(selectors.runs_of(request.user), pk=run_id)  # type: ignore[arg-type]
    chunks = list(selectors.townships_of(request.user, run))  # type: ignore[arg-type]
    (shown,) = selectors.shown_runs(request.user, [run])  # type: ignore[arg-type]
    context = {
        "run": run,
        "shown": shown,
        "chunks": chunks,
        "expected": sum(chunk.expected for chunk in chunks),
        "done": sum(chunk.expected for chunk in chunks if chunk.state == RunChunk.State.DONE),
        "remaining": run.job.remaining if run.job else None,
        **_offers(request, run, chunks),
    }
    return render_page(request, "households/run.html", context, {"run": "households/_run.html"})


def _offers(request: HttpRequest, run: IndexRun, chunks: list[RunChunk]) -> dict[str, bool]:
    """Which buttons the run's page has."""
    may = covers(request.user, "recompute", run.division_id)  # type: ignore[arg-type]
    states = {chunk.state for chunk in chunks}
    running = run.state == IndexRun.State.RUNNING
    return {
        "may_cancel": may and running,
        "may_take_up": may and running and any(chunk.is_silent for chunk in chunks),
        "may_resume": may and not running and states != {RunChunk.State.DONE},
        "may_mark_final": may and run.state == IndexRun.State.DONE and not run.final,
    }


@require_POST
@access("recompute")
def resume(request: HttpRequest, run_id: int) -> HttpResponse:
    """Take up what is undone: townships a dead worker left, or those of a run that ended without them."""
    return _step(request, run_id, index_runs.resume_run, _("已接着测算没有完成的乡镇"))


@require_POST
@access("recompute")
def mark_final(request: HttpRequest, run_id: int) -> HttpResponse:
    """Make a complete run the year's final one: its results are kept for ever."""
    return _step(request, run_id, index_runs.mark_final, _("已定为年度最终结果，永久保留"))


@require_POST
@access("recompute")
def cancel(request: HttpRequest, run_id: int) -> HttpResponse:
    """Stop a run: townships that are done stay, the others keep what they showed."""
    return _step(request, run_id, index_runs.cancel_run, _stopped)


def _stopped(run: IndexRun) -> str:
    return _("正在停止；写完手上的乡镇就停") if run.state == IndexRun.State.RUNNING else _("已停止测算")


def _step(
    request: HttpRequest, run_id: int, step: Callable[..., IndexRun], said: str | Callable[[IndexRun], str]
) -> HttpResponse:
    run = get_object_or_404(IndexRun.objects.visible_to(request.user, "recompute"), pk=run_id)  # type: ignore[misc]
    take_step(request, lambda: step(run=run, by=request.user), said)
    return go(request, "households:run", run_id)
