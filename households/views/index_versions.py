"""The index workshop: the standards of each year, one version in words, its drafts, its way to release."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from changde.accounts.access import access
from changde.accounts.refusal import Refusal
from changde.divisions.codes import Level, ancestor, level_of
from changde.web.pages import CONFLICT, UNPROCESSABLE, go, render_page
from changde.web.steps import take_step
from households.domain.index_draft import Typed, act, definition_of, from_fields, typed_of
from households.domain.index_system import IndexSystem, InvalidIndex, Problem
from households.domain.years import last_full_year, year_of
from households.forms.index_builder import builder, feature_initials
from households.forms.index_versions import CITY_DEFAULT, CancelForm, DraftForm, ProposeForm, SendBackForm
from households.index_words import difference_texts, system_text
from households.models import IndexVersion
from households.selectors import index_versions as selectors
from households.selectors.index_trials import versions_to_try
from households.services import index_versions


@require_safe
@access("read_index")
def index(request: HttpRequest) -> HttpResponse:
    return _index(request)


def _index(request: HttpRequest, form: DraftForm | None = None) -> HttpResponse:
    here = request.area.division  # type: ignore[attr-defined]
    county = ancestor(here.code, Level.COUNTY) if here and level_of(here.code) >= Level.COUNTY else None
    years = selectors.years(request.user, county)
    asked = year_of(request.GET.get("year", ""))
    shown = [year for year in years if asked in (None, year.year)]
    places = selectors.places_of(request.user)
    discarded = request.GET.get("discarded", "")
    context = {
        "years": shown,
        "all_years": [year.year for year in years],
        "asked": asked,
        "waiting": [version for year in shown for version in year.waiting],
        "before": [version for year in shown for version in year.before],
        "place": next((place for place in places if place and place.code == county), None),
        "places": places,
        "form": form or (_draft_form(request, county=county) if places else None),
        "discarded": selectors.managed_versions(request.user)
        .filter(
            pk=discarded if discarded.isdecimal() and len(discarded) < 18 else 0, state=IndexVersion.State.DISCARDED
        )
        .first(),
    }
    return render_page(request, "households/index_versions.html", context, status=UNPROCESSABLE if form else 200)


def _draft_form(request: HttpRequest, *, county: int | None = None, data: Any = None) -> DraftForm:
    places, sources = selectors.places_of(request.user), selectors.sources_of(request.user)
    own = [source for source in sources if source.division_id == county]
    initial: dict[str, Any] = {
        "year": last_full_year(timezone.localdate()),
        "place": str(county) if county else CITY_DEFAULT,
    }
    if sources:
        initial["copied_from"] = str((own or sources)[0].pk)
    return DraftForm(data, places=places, sources=sources, initial=initial)


@require_POST
@access("manage_index")
def draft(request: HttpRequest) -> HttpResponse:
    """Start a draft: a copy of any version one may read."""
    form = _draft_form(request, data=request.POST)
    if not form.is_valid():
        return _index(request, form)
    try:
        version = index_versions.start_draft(**form.chosen, by=request.user)  # type: ignore[arg-type]
    except Refusal as refusal:
        form.add_error(refusal.field if refusal.field in form.fields else None, refusal.message)
        return _index(request, form)
    messages.success(request, _("已起草；改好之后保存，再试算"))
    return go(request, "households:index_edit", version.pk)


@require_safe
@access("read_index")
def page(request: HttpRequest, version_id: int) -> HttpResponse:
    """One version in words: what it holds, how it differs from the one in force, who did what, what comes next."""
    return _page(request, _found(request, version_id))


def _page(
    request: HttpRequest,
    version: IndexVersion,
    *,
    propose: ProposeForm | None = None,
    back: SendBackForm | None = None,
    stop: CancelForm | None = None,
) -> HttpResponse:
    system, other = version.system, selectors.compared_with(version)
    manages = selectors.may_manage(request.user, version)
    State = IndexVersion.State
    proposed = manages and version.state == State.PROPOSED
    colleague = proposed and version.proposed_by_id != request.user.pk
    context = {
        "version": version,
        "text": system_text(system, version.definition),
        "other": other,
        "differences": difference_texts(other.system, system) if other else [],
        "may_edit": manages and version.is_open,
        "may_try": versions_to_try(request.user).filter(pk=version.pk).exists(),  # type: ignore[arg-type]
        "may_propose": manages and version.state == State.TRIED and version.unfinished is None,
        "may_withdraw": proposed,
        "may_release": colleague,
        "may_cancel": manages and version.state == State.SCHEDULED and version.effective_from > timezone.localdate(),
        "may_copy": request.user.can("manage_index"),  # type: ignore[union-attr]
        "may_recompute": version.state == State.RELEASED and request.user.can("recompute"),  # type: ignore[union-attr]
        "copy_places": selectors.places_of(request.user) if request.user.can("manage_index") else [],  # type: ignore[union-attr]
        "propose_form": propose or ProposeForm(today=timezone.localdate()),
        "back_form": back or SendBackForm(),
        "cancel_form": stop or CancelForm(),
    }
    status = UNPROCESSABLE if propose or back or stop else 200
    return render_page(request, "households/index_version.html", context, status=status)


@require_safe
@access("read_index")
def definition(request: HttpRequest, version_id: int) -> HttpResponse:
    """The definition as a JSON file; no fact of any household is in it."""
    version = _found(request, version_id)
    name = f"index-{version.division_id or CITY_DEFAULT}-{version.year}-{version.number}.json"
    response = JsonResponse(version.definition, json_dumps_params={"ensure_ascii": False, "indent": 2})
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@access("manage_index")
def edit(request: HttpRequest, version_id: int) -> HttpResponse:
    """The builder: one form whose buttons do a step and show it again; nothing typed is lost, nothing saved unasked."""
    version = _found(request, version_id, manage=True)
    if not version.is_open:
        said = _("已提请发布的版本不能修改；要改请先撤回")
        messages.error(request, said if version.state == IndexVersion.State.PROPOSED else _("已发布的版本不能再改动"))
        return go(request, "households:index_version", version.pk)
    if request.method != "POST":
        typed = version.unfinished or typed_of(version.definition)
        return _builder(request, version, typed, checked=version.unfinished is not None)
    typed = from_fields((name, value) for name, values in request.POST.lists() for value in values)
    verb, _colon, rest = request.POST.get("action", "save").partition(":")
    typed, focus = act(typed, f"{verb}:{rest}")
    if verb not in ("save", "keep", "overwrite"):
        return _builder(request, version, typed, focus=focus, checked=bool(request.POST.get("checked")))
    revision = rest if verb == "overwrite" else request.POST.get("revision", "")
    try:
        saved = index_versions.edit_version(
            version=version,
            typed=typed,
            expected_revision=int(revision) if revision.isdecimal() and len(revision) < 10 else 0,
            unfinished=verb == "keep",
            by=request.user,  # type: ignore[arg-type]
        )
    except InvalidIndex as wrong:
        return _builder(request, version, typed, wrong.problems, checked=True, status=UNPROCESSABLE)
    except Refusal as refusal:
        return _builder(request, version, typed, refusal=refusal, status=CONFLICT)
    if saved.unfinished is not None:
        messages.warning(request, _("已按原样留存；改好所有提示之处并保存之后才能试算和提请"))
    else:
        messages.success(request, _("草稿已保存；下一步试算，看清谁进谁出"))
    return go(request, "households:index_version", version.pk)


def _builder(
    request: HttpRequest,
    version: IndexVersion,
    typed: Typed,
    problems: tuple[Problem, ...] | None = None,
    *,
    focus: str = "",
    checked: bool = False,
    refusal: Refusal | None = None,
    status: int = 200,
) -> HttpResponse:
    if problems is None:
        problems = _problems(typed, version.year) if checked else ()
    context = {
        "version": version,
        "builder": builder(typed, problems, focus=focus, checked=checked),
        "revision": request.POST.get("revision", version.revision),
        "refusal": refusal,
        "search": {"none": _("没有符合的选项"), "initials": feature_initials()},
        "theirs": IndexVersion.objects.select_related("changed_by").get(pk=version.pk) if refusal else None,
    }
    fragment = {"builder": "households/_index_builder.html"}
    return render_page(request, "households/index_edit.html", context, fragment, status=status)


def _problems(typed: Typed, year: int) -> tuple[Problem, ...]:
    try:
        IndexSystem.from_json(definition_of(typed, year=year))
    except InvalidIndex as wrong:
        return wrong.problems
    return ()


@require_POST
@access("manage_index")
def propose(request: HttpRequest, version_id: int) -> HttpResponse:
    version = _found(request, version_id, manage=True)
    form = ProposeForm(request.POST, today=timezone.localdate())
    return _done_with(
        request, version, "propose", form, index_versions.propose_version, _("已提请发布；由另一人核对后发布")
    )


@require_POST
@access("manage_index")
def withdraw(request: HttpRequest, version_id: int) -> HttpResponse:
    version = _found(request, version_id, manage=True)
    return _done(request, version, index_versions.withdraw_version, _("已撤回，可以继续修改"))


@require_POST
@access("manage_index")
def send_back(request: HttpRequest, version_id: int) -> HttpResponse:
    version = _found(request, version_id, manage=True)
    form = SendBackForm(request.POST)
    return _done_with(
        request, version, "back", form, index_versions.send_back_version, _("已退回，提请人会在首页看到原因")
    )


@require_POST
@access("manage_index")
def release(request: HttpRequest, version_id: int) -> HttpResponse:
    version = _found(request, version_id, manage=True)
    read = request.POST.get("revision", "")
    try:
        version = index_versions.release_version(
            version=version,
            by=request.user,  # type: ignore[arg-type]
            expected_revision=int(read) if read.isdecimal() and len(read) < 10 else 0,
        )
    except Refusal as refusal:
        messages.error(request, refusal.message)
    else:
        if version.state == IndexVersion.State.SCHEDULED:
            day = f"{version.effective_from:%Y-%m-%d}"
            messages.success(request, _("已发布，%(day)s 起生效；在那之前仍按现行版本") % {"day": day})
        else:
            messages.success(request, _("已发布，从现在起按这一版识别；原有结果已标为待更新，请重新测算"))
    return go(request, "households:index_version", version_id)


@require_POST
@access("manage_index")
def cancel(request: HttpRequest, version_id: int) -> HttpResponse:
    """Take a version back that waits for its day."""
    version = _found(request, version_id, manage=True)
    form = CancelForm(request.POST)
    return _done_with(
        request, version, "stop", form, index_versions.cancel_version, _("已取消，不再生效；仍按现行版本识别")
    )


@require_POST
@access("manage_index")
def discard(request: HttpRequest, version_id: int) -> HttpResponse:
    """Put a draft aside; the overview offers to take it back."""
    version = _found(request, version_id, manage=True)
    try:
        index_versions.discard_version(version=version, by=request.user)  # type: ignore[arg-type]
    except Refusal as refusal:
        messages.error(request, refusal.message)
        return go(request, "households:index_version", version_id)
    response = go(request, "households:index_versions")
    response["Location"] += f"?discarded={version.pk}"
    return response


@require_POST
@access("manage_index")
def restore(request: HttpRequest, version_id: int) -> HttpResponse:
    """Take a discarded draft back."""
    version = get_object_or_404(selectors.managed_versions(request.user), pk=version_id)
    return _done(request, version, index_versions.restore_version, _("草稿已取回"))


def _done(request: HttpRequest, version: IndexVersion, step: Callable[..., Any], said: str) -> HttpResponse:
    take_step(request, lambda: step(version=version, by=request.user), said)
    return go(request, "households:index_version", version.pk)


def _done_with(
    request: HttpRequest, version: IndexVersion, panel: str, form: Form, step: Callable[..., Any], said: str
) -> HttpResponse:
    """A step that wants words: taken, or the page again with the form in its panel and what is wrong at its field."""
    if form.is_valid():
        try:
            step(version=version, by=request.user, **form.cleaned_data)
        except Refusal as refusal:
            form.add_error(refusal.field if refusal.field in form.fields else None, refusal.message)
        else:
            messages.success(request, said)
            return go(request, "households:index_version", version.pk)
    return _page(request, version, **{panel: form})  # type: ignore[arg-type]


def _found(request: HttpRequest, version_id: int, *, manage: bool = False) -> IndexVersion:
    """The version, or 404 for absent, discarded and not yours alike."""
    shown = selectors.versions_of(request.user)
    version = get_object_or_404(shown, pk=version_id)
    if manage and not selectors.may_manage(request.user, version):
        return get_object_or_404(shown.none())
    return version
