"""Laws of what goes wrong: values that cannot be encoded, two owners of one run, code that has changed since."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from whimbrel.authoring.entry import entry_program
from whimbrel.controlplane.plane import ControlPlane
from whimbrel.controlplane.system import RandomIds, SystemClock
from whimbrel.errors import EagerException, Fenced
from whimbrel.executors.inline import InlineExecutor
from whimbrel.model.run import Phase
from whimbrel.runtime.driver import Driver
from whimbrel.stores.crashing import SimulatedCrash
from whimbrel.stores.memory import MemoryStore
from whimbrel.testing.blobs import MemoryBlobs
from whimbrel.testing.engine import TestEngine

from .bad_input import (
    catches_rows,
    reads_inner_rows,
    reads_rows,
    rows,
    steps,
    steps_with_a_start,
    steps_without_the_first,
)

# --- results that cannot be encoded ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entity", "task", "path"),
    [(rows, "rows", "[2].price"), (reads_rows, "rows", "[2].price"), (reads_inner_rows, "inner_rows", "[1].price")],
)
def test_a_result_that_cannot_be_encoded(entity: Any, task: str, path: str) -> None:
    engine = TestEngine()
    with pytest.raises(TypeError) as caught:
        engine.run(entity, x=1)
    assert isinstance(caught.value, EagerException)
    assert task in str(caught.value)
    assert path in str(caught.value)
    assert engine.phase is Phase.FAILED
    failed = {node.entity.rpartition(".")[2] for node in engine.tree.nodes.values() if node.phase is Phase.FAILED}
    assert task in failed


def test_it_is_a_failure_like_any_other() -> None:
    engine = TestEngine()
    told = engine.run(catches_rows, x=1)
    assert "[2].price" in told
    assert told.endswith("/ 2")


# --- two drivers of one run ------------------------------------------------------------------------------------------


def plane(store: MemoryStore, owner: str) -> ControlPlane:
    executor = InlineExecutor(blobs=MemoryBlobs(), driver=Driver, capture=False)
    return ControlPlane(store=store, executor=executor, clock=SystemClock(), ids=RandomIds(), owner=owner)


def test_the_owner_that_lost_the_run_is_fenced_off() -> None:
    async def two_owners() -> tuple[str, int]:
        store = MemoryStore()
        first, second = plane(store, "first"), plane(store, "second")
        await first.start()
        await second.start()
        program, workflow = entry_program(steps)
        await first.launch(program, workflow, steps.signature.encode_inputs({"n": 50}), run_id="shared")
        await second.resume("shared")
        with pytest.raises(Fenced) as caught:
            await asyncio.wait_for(first.wait("shared"), 30)
        result = await asyncio.wait_for(second.wait("shared"), 30)
        value = steps.signature.decode_outputs(result.outputs)
        await first.close()
        await second.close()
        return str(caught.value), value

    message, value = asyncio.run(two_owners())
    assert value == 50
    assert "shared" in message
    assert "second" in message


# --- code that has changed -------------------------------------------------------------------------------------------


def died_after(calls: int) -> TestEngine:
    engine = TestEngine()
    engine.crash_at(calls + 2)
    with pytest.raises(SimulatedCrash):
        engine.run(steps, n=6)
    assert engine.executions["add_one"] == calls + 1
    return engine


@pytest.mark.parametrize("version", [steps_with_a_start, steps_without_the_first])
def test_finished_calls_are_kept_by_another_version(
    version: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their places have moved; what they gave is found by what was asked."""
    engine = died_after(4)
    finished = sum(1 for node in engine.tree.nodes.values() if node.phase is Phase.SUCCEEDED)
    assert finished >= 4
    before = engine.executions["add_one"]
    monkeypatch.setattr(steps, "fn", version)
    monkeypatch.setattr(steps, "code_digest", lambda: "of the next version")
    assert engine.resume() == 6
    again = engine.executions["add_one"] - before
    assert again <= 6 - finished, "finished calls are not made again"
    grafted = {node.path: node.grafted_from for node in engine.tree.nodes.values() if node.grafted_from}
    assert len(grafted) >= 3
    replaced = [node.path for node in engine.tree.nodes.values() if node.replaced]
    assert replaced, "what stood there before stays visible"
    path, origin = next(iter(grafted.items()))
    assert origin in "\n".join(engine.tree.story(path))


def test_the_same_version_goes_on_without_a_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = died_after(4)
    assert engine.resume() == 6
    assert not [node for node in engine.tree.nodes.values() if node.grafted_from or node.replaced]
