"""Law: a process that dies before or after any write to its store leaves a run that resumes to the right result, and
runs no finished task again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from whimbrel.controlplane.ports import Store
from whimbrel.engine.run import Run
from whimbrel.errors import EntityNotFound
from whimbrel.executors.inline import InlineExecutor
from whimbrel.model.run import Phase
from whimbrel.runtime.driver import Driver
from whimbrel.stores.blobs import ObjectBlobs
from whimbrel.stores.crashing import CrashingStore, SimulatedCrash
from whimbrel.stores.memory import MemoryStore
from whimbrel.stores.sql.store import SqlStore

from . import corpus
from .corpus import EXECUTED, SAMPLES, Sample
from .embedded import RUN, carry_on

ENTITIES = {
    value.name: value for value in vars(corpus).values() if hasattr(value, "signature") and hasattr(value, "program")
}


@contextmanager
def opened(kind: str, folder: Path) -> Iterator[Store]:
    if kind == "memory":
        yield MemoryStore()
    else:
        store = SqlStore.open(folder / "whimbrel.db")
        try:
            yield store
        finally:
            store.close()


def executor() -> InlineExecutor:
    return InlineExecutor(blobs=ObjectBlobs("memory://"), driver=Driver, entities=ENTITIES, capture=False, threads=2)


async def go(sample: Sample, store: Store) -> Any:
    result = await asyncio.wait_for(
        carry_on(sample.entity, sample.inputs, store=store, executor=executor()), timeout=20
    )
    assert result.phase is Phase.SUCCEEDED, result.failure
    return sample.entity.signature.decode_outputs(result.outputs)


async def finished_nodes(store: Store) -> set[str]:
    try:
        run = Run.replay(await store.events(RUN))
    except EntityNotFound:
        return set()
    return {path for path, node in run.nodes.items() if node.phase is Phase.SUCCEEDED}


async def crash_and_resume(sample: Sample, inner: Store, at: int, *, before: bool) -> bool:
    """Whether the crash happened: near the end, how events share a commit may leave one write fewer."""
    EXECUTED.clear()
    crashed = False
    try:
        result = await go(sample, CrashingStore(inner, at, before=before))
    except SimulatedCrash:
        crashed = True
        done = await finished_nodes(inner)
        EXECUTED.clear()
        if (await _phase(inner)) is not Phase.SUCCEEDED:
            result = await go(sample, inner)
            again = [path for path, _ in EXECUTED if path in done]
            assert not again, f"ran again: {again}"
        else:
            result = sample.entity.signature.decode_outputs(Run.replay(await inner.events(RUN)).outputs)
    assert result == sample.expected
    await replays_to_itself(inner)
    return crashed


async def _phase(store: Store) -> Phase:
    try:
        return (await store.summary(RUN)).phase
    except EntityNotFound:
        return Phase.UNDEFINED


async def replays_to_itself(store: Store) -> None:
    """The log gives one state, and the engine's invariants hold in it."""
    events = await store.events(RUN)
    first, second = Run.replay(events), Run.replay(events)
    assert first.snapshot() == second.snapshot()
    first.check_invariants()
    assert first.phase is Phase.SUCCEEDED


@pytest.mark.parametrize("name", SAMPLES)
def test_undisturbed(name: str) -> None:
    sample = SAMPLES[name]
    EXECUTED.clear()
    assert asyncio.run(go(sample, MemoryStore())) == sample.expected
    if sample.task_calls >= 0:
        assert len(EXECUTED) == sample.task_calls


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
@pytest.mark.parametrize("name", SAMPLES)
def test_crash_at_every_write(name: str, kind: str, tmp_path: Path) -> None:
    sample = SAMPLES[name]
    with opened(kind, tmp_path) as inner:
        counting = CrashingStore(inner)
        assert asyncio.run(go(sample, counting)) == sample.expected
    writes = counting.writes
    assert writes >= 2
    crashes = 0
    for at in range(1, writes + 1):
        for before in (True, False):
            folder = tmp_path / f"{at}{'before' if before else 'after'}"
            folder.mkdir()
            with opened(kind, folder) as inner:
                crashes += asyncio.run(crash_and_resume(sample, inner, at, before=before))
    assert crashes >= writes, "the law was hardly put to the test"
