"""Cards: the list of an area, and the search box."""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from changde.accounts.access import access
from changde.accounts.areas import covers
from changde.audit.services import record_read
from changde.divisions.codes import Level
from changde.web.keyset import PAGE_SIZE
from changde.web.pages import go, render_page
from households.columns import COLUMNS
from households.filters import ORDERS
from households.list_cells import heads_of, write_cells
from households.listings import KEPT_LISTS
from households.models import CardDraft, SavedFilter
from households.selectors import cards as selectors
from households.selectors.card_list import CardList, card_list, code_within, kept_query
from households.selectors.listing import columns_of, kept_filters
from households.selectors.search import LONGEST, found_members, matching, sealed, understand


@require_safe
@access("read_cards")
def index(request: HttpRequest) -> HttpResponse:
    """The cards of the division one works in, filtered and by pages."""
    listed = card_list(request.user, request.area.division, request.GET)  # type: ignore[attr-defined]
    search, division = listed.search, listed.division
    page = listed.page(request.GET, size=PAGE_SIZE)
    columns = columns_of(request.user)  # type: ignore[arg-type]
    members = found_members(page.rows, search)
    write_cells(page.rows, columns, listed.year)
    for card in page.rows:
        card.found_members = members.get(card.pk, [])
    if search and search.sensitive:
        record_read("households.search", by=request.user, area=division and division.code, by_what=search.kind)
    narrowed = {"within": request.GET["within"]} if listed.narrowed else {}
    context = {
        "page": page,
        "listed": listed,
        "filter": listed.filter,
        "columns": columns,
        "heads": heads_of(columns),
        "all_columns": [(column, column in columns) for column in COLUMNS],
        "kept_filters": kept_filters(request.user),  # type: ignore[arg-type]
        "kept_query": kept_query(request.GET),
        "kept_list": KEPT_LISTS[SavedFilter.Listing.CARDS],
        "division": division,
        "below": selectors.below(division) if division else [],
        "within": narrowed.get("within", ""),
        "year": listed.year,
        "order": listed.order,
        "orders": ORDERS,
        "village": division if division and division.level == Level.VILLAGE else None,
        "may_enter": request.user.can("edit_cards"),  # type: ignore[union-attr]
        "draft_count": CardDraft.objects.visible_to(request.user).current().count(),
        "may_export": bool(division and covers(request.user, "export_cards", division.code)),
        "import_url": _import_url(request),
        "search": search,
        "search_text": "" if not search or search.sensitive else search.text,
        "searched_number": bool(search and search.sensitive),
        "chips": _chips(request, listed),
        "filtered": listed.is_filtered,
        "all_cards": f"?{urlencode(narrowed)}",
    }
    return render_page(request, "households/card_list.html", context, fragment="households/_card_rows.html")


@require_POST
@access("read_cards")
def search(request: HttpRequest) -> HttpResponse:
    """Take the text of the search box and lead to the list, or straight to the card a number names.

    Posted, and encrypted in the address that follows: names and numbers of people stay out of addresses and logs.
    """
    text = request.POST.get("q", "").strip()[:LONGEST]
    found = understand(text)
    if not found:
        return go(request, "households:list")
    cards = matching(selectors.cards_in(request.user, None), found)
    if found.sensitive:
        only = list(cards[:2])
        if len(only) == 1:
            record_read("households.search", by=request.user, target=only[0], by_what=found.kind)
            return go(request, "households:card", only[0].pk)
    query = {"find": sealed(request.user, text)}  # type: ignore[arg-type]
    here = request.area.division  # type: ignore[attr-defined]
    if within := code_within(here, request.POST.get("within", "")):
        query["within"] = str(within)
    return go(request, f"{reverse('households:list')}?{urlencode(query)}")


def _import_url(request: HttpRequest) -> str:
    """Where workbooks are brought in, when that station is there and open to the person."""
    if not request.user.can("import_cards"):  # type: ignore[union-attr]
        return ""
    try:
        return reverse("households:import")
    except NoReverseMatch:
        return ""


def _chips(request: HttpRequest, listed: CardList) -> list[dict[str, Any]]:
    """What is on, each removable, and all of it at once when there are several."""
    chips = []
    for name, label, value in listed.on:
        query = request.GET.copy()
        for gone in (name, "after", "before"):
            query.pop(gone, None)
        text = value if name == "within" else _("%(label)s：%(value)s") % {"label": label, "value": value}
        chips.append({"text": text, "href": f"?{query.urlencode()}", "on": True, "removable": True})
    if len(chips) > 1:
        order = urlencode({"order": listed.order}) if listed.order else ""
        chips.append({"text": _("全部去掉"), "href": f"?{order}"})
    return chips
