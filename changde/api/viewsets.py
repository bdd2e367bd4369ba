"""The base of every resource: read only, fail closed, one audit event a page, answers with an ETag."""

from typing import Any

from django.utils.cache import patch_cache_control
from django.utils.decorators import method_decorator
from django.views.decorators.http import conditional_page
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from changde.audit.services import record_read


@method_decorator(conditional_page, name="dispatch")
class ReadView(APIView):
    """A resource one can only read, by people and systems whose role holds `capability`."""

    http_method_names = ["get", "head", "options"]
    capability = "use_api"

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if request.method not in ("GET", "HEAD", "OPTIONS"):  # before the body is looked at
            raise MethodNotAllowed(request.method)
        super().initial(request, *args, **kwargs)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        patch_cache_control(response, private=True, no_cache=True)
        return response


class ReadViewSet(ReadView, ListModelMixin, RetrieveModelMixin, GenericViewSet):
    """A subclass gives `get_queryset` (rows visible to the client, nothing else) and a serializer.

    `audit` names the rows in the log; empty for rows about nobody (divisions).
    """

    audit = ""

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        response = super().list(request, *args, **kwargs)
        if self.audit:
            asked = sorted(set(request.query_params) - {"cursor", "page_size"})
            record_read(f"api.{self.audit}.list", by=request.user, rows=len(response.data["results"]), filters=asked)
        return response

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        row = self.get_object()
        if self.audit:
            record_read(f"api.{self.audit}.read", by=request.user, target=row, area=getattr(row, "village_id", None))
        return Response(self.get_serializer(row).data)
