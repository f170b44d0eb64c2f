"""Literals as JSON, without the user's code: what ``--json`` and ``describe`` print, and ``literal_text`` reads back.

Knows: literals. Must not know: literal types, Python values, the blob store (references are resolved before, or shown
as references).
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import math
import sys
from typing import Any

from whimbrel.model.literals import (
    BigIntLiteral,
    BlobLiteral,
    BoolLiteral,
    BytesLiteral,
    DatasetLiteral,
    DateLiteral,
    DatetimeLiteral,
    DurationLiteral,
    FloatLiteral,
    IntLiteral,
    ListLiteral,
    Literal,
    Literals,
    MapLiteral,
    NoneLiteral,
    RefLiteral,
    StrLiteral,
    UnionLiteral,
    render_path,
)
from whimbrel.wire.spans import iso_span


def to_json(literal: Literal) -> Any:
    """``literal`` as JSON values.

    Moments and spans are ISO 8601, bytes base64, files and tables their URI; NaN and the infinities are strings, as
    JSON has no numbers for them.
    """
    match literal:
        case NoneLiteral():
            return None
        case BigIntLiteral(value=digits):
            return _big(digits)
        case FloatLiteral(value=value):
            return value if math.isfinite(value) else _NON_FINITE.get(value, "NaN")
        case IntLiteral() | StrLiteral() | BoolLiteral():
            return literal.value
        case DatetimeLiteral():
            return _moment(literal)
        case DateLiteral(value=day):
            return day.isoformat()
        case DurationLiteral():
            return iso_span(literal.days, literal.seconds, literal.microseconds)
        case BytesLiteral(value=data, encoding=encoding):
            text = base64.b64encode(data).decode()
            return {"encoding": encoding, "base64": text} if encoding else text
        case ListLiteral(items=items):
            return [to_json(item) for item in items]
        case MapLiteral(items=fields):
            return {key: to_json(value) for key, value in fields.items()}
        case UnionLiteral(value=inner):
            return to_json(inner)
        case BlobLiteral(uri=uri) | DatasetLiteral(uri=uri):
            return uri
        case RefLiteral(uri=uri, size=size, path=path):
            reference: dict[str, Any] = {"ref": uri, "bytes": size}
            return {**reference, "path": render_path(path)} if path else reference


_NON_FINITE = {math.inf: "Infinity", -math.inf: "-Infinity"}


def _big(digits: str) -> int | str:
    # Beyond this Python neither reads nor writes an int as text; a string of digits is as exact.
    return int(digits) if len(digits) <= sys.int_info.default_max_str_digits else digits


def _moment(literal: DatetimeLiteral) -> str:
    if not literal.zone:
        return literal.value.isoformat()
    if literal.zone[0] in "+-":
        return literal.value.astimezone(dt.datetime.strptime(literal.zone[:6], "%z").tzinfo).isoformat()
    import zoneinfo  # reads the time-zone database; only values that name a zone need it

    try:
        return literal.value.astimezone(zoneinfo.ZoneInfo(literal.zone)).isoformat()
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return literal.value.isoformat()


def by_name(literals: Literals) -> dict[str, Any]:
    """Inputs or outputs as one JSON object."""
    return {name: to_json(literal) for name, literal in literals.items()}


def plain(literals: Literals) -> str:
    """Outputs for a person or a shell: one unnamed as itself (``81.0``), several as a JSON object, none as ""."""
    if not literals:
        return ""
    if list(literals) == ["o0"]:
        return plain_value(literals["o0"])
    return dump(by_name(literals), indent=None)


def plain_value(literal: Literal) -> str:
    """One value: scalars as Python prints them, the rest as JSON."""
    while isinstance(literal, UnionLiteral):
        literal = literal.value
    match literal:
        case NoneLiteral():
            return "None"
        case StrLiteral(value=text):
            return text
        case BigIntLiteral(value=digits):
            return digits
        case BoolLiteral() | IntLiteral() | FloatLiteral():
            return str(literal.value)
        case _:
            value = to_json(literal)
            return value if isinstance(value, str) else dump(value, indent=None)


def dump(value: Any, *, indent: int | None = 2) -> str:
    """JSON text; characters beyond ASCII stay readable."""
    return json.dumps(value, indent=indent, ensure_ascii=False)


def brief(literals: Literals, width: int = 60) -> str:
    """Inputs or outputs on one line, cut to ``width`` characters."""
    text = ", ".join(f"{name}={dump(to_json(literal), indent=None)}" for name, literal in literals.items())
    return text if len(text) <= width else f"{text[: width - 1]}…"
