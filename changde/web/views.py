"""The switch of the division one works in, what a browser keeps for a lost net, and (in DEBUG) the components."""

from hashlib import sha256

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override
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


# What the pages people type on are made of, besides their content: nobody's facts.
SHELL = (
    "bootstrap/css/bootstrap.min.css", "css/app.css", "img/mark.svg", "htmx/htmx.min.js", "js/app.js", "js/offline.js",
    "js/id-number.js", "js/money.js", "js/choice-search.js", "js/card-form.js", "js/worksheet.js", "js/still-true.js",
    "js/member-notes.js", "js/need-lines.js", "js/card-draft.js",
)  # fmt: skip


@require_safe
@public
def service_worker(request: HttpRequest) -> HttpResponse:
    """The script that answers in the browser when the net is gone (docs/adr/0010); the same for everybody.

    ?language= says how the page speaks: a browser asks for a script in its own language, not in the person's.
    """
    language = _language(request)
    facts = {
        "offline": f"{reverse('web:offline')}?language={language}",
        "logout": reverse("accounts:logout"),
        "shell": [static(name) for name in SHELL],
    }
    told = render_to_string("web/service-worker.js", facts) + _offline_page(language)
    facts["version"] = sha256(told.encode()).hexdigest()[:16]
    script = render_to_string("web/service-worker.js", facts)
    return HttpResponse(script, content_type="text/javascript", headers={"Cache-Control": "private, max-age=3600"})


@require_safe
@public
def offline(request: HttpRequest) -> HttpResponse:
    """What the browser keeps to show without a net: made without request, session or person (?language=)."""
    return HttpResponse(_offline_page(_language(request)), headers={"Cache-Control": "no-cache"})


def _language(request: HttpRequest) -> str:
    language = request.GET.get("language", "")
    return language if language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE


def _offline_page(language: str) -> str:
    with override(language):
        return render_to_string("web/offline.html")


@require_safe
@public
def gallery(request: HttpRequest) -> HttpResponse:
    """Every component with made-up households; development only."""
    if not settings.DEBUG:
        raise Http404
    return render_page(request, "web/gallery.html", examples.context(request))
