"""Searched text in addresses: encrypted for the person who typed it, so that names stay out of addresses and logs."""

import base64

from django.http import HttpRequest

from changde.crypto.cipher import CannotDecrypt, decrypt, encrypt


def closed(request: HttpRequest, text: str) -> str:
    """The text for the address."""
    blob = encrypt(text, field="search", owner=request.user.pk) or b""  # type: ignore[arg-type]
    return base64.urlsafe_b64encode(blob).decode().rstrip("=")


def opened(request: HttpRequest) -> str:
    """The searched text of the address (?find=); empty when it is not this person's or was changed."""
    code = request.GET.get("find", "")
    try:
        blob = base64.urlsafe_b64decode(code + "=" * (-len(code) % 4))
        return decrypt(blob or None, field="search", owner=request.user.pk) or ""  # type: ignore[arg-type]
    except (ValueError, IndexError, CannotDecrypt):
        return ""
