"""From bindings to literals: what goes into a node, and what comes out of a graph.

Knows: bindings, interfaces and frames. Must not know: when a node is ready. References to blobs are passed on, never
read.
"""

from __future__ import annotations

import datetime as dt
from typing import assert_never

from whimbrel.engine.nodes import Frame
from whimbrel.model.interface import Interface
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
    StepMissing,
    StrLiteral,
    UnionLiteral,
    at_path,
    render_path,
)
from whimbrel.model.program import START, Binding, ListBinding, LiteralBinding, MapBinding, PromiseBinding


class Unbound(Exception):
    """A binding leads to nothing, or to a value of another type. The message is for the author."""


def resolve(binding: Binding, frame: Frame) -> Literal:
    """The literal that ``binding`` stands for. Raises ``Unbound``."""
    match binding:
        case PromiseBinding():
            return _promised(binding, frame)
        case LiteralBinding():
            return binding.value
        case ListBinding():
            return ListLiteral(tuple([resolve(item, frame) for item in binding.items]))
        case MapBinding():
            return MapLiteral({name: resolve(item, frame) for name, item in binding.items.items()})
        case _:
            assert_never(binding)


def _promised(binding: PromiseBinding, frame: Frame) -> Literal:
    if binding.node == START:
        source, values = f"input {binding.var!r} of {frame.graph.name}", frame.inputs
    else:
        source = f"output {binding.var!r} of {binding.node}"
        producer = frame.nodes.get(binding.node)
        if producer is None or not producer.phase.has_outputs:
            raise Unbound(f"{source} does not exist: that node has not run; add it to the upstream nodes")
        values = producer.outputs
    literal = values.get(binding.var)
    if literal is None:
        raise Unbound(f"{source} does not exist")
    if not binding.path:
        return literal
    try:
        return at_path(literal, binding.path)
    except StepMissing as missing:
        raise Unbound(f"{missing} in {source} (wanted {render_path(binding.path)})") from None


def resolve_all(bindings: dict[str, Binding], frame: Frame, what: str) -> Literals:
    """Every binding by name; ``what`` says in messages what they are ("input", "output")."""
    found: Literals = {}
    for name, binding in bindings.items():
        try:
            found[name] = resolve(binding, frame)
        except Unbound as unbound:
            raise Unbound(f"{what} {name!r} cannot be bound: {unbound}") from None
    return found


def complete(given: Literals, interface: Interface, entity: str) -> Literals:
    """``given`` with defaults filled in, in the interface's order.

    Raises ``Unbound`` for missing and unknown inputs.
    """
    declared = interface.inputs
    if len(given) == len(declared) and all(map(declared.__contains__, given)):
        return given
    unknown = [name for name in given if name not in declared]
    if unknown:
        known = ", ".join(declared) or "none"
        raise Unbound(f"{entity} has no input {', '.join(map(repr, unknown))}; it has: {known}")
    whole: Literals = {}
    missing: list[str] = []
    for name, parameter in declared.items():
        literal = given.get(name, parameter.default)
        if literal is None:
            missing.append(f"{name!r} ({describe(parameter.type)})")
        else:
            whole[name] = literal
    if missing:
        raise Unbound(f"{entity} needs input {', '.join(missing)}, which has no default and was not given")
    return whole


def check(given: Literals, interface: Interface, entity: str) -> None:
    """Raise ``Unbound`` when an input's literal is not of its declared type."""
    for name, literal in given.items():
        wrong = mismatch(literal, interface.inputs[name].type)
        if wrong:
            raise Unbound(f"input {name!r} of {entity}: {wrong}")


_SIMPLE: dict[Simple, tuple[type, ...]] = {
    Simple.NONE: (NoneLiteral,),
    Simple.INTEGER: (IntLiteral, BigIntLiteral),
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
    ListLiteral: "list",
    MapLiteral: "dict",
    BlobLiteral: "file or directory",
}


def mismatch(literal: Literal, declared: LiteralType, path: tuple[str | int, ...] = ()) -> str:
    """What is wrong with ``literal`` as a ``declared``, "" when nothing is. A reference is taken on trust."""
    if isinstance(literal, RefLiteral) or declared == ANY:
        return ""
    if isinstance(literal, UnionLiteral):
        if not isinstance(declared, UnionType):
            return mismatch(literal.value, declared, path)
        if 0 <= literal.variant < len(declared.variants):
            return mismatch(literal.value, declared.variants[literal.variant], path)
        return f"{describe(declared)} has no variant {literal.variant} at {render_path(path)}"
    match declared, literal:
        case SimpleType(), _ if isinstance(literal, _SIMPLE[declared.simple]):
            return ""
        case UnionType(), _ if any(not mismatch(literal, variant, path) for variant in declared.variants):
            return ""
        case EnumType(), IntLiteral() | StrLiteral() | BoolLiteral() | FloatLiteral() if (
            literal.value in declared.values
        ):
            return ""
        case EnumType(), NoneLiteral() if None in declared.values:
            return ""
        case ListType(), ListLiteral():
            return _first(mismatch(item, declared.item, (*path, at)) for at, item in enumerate(literal.items))
        case TupleType(), ListLiteral() if len(literal.items) == len(declared.items):
            pairs = enumerate(zip(literal.items, declared.items, strict=True))
            return _first(mismatch(item, kind, (*path, at)) for at, (item, kind) in pairs)
        case MapType(), MapLiteral():
            return _first(mismatch(item, declared.value, (*path, name)) for name, item in literal.items.items())
        case StructType(fields=None), MapLiteral() | ListLiteral():
            return ""
        case StructType(fields=dict() as fields), MapLiteral():
            absent = [name for name in fields if name not in literal.items and name not in declared.optional]
            if absent:
                return f"{describe(declared)} has no field {', '.join(absent)} at {render_path(path)}"
            known = ((name, item) for name, item in literal.items.items() if name in fields)
            return _first(mismatch(item, fields[name], (*path, name)) for name, item in known)
        case BlobType(), BlobLiteral() if literal.multipart == declared.multipart:
            return ""
        case DatasetType() | BinaryType(), _:
            return ""
    got = _NAMES.get(type(literal), type(literal).__name__)
    return f"expected {describe(declared)}, got {got} at {render_path(path)}"


def _first(found: object) -> str:
    for wrong in found:  # type: ignore[attr-defined]
        if wrong:
            return str(wrong)
    return ""


def scalar(literal: Literal) -> object:
    """The Python value of a scalar literal, for comparisons.

    Raises ``Unbound`` for everything that has no place in one.
    """
    while isinstance(literal, UnionLiteral):
        literal = literal.value
    match literal:
        case IntLiteral() | FloatLiteral() | StrLiteral() | BoolLiteral() | DatetimeLiteral() | DateLiteral():
            return literal.value
        case BigIntLiteral():
            return int(literal.value)
        case DurationLiteral():
            return dt.timedelta(days=literal.days, seconds=literal.seconds, microseconds=literal.microseconds)
        case NoneLiteral():
            return None
        case RefLiteral():
            raise Unbound("a value too large to be inline cannot be compared; compare a small output instead")
        case _:
            raise Unbound(f"a {_NAMES.get(type(literal), type(literal).__name__)} cannot be compared")
