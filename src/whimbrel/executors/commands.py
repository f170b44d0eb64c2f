"""Attempts that are container command lines, each a process of its own on this machine: tasks of real flytekit.

The exit code says little: flytekit's is 0 when a task has failed. What counts is the files that it leaves, in this
order: error.pb, futures.pb, outputs.pb. The messages in them are wire's affair.

An attempt has a directory for as long as it runs. Files of users go into one that stays (``raw``), and so do
checkpoints. What a killed engine left running is ended by the next one over the same directory, before it begins.

Knows: processes, files, the attempt protocol. Must not know: runs, stores, what an attempt means.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path

from msgspec.structs import replace

from whimbrel.authoring.decks import Deck, Html
from whimbrel.authoring.secret_sources import SecretSource
from whimbrel.errors import SystemFault, WhimbrelError
from whimbrel.executors.command_line import MARK, Places, arguments, mount_secrets, places_of, prefix_of, variables
from whimbrel.model import literals as lit
from whimbrel.model.attempt import (
    AttemptEnd,
    AttemptFault,
    Cancel,
    Deliver,
    Launch,
    LogChunk,
    Lost,
    Report,
    Started,
    Succeeded,
    Unfolded,
)
from whimbrel.model.failure import Failure, Fault
from whimbrel.model.literal_types import ListType
from whimbrel.model.literals import Literal, Literals
from whimbrel.model.program import Command, TaskKind
from whimbrel.model.run import RAW_OUTPUTS, AttemptId
from whimbrel.model.secrets import SecretValue
from whimbrel.runtime.capture import PIECE, PipeText, settled
from whimbrel.runtime.handing import handed, without_secrets
from whimbrel.runtime.masking import Mask, MaskedStream
from whimbrel.runtime.outlet import Outlet
from whimbrel.runtime.ports import BlobStore
from whimbrel.runtime.values import read_literals, write_literals
from whimbrel.wire.flyte.files import inputs_file, read_error, read_futures, read_outputs

_LOOK = 0.5
"""Seconds between two looks at the deck of a running attempt: flytekit's eager tasks write theirs every two."""
_TAIL = 4096
"""Characters of stderr that are kept to say why an attempt gave nothing."""
_READ = 64 * 1024
_DRAIN = 1.0
"""Seconds for which the pipes are read when the process has ended: a child of it may hold them open for ever."""
_ORDER = ("error.pb", "futures.pb", "outputs.pb")
_DECK = "deck.html"
_ORPHANS = 5.0
"""Seconds in which processes that were killed are gone, unless the system is stuck with them."""


class _Running:
    """An attempt that was launched. ``process`` is ``None`` until it has room."""

    __slots__ = ("cancelled", "command", "escalation", "launch", "preparing", "process", "tail", "task")

    def __init__(self, launch: Launch, command: Command) -> None:
        self.launch = launch
        self.command = command
        self.process: subprocess.Popen[bytes] | None = None
        self.preparing = True
        self.cancelled: Cancel | None = None
        self.escalation: asyncio.TimerHandle | None = None
        self.tail = ""
        self.task: asyncio.Task[None] | None = None


class CommandExecutor:
    """``ports.Executor`` for attempts whose task is a ``Command``.

    ``directory`` is where inputs, results and the files of users are, best in the home. ``workers`` is how many run at
    a time; those that call others themselves (``Command.eager``) never wait. ``images`` maps patterns of images
    (``registry.example/team/*``) to environments, which are directories with ``bin/python``; the rest runs in
    ``prefix``, by default the one of this interpreter. ``environment`` is given to all of them, under what is said of
    each. ``secrets`` is where the secrets that tasks declare are found. ``credentials`` gives secret variables to an
    attempt that calls others itself; they are kept out of whatever it shows.
    """

    def __init__(
        self,
        *,
        directory: Path,
        blobs: BlobStore,
        workers: int | None = None,
        images: Mapping[str, str] | None = None,
        prefix: str = sys.prefix,
        environment: Mapping[str, str] | None = None,
        close_grace: float = 0.5,
        clock: Callable[[], float] = time.time,
        secrets: SecretSource | None = None,
        credentials: Callable[[Launch], Awaitable[Mapping[str, str]]] | None = None,
    ) -> None:
        self._directory = Path(directory).absolute()
        self._blobs = blobs
        self._room = asyncio.Semaphore(workers or os.cpu_count() or 1)
        self._images = dict(images or {})
        self._prefix = prefix
        self._environment = dict(environment or {})
        self._close_grace = close_grace
        self._clock = clock
        self._secrets = secrets
        self._credentials = credentials
        self._running: dict[AttemptId, _Running] = {}
        self._closing = False
        self._tell: Callable[[Report], None] = _not_started
        self._loop: asyncio.AbstractEventLoop

    # --- the port ----------------------------------------------------------------------------------------------------

    async def start(self, report: Callable[[Report], None]) -> None:
        """Be ready to launch, once nothing of an engine that was killed runs here any more."""
        self._loop = asyncio.get_running_loop()
        self._tell = report
        await asyncio.to_thread(_end_orphans, self._directory / "attempts")

    def launch(self, launch: Launch) -> None:
        """Run an attempt as soon as there is room. Raises ``SystemFault`` for one that is no command."""
        command = launch.task.command
        if not isinstance(command, Command):
            raise SystemFault(f"{launch.task.name} is no command line: launch it with another executor")
        running = self._running[launch.attempt] = _Running(handed(launch, self._secrets), command)
        running.task = self._loop.create_task(self._run(running))

    def cancel(self, cancel: Cancel) -> None:
        """Stop an attempt: SIGTERM to all its processes, SIGKILL after ``grace``."""
        running = self._running.get(cancel.attempt)
        if running is None or (running.cancelled is not None and running.cancelled.grace <= cancel.grace):
            return
        running.cancelled = cancel
        if running.process is not None:
            self._terminate(running)
        elif running.preparing and running.task is not None:
            running.task.cancel()

    def deliver(self, deliver: Deliver) -> None:
        """Nothing: commands keep no journal."""

    def running(self) -> frozenset[AttemptId]:
        """The attempts that were launched and have not ended."""
        return frozenset(self._running)

    async def close(self) -> None:
        """End every process, after ``close_grace`` seconds by force, and report nothing more."""
        self._closing = True
        tasks = []
        for running in self._running.values():
            assert running.task is not None
            tasks.append(running.task)
            if running.process is None:
                running.task.cancel()
            else:
                running.cancelled = Cancel(running.launch.attempt, "the executor was closed", self._close_grace)
                self._terminate(running)
        await asyncio.gather(*tasks, return_exceptions=True)
        self._running.clear()

    # --- one attempt -------------------------------------------------------------------------------------------------

    async def _run(self, running: _Running) -> None:
        attempt = running.launch.attempt
        mask = Mask(running.launch.secrets)
        end: AttemptEnd
        try:
            granted: Mapping[str, str] = {}
            if running.command.eager and self._credentials is not None:
                granted = await self._credentials(running.launch)
                hidden = [SecretValue("whimbrel", name, value.encode()) for name, value in granted.items()]
                mask = Mask((*running.launch.secrets, *hidden))
            async with contextlib.nullcontext() if running.command.eager else self._room:
                end = await self._carry_out(running, mask, granted)
        except asyncio.CancelledError:
            if running.cancelled is None:
                raise  # the executor is closed
            end = AttemptFault(attempt, _cancelled(running.cancelled), self._clock())
        except WhimbrelError as error:
            end = self._fault(attempt, Fault.USER, str(error))
        except Exception as error:
            end = self._fault(attempt, Fault.SYSTEM, f"the command could not be run: {error}")
        if running.escalation is not None:
            running.escalation.cancel()
        self._running.pop(attempt, None)
        self._report(mask.report(end))

    async def _carry_out(self, running: _Running, mask: Mask, granted: Mapping[str, str]) -> AttemptEnd:
        launch, command = running.launch, running.command
        places = places_of(self._directory, launch.attempt, launch.metadata.environment.get(RAW_OUTPUTS, ""))
        try:
            given = await asyncio.to_thread(self._prepare, launch, command, places)
            running.preparing = False
            prefix = prefix_of(launch.metadata.image, self._images, self._prefix)
            environment = {**without_secrets(os.environ), **self._environment, **granted}
            environment |= variables(launch, command, places, prefix) | launch.metadata.environment
            environment |= mount_secrets(launch, places)
            running.process = _spawn(arguments(launch, command, given, places), environment, places, launch, prefix)
            self._report(Started(launch.attempt, str(running.process.pid), self._clock()))
            if running.cancelled is not None:
                self._terminate(running)
            code = await self._follow(running, running.process, places, mask)
            if running.cancelled is not None:
                return AttemptFault(launch.attempt, _cancelled(running.cancelled), self._clock())
            return await asyncio.to_thread(self._result, running, places, code, mask)
        finally:
            await asyncio.to_thread(shutil.rmtree, places.attempt, ignore_errors=True)

    def _prepare(self, launch: Launch, command: Command, places: Places) -> Literals:
        """Write what the attempt reads; its inputs, as it takes them."""
        shutil.rmtree(places.attempt, ignore_errors=True)
        for directory in (places.outputs, places.work, places.raw, places.checkpoint):
            if isinstance(directory, Path):
                directory.mkdir(parents=True, exist_ok=True)
        inputs = {name: self._reachable(each) for name, each in read_literals(launch.inputs, self._blobs).items()}
        kinds = {name: each.type for name, each in launch.task.interface.inputs.items()}
        for name in command.mapped:
            # The item alone, in a list: all of them for each would be the square of them.
            inputs[name], kinds[name] = lit.ListLiteral((inputs[name],)), ListType(kinds[name])
        places.inputs.write_bytes(inputs_file(inputs, kinds))
        return inputs

    def _reachable(self, literal: Literal) -> Literal:
        """``literal`` with files of the blob store as paths."""
        match literal:
            case lit.BlobLiteral(uri=uri) | lit.DatasetLiteral(uri=uri) if self._blobs.holds(uri):
                return replace(literal, uri=self._blobs.path(uri) or uri)
            case lit.ListLiteral(items=items):
                return lit.ListLiteral(tuple(self._reachable(each) for each in items))
            case lit.MapLiteral(items=fields):
                return lit.MapLiteral({key: self._reachable(each) for key, each in fields.items()})
            case lit.UnionLiteral(variant=variant, value=value):
                return lit.UnionLiteral(variant, self._reachable(value))
            case _:
                return literal

    async def _follow(self, running: _Running, process: subprocess.Popen[bytes], places: Places, mask: Mask) -> int:
        """Tell what it shows until it has ended; its exit code."""
        attempt = running.launch.attempt
        outlet = Outlet(attempt, send=self._report_soon, blobs=self._blobs, mask=mask, decks_on=True, clock=self._clock)
        assert process.stdout is not None
        assert process.stderr is not None
        readers = [
            asyncio.ensure_future(self._read(running, "stdout", process.stdout, mask)),
            asyncio.ensure_future(self._read(running, "stderr", process.stderr, mask)),
        ]
        ended, seen = asyncio.Event(), (0, 0)
        descriptor = _open_pidfd(process.pid)
        if descriptor >= 0:
            self._loop.add_reader(descriptor, ended.set)
        try:
            while not ended.is_set():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(ended.wait(), _LOOK if descriptor >= 0 else _LOOK / 10)
                if _has_ended(process.pid):
                    ended.set()
                found = _version(places.outputs / _DECK)
                if found != seen:
                    seen = found
                    await asyncio.to_thread(_show_deck, outlet, places.outputs / _DECK)
        finally:
            if descriptor >= 0:
                self._loop.remove_reader(descriptor)
                os.close(descriptor)
            # Before the process is reaped its number cannot be another's.
            _signal(process.pid, signal.SIGKILL)
            _, late = await asyncio.wait(readers, timeout=_DRAIN)
            for reader in late:
                reader.cancel()
            code = process.wait()
        return code

    async def _read(self, running: _Running, stream: str, pipe: object, mask: Mask) -> None:
        reader = asyncio.StreamReader()
        transport, _ = await self._loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
        decoder, masked = PipeText(), MaskedStream()
        try:
            while True:
                data = await reader.read(_READ)
                text = masked.feed(mask, decoder.feed(data, final=not data), final=not data)
                if stream == "stderr":
                    running.tail = (running.tail + text)[-_TAIL:]
                for start in range(0, len(text), PIECE):
                    piece = text[start : start + PIECE]
                    self._report(LogChunk(running.launch.attempt, stream, piece, self._clock()))
                if not data:
                    return
        finally:
            transport.close()

    # --- the end -----------------------------------------------------------------------------------------------------

    def _result(self, running: _Running, places: Places, code: int, mask: Mask) -> AttemptEnd:
        """What the attempt came to, by the files that it left."""
        launch = running.launch
        attempt, task = launch.attempt, launch.task
        name = next((name for name in _found(places.outputs)), "")
        data = (places.outputs / name).read_bytes() if name else b""
        if name.startswith("error"):
            return AttemptFault(attempt, replace(read_error(data), node=attempt.path), self._clock())
        if name == "futures.pb" and task.kind is not TaskKind.DYNAMIC:
            return self._fault(
                attempt, Fault.USER, f"{task.name} gave a graph, and is not registered as dynamic; register it again."
            )
        if name == "futures.pb":
            graph, define = read_futures(data, task.name, task.interface.outputs)
            return Unfolded(attempt, graph, define, self._clock())
        if name or (code == 0 and self._gives_nothing(running)):
            outputs = read_outputs(data, {name: each.type for name, each in task.interface.outputs.items()})
            missing = [name for name in task.interface.outputs if name not in outputs]
            if missing:
                return self._fault(attempt, Fault.USER, f"{task.name} gave no output {missing[0]!r}.")
            mask.refuse(outputs, f"what {task.name} gave")
            return Succeeded(attempt, write_literals(outputs, self._blobs), self._clock())
        words = settled(running.tail).strip()
        last = f"; it last wrote:\n{words}" if words else ""
        if code < 0:
            return Lost(attempt, f"its process was killed by {_signal_name(-code)}{last}", self._clock())
        return self._fault(attempt, Fault.SYSTEM, f"its process exited with code {code} and left no result{last}")

    @staticmethod
    def _gives_nothing(running: _Running) -> bool:
        """Whether it is a plain command: it is told of no place for results, and has none."""
        told = any("outputprefix" in each.lower() for each in running.command.args)
        return not told and not running.launch.task.interface.outputs

    def _fault(self, attempt: AttemptId, fault: Fault, message: str) -> AttemptFault:
        recoverable = fault is Fault.SYSTEM
        return AttemptFault(attempt, Failure(fault, message, recoverable=recoverable, node=attempt.path), self._clock())

    # --- telling and stopping ----------------------------------------------------------------------------------------

    def _report(self, report: Report) -> None:
        if not self._closing:
            self._tell(report)

    def _report_soon(self, report: Report) -> None:
        self._loop.call_soon_threadsafe(self._report, report)

    def _terminate(self, running: _Running) -> None:
        assert running.cancelled is not None
        assert running.process is not None
        _signal(running.process.pid, signal.SIGTERM)
        if running.escalation is not None:
            running.escalation.cancel()
        grace = running.cancelled.grace
        running.escalation = self._loop.call_later(grace, partial(_signal, running.process.pid, signal.SIGKILL))


def _spawn(
    command: list[str], environment: dict[str, str], places: Places, launch: Launch, prefix: str
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            command,
            cwd=places.work,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        name = command[0] if command else ""
        image = launch.metadata.image
        where = f"the environment of the image {image}, {prefix}" if image else f"the environment {prefix}"
        raise WhimbrelError(
            f"{name!r} cannot be run in {where}: {error}. Install what the task needs there, or map the image to an "
            "environment that has it."
        ) from error


def _found(directory: Path) -> list[str]:
    """The files that say how it ended, the one that counts first. Of distributed tasks each worker has an error."""
    names = set(os.listdir(directory))
    errors = sorted(name for name in names if name.startswith("error-") and name.endswith(".pb"))
    return [name for name in (_ORDER[0], *errors, *_ORDER[1:]) if name in names]


def _show_deck(outlet: Outlet, path: Path) -> None:
    try:
        html = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return  # it is being put into place; the next look finds it
    outlet.publish([Deck("deck", Html(html), auto_add_to_deck=False)])


def _version(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size


def _open_pidfd(pid: int) -> int:
    """A descriptor that becomes readable when the process ends; -1 where there is none, and it is asked again and
    again."""
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):
        return -1


def _has_ended(pid: int) -> bool:
    """Whether the process is over; it is not reaped by that."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _signal(pid: int, number: signal.Signals) -> None:
    """Send a signal to a process that leads a group, and to all of it."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def _end_orphans(attempts: Path) -> None:
    """End what an engine that was killed has left running, and remove its directories. Every process says in its
    environment which attempt it belongs to: numbers of processes could be another's by now."""
    mark = os.fsencode(f"{MARK}={attempts}/")
    until = time.monotonic() + _ORPHANS
    while (left := [pid for pid in _processes() if _says(pid, mark)]) and time.monotonic() < until:
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)
    shutil.rmtree(attempts, ignore_errors=True)


def _processes() -> list[int]:
    try:
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return []  # the system does not tell


def _says(pid: int, mark: bytes) -> bool:
    try:
        said = Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return False  # it has ended, or is another user's
    return any(each.startswith(mark) for each in said.split(b"\0"))


def _cancelled(cancel: Cancel) -> Failure:
    return Failure(Fault.CANCELLED, cancel.reason, recoverable=False)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _not_started(_report: Report) -> None:
    raise SystemFault("the executor was not started")
