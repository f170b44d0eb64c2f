"""Runs sample programs on the real control plane, engine and drivers, in this process, over any store."""

from __future__ import annotations

from typing import Any

from whimbrel.authoring.entry import entry_program
from whimbrel.controlplane.plane import ControlPlane, RunResult, Watch
from whimbrel.controlplane.ports import Executor, Store
from whimbrel.controlplane.system import RandomIds, SystemClock
from whimbrel.errors import EntityNotFound
from whimbrel.model.run import RunOptions

RUN = "sample"


def plane(store: Store, executor: Executor, watch: Watch | None = None, owner: str = "laws") -> ControlPlane:
    """A control plane over the given store and executor."""
    return ControlPlane(store=store, executor=executor, clock=SystemClock(), ids=RandomIds(), owner=owner, watch=watch)


async def carry_on(
    entity: Any,
    inputs: dict[str, Any],
    *,
    store: Store,
    executor: Executor,
    options: RunOptions | None = None,
    run_id: str = RUN,
    watch: Watch | None = None,
) -> RunResult:
    """Start the run, or resume it if the store has it, and wait for its end. Whatever stops it comes out."""
    control = plane(store, executor, watch)
    await control.start()
    try:
        try:
            await store.summary(run_id)
        except EntityNotFound:
            program, workflow = entry_program(entity)
            literals = entity.signature.encode_inputs(entity.signature.bind((), inputs))
            await control.launch(program, workflow, literals, options=options, run_id=run_id)
        else:
            await control.resume(run_id)
        return await control.wait(run_id)
    finally:
        await control.close()
