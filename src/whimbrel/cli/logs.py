"""`whimbrel logs`: what the tasks of a run wrote, also while they write it.

Knows: the store to read. Must not know: executors, entities.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from whimbrel.cli.run_ids import find_run
from whimbrel.cli.servers import remote_option
from whimbrel.cli.settings import colour, home_option, json_option, looking, out, verbose_option
from whimbrel.cli.terminal_text import clean, whole_lines
from whimbrel.controlplane.ports import LogLine
from whimbrel.engine.run import Run
from whimbrel.errors import EntityNotFound
from whimbrel.stores.home import Home
from whimbrel.wire.literal_json import dump
from whimbrel.wire.spans import iso_moment

POLL = 0.25
"""Seconds between two looks when following."""
_PAGE = 5000


@click.command(
    "logs",
    short_help="Show what the tasks of a run wrote.",
    epilog="Example:  whimbrel logs latest --node n0 -f",
)
@remote_option("whimbrel.cli.remote_runs:logs")
@home_option
@json_option
@verbose_option
@click.option("--node", default="", metavar="PATH", help="Only this node, and what is inside it.")
@click.option("-f", "--follow", is_flag=True, help="Go on until the run has ended.")
@click.option(
    "--raw", is_flag=True, help="The text as it was written: no node in front, control characters as they are."
)
@click.argument("run")
def logs(run: str, home: Path, as_json: bool, node: str, follow: bool, raw: bool) -> int:
    """Show what the tasks of RUN (an id, the beginning of one, or `latest`) wrote to stdout and stderr, and to
    Python's logging, in the order in which they wrote it.

    With --json every line is an object.
    """
    return asyncio.run(_logs(run, home, node, follow=follow, printer=LogPrinter(as_json=as_json, raw=raw)))


class LogPrinter:
    """Chunks to lines, each with its node in front."""

    def __init__(self, *, as_json: bool, raw: bool) -> None:
        self._as_json = as_json
        self._raw = raw
        self._held: dict[tuple[str, int, str], tuple[str, float]] = {}

    def show(self, chunk: LogLine) -> None:
        """Print the lines that are whole now."""
        key = (chunk.attempt.path, chunk.attempt.number, chunk.stream)
        text, at = self._held.pop(key, ("", chunk.at))
        lines, rest = whole_lines(text + chunk.text)
        for line in lines:
            self._print(key, line, at, chunk.level)
            at = chunk.at
        if rest:
            self._held[key] = (rest, at)

    def close(self) -> None:
        """Print what has no end of line."""
        for key, (rest, at) in self._held.items():
            self._print(key, rest, at, "")
        self._held.clear()

    def _print(self, key: tuple[str, int, str], line: str, at: float, level: str) -> None:
        path, attempt, stream = key
        if self._as_json:
            said = {"node": path, "attempt": attempt, "stream": stream, "at": iso_moment(at), "text": line}
            out(dump({**said, "level": level} if level else said, indent=None))
        elif self._raw:
            out(line)
        else:
            said_as = f"{level} " if level else ""
            out(f"{path} | {said_as}{clean(line, colours=colour('stdout'))}")


async def _logs(text: str, home: Path, node: str, *, follow: bool, printer: LogPrinter) -> int:
    async with looking(home) as opened:
        summary = await find_run(opened.store, text)
        last = await _show_all(opened, summary.id, node, 0, printer)
        if node and not last and not follow:
            await _must_know(opened, summary.id, node)
        while follow and not summary.phase.terminal:
            await asyncio.sleep(POLL)
            # The phase first: what was written before the end is there when the end is.
            summary = await opened.store.summary(summary.id)
            last = await _show_all(opened, summary.id, node, last, printer)
        printer.close()
    return 0


async def _show_all(home: Home, run: str, node: str, last: int, printer: LogPrinter) -> int:
    while chunks := await home.store.logs(run, path=node, after=last, limit=_PAGE):
        for chunk in chunks:
            printer.show(chunk)
        last = chunks[-1].id
    return last


async def _must_know(home: Home, run: str, node: str) -> None:
    """A node that wrote nothing is fine; one that does not exist is a slip of the pen."""
    state = Run.replay(await home.store.events(run), keep_story=False)
    if node not in state.nodes:
        known = ", ".join(list(state.nodes)[:12]) + (", …" if len(state.nodes) > 12 else "")
        raise EntityNotFound(f"run {run} has no node {node!r}; it has {known or 'none'}")
