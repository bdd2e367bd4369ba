"""The objections desk: queue on the left, case on the right."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from changde.accounts.access import access
from changde.accounts.confirm import ask_to_confirm
from changde.accounts.refusal import Refusal
from changde.audit.services import record_read
from changde.web.keyset import KeysetPage
from changde.web.pages import UNPROCESSABLE, render_page
from supervision.forms import DecisionForm, VisitForm
from supervision.models import Objection
from supervision.selectors import objections as selectors
from supervision.services import objections as services

STATES = ("open", "decided")


@require_safe
@access("read_objections")
def desk(request: HttpRequest) -> HttpResponse:
    return render_page(request, "supervision/objections.html", _queue(request))


@require_safe
@access("read_objections")
def case(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A case with the complainant's own words; reading it is logged."""
    objection = _objection(request, pk)
    record_read("objections.read", by=request.user, target=objection, area=objection.village_id)
    return _case(request, objection)


@require_safe
@access("decide_objections")
def contact(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The case with the contact opened, after the password; logged on its own."""
    objection = _objection(request, pk)
    if not selectors.case_choices(request.user, objection).work:
        raise Http404
    if ask := ask_to_confirm(request):
        return ask
    record_read("objections.contact", by=request.user, target=objection, area=objection.village_id)
    return _case(request, objection, contact=objection.contact)


@require_POST
@access("decide_objections")
def visit(request: HttpRequest, pk: UUID) -> HttpResponse:
    objection = _objection(request, pk)
    form = VisitForm(request.POST)
    if form.is_valid():
        try:
            services.note_visit(objection=objection, by=request.user, **form.cleaned_data)
        except Refusal as refusal:
            if refusal.field not in form.fields:
                return _refused(request, pk, refusal)
            form.add_error(refusal.field, refusal.message)
        else:
            messages.success(request, _("核实情况已记录"))
            return redirect("objections:case", pk)
    return _case(request, objection, visit_form=form, status=UNPROCESSABLE)


@require_POST
@access("decide_objections")
def decide(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Decide; then the next open case comes by itself."""
    objection = _objection(request, pk)
    form = DecisionForm(request.POST)
    if form.is_valid():
        try:
            services.decide(objection=objection, by=request.user, **form.cleaned_data)
        except Refusal as refusal:
            if refusal.field not in form.fields:
                return _refused(request, pk, refusal)
            form.add_error(refusal.field, refusal.message)
        else:
            messages.success(request, _done(objection, form.cleaned_data["decision"]))
            following = selectors.due_objections(request.user).first()
            return redirect("objections:case", following.pk) if following else redirect("objections:desk")
    return _case(request, objection, decision_form=form, status=UNPROCESSABLE)


def _done(objection: Objection, decision: str) -> str:
    if decision == Objection.Decision.REJECTED:
        return _("已答复：异议不成立")
    if objection.entry_id:
        return _("已答复：异议成立。这一户须退出，请拟定并公示更正后的名单")
    return _("已答复：异议成立。请拟定并公示更正后的名单")


def _queue(request: HttpRequest) -> dict[str, Any]:
    division = request.area.division  # type: ignore[attr-defined]
    state = request.GET.get("state", "open")
    state = state if state in STATES else "open"
    found = selectors.objections(request.user, within=division.code if division else None, state=state)
    order = ["-decided_at", "pk"] if state == "decided" else ["due", "pk"]
    return {
        "page": KeysetPage(found, request.GET, order=order),
        "state": state,
        "states": [("open", _("待处理")), ("decided", _("已办结"))],
        "today": timezone.localdate(),
    }


def _case(request: HttpRequest, objection: Objection, *, status: int = 200, **context: Any) -> HttpResponse:
    context = {
        "visit_form": VisitForm(
            initial={"on": objection.visited_on, "note": objection.visit_note} if objection.visited_on else None
        ),
        "decision_form": DecisionForm(),
    } | context
    context |= {"objection": objection, "choices": selectors.case_choices(request.user, objection)}
    return render_page(request, "supervision/objections.html", _queue(request) | context, status=status)


def _objection(request: HttpRequest, pk: UUID) -> Objection:
    try:
        return selectors.objection_of(request.user, pk)
    except Objection.DoesNotExist as error:
        raise Http404 from error


def _refused(request: HttpRequest, pk: UUID, refusal: Refusal) -> HttpResponse:
    messages.error(request, refusal.message)
    return redirect("objections:case", pk)
