"""``setup_teardown``: what runs before a body, and what runs after it whatever became of it.

One object is a decorator of workflows, eager workflows and plain functions in them, and a context manager in their
bodies. While a workflow is compiled it makes a bracket in the graph, which the engine keeps; in an eager body it is
``try``/``finally`` whose last call is shielded; in a plain call it is ``try``/``finally``. Must not know how an engine
keeps its promise.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable, Coroutine
from types import TracebackType
from typing import Any, ParamSpec, TypeVar

from whimbrel.authoring.bracket_steps import Step, arguments_after
from whimbrel.authoring.calling import Direct, current
from whimbrel.authoring.context import ExecutionContext
from whimbrel.authoring.entity import Entity
from whimbrel.authoring.local import LocalFlow, resolve
from whimbrel.authoring.promise import misuse
from whimbrel.authoring.source import caller_line, innermost
from whimbrel.authoring.tracer import NodePromise, Tracer
from whimbrel.authoring.travelling import Overlays
from whimbrel.graph.builder import DraftNode
from whimbrel.model.program import Metadata, SourceLine
from whimbrel.types.failures import capture

P = ParamSpec("P")
R = TypeVar("R")

ERROR = "error"
"""The parameter of a teardown that is told what went wrong."""

SHIELDED = Metadata(shielded=True)


class SetupTeardown:
    """See ``setup_teardown``."""

    def __init__(self, before: Callable[..., Any], after: Callable[..., Any], line: SourceLine) -> None:
        self._before = Step(before)
        self._after = Step(after)
        self._line = line
        self._entered: _Traced | _Now | _Awaited | None = None

    def __call__(self, fn: Callable[P, R]) -> Callable[P, R]:
        """Put the bracket around every call of ``fn``."""
        if isinstance(fn, Entity):
            raise misuse(
                f"setup_teardown stands above @{fn.noun.partition(' ')[0]} of {fn.short_name}",
                f"Write it below: `@{fn.noun.partition(' ')[0]}` comes first, then `@setup_teardown(...)`, then the "
                "function.",
            )
        decorated: Any
        if inspect.iscoroutinefunction(innermost(fn)):

            @functools.wraps(fn)
            async def bracketed_body(*args: P.args, **kwargs: P.kwargs) -> Any:
                async with self._again():
                    body: Any = fn(*args, **kwargs)
                    return await body

            decorated = bracketed_body
        else:

            @functools.wraps(fn)
            def bracketed(*args: P.args, **kwargs: P.kwargs) -> R:
                with self._again():
                    return fn(*args, **kwargs)

            decorated = bracketed
        whole: Callable[P, R] = decorated
        return whole

    def _again(self) -> SetupTeardown:
        return SetupTeardown(self._before.given, self._after.given, self._line)

    def _enter(self, block: _Traced | _Now | _Awaited) -> None:
        if self._entered is not None:
            raise misuse("one setup_teardown(...) is entered twice", "Make one for each block.")
        self._entered = block

    # --- in the body of a static workflow, and in plain Python -------------------------------------------------------

    def __enter__(self) -> Any:
        caller = current.get()
        block: _Traced | _Now
        if isinstance(caller, Tracer):
            block = _Traced(caller, self._before, self._after, self._line)
        elif isinstance(caller, LocalFlow | Direct):
            flow = caller if isinstance(caller, LocalFlow) else LocalFlow(ExecutionContext())
            block = _Now(flow, self._before, self._after, isinstance(caller, Direct))
        else:
            raise misuse("`with setup_teardown(...)` stands in an eager body", "Write `async with`.")
        self._enter(block)
        try:
            return block.begin()
        except BaseException:
            self._entered = None
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        block, self._entered = self._entered, None
        assert isinstance(block, _Traced | _Now)
        block.end(error)

    # --- in an eager body --------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Any:
        if isinstance(current.get(), Tracer | LocalFlow):
            raise misuse("`async with setup_teardown(...)` stands in a static workflow", "Write `with`.")
        block = _Awaited(self._before, self._after)
        self._enter(block)
        try:
            return await block.begin()
        except BaseException:
            self._entered = None
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        block, self._entered = self._entered, None
        assert isinstance(block, _Awaited)
        await block.end(error)


def setup_teardown(before: Callable[..., Any], after: Callable[..., Any]) -> SetupTeardown:
    """``before`` runs ahead of everything in the body, ``after`` behind everything, on success, failure, abort,
    time-out and after a crash of the engine, once ``before`` was launched.

    ``@setup_teardown(before, after)`` below ``@workflow`` or ``@eager`` (several of them nest, the innermost closest to
    the body); ``with setup_teardown(before, after) as value:`` in a workflow's body; ``async with`` in an eager body.
    ``value`` is what ``before`` gives. Both are tasks or workflows (in eager bodies plain functions too), with their
    arguments in a ``functools.partial`` where they need some. ``after`` may take the outputs of ``before``, by their
    names or as its one parameter, and ``error: str | None``, which says what went wrong.
    """
    return SetupTeardown(before, after, caller_line())


class _Traced:
    """A bracket in a graph that is being made."""

    def __init__(self, tracer: Tracer, before: Step, after: Step, line: SourceLine) -> None:
        self._tracer = tracer
        self._before = before
        self._after = after
        self._line = line
        self._setup: DraftNode | None = None
        self._start = 0

    def begin(self) -> Any:
        tracer = self._tracer
        if tracer.builder.open_arm is not None:
            raise misuse("setup_teardown stands in an arm of a conditional", "Put the arm into a @workflow of its own.")
        entity = self._before.entity_for_graph()
        self._setup = tracer.add(entity, self._before.args, self._before.kwargs, self._line, None)
        self._start = len(tracer.builder.nodes)
        return tracer.promised(entity, self._setup)

    def end(self, error: BaseException | None) -> None:
        tracer, setup = self._tracer, self._setup
        if error is not None or setup is None:
            return
        members = tracer.builder.nodes[self._start :]
        entity = self._after.entity_for_graph()
        outputs = {name: NodePromise(tracer, setup, name, kind) for name, kind in setup.outputs.items()}
        given = arguments_after(self._before, self._after, outputs, None)
        assert given is not None
        if ERROR in given:
            self._after.check_error_parameter(ERROR)
        teardown = tracer.add(entity, self._after.args, {**self._after.kwargs, **given}, self._line, None)
        if teardown is not None:
            tracer.builder.bracket(setup, teardown, members, ERROR if ERROR in given else "")


class _Now:
    """A bracket around calls that run at once. ``bare``: not in a workflow, so values are values, not promises."""

    def __init__(self, flow: LocalFlow, before: Step, after: Step, bare: bool) -> None:
        self._flow = flow
        self._before = before
        self._after = after
        self._bare = bare
        self._outputs: dict[str, Any] | None = None

    def begin(self) -> Any:
        if self._flow.arms:
            raise misuse("setup_teardown stands in an arm of a conditional", "Put the arm into a @workflow of its own.")
        entity = self._before.entity_for_graph()
        try:
            promise = self._flow.call(entity, self._before.args, self._before.kwargs)
            value = None if entity.signature.result == "none" else resolve(promise)
        except BaseException as error:
            self.end(error)
            raise
        self._outputs = self._before.outputs_of(value)
        return value if self._bare else promise

    def end(self, error: BaseException | None) -> None:
        given = arguments_after(self._before, self._after, self._outputs, title(error))
        if given is None:
            return
        entity = self._after.entity_for_graph()
        try:
            self._flow.call(entity, self._after.args, {**self._after.kwargs, **given})
        except Exception as failure:
            if error is None:
                raise
            error.add_note(f"the teardown {self._after.name} failed too: {title(failure)}")


class _Awaited:
    """A bracket in an eager body, or in any coroutine."""

    def __init__(self, before: Step, after: Step) -> None:
        self._before = before
        self._after = after
        self._outputs: dict[str, Any] | None = None

    async def begin(self) -> Any:
        try:
            value, interruption = await _to_the_end("setup", self._before, {})
        except BaseException as error:
            await self.end(error)
            raise
        self._outputs = self._before.outputs_of(value)
        if interruption is not None:
            await self.end(interruption)
            raise interruption
        return value

    async def end(self, error: BaseException | None) -> None:
        given = arguments_after(self._before, self._after, self._outputs, title(error))
        if given is None:
            return
        try:
            _, interruption = await _to_the_end("teardown", self._after, given)
        except Exception as failure:
            if error is None:
                raise
            error.add_note(f"the teardown {self._after.name} failed too: {title(failure)}")
            return
        if interruption is not None and error is None:
            raise interruption


async def _to_the_end(name: str, step: Step, given: dict[str, Any]) -> tuple[Any, BaseException | None]:
    """Run a step in a task of its own, which no cancellation of this one reaches; what it gives, and the cancellation
    that came meanwhile."""
    import asyncio  # scripts that only lay out workflows need not pay for it

    async def run() -> Any:
        caller = current.get()
        if isinstance(caller, Overlays):
            current.set(caller.overlaid(SHIELDED))
        made = step.call(given)
        return await made if isinstance(made, Awaitable) else made

    # The durable driver names the scope after the coroutine.
    run.__name__ = run.__qualname__ = name
    body: Coroutine[Any, Any, Any] = run()
    task = asyncio.create_task(body)
    interruption: BaseException | None = None
    while True:
        try:
            return await asyncio.shield(task), interruption
        except asyncio.CancelledError as cancelled:
            if task.cancelled():
                raise
            interruption = cancelled
            if task.done():
                return task.result(), interruption


def title(error: BaseException | None) -> Any:
    """What a teardown is told: the last line of the error's traceback; ``None`` if there is none."""
    if error is None:
        return None
    if isinstance(error, Exception):
        return capture(error).title
    # What cancelled the body says why, if it knows.
    return str(error) or type(error).__name__
