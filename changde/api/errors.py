"""Errors as problem details (RFC 9457): type, title, status, detail, errors by field. One shape for all of the API."""

import logging
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler, set_rollback

from changde.accounts.refusal import Refusal

log = logging.getLogger(__name__)
PROBLEM = "application/problem+json"


def problem(status: int, code: str, title: Any, detail: Any = "", errors: Any = None) -> dict[str, Any]:
    """The body of every error. `type` is stable for programs, title and detail are for people."""
    body = {"type": code, "title": str(title), "status": status, "detail": str(detail or title)}
    return body | ({"errors": errors} if errors else {})


def problem_details(exception: Exception, context: dict[str, Any]) -> Response | None:
    """Django REST framework's exception handler (settings.REST_FRAMEWORK)."""
    if isinstance(exception, Refusal):
        set_rollback()
        return _answer(problem(409, exception.code, exception.message))
    if isinstance(exception, Http404):
        exception = exceptions.NotFound()
    elif isinstance(exception, PermissionDenied):
        exception = exceptions.PermissionDenied()
    response = exception_handler(exception, context)
    if response is None:
        return _unexpected(exception)
    codes = exception.get_codes() if isinstance(exception, exceptions.APIException) else "error"
    if isinstance(codes, str):
        body = problem(response.status_code, codes, getattr(exception, "default_detail", ""), response.data["detail"])
    else:
        body = problem(response.status_code, "invalid", _("请求参数有误"), errors=response.data)
    response.data = body
    response.content_type = PROBLEM
    return response


def _unexpected(exception: Exception) -> Response | None:
    """A fault of ours: its kind goes to the log, never its text, which may quote values of people."""
    if settings.DEBUG:
        return None
    set_rollback()
    log.error("API answered 500: %s", type(exception).__name__)
    return _answer(problem(500, "server_error", _("系统出错"), _("没有完成，请稍后再试")))


def _answer(body: dict[str, Any]) -> Response:
    return Response(body, status=body["status"], content_type=PROBLEM)
