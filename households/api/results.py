"""Results: what the index said of each household, with the values it read. The current ones alone."""

from typing import Any

import django_filters
from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers

from changde.api.filters import AreaFilter
from changde.api.viewsets import ReadViewSet
from households.models import Result

FLAGS = ["guarantee_gap", "excluded", "stale"]


class ResultSerializer(serializers.ModelSerializer):
    village_code = serializers.CharField(source="village_id", help_text="12 digits")
    household = serializers.IntegerField(source="household_id")
    number = serializers.CharField(source="household.number", allow_null=True, help_text="national number")
    version = serializers.CharField(source="version.__str__", help_text="the index version that decided")
    version_digest = serializers.CharField(source="version.digest")
    net_income = serializers.IntegerField(allow_null=True, help_text="fen a year; null is unknown")
    flags = serializers.SerializerMethodField()
    open_fields = serializers.SerializerMethodField(help_text="to be filled in; only when undetermined")
    values = serializers.SerializerMethodField(help_text="what was read: money in fen, areas in hundredths")

    class Meta:
        model = Result
        fields = [
            "id", "household", "number", "village_code", "year", "outcome", "flags", "score", "net_income", "members",
            "open_fields", "values", "version", "version_digest", "card_version", "computed_at",
        ]  # fmt: skip

    def get_flags(self, result: Result) -> list[str]:
        return [flag for flag in FLAGS if getattr(result, flag)]

    def get_open_fields(self, result: Result) -> list[str]:
        return result.open_fields.split(",") if result.open_fields else []

    @extend_schema_field(OpenApiTypes.OBJECT)
    def get_values(self, result: Result) -> dict[str, Any]:
        return result.values_by_name


class ResultFilter(AreaFilter):
    year = django_filters.NumberFilter()
    outcome = django_filters.ChoiceFilter(choices=Result.Outcome)
    household = django_filters.NumberFilter(help_text="id of a card")
    stale = django_filters.BooleanFilter(help_text="an input changed since the computation")
    computed_since = django_filters.IsoDateTimeFilter(field_name="computed_at", lookup_expr="gte")

    class Meta:
        model = Result
        fields: list[str] = []


@extend_schema_view(
    list=extend_schema(summary="Current results of the client's area"),
    retrieve=extend_schema(summary="One current result"),
)
class ResultViewSet(ReadViewSet):
    """Outcome, flags, score, income and the values read, by household and accounting year."""

    serializer_class = ResultSerializer
    filterset_class = ResultFilter
    audit = "results"

    def get_queryset(self) -> QuerySet[Result]:
        results = Result.objects.visible_to(self.request.user, self.capability).current()
        return results.select_related("version", "household")
