"""The attempt of a dynamic workflow: its body is called, and what it has laid out is made fit to travel.

Knows: graphs, literals, the blob port. Must not know: how the body is traced.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from whimbrel.authoring.context import ExecutionContext
from whimbrel.authoring.dynamic import Dynamic
from whimbrel.graph.passes import replace_constants, replace_constants_in_node
from whimbrel.model.attempt import Succeeded, Unfolded
from whimbrel.model.literals import Literals
from whimbrel.model.program import Graph, LiteralBinding
from whimbrel.model.run import AttemptId
from whimbrel.runtime.ports import BlobStore
from whimbrel.runtime.values import write_literal


def unfold(
    entity: Dynamic[..., Any],
    inputs: dict[str, Any],
    *,
    execution: ExecutionContext,
    attempt: AttemptId,
    blobs: BlobStore,
    clock: Callable[[], float],
    refuse: Callable[[Literals], None],
) -> Succeeded | Unfolded:
    """What the attempt ends with: its values, if the body has called nothing.

    ``refuse`` raises for constants that must not be written down. Raises that, what the body raises, and
    ``CompileError`` when what it has laid out is wrong.
    """
    unfolding = entity.unfold(inputs, execution)
    graph = kept(unfolding.graph, blobs, refuse)
    if graph.nodes:
        return Unfolded(attempt, graph, unfolding.define, clock())
    outputs: Literals = {}
    for name, binding in graph.outputs.items():
        assert isinstance(binding, LiteralBinding)
        outputs[name] = binding.value
    return Succeeded(attempt, outputs, clock())


def kept(graph: Graph, blobs: BlobStore, refuse: Callable[[Literals], None]) -> Graph:
    """``graph`` with its large constants, and the files in them, in the blob store."""

    def keep(constant: LiteralBinding) -> LiteralBinding:
        refuse({"constant": constant.value})
        literal = write_literal(constant.value, blobs)
        return constant if literal is constant.value else LiteralBinding(literal)

    nodes = tuple(replace_constants_in_node(node, keep) for node in graph.nodes)
    outputs = {name: replace_constants(binding, keep) for name, binding in graph.outputs.items()}
    handler = None if graph.failure_node is None else replace_constants_in_node(graph.failure_node, keep)
    return replace(graph, nodes=nodes, outputs=outputs, failure_node=handler)
