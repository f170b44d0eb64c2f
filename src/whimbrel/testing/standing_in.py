"""``standing_in``: a function in place of an entity for the length of a block, in plain calls and in test engines.

Knows: how plain calls are carried out, and the stand-ins of engines. Nothing of the entity's module is patched: the
entity object itself is, so every module that imported it sees the stand-in. Worker processes import anew, and don't.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from whimbrel.authoring.entity import Configured, Entity
from whimbrel.authoring.settling import run_to_end
from whimbrel.errors import CallMismatch
from whimbrel.testing.mocks import STANDING_IN, Mock, StandIn


@contextmanager
def standing_in(entity: Any, function: Callable[..., Any]) -> Iterator[None]:
    """Calls of ``entity`` in this block call ``function`` with the inputs by name; both sides are still checked.

    For tasks, workflows, dynamic and eager workflows, launch plans and references: wherever they are called in this
    process, by plain calls or by a ``TestEngine``. ``function`` may be ``async``. Raises ``CallMismatch``.
    """
    if isinstance(entity, Configured):
        entity = entity.entity
    if not isinstance(entity, Entity):
        raise CallMismatch(f"{entity!r} cannot be mocked: give a task, a workflow, a launch plan or a reference")
    methods = _methods(entity, function)
    had = {name: vars(entity)[name] for name in methods if name in vars(entity)}
    before = STANDING_IN.get(entity.name)
    vars(entity).update(methods)
    STANDING_IN[entity.name] = StandIn(entity, Mock(side_effect=function))
    try:
        yield
    finally:
        for name in methods:
            del vars(entity)[name]
        vars(entity).update(had)
        del STANDING_IN[entity.name]
        if before is not None:
            STANDING_IN[entity.name] = before


def _methods(entity: Entity[..., Any], function: Callable[..., Any]) -> dict[str, Callable[..., Any]]:
    """What callers outside an engine ask of an entity, answered by ``function``."""
    signature = entity.signature
    is_async = bool(getattr(entity, "is_async", False))

    def run_blocking(inputs: dict[str, Any], _execution: Any = None) -> Any:
        value = function(**inputs)
        return signature.check_output(run_to_end(value) if inspect.iscoroutine(value) else value)

    async def run_body(inputs: dict[str, Any], _caller: Any = None) -> Any:
        value = function(**inputs)
        return signature.check_output(await value if inspect.isawaitable(value) else value)

    def run_async(inputs: dict[str, Any], _execution: Any = None) -> Any:
        return run_body(inputs) if is_async else None

    def call_plain(args: tuple[Any, ...], kwargs: dict[str, Any], execution: Any) -> Any:
        inputs = signature.bind(args, kwargs)
        signature.check_inputs(inputs)
        return run_body(inputs) if is_async else run_blocking(inputs)

    return {"call_plain": call_plain, "run_async": run_async, "run_blocking": run_blocking, "run_body": run_body}
