"""How often one address may try: for public pages that take something in. Counted in the cache, never stored."""

import ipaddress
import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.crypto import salted_hmac

logger = logging.getLogger(__name__)

View = Callable[..., HttpResponse]


def address_of(request: HttpRequest) -> str:
    """The caller's address; behind a proxy the one the proxy saw. Of IPv6 the network of the house (/64)."""
    address = request.META.get("REMOTE_ADDR", "")
    if settings.SECURE_PROXY_SSL_HEADER:
        address = request.META.get("HTTP_X_FORWARDED_FOR", address).rsplit(",", 1)[-1].strip()
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    return str(ipaddress.ip_network((ip, 64), strict=False)) if ip.version == 6 else str(ip)


def exceeds(request: HttpRequest, name: str, *, times: int, seconds: int) -> bool:
    """Count this try; is it one too many? The cache holds a keyed hash of the address, for `seconds`.

    A cache that is down lets people through: an objection is a right, the limit a convenience.
    """
    key = f"limit:{name}:" + salted_hmac("limit", address_of(request), algorithm="sha256").hexdigest()[:32]
    try:
        cache.add(key, 0, seconds)
        return cache.incr(key) > times
    except Exception:  # any client or connection error of any cache
        logger.warning("the cache does not answer: %s is not limited", name)
        return False


def limited(name: str, *, times: int, seconds: int) -> Callable[[View], View]:
    """At most `times` POSTs in `seconds` from one address, then 429. Villages share addresses: be generous."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.method == "POST" and exceeds(request, name, times=times, seconds=seconds):
                response = render(request, "supervision/public_busy.html", {"minutes": -(-seconds // 60)}, status=429)
                response["Retry-After"] = str(seconds)
                return response
            return view(request, *args, **kwargs)

        return guarded

    return decorate
