"""Filters of the card list. What is on stands in the address; a searched text stands there encrypted (views.search)."""

from typing import Any

import django_filters
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext_lazy as _

from households.domain.fields import by_attribute
from households.models import Household, HouseholdStatus, Result, Sheet

CAUSES = [(cause, _(cause)) for cause in by_attribute("sheet", "main_cause").values]
ORDERS = [("", _("按村和户主姓名")), ("changed", _("最近修改在前"))]


class CardFilter(django_filters.FilterSet):
    """`year` is the accounting year whose sheet (and result) the cause and the outcome are read from."""

    status = django_filters.ChoiceFilter(label=_("状态"), choices=HouseholdStatus, empty_label=_("全部状态"))
    outcome = django_filters.ChoiceFilter(
        label=_("识别结果"), choices=Result.Outcome, method="with_outcome", empty_label=_("全部结果")
    )
    cause = django_filters.ChoiceFilter(
        label=_("主要致贫原因"), choices=CAUSES, method="with_cause", empty_label=_("全部原因")
    )

    class Meta:
        model = Household
        fields: list[str] = []

    def __init__(self, *args: Any, year: int | None, **kwargs: Any) -> None:
        self.year = year
        super().__init__(*args, **kwargs)

    def with_cause(self, cards: QuerySet[Household], name: str, cause: str) -> QuerySet[Household]:
        sheets = Sheet.objects.filter(household=OuterRef("pk"), year=self.year or 0, main_cause=cause)
        return cards.filter(Exists(sheets))

    def with_outcome(self, cards: QuerySet[Household], name: str, outcome: str) -> QuerySet[Household]:
        results = Result.objects.filter(year=self.year or 0, outcome=outcome).current()
        return cards.filter(Exists(results.filter(household=OuterRef("pk"))))

    def filter_queryset(self, queryset: QuerySet[Household]) -> QuerySet[Household]:
        found = super().filter_queryset(queryset)
        if not self.form.cleaned_data.get("status"):
            found = found.exclude(status=HouseholdStatus.CLOSED)
        return found
