"""Python values to literals and back, for what is launched elsewhere: by the entity's own types where it is at hand,
by the types of the registered interface where it is not.

Values of what was fetched by name are plain: numbers, text, moments, lists, dicts for structs, ``FlyteFile``,
``FlyteDirectory``, ``StructuredDataset``; ``get(name, as_type=…)`` makes others of them.

Knows: types, literals, interfaces. Must not know: transports, runs.
"""

from __future__ import annotations

import datetime as dt
import enum
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from whimbrel.authoring.calling import Direct, current
from whimbrel.authoring.context import ExecutionContext
from whimbrel.authoring.entity import Entity
from whimbrel.errors import CallMismatch, InputInvalid, UnsupportedType, ValueMismatch
from whimbrel.model.interface import Interface
from whimbrel.model.literal_types import (
    BlobType,
    DatasetType,
    ListType,
    LiteralType,
    MapType,
    Simple,
    SimpleType,
    StructType,
    TupleType,
    UnionType,
    assignable,
    describe,
)
from whimbrel.model.literals import (
    BigIntLiteral,
    BlobLiteral,
    BytesLiteral,
    DatasetLiteral,
    DatetimeLiteral,
    DurationLiteral,
    FloatLiteral,
    ListLiteral,
    Literal,
    Literals,
    MapLiteral,
    NoneLiteral,
    UnionLiteral,
)
from whimbrel.runtime.literal_text import from_json
from whimbrel.runtime.ports import BlobStore
from whimbrel.runtime.values import read_literal, write_literals
from whimbrel.types.blobs import FileStore
from whimbrel.types.datasets import StructuredDataset
from whimbrel.types.directories import FlyteDirectory
from whimbrel.types.files import FlyteFile
from whimbrel.types.mismatch import mismatch
from whimbrel.types.registry import default_registry


@contextmanager
def files_in(store: FileStore) -> Iterator[None]:
    """Files that are made or read in the block are those of ``store``."""
    token = current.set(Direct(ExecutionContext(files=store)))
    try:
        yield
    finally:
        current.reset(token)


# --- in --------------------------------------------------------------------------------------------------------------


def encode_inputs(
    interface: Interface,
    values: Mapping[str, Any],
    store: BlobStore,
    *,
    what: str,
    entity: Entity[..., Any] | None = None,
    type_hints: Mapping[str, Any] | None = None,
) -> Literals:
    """The literals of ``values``, their files and tables in ``store``. What has a default may be left out.

    Raises ``CallMismatch`` (missing, unknown), ``ValueMismatch``.
    """
    _check_names(interface, values, what)
    made: Literals = {}
    with files_in(store):
        for name, value in values.items():
            try:
                if entity is not None and name in entity.signature.inputs:
                    made[name] = entity.signature.inputs[name].encode(value)
                elif type_hints and name in type_hints:
                    made[name] = default_registry().transformer(type_hints[name]).encode(value)
                else:
                    made[name] = encode(value, interface.inputs[name].type)
            except ValueMismatch as error:
                said = ValueMismatch(error.expected, error.got, error.path, f"{what}, input {name!r}")
                said.add_note(f"Give it {describe(interface.inputs[name].type)}.")
                raise said from None
        return write_literals(made, store)


def _check_names(interface: Interface, values: Mapping[str, Any], what: str) -> None:
    unknown = [name for name in values if name not in interface.inputs]
    takes = ", ".join(interface.inputs) or "none"
    if unknown:
        raise CallMismatch(f"{what} has no input {unknown[0]!r}; it takes {takes}.")
    missing = [name for name, parameter in interface.inputs.items() if name not in values and parameter.default is None]
    if missing:
        told = ", ".join(f"{name!r} ({describe(interface.inputs[name].type)})" for name in missing)
        raise CallMismatch(f"{what} lacks the input{'s' if len(missing) > 1 else ''} {told}. Give it.")


def encode(value: Any, kind: LiteralType, path: str = "$") -> Literal:
    """The literal of a Python value for the type ``kind``. Raises ``ValueMismatch``."""
    match kind, value:
        case UnionType(variants=variants), _:
            return _encode_union(value, variants, kind, path)
        case ListType(item=item), list() | tuple():
            return ListLiteral(tuple(encode(part, item, f"{path}[{at}]") for at, part in enumerate(value)))
        case TupleType(items=items), list() | tuple() if len(items) == len(value):
            pairs = enumerate(zip(value, items, strict=True))
            return ListLiteral(tuple(encode(part, item, f"{path}[{at}]") for at, (part, item) in pairs))
        case MapType(value=inner), dict():
            return MapLiteral({str(key): encode(part, inner, f"{path}[{key!r}]") for key, part in value.items()})
        case StructType(fields=dict() as fields), dict() if fields and set(value) <= set(fields):
            lacking = [name for name in fields if name not in value and name not in kind.optional]
            if not lacking:
                return MapLiteral({name: encode(part, fields[name], f"{path}.{name}") for name, part in value.items()})
        case BlobType(multipart=multipart), str() | os.PathLike():
            wanted = (FlyteDirectory if multipart else FlyteFile)[kind.format] if kind.format else None
            plain = FlyteDirectory if multipart else FlyteFile
            return default_registry().transformer(wanted or plain).encode(value)
        case DatasetType(), _ if not isinstance(value, str | StructuredDataset):
            return default_registry().transformer(StructuredDataset).encode(StructuredDataset(dataframe=value))
        case SimpleType(simple=Simple.FLOAT), int() if not isinstance(value, bool):
            return FloatLiteral(float(value))
    if _is_json(value):
        return from_json(value.value if isinstance(value, enum.Enum) else value, kind, path)
    try:
        transformer = default_registry().transformer(type(value))
    except UnsupportedType:
        raise mismatch(describe(kind), value) from None
    if not assignable(transformer.literal_type, kind):
        raise mismatch(describe(kind), value)
    return transformer.encode(value)


def _is_json(value: Any) -> bool:
    return value is None or isinstance(value, bool | int | float | str | dict | list | enum.Enum)


def _encode_union(value: Any, variants: Sequence[LiteralType], kind: LiteralType, path: str) -> Literal:
    exact = [at for at, variant in enumerate(variants) if _fits_exactly(value, variant)]
    for at in (*exact, *(at for at in range(len(variants)) if at not in exact)):
        try:
            return UnionLiteral(at, encode(value, variants[at], path))
        except ValueMismatch:
            continue
    raise mismatch(describe(kind), value)


def _fits_exactly(value: Any, kind: LiteralType) -> bool:
    simple = {
        int: Simple.INTEGER,
        float: Simple.FLOAT,
        str: Simple.STRING,
        bool: Simple.BOOLEAN,
        type(None): Simple.NONE,
    }
    return isinstance(kind, SimpleType) and simple.get(type(value)) == kind.simple


# --- out -------------------------------------------------------------------------------------------------------------


class Values(Mapping[str, Any]):
    """Inputs or outputs by name, as Python values that are made when they are looked at. ``literals`` are what they are
    made of; nothing of a file or of a large value is fetched before."""

    def __init__(
        self, literals: Mapping[str, Literal], store: BlobStore, transformers: Mapping[str, Any] | None = None
    ) -> None:
        self.literals = dict(literals)
        self._store = store
        self._transformers = dict(transformers or {})
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            self._made[name] = self._value(name, None)
        return self._made[name]

    def get(self, name: str, default: Any = None, *, as_type: Any = None) -> Any:
        """The value of ``name``, as a value of the type ``as_type`` if one is given; ``default`` where there is none.
        Raises ``ValueMismatch``."""
        if name not in self.literals:
            return default
        return self[name] if as_type is None else self._value(name, as_type)

    def _value(self, name: str, as_type: Any) -> Any:
        if name not in self.literals:
            raise KeyError(name)
        transformer = self._transformers.get(name) if as_type is None else default_registry().transformer(as_type)
        literal = read_literal(self.literals[name], self._store)
        with files_in(self._store):
            return decode(literal) if transformer is None else transformer.decode(literal)

    def __iter__(self) -> Iterator[str]:
        return iter(self.literals)

    def __len__(self) -> int:
        return len(self.literals)

    def __repr__(self) -> str:
        return f"<values {', '.join(self.literals) or 'none'}>"


def decode(literal: Literal) -> Any:
    """A literal as the plainest Python value that it may be. Raises ``InputInvalid`` for what only its author's class
    can read."""
    match literal:
        case NoneLiteral():
            return None
        case BigIntLiteral(value=digits):
            return int(digits)
        case UnionLiteral(value=inner):
            return decode(inner)
        case ListLiteral(items=items):
            return [decode(item) for item in items]
        case MapLiteral(items=fields):
            return {key: decode(item) for key, item in fields.items()}
        case BlobLiteral(multipart=multipart):
            return (FlyteDirectory if multipart else FlyteFile).of(literal)
        case DatasetLiteral():
            return default_registry().transformer(StructuredDataset).decode(literal)
        case DatetimeLiteral() | DurationLiteral():
            return default_registry().transformer(_TIMES[type(literal)]).decode(literal)
        case BytesLiteral(value=data, encoding=encoding):
            if encoding:
                raise InputInvalid(
                    f"a value in the encoding {encoding!r} can only be read by its class: get(name, as_type=TheClass)."
                )
            return data
        case _:
            return getattr(literal, "value", literal)


_TIMES: dict[type, type] = {DatetimeLiteral: dt.datetime, DurationLiteral: dt.timedelta}
