"""Figures of a division: what its page shows, as JSON."""

from typing import Any

from django.core.validators import RegexValidator
from django.http import Http404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from changde.accounts.areas import ranges_of
from changde.api.viewsets import ReadView
from households.domain.figures import CAUSES, CLASSES, STATUSES
from supervision.selectors.figures import AreaFigures, Row, area_figures


class FiguresQuery(serializers.Serializer):
    division = serializers.CharField(
        required=False,
        validators=[RegexValidator(r"\A[1-9]\d{11}\Z")],
        help_text="12-digit code of a division of the client's area; default: the client's own",
    )
    year = serializers.IntegerField(
        required=False, min_value=1990, max_value=2100, help_text="accounting year; default: the latest"
    )


class FiguresView(ReadView):
    """Counts, incidence, Alkire-Foster and FGT measures, tables and the divisions one step down."""

    @extend_schema(
        summary="Figures of a division of the client's area", parameters=[FiguresQuery], responses=OpenApiTypes.OBJECT
    )
    def get(self, request: Request) -> Response:
        query = FiguresQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        asked = query.validated_data
        own = next((first for first, _last in ranges_of(request.user, self.capability)), None)
        code = int(asked["division"]) if "division" in asked else own
        if code is None:
            raise Http404
        area = area_figures(request.user, code, asked.get("year"), capability=self.capability)
        return Response(_told(area))


def _told(area: AreaFigures) -> dict[str, Any]:
    return {
        **_row(Row(area.division, area.figures, area.measures)),
        "year": area.year,
        "years": area.years,
        "as_of": area.as_of,
        "villages_changed_since": area.waiting,
        "versions": [
            {"version": str(version), "digest": version.digest, "households": households}
            for version, households in area.versions
        ],
        "indicators": [
            {
                "id": one.indicator.id,
                "name": one.indicator.label.zh,
                "dimension": one.dimension.zh,
                "weights": one.weights,
                "censored_headcount": one.censored,
                "contribution": one.contribution,
            }
            for one in area.indicators
        ],
        "by_status": _cells(area.figures.total.by_status, STATUSES, "status"),
        "by_cause": _cells(area.figures.total.by_cause, CAUSES, "cause"),
        "divisions": [_row(row) for row in area.rows],
    }


def _row(row: Row) -> dict[str, Any]:
    figures, found = row.figures, row.measures
    return {
        "division": str(row.division.code),
        "name": row.division.name,
        "households": figures.households,
        "persons": figures.persons,
        "registered": figures.registered,
        "registered_persons": figures.registered_persons,
        "rural_persons": figures.rural_persons,
        "judged": figures.judged,
        "absolute": figures.absolute,
        "absolute_persons": figures.absolute_persons,
        "relative": figures.relative,
        "undetermined": figures.undetermined,
        "registered_incidence": figures.registered_incidence,
        "computed_incidence": figures.computed_incidence,
        "shortfall_fen": sum(sums.shortfall for sums in figures.said.values()),
        **{name: getattr(found, name, None) for name in ("H", "A", "M0", "headcount", "gap", "severity")},
    }


def _cells(cells: tuple[int, ...], columns: tuple[str, ...], name: str) -> list[dict[str, Any]]:
    """Cells that hold a household."""
    return [
        {"outcome": CLASSES[place // len(columns)], name: columns[place % len(columns)], "households": count}
        for place, count in enumerate(cells)
        if count
    ]
