"""`whimbrel abort`: end a run, whoever drives it.

Knows: the embedded engine, the inbox of a home that another process owns. Must not know: entities.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import click

from whimbrel.cli.embedded import NOWHERE, PROCESSES, embedded
from whimbrel.cli.run_ids import find_run
from whimbrel.cli.servers import remote_option
from whimbrel.cli.settings import err, home_option, json_option, looking, out, print_json, verbose_option
from whimbrel.engine.run import Run
from whimbrel.errors import HomeLocked, RunNotResumable
from whimbrel.model.events import AbortRequested
from whimbrel.model.run import RunSummary

WAIT = 15.0
"""Seconds that the owner of the home has to end the run; it looks for requests four times a second."""
_POLL = 0.1


@click.command("abort", short_help="End a run.", epilog='Example:  whimbrel abort latest --reason "wrong month"')
@remote_option("whimbrel.cli.remote_runs:abort")
@home_option
@json_option
@verbose_option
@click.option("--reason", default="aborted by hand", show_default=True, help="Is kept with the run.")
@click.argument("run")
def abort(run: str, home: Path, as_json: bool, reason: str) -> int:
    """End RUN (an id, the beginning of one, or `latest`) for good: it cannot be resumed.

    Eager bodies and teardowns clean up first, for 30 seconds at most; a second abort does not wait for that. A run that
    another process drives is ended by that process, which is asked to.
    """
    summary, ended = asyncio.run(_abort(run, home, reason))
    if as_json:
        print_json({"run": summary.id, "phase": summary.phase.value, "acknowledged": ended})
    elif ended:
        out(f"run {summary.id} {summary.phase.value}")
    if not ended:
        err(
            f"whimbrel: the process that owns the home has not ended run {summary.id} in time; "
            "the request stands, and is carried out when the run is driven"
        )
        return 1
    return 0


async def _abort(text: str, home: Path, reason: str) -> tuple[RunSummary, bool]:
    async with looking(home) as opened:
        summary = await find_run(opened.store, text)
        _must_be_open(summary)
        aborted = Run.replay(await opened.store.events(summary.id))
        aborted.handle(AbortRequested(reason, time.time()))
        try:
            async with embedded(home, executor=NOWHERE if aborted.phase.terminal else PROCESSES) as engine:
                await engine.plane.abort(summary.id, reason)
                await engine.plane.wait(summary.id)
            return await opened.store.summary(summary.id), True
        except HomeLocked:
            await opened.store.send(summary.id, "abort", reason, time.time())
        until = time.monotonic() + WAIT + (0.0 if aborted.phase.terminal else aborted.options.cleanup_seconds)
        while time.monotonic() < until:
            await asyncio.sleep(_POLL)
            summary = await opened.store.summary(summary.id)
            if summary.phase.terminal:
                return summary, True
        return summary, False


def _must_be_open(summary: RunSummary) -> None:
    if summary.phase.terminal:
        raise RunNotResumable(f"run {summary.id} has ended already ({summary.phase.value}): there is nothing to abort")
