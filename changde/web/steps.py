"""One step of a thing's life asked for by a button: done, or refused in words."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest

from changde.accounts.refusal import Refusal


def take_step(request: HttpRequest, step: Callable[[], Any], said: str | Callable[[Any], str]) -> bool:
    """Take the step and say what was done (`said`, or what it makes of the step's result); a refusal is said instead.

    Returns whether it was done.
    """
    try:
        done = step()
    except Refusal as refusal:
        messages.error(request, refusal.message)
        return False
    messages.success(request, said(done) if callable(said) else said)
    return True
