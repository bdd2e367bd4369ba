"""Events of a household: one form each, what happened so far, undo; moves to receive; cards that moved away."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from changde.accounts.access import access
from changde.accounts.models import User
from changde.accounts.refusal import Refusal
from changde.audit.services import record_read
from changde.web.pages import CONFLICT, UNPROCESSABLE, render_page
from households.card_facts import facts_of
from households.card_sections import CARD_SECTIONS
from households.domain.years import year_of
from households.forms import event as forms
from households.messages import message
from households.models import Household, HouseholdStatus, LifeEvent, MoveRequest
from households.selectors import events as selectors
from households.services import events as services
from households.services import moves
from households.services.cards import CardRefused

Done = LifeEvent | MoveRequest


@dataclass(frozen=True)
class Page:
    """One event as its page shows it; `do` calls one service with what the form holds."""

    form: type[forms.EventForm]
    title: str | Promise
    teach: str | Promise
    action: str | Promise
    icon: str
    do: Callable[[Any, Household, User], Done]
    closed: bool = False  # for closed cards
    people: str = "present"  # or "gone": who must be there for it to make sense


def _split(form: forms.SplitForm, household: Household, by: User) -> Done:
    values = form.cleaned_data
    return services.split_household(
        household=household,
        by=by,
        expected_version=values["version"],
        going=form.going,
        staying=form.staying,
        on=values["on"],
        reason=values["reason"],
        group=values["group"],
        address=values["address"],
    )


def _merge(form: forms.MergeForm, household: Household, by: User) -> Done:
    if form.card is None:
        raise Http404
    return services.merge_households(
        household=household,
        into=form.card,
        by=by,
        versions=form.versions,
        relations=form.relations,
        on=form.cleaned_data["on"],
        reason=form.cleaned_data["reason"],
    )


def _move(form: forms.MoveForm, household: Household, by: User) -> Done:
    if form.village is None:
        raise Http404
    values = form.cleaned_data
    return moves.ask_move(
        household=household, to=form.village, by=by, expected_version=values["version"], reason=values["reason"]
    )


def _close(form: forms.CloseForm, household: Household, by: User) -> Done:
    return services.close_household(household=household, by=by, why=form.cleaned_data["why"], **_plain(form))


def _reopen(form: forms.ReopenForm, household: Household, by: User) -> Done:
    return services.reopen_household(household=household, by=by, relations=form.relations, **_plain(form))


def _born(form: forms.BornForm, household: Household, by: User) -> Done:
    values = form.cleaned_data
    return services.note_birth(
        household=household,
        by=by,
        expected_version=values["version"],
        member=form.member,
        on=values["birth_date"],
        reason=values["reason"],
    )


def _died(form: forms.LeaveForm, household: Household, by: User) -> Done:
    return services.note_death(
        household=household, by=by, person=form.gone_person, relations=form.relations, **_plain(form)
    )


def _married_in(form: forms.ArriveForm, household: Household, by: User) -> Done:
    other = form.cleaned_data["other_version"]
    return services.marry_in(household=household, by=by, member=form.member, other_version=other, **_plain(form))


def _married_out(form: forms.MarryOutForm, household: Household, by: User) -> Done:
    values = form.cleaned_data
    return services.marry_out(
        household=household,
        by=by,
        versions=form.versions,
        person=form.gone_person,
        relations=form.relations,
        into=form.card,
        relation=values["relation"],
        on=values["on"],
        reason=values["reason"],
    )


def _returned(form: forms.ReturnForm, household: Household, by: User) -> Done:
    person, relation = int(form.cleaned_data["person"]), form.cleaned_data["relation"]
    return services.note_return(household=household, by=by, person=person, relation=relation, **_plain(form))


def _plain(form: forms.EventForm) -> dict[str, Any]:
    values = form.cleaned_data
    return {"expected_version": values["version"], "on": values["on"], "reason": values["reason"]}


PAGES: dict[str, Page] = {
    "born": Page(
        forms.BornForm,
        gettext_lazy("新生儿"),
        gettext_lazy("先登记姓名和出生日期，证件号码可以以后补。其他情况（医保等）在户卡里填。"),
        gettext_lazy("登记新生儿"),
        "plus",
        _born,
    ),
    "married_in": Page(
        forms.ArriveForm,
        gettext_lazy("婚入"),
        gettext_lazy("本辖区内另一张户卡上的人，核对后会同时从那一户迁出。"),
        gettext_lazy("登记婚入"),
        "people",
        _married_in,
    ),
    "married_out": Page(
        forms.MarryOutForm,
        gettext_lazy("婚出"),
        gettext_lazy("嫁到本辖区内另一户的，两张户卡一起变动；嫁到外地的，由对方村办理婚入。"),
        gettext_lazy("登记婚出"),
        "export",
        _married_out,
    ),
    "died": Page(
        forms.LeaveForm,
        gettext_lazy("死亡"),
        gettext_lazy("户内最后一人死亡时，户卡同时销户。"),
        gettext_lazy("登记死亡"),
        "minus",
        _died,
    ),
    "returned": Page(
        forms.ReturnForm,
        gettext_lazy("返回"),
        gettext_lazy("曾在本户、后来离户的人回来。"),
        gettext_lazy("登记返回"),
        "undo",
        _returned,
        people="gone",
    ),
    "split": Page(
        forms.SplitForm,
        gettext_lazy("分户"),
        gettext_lazy("新户带走成员的个人情况和房屋条件；收入、土地、牲畜和财产从空白填起，须分别核实。"),
        gettext_lazy("分户"),
        "columns",
        _split,
    ),
    "merge": Page(
        forms.MergeForm,
        gettext_lazy("并户"),
        gettext_lazy("本户并入另一户后销户，成员和证件号码随之转过去。"),
        gettext_lazy("并户"),
        "match",
        _merge,
    ),
    "move": Page(
        forms.MoveForm,
        gettext_lazy("迁移"),
        gettext_lazy("整户迁到别的村，由接收村确认后生效。往年的年度表仍归原村，原村可查看迁出以前的户卡。"),
        gettext_lazy("提出迁移"),
        "map",
        _move,
    ),
    "close": Page(
        forms.CloseForm,
        gettext_lazy("销户"),
        gettext_lazy("全体成员离户，证件号码释放；以后可以恢复。"),
        gettext_lazy("销户"),
        "cross",
        _close,
    ),
    "reopen": Page(
        forms.ReopenForm,
        gettext_lazy("恢复户卡"),
        gettext_lazy("恢复销户前的状态；已在别的户卡上的人不能恢复。"),
        gettext_lazy("恢复户卡"),
        "undo",
        _reopen,
        closed=True,
        people="gone",
    ),
}


def menu(household: Household) -> list[dict[str, Any]]:
    """The events a card can have now, for its menu."""
    closed = household.status == HouseholdStatus.CLOSED
    return [
        {"href": reverse("households:event", args=[household.pk, kind]), "text": page.title, "icon": page.icon}
        for kind, page in PAGES.items()
        if page.closed == closed
    ]


@require_http_methods(["GET", "HEAD", "POST"])
@access("edit_cards")
def event(request: HttpRequest, household_id: int, kind: str) -> HttpResponse:
    """The form of one event of a card."""
    household = selectors.editable_card(request.user, household_id)  # type: ignore[arg-type]
    page = PAGES.get(kind)
    if page is None:
        raise Http404
    people = {
        "household": household,
        "members": selectors.present_members(household),
        "gone": selectors.gone_members(household),
        "user": request.user,
    }
    status = 200
    if request.method == "POST":
        form = page.form(request.POST, **people)
        if form.is_valid():
            try:
                done = page.do(form, household, request.user)  # type: ignore[arg-type]
            except Refusal as refusal:
                status = _refuse(form, refusal)
            else:
                messages.success(request, _done(done))
                return redirect(_next(done, household))
        status = max(status, UNPROCESSABLE) if status != CONFLICT else status
    else:
        form = page.form(**people)
        record_read("households.event_form", by=request.user, target=household, area=household.village_id, kind=kind)
    context = {
        "form": form,
        "page": page,
        "household": household,
        "kind": kind,
        "possible": household.status != HouseholdStatus.CLOSED if not page.closed else True,
        "nobody": page.people == "gone" and not people["gone"],
        "crumbs": [
            {"text": _("户卡"), "href": reverse("households:list")},
            {"text": household.head_name or str(household.pk), "href": reverse("households:card", args=[household.pk])},
            {"text": page.title},
        ],
    }
    return render_page(request, "households/event_form.html", context, status=status)


def _refuse(form: forms.EventForm, refusal: Refusal) -> int:
    """Say the refusal at its field, and what must be confirmed."""
    if isinstance(refusal, CardRefused):
        for problem in refusal.problems:
            field = next((name for name in problem.attributes if name in form.fields), None)
            form.add_error(field, message(problem.check_id, problem.parameters))
        return UNPROCESSABLE
    text = refusal.message
    if isinstance(refusal, services.LivesOnCard):
        other = refusal.household
        form.fill("other_version", str(other.version))
        text = _("此人现在%(place)s%(head)s的户卡上，再提交一次将同时从那一户迁出。") % {
            "place": f"{other.village.name}{other.group}",
            "head": other.head_name,
        }
    form.add_error(refusal.field if refusal.field in form.fields else None, text)
    return CONFLICT if isinstance(refusal, services.Stale) else UNPROCESSABLE


def _done(done: Done) -> str:
    if isinstance(done, MoveRequest):
        return _("迁移已提出，等待%(village)s接收") % {"village": done.to_village.name}
    if done.kind == LifeEvent.Kind.SPLIT:
        return _("分户已办理，这是新户的户卡；请补填收入、土地和财产，并核对原户的收入")
    return _("%(event)s已办理") % {"event": done.get_kind_display()}


def _next(done: Done, household: Household) -> str:
    """Where the work goes on: the new card of a split, the card merged into, else the card's events."""
    card = household.pk
    if isinstance(done, LifeEvent) and done.kind in (LifeEvent.Kind.SPLIT, LifeEvent.Kind.MERGE) and done.other_id:
        card = done.other_id
        return reverse("households:card", args=[card])
    return reverse("households:card", args=[card]) + "?tab=events"


@require_http_methods(["GET", "HEAD", "POST"])
@access("edit_cards")
def undo(request: HttpRequest, household_id: int, event_id: int) -> HttpResponse:
    """Take an event of the card back, after a look at what that means."""
    household = selectors.editable_card(request.user, household_id)  # type: ignore[arg-type]
    taken = get_object_or_404(selectors.events_of(household), pk=event_id)
    touched = {row.pk: row for row in Household.objects.filter(pk__in=services.cards_of(taken))}
    error, status = "", 200
    if request.method == "POST":
        versions = {pk: _number(request.POST.get(f"version_{pk}", "")) for pk in touched}
        try:
            services.undo_event(
                event=taken,
                by=request.user,  # type: ignore[arg-type]
                versions=versions,
                reason=request.POST.get("reason", "")[:300],
            )
        except Refusal as refusal:
            error, status = refusal.message, CONFLICT if isinstance(refusal, services.Stale) else UNPROCESSABLE
        else:
            messages.success(request, _("已撤销：%(event)s") % {"event": taken.get_kind_display()})
            return redirect(reverse("households:card", args=[household.pk]) + "?tab=events")
    context = {
        "household": household,
        "event": taken,
        "touched": [(pk, row.version) for pk, row in sorted(touched.items())],
        "error": error,
        "crumbs": [
            {"text": _("户卡"), "href": reverse("households:list")},
            {"text": household.head_name or str(household.pk), "href": reverse("households:card", args=[household.pk])},
            {"text": _("撤销")},
        ],
    }
    return render_page(request, "households/event_undo.html", context, status=status)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0


# -- moves ------------------------------


@require_safe
@access("read_cards")
def move_list(request: HttpRequest) -> HttpResponse:
    """Moves out of and into one's villages."""
    state = "decided" if request.GET.get("state") == "decided" else "asked"
    page = selectors.move_requests(request.user, request.GET, state=state)  # type: ignore[arg-type]
    states = [("asked", _("待接收")), ("decided", _("已办理"))]
    return render_page(request, "households/moves.html", {"page": page, "state": state, "states": states})


@require_safe
@access("read_cards")
def move_page(request: HttpRequest, request_id: int) -> HttpResponse:
    return _move_page(request, selectors.move_request(request.user, request_id))  # type: ignore[arg-type]


@require_POST
@access("edit_cards")
def move_decide(request: HttpRequest, request_id: int) -> HttpResponse:
    """Accept, refuse (with the reason) or withdraw."""
    asked = selectors.move_request(request.user, request_id)  # type: ignore[arg-type]
    form = forms.AnswerForm(request.POST)
    form.is_valid()
    by: User = request.user  # type: ignore[assignment]
    try:
        match request.POST.get("decision"):
            case "accept":
                moves.accept_move(request=asked, by=by)
                text = _("已接收，户卡归入本村")
            case "refuse":
                moves.refuse_move(request=asked, by=by, answer=form.cleaned_data.get("answer", ""))
                text = _("已答复不接收")
            case "withdraw":
                moves.withdraw_move(request=asked, by=by)
                text = _("迁移已撤回")
            case _:
                raise Http404
    except Refusal as refusal:
        form.add_error(refusal.field if refusal.field in form.fields else None, refusal.message)
        return _move_page(request, asked, form=form, status=UNPROCESSABLE)
    messages.success(request, text)
    return redirect("households:move", asked.pk)


def _move_page(
    request: HttpRequest, asked: MoveRequest, *, form: forms.AnswerForm | None = None, status: int = 200
) -> HttpResponse:
    record_read("households.read_move", by=request.user, target=asked, area=asked.from_village_id)
    user: User = request.user  # type: ignore[assignment]
    waiting = asked.state == MoveRequest.State.ASKED
    context = {
        "asked": asked,
        "form": form or forms.AnswerForm(),
        "may_receive": waiting and moves.may_receive(user, asked),
        "may_withdraw": waiting and selectors.gives(user, asked),
        "own": waiting and asked.asked_by_id == user.pk,
        "from_way": asked.from_village.path()[1:],
        "to_way": asked.to_village.path()[1:],
        "card": selectors.reachable_card(user, asked.household_id),
        "crumbs": [{"text": _("户卡迁移"), "href": reverse("households:moves")}, {"text": asked.household.head_name}],
    }
    return render_page(request, "households/move.html", context, status=status)


@require_safe
@access("read_cards")
def former(request: HttpRequest, household_id: int) -> HttpResponse:
    """A card that moved away, as it was on that day: read only, nothing later."""
    left = selectors.former_of(request.user, household_id)
    record_read("households.read_former", by=request.user, target=left.household, area=left.village_id)
    card = selectors.former_card(left, year_of(request.GET.get("year", "")))
    context = {
        "card": card,
        "former": left,
        "groups": [
            (section.title, facts_of(section, card.household, card.sheet, leave_out=_NOT_SHOWN))
            for section in CARD_SECTIONS
        ],
        "crumbs": [
            {"text": _("户卡"), "href": reverse("households:list")},
            {"text": card.household.head_name or card.household.number},
        ],
    }
    return render_page(request, "households/former_card.html", context)


# Numbers and accounts of people who live elsewhere now.
_NOT_SHOWN = frozenset({"village_code", "phone", "bank", "bank_account", "helper_name", "helper_phone"})
