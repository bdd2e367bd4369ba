"""A page or its fragment: decided once, here, so that every view can serve both and works without JavaScript."""

from collections.abc import Mapping
from typing import Any

from django.contrib.messages import get_messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django.utils.cache import patch_vary_headers
from django_htmx.http import HttpResponseClientRedirect, trigger_client_event

UNPROCESSABLE = 422
CONFLICT = 409


def wants_fragment(request: HttpRequest) -> bool:
    """Whether htmx asks for a part: not for a boosted link and not when it rebuilds a page of the history."""
    htmx: Any = getattr(request, "htmx", None)
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def render_page(
    request: HttpRequest,
    template: str,
    context: Mapping[str, Any] | None = None,
    fragment: str | Mapping[str, str] | None = None,
    *,
    status: int = 200,
) -> HttpResponse:
    """Render `template`, or `fragment` when htmx asks for a part of the page.

    `fragment` is one template, or a mapping from the id of the target element (without #) to its template; a target
    that is not in the mapping gets the whole page. Messages of a fragment travel in the HX-Trigger header and appear
    as toasts.
    Refused forms answer with status 422, stale versions with 409; both are swapped in (static/js/app.js, base.html).
    """
    part = _part(request, fragment)
    response = render(request, part or template, dict(context or {}), status=status)
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    if part:
        _carry_messages(request, response)
    return response


def go(request: HttpRequest, to: Any, *args: Any, **kwargs: Any) -> HttpResponse:
    """Redirect a page or a fragment request alike; `to` is what django.shortcuts.redirect takes."""
    url = resolve_url(to, *args, **kwargs)
    return HttpResponseClientRedirect(url) if wants_fragment(request) else HttpResponseRedirect(url)


def toast(
    response: HttpResponse, text: str, *, level: str = "success", undo_url: str = "", undo_label: str = ""
) -> HttpResponse:
    """Let the page show a toast after this fragment; `undo_url` is posted to when the person takes it back."""
    return _toasts(response, [{"text": str(text), "level": level, "undo": undo_url, "undoLabel": str(undo_label)}])


def _part(request: HttpRequest, fragment: str | Mapping[str, str] | None) -> str | None:
    if not fragment or not wants_fragment(request):
        return None
    if isinstance(fragment, str):
        return fragment
    return fragment.get(request.htmx.target or "")  # type: ignore[attr-defined]


def _carry_messages(request: HttpRequest, response: HttpResponse) -> None:
    carried = [{"text": str(message), "level": message.level_tag} for message in get_messages(request)]
    if carried:
        _toasts(response, carried)


def _toasts(response: HttpResponse, toasts: list[dict[str, str]]) -> HttpResponse:
    return trigger_client_event(response, "toasts", {"toasts": toasts})
