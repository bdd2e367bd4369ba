"""One card: its page by parts, its history, and what is shown in full on request only."""

from contextlib import suppress
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from changde.accounts.access import access
from changde.accounts.areas import covers
from changde.accounts.confirm import ask_to_confirm
from changde.accounts.refusal import Refusal
from changde.audit.services import record_read
from changde.web.pages import render_page
from households.card_facts import facts_of
from households.card_sections import ASSETS, BASICS, HOUSING, INCOME, LAND, MEMBERS
from households.domain.card import Member
from households.domain.fields import CARD_FIELDS
from households.domain.needs import need_kinds
from households.domain.years import last_full_year
from households.messages import END_REASONS, message
from households.models import (
    Finding,
    Household,
    HouseholdNeed,
    HouseholdStatus,
    LifeEvent,
    Membership,
    MoveRequest,
    Person,
)
from households.selectors.as_of import AsOf, card_as_of
from households.selectors.cards import CardPage, Reader, card_of, card_page
from households.selectors.events import events_of, former_of
from households.selectors.evidence import gallery
from households.selectors.history import Act, FieldChange, history_of
from households.selectors.worksheet import worksheet_of
from households.services.needs import needs_of
from households.views.events import menu
from households.views.evidence import blank_form

TABS = (
    ("overview", gettext_lazy("概况"), "card"),
    ("members", gettext_lazy("家庭成员"), "people"),
    ("income", gettext_lazy("收入支出"), "money"),
    ("conditions", gettext_lazy("生活条件"), "house"),
    ("evidence", gettext_lazy("佐证照片"), "photo"),
    ("events", gettext_lazy("变更"), "people"),
    ("history", gettext_lazy("历史"), "clock"),
)
# What is kept of today alone; a card as it stood on a day leaves it out.
_OF_TODAY = {"evidence", "events"}
# Panels of this and of upper apps, filled by their address when the app is there.
PANELS = ("households:why", "supervision:of_household", "cadres:of_household")
# What is shown on request only, each time logged: (whose, attribute) -> property of the row.
SECRETS = {
    "person": ("id_number", "disability_certificate", "phone"),
    "household": ("phone", "bank_account", "helper_phone"),
}


@require_safe
@access("read_cards")
def card(request: HttpRequest, household_id: int) -> HttpResponse:
    """One card, today or as it stood on a day (?as_of=2026-03-01). Opening it is one event of the log."""
    try:
        household = card_of(request.user, household_id)
    except Http404:
        former_of(request.user, household_id)  # an old office reads the card as it was before it moved
        return redirect("households:former", household_id)
    tab = request.GET.get("tab", "")
    shown = {name for name, *_rest in TABS} - (_OF_TODAY if "as_of" in request.GET else set())
    tab = tab if tab in shown else "overview"
    asked = request.GET.get("year", "")
    year = int(asked) if asked.isdecimal() and len(asked) == 4 else None
    then: AsOf | None = None
    if "as_of" in request.GET:
        try:
            then = card_as_of(request.user, household, _day(request.GET["as_of"]), year=year)
        except Refusal as refusal:
            context = {
                "household": household,
                "refusal_text": refusal.message,
                "crumbs": _crumbs(household, open_card=True),
            }
            return render_page(request, "households/card_no_as_of.html", context, status=404)
    page = then.page if then else card_page(request.user, household, year)
    year = page.sheet.year if page.sheet else None
    record_read(
        "households.read_card",
        by=request.user,
        target=household,
        area=household.village_id,
        tab=tab,
        year=year,
        **({"as_of": f"{then.day:%Y-%m-%d}"} if then else {}),
    )
    kept = {"year": year} if year and year != page.years[0] else {}
    kept |= {"as_of": f"{then.day:%Y-%m-%d}"} if then else {}
    context = {
        "card": page,
        "household": page.household,
        "as_of": then,
        "sheet": page.sheet,
        "result": page.result,
        "flags": page.flags,
        "tab": tab,
        "tabs": [
            {
                "text": label,
                "icon": icon,
                "current": name == tab,
                "href": f"?{urlencode({'tab': name} | kept)}",
                "count": len(page.members) if name == "members" else None,
            }
            for name, label, icon in TABS
            if not then or name not in _OF_TODAY
        ],
        "members": [(row, Member(birth_date=row.person.birth_date).age_in(year)) for row in page.members],
        "findings": [(finding, _finding_text(finding)) for finding in page.findings],
        "panels": _panels(request, household) if tab == "overview" and not then else [],
        "new_year": None if then else _new_year(page),
        "may_edit": not then and covers(request.user, "edit_cards", household.village_id),
        "may_review": not then and covers(request.user, "review_findings", household.village_id),
        "event_menu": menu(household),
        "today": timezone.localdate(),
        "crumbs": _crumbs(household),
    }
    if tab == "history":
        context |= _history(page, request.GET.get("of", ""), then)
    elif tab == "events":
        context |= _events(request.user, household)
    elif tab == "evidence":
        context |= _evidence(request, page)
    else:
        context |= _TAB_CONTEXT[tab](page, then)
    return render_page(request, "households/card.html", context)


def _day(text: str) -> date:
    """The day of the address. Raises Refusal when it is none."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise Refusal("as_of_unreadable", _("日期应写成 2026-03-01 的样子"), field="as_of") from None


def _crumbs(household: Household, *, open_card: bool = False) -> list[dict[str, Any]]:
    name = household.head_name or household.number or str(household.pk)
    own = {"text": name, "href": reverse("households:card", args=[household.pk])} if open_card else {"text": name}
    return [{"text": _("户卡"), "href": reverse("households:list")}, own]


def _overview(page: CardPage, then: AsOf | None) -> dict[str, Any]:
    basics = facts_of(BASICS, page.household, page.sheet, leave_out=_NOT_PLAIN)
    named = [
        (_(need_kinds()[kind]), need.urgency, HouseholdNeed.Urgency(need.urgency).label, need.detail)
        for kind, need in needs_of(page.household, page.sheet.year if page.sheet else None).items()
    ]
    return {"basics": basics, "request_text": page.sheet and page.sheet.request, "needs": [] if then else named}


def _members(page: CardPage, then: AsOf | None) -> dict[str, Any]:
    leave_out = {"name", "relation", "id_number", "phone", "disability_certificate"}
    return {"member_facts": [(row, facts_of(MEMBERS, row, row.person, leave_out=leave_out)) for row in page.members]}


def _income(page: CardPage, then: AsOf | None) -> dict[str, Any]:
    worksheet = worksheet_of(page.sheet, page.members, then.lines if then else None) if page.sheet else None
    return {"income": facts_of(INCOME, page.sheet), "worksheet": worksheet}


def _conditions(page: CardPage, then: AsOf | None) -> dict[str, Any]:
    return {"conditions": [(section, facts_of(section, page.sheet)) for section in (HOUSING, LAND, ASSETS)]}


def _evidence(request: HttpRequest, page: CardPage) -> dict[str, Any]:
    year = page.sheet.year if page.sheet else None
    form = blank_form(year)
    shown = form.initial["year"]
    return {"gallery": gallery(request.user, page.household, shown), "form": form, "evidence_year": shown}


def _history(page: CardPage, of: str, then: AsOf | None) -> dict[str, Any]:
    """The timeline, by calendar year; `of` narrows it to what was written of one accounting year's sheet."""
    lived_here = Membership.objects.filter(household=page.household.pk).select_related("person")
    names = {row.person_id: row.person.name for row in lived_here}
    acts = history_of(page.household, until=then.day if then else None)
    only = int(of) if of.isdecimal() and int(of) in page.years else None
    shown = [act for act in acts if only is None or only in _years(act)]
    return {
        "acts": [(act, _act_text(act), _lines(act, names)) for act in shown],
        "entered_here": any(act.facts.get("created") for act in acts),
        "of": only,
        "first_day": timezone.localdate(page.household.created_at),
    }


def _years(act: Act) -> set[int | None]:
    return {act.facts.get("year"), *(change.year for change in act.changes)}


def _events(user: Reader, household: Household) -> dict[str, Any]:
    """Events with their words, and the other card where the reader may open it."""
    found = [
        (event, event.other_id if event.household_id == household.pk else event.household_id)
        for event in events_of(household)
    ]
    reachable = Household.objects.visible_to(user).in_bulk([other for _event, other in found if other])
    life = [(event, _event_text(event), reachable.get(other or 0)) for event, other in found]
    waiting = MoveRequest.objects.waiting().filter(household=household).select_related("to_village").first()
    return {"life": life, "waiting_move": waiting}


def _event_text(event: LifeEvent) -> str:
    if event.undoes:
        return _("撤销：%(event)s") % {"event": event.undoes.get_kind_display()}
    return event.get_kind_display()


def _lines(act: Act, names: dict[int, str]) -> list[tuple[str, str, str, str]]:
    """(whose or of which year, field, before, after) of each changed field."""
    return [
        (_whose(change, names), change.label, _plain(change.before), _plain(change.after))
        for change in act.changes
        if not (act.verb == "households.set_status" and change.name == "status")  # the act itself says so
    ]


def _whose(change: FieldChange, names: dict[int, str]) -> str:
    year = _("%(year)s 年度") % {"year": change.year} if change.year else ""
    return " · ".join(filter(None, (names.get(change.person_id or 0, ""), year)))


_NOT_PLAIN = frozenset({"village_code", "phone", "bank_account", "helper_phone", "request"})
_TAB_CONTEXT = {
    "overview": _overview,
    "members": _members,
    "income": _income,
    "conditions": _conditions,
}


def _act_text(act: Act) -> str:
    """What an act of the log is called on the timeline."""
    if act.verb == "households.save_card":
        return _("录入户卡") if act.facts.get("created") else _("修改户卡")
    if act.verb == "households.set_status":
        before, after = (HouseholdStatus(act.facts[side]).label for side in ("before", "after"))
        return _("户状态：%(before)s → %(after)s") % {"before": before, "after": after}
    if act.verb == "households.save_needs":
        kinds = "、".join(_(need_kinds().get(kind, kind)) for kind in act.facts.get("fields", ()))
        return _("修改诉求：%(kinds)s") % {"kinds": kinds}
    if act.verb in _EVIDENCE_ACTS:
        return str(_EVIDENCE_ACTS[act.verb])
    if act.verb == "households.event":
        kind = act.facts["undoes"] or act.facts["kind"]
        label = str(LifeEvent.Kind(kind).label)
        return _("撤销：%(event)s") % {"event": label} if act.facts["undoes"] else label
    if act.verb == "households.number_waits":
        return _("另有一户填写了同一证件号码，等待查重")
    if act.verb == "households.undo_import":
        return _("撤销导入，恢复到导入之前")
    return _("系统之外的改动") if not act.verb else act.verb


def _plain(value: Any) -> str:
    """A value of the history in words."""
    if value is None:
        return _("空")
    if isinstance(value, bool):
        return _("是") if value else _("否")
    if isinstance(value, list):
        return "、".join(_(each) for each in value)
    if isinstance(value, Decimal):
        return f"{value.normalize():,f}"
    if value in HouseholdStatus.values:
        return str(HouseholdStatus(value).label)
    if value in _CHOICES:
        return _(value)
    return str(END_REASONS.get(value, value) if isinstance(value, str) else value)


_EVIDENCE_ACTS = {
    "households.add_evidence": gettext_lazy("添加佐证照片"),
    "households.remove_evidence": gettext_lazy("移除佐证照片"),
    "households.restore_evidence": gettext_lazy("恢复佐证照片"),
}
_CHOICES = frozenset(value for of in CARD_FIELDS for value in of.values)


def _finding_text(finding: Finding) -> str:
    """What was found, in words; never where the other card of a number is."""
    if finding.kind == Finding.Kind.YELLOW_CHECK:
        return message(finding.code, finding.facts.get("parameters", {}))
    return str(Finding.Kind(finding.kind).label)


def _new_year(page: CardPage) -> int | None:
    """The year whose sheet comes next: the one after the latest, once it is over."""
    coming = page.years[0] + 1 if page.years else None
    return coming if coming and coming <= last_full_year(timezone.localdate()) else None


def _panels(request: HttpRequest, household: Household) -> list[str]:
    urls = []
    if covers(request.user, "read_leads", household.village_id):
        urls.append(reverse("households:leads_of_household", args=[household.pk]))
    for name in PANELS:
        with suppress(NoReverseMatch):
            urls.append(reverse(name, args=[household.pk]))
    return urls


@require_POST
@access("read_cards")
def reveal(request: HttpRequest, household_id: int) -> HttpResponse:
    """One personal number in full, on request and after the password; each time an event of the log."""
    household = card_of(request.user, household_id)
    attribute, person_id = request.POST.get("attribute", ""), request.POST.get("person", "")
    owner: Household | Person = household
    if person_id:
        people = Person.objects.filter(memberships__household=household).distinct()
        owner = get_object_or_404(people, pk=int(person_id) if person_id.isdecimal() else 0)
    if attribute not in SECRETS[owner._meta.model_name or ""]:
        raise Http404
    if ask := ask_to_confirm(request, carry=("attribute", "person")):
        return ask
    record_read("households.reveal", by=request.user, target=owner, area=household.village_id, field=attribute)
    context = {"value": getattr(owner, attribute), "household": household}
    return render_page(request, "households/revealed.html", context, fragment="households/_revealed.html")
