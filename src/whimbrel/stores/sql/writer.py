"""The one writer: a thread that commits everything that is queued in one transaction.

Knows: a database's connections, event loops' futures. Must not know: what is written.

Theory of operation. A job is a function of a cursor. The thread sleeps until there is one, takes all that are queued,
carries them out in one transaction, commits (one wait for the disk, however many they are), and wakes each event loop
once with all of its results. While it waits for the disk, the next group gathers.

A job may *refuse*: raise a ``WhimbrelError`` before it has changed anything. It alone fails, and the group goes on.
When the machine is at fault (disk full, file damaged, lock not to be had), the group is rolled back and all of it
fails: none of it was durable. When a statement is at fault, which is rare, the group is rolled back and its jobs are
carried out again, each in a transaction of its own, so that the one to blame fails alone. For that a job must be
repeatable.

*Riders* are rows that nobody waits for: they go with the next group, or after a short delay on their own. While the
disk takes none they are kept, the newest of them; what was lost is said when the writer is closed.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar

from whimbrel.errors import StoreError, WhimbrelError
from whimbrel.stores.sql.database import Connection, Cursor, Database

T = TypeVar("T")
Row = TypeVar("Row")

# Jobs of one transaction: past some thousands the wait for the disk has vanished in the rest, and latency would grow.
GROUP = 4096

# Seconds that a rider waits for company. People follow logs: they should not notice.
RIDER_DELAY = 0.05

# Riders kept while the disk takes none: some megabytes of logs.
RIDERS_KEPT = 20_000


class _Job:
    __slots__ = ("error", "future", "loop", "result", "work")

    def __init__(
        self, work: Callable[[Cursor], Any], future: asyncio.Future[Any], loop: asyncio.AbstractEventLoop
    ) -> None:
        self.work = work
        self.future = future
        self.loop = loop
        self.result: Any = None
        self.error: Exception | None = None


class _Signal:
    """Something other than a job in the queue."""


_LOOK_AT_RIDERS = _Signal()
_STOP = _Signal()


class Writer(Generic[Row]):
    """Carries jobs out on ``database``, and ``carry``\\ s riders. The thread starts with the first of either."""

    def __init__(
        self, database: Database, carry: Callable[[Cursor, Sequence[Row]], None], *, rider_delay: float = RIDER_DELAY
    ) -> None:
        self._database = database
        self._carry = carry
        self._rider_delay = rider_delay
        self._queue: SimpleQueue[_Job | _Signal] = SimpleQueue()
        self._riders: deque[Row] = deque()
        self._looking = False
        self._carrying = False
        self._riders_lost = 0
        self._riders_fault: StoreError | None = None
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = False
        # The thread's own.
        self._connection: Connection | None = None
        self._cursor: Cursor | None = None

    # --- called by anybody -------------------------------------------------------------------------------------

    def submit(self, work: Callable[[Cursor], T]) -> asyncio.Future[T]:
        """Queue a job; the future has its result once that is durable. Cancelling the future does not stop the job."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        if self._thread is None or self._closed:
            self._start()
        self._queue.put(_Job(work, future, loop))
        return future

    def ride(self, row: Row) -> None:
        """Add a rider."""
        if self._thread is None or self._closed:
            self._start()
        self._riders.append(row)
        # The thread lowers the flag before it takes the riders: whoever finds it up is taken along.
        if not self._looking:
            self._looking = True
            self._queue.put(_LOOK_AT_RIDERS)

    @property
    def has_riders(self) -> bool:
        """Whether a rider may not be durable yet."""
        # In this order: the thread raises the flag before it takes the riders, and lowers it when they are durable.
        return bool(self._riders) or self._carrying

    def close(self) -> None:
        """Finish what is queued, riders too, and stop. Raises ``StoreError`` when riders could not be written."""
        with self._lock:
            closed, self._closed = self._closed, True
        if closed or self._thread is None:
            return
        self._queue.put(_STOP)
        self._thread.join()
        lost = self._riders_lost + len(self._riders)
        if lost and self._riders_fault is not None:
            raise type(self._riders_fault)(f"{lost} log chunks are lost: {self._riders_fault}")

    def _start(self) -> None:
        with self._lock:
            if self._closed:
                raise StoreError("the store is closed")
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="whimbrel-writer", daemon=True)
                self._thread.start()

    # --- the thread --------------------------------------------------------------------------------------------

    def _work(self) -> None:
        stopping = False
        jobs: list[_Job] = []
        try:
            while not stopping:
                jobs, stopping = self._gather()
                self._looking = False
                if jobs or self._riders:
                    self._carrying = True
                    self._group(jobs)
        except BaseException as bug:
            # Nobody may wait for ever for a thread that is gone.
            self._closed = True
            while not self._queue.empty():
                item = self._queue.get()
                jobs += [item] if isinstance(item, _Job) else []
            for job in jobs:
                job.error = StoreError(f"the writer stopped: {bug!r}; what was written before is safe")
            self._resolve(jobs)
            raise
        finally:
            self._let_go()

    def _gather(self) -> tuple[list[_Job], bool]:
        """The jobs that are queued, at least one unless riders have waited long enough or the writer stops."""
        queue = self._queue
        jobs: list[_Job] = []
        item = queue.get()
        if item is _LOOK_AT_RIDERS:
            try:
                item = queue.get(timeout=self._rider_delay)
            except Empty:
                return jobs, False
        while True:
            if isinstance(item, _Job):
                jobs.append(item)
            elif item is _STOP:
                return jobs, True
            if len(jobs) >= GROUP:
                return jobs, False
            try:
                item = queue.get_nowait()
            except Empty:
                return jobs, False

    def _group(self, jobs: list[_Job]) -> None:
        riders = self._take_riders()
        error = self._transact(jobs, riders)
        if error is not None and self._database.is_of_statement(error):
            for job in jobs:
                alone = self._transact([job], ())
                if alone is not None:
                    job.error = self._fault(alone)
            error = self._transact([], riders) if riders else None
        elif error is not None:
            for job in jobs:
                job.error = self._fault(error)
        if error is not None and riders:
            self._keep(riders, error)
        # Before anybody is told of the jobs: who has heard of them may ask whether the riders are safe.
        self._carrying = False
        self._resolve(jobs)

    def _keep(self, riders: list[Row], error: Exception) -> None:
        self._riders_fault = self._fault(error)
        if self._database.is_of_statement(error):
            # They would fail for ever.
            self._riders_lost += len(riders)
            return
        self._riders.extendleft(reversed(riders))
        while len(self._riders) > RIDERS_KEPT:
            self._riders.popleft()
            self._riders_lost += 1

    def _fault(self, error: Exception) -> StoreError:
        fault = self._database.explained(error)
        if fault is not error:
            fault.__cause__ = error
        return fault

    def _take_riders(self) -> list[Row]:
        riders = []
        while self._riders:
            riders.append(self._riders.popleft())
        return riders

    def _transact(self, jobs: Sequence[_Job], riders: Sequence[Row]) -> Exception | None:
        """Carry out and commit, or roll back and return why."""
        try:
            cursor = self._cursor or self._connect()
            cursor.execute(self._database.begin)
            for job in jobs:
                job.error = None
                try:
                    job.result = job.work(cursor)
                except WhimbrelError as refusal:
                    job.error = refusal
            if riders:
                self._carry(cursor, riders)
            cursor.execute("COMMIT")
        except Exception as error:  # whatever a driver raises: it reaches the callers
            # A new connection for the next group, whatever state the fault left this one in.
            self._let_go()
            return error
        return None

    def _connect(self) -> Cursor:
        self._connection = self._database.connect(write=True)
        self._cursor = self._connection.cursor()
        return self._cursor

    def _let_go(self) -> None:
        connection, self._connection, self._cursor = self._connection, None, None
        if connection is not None:
            self._database.give_up(connection)

    def _resolve(self, jobs: list[_Job]) -> None:
        by_loop: dict[asyncio.AbstractEventLoop, list[_Job]] = {}
        for job in jobs:
            by_loop.setdefault(job.loop, []).append(job)
        for loop, done in by_loop.items():
            try:
                loop.call_soon_threadsafe(_settle, done)
            except RuntimeError:
                # The loop is closed: nobody waits there any more.
                continue


def _settle(jobs: list[_Job]) -> None:
    for job in jobs:
        if job.future.done():
            continue
        if job.error is not None:
            job.future.set_exception(job.error)
        else:
            job.future.set_result(job.result)
