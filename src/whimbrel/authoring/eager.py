"""``eager``: plain asyncio whose calls of tasks become awaitable, and, under an engine, durable.

Must not know who drives a body: it is handed a caller (``DirectEager`` here, a durable session in a driver).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, Protocol, TypeVar, cast, overload

from whimbrel.authoring.calling import current
from whimbrel.authoring.context import ExecutionContext
from whimbrel.authoring.direct_eager import DirectEager, Threads
from whimbrel.authoring.options import unknown_option
from whimbrel.authoring.settling import run_to_end
from whimbrel.authoring.signature import Signature
from whimbrel.authoring.task import TASK_OPTIONS, Task
from whimbrel.model.program import TaskKind

P = ParamSpec("P")
R = TypeVar("R")

# What flytekit's decorator takes to reach its back end. Kept as data: an engine hands its drivers a channel of their
# own.
REMOTE_OPTIONS = ("client_secret_env_var", "client_secret_group", "client_secret_key", "local_entrypoint", "remote")


class Eager(Task[P, R]):
    """A coroutine function in which every task, workflow and eager workflow that it calls can be awaited."""

    noun = "eager workflow"
    kind = TaskKind.EAGER
    is_eager = True

    def _read_signature(self) -> Signature:
        signature = super()._read_signature()
        if not self.is_async:
            signature.add_problem("the body of an eager workflow is a coroutine", "Write `async def`.")
        return signature

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, R]:  # type: ignore[override]
        """A coroutine outside any workflow; a node in a static workflow; something to await in an eager one."""
        return cast(Coroutine[Any, Any, R], current.get().call(self, args, kwargs))

    def call_plain(self, args: tuple[Any, ...], kwargs: dict[str, Any], execution: ExecutionContext) -> Any:
        """Check the arguments now, and give the coroutine that does the rest."""
        inputs = self.signature.bind(args, kwargs)
        self.signature.check_inputs(inputs)
        return self.run_async(inputs, execution)

    def run_async(self, inputs: dict[str, Any], execution: ExecutionContext) -> Coroutine[Any, Any, Any]:
        """The whole of it, as the outermost eager workflow."""
        return self._outermost(inputs, execution)

    async def _outermost(self, inputs: dict[str, Any], execution: ExecutionContext) -> Any:
        threads = Threads()
        try:
            return await self.run_body(inputs, DirectEager(execution, threads))
        finally:
            threads.close()

    def run_body(self, inputs: dict[str, Any], caller: DirectEager) -> Coroutine[Any, Any, Any]:
        """The body with ``caller`` in force, its result checked."""
        return caller.drive(self.body(inputs))

    async def body(self, inputs: dict[str, Any]) -> Any:
        """The author's coroutine on inputs that were checked; its result is checked too.

        Whoever drives it sets the caller.
        """
        result = self.fn(**inputs)
        value = await result if inspect.isawaitable(result) else result
        return self.signature.check_output(value)

    def run_blocking(self, inputs: dict[str, Any], execution: ExecutionContext) -> Any:
        """Run to the end on an event loop of its own."""
        return run_to_end(self.run_async(inputs, execution))


class EagerDecorator(Protocol):
    """What ``eager(...)`` with options gives."""

    def __call__(self, fn: Callable[P, Coroutine[Any, Any, R]], /) -> Eager[P, R]: ...


@overload
def eager(fn: Callable[P, Coroutine[Any, Any, R]], /) -> Eager[P, R]: ...
@overload
def eager(fn: None = None, /, **options: Any) -> EagerDecorator: ...
def eager(fn: Any = None, /, **options: Any) -> Any:
    """Make an eager workflow of an ``async`` function; with options, a decorator that does.

    Takes the options of ``task``, and ``remote``, ``client_secret_group``, ``client_secret_key``, which are kept as
    data. Raises ``CallMismatch`` for an option that does not exist.
    """
    for name in options:
        if name not in TASK_OPTIONS and name not in REMOTE_OPTIONS:
            raise unknown_option(name, (*TASK_OPTIONS, *REMOTE_OPTIONS))
    if fn is not None:
        return Eager(fn, options)
    return lambda fn: Eager(fn, options)
