"""A household's needs and wishes of one year."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from changde.accounts.access import access
from changde.accounts.refusal import Refusal
from changde.audit.services import record_read
from changde.web.pages import CONFLICT, UNPROCESSABLE, go, render_page
from households.domain.years import last_full_year, year_of
from households.forms.needs import NeedsForm
from households.models import Household
from households.services.needs import NeedsClash, needs_of, save_needs


@require_http_methods(["GET", "HEAD", "POST"])
@access("edit_cards")
def needs(request: HttpRequest, household_id: int) -> HttpResponse:
    """Enter or change what a household named in a year (?year=, else the card's latest)."""
    household = get_object_or_404(Household.objects.visible_to(request.user, "edit_cards"), pk=household_id)
    latest = household.sheets.order_by("-year").values_list("year", flat=True).first()
    year = year_of(request.GET.get("year", "")) or latest or last_full_year(timezone.localdate())
    form = NeedsForm(request.POST or None, stored=needs_of(household, year))
    status = UNPROCESSABLE if form.is_bound else 200
    if not form.is_bound:
        record_read("households.edit_needs", by=request.user, target=household, area=household.village_id, year=year)
    elif form.is_valid():
        try:
            save_needs(
                household=household,
                year=year,
                change=form.change,
                by=request.user,  # type: ignore[arg-type]
            )
        except NeedsClash as refusal:
            form.show(refusal)
            status = CONFLICT
        except Refusal as refusal:
            form.add_error(None, refusal.message)
        else:
            messages.success(request, _("诉求已保存"))
            return go(request, f"{reverse('households:card', args=[household.pk])}?year={year}")
    context = {"household": household, "year": year, "form": form}
    return render_page(request, "households/needs_form.html", context, status=status)
