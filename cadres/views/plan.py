"""Plans: list with running jobs, a new one, its page, signatures."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from cadres import selectors
from cadres.forms import PlanForm
from cadres.models import MatchPlan
from cadres.services import plans
from cadres.tasks import MATCH
from changde.accounts.access import access
from changde.accounts.areas import covers
from changde.accounts.refusal import Refusal
from changde.jobs.models import Job
from changde.jobs.services import enqueue
from changde.web.keyset import KeysetPage
from changde.web.pages import UNPROCESSABLE, go, render_page


@require_safe
@access("read_cadres")
def index(request: HttpRequest) -> HttpResponse:
    """The list; while a match is running its fragment asks for itself again and the new plan appears in it."""
    area = request.area  # type: ignore[attr-defined]
    page = KeysetPage(selectors.plan_list(request.user), request.GET, order=["-pk"])
    jobs = Job.objects.visible_to(request.user).filter(kind=MATCH).order_by("-pk")
    context = {
        "page": page,
        "running": list(jobs.filter(state__in=Job.OPEN)[:5]),
        "failed": jobs.filter(state=Job.State.FAILED).first() if not page.rows else None,
        "may_match": covers(request.user, "match_cadres", area.code),
    }
    return render_page(request, "cadres/plans.html", context, fragment={"plans": "cadres/_plans.html"})


@require_http_methods(["GET", "HEAD", "POST"])
@access("match_cadres")
def new(request: HttpRequest) -> HttpResponse:
    area = request.area  # type: ignore[attr-defined]
    if not covers(request.user, "match_cadres", area.code):
        raise Http404
    form = PlanForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        parameters = {"division": area.code, "rules": form.plain()}
        enqueue(MATCH, by=request.user, area=area.code, parameters=parameters, total=plans.STEPS)  # type: ignore[arg-type]
        messages.success(request, _("开始匹配，完成后方案出现在下面"))
        return go(request, "cadres:plans")
    context = {"form": form, "division": area.division}
    return render_page(request, "cadres/new_plan.html", context, status=UNPROCESSABLE if form.is_bound else 200)


@require_safe
@access("read_cadres")
def page(request: HttpRequest, plan_id: int) -> HttpResponse:
    township = request.GET.get("township", "")
    context = selectors.plan_page(request.user, plan_id, int(township) if township.isdecimal() else None)
    if context is None:
        raise Http404
    plan = context["plan"]
    signed = any(approval.by_id == request.user.pk for approval in context["approvals"])
    context["may_approve"] = (
        plan.is_proposal
        and plan.made_by_id != request.user.pk
        and not signed
        and covers(request.user, "match_cadres", plan.division_id)
    )
    context["signed"] = signed
    return render_page(request, "cadres/plan.html", context, fragment={"posts": "cadres/_plan_posts.html"})


@require_POST
@access("match_cadres")
def approve(request: HttpRequest, plan_id: int) -> HttpResponse:
    plan = get_object_or_404(MatchPlan.objects.visible_to(request.user, "match_cadres"), pk=plan_id)
    try:
        plan = plans.approve_plan(plan=plan, by=request.user)  # type: ignore[arg-type]
    except Refusal as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, _("已签批，还需另一人签批") if plan.is_proposal else _("方案已批准，派驻记录已建立"))
    return go(request, "cadres:plan", plan_id)
