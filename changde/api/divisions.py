"""Divisions of the client's area, and those above it (their names are needed to say where one is)."""

import django_filters
from django.db.models import Q, QuerySet
from rest_framework import serializers

from changde.accounts.areas import ranges_of
from changde.api.filters import AreaFilter
from changde.api.viewsets import ReadViewSet
from changde.divisions.codes import Level, ancestor
from changde.divisions.models import Division


class DivisionSerializer(serializers.ModelSerializer):
    code = serializers.CharField(help_text="12 digits")
    parent = serializers.CharField(source="parent_id", allow_null=True, help_text="12 digits")
    kind = serializers.CharField(help_text="rural or urban; empty above the village")

    class Meta:
        model = Division
        fields = ["code", "name", "level", "parent", "kind", "valid_from", "valid_to"]


class DivisionFilter(AreaFilter):
    division_path = "code"
    level = django_filters.ChoiceFilter(choices=[(level.value, level.name.lower()) for level in Level])
    current = django_filters.BooleanFilter(field_name="valid_to", lookup_expr="isnull")

    class Meta:
        model = Division
        fields: list[str] = []


class DivisionViewSet(ReadViewSet):
    """City, counties, townships and villages by their statistical codes of 12 digits."""

    serializer_class = DivisionSerializer
    filterset_class = DivisionFilter
    lookup_field = "code"

    def get_queryset(self) -> QuerySet[Division]:
        area = Q(pk__in=[])
        for first, last in ranges_of(self.request.user, self.capability):
            area |= Q(code__range=(first, last)) | Q(code__in=[ancestor(first, level) for level in Level])
        return Division.objects.filter(area)
