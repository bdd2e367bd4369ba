"""The duplicates desk: queue on the left, the two records side by side, the decision below."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from changde.accounts.access import access
from changde.accounts.confirm import ask_to_confirm
from changde.accounts.models import User
from changde.accounts.refusal import Refusal
from changde.audit.services import record_read
from changde.web.pages import CONFLICT, UNPROCESSABLE, render_page
from households.forms.event import RELATIONS
from households.models import DuplicateCase
from households.selectors import duplicates as selectors
from households.services import duplicates as services
from households.services.events import Stale, cards_of

STATES = ("open", "decided")


@require_safe
@access("decide_duplicates")
def desk(request: HttpRequest) -> HttpResponse:
    return render_page(request, "households/duplicates.html", _queue(request))


@require_POST
@access("decide_duplicates")
def find(request: HttpRequest) -> HttpResponse:
    """Look for candidates in the division worked in, as a job."""
    services.find_later(area=_within(request), by=request.user)  # type: ignore[arg-type]
    messages.success(request, _("正在查找，完成后刷新本页"))
    return redirect("households:duplicates")


@require_safe
@access("decide_duplicates")
def case(request: HttpRequest, case_id: int) -> HttpResponse:
    """One case; opening it is an event of the log."""
    found = selectors.case_of(request.user, case_id)  # type: ignore[arg-type]
    record_read("households.read_duplicate", by=request.user, target=found, area=found.area)
    return _case(request, found)


@require_POST
@access("decide_duplicates")
def reveal(request: HttpRequest, case_id: int) -> HttpResponse:
    """One number of one side in full, on request and after the password; each time an event of the log."""
    found = selectors.case_of(request.user, case_id)  # type: ignore[arg-type]
    attribute, side = request.POST.get("attribute", ""), request.POST.get("side", "")
    person = {"first": found.first_person, "second": found.second_person}.get(side)
    if person is None or attribute not in ("id_number", "phone"):
        raise Http404
    if ask := ask_to_confirm(request, carry=("attribute", "side")):
        return ask
    record_read("households.reveal", by=request.user, target=person, area=found.area, field=attribute, case=found.pk)
    context = {"value": getattr(person, attribute) or "", "household": found.first}
    return render_page(request, "households/revealed.html", context, fragment="households/_revealed.html")


@require_POST
@access("decide_duplicates")
def decide(request: HttpRequest, case_id: int) -> HttpResponse:
    """Decide; then the next open case comes by itself."""
    found = selectors.case_of(request.user, case_id)  # type: ignore[arg-type]
    try:
        text = _decide(request, found)
    except Refusal as refusal:
        status = CONFLICT if isinstance(refusal, Stale) else UNPROCESSABLE
        return _case(request, found, error=refusal.message, status=status)
    messages.success(request, text)
    following = selectors.cases(request.user, _within(request)).order_by("pk").first()  # type: ignore[arg-type]
    return redirect("households:duplicate", following.pk) if following else redirect("households:duplicates")


def _decide(request: HttpRequest, found: DuplicateCase) -> str:
    posted = request.POST
    by: User = request.user  # type: ignore[assignment]
    given: dict[str, Any] = {"case": found, "by": by, "reason": posted.get("reason", "")[:300]}
    versions = _numbers(posted, "version_")
    sides = {"first": found.first_person_id, "second": found.second_person_id}
    action, _dash, side = posted.get("decision", "").partition("-")
    match action:
        case "distinct":
            services.say_distinct(**given)
            return _("已记下：不是同一人，以后不再提示")
        case "person" if sides.get(side):
            services.merge_persons(keep=sides[side], versions=versions, **given)  # type: ignore[arg-type]
            return _("已合并为同一人")
        case "household" if sides.get(side):
            relations = {person: posted.get(f"relation_{side}_{person}", "") for person in _joining(posted, side)}
            if any(relation not in RELATIONS for relation in relations.values()):
                raise Refusal("relation_missing", _("请选择与户主的关系"))
            services.merge_households(keep=sides[side], relations=relations, versions=versions, **given)  # type: ignore[arg-type]
            return _("已并为一户")
        case "admit":
            services.admit(number=posted.get("number", ""), **given)
            return _("等待户已按更正后的号码入库")
        case "release":
            services.release(expected_version=versions.get(found.first_id, 0), **given)
            return _("号码已从原户卡释放")
        case "drop":
            services.drop_waiting(**given)
            return _("等待户不入库")
    raise Http404


def _numbers(posted: Any, prefix: str) -> dict[int, int]:
    pairs = [(name.removeprefix(prefix), value) for name, value in posted.items() if name.startswith(prefix)]
    return {int(key): int(value) for key, value in pairs if key.isdecimal() and value.isdecimal() and len(value) < 10}


def _joining(posted: Any, side: str) -> list[int]:
    prefix = f"relation_{side}_"
    return [int(name.removeprefix(prefix)) for name in posted if name.startswith(prefix) and name[-1].isdecimal()]


@require_POST
@access("decide_duplicates")
def undo(request: HttpRequest, case_id: int) -> HttpResponse:
    """Take a merge back; the case is open again."""
    found = selectors.case_of(request.user, case_id)  # type: ignore[arg-type]
    try:
        services.undo_merge(case=found, by=request.user, versions=_numbers(request.POST, "version_"))  # type: ignore[arg-type]
    except Refusal as refusal:
        return _case(request, found, error=refusal.message, status=UNPROCESSABLE)
    messages.success(request, _("合并已撤销，这一件重新待办"))
    return redirect("households:duplicate", found.pk)


def _within(request: HttpRequest) -> int:
    return request.area.code or services.CITY  # type: ignore[attr-defined]


def _queue(request: HttpRequest) -> dict[str, Any]:
    state = request.GET.get("state", "open")
    state = state if state in STATES else "open"
    return {
        "page": selectors.queue(request.user, _within(request), request.GET, state=state),  # type: ignore[arg-type]
        "state": state,
        "states": [("open", _("待处理")), ("decided", _("已办结"))],
    }


def _case(request: HttpRequest, found: DuplicateCase, *, error: str = "", status: int = 200) -> HttpResponse:
    sides = selectors.side_by_side(found)
    user: User = request.user  # type: ignore[assignment]
    is_open = found.decided_at is None
    cards = {side.household.pk: side.household for side in (sides.first, sides.second) if side and side.household}
    if found.event is not None:
        cards = found.first.__class__.objects.in_bulk(cards_of(found.event))
    names = {found.first_person_id: "first", found.second_person_id: "second"}
    context = {
        "case": found,
        "sides": sides,
        "is_open": is_open,
        "own": is_open and services.typed_by(found, user),
        "versions": [(pk, card.version) for pk, card in sorted(cards.items())],
        "joinings": [(names[each.keep], each) for each in selectors.joinings(found)] if is_open else [],
        "relations": [each for each in RELATIONS if each != "户主"],
        "error": error,
        "reason": request.POST.get("reason", ""),
    }
    return render_page(request, "households/duplicates.html", _queue(request) | context, status=status)
