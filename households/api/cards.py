"""Cards: the household, its members, and one year's sheet. Numbers, phones and accounts are masked."""

from decimal import Decimal
from typing import Any

import django_filters
from django.db.models import Exists, OuterRef, Prefetch, QuerySet, Subquery
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers

from changde.api.filters import ChangedFilter
from changde.api.viewsets import ReadViewSet
from households.api.national import NATIONAL, NationalKeys
from households.domain.fields import of_entity
from households.domain.income import PARTS
from households.models import Household, HouseholdStatus, IncomeLine, MemberSheet, Membership, Result, Sheet

# Worked out by the services from the parts, so not columns of the form.
DERIVED = ["members_counted", "transfer_income", "net_income", "per_capita_income"]


def attributes(entity: str, *, without: tuple[str, ...] = ()) -> list[str]:
    """The form's attributes of an entity, personal numbers left to masked fields of the serializer."""
    return [field.attribute for field in of_entity(entity) if field.attribute not in without and not field.is_personal]


class MemberSheetSerializer(NationalKeys, serializers.ModelSerializer):
    entities = ("member_sheet",)
    person = serializers.IntegerField(source="person_id")

    class Meta:
        model = MemberSheet
        fields = ["person", "relation", *attributes("member_sheet", without=("relation",))]


class LineSerializer(serializers.ModelSerializer):
    part = serializers.ChoiceField(PARTS, help_text="the field of the sheet this line is a piece of")
    person = serializers.IntegerField(source="person_id", allow_null=True, help_text="who earned the wage")

    class Meta:
        model = IncomeLine
        fields = ["part", "kind", "item", "quantity", "person", "months", "monthly", "amount", "known"]


class SheetSerializer(NationalKeys, serializers.ModelSerializer):
    entities = ("sheet",)
    members = MemberSheetSerializer(many=True, help_text="facts of the year, by person")
    lines = LineSerializer(many=True, help_text="worksheet: a part that has lines is their sum; often empty")

    class Meta:
        model = Sheet
        fields = [
            "year", "version", "changed_at",
            *attributes("sheet", without=("year", *DERIVED)), *DERIVED, "members", "lines",
        ]  # fmt: skip


class MemberSerializer(NationalKeys, serializers.ModelSerializer):
    entities = ("person", "membership")
    person = serializers.IntegerField(source="person_id")
    number = serializers.CharField(source="person.number")
    name = serializers.CharField(source="person.name")
    sex = serializers.CharField(source="person.sex")
    birth_date = serializers.DateField(source="person.birth_date", allow_null=True)
    ethnicity = serializers.CharField(source="person.ethnicity")
    id_kind = serializers.CharField(source="person.id_kind")
    id_number = serializers.CharField(source="person.masked_id_number", help_text="masked")
    phone = serializers.CharField(source="person.masked_phone", help_text="masked")

    class Meta:
        model = Membership
        fields = [
            "person", "number", "name", "sex", "birth_date", "ethnicity", "id_kind", "id_number", "phone",
            "relation", "since",
        ]  # fmt: skip


class CardSerializer(NationalKeys, serializers.ModelSerializer):
    entities = ("household",)
    village_code = serializers.CharField(source="village_id", help_text="12 digits")
    phone = serializers.CharField(source="masked_phone", help_text="masked")
    bank_account = serializers.CharField(source="masked_bank_account", help_text="masked")
    members = MemberSerializer(source="current_members", many=True, help_text="present members, the head first")
    sheet = serializers.SerializerMethodField()

    class Meta:
        model = Household
        fields = [
            "id", "number", "village_code", "group", "address", "head_name", "persons", "status", "monitored_kind",
            "status_since", "phone", "bank", "bank_account", "helper_name", "version", "changed_at", "members", "sheet",
        ]  # fmt: skip

    @extend_schema_field(SheetSerializer(allow_null=True))
    def get_sheet(self, household: Household) -> dict[str, Any] | None:
        """The sheet of `year`, else of the latest year; null when there is none."""
        sheets = household.chosen_sheets  # type: ignore[attr-defined]
        return SheetSerializer(sheets[0], context=self.context).data if sheets else None


class CardFilter(ChangedFilter):
    year = django_filters.NumberFilter(method="of_year", help_text="cards with a sheet of this accounting year")
    status = django_filters.ChoiceFilter(choices=HouseholdStatus)
    outcome = django_filters.ChoiceFilter(
        choices=Result.Outcome, method="with_outcome", help_text="of the current result (of `year`, when it is given)"
    )
    number = django_filters.CharFilter(help_text="the national number of the household")

    class Meta:
        model = Household
        fields: list[str] = []

    def of_year(self, cards: QuerySet[Household], name: str, year: Decimal) -> QuerySet[Household]:
        return cards.filter(Exists(Sheet.objects.filter(household=OuterRef("pk"), year=year)))

    def with_outcome(self, cards: QuerySet[Household], name: str, value: str) -> QuerySet[Household]:
        results = Result.objects.current().filter(household=OuterRef("pk"), outcome=value)
        year = self.data.get("year", "")
        return cards.filter(Exists(results.filter(year=int(year)) if year.isdecimal() else results))


def chosen_sheets(year: str) -> QuerySet[Sheet]:
    """One sheet a household: of `year` when one is asked for (the filter refuses what is no year), else the latest."""
    sheets = Sheet.objects.prefetch_related("members", "lines")
    if year.isdecimal():
        return sheets.filter(year=int(year))
    latest = Sheet.objects.filter(household=OuterRef("household")).order_by("-year").values("year")[:1]
    return sheets.filter(year=Subquery(latest))


@extend_schema_view(
    list=extend_schema(summary="Cards of the client's area"), retrieve=extend_schema(summary="One card of the area")
)
@extend_schema(
    parameters=[
        OpenApiParameter("keys", OpenApiTypes.STR, enum=[NATIONAL], description="answer under the national codes"),
    ]
)
class CardViewSet(ReadViewSet):
    """A household with its present members and the sheet of one year (the latest, unless `year` says another)."""

    serializer_class = CardSerializer
    filterset_class = CardFilter
    audit = "cards"

    def get_queryset(self) -> QuerySet[Household]:
        present = Membership.objects.open().select_related("person")
        year = self.request.query_params.get("year", "")
        cards = Household.objects.visible_to(self.request.user, self.capability)
        return cards.prefetch_related(
            Prefetch("memberships", present, to_attr="current_members"),
            Prefetch("sheets", chosen_sheets(year), to_attr="chosen_sheets"),
        )
