"""The two decorators every view wears: @access("capability") or @public."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from changde.accounts.roles import CAPABILITIES

View = Callable[..., HttpResponse]


def access(capability: str) -> Callable[[View], View]:
    """Only people with a post whose role holds `capability`; strangers go to the login, others get 403."""
    if capability not in CAPABILITIES:
        raise KeyError(capability)

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not request.user.can(capability):  # type: ignore[union-attr]
                raise PermissionDenied(capability)
            response = view(request, *args, **kwargs)
            # Any page behind the login may show people: none stays in a cache, nor in the browser of a shared machine.
            response.headers.setdefault("Cache-Control", "private, no-store")
            return response

        guarded.capability = capability  # type: ignore[attr-defined]
        return guarded

    return decorate


def public(view: View) -> View:
    """A page without login."""
    view.capability = None  # type: ignore[attr-defined]
    return login_not_required(view)
