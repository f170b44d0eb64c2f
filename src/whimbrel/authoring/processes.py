"""Command lines run as child processes of a task: their output goes where the task's prints go, as it comes.

Knows processes. Must not know tasks, templates.
"""

from __future__ import annotations

import codecs
import os
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from whimbrel.errors import ProcessFailed

if TYPE_CHECKING:
    import subprocess

TAIL = 20
"""Lines of stderr that a failure shows: the end of a traceback, or of a compiler's complaint."""

GRACE = 2.0
"""Seconds between asking a process to end and ending it."""

_LOOK = 0.1
"""How often, in seconds, a silent process is looked after: the task may have been told to stop."""


def run_process(
    arguments: Sequence[str], what: str, *, environment: Mapping[str, str], directory: str | None = None
) -> None:
    """Run a command line to its end. ``environment`` is laid over that of this process.

    Raises ``ProcessFailed`` with the end of its stderr when it cannot be started, or ends with another code than 0.
    What stops the task stops the process and its descendants.
    """
    import subprocess

    try:
        # In the group of this process: whatever ends a worker by its group ends what it started.
        process = subprocess.Popen(
            list(arguments),
            env={**os.environ, **environment},
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
    except OSError as error:
        raise ProcessFailed(
            f"{what}: {arguments[0]!r} cannot be run: {error.strerror or error}. Is it installed where the tasks run?"
        ) from None
    try:
        tail = _pass_on(process)
        code = process.wait()
    except BaseException:
        _end(process)
        raise
    finally:
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()
    if code:
        ended = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
        said = "".join(f"\n    {line}" for line in tail)
        failed = ProcessFailed(f"{what} {ended}{said}")
        failed.exit_status = code
        raise failed


def _pass_on(process: subprocess.Popen[bytes]) -> list[str]:
    """Write what the process writes, until it closes both streams; the last lines of its stderr."""
    import selectors

    assert process.stdout is not None
    assert process.stderr is not None
    tail: deque[str] = deque([""], maxlen=TAIL + 1)
    with selectors.DefaultSelector() as selector:
        for pipe, sink in ((process.stdout, sys.stdout), (process.stderr, sys.stderr)):
            decode = codecs.getincrementaldecoder("utf-8")("replace")
            selector.register(pipe, selectors.EVENT_READ, (sink, decode, pipe is process.stderr))
        while selector.get_map():
            for key, _ in selector.select(_LOOK):
                sink, decode, told = key.data
                data = os.read(key.fd, 65536)
                text: str = decode.decode(data, final=not data)
                if text:
                    sink.write(text)
                    sink.flush()
                if told and text:
                    first, *rest = text.split("\n")
                    tail[-1] += first
                    tail.extend(rest)
                if not data:
                    selector.unregister(key.fileobj)
    return [line for line in tail if line.strip()][-TAIL:]


def _end(process: subprocess.Popen[Any]) -> None:
    import signal
    import subprocess

    _signal_all(process.pid, signal.SIGTERM)
    try:
        process.wait(GRACE)
    except subprocess.TimeoutExpired:
        _signal_all(process.pid, signal.SIGKILL)
        process.wait()


def _signal_all(pid: int, number: int) -> None:
    for one in (*_descendants(pid), pid):
        try:
            os.kill(one, number)
        except ProcessLookupError:
            continue


def _descendants(pid: int) -> list[int]:
    """What a process has started, and what that has, the youngest first. Nothing elsewhere than on Linux."""
    parents: dict[int, list[int]] = {}
    try:
        entries = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return []
    for child in entries:
        try:
            with open(f"/proc/{child}/stat") as file:
                parents.setdefault(int(file.read().rpartition(")")[2].split()[1]), []).append(child)
        except (OSError, IndexError, ValueError):
            continue
    found: list[int] = []
    waiting = [pid]
    while waiting:
        below = parents.get(waiting.pop(), [])
        found += below
        waiting += below
    return found[::-1]
