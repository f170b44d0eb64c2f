"""What tasks, workflows and eager workflows have in common: a name, a signature, calls that go to the caller in force.

Must not know how any one kind runs or compiles.
"""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine
from functools import cached_property
from typing import Any, Generic, NamedTuple, ParamSpec, TypeVar, cast

from whimbrel.authoring.cache_policy import Cache, VersionParameters
from whimbrel.authoring.calling import current
from whimbrel.authoring.closure import Closure, closure_of
from whimbrel.authoring.context import ExecutionContext
from whimbrel.authoring.naming import code_ref, find_name, loading_problem, module_name
from whimbrel.authoring.options import DATA_OPTIONS, METADATA_OPTIONS, read_metadata
from whimbrel.authoring.settling import settled
from whimbrel.authoring.signature import Signature, read_signature
from whimbrel.authoring.source import function_line
from whimbrel.errors import CallMismatch, CompileError, Problem
from whimbrel.model.interface import Interface
from whimbrel.model.program import CodeRef, Metadata, Program, SourceLine, Target
from whimbrel.model.run import RunOptions

P = ParamSpec("P")
R = TypeVar("R")


class Part(NamedTuple):
    """What one entity puts into a program: itself, the entities that it names, and what is wrong with it."""

    program: Program = Program()
    entities: tuple[Any, ...] = ()
    problems: tuple[Problem, ...] = ()


class Entity(ABC, Generic[P, R]):
    """Something that can be called, compiled and run.

    ``fn`` is the author's function with its decorators. Type problems surface when ``signature`` or ``interface`` is
    first needed, as a ``CompileError`` with the author's line.
    """

    noun = "entity"
    """What messages call it."""

    reference: Any = None
    """The full id, for what is only referred to."""

    standing: Metadata | None = None
    """What is said of every call of it, beside its own metadata."""

    def __init__(self, fn: Callable[..., Any]) -> None:
        self.fn = fn
        # Name, documentation and __wrapped__, so that inspect, doctest and IDEs see the function.
        functools.update_wrapper(self, fn)
        self._module: str = getattr(fn, "__module__", None) or "__main__"
        self._qualname: str = getattr(fn, "__qualname__", None) or type(fn).__name__
        self._name = ""

    # --- who it is ---------------------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """``module.qualname``; the module of a script is its stem."""
        if not self._name:
            found = find_name(self, self._module, self._qualname)
            name = f"{module_name(self._module)}.{found or self._qualname}"
            if not found:
                return name  # its module may still be loading: ask again
            self._name = name
        return self._name

    @property
    def short_name(self) -> str:
        """The name without the module."""
        return getattr(self, "__name__", self._qualname)

    @property
    def line(self) -> SourceLine:
        """Where the function is."""
        return function_line(self.fn)

    @property
    def call_name(self) -> str:
        """What a journal calls it: the name, unless entities of other kinds may have that too."""
        return self.name

    @property
    def part_key(self) -> tuple[Any, str]:
        """What is its own among the entities of a program."""
        return type(self.target()), self.name

    @property
    def entry_name(self) -> str:
        """The workflow of its program that runs it."""
        return self.name

    def run_options(self, options: RunOptions) -> RunOptions:
        """``options``, with what it says itself of runs where they say nothing."""
        return options

    @property
    def named(self) -> Entity[..., Any]:
        """The entity whose name stands in the target of a node that runs this: itself, but for a map."""
        return self

    def code(self) -> CodeRef:
        """Where a worker finds it."""
        return code_ref(self, self._module, self._qualname)

    @cached_property
    def closure(self) -> Closure:
        """The code that it may depend on. Read when it is first asked for, once; never by a plain call."""
        return closure_of(self.fn, self._module)

    def code_digest(self) -> str:
        """The digest of ``closure``: it changes when the function, or code of the project that it uses, does."""
        return self.closure.digest

    def loading_problem(self) -> Problem | None:
        """Why a worker could not import it, if it could not."""
        return loading_problem(self, self.fn, self.noun, self._module, self._qualname)

    # --- what it takes and gives -------------------------------------------------------------------------------------

    @cached_property
    def read(self) -> Signature:
        """The signature with its problems; raises nothing."""
        return self._read_signature()

    def _read_signature(self) -> Signature:
        return read_signature(self.fn, self.short_name)

    @cached_property
    def signature(self) -> Signature:
        """The signature. Raises ``CompileError`` with everything that is wrong with it."""
        read = self.read
        if read.problems:
            raise CompileError(read.problems)
        return read

    @property
    def interface(self) -> Interface:
        """Inputs and outputs in the engine's terms. Raises ``CompileError``."""
        return self.signature.interface

    # --- calling -----------------------------------------------------------------------------------------------------

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Hand the call to the caller in force: run it, add a node, or make it pending."""
        return cast(R, current.get().call(self, args, kwargs))

    def prepared(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[Entity[..., Any], tuple[Any, ...], dict[str, Any]]:
        """What is called when these arguments are given, and with what: itself with them, but for a map."""
        return self, args, kwargs

    def aio(self, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, R]:
        """The same call, typed as what ``await`` takes. For eager workflows and other coroutines."""
        return settled(self, args, kwargs, None)

    def options(self, **overrides: Any) -> Configured[P, R]:
        """This entity with other options for the calls that are made through the result.

        ``fit.options(mem="8Gi", retries=3)(parts=parts)``. Raises ``CallMismatch`` for an unknown option.
        """
        return Configured(self, read_metadata(overrides, auto_version=self._auto_version(overrides)))

    def with_overrides(self, **overrides: Any) -> Configured[P, R]:
        """The same as ``options``."""
        return self.options(**overrides)

    def _auto_version(self, options: dict[str, Any]) -> str:
        cache = options.get("cache")
        code = self.code_digest()[:16] if cache else ""
        if not isinstance(cache, Cache):
            return code
        image, pod, name = (options.get(key) for key in ("container_image", "pod_template", "pod_template_name"))
        return cache.get_version(VersionParameters(self.fn, image, pod, name), code)

    def __repr__(self) -> str:
        return f"<{self.noun} {self.name}>"

    # --- what each kind says -----------------------------------------------------------------------------------------

    @abstractmethod
    def call_plain(self, args: tuple[Any, ...], kwargs: dict[str, Any], execution: ExecutionContext) -> Any:
        """``Callee``: check, run here and now, check. A coroutine if the function is one."""

    @abstractmethod
    def run_blocking(self, inputs: dict[str, Any], execution: ExecutionContext) -> Any:
        """Run to the end with inputs that were checked, and give the checked result; never a coroutine."""

    @abstractmethod
    def run_async(self, inputs: dict[str, Any], execution: ExecutionContext) -> Coroutine[Any, Any, Any] | None:
        """The coroutine that runs it on the present event loop; ``None`` if it blocks, and belongs on a thread."""

    @abstractmethod
    def program(self) -> Program:
        """Everything that a run of it needs. Raises ``CompileError`` with everything that is wrong."""

    @abstractmethod
    def target(self) -> Target:
        """What a node that runs it names."""

    @abstractmethod
    def part(self) -> Part:
        """What it puts into a program. Raises nothing of the author's."""


class Configured(Generic[P, R]):
    """An entity together with options for one call."""

    __slots__ = ("entity", "overrides")

    def __init__(self, entity: Entity[P, R], overrides: Metadata) -> None:
        self.entity = entity
        self.overrides = overrides

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the entity with these options."""
        return cast(R, current.get().call(self.entity, args, kwargs, self.overrides))

    def aio(self, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, R]:
        """The same call, typed as what ``await`` takes."""
        return settled(self.entity, args, kwargs, self.overrides)

    def __repr__(self) -> str:
        return f"<{self.entity!r} with options>"


_READ = (*METADATA_OPTIONS, *DATA_OPTIONS)


def task_metadata(options: dict[str, Any], entity: Entity[..., Any]) -> Metadata:
    """The metadata of a task's options, with the line of the task in the error. Raises ``CompileError``."""
    said = {name: value for name, value in options.items() if name in _READ and value is not None}
    try:
        return read_metadata(said, auto_version=entity._auto_version(said))
    except CallMismatch as error:
        line = entity.line
        raise CompileError([Problem(f"{entity.short_name}: {error}", file=line.file or None, line=line.line)]) from None
