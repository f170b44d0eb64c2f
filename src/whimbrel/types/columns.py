"""Columns as authors declare them: ``Annotated[pd.DataFrame, kwtypes(name=str, price=float), "csv"]``.

Knows: literal types, Arrow's types (lazily). Must not know: any library of frames, any store.
"""

from __future__ import annotations

import typing
from typing import Any, NamedTuple

from whimbrel.errors import UnsupportedType, ValueMismatch
from whimbrel.model.literal_types import (
    BOOLEAN,
    BYTES,
    DATE,
    DATETIME,
    DURATION,
    FLOAT,
    INTEGER,
    STRING,
    ListType,
    LiteralType,
    MapType,
    Simple,
    SimpleType,
    StructType,
    UnionType,
    describe,
)
from whimbrel.types.hooks import Transformers
from whimbrel.types.mismatch import field_step, type_name

SHOWN_COLUMNS = 12
"""How many columns a message names."""


def kwtypes(**types: Any) -> dict[str, Any]:
    """Columns by name, each with its Python type: ``kwtypes(name=str, price=float)``."""
    return types


class Declared(NamedTuple):
    """What an annotation says of a table: its class, its columns in order (empty: any), its format ("": any)."""

    cls: Any
    columns: dict[str, LiteralType]
    format: str


def declared(python_type: Any, registry: Transformers) -> Declared:
    """What ``python_type`` says. Raises ``UnsupportedType`` for a column of a type that no column can have."""
    if typing.get_origin(python_type) is not typing.Annotated:
        return Declared(python_type, {}, "")
    columns: dict[str, LiteralType] = {}
    format_ = ""
    for item in python_type.__metadata__:
        if isinstance(item, dict):
            for name, kind in item.items():
                columns[name] = _column(name, kind, python_type, registry)
        elif isinstance(item, str) and item.lstrip(".").isalnum():
            # Any other text is a note of the author's.
            format_ = item.lstrip(".").lower()
        elif type(item).__module__.partition(".")[0] == "pyarrow" and type(item).__name__ == "Schema":
            columns.update({field.name: literal_type_of(field.type) for field in item})
    return Declared(python_type.__origin__, columns, format_)


def _column(name: str, kind: Any, python_type: Any, registry: Transformers) -> LiteralType:
    try:
        return registry.transformer(kind).literal_type
    except UnsupportedType as error:
        raise UnsupportedType(f"the column {name!r} of {type_name(python_type)}: {error}") from None


# --- against Arrow's schemas -----------------------------------------------------------------------------------------


def check_columns(schema: Any, columns: dict[str, LiteralType]) -> None:
    """Raise ``ValueMismatch``, with the column as its path, unless an Arrow schema has ``columns``, each of its type.

    Further columns are allowed; a column that holds nothing but nulls is of every type.
    """
    for name, kind in columns.items():
        at = schema.get_field_index(name)
        if at < 0:
            raise ValueMismatch(
                f"a column {name!r} of {describe(kind)}", f"a table of {names_of(schema.names)}", f"${field_step(name)}"
            )
        if not fits(schema.field(at).type, kind):
            raise ValueMismatch(
                f"a column {name!r} of {describe(kind)}", f"one of {schema.field(at).type}", f"${field_step(name)}"
            )


def names_of(names: list[str]) -> str:
    """Columns, as a message names them."""
    shown = ", ".join(map(repr, names[:SHOWN_COLUMNS]))
    return (shown or "no columns") + (f" and {len(names) - SHOWN_COLUMNS} more" if len(names) > SHOWN_COLUMNS else "")


def fits(arrow_type: Any, kind: LiteralType) -> bool:
    """Whether a column of an Arrow type holds values of ``kind``. Integers go where floats are wanted."""
    import pyarrow.types as are

    if are.is_null(arrow_type):
        return True
    if are.is_dictionary(arrow_type):
        return fits(arrow_type.value_type, kind)
    if isinstance(kind, UnionType):
        return any(fits(arrow_type, variant) for variant in kind.variants)
    if isinstance(kind, ListType):
        is_list = are.is_list(arrow_type) or are.is_large_list(arrow_type) or are.is_fixed_size_list(arrow_type)
        return is_list and fits(arrow_type.value_type, kind.item)
    if isinstance(kind, MapType | StructType):
        return bool(are.is_struct(arrow_type) or are.is_map(arrow_type))
    found = literal_type_of(arrow_type)
    return found == kind or (kind == FLOAT and found == INTEGER)


def literal_type_of(arrow_type: Any) -> LiteralType:
    """The literal type of the values of an Arrow type; an open struct for what has no other."""
    import pyarrow.types as are

    for test, kind in (
        (are.is_boolean, BOOLEAN),
        (are.is_integer, INTEGER),
        (are.is_floating, FLOAT),
        (are.is_decimal, FLOAT),
        (are.is_string, STRING),
        (are.is_large_string, STRING),
        (are.is_string_view, STRING),
        (are.is_timestamp, DATETIME),
        (are.is_date, DATE),
        (are.is_duration, DURATION),
        (are.is_binary, BYTES),
        (are.is_large_binary, BYTES),
        (are.is_fixed_size_binary, BYTES),
    ):
        if test(arrow_type):
            return kind
    if are.is_dictionary(arrow_type):
        return literal_type_of(arrow_type.value_type)
    if are.is_list(arrow_type) or are.is_large_list(arrow_type) or are.is_fixed_size_list(arrow_type):
        return ListType(literal_type_of(arrow_type.value_type))
    return StructType()


def arrow_type_of(kind: LiteralType) -> Any:
    """The Arrow type that a format without types (CSV) is read as where ``kind`` is declared; ``None``: as it looks."""
    import pyarrow as pa

    if not isinstance(kind, SimpleType):
        return None
    return {
        Simple.BOOLEAN: pa.bool_(),
        Simple.INTEGER: pa.int64(),
        Simple.FLOAT: pa.float64(),
        Simple.STRING: pa.string(),
        Simple.DATETIME: pa.timestamp("us"),
        Simple.DATE: pa.date32(),
    }.get(kind.simple)
