"""Errors as problem details (RFC 9457): type, title, status, detail, and errors by field."""

from typing import Any

from rest_framework.response import Response
from rest_framework.views import exception_handler, set_rollback

from changde.accounts.refusal import Refusal


def problem_details(exception: Exception, context: dict[str, Any]) -> Response | None:
    """One shape for every error of the API."""
    if isinstance(exception, Refusal):
        set_rollback()
        return Response(
            {"type": exception.code, "title": str(exception.message), "status": 409, "detail": str(exception.message)},
            status=409,
            content_type="application/problem+json",
        )
    response = exception_handler(exception, context)
    if response is None:
        return None
    codes = getattr(exception, "get_codes", lambda: "error")()
    detail = response.data.get("detail") if isinstance(response.data, dict) else None
    body = {
        "type": codes if isinstance(codes, str) else "invalid",
        "title": str(detail or getattr(exception, "default_detail", "")),
        "status": response.status_code,
        "detail": str(detail or ""),
    }
    if detail is None:
        body["errors"] = response.data
    response.data = body
    response.content_type = "application/problem+json"
    return response
