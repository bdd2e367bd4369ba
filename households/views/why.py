"""Why a household has its outcome: a panel of the card, and a page to print for the household."""

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from changde.accounts.access import access
from changde.accounts.areas import covers
from changde.audit.services import record_read
from changde.web.pages import render_page
from households.domain.explain import explain
from households.index_words import label_text
from households.models import Result
from households.objection_periods import objection_periods
from households.reasons import reasons
from households.selectors.cards import card_of
from households.selectors.why import counted_members, place_in_village


@require_safe
@access("read_results")
def why(request: HttpRequest, household_id: int) -> HttpResponse:
    """The current result of ?year= (default the latest) taken apart; reading it is one event of the log."""
    household = card_of(request.user, household_id)
    asked = request.GET.get("year", "")
    shown = Result.objects.visible_to(request.user).filter(household=household).current()
    shown = shown.filter(year=int(asked)) if asked.isdecimal() and len(asked) == 4 else shown
    result = shown.select_related("version").order_by("-year").first()
    record_read(
        "households.read_result",
        by=request.user,
        target=household,
        area=household.village_id,
        year=result.year if result else None,
    )
    context = {"household": household, "result": result, "way": household.village.path()}
    if result:
        counted = counted_members(request.user, household, result)  # type: ignore[arg-type]
        context |= {
            "why": reasons(explain(result.version.system, result.values_by_name), counted),
            "card_changed": counted is None,
            "place": place_in_village(result),
            "standard": label_text(result.version.system.name),
            "address": f"{reverse('households:why', args=[household.pk])}?year={result.year}",
            "periods": objection_periods([household], result.year).get(household.pk, []),
            "may_read_index": request.user.can("read_index"),  # type: ignore[union-attr]
            "may_read_leads": covers(request.user, "read_leads", household.village_id),
        }
    return render_page(request, "households/why.html", context, fragment="households/_why.html")
