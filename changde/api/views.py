"""Schema and browsable docs, and the answer to an address that does not exist."""

from typing import Any

from csp.constants import SELF
from csp.decorators import csp_update
from django.utils.decorators import method_decorator
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularRedocView, SpectacularSwaggerSplitView
from rest_framework.exceptions import NotFound
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

# Redoc fills empty <style> elements by script, and brings one of its own: both by their hash, so that no other passes.
_REDOC_STYLES = (
    "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='",
    "'sha256-QMIg+bpjm3JdElJ388KYke01izlUW0UoNOeKjpMxdgc='",
)


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


@method_decorator(csp_update({"style-src": [SELF, *_REDOC_STYLES], "worker-src": [SELF, "blob:"]}), name="dispatch")
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
