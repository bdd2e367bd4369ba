"""The village card: read by who reads cards, filled in by who enters them."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from changde.accounts.access import access
from changde.accounts.areas import covers
from changde.accounts.refusal import Refusal
from changde.divisions.models import Division
from changde.web.pages import UNPROCESSABLE, go, render_page
from households.card_facts import in_words
from households.domain.years import last_full_year, year_of
from households.forms.village_card import GROUPS, VillageCardForm
from households.models import VillageCard
from households.selectors.cards import latest_year
from households.services.village_cards import save_village_card


@require_safe
@access("read_cards")
def show(request: HttpRequest, code: int) -> HttpResponse:
    """A village's card of one year (?year=, else the latest)."""
    village = _village(request, code, "read_cards")
    context = _context(request, village)
    card = context["card"]
    context["groups"] = [
        (group, [(_(of.header), in_words(of, getattr(card, of.attribute))) for of in group.fields])
        for group in (GROUPS if card else ())
    ]
    context["may_edit"] = covers(request.user, "edit_cards", village.code)
    return render_page(request, "households/village_card.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@access("edit_cards")
def edit(request: HttpRequest, code: int) -> HttpResponse:
    """Fill in or correct a village's card of one year."""
    village = _village(request, code, "edit_cards")
    context = _context(request, village)
    card, year = context["card"], context["year"]
    form = VillageCardForm(request.POST or None)
    if request.method != "POST":
        form.initial = form.shown(card) | {"version": card.version} if card else {}
    elif form.is_valid():
        try:
            save_village_card(
                village=village,
                year=year,
                facts=form.values(),
                expected_version=form.cleaned_data.get("version"),
                by=request.user,  # type: ignore[arg-type]
            )
        except Refusal as refusal:
            form.add_error(refusal.field if refusal.field in form.fields else None, refusal.message)
        else:
            messages.success(request, _("%(village)s %(year)s 年村卡已保存") % {"village": village.name, "year": year})
            return go(request, f"{reverse('households:village_card', args=[village.code])}?year={year}")
    context |= {"form": form, "groups": form.shown_groups()}
    status = UNPROCESSABLE if form.is_bound else 200
    return render_page(request, "households/village_card_form.html", context, status=status)


def _village(request: HttpRequest, code: int, capability: str) -> Division:
    village = Division.objects.villages().filter(code=code).first()
    if village is None or not covers(request.user, capability, code):
        raise Http404
    return village


def _context(request: HttpRequest, village: Division) -> dict[str, Any]:
    cards = {card.year: card for card in VillageCard.objects.filter(village=village).order_by("-year")}
    year = (
        year_of(request.GET.get("year", ""))
        or next(iter(cards), None)
        or latest_year(request.user, village)
        or last_full_year(timezone.localdate())
    )
    return {"village": village, "way": village.path(), "year": year, "years": list(cards), "card": cards.get(year)}
