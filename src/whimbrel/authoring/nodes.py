"""``create_node``: a call whose node is wanted rather than its result."""

from __future__ import annotations

from typing import Any

from whimbrel.authoring.calling import Direct, current
from whimbrel.authoring.context import ExecutionContext
from whimbrel.authoring.entity import Entity
from whimbrel.authoring.local import LocalFlow, LocalNode
from whimbrel.authoring.promise import misuse
from whimbrel.authoring.tracer import NodeHandle, Tracer


def create_node(entity: Entity[..., Any], /, *args: Any, **inputs: Any) -> NodeHandle | LocalNode:
    """Add a node that runs ``entity``: ``.outputs``, ``.o0`` or named outputs, ``a >> b``, ``.with_overrides(...)``.

    In a plain call of the workflow the entity runs then and there. Raises ``PromiseMisuse`` in an eager body.
    """
    if not isinstance(entity, Entity):
        raise misuse(
            f"create_node is given {type(entity).__name__} {getattr(entity, '__name__', '')!r}",
            "Give it a task, a workflow or an eager workflow: is the @task missing?",
        )
    entity, args, inputs = entity.prepared(args, inputs)
    caller = current.get()
    if isinstance(caller, Tracer | LocalFlow):
        return caller.create_node(entity, args, inputs)
    if isinstance(caller, Direct):
        return LocalFlow(ExecutionContext()).create_node(entity, args, inputs)
    raise misuse("create_node is used in an eager workflow", f"Await the call: `await {entity.short_name}(...)`.")
