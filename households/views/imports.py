"""Workbooks of cards in the browser: bring, look at what would happen, write, take refused rows back."""

from io import BytesIO

from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from changde.accounts.access import access
from changde.audit.services import record_export
from changde.web.pages import UNPROCESSABLE, go, render_page
from households.domain.card_workbook import open_cards, template_pages
from households.domain.workbook import write
from households.forms.imports import ImportForm
from households.messages import workbook_refusal
from households.models import ImportBatch, ImportProblem
from households.selectors import imports as selectors
from households.services import imports

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
        file_name=file.name or "",
        file=file,
        initial=form.cleaned_data.get("initial_load", False),
    )
    return go(request, "households:import_page", batch.pk)


@require_safe
@access("import_cards")
def page(request: HttpRequest, batch_id: int) -> HttpResponse:
    """One workbook; while it is worked on, the fragment asks for itself again."""
    batch = get_object_or_404(selectors.batch_of(request.user), pk=batch_id)  # type: ignore[arg-type]
    imports.settle(batch)
    outcome = ImportProblem.Outcome
    shown = outcome.WAITING if request.GET.get("show") == outcome.WAITING else outcome.REFUSED
    context = {
        "batch": batch,
        "error": workbook_refusal(batch.error, batch.error_facts) if batch.error else "",
        "problems": None if batch.is_open else selectors.problems(batch, shown, request.GET),
        "shown": shown,
        "earlier": selectors.earlier_same(batch) if batch.state == ImportBatch.State.CHECKED else None,
        "has_file": ImportBatch.objects.filter(pk=batch.pk, file_cipher__isnull=False).exists(),
    }
    return render_page(
        request,
        "households/import_page.html",
        context,
        {"import": "households/_import.html", "problems": "households/_import_problems.html"},
    )


@require_POST
@access("import_cards")
def accept(request: HttpRequest, batch_id: int) -> HttpResponse:
    """Write a checked workbook; only who brought it decides."""
    batch = get_object_or_404(selectors.batch_of(request.user).filter(owner=request.user), pk=batch_id)  # type: ignore[arg-type,misc]
    imports.accept(batch=batch, by=request.user)  # type: ignore[arg-type]
    return go(request, "households:import_page", batch.pk)


@require_safe
@access("import_cards")
def returned(request: HttpRequest, batch_id: int) -> HttpResponse:
    """The rows that were refused or wait, as they came, with their reasons; only for who brought them."""
    batch = get_object_or_404(ImportBatch.objects.visible_to(request.user).filter(owner=request.user), pk=batch_id)  # type: ignore[misc]
    if batch.content is None or not batch.problems.exists():
        messages.info(request, _("没有可取回的行：全部已入库，或文件已按期删除"))
        return go(request, "households:import_page", batch.pk)
    file = BytesIO()
    with open_cards(BytesIO(batch.content)) as book:
        write(file, imports.returned_pages(book, imports.told_of(book, batch)))
    record_export(
        "households.returned_rows", by=request.user, target=batch, area=batch.area, rows=batch.problems.count()
    )
    file.seek(0)
    name = _("退回_%(name)s") % {"name": batch.file_name.rsplit("/")[-1]}
    return FileResponse(file, as_attachment=True, filename=name, content_type=XLSX)


@require_safe
@access("import_cards")
def template(request: HttpRequest) -> HttpResponse:
    """The empty workbook to fill in."""
    file = BytesIO()
    write(file, template_pages())
    file.seek(0)
    return FileResponse(
        file,
        as_attachment=True,
        filename=_("户卡模板_%(year)s.xlsx") % {"year": timezone.localdate().year},
        content_type=XLSX,
    )
