"""The one OAuth2 endpoint: client credentials for a token of an hour. No pages, no other grant.

Wrong secrets are counted by client and address, and more patiently by client alone; a locked pair gets 429 even with
the right secret. Unknown client and wrong secret look and last alike. Errors keep the fields of RFC 6749 (`error`,
`error_description`) beside those every error of the API has.
"""

import base64
import binascii
import json
from urllib.parse import unquote_plus

from django.contrib.auth.hashers import make_password
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from oauth2_provider.models import Application
from oauth2_provider.views import TokenView
from redis.exceptions import RedisError

from changde.accounts.access import public
from changde.api.errors import problem

LOCK_SECONDS = 15 * 60
PAIR_LIMIT, CLIENT_LIMIT = 5, 100

_issue = TokenView.as_view()


@csrf_exempt
@require_POST
@public
def token(request: HttpRequest) -> HttpResponse:
    client = _client_of(request)
    counters = {f"api:wrong:{client}:{request.META['REMOTE_ADDR']}": PAIR_LIMIT, f"api:wrong:{client}": CLIENT_LIMIT}
    if _locked(counters):
        answer = _refused(429, "too_many_attempts", _("密钥连续出错，请 15 分钟后再试"))
        answer["Retry-After"] = str(LOCK_SECONDS)
        return answer
    response = _issue(request)
    if response.status_code == 200:
        return response
    error = json.loads(response.content)
    if error["error"] == "invalid_client":
        if not Application.objects.filter(client_id=client).exists():
            make_password(client)  # as long as looking at a wrong secret
        _count(counters)
        return _refused(401, "invalid_client", _("客户端编号或密钥不对"))
    return _refused(response.status_code, error["error"], error.get("error_description", error["error"]))


def _refused(status: int, code: str, text: str) -> HttpResponse:
    body = problem(status, code, text) | {"error": code, "error_description": text}
    response = JsonResponse(body, status=status)
    response["Cache-Control"] = "no-store"
    if status == 401:
        response["WWW-Authenticate"] = 'Basic realm="api"'
    return response


def _client_of(request: HttpRequest) -> str:
    """The client's id as it says it: in the Authorization header or in the form."""
    scheme, _space, credentials = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            return unquote_plus(base64.b64decode(credentials).decode().partition(":")[0])
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return request.POST.get("client_id", "")


def _locked(counters: dict[str, int]) -> bool:
    try:
        counts = cache.get_many(counters)
    except RedisError:
        return False
    return any(counts.get(key, 0) >= limit for key, limit in counters.items())


def _count(counters: dict[str, int]) -> None:
    try:
        for key in counters:
            cache.add(key, 0, LOCK_SECONDS)
            cache.incr(key)
    except (RedisError, ValueError):
        return
