"""Cards on paper: one card, the blank card, a village's cards as a job."""

from collections.abc import Mapping
from io import BytesIO
from typing import Any

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.http import require_http_methods, require_safe

from changde.accounts.access import access
from changde.accounts.areas import covers
from changde.accounts.confirm import ask_to_confirm
from changde.accounts.refusal import Refusal
from changde.audit.services import record_export
from changde.divisions.models import Division
from changde.web.pages import UNPROCESSABLE, go, render_page
from households import paper
from households.domain.years import last_full_year, year_of
from households.forms.printout import BlankForm, PrintoutForm
from households.selectors.cards import card_of, latest_year
from households.selectors.paper import paper_cards, printouts_of
from households.services import printouts as services


@require_safe
@access("read_cards")
def card(request: HttpRequest, household_id: int) -> HttpResponse:
    """One card on A4, as PDF, or as a page that prints by itself where the server cannot; an export of the log."""
    household = card_of(request.user, household_id)
    year = year_of(request.GET.get("year", ""))
    year = year or household.sheets.order_by("-year").values_list("year", flat=True).first()
    record_export("households.print_card", by=request.user, target=household, area=household.village_id, year=year)
    (sheet,) = paper_cards(request.user, [household], year)
    printed = _printed(request)
    if paper.can_print():
        name = _("户卡_%(head)s_%(id)s.pdf") % {"head": household.masked_head.replace("*", "某"), "id": household.pk}
        return _inline(paper.card_pdf(sheet, printed), name)
    with override(paper.CHINESE):
        facts = paper.Sheets().facts(sheet)
    return _browser_page(request, "households/paper/_card.html", facts | {"printed": printed})


@require_safe
@access("read_cards")
def blank(request: HttpRequest) -> HttpResponse:
    """The card to fill in by hand, for ?members= members (4 when none is asked)."""
    form = BlankForm(request.GET if "members" in request.GET else {"members": 4})
    members = form.cleaned_data["members"] if form.is_valid() else 4
    if paper.can_print():
        return _inline(paper.blank_pdf(members), _("空白户卡.pdf"))
    with override(paper.CHINESE):
        facts = paper.blank_facts(members)
    return _browser_page(request, "households/paper/_blank.html", facts | {"printed": _printed(request)})


@require_http_methods(["GET", "HEAD", "POST"])
@access("read_cards")
def village(request: HttpRequest, code: int) -> HttpResponse:
    """Ask for a village's cards as one file; below, what one asked for before."""
    place = _village(request, code)
    form = PrintoutForm(request.POST or None, initial={"year": _year(request, place), "kind": "registered"})
    if form.is_valid():
        try:
            asked = services.ask(village=place, by=request.user, **form.cleaned_data)  # type: ignore[arg-type]
        except Refusal as refusal:
            form.add_error(refusal.field if refusal.field in form.fields else None, refusal.message)
        else:
            return go(request, "households:printout", asked.pk)
    context = {
        "village": place,
        "form": form,
        "missing": "" if paper.can_print() else paper.no_pango(),
        "printouts": printouts_of(request.user)[:20],
        "crumbs": [{"text": _("户卡"), "href": reverse("households:list")}, {"text": _("打印全村户卡")}],
    }
    status = UNPROCESSABLE if form.is_bound else 200
    return render_page(request, "households/print_village.html", context, status=status)


@require_safe
@access("read_cards")
def printout(request: HttpRequest, printout_id: int) -> HttpResponse:
    """How far a file is; when it is made, where to fetch it. While it is open the fragment asks for itself again."""
    asked = get_object_or_404(printouts_of(request.user), pk=printout_id)
    place = Division.objects.filter(code=asked.area).first()
    context = {
        "printout": asked,
        "village": place,
        "broke_off": services.broke_off(asked),
        "crumbs": [
            {"text": _("户卡"), "href": reverse("households:list")},
            {"text": _("打印全村户卡"), "href": reverse("households:print_village", args=[asked.area])},
            {"text": f"{place.name if place else asked.area}"},
        ],
    }
    return render_page(request, "households/printout.html", context, "households/_printout.html")


@require_safe
@access("read_cards")
def printout_file(request: HttpRequest, printout_id: int) -> HttpResponse:
    """The file, for who asked and has just confirmed the password."""
    asked = get_object_or_404(printouts_of(request.user).defer(None), pk=printout_id)
    if ask := ask_to_confirm(request, page=reverse("households:printout", args=[asked.pk])):
        return ask
    try:
        content = services.fetch(printout=asked, by=request.user)  # type: ignore[arg-type]
    except Refusal as refusal:
        messages.info(request, refusal.message)
        return go(request, "households:printout", asked.pk)
    kind = services.ZIP if asked.file_name.endswith(".zip") else services.PDF
    return _private(FileResponse(BytesIO(content), as_attachment=True, filename=asked.file_name, content_type=kind))


def _village(request: HttpRequest, code: int) -> Division:
    place = Division.objects.villages().filter(code=code).first()
    if place is None or not covers(request.user, "read_cards", code):
        raise Http404
    return place


def _year(request: HttpRequest, place: Division) -> int:
    return (
        year_of(request.GET.get("year", "")) or latest_year(request.user, place) or last_full_year(timezone.localdate())
    )


def _printed(request: HttpRequest) -> paper.Printed:
    return paper.Printed(by=request.user.display_name, at=timezone.now())  # type: ignore[union-attr]


def _inline(pdf: bytes, name: str) -> HttpResponse:
    """Opened by the browser's own viewer, kept nowhere."""
    return _private(FileResponse(BytesIO(pdf), filename=name, content_type=services.PDF))


def _private(response: HttpResponse | FileResponse) -> Any:
    response["Cache-Control"] = "private, no-store"
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _browser_page(request: HttpRequest, sheet: str, facts: Mapping[str, Any]) -> HttpResponse:
    with override(paper.CHINESE):
        return render_page(
            request, "households/paper/browser.html", {**facts, "inner": sheet, "missing": paper.no_pango()}
        )
