"""Python values inside a failure: JSON-like ones, and bytes, tuples, sets and large integers, in a form that msgpack
keeps.

What msgpack would change (a tuple becomes a list) is written as a tagged dict. No class is ever named here.

Knows: nothing of exceptions. Must not know: literals; failures have no declared types.
"""

from __future__ import annotations

from typing import Any, Final

_TAG: Final = "$"
_INT64: Final = range(-(2**63), 2**63)
# Arguments of exceptions are small; what is nested deeper than this is somebody's object graph.
_DEPTH: Final = 20


class NotPlain(Exception):
    """The value holds something that does not travel."""


def to_plain(value: Any, depth: int = _DEPTH) -> Any:
    """``value`` in a form that msgpack keeps. Raises ``NotPlain``.

    A subclass of a plain class (an ``IntEnum`` member) becomes the plain value.
    """
    if not depth:
        raise NotPlain
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        text = str.__str__(value)
        return text if _is_utf8(text) else {_TAG: "surrogates", "of": text.encode("utf-8", "surrogatepass")}
    if isinstance(value, int):
        number = int.__int__(value)
        return number if number in _INT64 else {_TAG: "int", "of": hex(number)}
    if isinstance(value, float):
        return float.__float__(value)
    if isinstance(value, bytes):
        return bytes(memoryview(value))
    if type(value) is list:
        return [to_plain(item, depth - 1) for item in value]
    if type(value) in (tuple, set, frozenset):
        return {_TAG: type(value).__name__, "of": [to_plain(item, depth - 1) for item in value]}
    if type(value) is dict:
        if _TAG not in value and all(type(key) is str and _is_utf8(key) for key in value):
            return {key: to_plain(item, depth - 1) for key, item in value.items()}
        pairs = [[to_plain(key, depth - 1), to_plain(item, depth - 1)] for key, item in value.items()]
        return {_TAG: "dict", "of": pairs}
    raise NotPlain


def from_plain(plain: Any) -> Any:
    """The inverse of ``to_plain``."""
    if isinstance(plain, list):
        return [from_plain(item) for item in plain]
    if not isinstance(plain, dict):
        return plain
    if _TAG not in plain:
        return {key: from_plain(item) for key, item in plain.items()}
    inner = plain["of"]
    match plain[_TAG]:
        case "tuple":
            return tuple(from_plain(item) for item in inner)
        case "set":
            return {from_plain(item) for item in inner}
        case "frozenset":
            return frozenset(from_plain(item) for item in inner)
        case "int":
            return int(inner, 16)
        case "surrogates":
            return inner.decode("utf-8", "surrogatepass")
        case _:
            return {from_plain(key): from_plain(item) for key, item in inner}


def _is_utf8(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
