"""Publicity lists in the office: index, draft, posting, correction, second list."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from changde.accounts.access import access
from changde.accounts.areas import covers
from changde.accounts.refusal import Refusal
from changde.audit.services import record_export, record_read
from changde.divisions.models import Division
from changde.web.keyset import KeysetPage
from changde.web.pages import render_page
from supervision.forms import ReasonForm
from supervision.models import ListEntry, PublicityList, Step
from supervision.selectors import lists as selectors
from supervision.selectors.objections import notices
from supervision.services import lists as services


@require_safe
@access("read_lists")
def index(request: HttpRequest) -> HttpResponse:
    """Lists of the division one works in."""
    division = request.area.division  # type: ignore[attr-defined]
    state, step = request.GET.get("state", ""), request.GET.get("step", "")
    found = selectors.lists(
        request.user,
        within=division.code if division else None,
        state=state if state in selectors.FILTERS else "",
        step=step if step in Step.values else "",
    )
    page = KeysetPage(found, request.GET, order=["-pk"])
    now = timezone.now()
    for listed in page.rows:
        listed.now_state = listed.state(now)
    return render_page(
        request,
        "supervision/lists.html",
        {
            "page": page,
            "state": state,
            "step": step,
            "division": division,
            "states": _chips(
                "state", state, {"draft": _("草稿"), "shown": _("公示中"), "ended": _("已期满")}, step=step
            ),
            "steps": _chips("step", step, dict(Step.choices), state=state),
            "begin": selectors.round_to_begin(request.user, division) if division else None,
        },
        {"rows": "supervision/_list_rows.html"},
    )


@require_safe
@access("read_lists")
def page(request: HttpRequest, pk: int) -> HttpResponse:
    """One list: a draft with everything it holds back, or a posted one with its period and checksum."""
    listed = _list(request, pk)
    now = timezone.now()
    record_read("lists.read", by=request.user, target=listed, area=listed.village_id)
    return render_page(
        request,
        "supervision/list.html",
        {
            "listed": listed,
            "state": listed.state(now),
            "entries": selectors.entries(request.user, listed),
            "choices": selectors.choices(request.user, listed, now),
            "notices": [] if listed.is_draft else notices(request.user, listed),
            "chain": [] if listed.is_draft else selectors.chain(request.user, listed),
            "reason_form": ReasonForm(),
        },
    )


@require_safe
@access("read_lists")
def snapshot(request: HttpRequest, pk: int) -> HttpResponse:
    """The posted bytes, for the office's file, in every state."""
    listed = _list(request, pk)
    if listed.is_draft:
        raise Http404
    record_export("lists.snapshot", by=request.user, target=listed, area=listed.village_id)
    return snapshot_response(listed)


def snapshot_response(listed: PublicityList) -> HttpResponse:
    """The canonical bytes as a file, unchanged on their way."""
    response = HttpResponse(listed.snapshot.text.encode(), content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="changde-{listed.village_id}-{listed.number}.txt"'
    response["Cache-Control"] = "no-store, no-transform"
    return response


@require_POST
@access("make_village_list")
def draft(request: HttpRequest) -> HttpResponse:
    """Begin a village's round."""
    code, year = request.POST.get("village", ""), request.POST.get("year", "")
    if not (code.isdecimal() and year.isdecimal()) or not covers(request.user, "make_village_list", int(code)):
        raise Http404
    village = get_object_or_404(Division, code=int(code))
    try:
        listed = services.draft_first_list(village=village, year=int(year), by=request.user)
    except Refusal as refusal:
        messages.error(request, refusal.message)
        return redirect("lists:index")
    messages.success(request, _("名单已拟定。请核对，再请另一位同志公示"))
    return redirect("lists:page", listed.pk)


@require_POST
@access("work_on_lists")
def refresh(request: HttpRequest, pk: int) -> HttpResponse:
    listed = _list(request, pk)
    return _do(
        request, listed, lambda: services.refresh(publicity_list=listed, by=request.user), _("名单已按最新结果更新")
    )


@require_POST
@access("work_on_lists")
def leave_out(request: HttpRequest, pk: int, entry: int) -> HttpResponse:
    listed, row = _entry(request, pk, entry)
    return _do(
        request,
        listed,
        lambda: services.leave_out(entry=row, reason=request.POST.get("reason", ""), by=request.user),
        _("已不列入，原因已记录"),
    )


@require_POST
@access("work_on_lists")
def take_in(request: HttpRequest, pk: int, entry: int) -> HttpResponse:
    listed, row = _entry(request, pk, entry)
    return _do(request, listed, lambda: services.take_in(entry=row, by=request.user), _("已重新列入"))


@require_POST
@access("make_township_list")
def clear(request: HttpRequest, pk: int, entry: int) -> HttpResponse:
    """The township decides that an exclusion rule does not keep the household off."""
    listed, row = _entry(request, pk, entry)
    return _do(
        request,
        listed,
        lambda: services.clear_exclusion(entry=row, reason=request.POST.get("reason", ""), by=request.user),
        _("核定意见已记录"),
    )


@require_POST
@access("work_on_lists")
def discard(request: HttpRequest, pk: int) -> HttpResponse:
    listed = _list(request, pk)
    try:
        services.discard(publicity_list=listed, by=request.user)
    except Refusal as refusal:
        messages.error(request, refusal.message)
        return redirect("lists:page", pk)
    messages.success(request, _("草稿已作废"))
    return redirect("lists:index")


@require_POST
@access("work_on_lists")
def post(request: HttpRequest, pk: int) -> HttpResponse:
    listed = _list(request, pk)
    return _do(
        request,
        listed,
        lambda: services.post(publicity_list=listed, by=request.user),
        _("名单已公示。请打印海报张贴到村务公开栏"),
    )


@require_POST
@access("work_on_lists")
def correct(request: HttpRequest, pk: int) -> HttpResponse:
    listed = _list(request, pk)
    reason = request.POST.get("reason", "")
    return _do(
        request,
        listed,
        lambda: services.correct(publicity_list=listed, reason=reason, by=request.user),
        _("更正名单已拟定。请核对，再请另一位同志公示"),
    )


@require_POST
@access("make_township_list")
def follow(request: HttpRequest, pk: int) -> HttpResponse:
    """Draft the second list upon a first one."""
    listed = _list(request, pk)
    return _do(
        request,
        listed,
        lambda: services.draft_second_list(first=listed, by=request.user),
        _("第二次公示名单已拟定。请核对，再请另一位同志公示"),
    )


def _chips(name: str, chosen: str, texts: dict[str, Any], **others: str) -> list[dict[str, Any]]:
    """One chip a value; pressed again it is taken off."""
    kept = {other: value for other, value in others.items() if value}
    return [
        {
            "text": text,
            "href": "?" + urlencode(kept if value == chosen else kept | {name: value}),
            "on": value == chosen,
            "removable": value == chosen,
        }
        for value, text in texts.items()
    ]


def _do(request: HttpRequest, listed: PublicityList, act: Callable[[], Any], done: str) -> HttpResponse:
    """Run one service; back to the list it made or worked on, with what happened."""
    try:
        made = act()
    except Refusal as refusal:
        messages.error(request, refusal.message)
        return redirect("lists:page", listed.pk)
    messages.success(request, done)
    return redirect("lists:page", made.pk if isinstance(made, PublicityList) else listed.pk)


def _list(request: HttpRequest, pk: int) -> PublicityList:
    try:
        return selectors.list_of(request.user, pk)
    except PublicityList.DoesNotExist as error:
        raise Http404 from error


def _entry(request: HttpRequest, pk: int, entry: int) -> tuple[PublicityList, ListEntry]:
    listed = _list(request, pk)
    return listed, get_object_or_404(ListEntry.objects.visible_to(request.user), pk=entry, publicity_list=listed)
