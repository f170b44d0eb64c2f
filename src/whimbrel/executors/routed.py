"""Two executors as one: command lines here, everything else there.

Knows: the port, and how to tell a command. Must not know: how either runs what it is given.
"""

from __future__ import annotations

from collections.abc import Callable

from whimbrel.controlplane.ports import Executor
from whimbrel.model.attempt import Cancel, Deliver, Launch, Report
from whimbrel.model.program import Command
from whimbrel.model.run import AttemptId


class RoutedExecutor:
    """``ports.Executor``: attempts whose task is a ``Command`` go to ``commands``, the rest to ``others``."""

    def __init__(self, *, commands: Executor, others: Executor) -> None:
        self._commands = commands
        self._others = others

    async def start(self, report: Callable[[Report], None]) -> None:
        """Both are ready."""
        await self._others.start(report)
        await self._commands.start(report)

    def launch(self, launch: Launch) -> None:
        """Run an attempt."""
        where = self._commands if isinstance(launch.task.command, Command) else self._others
        where.launch(launch)

    def cancel(self, cancel: Cancel) -> None:
        """Stop an attempt; the one that does not know it does nothing."""
        self._commands.cancel(cancel)
        self._others.cancel(cancel)

    def deliver(self, deliver: Deliver) -> None:
        """Hand journal entries to a driver."""
        self._others.deliver(deliver)

    def running(self) -> frozenset[AttemptId]:
        """The attempts of both."""
        return self._commands.running() | self._others.running()

    async def close(self) -> None:
        """Close both."""
        try:
            await self._commands.close()
        finally:
            await self._others.close()
