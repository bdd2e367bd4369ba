"""The register of village cadres and their declared relatives: the county office's pages, each read logged."""

from io import BytesIO
from typing import Any

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from changde.accounts.access import access
from changde.accounts.refusal import Refusal
from changde.audit.models import Event
from changde.audit.services import record_read
from changde.divisions.models import Division
from changde.web.keyset import KeysetPage
from changde.web.pages import UNPROCESSABLE, render_page
from households.domain.village_cadre import COLUMNS, SHEET
from households.domain.workbook import Page, write
from households.forms.village_cadres import (
    CadreImportForm,
    RelativeFormSet,
    VillageCadreForm,
    initial_relatives,
    relatives_of,
)
from households.models import CadreRelative, VillageCadre
from households.selectors.cards import villages_of
from households.services import village_cadres as services
from households.views.leads import XLSX

CAPABILITY = "manage_village_cadres"


@require_safe
@access(CAPABILITY)
def index(request: HttpRequest) -> HttpResponse:
    """The cadres of the division worked in; names in full, numbers masked."""
    division = request.area.division  # type: ignore[attr-defined]
    cadres = VillageCadre.objects.visible_to(request.user)
    if division is not None:
        cadres = cadres.within(division.code)
    page = KeysetPage(
        cadres.select_related("village__parent").prefetch_related("relatives"), request.GET,
        order=["village_id", "name", "pk"],
    )  # fmt: skip
    if page.rows:
        record_read("village_cadres.list", by=request.user, area=division.code if division else None, rows=len(page))
    context = {"page": page, "last": _last_removed(request)}
    return render_page(request, "households/village_cadres.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@access(CAPABILITY)
def new(request: HttpRequest) -> HttpResponse:
    return _form(request, None)


@require_http_methods(["GET", "HEAD", "POST"])
@access(CAPABILITY)
def edit(request: HttpRequest, cadre_id: int) -> HttpResponse:
    """One cadre with the relatives; opening it is logged."""
    cadre = _found(request, cadre_id)
    if request.method != "POST":
        record_read("village_cadres.read", by=request.user, target=cadre, area=cadre.village_id)
    return _form(request, cadre)


@require_POST
@access(CAPABILITY)
def remove(request: HttpRequest, cadre_id: int) -> HttpResponse:
    services.remove_cadre(cadre=_found(request, cadre_id), by=request.user)  # type: ignore[arg-type]
    return redirect("households:village_cadres")


@require_POST
@access(CAPABILITY)
def restore(request: HttpRequest, cadre_id: int) -> HttpResponse:
    """Take the removal back."""
    try:
        services.restore_cadre(pk=cadre_id, by=request.user)  # type: ignore[arg-type]
    except VillageCadre.DoesNotExist as error:
        raise Http404 from error
    except Refusal as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, _("已放回登记册"))
    return redirect("households:village_cadres")


@require_http_methods(["GET", "HEAD", "POST"])
@access(CAPABILITY)
def bring(request: HttpRequest) -> HttpResponse:
    """A small workbook: good rows go in, the others are named with the reason."""
    posted = request.method == "POST"
    form = CadreImportForm(request.POST if posted else None, request.FILES if posted else None)
    summary, status = None, 200
    if form.is_bound:
        if form.is_valid():
            try:
                summary = services.import_cadres(source=form.cleaned_data["file"], by=request.user)  # type: ignore[arg-type]
            except Refusal as refusal:
                form.add_error("file", refusal.message)
        status = 200 if summary else UNPROCESSABLE
    context = {"form": form if summary is None else CadreImportForm(), "summary": summary}
    return render_page(request, "households/village_cadres_import.html", context, status=status)


@require_safe
@access(CAPABILITY)
def template(request: HttpRequest) -> HttpResponse:
    """The workbook to fill in, with its explanation."""
    posts, relations = [str(label) for label in VillageCadre.Post.labels], list(CadreRelative.RELATIONS)
    columns = list(COLUMNS)
    allowed = {columns.index("村内职务"): posts, columns.index("与干部关系"): relations}
    about = [
        ("村编码", _("12 位行政村编码，必填")),
        ("村名", _("给人看的，不作依据")),
        ("村内职务", "、".join(posts)),
        ("任职起、任职止", _("日期，如 2019-03-01；在任的任职止留空")),
        ("与干部关系", "、".join(relations)),
        ("亲属姓名、亲属证件号码", _("一行一名亲属；有几名就把干部写几行")),
        ("空白单元格", _("不清除系统里已有的内容")),
    ]
    file = BytesIO()
    write(
        file,
        [
            Page(SHEET, columns, [], allowed=allowed, widths=[14, 12, 10, 16, 22, 14, 22, 12, 12, 14, 12, 22]),
            Page(_("填写说明"), [_("列"), _("怎样填")], about, widths=(24, 80)),
        ],
    )
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename=_("村干部登记表模板.xlsx"), content_type=XLSX)


def _found(request: HttpRequest, cadre_id: int) -> VillageCadre:
    return get_object_or_404(VillageCadre.objects.visible_to(request.user).select_related("village"), pk=cadre_id)


def _form(request: HttpRequest, cadre: VillageCadre | None) -> HttpResponse:
    division = request.area.division  # type: ignore[attr-defined]
    villages = villages_of(request.user, CAPABILITY)
    given = request.POST if request.method == "POST" else None
    initial = {"village": str(division.code)} if division and cadre is None else {}
    form = VillageCadreForm(given, villages=_with_parents(villages), cadre=cadre, initial=initial)
    formset = RelativeFormSet(given, initial=initial_relatives(cadre) if cadre else [], prefix="relatives")
    if given is not None and all([form.is_valid(), formset.is_valid()]):
        try:
            saved = services.save_cadre(
                cadre=cadre,
                village=form.place,
                facts=form.facts,
                relatives=relatives_of(formset, cadre),
                by=request.user,  # type: ignore[arg-type]
            )
        except Refusal as refusal:
            form.add_error(refusal.field if refusal.field in form.fields else None, refusal.message)
        else:
            messages.success(request, _("已保存 %(name)s 的登记") % {"name": saved.name})
            return redirect("households:village_cadres")
    context = {"cadre": cadre, "form": form, "formset": formset}
    status = UNPROCESSABLE if given is not None else 200
    return render_page(request, "households/village_cadre_form.html", context, status=status)


def _with_parents(villages: list[Any]) -> list[Any]:
    """The villages with their townships, one query for all."""
    parents = Division.objects.in_bulk({one.parent_id for one in villages})
    for one in villages:
        one.parent = parents[one.parent_id]
    return villages


def _last_removed(request: HttpRequest) -> int | None:
    """One's own last removal, while it can be taken back."""
    since = timezone.now() - services.UNDO_FOR
    removals = Event.objects.filter(actor=request.user, verb="village_cadres.remove", at__gt=since)
    event = removals.order_by("-pk").first()
    if event is None or VillageCadre.objects.filter(pk=event.target_id).exists():
        return None
    return int(event.target_id)
