"""``dynamic``: a function that is called with real values, and lays out the graph that is run in its place.

Its body may compute with its inputs as any Python does; what the calls in it give are promises, as in a workflow.
Must not know who runs what it unfolds into.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import cached_property, partial
from typing import Any, ParamSpec, Protocol, TypeVar, overload

from msgspec import Struct
from msgspec.structs import replace

from whimbrel.authoring.calling import current
from whimbrel.authoring.compiling import bind_outputs, close_program, conclude
from whimbrel.authoring.context import ExecutionContext
from whimbrel.authoring.entity import Part, task_metadata
from whimbrel.authoring.failure_handler import failure_node, handle_failure
from whimbrel.authoring.local import LocalFlow, resolve
from whimbrel.authoring.options import unknown_option
from whimbrel.authoring.promise import Void
from whimbrel.authoring.signature import Signature
from whimbrel.authoring.source import wrapped_chain
from whimbrel.authoring.task import TASK_OPTIONS, Task
from whimbrel.authoring.tracer import Tracer
from whimbrel.authoring.workflow import WORKFLOW_OPTIONS, policy_of
from whimbrel.errors import CompileError
from whimbrel.model.interface import Interface
from whimbrel.model.program import FailurePolicy, Graph, Metadata, Program, SourceLine, TaskKind

P = ParamSpec("P")
R = TypeVar("R")

PREFIX = "dn"
"""Ids of nodes are ``dn0``, ``dn1``, …, as Flyte's are."""


class Unfolding(Struct, frozen=True):
    """The graph that a body has laid out, which takes no inputs, and everything that it names."""

    graph: Graph
    define: Program


class Dynamic(Task[P, R]):
    """A function whose calls are laid out when its inputs are there.

    A plain call runs the body and everything that it calls, here and now.
    """

    noun = "dynamic workflow"
    kind = TaskKind.DYNAMIC

    def _read_signature(self) -> Signature:
        signature = super()._read_signature()
        if self.is_async:
            signature.add_problem(
                "the body of a dynamic workflow is not async", "Take `async` away, or make it @eager."
            )
        return signature

    @property
    def failure_policy(self) -> FailurePolicy:
        """What happens to the rest when a node fails."""
        return policy_of(self.task_options)

    @property
    def on_failure(self) -> Any:
        """What runs when something that the body has laid out fails; ``None`` for nothing."""
        return self.task_options.get("on_failure")

    @cached_property
    def inner_metadata(self) -> Metadata:
        """What holds for every node that does not say otherwise."""
        return task_metadata({"interruptible": self.task_options.get("interruptible")}, self)

    # --- laying out --------------------------------------------------------------------------------------------------

    def unfold(self, inputs: dict[str, Any], execution: ExecutionContext) -> Unfolding:
        """Run the body, and give what it has laid out.

        Raises what the body raises, and ``CompileError`` with everything that is wrong with the graph.
        """
        signature = self.signature
        layers = tuple(getattr(layer, "__code__", None) for layer in wrapped_chain(self.fn))
        tracer = Tracer(self.name, {}, layers=layers, prefix=PREFIX, execution=execution)
        value = tracer.trace(partial(self.fn, **inputs), ())
        outputs = bind_outputs(tracer, signature, value)
        handler, told = None, ""
        if self.on_failure is not None:
            handler, told = failure_node(tracer, signature, self.on_failure, signature.encode_inputs(inputs))
        graph = tracer.builder.finish(
            Interface({}, signature.interface.outputs),
            outputs,
            failure_policy=self.failure_policy,
            metadata=self.inner_metadata,
            doc=signature.doc,
            line=signature.line,
            failure_node=handler,
            failure_error=told,
        )
        compiled = conclude(tracer, graph, complete=outputs.keys() == signature.outputs.keys())
        if compiled.problems or compiled.graph is None:
            raise CompileError(compiled.problems)
        whole = close_program(_Body(self.name, self.line, compiled.part(self.name)))
        workflows = {name: found for name, found in whole.workflows.items() if name != self.name}
        return Unfolding(compiled.graph, replace(whole, workflows=workflows))

    # --- running -----------------------------------------------------------------------------------------------------

    def call_plain(self, args: tuple[Any, ...], kwargs: dict[str, Any], execution: ExecutionContext) -> Any:
        """Check, run the body and everything in it in Python's order, check."""
        inputs = self.signature.bind(args, kwargs)
        self.signature.check_inputs(inputs)
        return self.run_blocking(inputs, execution)

    def run_blocking(self, inputs: dict[str, Any], execution: ExecutionContext) -> Any:
        """Run the body under a caller that runs each call at once."""
        flow = LocalFlow(execution)
        token = current.set(flow)
        try:
            result = self.fn(**inputs)
        except BaseException as error:
            # What the body itself raises has laid out nothing that could be cleaned up.
            if self.on_failure is not None and flow.failed:
                current.set(LocalFlow(execution))
                handle_failure(self.on_failure, inputs, error, execution)
            raise
        finally:
            current.reset(token)
        value = None if isinstance(result, Void) and self.signature.result == "none" else resolve(result)
        return self.signature.check_output(value)

    def run_async(self, inputs: dict[str, Any], execution: ExecutionContext) -> Coroutine[Any, Any, Any] | None:
        """``None``: it blocks."""
        return None


class _Body:
    """What a body has laid out, as the root of a program."""

    noun = "dynamic workflow"
    reference = None

    def __init__(self, name: str, line: SourceLine, part: Part) -> None:
        self.name = name
        self.line = line
        self.part_key = (_Body, name)
        self._part = part

    def part(self) -> Part:
        return self._part


class DynamicDecorator(Protocol):
    """What ``dynamic(...)`` with options gives."""

    def __call__(self, fn: Callable[P, R], /) -> Dynamic[P, R]: ...


@overload
def dynamic(fn: Callable[P, R], /) -> Dynamic[P, R]: ...
@overload
def dynamic(fn: None = None, /, **options: Any) -> DynamicDecorator: ...
def dynamic(fn: Any = None, /, **options: Any) -> Any:
    """Make a dynamic workflow of a function; with options, a decorator that does.

    Takes the options of ``task``, which are those of its body (retries, time-out, cache, resources, …), and those of
    ``workflow``, which are those of what it unfolds into (``failure_policy``, …). Raises ``CallMismatch`` for an
    option that does not exist.
    """
    for name in options:
        if name not in TASK_OPTIONS and name not in WORKFLOW_OPTIONS:
            raise unknown_option(name, (*TASK_OPTIONS, *WORKFLOW_OPTIONS))
    if fn is not None:
        return Dynamic(fn, options)
    return lambda fn: Dynamic(fn, options)
