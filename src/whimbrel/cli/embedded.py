"""Composition of the embedded engine: a home on this machine, workers of this machine, this process in control.

Knows: which implementation of each port the command line uses. Must not know: options, output, users' entities.
"""

from __future__ import annotations

import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from whimbrel.authoring.secret_sources import EnvironmentSecrets, FileSecrets, SecretSources
from whimbrel.controlplane.plane import ControlPlane, Watch
from whimbrel.controlplane.ports import Executor
from whimbrel.controlplane.system import RandomIds, SystemClock
from whimbrel.executors.inline import InlineExecutor
from whimbrel.executors.processes import ProcessExecutor
from whimbrel.model.attempt import Cancel, Deliver, Launch, Report
from whimbrel.model.run import AttemptId
from whimbrel.runtime.driver import Driver
from whimbrel.stores.home import Home, open_home
from whimbrel.stores.secrets import SecretStore

PROCESSES = "processes"
INLINE = "inline"
INLINE_THREADS = 8
"""Blocking tasks at a time when nothing is said; inline ones mostly wait."""


NOWHERE = "nowhere"


class Nowhere:
    """An executor that runs nothing: for a run that is to be ended, not carried on."""

    async def start(self, report: Callable[[Report], None]) -> None:
        """Nothing is started."""

    def launch(self, launch: Launch) -> None:
        """Nothing is launched."""

    def cancel(self, cancel: Cancel) -> None:
        """Nothing runs."""

    def deliver(self, deliver: Deliver) -> None:
        """Nobody listens."""

    def running(self) -> frozenset[AttemptId]:
        """None."""
        return frozenset()

    async def close(self) -> None:
        """There is nothing to close."""


class Embedded(NamedTuple):
    """An open home with an engine that owns it."""

    home: Home
    plane: ControlPlane


@asynccontextmanager
async def embedded(
    path: Path | str, *, executor: str = PROCESSES, workers: int | None = None, watch: Watch | None = None
) -> AsyncIterator[Embedded]:
    """The engine over the home at ``path``, made if need be. What still runs at the end is parked.

    Raises ``HomeLocked`` and the other ``StoreError`` of ``open_home``.
    """
    with open_home(path, exclusive=True) as home:
        plane = ControlPlane(
            store=home.store,
            executor=_executor(executor, home, workers),
            clock=SystemClock(),
            ids=RandomIds(),
            owner=f"{socket.gethostname()}:{os.getpid()}",
            watch=watch,
        )
        await plane.start()
        try:
            yield Embedded(home, plane)
        finally:
            await plane.close()


def _executor(kind: str, home: Home, workers: int | None) -> Executor:
    secrets = SecretSources((EnvironmentSecrets(), FileSecrets(), SecretStore(home.path)))
    if kind == INLINE:
        return InlineExecutor(blobs=home.blobs, driver=Driver, threads=workers or INLINE_THREADS, secrets=secrets)
    if kind == NOWHERE:
        return Nowhere()
    return ProcessExecutor(blobs=home.blobs.location, workers=workers, secrets=secrets)
