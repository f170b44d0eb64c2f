"""A run from its start, or its resumption, to its end or until it is parked: signals, progress, the result on stdout.

Knows: the embedded engine, progress, how results are printed. Must not know: where a program comes from.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from whimbrel.cli.embedded import Embedded, embedded
from whimbrel.cli.failures import failure_text, indented, origin
from whimbrel.cli.live import FRAME, Watcher, styled, watcher
from whimbrel.cli.settings import err, out, print_json
from whimbrel.cli.tables import table_lines
from whimbrel.cli.tree import counts, tree
from whimbrel.cli.waiting import waiting_lines
from whimbrel.controlplane.plane import RunResult
from whimbrel.engine.run import Run
from whimbrel.model.literals import Literals
from whimbrel.model.run import Phase
from whimbrel.runtime.ports import BlobStore
from whimbrel.runtime.values import read_literals
from whimbrel.wire.literal_json import by_name, plain
from whimbrel.wire.spans import show_seconds

PARKED = 130
"""The exit code of a run that a signal parked; 128 + SIGINT, as shells have it."""
TERMINATED = 143

_EXIT_CODES = {Phase.SUCCEEDED: 0, Phase.FAILED: 1, Phase.TIMED_OUT: 1, Phase.ABORTED: 3}


class Manner(Struct, frozen=True):
    """How a run is driven and shown.

    ``home_option`` is repeated in the commands that are printed; ``task_output`` says where the tasks' stdout goes.
    """

    home: Path
    executor: str
    workers: int | None
    as_json: bool
    quiet: bool
    home_option: str = ""
    task_output: str = "stderr"


Show = Callable[[Literals], str]
"""How outputs are written for a shell."""


def drive(manner: Manner, begin: Callable[[Embedded], Awaitable[str]], show: Show = plain) -> int:
    """Begin a run, follow it to its end, print what came out; the exit code. ``begin`` returns the run's id."""
    return asyncio.run(_drive(manner, begin, show))


async def _drive(manner: Manner, begin: Callable[[Embedded], Awaitable[str]], show: Show) -> int:
    tasks = sys.stdout if manner.task_output == "stdout" else None
    progress = watcher(sys.stderr, quiet=manner.quiet, tasks=tasks)
    seen: list[Run] = []

    told: set[str] = set()

    def watch(run: Run, event: Any) -> None:
        # A run that was parked comes back as another object.
        seen[:] = [run]
        progress.watch(run, event)
        for node, line in zip(run.waiting, waiting_lines(run, manner.home_option), strict=True):
            if node.path not in told:
                told.add(node.path)
                progress.say(line)

    stop = _Stop(progress)
    run_id = ""
    try:
        async with embedded(manner.home, executor=manner.executor, workers=manner.workers, watch=watch) as engine:
            stop.listen()
            run_id = await begin(engine)
            resume = f"whimbrel resume {run_id}{manner.home_option}"
            progress.say(f"run {run_id} · home {manner.home}")
            stop.aim(lambda: engine.plane.park(run_id), resume)
            drawing = asyncio.ensure_future(draw(progress))
            try:
                result = await engine.plane.wait(run_id)
            finally:
                drawing.cancel()
                progress.close()
            return _finish(manner, result, seen[0] if seen else None, engine.home.blobs, show, stop.code, resume)
    except Exception as error:
        if run_id:
            error.add_note(
                f"run {run_id} is kept as it is; carry on with: whimbrel resume {run_id}{manner.home_option}"
            )
        raise
    finally:
        progress.close()
        stop.ignore()


async def draw(progress: Watcher) -> None:
    """Let a watcher draw, for ever."""
    while True:
        progress.draw()
        await asyncio.sleep(FRAME)


class _Stop:
    """SIGINT and SIGTERM: the first parks the run, the second ends the process on the spot."""

    def __init__(self, progress: Watcher) -> None:
        self._progress = progress
        self._park: Callable[[], None] | None = None
        self._resume = ""
        self.code = PARKED
        self._asked = False

    def listen(self) -> None:
        """From now on signals come here."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, self._on_signal, PARKED)
        loop.add_signal_handler(signal.SIGTERM, self._on_signal, TERMINATED)

    def aim(self, park: Callable[[], None], resume: str) -> None:
        """There is a run to park now; a signal may have come before."""
        self._park = park
        self._resume = resume
        if self._asked:
            park()

    def ignore(self) -> None:
        """Signals mean what they mean to Python again."""
        try:
            loop = asyncio.get_running_loop()
            loop.remove_signal_handler(signal.SIGINT)
            loop.remove_signal_handler(signal.SIGTERM)
        except (RuntimeError, ValueError):
            return

    def _on_signal(self, code: int) -> None:
        if self._asked:
            self._progress.close()
            err("whimbrel: stopped at once" + (f"; carry on with: {self._resume}" if self._resume else ""))
            # Workers are tied to this process: they end with it. What is on disk is whole at any moment.
            os._exit(code)
        self._asked = True
        self.code = code
        self._progress.say("parking the run (again to stop at once) …")
        if self._park is not None:
            self._park()


def _finish(
    manner: Manner, result: RunResult, run: Run | None, blobs: BlobStore, show: Show, stopped: int, resume: str
) -> int:
    if not result.phase.terminal:
        if manner.as_json:
            print_json(
                {"run": result.run, "phase": result.phase.value, "outputs": None, "parked": True, "resume": resume}
            )
        err(f"whimbrel: run {result.run} is parked. Carry on with:\n  {resume}")
        for line in waiting_lines(run, manner.home_option) if run is not None else ():
            err(f"  {line}")
        return stopped
    return conclude(manner, result, run, blobs, show)


def conclude(manner: Manner, result: RunResult, run: Run | None, blobs: BlobStore, show: Show) -> int:
    """Say what came of a run that has ended; the exit code."""
    if run is not None and not manner.quiet:
        _say_end(run)
    outputs = read_literals(result.outputs, blobs)
    if manner.as_json:
        print_json(result_json(result, outputs))
    elif result.phase is Phase.SUCCEEDED and (text := show(outputs)):
        if not manner.quiet:
            # stdout is for other programs.
            for line in table_lines(outputs, blobs):
                err(line)
        out(text)
    if result.phase is not Phase.SUCCEEDED:
        err(_failure_report(result, run, manner.home_option))
    return _EXIT_CODES[result.phase]


def result_json(result: RunResult, outputs: Literals) -> dict[str, Any]:
    """What ``--json`` prints at the end."""
    said: dict[str, Any] = {
        "run": result.run,
        "phase": result.phase.value,
        "outputs": by_name(outputs) if result.phase is Phase.SUCCEEDED else None,
    }
    if result.failure is not None:
        said["failure"] = msgspec.to_builtins(result.failure)
    return said


def _say_end(run: Run) -> None:
    took = show_seconds(run.ended_at - run.started_at)
    if sys.stderr.isatty():
        _print_tree(run)
    else:
        err(f"whimbrel: run {run.id} {run.phase.value} in {took}, {counts(run)}")


def _print_tree(run: Run) -> None:
    from rich.console import Console

    console = Console(stderr=True, highlight=False)
    for line in tree(run, run.ended_at):
        console.print(styled(line))


def _failure_report(result: RunResult, run: Run | None, home_option: str) -> str:
    failure = result.failure
    lines = []
    if failure is None:
        lines.append(f"whimbrel: run {result.run} {result.phase.value}")
    else:
        node = origin(run, failure) if run is not None else None
        path = node.path if node is not None else failure.node
        where = f" at {path}" if path else ""
        what = f" ({node.entity})" if node is not None else ""
        tries = f", attempt {len(node.attempts)}" if node is not None and len(node.attempts) > 1 else ""
        lines.append(f"whimbrel: run {result.run} {result.phase.value}{where}{what}{tries}: {failure.title}")
        text = failure_text(failure)
        if text != failure.title:
            lines.append(indented(text))
        elif failure.line:
            lines.append(indented(failure.line))
    lines.append(f"  whimbrel describe {result.run}{home_option}    what ran, with every attempt")
    lines.append(f"  whimbrel logs {result.run}{home_option}        what the tasks wrote")
    return "\n".join(lines)
