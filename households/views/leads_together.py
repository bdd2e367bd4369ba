"""Several leads of one kind decided with one reason: what was ticked at the desk, to look over and to decide."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from changde.accounts.access import access
from changde.accounts.refusal import Refusal
from changde.audit.services import record_read
from changde.web.pages import UNPROCESSABLE, render_page
from households.forms.leads import DecisionForm
from households.models import Finding
from households.services import lead_cases
from households.views.leads import query_of, text_of, to


@require_http_methods(["GET", "HEAD", "POST"])
@access("work_leads")
def together(request: HttpRequest) -> HttpResponse:
    """The leads of ?lead=..&lead=..; several kinds are offered one at a time, since one reason does not suit two.

    Posted, `lead` are the ticked ones of those `shown`.
    """
    posted = request.method == "POST"
    leads = _asked(request, [*request.POST.getlist("lead"), *request.POST.getlist("shown")]) if posted else []
    leads = leads or _asked(request, request.GET.getlist("lead"))
    if not leads:
        messages.error(request, _("请先勾选要一起办理的线索"))
        return to(request, "households:leads")
    if posted:
        return _decide(request, leads, set(request.POST.getlist("lead")))
    division = request.area.division  # type: ignore[attr-defined]
    record_read("leads.list", by=request.user, area=division.code if division else None, rows=len(leads))
    return _page(request, leads)


def _asked(request: HttpRequest, asked: list[str]) -> list[Finding]:
    """Of the ids asked for, the leads the person works with, in the order of the desk."""
    ids = sorted({int(text) for text in asked if text.isdecimal() and len(text) < 19})[: lead_cases.MOST_TOGETHER + 1]
    leads = Finding.objects.leads_visible_to(request.user, "work_leads").filter(pk__in=ids)
    return list(leads.select_related("household", "village", "owner", "person").order_by("doubt", "due_on", "pk"))


def _decide(request: HttpRequest, shown: list[Finding], ticked: set[str]) -> HttpResponse:
    """`shown` stay on the page when something is to be mended, ticked as they were."""
    leads = [lead for lead in shown if str(lead.pk) in ticked]
    form = DecisionForm(request.POST, visited=_visited(leads or shown))
    if form.is_valid():
        try:
            done = lead_cases.decide_together(leads=leads, by=request.user, **form.cleaned_data)  # type: ignore[arg-type]
        except Refusal as refusal:
            form.add_error(refusal.field if refusal.field in form.fields else None, refusal.message)
        else:
            if not done.refused:
                return to(request, "households:leads")
            # Those that were decided are told, the others stand there with the reason why not.
            return _page(request, [lead for lead, _why in done.refused], done=len(done.taken))
    return _page(request, shown, form=form, ticked=leads)


def _visited(leads: list[Finding]) -> bool:
    return all(lead.visited_on for lead in leads)


def _page(
    request: HttpRequest,
    leads: list[Finding],
    *,
    form: DecisionForm | None = None,
    done: int | None = None,
    ticked: list[Finding] | None = None,
) -> HttpResponse:
    reasons = lead_cases.refusals(leads, request.user)  # type: ignore[arg-type]
    kinds: dict[str, list[Finding]] = {}
    for lead in leads:
        kinds.setdefault(lead.kind, []).append(lead)
    context: dict[str, Any] = {
        "rows": [(lead, text_of(lead), reasons.get(lead.pk, ""), ticked is None or lead in ticked) for lead in leads],
        "kinds": [
            (Finding.Kind(kind).label, len(of_kind), _query_with(request, of_kind)) for kind, of_kind in kinds.items()
        ],
        "free": len(leads) - len(reasons),
        "form": form or DecisionForm(visited=_visited([lead for lead in leads if lead.pk not in reasons])),
        "done": done,
        "query": query_of(request),
        "crumbs": [{"text": _("线索核查"), "href": _desk(request)}, {"text": _("一起办理")}],
    }
    status = UNPROCESSABLE if form or done == 0 else 200
    return render_page(request, "households/leads_together.html", context, status=status)


def _desk(request: HttpRequest) -> str:
    query = query_of(request)
    return reverse("households:leads") + (f"?{query}" if query else "")


def _query_with(request: HttpRequest, leads: list[Finding]) -> str:
    query = QueryDict(query_of(request), mutable=True)
    query.setlist("lead", [str(lead.pk) for lead in leads])
    return query.urlencode()
