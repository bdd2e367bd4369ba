"""Schema and browsable docs, and the answer to an address that does not exist."""

from typing import Any

from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularRedocView, SpectacularSwaggerSplitView
from rest_framework.exceptions import NotFound
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView


class Schema(SpectacularAPIView):
    capability = None
    permission_classes = [AllowAny]
    authentication_classes: list[Any] = []


class Docs(SpectacularSwaggerSplitView):
    capability = None
    permission_classes = [AllowAny]
    authentication_classes: list[Any] = []
    url_name = "api:schema"
    template_name = "api/swagger.html"


class Reference(SpectacularRedocView):
    capability = None
    permission_classes = [AllowAny]
    authentication_classes: list[Any] = []
    url_name = "api:schema"
    template_name = "api/redoc.html"


@extend_schema(exclude=True)
class Missing(APIView):
    """An address below /api/ that nothing answers: 404 in the API's own shape."""

    capability = None
    permission_classes = [AllowAny]
    authentication_classes: list[Any] = []
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        raise NotFound
