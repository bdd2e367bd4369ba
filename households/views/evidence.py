"""Evidence photos: added from the card, looked at one by one, taken off and put back."""

from uuid import uuid4

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from changde.accounts.access import access
from changde.accounts.areas import covers
from changde.accounts.refusal import Refusal
from changde.audit.services import record_read
from changde.web.pages import UNPROCESSABLE, go, render_page, wants_fragment
from households.domain.years import last_full_year, year_of
from households.forms.evidence import EvidenceForm, RemoveForm
from households.models import Evidence, Household
from households.selectors import evidence as selectors
from households.selectors.cards import card_of
from households.services import evidence as services


def blank_form(year: int | None) -> EvidenceForm:
    """An empty form for a year's photo; its key makes a repeated sending the same photo."""
    return EvidenceForm(initial={"year": year or last_full_year(timezone.localdate()), "client_key": uuid4()})


@require_http_methods(["GET", "HEAD", "POST"])
@access("edit_cards")
def add(request: HttpRequest, household_id: int) -> HttpResponse:
    """One photo. A script that sends photo by photo gets the tile, or the reason it was refused, as a fragment."""
    household = _editable(request, household_id)
    form = EvidenceForm(request.POST, request.FILES) if request.method == "POST" else None
    if form is None:
        return _form_page(request, household, blank_form(year_of(request.GET.get("year", ""))))
    if not form.is_valid():
        return _form_page(request, household, form)
    try:
        evidence = services.add(
            household=household,
            year=form.cleaned_data["year"],
            kind=form.cleaned_data["kind"],
            caption=form.cleaned_data["caption"],
            content=form.cleaned_data["photo"].read(settings.EVIDENCE_MAX_BYTES + 1),
            taken=form.cleaned_data["taken"],
            client_key=form.cleaned_data["client_key"],
            by=request.user,  # type: ignore[arg-type]
        )
    except Refusal as refusal:
        form.add_error(refusal.field if refusal.field in form.fields else None, refusal.message)
        return _form_page(request, household, form)
    if wants_fragment(request):
        context = {"each": evidence, "household": household, "may_edit": True}
        return render_page(request, "households/_evidence_tile.html", context)
    messages.success(request, _("照片已保存"))
    return go(request, _tab(evidence))


@require_safe
@access("read_cards")
def page(request: HttpRequest, household_id: int, evidence_id: int) -> HttpResponse:
    """The viewer: one photo with what it shows, when and by whom, and the way to its neighbours."""
    shown = selectors.shown(request.user, household_id, evidence_id)
    evidence = shown.evidence
    _log(request, "households.read_evidence", evidence)
    return render_page(request, "households/evidence_page.html", _viewer(request, shown, RemoveForm()))


@require_safe
@access("read_cards")
def photo(request: HttpRequest, household_id: int, evidence_id: int) -> HttpResponse:
    """The photo itself; each look is an event of the log."""
    content = selectors.content_of(request.user, household_id, evidence_id)
    _log(request, "households.read_photo", content.evidence)
    return _jpeg(content.photo)


@require_safe
@access("read_cards")
def thumbnail(request: HttpRequest, household_id: int, evidence_id: int) -> HttpResponse:
    """The small picture of the card's page, whose opening has been logged."""
    return _jpeg(selectors.content_of(request.user, household_id, evidence_id).thumbnail)


@require_POST
@access("edit_cards")
def remove(request: HttpRequest, household_id: int, evidence_id: int) -> HttpResponse:
    """Take a photo off, with a reason."""
    evidence = _editable_evidence(request, household_id, evidence_id)
    form = RemoveForm(request.POST)
    if form.is_valid():
        try:
            services.remove(evidence=evidence, reason=form.cleaned_data["reason"], by=request.user)  # type: ignore[arg-type]
        except Refusal as refusal:
            form.add_error("reason", refusal.message)
        else:
            messages.success(request, _("照片已移除，可在下方“已移除”中恢复"))
            return go(request, _tab(evidence))
    shown = selectors.shown(request.user, household_id, evidence_id)
    context = _viewer(request, shown, form)
    return render_page(request, "households/evidence_page.html", context, status=UNPROCESSABLE)


@require_POST
@access("edit_cards")
def restore(request: HttpRequest, household_id: int, evidence_id: int) -> HttpResponse:
    evidence = _editable_evidence(request, household_id, evidence_id)
    try:
        services.restore(evidence=evidence, by=request.user)  # type: ignore[arg-type]
    except Refusal as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, _("照片已恢复"))
    return go(request, _tab(evidence))


def _editable(request: HttpRequest, household_id: int) -> Household:
    household = card_of(request.user, household_id)
    if not covers(request.user, "edit_cards", household.village_id):
        raise Http404
    return household


def _editable_evidence(request: HttpRequest, household_id: int, evidence_id: int) -> Evidence:
    household = _editable(request, household_id)
    evidence = selectors.evidence_of(request.user, household.pk, evidence_id)
    return evidence


def _tab(evidence: Evidence) -> str:
    return f"{reverse('households:card', args=[evidence.household_id])}?tab=evidence&year={evidence.year}"


def _form_page(request: HttpRequest, household: Household, form: EvidenceForm) -> HttpResponse:
    context = {"household": household, "form": form, "year": form["year"].value(), "crumbs": _crumbs(household)}
    status = UNPROCESSABLE if form.is_bound else 200
    return render_page(
        request, "households/evidence_form.html", context, "households/_evidence_refused.html", status=status
    )


def _viewer(request: HttpRequest, shown: selectors.Shown, form: RemoveForm) -> dict[str, object]:
    household = shown.evidence.household
    return {
        "household": household,
        "evidence": shown.evidence,
        "shown": shown,
        "form": form,
        "back": _tab(shown.evidence),
        "may_edit": covers(request.user, "edit_cards", household.village_id),
        "crumbs": [*_crumbs(household), {"text": shown.evidence.get_kind_display()}],
    }


def _crumbs(household: Household) -> list[dict[str, str]]:
    card = reverse("households:card", args=[household.pk])
    return [
        {"text": _("户卡"), "href": reverse("households:list")},
        {"text": household.head_name or household.number or str(household.pk), "href": card},
        {"text": _("佐证照片"), "href": f"{card}?tab=evidence"},
    ]


def _log(request: HttpRequest, verb: str, evidence: Evidence) -> None:
    household = evidence.household
    record_read(verb, by=request.user, target=household, area=household.village_id, evidence=evidence.pk)


def _jpeg(content: bytes) -> HttpResponse:
    """Never kept by browser or proxy, never taken for anything but a picture."""
    return HttpResponse(
        content,
        content_type="image/jpeg",
        headers={
            "Cache-Control": "private, no-store",
            "X-Content-Type-Options": "nosniff",
            "Content-Disposition": 'inline; filename="photo.jpg"',
        },
    )
