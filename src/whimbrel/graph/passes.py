"""Walks over a graph: what a binding needs, upstream nodes, order, cycles. None of them recurses along edges.

Knows the IR. Must not know how a graph was made, or what is right and wrong about it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeAlias

import msgspec

from whimbrel.model.program import (
    START,
    Binding,
    Bracket,
    BranchTarget,
    Comparison,
    Condition,
    ListBinding,
    LiteralBinding,
    MapBinding,
    Node,
    PromiseBinding,
)


def promises(binding: Binding) -> Iterator[PromiseBinding]:
    """Every promise in ``binding``, in order."""
    if isinstance(binding, PromiseBinding):
        yield binding
    elif isinstance(binding, ListBinding):
        for item in binding.items:
            yield from promises(item)
    elif isinstance(binding, MapBinding):
        for item in binding.items.values():
            yield from promises(item)


def condition_promises(condition: Condition) -> Iterator[PromiseBinding]:
    """Every promise in ``condition``, left to right."""
    if isinstance(condition, Comparison):
        yield from promises(condition.left)
        yield from promises(condition.right)
    else:
        yield from condition_promises(condition.left)
        yield from condition_promises(condition.right)


def arms(target: BranchTarget) -> Iterator[Node]:
    """The nodes of a branch's arms, ``otherwise`` last."""
    for case in target.cases:
        yield case.node
    if target.otherwise is not None:
        yield target.otherwise


def node_promises(node: Node) -> Iterator[PromiseBinding]:
    """Every promise that must be there before ``node`` can run, those of a branch's conditions and arms included."""
    for binding in node.inputs.values():
        yield from promises(binding)
    if isinstance(node.target, BranchTarget):
        for case in node.target.cases:
            yield from condition_promises(case.condition)
        for arm in arms(node.target):
            yield from node_promises(arm)


def upstream(node: Node, explicit: Iterable[str] = ()) -> tuple[str, ...]:
    """The nodes that ``node``'s promises come from, in order of binding, then the explicit ones; each once."""
    found = {promise.node: None for promise in node_promises(node) if promise.node != START}
    found.update(dict.fromkeys(explicit))
    return tuple(found)


def bracketed(nodes: tuple[Node, ...], brackets: Iterable[Bracket]) -> tuple[Node, ...]:
    """``nodes`` with the edges of ``brackets``, inner ones first: from a setup to every source of its bracket, from
    every sink to the teardown; from setup to teardown where there is nothing between."""
    above = {node.id: dict.fromkeys(node.upstream) for node in nodes}
    for bracket in brackets:
        members = dict.fromkeys(bracket.members)
        sinks = dict(members)
        for member in members:
            inside = [id for id in above[member] if id in members]
            if not inside:
                above[member].setdefault(bracket.setup)
            for id in inside:
                sinks.pop(id, None)
        above[bracket.teardown].update(sinks or {bracket.setup: None})
    return tuple(
        node
        if len(above[node.id]) == len(node.upstream)
        else msgspec.structs.replace(node, upstream=tuple(above[node.id]))
        for node in nodes
    )


def topological_order(edges: Mapping[str, Iterable[str]]) -> tuple[list[str], list[str]]:
    """The nodes in order, and those in or behind a cycle. ``edges`` maps each node to its upstream nodes.

    Keeps the order of ``edges`` where it may. Linear. Upstream nodes that are no keys are ignored.
    """
    waiting: dict[str, int] = {}
    downstream: dict[str, list[str]] = {node: [] for node in edges}
    for node, sources in edges.items():
        known = [source for source in dict.fromkeys(sources) if source in downstream]
        waiting[node] = len(known)
        for source in known:
            downstream[source].append(node)
    order = [node for node, count in waiting.items() if count == 0]
    for node in order:  # grows while it is walked
        for follower in downstream[node]:
            waiting[follower] -= 1
            if waiting[follower] == 0:
                order.append(follower)
    done = set(order)
    return order, [node for node in edges if node not in done]


def find_cycle(edges: Mapping[str, Iterable[str]]) -> list[str]:
    """One cycle of ``edges`` (node to its upstream nodes), each node before the next; empty if there is none."""
    _, left = topological_order(edges)
    if not left:
        return []
    stuck = set(left)
    # Every stuck node has a stuck upstream node: walking upstream must come back to a node that was seen.
    path: dict[str, int] = {}
    node = left[0]
    while node not in path:
        path[node] = len(path)
        node = next(source for source in edges[node] if source in stuck)
    cycle = [*list(path)[path[node] :]]
    cycle.reverse()
    # Begin with the node that was made first, so that the message does not depend on where the walk began.
    first = min(range(len(cycle)), key=lambda position: left.index(cycle[position]))
    return cycle[first:] + cycle[:first]


def replace_promises(binding: Binding, change: Callable[[PromiseBinding], Binding]) -> Binding:
    """``binding`` with every promise changed."""
    return _replace_leaves(binding, lambda leaf: change(leaf) if isinstance(leaf, PromiseBinding) else leaf)


def replace_constants(binding: Binding, change: Callable[[LiteralBinding], Binding]) -> Binding:
    """``binding`` with every constant changed."""
    return _replace_leaves(binding, lambda leaf: change(leaf) if isinstance(leaf, LiteralBinding) else leaf)


Leaf: TypeAlias = PromiseBinding | LiteralBinding


def _replace_leaves(binding: Binding, change: Callable[[Leaf], Binding]) -> Binding:
    match binding:
        case ListBinding(items=items):
            return ListBinding(tuple(_replace_leaves(item, change) for item in items))
        case MapBinding(items=fields):
            return MapBinding({key: _replace_leaves(item, change) for key, item in fields.items()})
        case _:
            return change(binding)


def _replace_in_condition(condition: Condition, change: Callable[[Leaf], Binding]) -> Condition:
    if isinstance(condition, Comparison):
        return Comparison(
            condition.op, _replace_leaves(condition.left, change), _replace_leaves(condition.right, change)
        )
    return msgspec.structs.replace(
        condition,
        left=_replace_in_condition(condition.left, change),
        right=_replace_in_condition(condition.right, change),
    )


def replace_in_node(node: Node, change: Callable[[PromiseBinding], Binding]) -> Node:
    """``node`` with every promise changed, those inside a branch included."""
    return _replace_in_node(node, lambda leaf: change(leaf) if isinstance(leaf, PromiseBinding) else leaf)


def replace_constants_in_node(node: Node, change: Callable[[LiteralBinding], Binding]) -> Node:
    """``node`` with every constant changed, those inside a branch included."""
    return _replace_in_node(node, lambda leaf: change(leaf) if isinstance(leaf, LiteralBinding) else leaf)


def _replace_in_node(node: Node, change: Callable[[Leaf], Binding]) -> Node:
    target = node.target
    if isinstance(target, BranchTarget):
        cases = tuple(
            msgspec.structs.replace(
                case,
                condition=_replace_in_condition(case.condition, change),
                node=_replace_in_node(case.node, change),
            )
            for case in target.cases
        )
        otherwise = None if target.otherwise is None else _replace_in_node(target.otherwise, change)
        target = msgspec.structs.replace(target, cases=cases, otherwise=otherwise)
    inputs = {name: _replace_leaves(binding, change) for name, binding in node.inputs.items()}
    return msgspec.structs.replace(node, target=target, inputs=inputs)
