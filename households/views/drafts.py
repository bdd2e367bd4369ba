"""Drafts of cards: kept by the form's script while somebody types, listed, discarded and taken back by their owner."""

import base64
import json
import uuid
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from changde.accounts.access import access
from changde.accounts.refusal import Refusal
from changde.crypto.cipher import derived_key
from changde.web.pages import CONFLICT, UNPROCESSABLE, go, render_page, toast, wants_fragment
from households.domain.years import FIRST_YEAR, LAST_YEAR
from households.models import CardDraft, Household
from households.selectors.drafts import drafts_of
from households.services import drafts

_MOST_SENDINGS = 1_000_000_000


@require_safe
@access("edit_cards")
def index(request: HttpRequest) -> HttpResponse:
    """The person's own drafts, and what was discarded within the week."""
    return render_page(request, "households/drafts.html", _lists(request), fragment="households/_drafts.html")


@require_safe
@never_cache
@access("edit_cards")
def key(request: HttpRequest) -> HttpResponse:
    """The key of this person's unsent typing on the phone, and a token for a form that outlived a login.

    The script holds the key in memory only; the phone's storage holds ciphertext.
    """
    secret = derived_key(purpose="phone-draft", owner=request.user.pk)  # type: ignore[arg-type]
    return JsonResponse(
        {"key": base64.b64encode(secret).decode(), "owner": owner_tag(request), "csrf": get_token(request)}
    )


def owner_tag(request: HttpRequest) -> str:
    """Names the person to the script without saying who it is."""
    return derived_key(purpose="phone-owner", owner=request.user.pk).hex()[:16]  # type: ignore[arg-type]


@require_POST
@access("edit_cards")
def keep(request: HttpRequest) -> HttpResponse:
    """Keep what the form holds now (JSON, see docs/entering.md); answers what became of it."""
    sent = _sent(request)
    if sent is None:
        return JsonResponse({"state": "unreadable"}, status=UNPROCESSABLE)
    if sent.pop("owner") != owner_tag(request):  # the page belongs to somebody who signed out meanwhile
        raise PermissionDenied
    household_id = sent.pop("household")
    cards = Household.objects.visible_to(request.user, "edit_cards")
    household = get_object_or_404(cards, pk=household_id) if household_id else None
    try:
        draft = drafts.keep_draft(by=request.user, household=household, **sent)  # type: ignore[arg-type]
    except drafts.DraftChangedElsewhere as refusal:
        return JsonResponse({"state": refusal.code, "text": refusal.message}, status=CONFLICT)
    except drafts.CardSaved as refusal:
        return JsonResponse({"state": refusal.code, "text": refusal.message})
    except Refusal as refusal:
        return JsonResponse({"state": refusal.code, "text": refusal.message}, status=UNPROCESSABLE)
    at = timezone.localtime(draft.changed_at).strftime("%H:%M")
    return JsonResponse({"state": "kept", "id": draft.pk, "revision": draft.revision, "at": at})


def _sent(request: HttpRequest) -> dict[str, Any] | None:
    """The typed body of a sending, or None when it is none."""
    try:
        body = json.loads(request.body)
        content = [(name, value) for name, value in body["content"]]
        whole = {name: _whole(body.get(name)) for name in ("household", "village", "year", "base_version")}
        sent = {
            "owner": body["owner"],
            "client_key": uuid.UUID(body["client_key"]),
            "writer": uuid.UUID(body["writer"]),
            "sequence": _whole(body["sequence"]) or 0,
            "seen": _whole(body.get("seen")) or 0,
            "content": content,
        } | whole
    except (ValueError, TypeError, KeyError, AttributeError, UnicodeDecodeError):
        return None
    texts = all(isinstance(part, str) and "\x00" not in part for pair in content for part in pair)
    counted = max(sent["sequence"], sent["seen"], sent["base_version"] or 0) < _MOST_SENDINGS
    if not texts or not counted:
        return None
    year = sent["year"]
    return sent | {"year": year if year and FIRST_YEAR <= year <= LAST_YEAR else None}


def _whole(value: Any) -> int | None:
    """A count or a number of a row; refuses what is no whole number from 0 up."""
    if value is None or value == "":
        return None
    number = int(value)
    if number < 0 or number >= 2**63:
        raise ValueError(value)
    return number


@require_POST
@access("edit_cards")
def discard(request: HttpRequest, draft_id: int) -> HttpResponse:
    """Put a draft aside; the toast takes it back."""
    draft = get_object_or_404(CardDraft.objects.visible_to(request.user), pk=draft_id)
    drafts.discard_draft(draft=draft, by=request.user)  # type: ignore[arg-type]
    said, back = _("草稿已放弃，7 天内可以取回"), reverse("households:restore_draft", args=[draft.pk])
    if not wants_fragment(request):
        messages.success(request, said)
        return go(request, "households:drafts")
    response = render_page(request, "households/drafts.html", _lists(request), fragment="households/_drafts.html")
    return toast(response, said, undo_url=back, undo_label=_("取回"))


@require_POST
@access("edit_cards")
def restore(request: HttpRequest, draft_id: int) -> HttpResponse:
    """Take a discarded draft back."""
    draft = get_object_or_404(CardDraft.objects.visible_to(request.user), pk=draft_id)
    drafts.restore_draft(draft=draft, by=request.user)  # type: ignore[arg-type]
    messages.success(request, _("草稿已取回"))
    return go(request, "households:drafts")


def _lists(request: HttpRequest) -> dict[str, Any]:
    return {
        "lines": drafts_of(request.user),  # type: ignore[arg-type]
        "discarded": drafts_of(request.user, discarded=True),  # type: ignore[arg-type]
        "draft_start": {"owner": owner_tag(request)},
        "draft_texts": draft_texts(),
    }


def draft_texts() -> dict[str, str]:
    """What static/js/card-draft.js says."""
    return {
        "typed": _("有修改，稍后自动存为草稿"),
        "sending": _("正在保存草稿…"),
        "kept": _("草稿已存到服务器 %(at)s"),
        "offline": _("网络不通，已存在本机，尚未发送"),
        "nowhere": _("网络不通，内容只在本页，请不要关闭"),
        "loggedOut": _("登录已失效，内容已存在本机（加密）；请重新登录，本页内容不会丢"),
        "loggedOutNowhere": _("登录已失效，内容只在本页；请在新页重新登录，不要关闭本页"),
        "login": _("在新页登录"),
        "otherPerson": _("现在登录的是另一个人，本页内容没有发送；请由原来的人重新登录"),
        "refused": _("服务器暂时没有收下草稿，内容已存在本机，稍后自动再试"),
        "tooLarge": _("内容太长，草稿存不下；请先保存户卡"),
        "saved": _("这张户卡已经保存"),
        "forked": _("同一份草稿在另一个页面也改过；本页内容另存为一份草稿，两份都在"),
        "resumed": _("已恢复 %(at)s 的草稿，尚未提交"),
        "resumedLocal": _("已恢复本机 %(at)s 的内容"),
        "notSent": _("还没有提交：%(why)s"),
        "local": _("本机有一份尚未发送的内容（%(at)s）"),
        "resume": _("继续"),
        "drop": _("放弃"),
    }
