"""Is the process up, and can it work? For load balancers and watchdogs: no login, no details."""

from collections.abc import Callable

from celery import current_app
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from changde.accounts.access import public
from changde.jobs.services import workers_seen


def _database() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return cursor.fetchone() == (1,)


def _broker() -> bool:
    with current_app.connection_for_read() as broker:
        broker.ensure_connection(max_retries=0, timeout=1)
    return True


PARTS: dict[str, Callable[[], bool]] = {"database": _database, "broker": _broker, "worker": workers_seen}


def _holds(part: Callable[[], bool]) -> bool:
    try:
        return part()
    except Exception:
        return False


@never_cache
@require_safe
@public
def live(request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return HttpResponse("ok\n", content_type="text/plain")


@never_cache
@require_safe
@public
def ready(request: HttpRequest) -> HttpResponse:
    """Database and broker answer, and a worker did its round within the last minute; 503 otherwise."""
    parts = {name: _holds(part) for name, part in PARTS.items()}
    return JsonResponse(parts, status=200 if all(parts.values()) else 503)
