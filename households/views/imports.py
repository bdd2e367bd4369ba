"""Workbooks of cards in the browser: bring, look at what would happen, choose, write, take back."""

from io import BytesIO
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from changde.accounts.access import access
from changde.accounts.confirm import ask_to_confirm
from changde.accounts.refusal import Refusal
from changde.audit.services import record_export, record_read
from changde.web.pages import CONFLICT, UNPROCESSABLE, go, render_page
from households.domain.card_template import template_pages
from households.domain.card_workbook import open_cards
from households.domain.workbook import write
from households.forms.imports import ImportForm
from households.messages import workbook_refusal
from households.models import ImportBatch, StagedHousehold
from households.selectors import imports as selectors
from households.selectors.search import sealed, unsealed
from households.services import imports, staging, undo

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@require_safe
@access("import_cards")
def index(request: HttpRequest) -> HttpResponse:
    page = selectors.batches(request.user, request.GET)  # type: ignore[arg-type]
    return render_page(request, "households/imports.html", {"page": page}, "households/_import_rows.html")


@require_http_methods(["GET", "HEAD", "POST"])
@access("import_cards")
def new(request: HttpRequest) -> HttpResponse:
    form = ImportForm(request.POST or None, request.FILES or None, user=request.user)  # type: ignore[arg-type]
    if request.method != "POST":
        return render_page(request, "households/import_form.html", {"form": form})
    if not form.is_valid():
        return render_page(request, "households/import_form.html", {"form": form}, status=UNPROCESSABLE)
    file = form.cleaned_data["file"]
    batch = imports.bring(
        by=request.user,  # type: ignore[arg-type]
        area=request.area.code,  # type: ignore[attr-defined]
        file_name=form.file_name,
        file=file,
        initial=form.cleaned_data.get("initial_load", False),
        policy=form.cleaned_data["policy"],
        contents=form.contents,
    )
    return go(request, "households:import_page", batch.pk)


@require_safe
@access("import_cards")
def page(request: HttpRequest, batch_id: int) -> HttpResponse:
    """One workbook and its households by kind; while it is worked on, the fragment asks for itself again."""
    batch = _batch(request, batch_id)
    imports.settle(batch)
    undo.settle(batch)
    return _page(request, batch)


def _page(request: HttpRequest, batch: ImportBatch, status: int = 200) -> HttpResponse:
    counts = selectors.kinds_of(batch)
    shown = selectors.shown_kind(counts, request.GET.get("show", ""))
    text = unsealed(request.user, request.GET.get("find", ""))
    mine = batch.owner_id == request.user.pk
    rows = None if batch.is_open else selectors.staged(batch, shown, text, request.GET)
    if rows is not None and rows.rows:
        record_read("households.read_import", by=request.user, target=batch, area=batch.area, kind=shown)
    has_file = ImportBatch.objects.filter(pk=batch.pk, file_cipher__isnull=False).exists()
    goes_in = sum(counts[kind] for kind in StagedHousehold.GOES_IN)
    left_count, left = undo.left_behind(batch)
    context = {
        "batch": batch,
        "mine": mine,
        "left_count": left_count,
        "left": left,
        "error": workbook_refusal(batch.error, batch.error_facts) if batch.error else "",
        "rows": rows,
        "shown": shown,
        "search_text": text,
        "tabs": [
            {"kind": kind, "count": counts[kind], "current": kind == shown}
            for kind in (*map(str, selectors.KINDS), selectors.EXCLUDED)
            if counts[kind] or kind == shown
        ],
        "any_rows": any(counts.values()),
        "goes_in": goes_in,
        "left_out": counts[selectors.EXCLUDED],
        "not_in": sum(counts.values()) - batch.households if batch.confirmed_at else 0,
        "may_choose": mine and batch.state == ImportBatch.State.CHECKED,
        "can_choose": shown in (*StagedHousehold.GOES_IN, selectors.EXCLUDED),
        "may_go_on": mine and imports.may_go_on(batch),
        "may_undo": mine and undo.may_undo(batch),
        "earlier": selectors.earlier_same(batch) if batch.state == ImportBatch.State.CHECKED else None,
        "has_file": has_file,
        "may_return": has_file and mine and not batch.is_open and bool(counts["refused"] or counts["waiting"]),
    }
    return render_page(
        request,
        "households/import_page.html",
        context,
        {"import": "households/_import.html", "staged": "households/_import_staged.html"},
        status=status,
    )


@require_POST
@access("import_cards")
def find(request: HttpRequest, batch_id: int) -> HttpResponse:
    """Look for a household of the workbook; the text goes encrypted into the address."""
    batch = _batch(request, batch_id)
    query = {"show": request.POST.get("show", "")}
    if text := request.POST.get("q", "").strip()[:60]:
        query["find"] = sealed(request.user, text)
    return go(request, f"{reverse('households:import_page', args=[batch.pk])}?{urlencode(query)}")


@require_safe
@access("import_cards")
def row(request: HttpRequest, batch_id: int, row_id: int) -> HttpResponse:
    """One household of the workbook, field by field."""
    batch = _batch(request, batch_id)
    shown = selectors.row_page(request.user, batch, row_id)  # type: ignore[arg-type]
    record_read("households.read_staged", by=request.user, target=batch, area=batch.area, position=shown.row.position)
    mine = batch.owner_id == request.user.pk
    context = {
        "batch": batch,
        "household": shown,
        "may_choose": mine and batch.state == ImportBatch.State.CHECKED and shown.row.kind in StagedHousehold.GOES_IN,
    }
    return render_page(request, "households/import_row.html", context)


@require_POST
@access("import_cards")
def choose(request: HttpRequest, batch_id: int) -> HttpResponse:
    """Keep households out of the write, or take them in again; only who brought the workbook."""
    batch = _own(request, batch_id)
    excluded = request.POST.get("do") != "include"
    kind = request.POST.get("kind", "")
    try:
        staging.choose(
            batch=batch,
            by=request.user,  # type: ignore[arg-type]
            excluded=excluded,
            rows=[int(each) for each in request.POST.getlist("row")[:200] if each.isdecimal()],
            kind=kind if kind in StagedHousehold.GOES_IN else "",
        )
    except Refusal as refusal:
        messages.error(request, refusal.message)
    query = urlencode({name: request.POST[name] for name in ("show", "find") if request.POST.get(name)})
    return go(request, f"{reverse('households:import_page', args=[batch.pk])}?{query}")


@require_POST
@access("import_cards")
def accept(request: HttpRequest, batch_id: int) -> HttpResponse:
    """Write a checked workbook; only who brought it decides."""
    batch = _own(request, batch_id)
    imports.accept(batch=batch, by=request.user)  # type: ignore[arg-type]
    return go(request, "households:import_page", batch.pk)


@require_POST
@access("import_cards")
def go_on(request: HttpRequest, batch_id: int) -> HttpResponse:
    """Take up a workbook that was cancelled or broke off."""
    batch = _own(request, batch_id)
    imports.go_on(batch=batch, by=request.user)  # type: ignore[arg-type]
    return go(request, "households:import_page", batch.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@access("import_cards")
def take_back(request: HttpRequest, batch_id: int) -> HttpResponse:
    """What undoing would do and what stands in its way; then have it done. Only who brought the workbook."""
    batch = _own(request, batch_id)
    if not undo.may_undo(batch):
        messages.info(request, _("这批导入不能撤销：没有写入任何户，或已经撤销，或已超过一个月"))
        return go(request, "households:import_page", batch.pk)
    status = 200
    if request.method == "POST":
        try:
            undo.undo(batch=batch, by=request.user, rest=request.POST.get("rest") == "1")  # type: ignore[arg-type]
        except Refusal as refusal:
            messages.error(request, refusal.message)
            status = CONFLICT
        else:
            return go(request, "households:import_page", batch.pk)
    foreseen = undo.foresee(batch)
    context: dict[str, Any] = {
        "batch": batch,
        "foreseen": foreseen,
        "blocked": undo.told_left(batch, foreseen.blocked),
        "free": foreseen.removed + foreseen.restored - foreseen.blocked_count,
    }
    return render_page(request, "households/import_undo.html", context, status=status)


@require_safe
@access("import_cards")
def returned(request: HttpRequest, batch_id: int) -> HttpResponse:
    """The rows that were refused or wait, as they came, with their reasons; only for who brought them."""
    batch = get_object_or_404(ImportBatch.objects.visible_to(request.user).filter(owner=request.user), pk=batch_id)  # type: ignore[misc]
    if batch.content is None or not batch.problems.exists():
        messages.info(request, _("没有可取回的行：全部已入库，或文件已按期删除"))
        return go(request, "households:import_page", batch.pk)
    if ask := ask_to_confirm(request, page=reverse("households:import_page", args=[batch.pk])):
        return ask
    file = BytesIO()
    with open_cards(BytesIO(batch.content)) as book:
        write(file, imports.returned_pages(book, imports.told_of(book, batch)))
    record_export(
        "households.returned_rows", by=request.user, target=batch, area=batch.area, rows=batch.problems.count()
    )
    file.seek(0)
    name = _("退回_%(name)s") % {"name": f"{batch.file_name.rsplit('/')[-1].rpartition('.')[0] or batch.pk}.xlsx"}
    return FileResponse(file, as_attachment=True, filename=name, content_type=XLSX)


@require_safe
@access("import_cards")
def template(request: HttpRequest) -> HttpResponse:
    """The workbook to fill in, with an example and its explanation."""
    file = BytesIO()
    write(file, template_pages())
    file.seek(0)
    return FileResponse(
        file,
        as_attachment=True,
        filename=_("户卡模板_%(year)s.xlsx") % {"year": timezone.localdate().year},
        content_type=XLSX,
    )


def _batch(request: HttpRequest, batch_id: int) -> ImportBatch:
    return get_object_or_404(selectors.batch_of(request.user), pk=batch_id)  # type: ignore[arg-type]


def _own(request: HttpRequest, batch_id: int) -> ImportBatch:
    return get_object_or_404(selectors.batch_of(request.user).filter(owner=request.user), pk=batch_id)  # type: ignore[arg-type,misc]
