"""Posted lists: the frozen, masked snapshot with its checksum. Drafts are nobody's business yet."""

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers

from changde.api.filters import AreaFilter
from changde.api.viewsets import ReadViewSet
from supervision.models import PublicityList, Step


class ListSerializer(serializers.ModelSerializer):
    id = serializers.CharField(source="public_id", help_text="as in the public address /p/ID/")
    village_code = serializers.CharField(source="village_id", help_text="12 digits")
    number = serializers.IntegerField(help_text="counts the posted lists of the village")
    posted_at = serializers.DateTimeField(source="snapshot.posted_at")
    starts_at = serializers.DateTimeField(source="snapshot.starts_at")
    ends_at = serializers.DateTimeField(source="snapshot.ends_at")
    index_version = serializers.CharField(source="snapshot.index_version")
    sha256 = serializers.CharField(source="snapshot.sha256", help_text="of the snapshot's text in UTF-8")
    previous_sha256 = serializers.CharField(
        source="snapshot.previous_sha256", help_text="of the village's list before it; empty for its first"
    )
    first = serializers.CharField(
        source="first.public_id", default=None, allow_null=True, help_text="the first list a second one rests on"
    )
    corrects = serializers.CharField(
        source="corrects.public_id", default=None, allow_null=True, help_text="the list this one replaces"
    )

    class Meta:
        model = PublicityList
        fields = [
            "id", "village_code", "year", "step", "number", "days", "posted_at", "starts_at", "ends_at",
            "index_version", "sha256", "previous_sha256", "first", "corrects",
        ]  # fmt: skip


class ListWithTextSerializer(ListSerializer):
    text = serializers.CharField(source="snapshot.text", help_text="the snapshot; its bytes give sha256")

    class Meta(ListSerializer.Meta):
        fields = [*ListSerializer.Meta.fields, "text"]


class ListFilter(AreaFilter):
    year = django_filters.NumberFilter()
    step = django_filters.ChoiceFilter(choices=Step)
    posted_since = django_filters.IsoDateTimeFilter(field_name="snapshot__posted_at", lookup_expr="gte")

    class Meta:
        model = PublicityList
        fields: list[str] = []


@extend_schema_view(
    list=extend_schema(summary="Posted lists of the client's area"),
    retrieve=extend_schema(summary="One posted list with its text", responses=ListWithTextSerializer),
)
class ListViewSet(ReadViewSet):
    """A village's or township's posted list. Nothing of it ever changes; a correction is a list of its own."""

    filterset_class = ListFilter
    lookup_field = "public_id"
    audit = "lists"

    def get_serializer_class(self) -> type[ListSerializer]:
        return ListSerializer if self.action == "list" else ListWithTextSerializer

    def get_queryset(self) -> QuerySet[PublicityList]:
        posted = PublicityList.objects.visible_to(self.request.user, self.capability).posted()
        return posted.select_related("snapshot", "first", "corrects")
