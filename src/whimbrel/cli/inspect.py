"""`whimbrel runs` and `whimbrel describe`: what is on disk, without the users' code and beside whoever runs things.

Knows: stores to read, the engine's fold of events, the tree. Must not know: executors, entities.
"""

from __future__ import annotations

import asyncio
import math
import time
from pathlib import Path

import click

from whimbrel.cli.ownership import owner_of
from whimbrel.cli.run_ids import find_run
from whimbrel.cli.servers import remote_option
from whimbrel.cli.settings import (
    colour,
    home_argument,
    home_option,
    json_option,
    looking,
    out,
    print_json,
    verbose_option,
)
from whimbrel.cli.tree import FOLD, STYLES, Line, tree
from whimbrel.cli.waiting import waiting_lines
from whimbrel.controlplane.describing import run_json, summary_json
from whimbrel.engine.run import Run
from whimbrel.errors import InputInvalid
from whimbrel.model.attempt import Progress
from whimbrel.model.literals import Literals
from whimbrel.model.run import Phase, RunSummary
from whimbrel.runtime.ports import BlobStore
from whimbrel.runtime.values import read_literals
from whimbrel.wire.literal_json import brief
from whimbrel.wire.spans import show_moment, show_seconds

_UNDER_WAY = (Phase.QUEUED, Phase.RUNNING, Phase.SUCCEEDING, Phase.FAILING, Phase.ABORTING)


# --- runs ----------------------------------------------------------------------------------------------


@click.command(
    "runs", short_help="List runs, the newest first.", epilog="Example:  whimbrel runs --phase failed --limit 5"
)
@remote_option("whimbrel.cli.remote_runs:runs")
@home_option
@json_option
@verbose_option
@click.option("--phase", "phases", multiple=True, metavar="PHASE", help="Only runs in this phase; may be repeated.")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, metavar="N", help="At most so many.")
def runs(home: Path, as_json: bool, phases: tuple[str, ...], limit: int) -> int:
    """List runs, the newest first."""
    wanted = [phase_named(text) for text in phases]
    found = asyncio.run(_summaries(home, wanted, limit))
    if as_json:
        print_json([summary_json(summary) for summary in found])
    else:
        show_rows(found, wanted, driven=owner_of(home) is not None)
    return 0


def show_rows(found: list[RunSummary], wanted: list[Phase], *, driven: bool) -> None:
    """A table of runs. ``driven``: somebody carries on with those that are under way."""
    if not found:
        out("no runs" + (f" in {', '.join(phase.value for phase in wanted)}" if wanted else ""))
        return
    now = time.time()
    width = max(len(summary.id) for summary in found)
    name_width = min(max(len(summary.entity) for summary in found), 40)
    for summary in found:
        took = show_seconds((summary.ended_at or now) - (summary.started_at or summary.created_at))
        resumable = summary.phase in _UNDER_WAY and not driven
        remark = "nobody is driving it: whimbrel resume" if resumable else summary.message.partition("\n")[0][:80]
        if 0.0 < summary.wake_at < math.inf:
            remark = f"parked until {show_moment(summary.wake_at)}" + (": whimbrel resume" if resumable else "")
        if summary.phase in _UNDER_WAY and summary.message:
            remark = summary.message if remark == summary.message or not remark else f"{summary.message}; {remark}"
        row = (
            f"{summary.id:<{width}}  {show_moment(summary.created_at)}  "
            f"{_cut(summary.entity, name_width):<{name_width}}  "
            f"{_styled(summary.phase, 9)}  {took if summary.ended_at or not resumable else '':>8}  {remark}"
        )
        out(row.rstrip())


def phase_named(text: str) -> Phase:
    """The phase that ``--phase`` says. Raises ``InputInvalid``."""
    try:
        return Phase(text.upper().replace("-", "_"))
    except ValueError:
        known = ", ".join(phase.value.lower() for phase in Phase)
        raise InputInvalid(f"--phase {text!r}: there is no such phase; there are {known}") from None


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"…{text[len(text) - width + 1 :]}"


def _styled(phase: Phase, width: int) -> str:
    text = f"{phase.value:<{width}}"
    return _ansi(text, STYLES[phase][1]) if colour("stdout") else text


_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}


def _ansi(text: str, style: str) -> str:
    """Plain escapes: rich would double the time that these commands take."""
    codes = ";".join(_CODES[word] for word in style.split())
    return f"\x1b[{codes}m{text}\x1b[0m" if codes and text.strip() else text


async def _summaries(home: Path, phases: list[Phase], limit: int) -> list[RunSummary]:
    async with looking(home) as opened:
        return await opened.store.summaries(limit=limit, phases=phases)


# --- describe ----------------------------------------------------------------------------------------------


@click.command(
    "describe",
    short_help="Show what ran: the tree, attempts, cache, errors.",
    epilog="Example:  whimbrel describe latest",
)
@remote_option("whimbrel.cli.remote_runs:describe")
@home_option
@json_option
@verbose_option
@click.option("--all", "everything", is_flag=True, help="Every node: long rows of equal ones are not folded.")
@click.option("--story", is_flag=True, help="Also every change of phase, with its reason.")
@click.argument("run")
@click.pass_context
def describe(context: click.Context, run: str, home: Path, as_json: bool, everything: bool, story: bool) -> int:
    """Show RUN (an id, the beginning of one, or `latest`): its inputs and outputs, and the tree of what ran.

    Needs none of the code that the run is of.
    """
    summary, state, inputs, outputs, progress = asyncio.run(_loaded(home, run))
    if as_json:
        print_json(run_json(summary, state, inputs, outputs, story=story, progress=progress))
        return 0
    repeat = home_argument(context, home)
    show_run(summary, state, inputs, outputs, progress, everything=everything, repeat=repeat)
    if not state.phase.terminal:
        owner = owner_of(home)
        if owner is None:
            out(f"nobody is driving it; carry on with: whimbrel resume {summary.id}{repeat}")
        else:
            out(f"the home is in use by {owner}")
    if story:
        out("")
        for text in state.story():
            out(text)
    return 0


def show_run(
    summary: RunSummary,
    state: Run,
    inputs: Literals,
    outputs: Literals,
    progress: dict[str, Progress],
    *,
    everything: bool,
    repeat: str,
) -> None:
    """The tree of a run, and what is to be said of all of it. ``repeat`` goes into the commands that are printed."""
    now = time.time()
    for line in tree(state, now, fold=0 if everything else FOLD, detail=True, said=progress):
        out(_shown(line))
    out("")
    out(
        f"started  {show_moment(summary.started_at or summary.created_at)}"
        + (f" from {summary.source}" if summary.source else "")
    )
    if inputs:
        out(f"inputs   {brief(inputs, 2000)}")
    if state.phase is Phase.SUCCEEDED and outputs:
        out(f"outputs  {brief(outputs, 2000)}")
    if summary.epoch > 1:
        times = summary.epoch - 1
        out(f"resumed  {times} time{'' if times == 1 else 's'}")
    if state.failure is not None:
        out(f"failure  {state.failure.title.partition(chr(10))[0]}")
    for told in waiting_lines(state, repeat):
        out(f"waits    {told}")


def _shown(line: Line) -> str:
    if not colour("stdout"):
        return line.text.rstrip()
    return "".join(_ansi(text, style) for text, style in line.parts)


async def _loaded(home: Path, text: str) -> tuple[RunSummary, Run, Literals, Literals, dict[str, Progress]]:
    async with looking(home) as opened:
        summary = await find_run(opened.store, text)
        events = await opened.store.events(summary.id)
        state = Run.replay(events)
        first = events[0]
        inputs = getattr(first, "inputs", {})
        # In order of attempts: the last of a node is kept.
        progress = {said.attempt.path: said for said in await opened.store.progress(summary.id)}
        return summary, state, read_values(inputs, opened.blobs), read_values(state.outputs, opened.blobs), progress


def read_values(literals: Literals, blobs: BlobStore) -> Literals:
    """``literals`` with what they refer to."""
    return read_literals(literals, blobs)
