"""One worker process as its parent sees it: the connection, what it prints, how it ends.

Knows: sockets, pipes, process groups, the event loop. Must not know: which attempt runs where, or why.
"""

from __future__ import annotations

import asyncio
import os
import select
import signal
import socket
import subprocess
from collections.abc import Callable, Sequence
from typing import Protocol

from whimbrel.model.attempt import Frame, Instruction, LogChunk
from whimbrel.model.secrets import SecretValue
from whimbrel.runtime.capture import PIECE, PipeText
from whimbrel.runtime.frames import BrokenFrame, encode_frame, frames_from_worker
from whimbrel.runtime.masking import Mask, MaskedStream

_READ = 256 * 1024
_BATCH = 0.05
"""Seconds for which a pipe is left alone after a read: the first line shows at once, a chatty task costs twenty reads a
second.
"""
_FULL = 32 * 1024
"""Bytes in one read after which the pipe is read on without a pause: the pipe holds 64 KiB, and the writer must not
wait for us.
"""
_DRAIN_LIMIT = 16 * 1024 * 1024
"""Bytes taken from the pipes when an attempt ends; a child process that goes on printing must not hold the end up for
ever.
"""
_TAIL = 4096
"""Characters of stderr that are kept to say why a worker ended."""
_LINGER = 1.0
"""Seconds between the end of the connection and the end of the process before we end it: interpreters take a moment to
leave.
"""


class Owner(Protocol):
    """Who is told about a worker process."""

    def on_frame(self, worker: WorkerProcess, frame: Frame) -> None:
        """It said something."""
        ...

    def on_text(self, worker: WorkerProcess, stream: str, text: str) -> None:
        """It printed something."""
        ...

    def on_gone(self, worker: WorkerProcess, reason: str) -> None:
        """It has ended, and everything that it said and printed has been told. ``reason`` is a sentence."""
        ...


class WorkerProcess:
    """A running worker. All methods belong to the loop's thread; ``spawn`` makes one.

    It leads a process group of its own, which ``signal`` and ``kill`` mean and which does not outlive it.
    """

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        connection: socket.socket,
        *,
        owner: Owner,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        assert process.stdout is not None
        assert process.stderr is not None
        self.pid = process.pid
        self.heard_at = loop.time()
        self.gone = False
        self._process = process
        self._connection = connection
        self._owner = owner
        self._loop = loop
        self._splitter = frames_from_worker()
        self._unsent = bytearray()
        self._eof = False
        self._killed = ""
        self._pipes = {
            process.stdout.fileno(): ("stdout", PipeText()),
            process.stderr.fileno(): ("stderr", PipeText()),
        }
        self._poll = select.poll()
        self._tail = ""
        self._secrets: dict[SecretValue, None] = {}
        self._mask = Mask()
        self._masked = {"stdout": MaskedStream(), "stderr": MaskedStream()}
        self._timers: set[asyncio.TimerHandle] = set()
        for pipe in self._pipes:
            os.set_blocking(pipe, False)
            self._poll.register(pipe, select.POLLIN)
            loop.add_reader(pipe, self._on_pipe, pipe)
        loop.add_reader(connection.fileno(), self._on_readable)
        self._exit = _open_pidfd(process.pid)
        if self._exit >= 0:
            loop.add_reader(self._exit, self._finish)

    @classmethod
    def spawn(
        cls,
        command: Sequence[str],
        environment: dict[str, str],
        *,
        lifeline: int,
        owner: Owner,
        loop: asyncio.AbstractEventLoop,
    ) -> WorkerProcess:
        """Start ``command`` with ``--fd N`` added, the descriptor of its end of the connection, and ``--lifeline N``,
        that of the pipe that it hangs on. Raises ``OSError``.
        """
        ours, theirs = socket.socketpair()
        try:
            ours.setblocking(False)
            process = subprocess.Popen(
                [*command, "--fd", str(theirs.fileno()), "--lifeline", str(lifeline)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                pass_fds=(theirs.fileno(), lifeline),
                start_new_session=True,
                env=environment,
            )
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        return cls(process, ours, owner=owner, loop=loop)

    # --- speaking ----------------------------------------------------------------------------------------------------

    def send(self, instruction: Instruction) -> None:
        """Send an instruction; to a process that has ended, nothing happens."""
        if self.gone or self._eof:
            return
        data = encode_frame(instruction)
        if not self._unsent:
            try:
                sent = self._connection.send(data)
            except BlockingIOError:
                sent = 0
            except OSError:
                # The end of the process is noticed by its own road, with its reason.
                return
            if sent == len(data):
                return
            del data[:sent]
            self._loop.add_writer(self._connection.fileno(), self._on_writable)
        self._unsent += data

    def _on_writable(self) -> None:
        try:
            sent = self._connection.send(self._unsent)
        except BlockingIOError:
            return
        except OSError:
            self._unsent.clear()
        else:
            del self._unsent[:sent]
        if not self._unsent:
            self._loop.remove_writer(self._connection.fileno())

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process and all that it started."""
        if not self.gone:
            try:
                os.killpg(self.pid, number)
            except ProcessLookupError:
                return

    def kill(self, why: str) -> None:
        """End the process and all that it started, now; ``why`` is the reason that ``on_gone`` gives."""
        self._killed = self._killed or why
        self.signal(signal.SIGKILL)

    # --- listening ---------------------------------------------------------------------------------------------------

    def _on_readable(self) -> None:
        try:
            data = self._connection.recv(_READ)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._on_eof()
            return
        self.heard_at = self._loop.time()
        try:
            frames = self._splitter.feed(data)
        except BrokenFrame as error:
            self.kill(f"worker pid {self.pid} was stopped: {error}")
            self._on_eof()
            return
        if any(isinstance(frame, LogChunk) for frame in frames):
            # What child processes printed before that stands before it.
            self._read_pipes()
        for frame in joined(frames):
            self._owner.on_frame(self, frame)

    def _on_eof(self) -> None:
        if self._eof:
            return
        self._eof = True
        self._loop.remove_reader(self._connection.fileno())
        if self._exit >= 0:
            self._later(_LINGER, self.signal, signal.SIGKILL)
        else:
            self._later(0.0, self._finish)

    def _on_pipe(self, pipe: int) -> None:
        size = self._read_pipe(pipe)
        if 0 < size < _FULL:
            self._loop.remove_reader(pipe)
            self._later(_BATCH, self._resume_pipe, pipe)
        elif size == 0:
            self._loop.remove_reader(pipe)

    def _resume_pipe(self, pipe: int) -> None:
        if not self.gone:
            self._loop.add_reader(pipe, self._on_pipe, pipe)

    def _read_pipe(self, pipe: int) -> int:
        """Tell what is in a pipe; its size, 0 at its end, -1 when there is nothing now."""
        try:
            data = os.read(pipe, _READ)
        except BlockingIOError:
            return -1
        stream, decoder = self._pipes[pipe]
        text = decoder.feed(data, final=not data)
        if self._mask:
            text = self._masked[stream].feed(self._mask, text, final=not data)
        if text:
            if stream == "stderr":
                self.remember_words(text)
            for start in range(0, len(text), PIECE):
                self._owner.on_text(self, stream, text[start : start + PIECE])
        return len(data)

    def drain(self) -> None:
        """Tell now what the process has printed so far. What it printed before a frame that has arrived is in the pipes
        by then.
        """
        self._read_pipes()
        if self._mask:
            for stream, masked in self._masked.items():
                if text := masked.feed(self._mask, "", final=True):
                    self._owner.on_text(self, stream, text)

    def _read_pipes(self) -> None:
        total = 0
        while total < _DRAIN_LIMIT:
            sizes = [self._read_pipe(pipe) for pipe, events in self._poll.poll(0) if events & select.POLLIN]
            if not any(size > 0 for size in sizes):
                return
            total += sum(sizes)

    # --- the end -----------------------------------------------------------------------------------------------------

    def _finish(self) -> None:
        """The process has ended: hear the rest, sweep its group, tell."""
        if self.gone:
            return
        if not self._eof:
            self._hear_the_rest()
        self.drain()
        # Before the process is reaped its number cannot be another's.
        self.signal(signal.SIGKILL)
        try:
            code = self._process.wait(_LINGER)
        except subprocess.TimeoutExpired:
            # In the kernel, out of any signal's reach (a dead disk): asked again until it comes out.
            self._later(_LINGER, self._finish)
            return
        self.gone = True
        self._release()
        self._owner.on_gone(self, self._killed or self._reason(code))

    def _hear_the_rest(self) -> None:
        while not self._eof:
            before = self.heard_at
            try:
                data = self._connection.recv(_READ, socket.MSG_PEEK)
            except OSError:
                return
            if not data:
                self._eof = True
                self._loop.remove_reader(self._connection.fileno())
                return
            self._on_readable()
            self.heard_at = before

    def _release(self) -> None:
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        for pipe in self._pipes:
            self._loop.remove_reader(pipe)
        self._loop.remove_reader(self._connection.fileno())
        self._loop.remove_writer(self._connection.fileno())
        self._connection.close()
        if self._exit >= 0:
            self._loop.remove_reader(self._exit)
            os.close(self._exit)
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._process.stdout.close()
        self._process.stderr.close()

    def _reason(self, code: int) -> str:
        if code < 0:
            ending = f"was killed by {_signal_name(-code)}"
            if -code == signal.SIGKILL:
                ending += " (out of memory?)"
        else:
            ending = f"exited with code {code}"
        return f"worker pid {self.pid} {ending}{self.last_words()}"

    def last_words(self) -> str:
        """The last lines that it wrote to stderr, as the end of a sentence."""
        words = self._tail.strip()
        return f"; it last wrote:\n{words}" if words else ""

    def remember_words(self, text: str) -> None:
        """It wrote ``text`` to stderr, or to a log."""
        self._tail = (self._tail + text)[-_TAIL:]

    def hide(self, secrets: Sequence[SecretValue]) -> None:
        """Mask ``secrets`` in what it writes from now on. For as long as it lives: a thread may remember them."""
        new = dict.fromkeys(secrets)
        if not new.keys() <= self._secrets.keys():
            self._secrets |= new
            self._mask = Mask(self._secrets)

    def forget_words(self) -> None:
        """What was written so far belongs to an attempt that is over."""
        self._tail = ""

    def _later(self, delay: float, call: Callable[..., None], *args: object) -> None:
        def run() -> None:
            self._timers.discard(timer)
            call(*args)

        timer = self._loop.call_later(delay, run)
        self._timers.add(timer)

    # --- what the system says of it ----------------------------------------------------------------------------------

    def resident_bytes(self) -> int:
        """Its resident memory; 0 where the system does not say."""
        fields = self._read_proc("statm").split()
        return int(fields[1]) * _PAGE if len(fields) > 1 else 0

    def processor_ticks(self) -> int:
        """Processor time that it has used, in clock ticks; -1 when it is stopped or the system does not say."""
        # The command name, in parentheses, may hold anything; the state follows it.
        fields = self._read_proc("stat").rpartition(")")[2].split()
        if len(fields) < 13 or fields[0] in "Tt":
            return -1
        return int(fields[11]) + int(fields[12])

    def _read_proc(self, name: str) -> str:
        try:
            with open(f"/proc/{self.pid}/{name}", encoding="utf-8", errors="replace") as file:
                return file.read()
        except OSError:
            return ""


def joined(frames: list[Frame]) -> list[Frame]:
    """``frames`` with neighbouring log chunks of one stream as one, as long as it stays small: a task that prints a
    million lines is not a million rows.
    """
    made: list[Frame] = []
    for frame in frames:
        last = made[-1] if made else None
        if (
            isinstance(frame, LogChunk)
            and isinstance(last, LogChunk)
            and (frame.attempt, frame.stream, frame.level) == (last.attempt, last.stream, "")
            and len(last.text) + len(frame.text) <= PIECE
        ):
            made[-1] = LogChunk(last.attempt, last.stream, last.text + frame.text, last.at)
        else:
            made.append(frame)
    return made


_PAGE = os.sysconf("SC_PAGE_SIZE")


def _open_pidfd(pid: int) -> int:
    """A descriptor that becomes readable when the process ends; -1 where there is none and the end of the connection
    must do.
    """
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):
        return -1


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
