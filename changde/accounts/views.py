"""Login, logout, language, and the division one works in."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import views as auth_views
from django.contrib.auth.forms import AuthenticationForm
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import check_for_language, get_language
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from changde.accounts.access import access, public
from changde.accounts.confirm import ConfirmForm, minutes
from changde.accounts.services import choose_language
from changde.divisions.codes import contains


class LoginForm(AuthenticationForm):
    """Name and password; a county system's account never opens a browser session."""

    def confirm_login_allowed(self, user):
        super().confirm_login_allowed(user)
        if user.is_client:
            raise self.get_invalid_login_error()


class LoginView(auth_views.LoginView):
    template_name = "accounts/login.html"
    authentication_form = LoginForm
    redirect_authenticated_user = True

    def form_valid(self, form):
        response = super().form_valid(form)
        language = self.request.user.language
        if check_for_language(language):
            _remember_language(response, language)
        return response


login = public(require_http_methods(["GET", "HEAD", "POST"])(LoginView.as_view()))


@require_POST
@access("work")
def logout(request: HttpRequest) -> HttpResponse:
    return auth_views.LogoutView.as_view()(request)


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
@access("work")
def confirm_password(request: HttpRequest) -> HttpResponse:
    """Type the password again, then go on to what it was asked for: a page, or a file that hangs on `page`."""
    form = ConfirmForm(request.POST if request.method == "POST" else None)
    back = {"next": _back(request), "page": _back(request, "page", "")}
    if form.confirms(request):
        if back["page"]:
            return render(request, "accounts/confirmed.html", back)
        messages.success(request, _("已确认身份，%(minutes)s 分钟内不再询问") % {"minutes": minutes()})
        return redirect(back["next"])
    context = back | {"form": form, "minutes": minutes()}
    return render(request, "accounts/confirm.html", context, status=422 if form.is_bound else 200)


def _back(request: HttpRequest, name: str = "next", otherwise: str = "/") -> str:
    """The address of this site that the form or the query names."""
    address = request.POST.get(name) or request.GET.get(name, "")
    if url_has_allowed_host_and_scheme(address, {request.get_host()}, require_https=request.is_secure()):
        return address
    return otherwise


def _remember_language(response: HttpResponse, language: str) -> None:
    response.set_cookie(settings.LANGUAGE_COOKIE_NAME, language, max_age=365 * 86400, samesite="Lax", httponly=True)


@require_POST
@public
def language(request: HttpRequest) -> HttpResponse:
    """Switch the language of the pages; a signed-in person keeps it for the next login."""
    chosen = request.POST.get("language", "")
    if chosen not in dict(settings.LANGUAGES):
        chosen = get_language() or settings.LANGUAGE_CODE
    response = HttpResponseRedirect(_back(request))
    _remember_language(response, chosen)
    if request.user.is_authenticated and request.user.language != chosen:
        choose_language(user=request.user, language=chosen)
    return response


@require_POST
@access("work")
def division(request: HttpRequest) -> HttpResponse:
    """Work in another division inside one's posts."""
    code = request.POST.get("division", "")
    if not code.isdecimal() or not any(contains(own.code, int(code)) for own in request.area.divisions):  # type: ignore[attr-defined]
        raise Http404
    request.session["division"] = int(code)
    return redirect(_back(request))
