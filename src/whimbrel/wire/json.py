"""Programs and graphs as JSON: for ``whimbrel compile --format json``, for people, for tools that don't read msgpack.

Knows the model. The keys are the field names of ``model.program``; a ``type`` key tells the members of a union apart.
JSON has no NaN and no infinities: a float literal's value is then the string ``"NaN"``, ``"Infinity"`` or
``"-Infinity"``.
"""

from __future__ import annotations

import math
from typing import Any, TypeVar

import msgspec

from whimbrel.errors import InputInvalid
from whimbrel.model.program import Graph, Program

T = TypeVar("T")

_encoder = msgspec.json.Encoder()
_SPECIAL = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def encode(noun: Program | Graph, *, indent: int = 0) -> bytes:
    """``noun`` as UTF-8 JSON; ``indent`` spaces a level, 0 for one line."""
    data = _encoder.encode(noun)
    if b'"value":null' in data:  # only a float that JSON has no number for
        data = _encoder.encode(_spelled(msgspec.to_builtins(noun)))
    return msgspec.json.format(data, indent=indent) if indent else data


def decode_program(data: bytes) -> Program:
    """The program in ``data``. Raises ``InputInvalid``."""
    return _decode(data, Program)


def decode_graph(data: bytes) -> Graph:
    """The graph in ``data``. Raises ``InputInvalid``."""
    return _decode(data, Graph)


def _decode(data: bytes, kind: type[T]) -> T:
    try:
        if any(f'"value":"{name}"'.encode() in data.replace(b": ", b":") for name in _SPECIAL):
            return msgspec.convert(_read(msgspec.json.decode(data)), kind)
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputInvalid(f"this is not the JSON of a {kind.__name__.lower()}: {error}") from None


def _spelled(plain: Any) -> Any:
    """Floats that JSON has no number for, by name."""
    if isinstance(plain, dict):
        return {key: _spelled(item) for key, item in plain.items()}
    if isinstance(plain, list | tuple):
        return [_spelled(item) for item in plain]
    if isinstance(plain, float) and not math.isfinite(plain):
        return "NaN" if math.isnan(plain) else "Infinity" if plain > 0 else "-Infinity"
    return plain


def _read(plain: Any) -> Any:
    """The floats that ``_spelled`` wrote by name. A string literal of that text has another ``type``."""
    if isinstance(plain, dict):
        if plain.get("type") == "f" and isinstance(plain.get("value"), str):
            return {**plain, "value": _SPECIAL.get(plain["value"], plain["value"])}
        return {key: _read(item) for key, item in plain.items()}
    return [_read(item) for item in plain] if isinstance(plain, list) else plain
