"""A world in which nothing happens by itself: time stands still until nobody has anything left to do, and then jumps.

The control plane's event loop and the drivers' threads take turns: at any moment exactly one of them runs. So a run
is a function of its seed: what chance decides (how long attempts take, who goes first) is drawn from ``World.rng``.

Real work (blocking tasks on threads, writes of a store on disk, sockets) is waited for in real time, while the
world's time stands still.

Knows: event loops. Must not know: runs, attempts, entities.
"""

from __future__ import annotations

import asyncio
import random
import selectors
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import Context, ContextVar
from typing import Any

from whimbrel.durable.loop import EagerLoop, IdleSelector, Source
from whimbrel.durable.session import Parking
from whimbrel.errors import SystemFault

EPOCH = 1_767_225_600.0
"""When worlds begin, in seconds since the epoch: the first of January 2026."""

TICK = 1e-6
"""How far past a timer's time the clock jumps, in seconds: more than the rounding of either clock."""

SLICE = 0.005
"""How long sockets and threads are listened to before the world looks round again, in real seconds."""

SILENCE = 0.5
"""How long sockets that stay silent hold the world's time up, in real seconds: an idle connection in a pool looks like
one that is about to answer."""

PATIENCE = 10.0
"""How long threads of eager bodies do: they end, unless they wait for the body."""

LAST_WAIT = 2.0
"""How long the world waits in real time for threads that it cannot see, before it says that nothing will happen."""


class Stuck(SystemFault):
    """The run waits for something that nothing will bring: no timer, no attempt and no thread is under way."""


class World:
    """The clock, chance, and whose turn it is."""

    def __init__(self, seed: int | None = None) -> None:
        self.seed = seed
        self.rng = random.Random(0 if seed is None else seed)
        self.elapsed = 0.0
        self.seats: list[Seat] = []
        self.plane_turn = threading.Semaphore(0)
        self.loop: PlaneLoop | None = None
        self.before_turns: Callable[[], None] = _nothing
        """Called when the control plane is idle, before a driver is given its turn."""
        self._busy = 0
        self._entropy = random.Random(self.rng.random())

    def clock(self) -> float:
        """Seconds since the epoch."""
        return EPOCH + self.elapsed

    def now(self) -> float:
        """The same, as the control plane's clock has it."""
        return EPOCH + self.elapsed

    def entropy(self, size: int) -> bytes:
        """Random bytes, from the seed."""
        return self._entropy.randbytes(size)

    @contextmanager
    def real_work(self) -> Iterator[None]:
        """Time stands still until the block is left. In the control plane's thread."""
        self._busy += 1
        try:
            yield
        finally:
            self._busy -= 1

    @property
    def busy(self) -> bool:
        """Whether real work holds the time up."""
        return self._busy > 0

    def next_seat(self) -> Seat | None:
        """A driver that has something to do; which one, when there are several, is chance's if there is a seed."""
        ready = [seat for seat in self.seats if seat.ready]
        if not ready:
            return None
        return ready[0] if self.seed is None or len(ready) == 1 else self.rng.choice(ready)

    def nudge(self) -> None:
        """Let the control plane's loop look again. From any thread."""
        if self.loop is not None and not self.loop.is_closed():
            self.loop.call_soon_threadsafe(_nothing)


class Seat:
    """A driver's place: its thread runs only between ``give_turn`` and its next rest, or its end."""

    def __init__(self, world: World, name: str, work: Callable[[], None]) -> None:
        self.world = world
        self.ended = False
        self.kicked = True
        self.abandoned = False
        self.begun = False
        """Whether it has had a turn."""
        self.patience = 0.0
        """How long the real work that it waits for may hold the world's time up, in real seconds."""
        self.wakes_at: float | None = None
        self.ident = 0
        self._slice = 0.0
        self._turn = threading.Semaphore(0)
        self._work = work
        world.seats.append(self)
        self._thread = threading.Thread(target=self._main, name=name, daemon=True)
        self._thread.start()

    def _main(self) -> None:
        self.ident = threading.get_ident()
        self._turn.acquire()
        try:
            if not self.abandoned:
                self._work()
        finally:
            self.ended = True
            self.world.seats.remove(self)
            self.world.plane_turn.release()

    # --- the control plane's thread

    @property
    def ready(self) -> bool:
        """Whether it has something to do now."""
        return self.kicked or (self.wakes_at is not None and self.wakes_at <= self.world.elapsed)

    def give_turn(self, slice_: float = 0.0) -> None:
        """Let it run until it rests or ends. ``slice_``: how long it may wait for sockets, in real seconds."""
        self.begun = True
        self.kicked = False
        self._slice = slice_
        self._turn.release()
        self.world.plane_turn.acquire()

    def abandon(self) -> None:
        """Let it end where it waits, as a driver that parks does: nothing more of its body runs."""
        self.abandoned = True
        while not self.ended:
            self.give_turn()
        self._thread.join()

    # --- its own thread

    def rest(self, wait: float | None, patience: float) -> float:
        """Nothing to do for ``wait`` seconds of the world (``None``: until it is kicked); returns when it has the
        turn again, with how long it may wait for sockets."""
        self.wakes_at = None if wait is None else self.world.elapsed + wait
        self.patience = patience
        self.world.plane_turn.release()
        self._turn.acquire()
        if self.abandoned:
            raise Parking(0, 0.0)
        return self._slice


class DriverLoop(EagerLoop):
    """The loop of eager bodies, in the world's time."""

    def __init__(self, source: Source, ambient: ContextVar[Any], seat: Seat) -> None:
        self._seat = seat
        self._joining = False
        super().__init__(source, ambient)

    def time(self) -> float:
        """The world's time."""
        return self._seat.world.elapsed

    def _on_idle(self, timeout: float | None) -> float | None:
        wait = super()._on_idle(timeout)
        if wait is not None and wait <= 0.0:
            return 0.0
        threads = self._threads > 0 or self._joining
        return self._seat.rest(wait, PATIENCE if threads else SILENCE if self.io_under_way else 0.0)

    async def shutdown_default_executor(self, *args: Any) -> None:
        """As asyncio's, which waits for a thread that waits for threads."""
        self._joining = True
        await super().shutdown_default_executor(*args)
        self._joining = False

    def call_soon_threadsafe(  # type: ignore[override]
        self, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        """As asyncio's; from another thread it makes the driver ready."""
        handle = super().call_soon_threadsafe(callback, *args, context=context)
        if threading.get_ident() != self._seat.ident:
            self._seat.kicked = True
            self._seat.world.nudge()
        return handle


class PlaneLoop(asyncio.SelectorEventLoop):
    """The control plane's loop, which gives the turns and moves the time."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._idle = IdleSelector(selectors.DefaultSelector())
        super().__init__(self._idle)
        world.loop = self
        self._quiet_fds = len(self._idle.get_map())
        self._patient_since: float | None = None
        self._idle.on_idle = self._on_idle

    def time(self) -> float:
        """The world's time."""
        return self._world.elapsed

    def _on_idle(self, timeout: float | None) -> float | None:
        world = self._world
        if world.busy:
            return None
        world.before_turns()
        if (seat := world.next_seat()) is not None:
            self._patient_since = None
            seat.give_turn()
            return 0.0
        if (pause := self._listen()) is not None:
            return pause
        if self._advance(timeout):
            return 0.0
        if (pause := self._listen(LAST_WAIT)) is not None:
            return pause
        raise Stuck

    def _listen(self, patience: float = 0.0) -> float | None:
        """Wait a little in real time for sockets and threads, if any are under way; ``None`` when that was long
        enough."""
        listening = [seat for seat in self._world.seats if seat.patience]
        own = SILENCE if len(self._idle.get_map()) > self._quiet_fds else 0.0
        patience = max(patience, own, *(seat.patience for seat in listening))
        if not patience:
            return None
        now = time.monotonic()
        if self._patient_since is None:
            self._patient_since = now
        if now - self._patient_since > patience:
            return None
        for seat in listening:
            seat.give_turn(SLICE)
        return 0.0 if listening else SLICE

    def _advance(self, timeout: float | None) -> bool:
        world = self._world
        due = [seat.wakes_at for seat in world.seats if seat.wakes_at is not None]
        if timeout is not None:
            due.append(world.elapsed + timeout)
        if not due:
            return False
        world.elapsed = max(world.elapsed, min(due)) + TICK
        self._patient_since = None
        return True


def _nothing() -> None:
    """A callback that only ends a wait, and the hook that nobody uses."""
