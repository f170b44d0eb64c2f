"""Requests in an inbox: none is lost, none is carried out twice, whenever their owner dies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.controlplane.test_parked_runs import Puppets, SkippingLoop, skipping
from tests.unit.engine.playing import ONE, graph, program, task
from whimbrel.controlplane.plane import ControlPlane
from whimbrel.controlplane.requests import ABORT, SIGNAL, signal_text
from whimbrel.controlplane.system import RandomIds
from whimbrel.errors import EntityNotFound
from whimbrel.model.events import AbortRequested, SignalReceived
from whimbrel.model.literals import BoolLiteral
from whimbrel.model.program import GateKind, GateTarget, Node
from whimbrel.model.run import Phase
from whimbrel.stores.crashing import CrashingStore, SimulatedCrash
from whimbrel.stores.memory import MemoryStore

GATES = [Node(f"n{at}", GateTarget(name, GateKind.APPROVE)) for at, name in enumerate(("ok", "no"))]
GATED = program(task(), graph(*GATES))
APPROVED = signal_text(SignalReceived("ok", BoolLiteral(True), "ann", 0.0, "s1"))


def plane_on(loop: SkippingLoop, store: Any) -> ControlPlane:
    return ControlPlane(store=store, executor=Puppets(loop), clock=loop, ids=RandomIds(), owner="me", listen=None)


async def asked(
    loop: SkippingLoop,
    store: Any,
    inner: MemoryStore,
    letters: list[tuple[str, str]],
    begin: Callable[[ControlPlane], Any],
) -> None:
    plane = plane_on(loop, store)
    await plane.start()
    try:
        await begin(plane)
        for request, detail in letters:
            await inner.send("r", request, detail, loop.now())
        letters.clear()
        await plane.look()
        await plane.look()
        await plane.wait("r")
    finally:
        await plane.close()


@pytest.mark.parametrize("before", [True, False])
def test_a_death_at_any_write_loses_no_request_and_repeats_none(before: bool) -> None:
    async def main(loop: SkippingLoop) -> None:
        crashes = 0
        for at in range(1, 20):
            inner = MemoryStore()
            letters = [(SIGNAL, APPROVED), (ABORT, "enough")]
            crashing = CrashingStore(inner, at, before=before)
            try:
                await asked(loop, crashing, inner, letters, lambda plane: plane.launch(GATED, "w", ONE, run_id="r"))
            except SimulatedCrash:
                crashes += 1
            try:
                summary = await inner.summary("r")
            except EntityNotFound:
                continue  # it died before there was a run
            if not summary.phase.terminal:
                await asked(loop, inner, inner, letters, lambda plane: plane.resume("r"))
            events = await inner.events("r")
            assert (await inner.summary("r")).phase is Phase.ABORTED
            assert sum(isinstance(event, AbortRequested) for event in events) == 1
            assert sum(isinstance(event, SignalReceived) for event in events) == 1
            assert await inner.requests("r") == []
        assert 2 <= crashes < 19

    skipping(main)


def test_what_nobody_can_make_anything_of_is_dismissed() -> None:
    async def main(loop: SkippingLoop) -> None:
        store = MemoryStore()
        plane = plane_on(loop, store)
        await plane.start()
        await plane.launch(GATED, "w", ONE, run_id="r")
        for request, detail in (("sing", "a song"), (SIGNAL, "not base64"), (SIGNAL, "AAAA")):
            await store.send("r", request, detail, loop.now())
        await plane.look()
        assert await store.requests("r") == []
        await store.send("r", ABORT, "enough", loop.now())
        await plane.look()
        assert (await plane.wait("r")).phase is Phase.ABORTED
        # It came too late: the run is over.
        await store.send("r", ABORT, "again", loop.now())
        await plane.look()
        assert await store.requests("r") == []
        await plane.close()

    skipping(main)
