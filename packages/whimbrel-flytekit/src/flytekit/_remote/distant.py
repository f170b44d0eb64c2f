"""``@eager(remote=…, local_entrypoint=True)``: the body runs here, what it calls runs on a server.

Knows the caller of eager bodies outside an engine. Must not know: how anything is registered or launched.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

from whimbrel.authoring.calling import current
from whimbrel.authoring.direct_eager import DirectEager
from whimbrel.types.failures import as_eager

P = ParamSpec("P")
R = TypeVar("R")


def from_here(fn: Callable[P, Coroutine[Any, Any, R]], remote: Any) -> Callable[P, Coroutine[Any, Any, R]]:
    """``fn`` with everything that it calls executed by ``remote``, outside an engine. A driver has its own channel."""

    @functools.wraps(fn)
    async def body(*args: P.args, **kwargs: P.kwargs) -> R:
        caller = current.get()
        if not isinstance(caller, DirectEager):
            return await fn(*args, **kwargs)
        token = current.set(DistantEager(caller, remote))
        try:
            return await fn(*args, **kwargs)
        finally:
            current.reset(token)

    return body


class DistantEager(DirectEager):
    """The caller in such a body: each call is an execution, which is waited for."""

    __slots__ = ("_remote",)

    def __init__(self, caller: DirectEager, remote: Any) -> None:
        super().__init__(caller.execution, caller.threads)
        self._remote = remote

    async def _run(self, entity: Any, inputs: dict[str, Any]) -> Any:
        try:
            return await self.threads.run(functools.partial(self._executed, entity, inputs))
        except Exception as error:
            failure = as_eager(error)
            if failure is error:
                raise
            raise failure from failure.__cause__

    def _executed(self, entity: Any, inputs: dict[str, Any]) -> Any:
        execution = self._remote.execute(entity, inputs)
        self._remote.wait(execution, sync_nodes=False)
        return execution.remote_execution.result()
