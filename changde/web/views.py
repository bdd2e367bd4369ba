"""The switch of the division one works in, and (in DEBUG) the gallery of components."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from changde.accounts.access import access, public
from changde.accounts.areas import Area
from changde.divisions.codes import contains
from changde.divisions.models import Division
from changde.web import gallery as examples
from changde.web.pages import render_page


@require_safe
@access("work")
def area(request: HttpRequest) -> HttpResponse:
    """Divisions one may work in: those of one's posts, and up, down or aside from the present one."""
    own: Area = request.area  # type: ignore[attr-defined]
    context = {"here": own.division, "choices": _choices(own)}
    return render_page(request, "web/area.html", context, fragment="web/_area_menu.html")


def _choices(own: Area) -> list[tuple[str, list[Division]]]:
    choices = [(_("我的岗位"), list(own.divisions))] if len(own.divisions) > 1 else []
    here = own.division
    if here is None:
        return choices
    above = [step for step in here.path() if step.code != here.code and _holds(own, step.code)]
    if above:
        choices.append((_("上级"), above))
    below = list(Division.objects.current().filter(parent=here).order_by("code"))
    if below:
        return [*choices, (_("%(division)s下辖") % {"division": here.name}, below)]
    if here.parent_id and _holds(own, here.parent_id):
        beside = list(Division.objects.current().filter(parent=here.parent_id).order_by("code"))
        return [*choices, (_("同级"), beside)]
    return choices


def _holds(own: Area, code: int) -> bool:
    return any(contains(division.code, code) for division in own.divisions)


@require_safe
@public
def gallery(request: HttpRequest) -> HttpResponse:
    """Every component with made-up households; development only."""
    if not settings.DEBUG:
        raise Http404
    return render_page(request, "web/gallery.html", examples.context(request))
