"""Whether a literal is of a literal type. Knows both unions, nothing else."""

from __future__ import annotations

from collections.abc import Iterable

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
    RefLiteral,
    StrLiteral,
    UnionLiteral,
)

_SCALARS: dict[Simple, tuple[type, ...]] = {
    Simple.NONE: (NoneLiteral,),
    Simple.INTEGER: (IntLiteral, BigIntLiteral),
    # An int goes where a float is wanted.
    Simple.FLOAT: (FloatLiteral, IntLiteral, BigIntLiteral),
    Simple.STRING: (StrLiteral,),
    Simple.BOOLEAN: (BoolLiteral,),
    Simple.DATETIME: (DatetimeLiteral,),
    Simple.DATE: (DateLiteral,),
    Simple.DURATION: (DurationLiteral,),
    Simple.BYTES: (BytesLiteral,),
}

_NAMES: dict[type, str] = {
    NoneLiteral: "None",
    IntLiteral: "int",
    BigIntLiteral: "int",
    FloatLiteral: "float",
    StrLiteral: "str",
    BoolLiteral: "bool",
    DatetimeLiteral: "datetime",
    DateLiteral: "date",
    DurationLiteral: "timedelta",
    BytesLiteral: "bytes",
    ListLiteral: "a list",
    MapLiteral: "a dict",
    BlobLiteral: "a file",
    DatasetLiteral: "a dataset",
    RefLiteral: "a reference",
}


def kind_of(literal: Literal) -> LiteralType | None:
    """The type of a scalar literal; ``None`` for any other."""
    if isinstance(literal, UnionLiteral):
        return kind_of(literal.value)
    return next((SimpleType(simple) for simple, kinds in _SCALARS.items() if type(literal) is kinds[0]), None)


def name_of(literal: Literal) -> str:
    """What a literal is, in a message: ``int``, ``a list``, ``a file``."""
    return _NAMES[type(literal)]


def misfit(literal: Literal, kind: LiteralType, path: str = "$") -> str:
    """Why ``literal`` is not of type ``kind``, with a path into it; "" if it is.

    A reference fits anything: it is not read.
    """
    if isinstance(literal, RefLiteral) or kind == ANY:
        return ""
    if isinstance(literal, UnionLiteral):
        if isinstance(kind, UnionType):
            if 0 <= literal.variant < len(kind.variants):
                return misfit(literal.value, kind.variants[literal.variant], path)
            return f"{describe(kind)} has no variant {literal.variant} at {path}"
        return misfit(literal.value, kind, path)
    wrong = f"expected {describe(kind)}, got {name_of(literal)} at {path}"
    match kind:
        case UnionType(variants=variants):
            return "" if any(not misfit(literal, variant, path) for variant in variants) else wrong
        case SimpleType(simple=simple):
            return "" if isinstance(literal, _SCALARS[simple]) else wrong
        case EnumType(values=values):
            value = None if isinstance(literal, NoneLiteral) else getattr(literal, "value", _NOTHING)
            fits = any(value == allowed and type(value) is type(allowed) for allowed in values)
            return "" if fits else f"expected one of {', '.join(map(repr, values))}, got {value!r} at {path}"
        case ListType(item=item):
            if not isinstance(literal, ListLiteral):
                return wrong
            return _first(misfit(each, item, f"{path}[{position}]") for position, each in enumerate(literal.items))
        case TupleType(items=items):
            if not isinstance(literal, ListLiteral):
                return wrong
            if len(literal.items) != len(items):
                return f"expected {describe(kind)}, got {len(literal.items)} items at {path}"
            pairs = enumerate(zip(literal.items, items, strict=True))
            return _first(misfit(each, item, f"{path}[{position}]") for position, (each, item) in pairs)
        case MapType(value=value_kind):
            if not isinstance(literal, MapLiteral):
                return wrong
            return _first(misfit(each, value_kind, f"{path}.{key}") for key, each in literal.items.items())
        case StructType(fields=fields, optional=optional):
            if not isinstance(literal, MapLiteral):
                return "" if fields is None and isinstance(literal, ListLiteral) else wrong
            if fields is None:
                return ""
            for name, field in fields.items():
                if name not in literal.items:
                    if name not in optional:
                        return f"{describe(kind)} lacks {name!r} at {path}"
                elif fault := misfit(literal.items[name], field, f"{path}.{name}"):
                    return fault
            return ""
        case BlobType(multipart=multipart):
            return "" if isinstance(literal, BlobLiteral) and literal.multipart == multipart else wrong
        case DatasetType():
            return "" if isinstance(literal, DatasetLiteral) else wrong
        case BinaryType(encoding=encoding):
            # A large one is a file of its own.
            large = isinstance(literal, BlobLiteral) and literal.format == encoding
            return "" if large or isinstance(literal, BytesLiteral) else wrong


_NOTHING = object()


def _first(faults: Iterable[str]) -> str:
    return next((fault for fault in faults if fault), "")
