"""Secrets: how they are drawn, and what is kept of them.

What the server draws itself (tokens, codes) has 256 bits, so its SHA-256 gives nothing away. What people choose is kept
as scrypt's hash (RFC 7914), slow on purpose; secrets of clients too, as they are kept for years.

Knows: hashlib. Must not know: what a secret is for.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets

# 16 MiB and about 50 ms: what a login may cost, times as many as the throttle lets through.
_N, _R, _P = 2**14, 8, 1
_SALT = 16
_MEMORY = 64 * 1024 * 1024
LONGEST = 1024
"""Characters of a password; more would only cost."""


def new_secret(kind: str) -> str:
    """A secret of 256 bits; ``kind`` is its prefix, by which people (and scanners of code) know it again."""
    return f"{kind}_{secrets.token_urlsafe(32)}"


def digest_of(secret: str) -> str:
    """What is kept of a secret that was drawn."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def hashed(password: str) -> str:
    """What is kept of a secret that was chosen, or is kept for long. Takes about 50 ms."""
    salt = secrets.token_bytes(_SALT)
    return "$".join(("scrypt", str(_N), str(_R), str(_P), _text(salt), _text(_scrypt(password, salt, _N, _R, _P))))


def matches(password: str, kept: str) -> bool:
    """Whether ``kept`` was made of ``password``. As slow for what is nobody's (``""``) as for a wrong one."""
    if len(password) > LONGEST:
        return False
    try:
        _, n, r, p, salt, wanted = (kept or _NOBODY).split("$")
        found = _scrypt(password, base64.b64decode(salt), int(n), int(r), int(p))
        return hmac.compare_digest(found, base64.b64decode(wanted)) and bool(kept)
    except (ValueError, binascii.Error):
        return False


def equal(one: str, other: str) -> bool:
    """Compares secrets in a time that says nothing about where they differ."""
    return hmac.compare_digest(one.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass"))


def _scrypt(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    said = password.encode("utf-8", "surrogatepass")
    return hashlib.scrypt(said, salt=salt, n=n, r=r, p=p, maxmem=_MEMORY, dklen=32)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


_NOBODY = f"scrypt${_N}${_R}${_P}${_text(bytes(_SALT))}${_text(bytes(32))}"
