"""Village cards: the external environment of the households."""

import django_filters
from django.db.models import QuerySet
from rest_framework import serializers

from changde.api.filters import ChangedFilter
from changde.api.viewsets import ReadViewSet
from households.api.cards import attributes
from households.models import VillageCard


class VillageCardSerializer(serializers.ModelSerializer):
    village_code = serializers.CharField(source="village_id", help_text="12 digits")

    class Meta:
        model = VillageCard
        fields = ["id", *attributes("village_card"), "version", "changed_at"]


class VillageCardFilter(ChangedFilter):
    year = django_filters.NumberFilter()

    class Meta:
        model = VillageCard
        fields: list[str] = []


class VillageCardViewSet(ReadViewSet):
    """What surrounds the households of a village in one year; null is unknown, never zero."""

    serializer_class = VillageCardSerializer
    filterset_class = VillageCardFilter
    audit = "village_cards"

    def get_queryset(self) -> QuerySet[VillageCard]:
        return VillageCard.objects.visible_to(self.request.user, self.capability)
