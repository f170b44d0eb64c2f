"""Text and JSON to literals, by literal type: what a person writes on a command line or in an inputs file.

Knows: literal types, literals. Must not know: options, Python types (the entity's own transformers check what comes
out of here).
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import json
import math
from pathlib import Path
from typing import Any, NoReturn

from whimbrel.errors import ValueMismatch
from whimbrel.model.literal_types import (
    ANY,
    BinaryType,
    BlobType,
    DatasetType,
    EnumType,
    ListType,
    LiteralType,
    MapType,
    Simple,
    SimpleType,
    StructType,
    TupleType,
    UnionType,
    describe,
)
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
    MapLiteral,
    NoneLiteral,
    StrLiteral,
    UnionLiteral,
)
from whimbrel.types.places import secret_in
from whimbrel.types.table_files import format_of_path
from whimbrel.wire.spans import parse_span

_TRUE = {"true", "yes", "on", "1", "y", "t"}
_FALSE = {"false", "no", "off", "0", "n", "f"}
_NONE = {"none", "null"}
_INT64 = range(-(2**63), 2**63)
_SHOWN = 60
"""Characters of a bad value that a message shows."""


# --- command-line text ----------------------------------------------------------------------------------------------


def from_text(text: str, kind: LiteralType) -> Literal:
    """The literal that ``text`` says. Raises ``ValueMismatch``.

    Scalars are written plainly; lists, dicts and structs as JSON. For these and bytes, ``@path`` means the contents
    of a file.
    """
    match kind:
        case SimpleType(simple=simple):
            return _scalar(text, simple, kind)
        case EnumType(values=values):
            for value in values:
                if text == _token(value):
                    return _native(value)
            _refuse(kind, text)
        case UnionType(variants=variants):
            return _union_text(text, kind, variants)
        case BlobType():
            return _blob(text, kind, "$")
        case DatasetType():
            return _table(text, kind, "$")
        case BinaryType():
            _refuse(kind, text, because="which has no written form")
        case _:
            return from_json(_read_json(text, kind), kind)


def _token(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "none" if value is None else str(value)


def choices(kind: EnumType) -> list[str]:
    """What may be written for an enum or a ``Literal``."""
    return [_token(value) for value in kind.values]


def _scalar(text: str, simple: Simple, kind: LiteralType) -> Literal:
    stripped = text.strip()
    try:
        match simple:
            case Simple.STRING:
                return StrLiteral(text)
            case Simple.INTEGER:
                return _integer(stripped)
            case Simple.FLOAT:
                return FloatLiteral(float(stripped))
            case Simple.BOOLEAN:
                if stripped.lower() in _TRUE | _FALSE:
                    return BoolLiteral(stripped.lower() in _TRUE)
            case Simple.NONE:
                if stripped.lower() in _NONE:
                    return NoneLiteral()
            case Simple.DATETIME:
                return _moment(stripped)
            case Simple.DATE:
                return DateLiteral(dt.date.fromisoformat(stripped))
            case Simple.DURATION:
                return _span(parse_span(stripped))
            case Simple.BYTES:
                if text.startswith("@"):
                    return BytesLiteral(_read_file(text[1:], kind))
                return BytesLiteral(base64.b64decode(stripped, validate=True))
    except (ValueError, OverflowError, binascii.Error):
        pass
    _refuse(kind, text)


def _union_text(text: str, kind: UnionType, variants: tuple[LiteralType, ...]) -> Literal:
    """The variants that are not text are tried first: everything is text. ``"quoted"`` is text for certain."""
    none = SimpleType(Simple.NONE)
    if none in variants and text.strip().lower() in _NONE:
        return UnionLiteral(variants.index(none), NoneLiteral())
    string = SimpleType(Simple.STRING)
    if string in variants and len(text) >= 2 and text[0] == text[-1] == '"':
        try:
            unquoted = json.loads(text)
        except ValueError:
            unquoted = text
        return UnionLiteral(variants.index(string), StrLiteral(unquoted))
    ordered = [variant for variant in variants if variant != string] + [
        variant for variant in variants if variant == string
    ]
    mismatches: list[ValueMismatch] = []
    for variant in ordered:
        try:
            return UnionLiteral(variants.index(variant), from_text(text, variant))
        except ValueMismatch as error:
            mismatches.append(error)
    # With one candidate beside None its own message is the better one: it has the path.
    telling = [error for error, variant in zip(mismatches, ordered, strict=True) if variant != none]
    if len(telling) == 1:
        raise telling[0]
    _refuse(kind, text)


def _read_json(text: str, kind: LiteralType) -> Any:
    source = text
    if text.startswith("@"):
        source = _read_file(text[1:], kind).decode("utf-8", errors="replace")
    try:
        return json.loads(source)
    except ValueError as error:
        where = f"{text[1:]}: " if text.startswith("@") else ""
        raise ValueMismatch(f"{describe(kind)} as JSON", f"{where}{_shown(source)} ({error})") from None


def _read_file(path: str, kind: LiteralType) -> bytes:
    try:
        return Path(path).expanduser().read_bytes()
    except OSError as error:
        raise ValueMismatch(
            describe(kind), f"the file {path!r}, which cannot be read: {error.strerror or error}"
        ) from None


# --- JSON ----------------------------------------------------------------------------------------------


def from_json(value: Any, kind: LiteralType, path: str = "$") -> Literal:
    """The literal that a JSON value says. Raises ``ValueMismatch`` with the path to what does not fit."""
    match kind:
        case SimpleType(simple=simple):
            return _json_scalar(value, simple, kind, path)
        case EnumType(values=values):
            for token in values:
                if type(value) is type(token) and value == token:
                    return _native(token)
        case ListType(item=item):
            if isinstance(value, list):
                return ListLiteral(tuple(from_json(part, item, f"{path}[{at}]") for at, part in enumerate(value)))
        case TupleType(items=items, names=names):
            return _tuple(value, kind, items, names, path)
        case MapType(value=inner):
            if isinstance(value, dict):
                return MapLiteral({key: from_json(part, inner, f"{path}{_step(key)}") for key, part in value.items()})
        case StructType():
            return _struct(value, kind, path)
        case UnionType(variants=variants):
            return _union(value, kind, variants, path)
        case BlobType():
            if isinstance(value, str):
                return _blob(value, kind, path)
        case DatasetType():
            if isinstance(value, str):
                return _table(value, kind, path)
        case BinaryType():
            _refuse(kind, value, path, because="which has no written form")
    _refuse(kind, value, path)


def _json_scalar(value: Any, simple: Simple, kind: LiteralType, path: str) -> Literal:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    match simple:
        case Simple.NONE if value is None:
            return NoneLiteral()
        case Simple.INTEGER if isinstance(value, int) and not isinstance(value, bool):
            return _whole(value)
        case Simple.FLOAT if number:
            try:
                return FloatLiteral(float(value))
            except OverflowError:
                _refuse(kind, value, path)
        case Simple.FLOAT if value in ("NaN", "Infinity", "-Infinity"):
            return FloatLiteral(float(value))
        case Simple.STRING if isinstance(value, str):
            return StrLiteral(value)
        case Simple.BOOLEAN if isinstance(value, bool):
            return BoolLiteral(value)
        case Simple.DURATION if number and math.isfinite(value):
            return _at(path, str(value), kind)
        case Simple.DATETIME | Simple.DATE | Simple.DURATION if isinstance(value, str):
            return _at(path, value, kind)
        case Simple.BYTES if isinstance(value, str) and not value.startswith("@"):
            return _at(path, value, kind)
        case _:
            _refuse(kind, value, path)


def _at(path: str, text: str, kind: LiteralType) -> Literal:
    try:
        return from_text(text, kind)
    except ValueMismatch as error:
        raise ValueMismatch(error.expected, error.got, path) from None


def _tuple(value: Any, kind: LiteralType, items: tuple[LiteralType, ...], names: tuple[str, ...], path: str) -> Literal:
    if isinstance(value, dict) and names:
        unknown = [key for key in value if key not in names]
        if unknown or len(value) != len(names):
            _refuse(kind, value, path, because=f"its fields are {', '.join(names)}")
        value = [value[name] for name in names]
    if not isinstance(value, list):
        _refuse(kind, value, path)
    if len(value) != len(items):
        raise ValueMismatch(f"{describe(kind)}, {len(items)} items", f"{len(value)} items", path)
    parts = zip(value, items, strict=True)
    return ListLiteral(tuple(from_json(part, item, f"{path}[{at}]") for at, (part, item) in enumerate(parts)))


def _struct(value: Any, kind: StructType, path: str) -> Literal:
    if kind == ANY:
        return anything(value)
    if not isinstance(value, dict):
        _refuse(kind, value, path)
    if kind.fields is None:
        return anything(value)
    fields: dict[str, Literal] = {}
    for key, part in value.items():
        if key not in kind.fields:
            known = ", ".join(kind.fields) or "none"
            raise ValueMismatch(f"a field of {describe(kind)} ({known})", f"the field {key!r}", f"{path}{_step(key)}")
        fields[key] = from_json(part, kind.fields[key], f"{path}{_step(key)}")
    for name, inner in kind.fields.items():
        if name not in fields and name not in kind.optional:
            raise ValueMismatch(describe(inner), "nothing", f"{path}{_step(name)}")
    return MapLiteral(fields)


def _union(value: Any, kind: LiteralType, variants: tuple[LiteralType, ...], path: str) -> Literal:
    mismatches: list[ValueMismatch] = []
    # An exact fit goes before a number that a float would take too.
    ordered = sorted(
        range(len(variants)), key=lambda at: isinstance(value, int) and variants[at] == SimpleType(Simple.FLOAT)
    )
    for at in ordered:
        try:
            return UnionLiteral(at, from_json(value, variants[at], path))
        except ValueMismatch as error:
            if variants[at] != SimpleType(Simple.NONE):
                mismatches.append(error)
    if len(mismatches) == 1:
        raise mismatches[0]
    _refuse(kind, value, path)


def anything(value: Any) -> Literal:
    """The literal of a JSON value of which nothing is declared."""
    match value:
        case None:
            return NoneLiteral()
        case bool():
            return BoolLiteral(value)
        case int():
            return _whole(value)
        case float():
            return FloatLiteral(value)
        case str():
            return StrLiteral(value)
        case list():
            return ListLiteral(tuple(anything(part) for part in value))
        case _:
            return MapLiteral({str(key): anything(part) for key, part in value.items()})


# --- pieces ----------------------------------------------------------------------------------------------


def _native(value: str | int | bool | float | None) -> Literal:
    return FloatLiteral(value) if isinstance(value, float) else anything(value)


def _integer(text: str) -> Literal:
    return _whole(int(text, 0) if text[:2].lower() in ("0x", "0o", "0b") else int(text))


def _whole(value: int) -> Literal:
    return IntLiteral(value) if value in _INT64 else BigIntLiteral(str(value))


def _span(span: dt.timedelta) -> Literal:
    return DurationLiteral(span.days, span.seconds, span.microseconds)


def _moment(text: str) -> Literal:
    moment = dt.datetime.fromisoformat(text)
    offset = moment.utcoffset()
    if offset is None:
        return DatetimeLiteral(moment)
    zone = "" if not offset else moment.isoformat()[-6:]
    return DatetimeLiteral(moment.astimezone(dt.UTC), zone)


def _blob(text: str, kind: BlobType, path: str) -> Literal:
    # As outputs are shown: one run's file may be another's input.
    if "://" in text or text.startswith("blob:"):
        if secret_in(text):
            raise ValueMismatch(
                "a URI without a password",
                "one with a password in it, which the journal of the run would keep: put it into the environment",
                path,
            )
        return BlobLiteral(text, kind.format, kind.multipart)
    found = Path(text).expanduser().absolute()
    if not (found.is_dir() if kind.multipart else found.is_file()):
        noun = "directory" if kind.multipart else "file"
        raise ValueMismatch(f"the path or URI of a {noun}", f"{text!r}, which is no {noun}", path)
    return BlobLiteral(found.as_uri(), kind.format, kind.multipart)


def _table(text: str, kind: DatasetType, path: str) -> Literal:
    format_ = format_of_path(text) or kind.format
    if "://" in text or text.startswith("blob:"):
        return DatasetLiteral(text, format_)
    found = Path(text).expanduser().absolute()
    if not found.exists():
        raise ValueMismatch("the path or URI of a table", f"{text!r}, which is not there", path)
    return DatasetLiteral(found.as_uri(), format_)


def _step(key: str) -> str:
    return f".{key}" if key.isidentifier() else f"[{key!r}]"


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False) if not isinstance(value, str) else repr(value)
    text = text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
    return text


def _refuse(kind: LiteralType, value: Any, path: str = "$", because: str = "") -> NoReturn:
    raise ValueMismatch(_expected(kind), _shown(value) + (f", {because}" if because else ""), path)


def _expected(kind: LiteralType) -> str:
    match kind:
        case EnumType():
            return f"one of {', '.join(choices(kind))}"
        case SimpleType(simple=Simple.BYTES):
            return "bytes in base64, or @file"
        case _:
            return describe(kind)


# --- how to write it ----------------------------------------------------------------------------------------------


def example(kind: LiteralType) -> str:
    """How a value of ``kind`` may be written on a command line."""
    match kind:
        case SimpleType(simple=Simple.STRING):
            return "some text"
        case SimpleType(simple=Simple.BYTES):
            return "@file"
        case SimpleType(simple=simple):
            return str(_EXAMPLES[simple])
        case EnumType():
            return choices(kind)[0]
        case UnionType(variants=variants):
            return example(next((variant for variant in variants if variant != SimpleType(Simple.NONE)), variants[0]))
        case BlobType(multipart=multipart):
            return "some/directory" if multipart else "some/file"
        case DatasetType(format=format_):
            return f"some/table.{format_ or 'parquet'}"
        case BinaryType():
            return ""
        case _:
            return f"'{json.dumps(_example_json(kind, 0))}' or @file.json"


def _example_json(kind: LiteralType, depth: int) -> Any:
    match kind:
        case SimpleType(simple=simple):
            return _EXAMPLES[simple]
        case EnumType(values=values):
            return values[0]
        case ListType(item=item):
            return [_example_json(item, depth + 1)] if depth < _DEPTH else []
        case TupleType(items=items):
            return [_example_json(item, depth + 1) for item in items]
        case MapType(value=value):
            return {"key": _example_json(value, depth + 1)} if depth < _DEPTH else {}
        case StructType(fields=dict() as fields, optional=optional):
            needed = [name for name in fields if name not in optional] or list(fields)[:1]
            return {name: _example_json(fields[name], depth + 1) for name in needed} if depth < _DEPTH else {}
        case UnionType(variants=variants):
            return _example_json(variants[0], depth + 1)
        case StructType():
            return {}
        case _:
            return "…"


_DEPTH = 3
"""How deep an example goes; types may hold themselves."""

_EXAMPLES: dict[Simple, Any] = {
    Simple.NONE: None,
    Simple.INTEGER: 3,
    Simple.FLOAT: 1.5,
    Simple.STRING: "text",
    Simple.BOOLEAN: True,
    Simple.DATETIME: "2024-05-17T12:30:00+00:00",
    Simple.DATE: "2024-05-17",
    Simple.DURATION: "1h30m",
    Simple.BYTES: "aGVsbG8=",
}
