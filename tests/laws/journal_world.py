"""A world for sessions: executes calls with random latencies in virtual-free real order, keeps the journal, and can
crash.

The journal here is the contract in its smallest form: reports in, entries out in one order. The engine's own is held
to it by the laws that run both.
"""

from __future__ import annotations

import asyncio
import contextvars
import heapq
import itertools
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from whimbrel.durable.loop import EagerLoop
from whimbrel.durable.scope import Scope
from whimbrel.durable.session import CallRequest, Session, cancelled
from whimbrel.model.attempt import BeginCall, CancelCall, FireTimer, JournalReport, StartTimer
from whimbrel.model.codec import digest
from whimbrel.model.literals import IntLiteral, StrLiteral
from whimbrel.model.program import Program
from whimbrel.model.run import AttemptId, Done, Entry, EntryKind

AMBIENT: contextvars.ContextVar[Any] = contextvars.ContextVar("ambient", default=None)
ATTEMPT = AttemptId("r", "n0", 1)


class Crash(BaseException):
    """The driver dies."""


class Ambient:
    def __init__(self, world: World, scope: Scope) -> None:
        self.world = world
        self.scope = scope

    @property
    def trail(self) -> str:
        return self.scope.trail

    def spawn(self, name: str, group: str | None, bare: bool) -> Ambient:
        return Ambient(self.world, self.scope.spawn(name, group, bare))

    def group(self, kind: str) -> str:
        return self.scope.group(kind)

    def set_timer(self, when: float, fire: Callable[[], None]) -> Callable[[], None]:
        return self.world.session.set_timer(self.scope, when, fire)


class World(Session):
    """A session, its loop in virtual time, and the other side of its journal."""

    def __init__(self, recorded: list[Entry], rng: random.Random, crash_at: int | None = None) -> None:
        self.rows: list[Entry] = [entry for entry in recorded if entry.outcome is not None]
        self.pending: dict[tuple[str, str], Entry] = {
            (entry.parent, entry.key): entry for entry in recorded if entry.outcome is None
        }
        self.rng = rng
        self.crash_at = crash_at
        self.writes = 0
        self.dead = False
        self.now = 1000.0
        self.external: list[tuple[float, int, Entry]] = []
        self.order = itertools.count()
        self.executed: Counter[tuple[str, str]] = Counter()
        super().__init__(
            attempt=ATTEMPT,
            recorded=recorded,
            record=self._take,
            define=lambda _name: Program(),
            clock=lambda: self.now,
        )
        self.session = self
        self.loop = VirtualLoop(self)
        self.attach(self.loop)
        for entry in self.pending.values():
            if entry.kind is EntryKind.CALL:
                self._execute(entry)

    def _execute(self, entry: Entry) -> None:
        self.executed[entry.parent, entry.key] += 1
        value = self.rng.randrange(1_000_000)
        row = Entry(
            entry.parent, entry.key, entry.kind, entry.entity, entry.digest, outcome=Done({"o0": IntLiteral(value)})
        )
        heapq.heappush(self.external, (self.now + self.rng.expovariate(3), next(self.order), row))

    def _take(self, report: JournalReport) -> None:
        if self.dead:
            return
        place = (report.parent, report.key)
        match report:
            case BeginCall():
                entry = Entry(report.parent, report.key, EntryKind.CALL, report.entity, report.digest)
                self.pending[place] = entry
                self._execute(entry)
            case CancelCall():
                entry = self.pending.get(place)
                if entry is not None:
                    self._commit(Entry(*place, EntryKind.CALL, entry.entity, entry.digest, outcome=cancelled()))
            case StartTimer():
                self.pending[place] = Entry(*place, EntryKind.TIMER, due=report.due)
            case FireTimer():
                due = self.pending[place].due
                self._commit(Entry(*place, EntryKind.TIMER, due=due, outcome=Done({})))
            case _:
                raise AssertionError(report)

    def _commit(self, entry: Entry) -> None:
        self.writes += 1
        if self.crash_at is not None and self.writes >= self.crash_at:
            self.dead = True
            raise Crash
        del self.pending[entry.parent, entry.key]
        self.rows.append(entry)
        self._feed.append([entry])

    def advance(self) -> bool:
        """Let the next outside event happen in virtual time."""
        if len(self._feed):
            return True
        due = self.timer_due()
        while self.external:
            at, _, row = self.external[0]
            if due is not None and self.now + due < at:
                break
            heapq.heappop(self.external)
            self.now = max(self.now, at)
            if (row.parent, row.key) in self.pending:
                self._commit(row)
                return True
            due = self.timer_due()
        if due is None:
            return False
        self.now += due
        return True

    def journal(self) -> list[Entry]:
        return [*self.rows, *self.pending.values()]


class VirtualLoop(EagerLoop):
    """The very loop of the drivers, with time that jumps."""

    def __init__(self, world: World) -> None:
        self.world = world
        super().__init__(world, AMBIENT)

    def time(self) -> float:
        return self.world.now

    def _on_idle(self, timeout: float | None) -> float | None:
        wait = super()._on_idle(timeout)
        if wait is None or wait > 0:
            if self.world.dead:
                raise Crash
            if not self.world.advance():
                raise AssertionError("deadlock: the program waits for nothing")
            return 0
        return wait


def call(name: str, argument: int | str = 0) -> Awaitable[int]:
    """A durable call; its value is random, so that swapped outcomes show."""
    here: Ambient = AMBIENT.get()
    scope = here.scope
    key = scope.next_call()
    inputs = {"a": StrLiteral(str(argument))}
    request = CallRequest(name, inputs, digest((name, inputs)))

    async def wait() -> int:
        outcome = await here.world.call(scope, key, request)
        assert isinstance(outcome, Done)
        literal = outcome.outputs["o0"]
        assert isinstance(literal, IntLiteral)
        return literal.value

    return wait()


def play(
    program: Callable[[], Awaitable[Any]], recorded: list[Entry], rng: random.Random, crash_at: int | None = None
) -> tuple[Any, World]:
    """Run ``program`` on a new driver; the result is ``Crash`` if it died."""
    world = World(recorded, rng, crash_at)

    async def main() -> Any:
        AMBIENT.set(Ambient(world, Scope("n0")))
        return await program()

    try:
        result = world.loop.run_until_complete(main())
    except BaseException:
        # A crash may come out wrapped, by a TaskGroup for instance.
        if not world.dead:
            raise
        return Crash, world
    finally:
        world.dead = True
        tasks = asyncio.all_tasks(world.loop)
        for task in tasks:
            task.cancel()
        if tasks:
            world.loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        world.loop.close()
    return (Crash if world.dead and crash_at is not None and world.writes >= crash_at else result), world
