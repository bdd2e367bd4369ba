"""AES-256-GCM for personal fields, bound to the person and the field.

Ciphertext = b"1" + length of key id + key id + 12 random bytes + AES-GCM output. The associated data is
"field:owner id", so that a ciphertext moved to another row or column does not open. Keys come from FIELD_KEYS
("id:base64"); the first encrypts, all decrypt, so that keys rotate while people work.
"""

import base64
import hmac
import os
import unicodedata
from collections.abc import Iterable
from functools import cache
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


class CannotDecrypt(Exception):
    """The key is missing, or the ciphertext does not belong to this person and field."""


@cache
def _keys(configured: tuple[str, ...]) -> dict[str, AESGCM]:
    keys = {}
    for entry in configured:
        key_id, _, encoded = entry.partition(":")
        raw = base64.b64decode(encoded)
        if len(raw) != 32 or not key_id or len(key_id) > 32:
            raise ImproperlyConfigured("FIELD_KEYS holds entries id:base64 of 32 bytes each")
        keys[key_id] = AESGCM(raw)
    return keys


@cache
def _first(configured: tuple[str, ...]) -> tuple[bytes, AESGCM]:
    """What every ciphertext of the encrypting key begins with, and the key."""
    key_id, cipher = next(iter(_keys(configured).items()))
    return b"1" + bytes([len(key_id)]) + key_id.encode(), cipher


def encrypt_bytes(content: bytes, *, field: str, owner: int | str) -> bytes:
    """Encrypt a file's content for (field, owner)."""
    header, cipher = _first(tuple(settings.FIELD_KEYS))
    nonce = os.urandom(12)
    return header + nonce + cipher.encrypt(nonce, content, f"{field}:{owner}".encode())


def encrypt_column(texts: Iterable[str | None], *, field: str, owners: Iterable[int]) -> list[bytes | None]:
    """`encrypt` for a whole column of one field, each text for its owner."""
    header, cipher = _first(tuple(settings.FIELD_KEYS))
    encrypt_one, noise, prefix = cipher.encrypt, os.urandom, f"{field}:"

    def one(text: str, owner: int) -> bytes:
        nonce = noise(12)
        return header + nonce + encrypt_one(nonce, text.encode(), f"{prefix}{owner}".encode())

    return [one(text, owner) if text else None for text, owner in zip(texts, owners, strict=True)]


def decrypt_bytes(blob: bytes | memoryview, *, field: str, owner: int | str) -> bytes:
    """Open a ciphertext of (field, owner). Raises CannotDecrypt when key, person or field do not fit."""
    blob = bytes(blob)
    length = blob[1]
    key_id, nonce, body = blob[2 : 2 + length].decode(), blob[2 + length : 14 + length], blob[14 + length :]
    cipher = _keys(tuple(settings.FIELD_KEYS)).get(key_id)
    if blob[:1] != b"1" or cipher is None:
        raise CannotDecrypt(f"no key {key_id!r}")
    try:
        return cipher.decrypt(nonce, body, f"{field}:{owner}".encode())
    except InvalidTag as error:
        raise CannotDecrypt(f"{field} of {owner} does not open") from error


def encrypt(text: str | None, *, field: str, owner: int | str) -> bytes | None:
    """Encrypt `text` for (field, owner); None and "" stay None."""
    return encrypt_bytes(text.encode(), field=field, owner=owner) if text else None


def decrypt(blob: bytes | memoryview | None, *, field: str, owner: int | str) -> str | None:
    """The text of a ciphertext, None for None; see decrypt_bytes."""
    return None if blob is None else decrypt_bytes(blob, field=field, owner=owner).decode()


def normalise(text: str) -> str:
    """The form that is hashed: full width to half width, no spaces or hyphens, upper case."""
    if text.isascii() and text.isalnum():
        return text.upper()
    return "".join(unicodedata.normalize("NFKC", text).split()).replace("-", "").upper()


@cache
def _index_key(configured: str) -> bytes:
    return base64.b64decode(configured)


def blind_index(text: str | None, *, kind: str) -> bytes | None:
    """Keyed hash of the normalised value, the same for the same number of one kind ("id", "phone", ...)."""
    if not text:
        return None
    return hmac.digest(_index_key(settings.INDEX_KEY), f"{kind}:{normalise(text)}".encode(), "sha256")


def blind_column(texts: Iterable[str | None], *, kind: str) -> list[bytes | None]:
    """`blind_index` for a whole column of one kind."""
    begun = hmac.new(_index_key(settings.INDEX_KEY), f"{kind}:".encode(), sha256)

    def one(text: str) -> bytes:
        mac = begun.copy()
        mac.update(normalise(text).encode())
        return mac.digest()

    return [one(text) if text else None for text in texts]


def derived_key(*, purpose: str, owner: int | str) -> bytes:
    """32 bytes for one owner and one purpose, the same each time; nothing about INDEX_KEY follows from them."""
    return hmac.new(_index_key(settings.INDEX_KEY), f"key:{purpose}:{owner}".encode(), sha256).digest()
