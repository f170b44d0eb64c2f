"""From bindings to literals: what goes into a node, and what comes out of a graph.

Knows: bindings, interfaces and frames. Must not know: when a node is ready. References to blobs are passed on, never
read.
"""

from __future__ import annotations

import datetime as dt
from typing import assert_never

from whimbrel.engine.nodes import Frame
from whimbrel.graph.conformance import misfit, name_of
from whimbrel.model.interface import Interface
from whimbrel.model.literal_types import describe
from whimbrel.model.literals import (
    BigIntLiteral,
    BoolLiteral,
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
        wrong = misfit(literal, interface.inputs[name].type)
        if wrong:
            raise Unbound(f"input {name!r} of {entity}: {wrong}")


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
            raise Unbound(f"{name_of(literal)} cannot be compared")
