"""Cadres: list with filters, a cadre's page, the workbook."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from cadres import selectors
from cadres.domain.needs import SKILLS
from cadres.forms import WorkbookForm
from cadres.models import Unit
from cadres.models.posting import Role
from cadres.services.cadre_import import import_cadres
from changde.accounts.access import access
from changde.accounts.refusal import Refusal
from changde.audit.services import record_read
from changde.web.keyset import KeysetPage
from changde.web.pages import UNPROCESSABLE, render_page

FILTERS = ("q", "kind", "skill", "role", "posted")


@require_safe
@access("read_cadres")
def index(request: HttpRequest) -> HttpResponse:
    filters = {name: request.GET.get(name, "") for name in FILTERS}
    page = KeysetPage(selectors.cadre_list(request.user, filters), request.GET, order=["pinyin"])
    context = {
        "page": page,
        "filters": filters,
        "kinds": Unit.Kind.choices,
        "skills": [(skill, _(skill)) for skill in SKILLS],
        "roles": Role.choices,
        "filtered": any(filters.values()),
        "may_import": request.user.can("manage_cadres"),  # type: ignore[union-attr]
    }
    return render_page(request, "cadres/list.html", context, fragment={"cadres": "cadres/_rows.html"})


@require_safe
@access("read_cadres")
def page(request: HttpRequest, cadre_id: int) -> HttpResponse:
    """The page decrypts number and phone to mask them, and says who looked."""
    context = selectors.cadre_page(request.user, cadre_id)
    if context is None:
        raise Http404
    cadre = context["cadre"]
    record_read("cadres.read_cadre", by=request.user, target=cadre, area=cadre.unit.division_id)
    return render_page(request, "cadres/page.html", context | {"facts": _facts(context)})


def _facts(context: dict[str, Any]) -> dict[str, list[tuple[str, Any]]]:
    cadre = context["cadre"]
    between = "、"
    return {
        "who": [
            (_("工号"), cadre.staff_number),
            (_("性别"), _(cadre.sex) if cadre.sex else None),
            (_("证件号码"), cadre.masked_id_number),
            (_("联系电话"), cadre.masked_phone),
            (_("单位"), cadre.unit.name),
            (_("单位所在区划"), cadre.unit.division.name),
            (_("职务"), cadre.position),
            (_("职级"), cadre.rank),
            (_("政治面貌"), _(cadre.political_status) if cadre.political_status else None),
            (_("学历"), _(cadre.education) if cadre.education else None),
            (_("专业"), cadre.major),
        ],
        "posting": [
            (_("农村工作年限"), cadre.rural_years),
            (_("上年考核"), _(cadre.last_assessment) if cadre.last_assessment else None),
            (_("方言"), between.join(cadre.dialects)),
            (_("籍贯村"), context["home"]),
            (_("回避村"), between.join(str(one) for one in context["avoided"])),
            (_("可派驻起"), cadre.available_from and str(cadre.available_from)),
            (_("可派驻止"), cadre.available_to and str(cadre.available_to)),
            (_("意向县"), between.join(str(one) for one in context["wished"])),
            (_("可任角色"), between.join(context["roles"])),
        ],
    }


@require_http_methods(["GET", "HEAD", "POST"])
@access("manage_cadres")
def workbook(request: HttpRequest) -> HttpResponse:
    """Take a workbook of cadres and show what came of it: a few hundred rows take about a second."""
    posted = request.method == "POST"
    form = WorkbookForm(request.POST if posted else None, request.FILES if posted else None)
    summary = None
    if form.is_valid():
        try:
            summary = import_cadres(source=form.cleaned_data["file"].file, by=request.user)  # type: ignore[arg-type]
        except Refusal as refusal:
            form.add_error("file", refusal.message)
    status = UNPROCESSABLE if form.is_bound and not summary else 200
    return render_page(request, "cadres/import.html", {"form": form, "summary": summary}, status=status)
