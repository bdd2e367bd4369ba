"""Exports of cards: ask for one, watch it, fetch it."""

from io import BytesIO

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from changde.accounts.access import access
from changde.accounts.areas import covers
from changde.accounts.confirm import ask_to_confirm
from changde.accounts.refusal import Refusal
from changde.web.pages import UNPROCESSABLE, go, render_page
from households.forms.listing import ExportForm
from households.models import CardExport
from households.selectors.card_list import card_list, kept_query
from households.selectors.listing import columns_of, exports_of
from households.services import exports

_TYPES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
}


@require_safe
@access("export_cards")
def index(request: HttpRequest) -> HttpResponse:
    """My exports."""
    page = exports_of(request.user, request.GET)  # type: ignore[arg-type]
    return render_page(request, "households/exports.html", {"page": page}, "households/_export_rows.html")


@require_http_methods(["GET", "HEAD", "POST"])
@access("export_cards")
def new(request: HttpRequest) -> HttpResponse:
    """Ask for a file of a list; the list's filters come in the address."""
    query = kept_query(request.GET, search=True)
    here = request.area.division  # type: ignore[attr-defined]
    listed = card_list(request.user, here, QueryDict(query))
    if listed.division is None or not covers(request.user, "export_cards", listed.division.code):
        raise Http404
    chosen = [column.name for column in columns_of(request.user)]  # type: ignore[arg-type]
    form = ExportForm(request.POST if request.method == "POST" else None, chosen=chosen)
    households, refusal_text = None, ""
    if form.is_valid():
        try:
            export = exports.order_export(by=request.user, area=listed.division.code, query=query, **form.cleaned_data)  # type: ignore[arg-type]
        except Refusal as refusal:
            form.add_error(refusal.field, refusal.message)
        else:
            return go(request, "households:export", export.pk)
    try:
        households = exports.count_within_limit(listed)
    except Refusal as refusal:
        refusal_text = refusal.message
    context = {
        "form": form,
        "listed": listed,
        "households": households,
        "refusal_text": refusal_text,
        "kept_days": exports.KEPT_FOR.days,
        "back": f"{reverse('households:list')}?{query}",
        "crumbs": [{"text": _("户卡"), "href": f"{reverse('households:list')}?{query}"}, {"text": _("导出")}],
    }
    return render_page(request, "households/export_form.html", context, status=UNPROCESSABLE if form.is_bound else 200)


@require_safe
@access("export_cards")
def page(request: HttpRequest, export_id: int) -> HttpResponse:
    """One export; while it is made, its fragment asks for itself again."""
    export = _mine(request, export_id)
    crumbs = [{"text": _("我的导出"), "href": reverse("households:exports")}, {"text": f"#{export.pk}"}]
    context = {"export": export, "crumbs": crumbs}
    return render_page(request, "households/export_page.html", context, "households/_export.html")


@require_safe
@access("export_cards")
def file(request: HttpRequest, export_id: int) -> HttpResponse:
    """The file, for who asked for it alone and has just confirmed the password; each download is logged."""
    export = _mine(request, export_id)
    if ask := ask_to_confirm(request, page=reverse("households:export", args=[export.pk])):
        return ask
    try:
        content = exports.fetch_export(export=export, by=request.user)  # type: ignore[arg-type]
    except Refusal as refusal:
        messages.error(request, refusal.message)
        return go(request, "households:export", export.pk)
    day = timezone.localtime(export.made_at).strftime("%Y%m%d")
    name = _("户卡_%(day)s_%(number)s.%(format)s") % {"day": day, "number": export.pk, "format": export.ending}
    answer = FileResponse(BytesIO(content), as_attachment=True, filename=name, content_type=_TYPES[export.ending])
    answer["Cache-Control"] = "no-store, private"
    return answer


def _mine(request: HttpRequest, export_id: int) -> CardExport:
    return get_object_or_404(CardExport.objects.visible_to(request.user).select_related("job"), pk=export_id)
