"""A run of a server from its launch, or from now, to its end: the same progress and the same words as for a run of this
machine. Whoever stops following leaves the run alone.

Knows: the client, the engine's fold of events, progress. Must not know: where a run comes from.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from whimbrel.cli.driving import PARKED, TERMINATED, Manner, Show, conclude, draw
from whimbrel.cli.live import Watcher, watcher
from whimbrel.cli.remotes import find_remote_run, talking
from whimbrel.cli.servers import Server
from whimbrel.cli.settings import err, out, print_json
from whimbrel.cli.waiting import waiting_lines
from whimbrel.client.asynchronous import AsyncRemote
from whimbrel.client.executions import Execution
from whimbrel.controlplane.plane import RunResult
from whimbrel.engine.run import Run
from whimbrel.errors import ServerFault
from whimbrel.model.attempt import LogChunk, Progress
from whimbrel.wire.literal_json import dump, plain
from whimbrel.wire.spans import show_seconds

First = Callable[[AsyncRemote, str], Awaitable[Execution]]
"""What is done with the run that was named; the run that it gives is followed."""


def manner_of(server: Server, *, as_json: bool, quiet: bool, task_output: str = "stderr") -> Manner:
    """How a run of a server is shown."""
    return Manner(Path(), "remote", None, as_json, quiet, server.repeat, task_output)


def follow_run(
    server: Server,
    text: str,
    *,
    as_json: bool,
    quiet: bool,
    task_output: str = "stderr",
    detach: bool = False,
    first: First | None = None,
) -> int:
    """Follow the run that ``text`` means, or the one that ``first`` makes of it; the exit code."""

    async def begin(remote: AsyncRemote) -> Execution:
        run = await find_remote_run(remote, text, server)
        return Execution(run) if first is None else await first(remote, run)

    manner = manner_of(server, as_json=as_json, quiet=quiet, task_output=task_output)
    return follow_begun(server, manner, begin, detach=detach)


def follow_begun(
    server: Server,
    manner: Manner,
    begin: Callable[[AsyncRemote], Awaitable[Execution]],
    show: Show = plain,
    *,
    detach: bool = False,
) -> int:
    """Begin a run on a server and follow it to its end; the exit code."""
    return asyncio.run(_follow(server, manner, begin, show, detach=detach))


async def _follow(
    server: Server,
    manner: Manner,
    begin: Callable[[AsyncRemote], Awaitable[Execution]],
    show: Show,
    *,
    detach: bool,
) -> int:
    tasks = sys.stdout if manner.task_output == "stdout" else None
    async with talking(server) as remote:
        execution = await begin(remote)
        if detach:
            if manner.as_json:
                print_json({"run": execution.run, "url": execution.url})
            else:
                out(execution.run)
            return 0
        progress = watcher(sys.stderr, quiet=manner.quiet, tasks=tasks)
        progress.say(f"run {execution.run} · {execution.url}")
        following = asyncio.ensure_future(_fold(remote, execution.run, progress, server))
        drawing = asyncio.ensure_future(draw(progress))
        stopped: list[int] = []
        try:
            with _signals(following, stopped):
                run = await following
        except asyncio.CancelledError:
            if not stopped:
                raise
            progress.close()
            again = f"whimbrel watch {execution.run}{_without_remote(server)}"
            if manner.as_json:
                print_json({"run": execution.run, "phase": None, "outputs": None, "watch": again})
            err(f"whimbrel: run {execution.run} goes on on the server. Follow it again with:\n  {again}")
            return stopped[0]
        except ServerFault as error:
            again = f"whimbrel watch {execution.run}{_without_remote(server)}"
            error.add_note(f"run {execution.run} is kept on the server; follow it again with: {again}")
            raise
        finally:
            drawing.cancel()
            progress.close()
        result = RunResult(run.id, run.phase, run.outputs, run.failure)
        return await asyncio.to_thread(conclude, manner, result, run, remote.blobs, show)


async def _fold(remote: AsyncRemote, id: str, progress: Watcher, server: Server) -> Run:
    run = Run(keep_story=False)
    told: set[str] = set()
    away = caught_up = False

    def lost(error: Exception | None) -> None:
        nonlocal away
        if not away:
            away = True
            progress.say(f"the server at {remote.config.url} is away; trying again")

    def tell_waiting() -> None:
        for node, line in zip(run.waiting, waiting_lines(run, server.repeat), strict=True):
            if node.path not in told:
                told.add(node.path)
                progress.say(line)

    def now() -> None:
        nonlocal caught_up
        caught_up = True
        tell_waiting()

    async for said in remote.exact_events(id, lost=lost, now=now):
        if away:
            away = False
            progress.say("the server is back")
        if not isinstance(said, LogChunk | Progress):
            run.handle(said)
        progress.watch(run, said)
        if caught_up:
            # Gates that have their answer already are nobody's business.
            tell_waiting()
    return run


def _without_remote(server: Server) -> str:
    """`watch` is about servers anyway."""
    return server.repeat.removesuffix(" --remote")


@contextmanager
def _signals(work: asyncio.Future[Any], stopped: list[int]) -> Iterator[None]:
    """SIGINT and SIGTERM cancel ``work``; their exit code is put into ``stopped``."""
    loop = asyncio.get_running_loop()

    def stop(code: int) -> None:
        stopped.append(code)
        work.cancel()

    loop.add_signal_handler(signal.SIGINT, stop, PARKED)
    loop.add_signal_handler(signal.SIGTERM, stop, TERMINATED)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)
        loop.remove_signal_handler(signal.SIGTERM)


def watch_list(server: Server, *, as_json: bool) -> int:
    """A line for every change of a run, until Ctrl-C."""
    return asyncio.run(_watch_list(server, as_json=as_json))


async def _watch_list(server: Server, *, as_json: bool) -> int:
    async with talking(server) as remote:

        async def listen() -> None:
            everywhere = not (server.project or server.domain)
            async for row in remote.watch(everywhere=everywhere):
                if as_json:
                    out(dump({"run": row.run, "entity": row.entity, "phase": row.phase.value}, indent=None))
                    continue
                took = row.duration
                spent = f"  {show_seconds(took.total_seconds())}" if took is not None else ""
                out(f"{row.run}  {row.entity}  {row.phase.value}{spent}  {row.message.partition(chr(10))[0]}".rstrip())

        listening = asyncio.ensure_future(listen())
        stopped: list[int] = []
        try:
            with _signals(listening, stopped):
                await listening
        except asyncio.CancelledError:
            if not stopped:
                raise
            return stopped[0]
    return 0
