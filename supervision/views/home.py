"""The first page: what waits for me today, and the figures of my area."""

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from changde.accounts.access import access
from changde.accounts.areas import covers
from changde.accounts.models import User
from changde.accounts.roles import ADMINISTRATORS
from changde.web.pages import render_page
from supervision.selectors.home import waiting_for


@require_safe
@access("work")
def home(request: HttpRequest) -> HttpResponse:
    division = request.area.division  # type: ignore[attr-defined]
    context = {
        "division": division,
        "tasks": waiting_for(request.user, division.code),  # type: ignore[arg-type]
        "figures": _figures(request.user, division.code),  # type: ignore[arg-type]
        "is_administrator": bool(request.user.roles & ADMINISTRATORS),  # type: ignore[union-attr]
    }
    return render_page(request, "supervision/home.html", context)


def _figures(user: User, code: int) -> str:
    """Where the page fetches the figures of the area, when what waits is already there to be read."""
    return reverse("city", args=[code]) if covers(user, "read_figures", code) else ""
