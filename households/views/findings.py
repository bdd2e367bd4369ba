"""Notes of the checks: the reviewer's desk, and what the village has to answer."""

from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from changde.accounts.access import access
from changde.accounts.refusal import Refusal
from changde.audit.services import record_read
from changde.web.keyset import KeysetPage
from changde.web.pages import UNPROCESSABLE, render_page
from households.domain import fields
from households.forms.notes import ReviewForm, SentenceForm
from households.forms.registry import RegistryField, display
from households.messages import message
from households.models import Finding
from households.selectors import findings as selectors
from households.services import findings as services
from households.services.card_rows import load_card

_ENTITIES = ("household", "sheet", "person", "membership", "member_sheet")


@require_safe
@access("review_findings")
def desk(request: HttpRequest) -> HttpResponse:
    """The queue of the area; the case is chosen on the left."""
    return render_page(request, "households/findings.html", _queue(request))


@require_safe
@access("review_findings")
def case(request: HttpRequest, finding_id: int) -> HttpResponse:
    """One note with the values the check looked at; reading it is logged."""
    finding = _reviewed(request, finding_id)
    record_read("findings.read", by=request.user, target=finding, area=finding.village_id, code=finding.code)
    return _case(request, finding)


@require_POST
@access("review_findings")
def accept(request: HttpRequest, finding_id: int) -> HttpResponse:
    """The card may stay as it is; the next case comes by itself."""
    return _decide(request, finding_id, services.accept)


@require_POST
@access("review_findings")
def send_back(request: HttpRequest, finding_id: int) -> HttpResponse:
    """Back to the village with a reason; the next case comes by itself."""
    return _decide(request, finding_id, services.send_back)


@require_POST
@access("review_findings")
def undo(request: HttpRequest, finding_id: int) -> HttpResponse:
    """Take the last decision back."""
    finding = _reviewed(request, finding_id)
    try:
        services.undo(finding=finding, by=request.user)  # type: ignore[arg-type]
    except Refusal as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, _("已撤销，这条疑点重新待审"))
    return redirect("households:finding", finding_id)


@require_safe
@access("edit_cards")
def to_explain(request: HttpRequest) -> HttpResponse:
    """What the village has to answer: returned notes, and those without a word."""
    division = request.area.division  # type: ignore[attr-defined]
    notes = selectors.to_explain(request.user, within=division.code if division else None)  # type: ignore[arg-type]
    page = KeysetPage(notes, request.GET, order=["village_id", "pk"])
    context = {"page": page, "rows": [(note, text_of(note)) for note in page.rows]}
    return render_page(request, "households/findings_to_explain.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@access("edit_cards")
def explain(request: HttpRequest, finding_id: int) -> HttpResponse:
    """One sentence about a note, or the way to correct the card."""
    notes = selectors.to_explain(request.user, within=None)  # type: ignore[arg-type]
    finding = get_object_or_404(notes, pk=finding_id)
    form = SentenceForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            services.explain(finding=finding, by=request.user, **form.cleaned_data)  # type: ignore[arg-type]
        except Refusal as refusal:
            form.add_error(refusal.field if refusal.field in form.fields else None, refusal.message)
        else:
            messages.success(request, _("说明已交审核"))
            return redirect("households:findings_to_explain")
    else:
        record_read("findings.read", by=request.user, target=finding, area=finding.village_id, code=finding.code)
    context = {"note": finding, "text": text_of(finding), "values": _values(finding), "form": form}
    status = UNPROCESSABLE if form.is_bound else 200
    return render_page(request, "households/finding_explain.html", context, status=status)


def text_of(finding: Finding) -> str:
    return message(finding.code, finding.facts.get("parameters", {}))


def _decide(request: HttpRequest, finding_id: int, decide: Any) -> HttpResponse:
    finding = _reviewed(request, finding_id)
    form = ReviewForm(request.POST)
    if form.is_valid():
        try:
            decide(finding=finding, by=request.user, reason=form.cleaned_data["reason"])
        except Refusal as refusal:
            if refusal.field not in form.fields:
                messages.error(request, refusal.message)
                return redirect("households:finding", finding_id)
            form.add_error(refusal.field, refusal.message)
        else:
            return _next(request, finding)
    return _case(request, finding, form=form, status=UNPROCESSABLE)


def _next(request: HttpRequest, finding: Finding) -> HttpResponse:
    """The case after this one in the queue, else its first; that page says what was decided, with its undo."""
    waiting = _notes(request, "waiting").order_by("village_id", "pk")
    after = waiting.filter(Q(village_id=finding.village_id, pk__gt=finding.pk) | Q(village_id__gt=finding.village_id))
    following = after.first() or waiting.first()
    return redirect("households:finding", following.pk) if following else redirect("households:findings")


def _notes(request: HttpRequest, state: str) -> Any:
    division = request.area.division  # type: ignore[attr-defined]
    within = division.code if division else None
    return selectors.desk_notes(request.user, within=within, state=state)  # type: ignore[arg-type]


def _reviewed(request: HttpRequest, finding_id: int) -> Finding:
    notes = Finding.objects.visible_to(request.user, "review_findings").of_checks()
    return get_object_or_404(notes.select_related("household", "village__parent", "person"), pk=finding_id)


def _queue(request: HttpRequest) -> dict[str, Any]:
    state = request.GET.get("state", "waiting")
    state = state if state in selectors.STATES else "waiting"
    page = KeysetPage(_notes(request, state), request.GET, order=["village_id", "pk"])
    return {
        "page": page,
        "rows": [(note, text_of(note)) for note in page.rows],
        "state": state,
        "states": [("waiting", _("待审核")), ("returned", _("已退回")), ("decided", _("已认可"))],
        "last": _last_decision(request),
        "may_set": request.user.can("manage_checks"),  # type: ignore[union-attr]
    }


def _last_decision(request: HttpRequest) -> Finding | None:
    """One's own last decision, while it can be taken back."""
    since, me = timezone.now() - services.UNDO_FOR, request.user
    notes = Finding.objects.visible_to(me, "review_findings").of_checks().select_related("household")
    accepted = notes.filter(decided_by=me, decision="accepted", decided_at__gt=since).order_by("-decided_at").first()
    back = notes.returned().filter(returned_by=me, returned_at__gt=since).order_by("-returned_at").first()
    return max(filter(None, (accepted, back)), key=lambda note: note.decided_at or note.returned_at, default=None)


def _case(request: HttpRequest, finding: Finding, *, form: ReviewForm | None = None, status: int = 200) -> HttpResponse:
    context = _queue(request) | {
        "note": finding,
        "text": text_of(finding),
        "values": _values(finding),
        "choices": selectors.choices(request.user, finding),  # type: ignore[arg-type]
        "form": form or ReviewForm(),
        "others": Finding.objects.of_checks().open().filter(household=finding.household_id).count() - 1,
    }
    return render_page(request, "households/findings.html", context, status=status)


def _values(finding: Finding) -> list[tuple[str, str]]:
    """(field, value as people read it) of what the check looked at; personal numbers masked."""
    stored = load_card(finding.household, finding.facts.get("year"))
    places: list[Any] = [stored.card.household, stored.card.sheet]
    if finding.person_id in stored.persons:
        places.insert(0, stored.card.members[stored.persons.index(finding.person_id)])
    elif finding.person_id:
        return []  # no longer on the card
    lines = []
    for name in finding.facts.get("attributes", []):
        owner = next((place for place in places if hasattr(place, name)), None)
        of = _field(name, is_member=owner is places[0] and finding.person_id is not None)
        if owner is not None and of is not None:
            field = RegistryField(of)
            lines.append((str(field.label), _shown(field, getattr(owner, name))))
    return lines


def _field(name: str, *, is_member: bool) -> fields.Field | None:
    """The registry's field of an attribute; a member's phone is not the household's."""
    entities = _ENTITIES[2:] if is_member else _ENTITIES[:2]
    return next((of for entity in entities for of in fields.of_entity(entity) if of.attribute == name), None)


def _shown(field: RegistryField, value: Any) -> str:
    text = display(field, value)
    return f"{text} {field.unit}" if field.unit and value not in (None, ()) else text
