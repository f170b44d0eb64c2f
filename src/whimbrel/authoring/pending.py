"""A call of an eager body that has not been awaited yet.

It is a coroutine to asyncio (``await``, ``gather``, ``create_task``, ``TaskGroup`` all take it) and a stand-in to
everything else: using it as a value raises ``ForgottenAwait`` with the author's line. Knows nothing of how a call is
carried out: its maker hands over a function that starts it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Coroutine, Generator
from typing import Any, TypeVar

from whimbrel.authoring.source import caller_position, line_at
from whimbrel.authoring.standin import Standin
from whimbrel.errors import ForgottenAwait

R_co = TypeVar("R_co", covariant=True)


class NeverAwaited(RuntimeWarning):
    """A call was made in an eager body, and never awaited: it did not run."""


class PendingCall(Standin, Coroutine[Any, Any, R_co]):
    """A call that starts when it is awaited (or handed to asyncio).

    ``start`` gives the coroutine that carries it out; it is called at most once. ``open_calls`` is the maker's book
    of calls that were not awaited: the call enters itself when it is made and strikes itself out when it starts.
    ``position`` is the author's line, where the maker knows it already; ``key`` names the call among those of its body.
    """

    __slots__ = (
        *("__name__", "__qualname__", "_coroutine", "_file", "_line", "_name", "_open_calls", "_start"),
        "__call_key__",
    )

    def __init__(
        self,
        name: str,
        start: Callable[[], Coroutine[Any, Any, R_co]],
        open_calls: dict[int, PendingCall[Any]],
        position: tuple[str, int] | None = None,
        key: str = "",
    ) -> None:
        self._name = name
        self.__call_key__ = key
        # asyncio names tasks, and the durable driver names scopes, by these.
        self.__name__ = self.__qualname__ = name.rpartition(".")[2]
        self._start = start
        self._coroutine: Coroutine[Any, Any, R_co] | None = None
        self._file, self._line = position or caller_position()
        self._open_calls = open_calls
        open_calls[id(self)] = self

    def _started(self) -> Coroutine[Any, Any, R_co]:
        coroutine = self._coroutine
        if coroutine is None:
            self._open_calls.pop(id(self), None)
            coroutine = self._coroutine = self._start()
        return coroutine

    def __await__(self) -> Generator[Any, None, R_co]:
        return self._started().__await__()

    def send(self, value: Any, /) -> Any:
        """Coroutine protocol."""
        return self._started().send(value)

    def throw(self, *args: Any) -> Any:
        """Coroutine protocol."""
        return self._started().throw(*args)

    def close(self) -> None:
        """Coroutine protocol: a call that is closed before it started never runs, which is its program's choice."""
        self._open_calls.pop(id(self), None)
        if self._coroutine is not None:
            self._coroutine.close()

    def __repr__(self) -> str:
        state = "pending" if self._coroutine is None else "started"
        return f"<{state} call of {self._name} made at {self._file}:{self._line}>"

    def __getattr__(self, name: str) -> Any:
        # asyncio and inspect look for special, private and coroutine attributes; an author for a field of the result.
        if name.startswith(("_", "cr_", "gi_", "ag_")):
            raise AttributeError(name)
        raise self._refusal(f"asked for .{name}")

    def _refusal(self, use: str) -> ForgottenAwait:
        file, line = caller_position()
        return ForgottenAwait(
            f"{file}:{line}: a call of {self._name} is {use} before it was awaited. "
            f"Write `await` before the call (it was made at line {self._line})."
        )


def report_never_awaited(open_calls: dict[int, PendingCall[Any]]) -> None:
    """Warn of every call in the book, at the author's line, and clear the book."""
    forgotten = list(open_calls.values())
    open_calls.clear()
    for call in forgotten:
        line = line_at(call._file, call._line)
        warnings.warn_explicit(
            f"{call._name} was called but never awaited, so it did not run: `{line.text}`. "
            "Await it, or take the call away.",
            NeverAwaited,
            filename=call._file or "<unknown>",
            lineno=call._line,
        )
