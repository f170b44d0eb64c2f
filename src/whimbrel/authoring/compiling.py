"""From a workflow's body to its graph, and from a workflow to the program that a run of it needs.

Knows the tracer and the checks. Must not know how a workflow is written: it is handed a body that takes promises.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from msgspec import Struct

from whimbrel.authoring.entity import Part
from whimbrel.authoring.failure_handler import failure_node
from whimbrel.authoring.promise import Outputs, Void
from whimbrel.authoring.signature import Signature
from whimbrel.authoring.source import exception_position
from whimbrel.authoring.tracer import NodePromise, Tracer
from whimbrel.errors import CallMismatch, CompileError, Problem, UserError
from whimbrel.graph.check import check_calls, check_graph
from whimbrel.graph.interfaces import Called
from whimbrel.model.interface import Interface
from whimbrel.model.program import Binding, FailurePolicy, Graph, Metadata, Program


class Compiled(Struct, frozen=True):
    """What compiling gave: the graph, workflows made of conditionals' arms, what is called, and all that is wrong."""

    graph: Graph | None
    arms: dict[str, Graph]
    entities: tuple[Any, ...]
    problems: tuple[Problem, ...]
    said: dict[str, dict[str, Any]] = {}
    """The overrides of single nodes in the author's words, by node id."""

    def part(self, name: str) -> Part:
        """What the workflow ``name`` puts into a program."""
        own = {} if self.graph is None else {name: self.graph}
        return Part(Program(workflows={**own, **self.arms}), self.entities, self.problems)


def compile_body(
    body: Callable[..., Any],
    name: str,
    signature: Signature,
    *,
    layers: tuple[Any, ...] = (),
    failure_policy: FailurePolicy = FailurePolicy.FAIL_IMMEDIATELY,
    metadata: Metadata | None = None,
    on_failure: Any = None,
    doc: str = "",
) -> Compiled:
    """Trace ``body`` once. Raises nothing of the author's: what goes wrong is in ``problems``.

    ``layers`` are the code objects of the decorators around the body, outermost first, and of the body, last.
    ``on_failure`` is the entity that runs when the workflow does not succeed.
    """
    inputs = {key: transformer.literal_type for key, transformer in signature.inputs.items()}
    tracer = Tracer(name, inputs, layers=layers)
    tracer.tell(signature.problems)
    if signature.problems:
        return Compiled(None, {}, (), tuple(tracer.problems))
    try:
        value = tracer.trace(body, signature.names)
        finished = True
    except Exception as error:
        tracer.tell(problems_of(error, signature))
        value, finished = None, False
    outputs = bind_outputs(tracer, signature, value) if finished else {}
    complete = finished and outputs.keys() == signature.outputs.keys()
    handler, told = (None, "") if on_failure is None else failure_node(tracer, signature, on_failure)
    graph = tracer.builder.finish(
        signature._interface,
        outputs,
        failure_policy=failure_policy,
        metadata=metadata or Metadata(),
        doc=doc or signature.doc,
        line=signature.line,
        failure_node=handler,
        failure_error=told,
    )
    return conclude(tracer, graph, complete=complete)


def conclude(tracer: Tracer, graph: Graph, *, complete: bool) -> Compiled:
    """Check what a tracer made. An incomplete graph (its body raised, or its outputs are told of already) is
    checked without its outputs."""
    arms = tracer.builder.graphs

    def interface_of(target: Called) -> Interface | None:
        if target.name in arms:
            return arms[target.name].interface
        entity = tracer.entities.get(target)
        return None if entity is None else entity.read._interface

    if not complete:
        graph = Graph(graph.name, Interface(graph.interface.inputs), graph.nodes, line=graph.line)
    said = {(problem.file, problem.line) for problem in tracer.problems} | tracer.doubtful
    for each in (graph, *arms.values()):
        # One fault, one message: what was said of a line while it was traced is not said again.
        tracer.tell([fault for fault in check_graph(each, interface_of) if (fault.file, fault.line) not in said])
    entities = (*tracer.entities.values(), *tracer.referred.values())
    return Compiled(graph, dict(arms), entities, tuple(tracer.problems), tracer.builder.said())


def problems_of(error: Exception, signature: Signature) -> list[Problem]:
    """What an exception out of a workflow's body says, at the author's line."""
    if isinstance(error, CompileError):
        return error.problems
    if isinstance(error, UserError) and error.problem is not None:
        return [error.problem]
    file, line = exception_position(error)
    if not file:
        file, line = signature.line.file, signature.line.line
    if isinstance(error, UserError):
        return [Problem(str(error), file=file or None, line=line)]
    return [
        Problem(
            f"{signature.name}: its body raised {type(error).__name__} while it was compiled: {error}",
            remedy="A workflow's body runs once, with promises, to lay out its nodes: move real work into tasks.",
            file=file or None,
            line=line,
        )
    ]


def bind_outputs(tracer: Tracer, signature: Signature, value: Any) -> dict[str, Binding]:
    """Bindings of what the body returned. What does not fit is told to the tracer."""

    def wrong(message: str, remedy: str) -> dict[str, Binding]:
        line = signature.line
        tracer.tell([Problem(f"{signature.name}: {message}", remedy=remedy, file=line.file or None, line=line.line)])
        return {}

    declared = tuple(signature.outputs)
    if signature.result == "none":
        if value is None or isinstance(value, Void):
            return {}
        return wrong(
            f"it returns {_count_text(value)}, but declares none",
            "Annotate its return type, or return nothing.",
        )
    if signature.result == "single":
        items = list(value) if isinstance(value, Outputs) and len(value) == 1 else [value]
        if isinstance(value, Outputs | Void) and len(items) == 1 and items[0] is value:
            return wrong(
                f"it returns {_count_text(value)}, but declares 1",
                "Return one promise, or change the return annotation.",
            )
        if value is None and not _takes_none(signature):
            return wrong("it returns nothing, but declares an output", "Return it, or take the annotation away.")
    elif isinstance(value, tuple) and len(value) == len(declared):
        items = list(value)
    elif isinstance(value, NodePromise) and value._kind is None:
        return {}
    else:
        return wrong(
            f"it returns {_count_text(value)}, but declares {len(declared)} ({', '.join(declared)})",
            f"Return {', '.join(declared)}, or change the return annotation.",
        )
    bound: dict[str, Binding] = {}
    for name, item in zip(declared, items, strict=True):
        if isinstance(item, NodePromise) and not item._var:
            continue  # stands for a call that is told of already
        try:
            bound[name] = tracer.binder.bind(item, signature.outputs[name])
        except CallMismatch as error:
            wrong(f"output {name!r}: {error}", "")
    return bound


def _takes_none(signature: Signature) -> bool:
    try:
        signature.outputs[signature.lone].check(None)
    except UserError:
        return False
    return True


def _count_text(value: Any) -> str:
    if value is None or isinstance(value, Void):
        return "no output"
    count = len(value) if isinstance(value, tuple) else 1
    return f"{count} output{'' if count == 1 else 's'}"


def close_program(root: Any) -> Program:
    """Everything that a run of the workflow ``root`` may need.

    Raises ``CompileError`` with all that is wrong.
    """
    owners: dict[tuple[type, str], Any] = {}
    problems: list[Problem] = []
    waiting = [root]
    parts: list[Program] = []
    while waiting:
        entity = waiting.pop()
        owner = owners.setdefault(entity.part_key, entity)
        if owner is not entity and owner.reference is not None and owner.reference == entity.reference:
            continue
        if owner is not entity:
            line = entity.line
            problems.append(
                Problem(
                    f"two different {entity.noun}s are called {entity.name}",
                    remedy="Give each function its own name.",
                    file=line.file or None,
                    line=line.line,
                )
            )
            continue
        part: Part = entity.part()
        problems.extend(part.problems)
        parts.append(part.program)
        # Reversed, so that they come off the stack in the order in which they were called.
        waiting.extend(named for named in reversed(part.entities) if owners.get(named.part_key) is not named)
    program = union(parts)
    if not problems:
        # Each graph was checked when it was compiled, against the interfaces of the very entities that are in here.
        problems = check_calls(program)
    if problems:
        raise CompileError(distinct(problems))
    return program


def union(programs: Iterable[Program]) -> Program:
    """All of ``programs`` in one."""
    whole = Program({}, {}, {}, {})
    for program in programs:
        whole.tasks.update(program.tasks)
        whole.workflows.update(program.workflows)
        whole.launch_plans.update(program.launch_plans)
        whole.references.update(program.references)
    return whole


def distinct(problems: list[Problem]) -> list[Problem]:
    """Each problem once, in order."""
    return list({str(problem): problem for problem in problems}.values())
