"""The worksheet of the card form: lines the card itself proposes, and what its script knows of the yearly standard."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from changde.accounts.access import access
from changde.accounts.areas import covers
from changde.web.pages import render_page
from households.domain.worksheet import PART_OF
from households.domain.yearly_standard import RATED, proposals
from households.domain.years import year_of
from households.forms.card import HouseholdForm, MemberFormSet
from households.forms.worksheet import Worksheet, proposed_rows, rows_of
from households.line_words import unit_of_line
from households.models import IncomeLine
from households.selectors.standards import in_force, standard_of


@require_POST
@access("edit_cards")
def propose(request: HttpRequest) -> HttpResponse:
    """The worksheet of the sent form with the lines that land, herds and work away propose; nothing is written."""
    given = request.POST.get("village_code", "")
    village = int(given) if given.isdecimal() and len(given) == 12 else 0
    if not covers(request.user, "edit_cards", village):
        raise Http404
    household = HouseholdForm(request.POST, villages=[])
    members = MemberFormSet(request.POST, prefix="members")
    household.is_valid(), members.is_valid()  # what cannot be read proposes nothing
    standard = standard_of(village, year_of(request.POST.get("year", "")) or 0)
    rows = rows_of(request.POST)
    found = proposals(standard, _Read(household), [_Read(form) for form in members.forms]) if standard else []
    worksheet = Worksheet(
        None,
        members=[(at, form["name"].value() or "") for at, form in enumerate(members.forms)],
        proposed=[*rows, *proposed_rows(found, rows)],
    )
    context = {"worksheet": worksheet, "opened": True, "no_standard": standard is None}
    return render_page(request, "households/_worksheet.html", context)


class _Read:
    """What could be read of a form, by attribute; None for the rest."""

    def __init__(self, form: Any):
        gone = form.cleaned_data.get("DELETE") if hasattr(form, "cleaned_data") else True
        self._values = {} if gone else form.cleaned_data

    def __getattr__(self, name: str) -> Any:
        return self._values.get(name)


def standards_for_script(county: int | None) -> dict[str, Any]:
    """By year: rates in fen by kind and item, working days of a month, tolerance in percent."""
    return {
        str(year): {
            "rates": {
                kind: {rate.item: [rate.low, rate.high] for rate in plain.rates if rate.kind == kind} for kind in RATED
            },
            "days": [plain.days_low, plain.days_high],
            "tolerance": plain.tolerance,
        }
        for year, plain in ((year, standard.plain()) for year, standard in in_force(county).items())
    }


def line_texts() -> dict[str, Any]:
    """What static/js/worksheet.js says."""
    return {
        "expected": _("按本县标准预计 %(low)s–%(high)s 元"),
        "within": _("与标准相符"),
        "low": _("略低于标准"),
        "high": _("略高于标准"),
        "far": _("与标准相差较大，请核实"),
        "sum": _("%(count)s 行，合计 %(sum)s 元"),
        "empty": _("没有明细，按上面填写的合计"),
        "summed": _("由下面 %(count)s 行明细合计"),
        "member": _("第 %(number)s 位成员"),
        "nobody": _("不指明"),
        "units": {kind.value: unit_of_line(kind.value) for kind in IncomeLine.Kind},
        "parts": dict(PART_OF),
    }
