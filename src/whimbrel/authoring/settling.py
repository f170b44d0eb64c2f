"""Calls as coroutines: ``entity.aio``, and coroutines run to their end from code that blocks.

Knows asyncio, which it imports when it is first needed: importing whimbrel must stay cheap.
"""

from __future__ import annotations

import contextvars
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from whimbrel.authoring.calling import Direct, current
from whimbrel.authoring.local import LocalFlow
from whimbrel.authoring.promise import misuse
from whimbrel.authoring.tracer import Tracer

if TYPE_CHECKING:
    from whimbrel.model.program import Metadata


def settled(
    entity: Any, args: tuple[Any, ...], kwargs: dict[str, Any], overrides: Metadata | None
) -> Coroutine[Any, Any, Any]:
    """A coroutine that gives the result of the call, whoever carries it out."""
    caller = current.get()
    if isinstance(caller, Direct):
        # Nobody makes calls awaitable here: run what blocks on a thread, so that the author's loop goes on.
        bound = entity.signature.bind(args, kwargs)
        entity.signature.check_inputs(bound)
        execution = caller.execution
        return entity.run_async(bound, execution) or _on_thread(entity, bound, execution)
    if isinstance(caller, LocalFlow | Tracer):
        raise misuse(f"{entity.short_name}.aio() is used in a workflow", f"Call {entity.short_name}() there.")
    call: Coroutine[Any, Any, Any] = caller.call(entity, args, kwargs, overrides)
    return call


async def _on_thread(entity: Any, inputs: dict[str, Any], execution: Any) -> Any:
    import asyncio

    return await asyncio.to_thread(entity.run_blocking, inputs, execution)


def run_to_end(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """The result of ``coroutine``, run on an event loop of its own; on a thread of its own when this one has a loop."""
    import asyncio

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(coroutine)
    from concurrent.futures import ThreadPoolExecutor

    context = contextvars.copy_context()
    with ThreadPoolExecutor(1, thread_name_prefix="whimbrel-loop") as threads:
        return threads.submit(context.run, asyncio.run, coroutine).result()
