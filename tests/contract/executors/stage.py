"""An executor at work, and what it reported: the tests' view of both executors."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.contract.executors import entities
from whimbrel.controlplane.ports import Executor
from whimbrel.executors.inline import InlineExecutor
from whimbrel.executors.processes import ProcessExecutor
from whimbrel.model.attempt import AttemptFault, Cancel, Launch, LogChunk, Lost, Parked, Report, Started, Succeeded
from whimbrel.model.failure import Failure
from whimbrel.model.program import CodeRef, Metadata, TaskSpec, overlay
from whimbrel.model.run import AttemptId
from whimbrel.runtime.driver import Driver
from whimbrel.stores.blobs import ObjectBlobs

PATIENCE = 60.0
"""Seconds after which a test has failed; nothing waits for it to pass."""

End = Succeeded | AttemptFault | Lost | Parked


class Stage:
    """An executor, with its reports kept in order."""

    def __init__(self, executor: Executor, blobs: ObjectBlobs) -> None:
        self.executor = executor
        self.blobs = blobs
        self.reports: list[Report] = []
        self._numbers = itertools.count(1)
        self._news = asyncio.Event()

    def hear(self, report: Report) -> None:
        """What the executor calls."""
        self.reports.append(report)
        self._news.set()

    def launch(self, entity: Any, *, metadata: Metadata | None = None, **inputs: Any) -> AttemptId:
        """Launch an attempt of ``entity``."""
        spec = entity.spec()
        attempt = AttemptId("r1", f"n{next(self._numbers)}", 1)
        literals = entity.signature.encode_inputs(entity.signature.bind((), inputs))
        final = overlay(spec.metadata, metadata or Metadata())
        self.executor.launch(Launch(attempt, spec, literals, final, started_at=1_700_000_000.0))
        return attempt

    async def until(self, holds: Callable[[], Any]) -> Any:
        """Wait until ``holds`` is true, looking again at every report."""
        async with asyncio.timeout(PATIENCE):
            while not (answer := holds()):
                self._news.clear()
                await self._news.wait()
        return answer

    def ends(self, attempt: AttemptId) -> list[End]:
        """The ends that were reported of an attempt."""
        return [one for one in self.reports if isinstance(one, End) and one.attempt == attempt]

    async def end(self, attempt: AttemptId) -> End:
        """The end of an attempt."""
        ends: list[End] = await self.until(lambda: self.ends(attempt))
        return ends[0]

    async def value(self, entity: Any, *, metadata: Metadata | None = None, **inputs: Any) -> Any:
        """Run ``entity`` to its successful end and return its value."""
        end = await self.end(self.launch(entity, metadata=metadata, **inputs))
        assert isinstance(end, Succeeded), end
        return entity.signature.decode_outputs(end.outputs)

    async def fault(self, entity: Any, **inputs: Any) -> AttemptFault:
        """Run ``entity`` to its unsuccessful end."""
        end = await self.end(self.launch(entity, **inputs))
        assert isinstance(end, AttemptFault), end
        return end

    async def fault_of(self, spec: TaskSpec, code: CodeRef) -> Failure:
        """How an attempt of ``spec`` fails when its code is said to be at ``code``."""
        attempt = AttemptId("r1", f"n{next(self._numbers)}", 1)
        moved = TaskSpec(spec.name, spec.interface, code)
        self.executor.launch(Launch(attempt, moved, {}, Metadata()))
        end = await self.end(attempt)
        assert isinstance(end, AttemptFault), end
        return end.failure

    def printed(self, attempt: AttemptId, stream: str = "stdout") -> str:
        """What an attempt wrote."""
        return "".join(
            one.text
            for one in self.reports
            if isinstance(one, LogChunk) and one.attempt == attempt and one.stream == stream
        )

    def worker_of(self, attempt: AttemptId) -> int:
        """The process that an attempt runs in."""
        (started,) = [one for one in self.reports if isinstance(one, Started) and one.attempt == attempt]
        return int(started.worker.split()[0])

    async def says(self, attempt: AttemptId, words: str = "running\n") -> str:
        """Wait until an attempt has written ``words``; what it has written."""
        await self.until(lambda: words in self.printed(attempt))
        return self.printed(attempt)

    def cancel(self, attempt: AttemptId, grace: float = PATIENCE) -> None:
        """Cancel an attempt."""
        self.executor.cancel(Cancel(attempt, "no longer wanted", grace))


def _inline(blobs: ObjectBlobs, **options: Any) -> Executor:
    return InlineExecutor(blobs=blobs, driver=Driver, threads=options.pop("workers", 4), **options)


def _processes(blobs: ObjectBlobs, **options: Any) -> Executor:
    return ProcessExecutor(blobs=blobs.location, **{"workers": 1, "warm": 1, **options})


MAKERS: dict[str, Callable[..., Executor]] = {"inline": _inline, "processes": _processes}


@asynccontextmanager
async def stage(kind: str, directory: Path, **options: Any) -> AsyncIterator[Stage]:
    """An executor of a kind, started and at the end closed."""
    blobs = ObjectBlobs(directory / "blobs")
    made = Stage(MAKERS[kind](blobs, **options), blobs)
    await made.executor.start(made.hear)
    try:
        yield made
    finally:
        await made.executor.close()


async def gone(pid: int) -> None:
    """Wait until a process has ended."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(descriptor, ended.set)
    try:
        async with asyncio.timeout(PATIENCE):
            await ended.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


def kill(pid: int, number: signal.Signals = signal.SIGKILL) -> None:
    """Send a signal."""
    os.kill(pid, number)


__all__ = ["MAKERS", "PATIENCE", "End", "Stage", "entities", "gone", "kill", "stage"]
