"""Index versions: the standards results are decided by. The client's county's and the city's default, once released."""

import django_filters
from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers

from changde.api.viewsets import ReadViewSet
from households.models import IndexVersion
from households.selectors.index_versions import released_versions


class IndexVersionSerializer(serializers.ModelSerializer):
    county_code = serializers.CharField(
        source="division_id", allow_null=True, help_text="12 digits; null is the city's default"
    )
    name = serializers.CharField(source="__str__", help_text="as results name it")
    state = serializers.ChoiceField(choices=["released", "superseded"], help_text="released is in force")
    definition = serializers.SerializerMethodField(help_text="lines, dimensions, indicators, rules; money in yuan")

    class Meta:
        model = IndexVersion
        fields = [
            "id", "county_code", "year", "number", "name", "state", "effective_from", "released_at", "superseded_at",
            "digest", "definition",
        ]  # fmt: skip

    @extend_schema_field(OpenApiTypes.OBJECT)
    def get_definition(self, version: IndexVersion) -> object:
        return version.definition


class IndexVersionFilter(django_filters.FilterSet):
    year = django_filters.NumberFilter()
    state = django_filters.ChoiceFilter(choices=[("released", "released"), ("superseded", "superseded")])

    class Meta:
        model = IndexVersion
        fields: list[str] = []


@extend_schema_view(
    list=extend_schema(summary="Released index versions of the client's county and the city's default"),
    retrieve=extend_schema(summary="One released index version"),
)
class IndexVersionViewSet(ReadViewSet):
    """The standards by which households are judged, by accounting year, with their whole definition."""

    serializer_class = IndexVersionSerializer
    filterset_class = IndexVersionFilter

    def get_queryset(self) -> QuerySet[IndexVersion]:
        return released_versions(self.request.user, self.capability)
