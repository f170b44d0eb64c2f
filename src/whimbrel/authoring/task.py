"""``task``: a typed Python function that an engine can run.

Must not know how calls are carried out (``calling``) or compiled (``tracer``).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine
from functools import cached_property
from typing import Any, ParamSpec, Protocol, TypeVar, overload

from whimbrel.authoring.calling import Direct, current
from whimbrel.authoring.context import ExecutionContext
from whimbrel.authoring.decks import wanted_fields, wants_decks
from whimbrel.authoring.documentation import documentation
from whimbrel.authoring.entity import Entity, Part, task_metadata
from whimbrel.authoring.entry import single_task_program
from whimbrel.authoring.options import DATA_OPTIONS, METADATA_OPTIONS, unknown_option
from whimbrel.authoring.secrets import secret_requests
from whimbrel.authoring.settling import run_to_end
from whimbrel.authoring.signature import Signature, read_signature
from whimbrel.authoring.source import innermost
from whimbrel.errors import CallMismatch, CompileError, Problem
from whimbrel.model.program import Metadata, Program, TaskKind, TaskSpec, TaskTarget
from whimbrel.model.secrets import SecretRequest

P = ParamSpec("P")
R = TypeVar("R")

# Beside those of one call, what may be said of the task itself. Those that whimbrel has no use for yet are kept as
# data.
TASK_OPTIONS = (
    *METADATA_OPTIONS,
    *DATA_OPTIONS,
    "deck_fields",
    "disable_deck",
    "docs",
    "enable_deck",
    "execution_mode",
    "node_dependency_hints",
    "pickle_untyped",
    "secret_requests",
    "task_resolver",
)


class Task(Entity[P, R]):
    """A function with types, and how it is to be run.

    Call it in a workflow to add a step, in an eager workflow to get something to await, anywhere else to run it here
    and now with its types checked.
    """

    noun = "task"
    kind = TaskKind.TASK

    def __init__(self, fn: Callable[..., Any], options: dict[str, Any]) -> None:
        super().__init__(fn)
        self.task_options = options
        """Everything that the decorator was told."""
        self.is_async = inspect.iscoroutinefunction(innermost(fn))

    def _read_signature(self) -> Signature:
        return read_signature(
            self.fn, self.short_name, pickle_untyped=bool(self.task_options.get("pickle_untyped", False))
        )

    @cached_property
    def metadata(self) -> Metadata:
        """How it is to be run. Raises ``CompileError`` for options that make no sense."""
        return task_metadata(self.task_options, self)

    def target(self) -> TaskTarget:
        """What a node that runs it names."""
        return TaskTarget(self.name)

    @cached_property
    def _spec(self) -> TaskSpec:
        return TaskSpec(
            self.name,
            self.interface,
            self.code(),
            self.kind,
            self.metadata,
            self._documentation(),
            self.code_digest(),
            self.line,
            self.closure.components,
            self.secret_requests,
            self.shows_decks,
        )

    @cached_property
    def secret_requests(self) -> tuple[SecretRequest, ...]:
        """The secrets that it may read. Raises ``CompileError``."""
        try:
            return secret_requests(self.task_options.get("secret_requests"))
        except CallMismatch as error:
            raise self._wrong(error) from None

    @cached_property
    def shows_decks(self) -> bool:
        """Whether its decks are on. Raises ``CompileError``."""
        try:
            wanted_fields(self.task_options)
            return wants_decks(self.task_options)
        except ValueError as error:
            raise self._wrong(error) from None

    def _wrong(self, error: Exception) -> CompileError:
        line = self.line
        return CompileError([Problem(f"{self.short_name}: {error}", file=line.file or None, line=line.line)])

    def _documentation(self) -> str:
        return documentation(self.task_options.get("docs")) or self.signature.doc

    def spec(self) -> TaskSpec:
        """It in the engine's terms. Raises ``CompileError`` with everything that is wrong."""
        problems = list(self.read.problems)
        for part in ("metadata", "secret_requests", "shows_decks"):
            try:
                getattr(self, part)
            except CompileError as error:
                problems.extend(error.problems)
        unloadable = self.loading_problem()
        if unloadable is not None:
            problems.append(unloadable)
        if problems:
            raise CompileError(problems)
        return self._spec

    def part(self) -> Part:
        """Its spec."""
        try:
            return Part(Program({self.name: self.spec()}))
        except CompileError as error:
            return Part(problems=tuple(error.problems))

    @cached_property
    def _program(self) -> Program:
        return single_task_program(self.spec())

    def program(self) -> Program:
        """It, and a workflow of its name with it as the only node. Raises ``CompileError``."""
        return self._program

    # --- running -----------------------------------------------------------------------------------------------------

    def call_plain(self, args: tuple[Any, ...], kwargs: dict[str, Any], execution: ExecutionContext) -> Any:
        """Check, run, check. For a function that is ``async``, the coroutine that does."""
        signature = self.signature
        inputs = signature.bind(args, kwargs)
        signature.check_inputs(inputs)
        if self.is_async:
            return self._awaited(inputs)
        value = self.fn(**inputs)
        return signature.check_output(value)

    async def _awaited(self, inputs: dict[str, Any]) -> Any:
        value = await self.fn(**inputs)
        return self.signature.check_output(value)

    def run_blocking(self, inputs: dict[str, Any], execution: ExecutionContext) -> Any:
        """Run to the end; calls in its body are plain calls."""
        token = current.set(Direct(execution))
        try:
            if self.is_async:
                return run_to_end(self._awaited(inputs))
            value = self.fn(**inputs)
        finally:
            current.reset(token)
        return self.signature.check_output(value)

    def run_async(self, inputs: dict[str, Any], execution: ExecutionContext) -> Coroutine[Any, Any, Any] | None:
        """The coroutine of an ``async`` function; ``None`` for any other."""
        return self._run_async(inputs, execution) if self.is_async else None

    async def _run_async(self, inputs: dict[str, Any], execution: ExecutionContext) -> Any:
        token = current.set(Direct(execution))
        try:
            value = await self.fn(**inputs)
        finally:
            current.reset(token)
        return self.signature.check_output(value)


class TaskDecorator(Protocol):
    """What ``task(...)`` with options gives."""

    @overload
    def __call__(self, fn: Callable[P, Coroutine[Any, Any, R]], /) -> Task[P, R]: ...
    @overload
    def __call__(self, fn: Callable[P, R], /) -> Task[P, R]: ...


@overload
def task(fn: Callable[P, Coroutine[Any, Any, R]], /) -> Task[P, R]: ...
@overload
def task(fn: Callable[P, R], /) -> Task[P, R]: ...
@overload
def task(fn: None = None, /, **options: Any) -> TaskDecorator: ...
def task(fn: Any = None, /, **options: Any) -> Any:
    """Make a task of a function; with options, a decorator that does.

    Options: ``retries``, ``timeout`` (seconds or timedelta, of one attempt), ``backoff``, ``backoff_limit``,
    ``cache`` (bool or ``Cache``), ``cache_version``, ``cache_serialize``, ``cache_ignore_input_vars``,
    ``interruptible``, ``environment``, ``requests``, ``limits``, ``resources``, ``cpu``, ``mem``, ``gpu``,
    ``container_image``, ``docs``, ``deprecated``, ``pickle_untyped``, ``secret_requests``, ``enable_deck``,
    ``deck_fields`` and others that are kept as data. Raises
    ``CallMismatch`` for an option that does not exist.
    """
    _known_options(options)
    if fn is not None:
        return Task(fn, options)
    return lambda fn: Task(fn, options)


def _known_options(options: dict[str, Any]) -> None:
    for name in options:
        if name not in TASK_OPTIONS:
            raise unknown_option(name, TASK_OPTIONS)
