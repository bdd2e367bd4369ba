"""The password once more before people's facts leave the system: a browser that was left open is not enough.

A view fetches its object first (what is not one's own stays 404), then asks `confirmed_lately`, and where it is not so
answers with `ask_to_confirm`. The login itself does not count.
"""

from datetime import timedelta
from urllib.parse import urlencode

from axes.helpers import get_client_ip_address
from axes.utils import reset
from django.contrib.auth import authenticate
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from changde.accounts.services import note_confirmed

VALID_FOR = timedelta(minutes=10)
_MARK = "password_confirmed_at"


def confirmed_lately(request: HttpRequest) -> bool:
    """Whether the person of this session typed the password within VALID_FOR."""
    age = timezone.now().timestamp() - request.session.get(_MARK, 0)
    return 0 <= age < VALID_FOR.total_seconds()


def ask_to_confirm(back: str) -> HttpResponse:
    """To the page that asks for the password; from there on to `back`, an address of this site."""
    return HttpResponseRedirect(f"{reverse('accounts:confirm')}?{urlencode({'next': back})}")


def confirm(request: HttpRequest, password: str) -> bool:
    """Try the password of who is signed in; wrong ones count as wrong logins do, and lock the same way."""
    username = request.user.get_username()
    user = authenticate(request, username=username, password=password)
    if user is None or user.pk != request.user.pk:
        return False
    reset(ip=get_client_ip_address(request), username=username)  # as a login does
    request.session[_MARK] = timezone.now().timestamp()
    note_confirmed(user=user)  # type: ignore[arg-type]
    return True
