"""``map_task``: something that is called once for every item of a list, and gives the lists of what it gave.

Knows entities and signatures. Must not know how a map is carried out by an engine: in a graph and in a journal it is
one call, of an ``ArrayTarget``.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from functools import cached_property
from typing import Any, Generic, ParamSpec, TypeVar, cast, overload

from whimbrel.authoring.calling import current
from whimbrel.authoring.compiling import close_program
from whimbrel.authoring.context import ExecutionContext
from whimbrel.authoring.entity import Configured, Entity, Part
from whimbrel.authoring.options import METADATA_OPTIONS, read_metadata
from whimbrel.authoring.settling import run_to_end, settled
from whimbrel.authoring.signature import EMPTY, InputSpec, Signature
from whimbrel.authoring.source import caller_line, caller_position
from whimbrel.errors import CallMismatch, Problem
from whimbrel.model.program import (
    START,
    ArrayTarget,
    Graph,
    LaunchPlanTarget,
    Metadata,
    Node,
    Program,
    PromiseBinding,
    SourceLine,
    TaskTarget,
    WorkflowTarget,
    overlay,
)

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

# 0.7 of 10 items is 7 of them, not 8; the engine rounds the same way.
_ROUNDING = 1e-9

Run = Callable[[Entity[..., Any], dict[str, Any]], Awaitable[Any]]
"""Calls an entity with inputs that were checked."""


class _Said:
    """What holds for every call of a map."""

    def __init__(
        self,
        concurrency: int | None,
        min_successes: int | None,
        min_success_ratio: float | None,
        overrides: Metadata | None,
    ) -> None:
        self.concurrency = concurrency or 0
        self.min_successes = min_successes
        self.min_success_ratio = 1.0 if min_success_ratio is None else min_success_ratio
        self.overrides = overrides

    @property
    def partial(self) -> bool:
        return self.min_successes is not None or self.min_success_ratio < 1.0

    def needed(self, length: int) -> int:
        if self.min_successes is not None:
            return min(self.min_successes, length)
        return min(length, math.ceil(self.min_success_ratio * length - _ROUNDING))


class MapTask(Entity[..., R], Generic[R]):
    """Make one with ``map_task``. It takes lists where its target takes items, and gives lists of what that gives.

    ``shared`` are the inputs that are the same for all items.
    """

    noun = "map"

    def __init__(
        self, inner: Entity[..., Any], given: Mapping[str, Any], shared: tuple[str, ...], said: _Said, line: SourceLine
    ) -> None:
        super().__init__(inner.fn)
        self.inner = inner
        self.given = dict(given)
        """Inputs that ``functools.partial`` has given: values, or promises."""
        self._shared = shared
        self._said = said
        self._line = line
        self.standing = said.overrides
        self._variants: dict[tuple[str, ...], MapTask[R]] = {shared: self}

    # --- who it is ---------------------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """What it is said to be, wherever it is made: what decides what it gives is in it, and nothing else."""
        said = self._said
        module, _, what = self.inner.call_name.rpartition(".")
        text = f"{module}.map {what} over {', '.join(self.mapped)}"
        if said.min_successes is not None:
            return f"{text}, at least {said.min_successes}"
        if not said.partial:
            return text
        from fractions import Fraction  # for this alone

        # What stands behind the last dot of a name is its short form: so no dot.
        return f"{text}, at least {Fraction(str(said.min_success_ratio))} of them"

    @property
    def short_name(self) -> str:
        """``map score``."""
        return f"map {self.inner.short_name}"

    @property
    def line(self) -> SourceLine:
        """Where ``map_task`` was called."""
        return self._line

    @property
    def named(self) -> Entity[..., Any]:
        """What it runs in the end."""
        return self.inner.named

    @property
    def is_async(self) -> bool:
        """Whether a plain call gives a coroutine: that of its target does."""
        return bool(getattr(self.inner, "is_async", False))

    def loading_problem(self) -> Problem | None:
        """``None``: no worker loads it."""
        return None

    def code_digest(self) -> str:
        """That of what it runs: it has no code of its own."""
        return self.inner.code_digest()

    @cached_property
    def mapped(self) -> tuple[str, ...]:
        """The inputs that are lists."""
        return tuple(name for name in self.inner.read.names if name not in self._shared)

    def _read_signature(self) -> Signature:
        inner = self.inner.read
        interface = inner._interface
        inputs: dict[str, InputSpec] = {}
        for name, transformer in inner.inputs.items():
            kind = transformer.python_type
            default = inner.defaults.get(name, EMPTY) if name in self._shared and name not in self.given else EMPTY
            positional = name in inner._positional and name not in self._shared
            inputs[name] = InputSpec(list[kind] if name in self.mapped else kind, default, positional)  # type: ignore[valid-type]  # known at run time only
        types = {name: self._result(made.python_type) for name, made in inner.outputs.items()}
        outputs: Any = None
        if inner.result == "single" and types:
            outputs = types["o0"]
        elif types:
            outputs = tuple[tuple(types.values())]  # type: ignore[misc]  # known at run time only
        named = types if inner.result == "tuple" and inner.tuple_type is not tuple else None
        signature = Signature(
            self.short_name,
            inputs,
            outputs,
            line=self._line,
            pickle_untyped=inner._pickle_untyped,
            problems=inner.problems,
            named_outputs=named,
        )
        if named is not None:
            # The author's own class, with lists in it.
            signature.result, signature.tuple_type, signature._single_check = "tuple", inner.tuple_type, None
        signature.doc = inner.doc
        for name in self.given:
            if name not in inner.names:
                takes = f"it takes {', '.join(inner.names)}" if inner.names else "it takes none"
                signature.add_problem(f"{self.inner.short_name} has no input {name!r}; {takes}", "Mend the partial.")
        if not self.mapped:
            what = "takes no inputs" if not interface.inputs else "has all of its inputs given"
            signature.add_problem(f"{self.inner.short_name} {what}: there is nothing to map over", "Call it instead.")
        return signature

    def _result(self, kind: Any) -> Any:
        return list[kind | None if self._said.partial else kind]  # type: ignore[misc]  # known at run time only

    # --- calling -----------------------------------------------------------------------------------------------------

    def prepared(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[Entity[..., Any], tuple[Any, ...], dict[str, Any]]:
        """The map that fits these arguments: an input with a default that is not given is the default for all items."""
        positional = [name for name in self.inner.read._positional if name not in self.given]
        if len(args) > len(positional):
            file, line = caller_position()
            takes = f"{len(positional)} positional argument{'' if len(positional) == 1 else 's'}"
            raise CallMismatch(f"{file}:{line}: {self.short_name}() takes {takes}, got {len(args)}")
        inputs = {**self.given, **dict(zip(positional, args, strict=False)), **kwargs}
        return self._fitting(inputs), (), inputs

    def _fitting(self, inputs: Mapping[str, Any]) -> MapTask[R]:
        inner = self.inner._fitting(inputs) if isinstance(self.inner, MapTask) else self.inner
        defaults = inner.read.defaults
        shared = tuple(
            name for name in inner.read.names if name in self.given or (name in defaults and name not in inputs)
        )
        variant = self._variants.get(shared)
        if variant is None:
            variant = self._variants[shared] = MapTask(inner, self.given, shared, self._said, self._line)
        return variant

    def __call__(self, *args: Any, **kwargs: Any) -> R:
        """Hand the call to the caller in force."""
        entity, given, named = self.prepared(args, kwargs)
        return cast(R, current.get().call(entity, given, named, self._said.overrides))

    def aio(self, *args: Any, **kwargs: Any) -> Coroutine[Any, Any, R]:
        """The same call, typed as what ``await`` takes."""
        entity, given, named = self.prepared(args, kwargs)
        return settled(entity, given, named, self._said.overrides)

    def options(self, **overrides: Any) -> Configured[..., R]:
        """This map, with other options for its items in the calls that are made through the result."""
        said = super().options(**overrides).overrides
        return _ConfiguredMap(self, overlay(self._said.overrides or Metadata(), said))

    # --- compiling ---------------------------------------------------------------------------------------------------

    def target(self) -> ArrayTarget:
        """What a node that runs it names."""
        inner = self.inner.target()
        assert isinstance(inner, TaskTarget | WorkflowTarget | LaunchPlanTarget | ArrayTarget)
        said = self._said
        return ArrayTarget(self.name, inner, self.mapped, said.concurrency, said.min_successes, said.min_success_ratio)

    def part(self) -> Part:
        """What it runs."""
        return Part(entities=(self.named,), problems=tuple(self.read.problems))

    @cached_property
    def _program(self) -> Program:
        interface = self.interface  # raises for what is wrong with it
        program = close_program(self)
        inputs = {name: PromiseBinding(START, name) for name in interface.inputs}
        node = Node("n0", self.target(), dict(inputs), line=self._line, overrides=self._said.overrides or Metadata())
        outputs = {name: PromiseBinding("n0", name) for name in interface.outputs}
        entry = Graph(self.name, interface, (node,), dict(outputs), doc=self.read.doc, line=self._line)
        return Program(program.tasks, {**program.workflows, self.name: entry}, program.launch_plans, program.references)

    def program(self) -> Program:
        """It, what it runs, and a workflow with it as the only node. Raises ``CompileError``."""
        return self._program

    # --- running -----------------------------------------------------------------------------------------------------

    def call_plain(self, args: tuple[Any, ...], kwargs: dict[str, Any], execution: ExecutionContext) -> Any:
        """Check, call for every item, check. A coroutine if the target's call is one."""
        inputs = self.signature.bind(args, kwargs)
        self.signature.check_inputs(inputs)
        if self.is_async:
            return self.run_async(inputs, execution)
        return self.run_blocking(inputs, execution)

    def run_blocking(self, inputs: dict[str, Any], execution: ExecutionContext) -> Any:
        """One item after the other; those that are coroutines side by side."""
        if self.is_async:
            return run_to_end(self.run_async(inputs, execution))
        results = _Results(self, self._length(inputs))
        for item in self._items(inputs):
            value = None
            try:
                value = self.inner.run_blocking(item, execution)
            except Exception as error:
                results.failed(error)
            results.values.append(value)
        return results.gathered()

    def run_async(self, inputs: dict[str, Any], execution: ExecutionContext) -> Coroutine[Any, Any, Any]:
        """All items side by side."""

        async def run(entity: Entity[..., Any], item: dict[str, Any]) -> Any:
            import asyncio  # scripts that only lay out workflows need not pay for it

            coroutine = entity.run_async(item, execution)
            return await (coroutine or asyncio.to_thread(entity.run_blocking, item, execution))

        return self.gather(inputs, run)

    async def gather(self, inputs: dict[str, Any], run: Run) -> Any:
        """Every item by ``run``, so many side by side; the rest is cancelled when success has become impossible."""
        import asyncio

        results = _Results(self, self._length(inputs))
        limit = self._said.concurrency
        room: AbstractAsyncContextManager[Any] = asyncio.Semaphore(limit) if limit else nullcontext()

        async def one(position: int, item: dict[str, Any]) -> None:
            async with room:
                try:
                    results.values[position] = await run(self.inner, item)
                except Exception as error:
                    results.failed(error)

        tasks = [asyncio.ensure_future(one(position, item)) for position, item in enumerate(self._items(inputs))]
        results.values = [None] * len(tasks)
        try:
            await asyncio.gather(*tasks)
        except BaseException:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            raise
        return results.gathered()

    def _length(self, inputs: Mapping[str, Any]) -> int:
        lengths = {name: len(inputs[name]) for name in self.mapped}
        if len(set(lengths.values())) > 1:
            told = ", ".join(f"{name} has {length}" for name, length in lengths.items())
            raise CallMismatch(f"the lists that {self.short_name} is mapped over have different lengths: {told}")
        length = next(iter(lengths.values()))
        wanted = self._said.min_successes or 0
        if length and length < wanted:
            raise CallMismatch(f"{self.short_name} has {length} items, of which {wanted} must succeed")
        return length

    def _items(self, inputs: Mapping[str, Any]) -> list[dict[str, Any]]:
        shared = {name: inputs[name] for name in self.inner.read.names if name not in self.mapped}
        rows = zip(*(inputs[name] for name in self.mapped), strict=True)
        return [{**shared, **dict(zip(self.mapped, row, strict=True))} for row in rows]


class _Results:
    """What the items gave so far."""

    def __init__(self, the_map: MapTask[Any], length: int) -> None:
        self._map = the_map
        self._spare = length - the_map._said.needed(length)
        self.values: list[Any] = []

    def failed(self, error: Exception) -> None:
        """An item has failed. Raises ``error`` when success has become impossible."""
        if not self._spare:
            raise error
        self._spare -= 1

    def gathered(self) -> Any:
        """The lists, as the target would give one item."""
        signature, inner = self._map.signature, self._map.inner.signature
        if inner.result == "single":
            return self.values
        rows = [None if value is None else inner.outputs_by_name(value) for value in self.values]
        return signature.assemble(
            {name: [None if row is None else row[name] for row in rows] for name in inner.outputs}
        )


class _ConfiguredMap(Configured[..., R]):
    """A map with options for one call."""

    __slots__ = ()

    def __call__(self, *args: Any, **kwargs: Any) -> R:
        entity, given, named = self.entity.prepared(args, kwargs)
        return cast(R, current.get().call(entity, given, named, self.overrides))

    def aio(self, *args: Any, **kwargs: Any) -> Coroutine[Any, Any, R]:
        entity, given, named = self.entity.prepared(args, kwargs)
        return settled(entity, given, named, self.overrides)


@overload
def map_task(
    target: Entity[P, R],
    concurrency: int | None = None,
    min_successes: None = None,
    min_success_ratio: None = None,
    *,
    metadata: Any = None,
    **options: Any,
) -> MapTask[list[R]]: ...
@overload
def map_task(
    target: Entity[P, R],
    concurrency: int | None = None,
    min_successes: int | None = None,
    min_success_ratio: float | None = None,
    *,
    metadata: Any = None,
    **options: Any,
) -> MapTask[list[R | None]]: ...
@overload
def map_task(
    target: functools.partial[Any],
    concurrency: int | None = None,
    min_successes: int | None = None,
    min_success_ratio: float | None = None,
    *,
    metadata: Any = None,
    **options: Any,
) -> MapTask[Any]: ...
def map_task(
    target: Any,
    concurrency: int | None = None,
    min_successes: int | None = None,
    min_success_ratio: float | None = None,
    *,
    metadata: Any = None,
    **options: Any,
) -> MapTask[Any]:
    """Something to call with lists where ``target`` takes items; its result has the list of each output.

    ``target`` is a task, a workflow, a launch plan, an eager or dynamic workflow, another map, or a
    ``functools.partial`` of one: what that gives is the same for all items. So is the default of an input that is not
    given. At most ``concurrency`` items go on at a time. With ``min_successes`` (a number) or ``min_success_ratio``
    (0 to 1) it may lose items, for which there is ``None``. ``metadata``, and options by name, are said of each item.
    Raises ``CallMismatch`` for what cannot be mapped.
    """
    line = caller_line()
    inner, given = _unwrapped(target, line)
    if concurrency is not None and (isinstance(concurrency, bool) or concurrency < 0):
        raise _refused(line, f"concurrency is {concurrency!r}", "Give a whole number, 0 for no limit.")
    if min_successes is not None and (isinstance(min_successes, bool) or min_successes < 0):
        raise _refused(line, f"min_successes is {min_successes!r}", "Give a whole number.")
    if min_success_ratio is not None and not 0.0 <= min_success_ratio <= 1.0:
        raise _refused(line, f"min_success_ratio is {min_success_ratio!r}", "Give a number from 0 to 1.")
    told = {**_metadata_options(metadata), **options}
    overrides = read_metadata(told, auto_version=inner._auto_version(told)) if told else None
    said = _Said(concurrency, min_successes, min_success_ratio, overrides)
    return MapTask(inner, given, tuple(given), said, line)


def _unwrapped(target: Any, line: SourceLine) -> tuple[Entity[..., Any], dict[str, Any]]:
    """The entity that is mapped, and what a partial has given it."""
    if isinstance(target, functools.partial):
        inner, given = _unwrapped(target.func, line)
        names = [name for name in inner.read._positional if name not in given]
        if len(target.args) > len(names):
            raise _refused(line, f"the partial of {inner.short_name} has too many arguments", "Give them by name.")
        return inner, {**given, **dict(zip(names, target.args, strict=False)), **target.keywords}
    if isinstance(target, Configured):
        raise _refused(line, "it is given an entity with options", "Map first: `map_task(f).options(...)`.")
    if isinstance(target, Entity):
        return target, dict(target.given) if isinstance(target, MapTask) else {}
    what = "a lambda" if getattr(target, "__name__", "") == "<lambda>" else f"{target!r}"
    raise _refused(line, f"it is given {what}", "Put @task on a function of a module, and give that.")


def _refused(line: SourceLine, message: str, remedy: str) -> CallMismatch:
    return CallMismatch(f"{line.file}:{line.line}: map_task: {message}. {remedy}")


def _metadata_options(metadata: Any) -> dict[str, Any]:
    """Options out of a mapping, or out of an object such as flytekit's ``TaskMetadata``."""
    if metadata is None:
        return {}
    if isinstance(metadata, Mapping):
        return dict(metadata)
    found = {name: getattr(metadata, name, None) for name in METADATA_OPTIONS}
    return {name: value for name, value in found.items() if value is not None and value != ""}
