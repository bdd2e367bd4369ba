"""Cards: the list of an area, and the search box."""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from changde.accounts.access import access
from changde.audit.services import record_read
from changde.divisions.codes import Level, contains
from changde.divisions.models import Division
from changde.web.keyset import PAGE_SIZE, KeysetPage
from changde.web.pages import go, render_page
from households.filters import ORDERS, CardFilter
from households.models import HouseholdStatus, Result
from households.selectors import cards as selectors
from households.selectors.search import matching, understand
from households.views.hidden_text import closed, opened

_ORDERS = {
    "": ("village_id", "head_pinyin", "pk"),
    "changed": ("-changed_at", "-pk"),
}


@require_safe
@access("read_cards")
def index(request: HttpRequest) -> HttpResponse:
    """The cards of the division one works in, filtered and by pages."""
    division = _division(request)
    year = selectors.latest_year(request.user, division)
    text = opened(request)
    search = understand(text)
    cards = selectors.cards_in(request.user, division)
    filtered = CardFilter(request.GET, queryset=cards, year=year)
    found = matching(filtered.qs, search) if search else filtered.qs
    order = request.GET.get("order", "")
    page = KeysetPage(found, request.GET, order=_ORDERS.get(order, _ORDERS[""]), size=PAGE_SIZE)
    page.rows = selectors.with_year(page.rows, year)
    if search and search.sensitive:
        record_read("households.search", by=request.user, area=division and division.code, by_what=search.kind)
    is_filtered = not filtered.form.is_valid() or bool(search or any(filtered.form.cleaned_data.values()))
    context = {
        "page": page,
        "filter": filtered,
        "division": division,
        "below": selectors.below(division) if division else [],
        "within": request.GET.get("within", ""),
        "year": year,
        "order": order,
        "orders": ORDERS,
        "village": division if division and division.level == Level.VILLAGE else None,
        "may_enter": request.user.can("edit_cards"),  # type: ignore[union-attr]
        "import_url": _import_url(request),
        "search_text": "" if search and search.sensitive else text,
        "searched_number": bool(search and search.sensitive),
        "chips": _chips(request, filtered, division, text, search),
        "filtered": is_filtered,
    }
    return render_page(request, "households/card_list.html", context, fragment="households/_card_rows.html")


@require_POST
@access("read_cards")
def search(request: HttpRequest) -> HttpResponse:
    """Take the text of the search box and lead to the list, or straight to the card a number names.

    Posted, and encrypted in the address that follows: names and numbers of people stay out of addresses and logs.
    """
    text = request.POST.get("q", "").strip()[:60]
    found = understand(text)
    if not found:
        return go(request, "households:list")
    cards = matching(selectors.cards_in(request.user, None), found)
    if found.sensitive:
        cards = list(cards[:2])
        if len(cards) == 1:
            record_read("households.search", by=request.user, target=cards[0], by_what=found.kind)
            return go(request, "households:card", cards[0].pk)
    query = {"find": closed(request, text)}
    if within := _within(request, request.POST.get("within", "")):
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


def _division(request: HttpRequest) -> Division | None:
    """The division of the list: the one in the address when it lies inside the one worked in, else that one."""
    here = request.area.division  # type: ignore[attr-defined]
    within = _within(request, request.GET.get("within", ""))
    return Division.objects.filter(code=within).first() or here if within else here


def _within(request: HttpRequest, text: str) -> int | None:
    """The code of a division inside the one worked in, else None."""
    here = request.area.division  # type: ignore[attr-defined]
    code = int(text) if len(text) == 12 and text.isascii() and text.isdecimal() else 0
    return code if here and code and contains(here.code, code) else None


def _chips(
    request: HttpRequest, filtered: CardFilter, division: Division | None, text: str, search: Any
) -> list[dict[str, Any]]:
    """What is on, each removable."""
    on = []
    if search:
        label = _("证件号码") if search.kind == "id_number" else _("电话") if search.kind == "phone" else text
        on.append(("find", _("搜索：%(text)s") % {"text": label}))
    if division and request.GET.get("within"):
        on.append(("within", division.name))
    values = filtered.form.cleaned_data if filtered.form.is_valid() else {}
    if values.get("status"):
        on.append(("status", HouseholdStatus(values["status"]).label))
    if values.get("outcome"):
        on.append(("outcome", Result.Outcome(values["outcome"]).label))
    if values.get("cause"):
        on.append(("cause", _(values["cause"])))
    chips = []
    for name, text_ in on:
        query = request.GET.copy()
        for gone in (name, "after", "before"):
            query.pop(gone, None)
        chips.append({"text": text_, "href": f"?{query.urlencode()}", "on": True, "removable": True})
    return chips
