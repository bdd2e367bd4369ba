"""Leads: the desk, the case with its steps, the panel on a card, a file of the queue, how often rules were right."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from io import BytesIO
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from changde.accounts.access import access
from changde.accounts.areas import covers, ranges_of
from changde.accounts.confirm import ask_to_confirm
from changde.accounts.refusal import Refusal
from changde.audit.services import record_export, record_read
from changde.divisions.codes import Level, level_of
from changde.divisions.models import Division
from changde.web.pages import UNPROCESSABLE, render_page
from households.domain.priority import band
from households.domain.status_leads import NOT_COUNTED
from households.domain.workbook import Page, write
from households.forms.leads import (
    GROUP_NAMES,
    DecisionForm,
    HandOverForm,
    LeadExportForm,
    LeadFilterForm,
    PeriodForm,
    VisitForm,
)
from households.lead_messages import facts_of, figures_of, next_step, rule_name, sentence
from households.listings import KEPT_LISTS
from households.models import Finding, Household, HouseholdStatus, SavedFilter
from households.selectors import leads as selectors
from households.selectors.card_list import code_within
from households.selectors.leads import AREA, OFFICE, STATES, Chosen
from households.selectors.listing import kept_filters
from households.selectors.search import sealed, unsealed
from households.services import lead_cases

FILTERS = ("state", "kind", "whose", "status", "within", "find")  # of the address, kept from page to page
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@require_safe
@access("read_leads")
def desk(request: HttpRequest) -> HttpResponse:
    """The queue of the area; the case is chosen on the left. The queue itself is a read of people: one event a page."""
    context = _queue(request)
    _log_queue(request, context)
    return render_page(request, "households/leads.html", context)


@require_POST
@access("read_leads")
def find(request: HttpRequest) -> HttpResponse:
    """Filters and a search: what was typed goes sealed into the address, since names must not stand in logs."""
    form = _filter_form(request, request.POST)
    form.is_valid()
    known = form.cleaned_data
    text = known.get("find", "").strip()
    chosen = {name: known[name] for name in ("kind", "whose") if known.get(name)}
    chosen |= {name: request.GET[name] for name in ("state", "status", "within") if request.GET.get(name)}
    query = QueryDict(mutable=True)
    query.update(chosen | ({"find": sealed(request.user, text)} if text else {}))
    return redirect(f"{reverse('households:leads')}?{query.urlencode()}")


@require_safe
@access("read_leads")
def case(request: HttpRequest, lead_id: int) -> HttpResponse:
    """One lead with everything an officer needs to decide it; reading it is logged."""
    lead = _lead(request, lead_id)
    record_read("leads.read", by=request.user, target=lead, area=lead.village_id, kind=lead.kind)
    return _case(request, lead)


@require_POST
@access("work_leads")
def visit(request: HttpRequest, lead_id: int) -> HttpResponse:
    lead = _lead(request, lead_id, "work_leads")
    form = VisitForm(request.POST)
    if form.is_valid():
        try:
            lead_cases.note_visit(lead=lead, by=request.user, **form.cleaned_data)  # type: ignore[arg-type]
        except Refusal as refusal:
            if refusal.field not in form.fields:
                return _refused(request, lead, refusal)
            form.add_error(refusal.field, refusal.message)
        else:
            messages.success(request, _("走访情况已记录，可以作出结论"))
            return to(request, "households:lead", lead.pk)
    return _case(request, lead, visit_form=form, status=UNPROCESSABLE)


@require_POST
@access("work_leads")
def decide(request: HttpRequest, lead_id: int) -> HttpResponse:
    """Confirmed or dismissed; then the next case comes by itself."""
    lead = _lead(request, lead_id, "work_leads")
    form = DecisionForm(request.POST, visited=lead.visited_on is not None)
    if form.is_valid():
        try:
            lead_cases.decide(lead=lead, by=request.user, **form.cleaned_data)  # type: ignore[arg-type]
        except Refusal as refusal:
            if refusal.field not in form.fields:
                return _refused(request, lead, refusal)
            form.add_error(refusal.field, refusal.message)
        else:
            following = selectors.after(_chosen_leads(request, _chosen(request)), lead)
            return to(request, "households:lead", following.pk) if following else to(request, "households:leads")
    return _case(request, lead, decision_form=form, status=UNPROCESSABLE)


@require_POST
@access("work_leads")
def undo(request: HttpRequest, lead_id: int) -> HttpResponse:
    """Take the decision back; with `together`, that of all leads it was given for."""
    lead = _lead(request, lead_id, "work_leads")
    try:
        if "together" in request.POST:
            undone = lead_cases.undo_together(lead=lead, by=request.user)  # type: ignore[arg-type]
            _tell_undone(request, undone)
            return to(request, "households:leads")
        lead_cases.undo(lead=lead, by=request.user)  # type: ignore[arg-type]
    except Refusal as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, _("已撤销，这条线索重新待办"))
    return to(request, "households:lead", lead.pk)


def _tell_undone(request: HttpRequest, undone: lead_cases.Together) -> None:
    number = len(undone.taken)
    if number:
        text = ngettext("已撤销，%(number)s 条线索重新待办", "已撤销，%(number)s 条线索重新待办", number)
        messages.success(request, text % {"number": number})
    for lead, why in undone.refused:
        messages.error(request, _("%(head)s 户：%(why)s") % {"head": lead.household.head_name, "why": why})


@require_POST
@access("work_leads")
def hand_over(request: HttpRequest, lead_id: int) -> HttpResponse:
    """To the county or back to the township; it leaves one's own queue."""
    lead = _lead(request, lead_id, "work_leads")
    form = HandOverForm(request.POST)
    if form.is_valid():
        try:
            lead = lead_cases.hand_over(lead=lead, by=request.user, reason=form.cleaned_data["hand_reason"])  # type: ignore[arg-type]
        except Refusal as refusal:
            if refusal.field != "reason":
                return _refused(request, lead, refusal)
            form.add_error("hand_reason", refusal.message)
        else:
            messages.success(request, _("已转给%(office)s办理") % {"office": lead.owner})
            return to(request, "households:leads")
    return _case(request, lead, hand_form=form, status=UNPROCESSABLE)


@require_safe
@access("read_leads")
def of_household(request: HttpRequest, household_id: int) -> HttpResponse:
    """The panel on a card: open leads, strongest first."""
    household = get_object_or_404(Household.objects.visible_to(request.user, "read_leads"), pk=household_id)
    parts = selectors.parts_of(request.user, household.pk)  # type: ignore[arg-type]
    if parts:
        record_read("leads.of_household", by=request.user, target=household, area=household.village_id)
    context = {"parts": [(part, text_of(part.lead)) for part in parts], "household": household}
    return render_page(request, "households/leads_of_household.html", context, "households/_leads_of_household.html")


@require_http_methods(["GET", "HEAD", "POST"])
@access("work_leads")
def export(request: HttpRequest) -> HttpResponse:
    """The queue as chosen, as a workbook, for a stated purpose; the password is asked before the form is filled in."""
    if request.method != "POST" and (ask := ask_to_confirm(request)):
        return ask
    chosen = _chosen(request)
    leads = _chosen_leads(request, chosen, "work_leads")
    limit = settings.EXPORT_ROW_LIMIT
    form = LeadExportForm(request.POST if request.method == "POST" else None)
    number = leads.order_by()[: limit + 1].count()
    if form.is_valid() and 0 < number <= limit:
        division = request.area.division  # type: ignore[attr-defined]
        reason = form.cleaned_data["reason"]
        if ask := ask_to_confirm(request, carry=("reason",)):
            return ask
        record_export("leads.export", by=request.user, area=division.code, rows=number, reason=reason)
        rows = list(leads.order_by(*chosen.order).select_related("owner", "village__parent"))
        return _file(_workbook(request, rows, reason), f"{_('线索')}-{timezone.localdate():%Y%m%d}.xlsx")
    context = {"form": form, "number": number, "limit": limit, "too_many": number > limit, "query": query_of(request)}
    return render_page(request, "households/lead_export.html", context, status=UNPROCESSABLE if form.is_bound else 200)


@require_safe
@access("read_leads")
def statistics(request: HttpRequest) -> HttpResponse:
    """How often each rule was right, with its interval, in an area and a time."""
    form = PeriodForm(request.GET)
    period = form.cleaned_data if form.is_valid() else {"since": None, "until": None}
    division = request.area.division  # type: ignore[attr-defined]
    code = division.code if division else None
    user: Any = request.user
    rows = selectors.figures(user, within=code, since=period["since"], until=period["until"])
    areas = selectors.figures_by_area(user, within=code, since=period["since"], until=period["until"]) if code else []
    counted = [row for row in rows if row.code not in NOT_COUNTED]
    context = {
        "form": form,
        "division": division,
        "rows": [(row, _rule_name(row)) for row in counted],
        "apart": [(row, _rule_name(row)) for row in rows if row.code in NOT_COUNTED],
        "areas": [(row, place.name) for place, row in areas],
        "total": selectors.total_of(counted),
        "period": period,
        "now": timezone.now(),
    }
    if "file" in request.GET and form.is_valid():
        record_export("leads.statistics", by=request.user, area=code, rows=len(rows))
        return _file(_statistics_workbook(rows), f"{_('线索准确率')}-{timezone.localdate():%Y%m%d}.xlsx")
    return render_page(request, "households/lead_statistics.html", context, status=200 if form.is_valid() else 422)


def text_of(lead: Finding) -> str:
    return sentence(lead.code, lead.facts.get("parameters", {}), lead.kind)


def _lead(request: HttpRequest, lead_id: int, capability: str = "read_leads") -> Finding:
    leads = Finding.objects.leads_visible_to(request.user, capability).select_related(
        "household", "village__parent", "person", "owner", "visited_by", "decided_by", "handed_by"
    )
    return get_object_or_404(leads, pk=lead_id)


def _chosen(request: HttpRequest) -> Chosen:
    """What the address asks for; of what it does not know, nothing."""
    asked = request.GET
    user: Any = request.user
    state = asked.get("state", "")
    home = OFFICE if selectors.offices_of(user) else AREA
    form = _filter_form(request, asked)
    form.is_valid()
    known = form.cleaned_data
    return Chosen(
        state=state if state in STATES else "open",
        kind=known.get("kind", ""),
        whose=known.get("whose") or home,
        find=unsealed(request.user, asked.get("find", "")).strip(),
        status=asked["status"] if asked.get("status") in HouseholdStatus.values else "",
        within=code_within(request.area.division, asked.get("within", "")) or 0,  # type: ignore[attr-defined]
    )


def _filter_form(request: HttpRequest, values: Any) -> LeadFilterForm:
    user = request.user
    wide = any(level_of(first) <= Level.COUNTY for first, _last in ranges_of(user, "read_leads"))
    hidden = () if wide else Finding.ABOUT_OFFICES
    return LeadFilterForm(values, hidden_kinds=hidden, works=user.can("work_leads"))  # type: ignore[union-attr]


def _chosen_leads(request: HttpRequest, chosen: Chosen, capability: str = "read_leads") -> Any:
    division = request.area.division  # type: ignore[attr-defined]
    within = division.code if division else None
    return selectors.queue(request.user, within=within, chosen=chosen, capability=capability)  # type: ignore[arg-type]


def query_of(request: HttpRequest, **other: str) -> str:
    """The filters of the address without the page, with some changed; an empty one is taken off."""
    kept = QueryDict(mutable=True)
    for name in FILTERS:
        if request.GET.get(name):
            kept[name] = request.GET[name]
    for name, value in other.items():
        if value:
            kept[name] = value
        else:
            kept.pop(name, None)
    return kept.urlencode()


def to(request: HttpRequest, name: str, *arguments: Any) -> HttpResponse:
    """There, with the filters one came with."""
    query = query_of(request)
    return redirect(reverse(name, args=arguments) + (f"?{query}" if query else ""))


def _queue(request: HttpRequest) -> dict[str, Any]:
    chosen = _chosen(request)
    leads = _chosen_leads(request, chosen)
    page = selectors.page_of(leads, chosen, request.GET)
    names = selectors.state_names()
    user: Any = request.user
    states = []
    for state in STATES:
        of_state = replace(chosen, state=state)
        count = None if state == "decided" else selectors.counted(_chosen_leads(request, of_state))
        states.append(
            {"text": names[state], "href": f"?{query_of(request, state=state)}", "on": state == chosen.state,
             "count": count}
        )  # fmt: skip
    of_area = replace(chosen, whose=AREA)
    return {
        "page": page,
        "elsewhere": "" if page.rows or chosen.whose == AREA else selectors.counted(_chosen_leads(request, of_area)),
        "area_href": f"?{query_of(request, whose=AREA)}",
        "rows": [(lead, text_of(lead), band(lead.priority)) for lead in page.rows],
        "chosen": chosen,
        "states": states,
        "narrowed": _narrowed(request, chosen),
        "filter_form": _filter_form(request, {"kind": chosen.kind, "whose": chosen.whose, "find": chosen.find}),
        "filtered": bool(chosen.kind or chosen.find or chosen.status or chosen.within),
        "last": _last_decision(request),
        "kept_list": KEPT_LISTS[SavedFilter.Listing.LEADS],
        "kept_filters": kept_filters(user, SavedFilter.Listing.LEADS),
        "kept_query": selectors.kept_lead_query(request.GET),
        "kept": [(name, request.GET[name]) for name in FILTERS if request.GET.get(name)],
        "query": query_of(request),
        "may_work": user.can("work_leads"),
        "may_pick": user.can("work_leads") and chosen.state != "decided" and bool(page.rows),
        "together_href": _together_href(request, page.rows),
        "may_compare": user.can("read_fairness"),
        "may_keep_cadres": user.can("manage_village_cadres"),
    }


def _narrowed(request: HttpRequest, chosen: Chosen) -> list[dict[str, Any]]:
    """Chips of what the address narrows to; each can be taken off."""
    place = Division.objects.filter(pk=chosen.within).first() if chosen.within else None
    kinds = {**GROUP_NAMES, **dict(Finding.Kind.choices)}
    on = {
        "within": place.name if place else "",
        "status": HouseholdStatus(chosen.status).label if chosen.status else "",
        "kind": kinds[chosen.kind] if chosen.kind else "",
        "find": _("查找：%(text)s") % {"text": chosen.find} if chosen.find else "",
    }
    desk = reverse("households:leads")
    return [
        {"text": text, "href": f"{desk}?{query_of(request, **{name: ''})}", "on": True, "removable": True}
        for name, text in on.items()
        if text
    ]


def _together_href(request: HttpRequest, leads: Sequence[Finding]) -> str:
    """The whole page at once, for who works without script."""
    chosen = "&".join(f"lead={lead.pk}" for lead in leads)
    query = query_of(request)
    return f"{reverse('households:leads_together')}?{chosen}" + (f"&{query}" if query else "")


def _log_queue(request: HttpRequest, context: dict[str, Any]) -> None:
    if context["rows"]:
        division = request.area.division  # type: ignore[attr-defined]
        record_read("leads.list", by=request.user, area=division.code if division else None, rows=len(context["rows"]))


def _last_decision(request: HttpRequest) -> dict[str, Any] | None:
    """One's own last decision, while it can be taken back, with what comes next in the procedure."""
    me: Any = request.user
    if not me.can("work_leads"):
        return None
    leads = Finding.objects.leads_visible_to(me, "work_leads").select_related("household")
    since = timezone.now() - lead_cases.UNDO_FOR
    mine = leads.filter(decided_by=me, decided_at__gt=since, decision__in=lead_cases.DECISIONS)
    lead = mine.order_by("-decided_at").first()
    if lead is None:
        return None
    together = lead_cases.decided_together(lead, me).count()
    decision = Finding.Decision(lead.decision).label
    return {"lead": lead, "decision": decision, "together": together, "next": next_of(request, lead)}


def next_of(request: HttpRequest, lead: Finding) -> tuple[str, str] | None:
    """What a confirmed lead leads to, and where it is done (empty: elsewhere, or by somebody else)."""
    if lead.decision != Finding.Decision.CONFIRMED:
        return None
    text, name = next_step(lead.kind)
    where = ""
    if name == "households:edit" and covers(request.user, "edit_cards", lead.village_id):
        where = reverse(name, args=[lead.household_id])
    elif name and name != "households:edit":
        with suppress(NoReverseMatch):
            where = reverse(name)
    return text, where


def _case(request: HttpRequest, lead: Finding, *, status: int = 200, **given: Any) -> HttpResponse:
    user: Any = request.user
    may = lead_cases.choices(user, lead)
    visited = lead.visited_on is not None
    parts = selectors.parts_of(user, lead.household_id)
    begun = {"on": lead.visited_on, "note": lead.visit_note, "answer": lead.answer} if visited else None
    result = selectors.result_of(lead.household, lead.year)
    context = _queue(request) | {
        "lead": lead,
        "text": text_of(lead),
        "band": band(lead.priority),
        "facts": facts_of(lead),
        "parts": [(part, text_of(part.lead)) for part in parts],
        "result": result,
        "figures": figures_of(result) if result else [],
        "choices": may,
        "hand_to": Division.objects.filter(pk=may.hand_to).first() if may.hand_to else None,
        "next": next_of(request, lead),
        "may_edit": covers(user, "edit_cards", lead.village_id),
        "visit_form": VisitForm(initial=begun),
        "decision_form": DecisionForm(visited=visited),
        "hand_form": HandOverForm(),
    }
    return render_page(request, "households/leads.html", context | given, status=status)


def _refused(request: HttpRequest, lead: Finding, refusal: Refusal) -> HttpResponse:
    messages.error(request, refusal.message)
    return to(request, "households:lead", lead.pk)


def _file(content: BytesIO, name: str) -> FileResponse:
    content.seek(0)
    return FileResponse(content, as_attachment=True, filename=name, content_type=XLSX)


def _workbook(request: HttpRequest, leads: list[Finding], reason: str) -> BytesIO:
    who, when = request.user.display_name, timezone.localtime()  # type: ignore[union-attr]
    mark = f"{who} · {when:%Y-%m-%d %H:%M} · {reason}"
    headers = [
        _("乡镇"), _("村"), _("组"), _("户主"), _("户编号"), _("类型"), _("线索"), _("优先程度"), _("办理单位"),
        _("办理期限"), _("走访日期"), _("走访情况"), _("农户的说法"), _("结论"), _("结论的依据"),
    ]  # fmt: skip
    rows = [
        [
            lead.village.parent.name if lead.village.parent else "", lead.village.name, lead.household.group,
            lead.household.head_name, lead.household.number or "", lead.get_kind_display(), text_of(lead),
            round(lead.priority, 2), str(lead.owner), _written(lead.due_on), _written(lead.visited_on),
            lead.visit_note, lead.answer, Finding.Decision(lead.decision).label if lead.decision else "", lead.reason,
        ]
        for lead in leads
    ]  # fmt: skip
    file = BytesIO()
    write(file, [Page(_("线索"), headers, rows, mark=mark, widths=(12, 14, 8, 10, 22, 16, 60))])
    return file


def _statistics_workbook(rows: list[selectors.RuleFigures]) -> BytesIO:
    headers = [
        _("规则"), _("发现"), _("待办"), _("超期"), _("属实"), _("不属实"), _("自行消除"), _("准确率"),
        _("区间下限"), _("区间上限"), _("办理天数中位数"),
    ]  # fmt: skip
    written = [
        [
            _rule_name(row), row.opened, row.open, row.late, row.confirmed, row.dismissed, row.closed,
            *(None if each is None else round(each, 4) for each in (row.precision, *(row.interval or (None, None)))),
            None if row.days is None else round(row.days, 1),
        ]
        for row in rows
    ]  # fmt: skip
    file = BytesIO()
    write(file, [Page(_("线索准确率"), headers, written, widths=(36,))])
    return file


def _rule_name(row: selectors.RuleFigures) -> str:
    return rule_name(row.kind, row.code)


def _written(day: Any) -> str:
    return f"{day:%Y-%m-%d}" if day else ""
