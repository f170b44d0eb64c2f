"""Registration: a program and the bundle of its code. Its body is msgpack, as it carries the program.

Knows: the program, what is declared beside it. Must not know: how bundles are made or kept.
"""

from __future__ import annotations

from msgspec import Struct

from whimbrel.errors import InputInvalid
from whimbrel.model.codec import decoder, encode
from whimbrel.model.declared import Declarations
from whimbrel.model.program import Program

BUNDLE_MEDIA_TYPE = "application/gzip"
MSGPACK = "application/msgpack"
JSON = "application/json"


class BundlePlace(Struct, frozen=True):
    """A bundle that is here; whether it was not before."""

    sha256: str
    created: bool


class Registration(Struct, frozen=True):
    """Everything that is registered under one version, all or nothing.

    ``bundle`` is the SHA-256 (64 hex digits) of the archive of the code, "" where the code is installed where tasks
    run. ``CodeRef.root`` in ``program`` is relative to the bundle, with ``/`` between its parts: "" or "." is the
    bundle itself. ``python`` is the version that the code was compiled with, ``"3.12"``. ``declared`` is what Flyte's
    clients are told of the entities and the engine does not act on.
    """

    version: str
    bundle: str
    python: str
    program: Program
    declared: Declarations = Declarations()


class Registered(Struct, frozen=True):
    """What became of an entity. ``created`` is false where it was there already, and is the same; ``kind`` is one of
    ``task``, ``workflow``, ``launch_plan``. ``remark`` says what does not hold for it: why clients of Flyte cannot read
    it, for one."""

    kind: str
    name: str
    version: str
    created: bool
    remark: str = ""


def relative_root(path: str) -> tuple[str, ...]:
    """The steps of a directory inside a bundle. Raises ``InputInvalid`` for one that leads out."""
    parts = tuple(part for part in path.split("/") if part not in ("", "."))
    if path.startswith("/") or ".." in parts or "\\" in path or not path.isprintable():
        raise InputInvalid(f"{path[:80]!r} is no directory inside the bundle; say one relative to it.")
    return parts


_decoder = decoder(Registration)


def encode_registration(registration: Registration) -> bytes:
    """The body of a request."""
    return encode(registration)


def decode_registration(data: bytes) -> Registration:
    """The registration in ``data``. Raises ``msgspec.DecodeError``, ``UnicodeDecodeError``, ``RecursionError``."""
    found: Registration = _decoder.decode(data)
    return found
