"""``on_failure``: what runs when a workflow does not succeed, compiled and in a plain call.

Knows: entities, and which input is told the error. Must not know: how a workflow comes to its end.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from whimbrel.authoring.context import ExecutionContext
from whimbrel.authoring.entity import Entity
from whimbrel.authoring.signature import Signature
from whimbrel.authoring.tracer import Tracer
from whimbrel.errors import Problem
from whimbrel.graph.failure_input import error_input, error_literal, none_literal
from whimbrel.model.failure import Failure
from whimbrel.model.literals import Literal
from whimbrel.model.program import START, Binding, LiteralBinding, Node, PromiseBinding
from whimbrel.types.capturing import capture

NODE_ID = "fn0"
"""The id of a failure node: flytekit's."""


def failure_node(
    tracer: Tracer, signature: Signature, handler: Any, inputs_are: Mapping[str, Literal] | None = None
) -> tuple[Node | None, str]:
    """The node that runs ``handler`` when the workflow of ``signature`` does not succeed, and the input of it that is
    told the error. ``inputs_are``: those of the workflow, for a graph that takes none. What does not fit is told to
    ``tracer``."""
    line = signature.line

    def wrong(message: str, remedy: str) -> None:
        tracer.tell([Problem(f"{signature.name}: {message}", remedy=remedy, file=line.file or None, line=line.line)])

    if not isinstance(handler, Entity) or handler.noun == "launch plan":
        wrong(f"on_failure is {handler!r}", "Give it a task or a workflow.")
        return None, ""
    if handler.read.problems:
        tracer.tell(handler.read.problems)
        return None, ""
    interface = handler.interface
    told = error_input(interface)
    inputs: dict[str, Binding] = {}
    for name, parameter in interface.inputs.items():
        if name in signature.inputs:
            given = None if inputs_are is None else inputs_are[name]
            inputs[name] = PromiseBinding(START, name) if given is None else LiteralBinding(given)
            continue
        literal = _stand_in(parameter.default, none_literal(parameter.type))
        if literal is not None:
            inputs[name] = LiteralBinding(literal)
        elif name != told:
            takes = ", ".join(signature.inputs) or "none"
            wrong(
                f"its on_failure, {handler.short_name}, takes {name!r}, which is no input of the workflow ({takes})",
                f"Give {name!r} a default, or take it from the workflow's inputs; "
                "the error goes to `err: FlyteError | None`.",
            )
    target = handler.target()
    tracer.enter(handler, target)
    return Node(NODE_ID, target, inputs, line=line), "" if told in signature.inputs else told


def _stand_in(default: Literal | None, none: Literal | None) -> Literal | None:
    return default if default is not None else none


def handle_failure(handler: Any, given: Mapping[str, Any], error: BaseException, execution: ExecutionContext) -> None:
    """Run ``handler`` in a plain call of a workflow that raised ``error``. If it raises too, the error has a note."""
    signature: Signature = handler.signature
    failure = capture(error) if isinstance(error, Exception) else None
    title = failure.title if failure is not None else f"{type(error).__name__}: {error}"
    told = error_input(signature.interface)
    inputs: dict[str, Any] = {}
    for name, transformer in signature.inputs.items():
        if name in given:
            inputs[name] = given[name]
        elif name == told:
            literal = error_literal(transformer.literal_type, title, _node_of(failure))
            assert literal is not None
            inputs[name] = transformer.decode(literal)
        else:
            inputs[name] = signature.defaults.get(name)
    try:
        signature.check_inputs(inputs)
        handler.run_blocking(inputs, execution)
    except Exception as another:
        error.add_note(f"its on_failure, {handler.short_name}, failed too: {type(another).__name__}: {another}")


def _node_of(failure: Failure | None) -> str:
    return failure.node if failure is not None else ""
