"""Maps: one node for every item of a list, so many at a time, and the lists of what they gave.

Knows: the items' inputs, how many may go on and how many must succeed. Must not know: how an item is carried out once
it is a node like any other.

Items are made when they begin, so a map that is stopped early has made no more of them than it needed. An event
costs what it changes: items are counted, never walked, until the map ends.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from msgspec.structs import replace

from whimbrel.engine import faults
from whimbrel.engine.binding import Unbound, complete
from whimbrel.engine.machine import Machine
from whimbrel.engine.making import adopt, aim, recovered, said_of, start
from whimbrel.engine.nodes import ArrayState, Kind, NodeState
from whimbrel.engine.stopping import stop
from whimbrel.engine.table import Trigger
from whimbrel.graph.conformance import name_of
from whimbrel.graph.interfaces import array_interface, program_interfaces, target_interface
from whimbrel.model.interface import Interface
from whimbrel.model.literal_types import NONE, LiteralType, UnionType
from whimbrel.model.literals import ListLiteral, Literal, Literals, NoneLiteral, RefLiteral, UnionLiteral
from whimbrel.model.program import ArrayTarget, Program

# A ratio of successes is a float: 0.7 of 10 items is 7 of them, not 8.
_ROUNDING = 1e-9


def begin_array(machine: Machine, state: NodeState) -> None:
    """Begin as many items as may go on at a time. The inputs are bound."""
    target = state.target
    assert isinstance(target, ArrayTarget)
    state.metadata = said_of(state)
    program = Program(machine.tasks, machine.workflows, machine.launch_plans)
    item = target_interface(target.target, program_interfaces(program))
    if item is None:
        raise Unbound(f"the program does not have what {target.name} runs")
    state.inputs = complete(state.inputs, array_interface(target, item), target.name)
    if machine.reuse and recovered(machine, state):
        return
    length = _length(target, state.inputs)
    start(machine, state)
    state.array = ArrayState(item, length, needed(target, length), target.concurrency)
    if length < (target.min_successes or 0) and length:
        message = f"{state.name} has {length} items, of which {target.min_successes} must succeed"
        machine.fail(state, faults.user(message, state.path, state.line))
    elif not length:
        _succeed(machine, state)
    else:
        _begin_items(machine, state, state.array)


def needed(target: ArrayTarget, length: int) -> int:
    """How many of ``length`` items must succeed."""
    if target.min_successes is not None:
        return min(target.min_successes, length)
    return min(length, math.ceil(target.min_success_ratio * length - _ROUNDING))


def _length(target: ArrayTarget, inputs: Literals) -> int:
    """How many items there are. Raises ``Unbound`` when an input is no list, or they are not of one length."""
    lengths: dict[str, int] = {}
    for name in target.mapped:
        if name not in inputs:
            raise Unbound(f"it is mapped over {name!r}, which is no input of it")
        found = _bare(inputs[name])
        match found:
            case ListLiteral(items=items):
                lengths[name] = len(items)
            case RefLiteral(length=length, path=()) if length >= 0:
                lengths[name] = length
            case RefLiteral():
                raise Unbound(
                    f"how long {name!r} is cannot be known: it is a part of a value that is too large to be inline; "
                    f"give the list as an output of its own"
                )
            case _:
                raise Unbound(f"{name!r} is mapped over, and is no list: it is {name_of(found)}")
    if not lengths:
        raise Unbound("it is mapped over no input")
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name} has {length}" for name, length in lengths.items())
        raise Unbound(f"the lists that it is mapped over have different lengths: {told}")
    return next(iter(lengths.values()))


def _bare(literal: Literal) -> Literal:
    while isinstance(literal, UnionLiteral):
        literal = literal.value
    return literal


def _begin_items(machine: Machine, state: NodeState, array: ArrayState) -> None:
    target = state.target
    assert isinstance(target, ArrayTarget)
    lists = {name: _bare(state.inputs[name]) for name in target.mapped}
    while array.begun < array.length and not (array.limit and array.active >= array.limit):
        _begin_item(machine, state, array, target, lists)


def _begin_item(
    machine: Machine, state: NodeState, array: ArrayState, target: ArrayTarget, lists: dict[str, Literal]
) -> None:
    position = array.begun
    array.begun += 1
    array.active += 1
    inner = target.target
    item = NodeState(f"{state.path}/{position}", str(position), Kind.TASK, inner.name, inner.name)
    aim(machine, item, inner)
    item.inputs = dict(state.inputs)
    for name, found in lists.items():
        item.inputs[name] = _item(found, position)
    item.metadata = state.metadata
    item.line = state.line
    item.host = state
    adopt(machine, item, state)
    machine.ready.append(item)


def _item(found: Literal, position: int) -> Literal:
    if isinstance(found, ListLiteral):
        return found.items[position]
    assert isinstance(found, RefLiteral)
    return replace(found, path=(*found.path, position))


def item_ended(machine: Machine, state: NodeState, item: NodeState) -> None:
    """An item has ended: another may begin; or the map has succeeded, or cannot succeed any more."""
    array = state.array
    assert array is not None
    if state.phase.terminal or state.verdict is not None:
        return
    if array.failure is None:
        if item.phase.has_outputs:
            array.succeeded += 1
        else:
            array.failed += 1
            array.first = array.first or item.failure or faults.user("it failed", item.path)
            if array.length - array.failed < array.needed:
                _doom(machine, state, array, item)
    if array.failure is not None:
        if not array.active:
            machine.fail(state, array.failure)
    elif array.begun < array.length:
        _begin_items(machine, state, array)
    elif not array.active:
        _succeed(machine, state)


def _doom(machine: Machine, state: NodeState, array: ArrayState, item: NodeState) -> None:
    """Success has become impossible: the rest is stopped."""
    assert array.first is not None
    failure = array.first
    if array.needed < array.length:
        note = f"{array.failed} of {array.length} items have failed, and {array.needed} must succeed"
        failure = replace(failure, notes=(*failure.notes, note))
    array.failure = failure
    machine.move(state, Trigger.CHILD_FAIL, f"{item.path} failed: {failure.title}")
    stop(machine, state.children, faults.aborted(f"{item.path} failed"))


def _succeed(machine: Machine, state: NodeState) -> None:
    array, target = state.array, state.target
    assert array is not None
    assert isinstance(target, ArrayTarget)
    outputs: Literals = {}
    try:
        for name, output in _declared(array.item).items():
            values = [_given(child, name, output, partial=target.partial) for child in state.children]
            outputs[name] = ListLiteral(tuple(values))
    except Unbound as unbound:
        machine.fail(state, faults.user(f"{state.name}: {unbound}", state.path, state.line))
    else:
        machine.succeed(state, outputs)


def _declared(item: Interface) -> dict[str, LiteralType]:
    return {name: output.type for name, output in item.outputs.items()}


def _given(item: NodeState, name: str, kind: LiteralType, *, partial: bool) -> Literal:
    """What an item gave. Where some may fail it is a variant of a union, as ``graph.interfaces`` declares it."""
    if not partial:
        return _output(item, name)
    variants: Sequence[LiteralType] = kind.variants if isinstance(kind, UnionType) else (kind,)
    if not item.phase.has_outputs:
        return UnionLiteral(variants.index(NONE) if NONE in variants else len(variants), NoneLiteral())
    if isinstance(kind, UnionType) or kind == NONE:
        return _output(item, name)
    return UnionLiteral(0, _output(item, name))


def _output(item: NodeState, name: str) -> Literal:
    found = item.outputs.get(name)
    if found is None:
        raise Unbound(f"output {name!r} of {item.path} does not exist")
    return found
