"""The password once more before people's facts leave the system: a browser that was left open is not enough.

A view fetches its object first (what is not one's own stays 404), then asks:

    if ask := ask_to_confirm(request, page=...):
        return ask

The login itself does not count.
"""

from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import urlencode

from axes.helpers import get_client_ip_address
from axes.utils import reset
from django import forms
from django.contrib.auth import authenticate
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from changde.accounts.services import note_confirmed

VALID_FOR = timedelta(minutes=10)
_MARK = "password_confirmed_at"


class ConfirmForm(forms.Form):
    """One's own password once more."""

    password = forms.CharField(
        label=gettext_lazy("密码"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "autofocus": True}),
    )

    def confirms(self, request: HttpRequest) -> bool:
        """Whether the typed password is that of who is signed in; if not, the field says so."""
        if not self.is_valid():
            return False
        if confirm(request, self.cleaned_data["password"]):
            return True
        self.add_error("password", _("密码不对。请检查大小写后再试。"))
        return False


def confirmed_lately(request: HttpRequest) -> bool:
    """Whether the person of this session typed the password within VALID_FOR."""
    age = timezone.now().timestamp() - request.session.get(_MARK, 0)
    return 0 <= age < VALID_FOR.total_seconds()


def ask_to_confirm(request: HttpRequest, *, page: str = "", carry: Sequence[str] = ()) -> HttpResponse | None:
    """What asks for the password, or None where it was typed lately and the view may go on.

    What is read (GET) is asked for again after the password. A file names the `page` it hangs on, where the person
    stands while it downloads. What is posted is asked in place: the question holds the fields named by `carry` and
    comes back to the same address with the password in `password`.
    """
    if confirmed_lately(request):
        return None
    if request.method != "POST":
        back = {"next": request.get_full_path()} | ({"page": page} if page else {})
        return HttpResponseRedirect(f"{reverse('accounts:confirm')}?{urlencode(back)}")
    request.sensitive_post_parameters = ["password"]  # type: ignore[attr-defined]
    carried = [(name, value) for name in carry for value in request.POST.getlist(name)]
    ids = "-".join(("confirm", *(value for _name, value in carried if value.isidentifier() or value.isdecimal())))
    form = ConfirmForm(request.POST if "password" in request.POST else None, auto_id=f"{ids}-%s")
    if form.confirms(request):
        return None
    context = {"form": form, "carried": carried, "minutes": minutes(), "here": request.get_full_path()}
    htmx = getattr(request, "htmx", None)
    part = "accounts/_confirm.html" if htmx and not htmx.boosted else "accounts/confirm.html"
    return render(request, part, context, status=422 if form.is_bound else 200)


def minutes() -> int:
    return int(VALID_FOR.total_seconds() // 60)


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
