"""Moves to another village: asked by the giving side, accepted or refused by the receiving one, by name on both."""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from changde.accounts.areas import covers
from changde.accounts.models import User
from changde.accounts.refusal import Refusal
from changde.audit.services import record
from changde.divisions.codes import Level
from changde.divisions.models import Division
from households.models import Household, HouseholdStatus, MoveRequest
from households.services.events import Stale, move_household

State = MoveRequest.State


@transaction.atomic
def ask_move(*, household: Household, to: Division, by: User, expected_version: int, reason: str) -> MoveRequest:
    """The giving village, or its township, asks; nothing of the card changes yet."""
    row = Household.objects.select_for_update().get(pk=household.pk)
    if not covers(by, "edit_cards", row.village_id):
        raise Refusal("not_your_area", _("该村不在您的辖区内，不能办理"))
    if row.version != expected_version:
        raise Stale
    if row.status == HouseholdStatus.CLOSED:
        raise Refusal("card_closed", _("户卡已销户，请先恢复户卡"))
    if to.level != Level.VILLAGE or to.valid_to is not None or to.code == row.village_id:
        raise Refusal("village_unknown", _("请选择另一个现有的行政村"), field="to")
    if not reason.strip():
        raise Refusal("reason_missing", _("请写明原因"), field="reason")
    if MoveRequest.objects.waiting().filter(household=row).exists():
        raise Refusal("move_asked", _("本户的迁移已在等待接收"))
    request = MoveRequest.objects.create(
        household=row, from_village_id=row.village_id, to_village=to, reason=reason.strip(), asked_by=by
    )
    _log("ask_move", request, by)
    return request


@transaction.atomic
def accept_move(*, request: MoveRequest, by: User) -> MoveRequest:
    """The receiving side takes the household: from now on it is the new village's; the old one reads its past."""
    row = _to_decide(request, by)
    household = Household.objects.select_for_update().get(pk=row.household_id)
    if household.village_id != row.from_village_id or household.status == HouseholdStatus.CLOSED:
        raise Refusal("changed_since", _("这一户已不在原村或已销户，请退回这项迁移"))
    row.event = move_household(
        household=household, to=row.to_village, by=by, on=timezone.localdate(), reason=row.reason
    )
    return _decide(row, State.ACCEPTED, by)


@transaction.atomic
def refuse_move(*, request: MoveRequest, by: User, answer: str) -> MoveRequest:
    """The receiving side says no, and why."""
    row = _to_decide(request, by)
    if not answer.strip():
        raise Refusal("reason_missing", _("请写明原因"), field="answer")
    row.answer = answer.strip()
    return _decide(row, State.REFUSED, by)


@transaction.atomic
def withdraw_move(*, request: MoveRequest, by: User) -> MoveRequest:
    """The giving side takes its question back."""
    row = _waiting(request)
    if not covers(by, "edit_cards", row.from_village_id):
        raise Refusal("not_your_area", _("该村不在您的辖区内，不能办理"))
    return _decide(row, State.WITHDRAWN, by)


def may_receive(user: User, request: MoveRequest) -> bool:
    """May the person accept or refuse? Of the receiving side, and not who asked."""
    return covers(user, "edit_cards", request.to_village_id) and request.asked_by_id != user.pk


def _waiting(request: MoveRequest) -> MoveRequest:
    row = MoveRequest.objects.select_for_update().get(pk=request.pk)
    if row.state != State.ASKED:
        raise Refusal("decided_already", _("这项迁移已经办理"))
    return row


def _to_decide(request: MoveRequest, by: User) -> MoveRequest:
    row = _waiting(request)
    if not covers(by, "edit_cards", row.to_village_id):
        raise Refusal("not_your_area", _("该村不在您的辖区内，不能办理"))
    if row.asked_by_id == by.pk:
        raise Refusal("own_request", _("由您提出的迁移须由接收村的另一位同志接收"))
    return row


def _decide(row: MoveRequest, state: str, by: User) -> MoveRequest:
    row.state, row.decided_by, row.decided_at = State(state), by, timezone.now()
    row.save(update_fields=["state", "decided_by", "decided_at", "answer", "event"])
    _log("decide_move", row, by)
    return row


def _log(verb: str, row: MoveRequest, by: User) -> None:
    record(
        f"households.{verb}",
        by=by,
        target=row,
        area=row.from_village_id,
        household=row.household_id,
        to=row.to_village_id,
        state=row.state,
    )
