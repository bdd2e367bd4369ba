"""Chosen columns of the card list; kept filters of the lists that have them (households.listings)."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from changde.accounts.access import access
from changde.accounts.refusal import Refusal
from changde.web.pages import UNPROCESSABLE, go, render_page, toast
from households.forms.listing import KeptFilterForm
from households.listings import KEPT_LISTS, KeptList, lists_of
from households.models import SavedFilter
from households.selectors.card_list import kept_query
from households.selectors.listing import deleted_filters, kept_filters
from households.services import listing


@require_POST
@access("read_cards")
def columns(request: HttpRequest) -> HttpResponse:
    """Remember the chosen columns and go back to the same list."""
    standard = "standard" in request.POST
    listing.choose_columns(by=request.user, columns=[] if standard else request.POST.getlist("column"))  # type: ignore[arg-type]
    query = kept_query(QueryDict(request.POST.get("query", "")), search=True)
    return go(request, f"{reverse('households:list')}?{query}")


@require_safe
@access("read_cards")
def filters(request: HttpRequest) -> HttpResponse:
    return _filters(request, of=_list(request, request.GET))


@require_POST
@access("read_cards")
def keep(request: HttpRequest) -> HttpResponse:
    """Keep the filter of a list under a name."""
    of = _list(request, request.POST)
    query = of.kept(QueryDict(request.POST.get("query", "")))
    form = KeptFilterForm(request.POST)
    area = request.area.code  # type: ignore[attr-defined]
    if form.is_valid():
        try:
            kept = listing.keep_filter(
                by=request.user,  # type: ignore[arg-type]
                area=area,
                query=query,
                listing=of.listing,
                **form.cleaned_data,
            )
        except Refusal as refusal:
            form.add_error(refusal.field, refusal.message)
        else:
            messages.success(request, _("已保存常用筛选“%(name)s”") % {"name": kept.name})
            return go(request, f"{of.url}?{kept.query}")
    return _filters(request, form=form, of=of, query=query, status=UNPROCESSABLE)


@require_POST
@access("read_cards")
def rename(request: HttpRequest, filter_id: int) -> HttpResponse:
    """Rename, share or unshare one's own filter."""
    kept = get_object_or_404(SavedFilter.objects.kept().filter(owner=request.user), pk=filter_id)  # type: ignore[misc]
    form = KeptFilterForm(request.POST)
    if form.is_valid():
        try:
            listing.rename_filter(kept=kept, by=request.user, **form.cleaned_data)  # type: ignore[arg-type]
        except Refusal as refusal:
            form.add_error(refusal.field, refusal.message)
        else:
            messages.success(request, _("已改为“%(name)s”") % {"name": kept.name})
            return go(request, "households:filters")
    return _filters(request, renaming=(filter_id, form), status=UNPROCESSABLE)


@require_POST
@access("read_cards")
def delete(request: HttpRequest, filter_id: int) -> HttpResponse:
    """Take one's own filter off the list; it can be brought back."""
    kept = get_object_or_404(SavedFilter.objects.kept().filter(owner=request.user), pk=filter_id)  # type: ignore[misc]
    listing.delete_filter(kept=kept, by=request.user)  # type: ignore[arg-type]
    text = _("已删除“%(name)s”") % {"name": kept.name}
    if getattr(request, "htmx", None):
        return toast(_filters(request), text, undo_url=reverse("households:restore_filter", args=[kept.pk]))
    messages.success(request, text)
    return go(request, "households:filters")


@require_POST
@access("read_cards")
def restore(request: HttpRequest, filter_id: int) -> HttpResponse:
    """Undo a deletion."""
    kept = get_object_or_404(deleted_filters(request.user), pk=filter_id)  # type: ignore[arg-type]
    try:
        listing.restore_filter(kept=kept, by=request.user)  # type: ignore[arg-type]
    except Refusal as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, _("已恢复“%(name)s”") % {"name": kept.name})
    return go(request, "households:filters")


def _list(request: HttpRequest, asked: QueryDict) -> KeptList:
    """The list asked for, by default that of cards; one the person may not read is not there."""
    of = KEPT_LISTS.get(asked.get("listing") or SavedFilter.Listing.CARDS)  # type: ignore[call-overload]
    if of not in lists_of(request.user):  # type: ignore[arg-type]
        raise Http404
    return of


def _filters(
    request: HttpRequest,
    *,
    form: KeptFilterForm | None = None,
    of: KeptList = KEPT_LISTS[SavedFilter.Listing.CARDS],
    query: str = "",
    renaming: tuple[int, KeptFilterForm] | None = None,
    status: int = 200,
) -> HttpResponse:
    user: Any = request.user
    here = request.area.division  # type: ignore[attr-defined]
    context = {
        "lists": [(each, _rows(request, each, renaming)) for each in lists_of(user)],
        "renaming": renaming[0] if renaming else None,
        "deleted": deleted_filters(user),
        "form": form,
        "of": of,
        "query": query,
        "query_words": of.words(user, here, QueryDict(query)) if query else [],
        "crumbs": [{"text": of.label, "href": of.url}, {"text": _("常用筛选")}],
    }
    return render_page(request, "households/filters.html", context, "households/_filters.html", status=status)


def _rows(
    request: HttpRequest, of: KeptList, renaming: tuple[int, KeptFilterForm] | None
) -> list[tuple[SavedFilter, bool, KeptFilterForm]]:
    """(filter, whether it is one's own, the form to rename it)."""
    rows = []
    for kept in kept_filters(request.user, of.listing):  # type: ignore[arg-type]
        filled = KeptFilterForm(
            initial={"name": kept.name, "shared": kept.shared}, prefix=None, auto_id=f"f{kept.pk}_%s"
        )
        form = renaming[1] if renaming and renaming[0] == kept.pk else filled
        rows.append((kept, kept.owner_id == request.user.pk, form))
    return rows
