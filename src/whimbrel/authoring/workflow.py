"""``workflow``: a function whose body lays out a graph of tasks.

It is compiled when it is first needed, never at import. Must not know how its calls become nodes (``tracer``).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine, Mapping
from functools import cached_property
from typing import Any, ParamSpec, Protocol, TypeVar, overload

from whimbrel.authoring.calling import current
from whimbrel.authoring.compiling import Compiled, close_program, compile_body
from whimbrel.authoring.context import ExecutionContext
from whimbrel.authoring.documentation import documentation
from whimbrel.authoring.entity import Entity, Part, task_metadata
from whimbrel.authoring.failure_handler import handle_failure
from whimbrel.authoring.local import LocalFlow, ValuePromise, resolve
from whimbrel.authoring.options import unknown_option
from whimbrel.authoring.promise import Void
from whimbrel.authoring.signature import Signature
from whimbrel.authoring.source import innermost, wrapped_chain
from whimbrel.errors import CompileError
from whimbrel.model.program import FailurePolicy, Graph, Metadata, Program, WorkflowTarget

P = ParamSpec("P")
R = TypeVar("R")

WORKFLOW_OPTIONS = ("default_options", "docs", "failure_policy", "interruptible", "on_failure", "pickle_untyped")


class Workflow(Entity[P, R]):
    """A graph of tasks, written as a function. A plain call of it runs the tasks here and now, in Python's order."""

    noun = "workflow"

    def __init__(self, fn: Callable[..., Any], options: dict[str, Any]) -> None:
        super().__init__(fn)
        self.workflow_options = options
        """Everything that the decorator was told."""

    @property
    def failure_policy(self) -> FailurePolicy:
        """What happens to the rest when a node fails."""
        return policy_of(self.workflow_options)

    @property
    def on_failure(self) -> Any:
        """The task or workflow that runs when this does not succeed; ``None`` for none."""
        return self.workflow_options.get("on_failure")

    @cached_property
    def metadata(self) -> Metadata:
        """What holds for every node that does not say otherwise."""
        return task_metadata({"interruptible": self.workflow_options.get("interruptible")}, self)

    def _read_signature(self) -> Signature:
        signature = super()._read_signature()
        if inspect.iscoroutinefunction(innermost(self.fn)):
            signature.add_problem("a workflow's body is not async", "Take `async` away, or make it @eager.")
        return signature

    def target(self) -> WorkflowTarget:
        """What a node that runs it names."""
        return WorkflowTarget(self.name)

    # --- compiling ---------------------------------------------------------------------------------------------------

    @cached_property
    def _compiled(self) -> Compiled:
        layers = tuple(getattr(layer, "__code__", None) for layer in wrapped_chain(self.fn))
        return compile_body(
            self.fn,
            self.name,
            self.read,
            layers=layers,
            failure_policy=self.failure_policy,
            metadata=self.metadata,
            on_failure=self.on_failure,
            doc=documentation(self.workflow_options.get("docs")),
        )

    def compiled(self) -> Compiled:
        """The graph and everything that is wrong with it; raises nothing of the author's."""
        return self._compiled

    def graph(self) -> Graph:
        """The graph. Raises ``CompileError`` with everything that is wrong with it."""
        compiled = self.compiled()
        if compiled.problems or compiled.graph is None:
            raise CompileError(compiled.problems)
        return compiled.graph

    def part(self) -> Part:
        """Its graph, with those made of arms of conditionals, and what they call."""
        return self.compiled().part(self.name)

    @cached_property
    def _program(self) -> Program:
        return close_program(self)

    def program(self) -> Program:
        """It and everything that it calls. Raises ``CompileError`` with everything that is wrong, wherever it is."""
        return self._program

    # --- running -----------------------------------------------------------------------------------------------------

    def call_plain(self, args: tuple[Any, ...], kwargs: dict[str, Any], execution: ExecutionContext) -> Any:
        """Check, run every task in Python's order, check."""
        inputs = self.signature.bind(args, kwargs)
        self.signature.check_inputs(inputs)
        return self.run_blocking(inputs, execution)

    def run_blocking(self, inputs: dict[str, Any], execution: ExecutionContext) -> Any:
        """Run the body under a caller that runs each call at once."""
        handler = self._handler()
        token = current.set(LocalFlow(execution))
        try:
            result = self.fn(**{name: ValuePromise(value) for name, value in inputs.items()})
            value = None if isinstance(result, Void) and self.signature.result == "none" else resolve(result)
            return self.signature.check_output(value)
        except BaseException as error:
            if handler is not None:
                current.set(LocalFlow(execution))  # arms that were open when it failed are none of the handler's
                handle_failure(handler, inputs, error, execution)
            raise
        finally:
            current.reset(token)

    def _handler(self) -> Any:
        """``on_failure``: what does not fit is told before anything runs. Raises ``CompileError``."""
        if self.on_failure is not None and self.compiled().problems:
            raise CompileError(self.compiled().problems)
        return self.on_failure

    def run_async(self, inputs: dict[str, Any], execution: ExecutionContext) -> Coroutine[Any, Any, Any] | None:
        """``None``: it blocks."""
        return None


def policy_of(options: Mapping[str, Any]) -> FailurePolicy:
    """The failure policy that a decorator was told."""
    policy = options.get("failure_policy")
    if policy is None:
        return FailurePolicy.FAIL_IMMEDIATELY
    # flytekit's enum has the same names in capitals.
    return FailurePolicy(str(getattr(policy, "name", policy)).lower())


class WorkflowDecorator(Protocol):
    """What ``workflow(...)`` with options gives."""

    def __call__(self, fn: Callable[P, R], /) -> Workflow[P, R]: ...


@overload
def workflow(fn: Callable[P, R], /) -> Workflow[P, R]: ...
@overload
def workflow(fn: None = None, /, **options: Any) -> WorkflowDecorator: ...
def workflow(fn: Any = None, /, **options: Any) -> Any:
    """Make a workflow of a function; with options, a decorator that does.

    Options: ``failure_policy``, ``interruptible``, ``docs``, ``default_options``, ``pickle_untyped``, ``on_failure``
    (a task or workflow that runs when this one does not succeed: it takes the inputs of this one by name, and the
    error as ``err: FlyteError | None``). Raises ``CallMismatch`` for an option that does not exist.
    """
    for name in options:
        if name not in WORKFLOW_OPTIONS:
            raise unknown_option(name, WORKFLOW_OPTIONS)
    if fn is not None:
        return Workflow(fn, options)
    return lambda fn: Workflow(fn, options)
