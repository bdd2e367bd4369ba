"""Filters that every list of the API shares."""

from typing import Any

import django_filters
from django.core.validators import RegexValidator
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from changde.divisions.codes import code_range

_TWELVE_DIGITS = RegexValidator(r"^[1-9]\d{11}$", _("行政区划代码是 12 位数字"))


class AreaFilter(django_filters.FilterSet):
    """`division`: a 12-digit code; keeps its rows and those of everything below it. Never widens the client's area."""

    division = django_filters.CharFilter(
        method="in_division", validators=[_TWELVE_DIGITS], help_text="12-digit code of a division; itself and all below"
    )
    division_path = "village_id"

    def in_division(self, rows: QuerySet[Any], name: str, code: str) -> QuerySet[Any]:
        first, last = code_range(int(code))
        return rows.filter(**{f"{self.division_path}__gte": first, f"{self.division_path}__lte": last})


class ChangedFilter(AreaFilter):
    """`changed_since`: changed at that moment or later."""

    changed_since = django_filters.IsoDateTimeFilter(
        field_name="changed_at",
        lookup_expr="gte",
        help_text="ISO 8601 moment with its offset; ask again with an overlap of some minutes, so that a row that was "
        "committed late is not missed",
    )
