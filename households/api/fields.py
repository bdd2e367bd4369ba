"""The complete form as metadata: national code, headers, type, unit and allowed values of every field."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from changde.api.viewsets import ReadView
from households.domain.fields import CARD_FIELDS, VILLAGE_FIELDS


class FieldSerializer(serializers.Serializer):
    sheet = serializers.CharField(help_text="sheet of the workbook")
    entity = serializers.CharField(help_text="where the API has it; empty for a column that only names or joins")
    attribute = serializers.CharField()
    national_code = serializers.CharField()
    header = serializers.CharField()
    english = serializers.CharField()
    type = serializers.CharField()
    unit = serializers.CharField()
    values = serializers.ListField(child=serializers.CharField(), help_text="empty: any value")
    note = serializers.CharField()


class FieldList(ReadView):
    @extend_schema(operation_id="fields_list", responses=FieldSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Every field of the card and of the village card, in the order of the form."""
        return Response(FieldSerializer(CARD_FIELDS + VILLAGE_FIELDS, many=True).data)
