"""Puts the division a person works in onto the request."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from changde.accounts.areas import Area
from changde.accounts.roles import Role
from changde.divisions.codes import contains
from changde.divisions.models import Division


def _area(request: HttpRequest) -> Area:
    user = request.user
    if not user.is_authenticated:
        return Area(None, ())
    divisions = tuple(
        {post.division_id: post.division for post in user.open_posts if post.role != Role.COUNTY_SYSTEM}.values()
    )
    chosen = request.session.get("division")
    if chosen and any(contains(division.code, chosen) for division in divisions):
        division = Division.objects.filter(code=chosen).first()
        if division:
            return Area(division, divisions)
    return Area(divisions[0] if divisions else None, divisions)


class AreaMiddleware:
    """`request.area`: the chosen division inside the person's posts, else the first post's."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.area = SimpleLazyObject(lambda: _area(request))  # type: ignore[attr-defined]
        return self.get_response(request)
