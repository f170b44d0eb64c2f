"""Where a value does not fit: how errors say what was expected, what came, and where inside the value it stands.

A hook costs nothing for this while values fit: the path is put together on the way up, by each container that the
error passes.

Knows: errors and literals. Must not know: any one kind of type.
"""

from __future__ import annotations

import re
import reprlib
import typing
from typing import Any

from whimbrel.errors import ValueMismatch
from whimbrel.model import literals as lit

# A message is read on one line of a terminal: values longer than this are cut.
SHOWN_CHARACTERS = 60
# A path into a value that contains itself is as long as the stack is deep; its ends say enough.
PATH_CHARACTERS = 240

# Where an object lies in memory says nothing to its reader.
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")

_short = reprlib.Repr()
_short.maxlevel = 3
_short.maxstring = _short.maxother = _short.maxlong = SHOWN_CHARACTERS


def type_name(python_type: Any) -> str:
    """``python_type`` as its author would write it: ``int``, ``list[Point]``, ``Point | None``."""
    if python_type is None or python_type is type(None):
        return "None"
    origin = typing.get_origin(python_type)
    if origin is typing.Annotated:
        return type_name(python_type.__origin__)
    if origin is not None:
        arguments = typing.get_args(python_type)
        if origin is typing.Union or type(python_type).__name__ == "UnionType":
            return " | ".join(type_name(argument) for argument in arguments)
        if origin is typing.Literal:
            return f"Literal[{', '.join(repr(argument) for argument in arguments)}]"
        inner = ", ".join("..." if argument is ... else type_name(argument) for argument in arguments)
        return f"{type_name(origin)}[{inner}]" if inner else type_name(origin)
    if isinstance(python_type, type):
        return python_type.__qualname__.rpartition("<locals>.")[2]
    name = getattr(python_type, "__name__", None)
    return name if isinstance(name, str) else repr(python_type)


def full_name(python_type: Any) -> str:
    """``module.QualName`` of a class, with its arguments if it is generic."""
    origin = typing.get_origin(python_type) or python_type
    module = getattr(origin, "__module__", "")
    return f"{module}.{origin.__qualname__}{type_name(python_type).removeprefix(type_name(origin))}"


def shown(value: object) -> str:
    """The type of ``value`` and a short repr of it, whatever its ``__repr__`` does."""
    if value is None:
        return "None"
    try:
        text = _short.repr(value)
    except Exception as error:
        text = f"(its repr raises {type(error).__name__})"
    text = _ADDRESS.sub("", " ".join(text.split()))
    if len(text) > SHOWN_CHARACTERS:
        text = f"{text[: SHOWN_CHARACTERS - 1]}…"
    return f"{type(value).__name__} {text}"


def mismatch(expected: str, value: object, because: str = "") -> ValueMismatch:
    """The error for a Python value; ``because`` is added when the type alone does not explain it."""
    return ValueMismatch(expected, shown(value) + (f" ({because})" if because else ""))


def literal_mismatch(expected: str, literal: lit.Literal, because: str = "") -> ValueMismatch:
    """The error for a literal."""
    return ValueMismatch(expected, _shown_literal(literal) + (f" ({because})" if because else ""))


def under(error: ValueMismatch, step: str) -> ValueMismatch:
    """``error`` with ``step`` (``.name``, ``[3]``) put before its path: the same object, to be raised again."""
    path = f"${step}{error.path[1:]}"
    if len(path) > PATH_CHARACTERS:
        half = PATH_CHARACTERS // 2
        path = f"{path[:half]}…{path[-half + 1 :]}"
    # Through __init__, which is what puts the message together.
    ValueMismatch.__init__(error, error.expected, error.got, path, error.where)
    return error


def field_step(name: str) -> str:
    """The step to a field or key."""
    return f".{name}" if name.isidentifier() else f"[{shown_key(name)}]"


def shown_key(key: object) -> str:
    """A key of a dict as a step shows it."""
    return _short.repr(key)


def _shown_literal(literal: lit.Literal) -> str:
    match literal:
        case lit.NoneLiteral():
            return "None"
        case lit.BigIntLiteral(value=digits):
            return f"int {digits[:SHOWN_CHARACTERS]}"
        case lit.ListLiteral(items=items):
            return f"a list of {len(items)}"
        case lit.MapLiteral(items=fields):
            return f"a struct with {', '.join(list(fields)[:8]) or 'no fields'}"
        case lit.UnionLiteral(value=inner):
            return _shown_literal(inner)
        case lit.BlobLiteral(uri=uri, multipart=multipart):
            return f"{'directory' if multipart else 'file'} {uri}"
        case lit.DatasetLiteral(uri=uri):
            return f"dataset {uri}"
        case lit.RefLiteral(uri=uri):
            return f"an unread reference to {uri}"
        case lit.DurationLiteral(days=days, seconds=seconds, microseconds=microseconds):
            return f"timedelta {days}d {seconds}.{microseconds:06}s"
        case lit.BytesLiteral(value=value, encoding=encoding) if encoding:
            return f"{len(value)} bytes of {encoding}"
        case _:
            return shown(literal.value)
