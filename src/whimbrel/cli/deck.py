"""`whimbrel deck`: what a run shows of itself, as a page.

Knows: the store to read, the page. Must not know: executors, how the page looks. Works on any run at any moment, beside
whoever drives it; what was published before an attempt failed, was aborted or lost is there.
"""

from __future__ import annotations

import asyncio
import inspect
import os
import time
import webbrowser
from collections import deque
from collections.abc import Iterable
from pathlib import Path

import click
from msgspec.structs import replace

from whimbrel.cli.inspect import read_values
from whimbrel.cli.page import LogTail, Shown, page
from whimbrel.cli.run_ids import find_run
from whimbrel.cli.servers import remote_option
from whimbrel.cli.settings import home_option, looking, out, verbose_option
from whimbrel.controlplane.ports import LogLine
from whimbrel.engine.nodes import NodeState
from whimbrel.engine.run import Run
from whimbrel.errors import EntityNotFound, InputInvalid
from whimbrel.model.attempt import DeckUpdate
from whimbrel.stores.home import Home

FOLLOW = 1.0
"""Seconds between two versions of a page that follows its run; the browser looks as often."""
_PAGE = 5000
_TAIL = 300
"""Lines of its log that a node shows."""
_SOURCE_LINES = 200


@click.command(
    "deck",
    short_help="Write what a run shows of itself as a page.",
    epilog="Example:  whimbrel deck latest --open",
)
@remote_option("whimbrel.cli.remote_deck:deck")
@home_option
@verbose_option
@click.option("--node", default="", metavar="PATH", help="Only this node, and what is inside it.")
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), help="Where to write it.  [default: RUN.html]"
)
@click.option("--open", "show", is_flag=True, help="Open it in the browser.")
@click.option("-f", "--follow", is_flag=True, help="Write it anew, every second, until the run has ended.")
@click.option("--allow-scripts", is_flag=True, help="Let scripts in decks run, each shut up in its frame (plotly).")
@click.argument("run")
def deck(run: str, home: Path, node: str, output: Path | None, show: bool, follow: bool, allow_scripts: bool) -> int:
    """Write the page of RUN (an id, the beginning of one, or `latest`): timeline, nodes, values, decks, logs.

    It is one file that needs nothing else. Prints its name.
    """
    return asyncio.run(_deck(run, home, node, output, show=show, follow=follow, scripts=allow_scripts))


async def _deck(
    text: str, home: Path, node: str, output: Path | None, *, show: bool, follow: bool, scripts: bool
) -> int:
    async with looking(home) as opened:
        summary = await find_run(opened.store, text)
        target = output or Path(f"{summary.id}.html")
        shown = await gather(opened, summary.id, node)
        while True:
            over = shown.run.phase.terminal
            refresh = 0 if over or not follow else int(FOLLOW)
            write_page(target, page(replace(shown, refresh=refresh, scripts=scripts)))
            if show:
                show = False
                open_page(target)
            if over or not follow:
                break
            await asyncio.sleep(FOLLOW)
            shown = await gather(opened, summary.id, node)
    out(str(target))
    return 0


def write_page(target: Path, html: str) -> None:
    """Put a page into its file, whole or not at all. Raises ``InputInvalid``."""
    draft = target.with_name(f".{target.name}.new")
    try:
        draft.write_text(html, encoding="utf-8", errors="backslashreplace")
        os.replace(draft, target)
    except OSError as error:
        raise InputInvalid(f"--output {target}: {error.strerror}; name another file") from error


def open_page(target: Path) -> None:
    """Show a page in the browser."""
    try:
        opened = webbrowser.open(target.absolute().as_uri())
    except webbrowser.Error:
        opened = False
    if not opened:
        out("no browser could be opened; the page is in the file")


async def gather(home: Home, run_id: str, node: str = "") -> Shown:
    """All that the page of a run is made of. Raises ``EntityNotFound`` for a node that is not there."""
    summary = await home.store.summary(run_id)
    events = await home.store.events(run_id)
    run = Run.replay(events, keep_story=False)
    if node and node not in run.nodes:
        known = ", ".join(list(run.nodes)[:12]) + (", …" if len(run.nodes) > 12 else "")
        raise EntityNotFound(f"run {run_id} has no node {node!r}; it has {known or 'none'}")
    return Shown(
        summary=summary,
        run=run,
        inputs=read_values(getattr(events[0], "inputs", {}), home.blobs),
        outputs=read_values(run.outputs, home.blobs),
        decks=[_fetched(home, one) for one in await home.store.decks(run_id, path=node)],
        progress=await home.store.progress(run_id),
        logs=await _tails(home, run_id, node),
        sources={path: _source(state) for path, state in run.nodes.items()},
        now=time.time(),
        node=node,
    )


def _fetched(home: Home, update: DeckUpdate) -> DeckUpdate:
    if not update.uri:
        return update
    try:
        html = home.blobs.get(update.uri).decode("utf-8", "replace")
    except EntityNotFound as error:
        html = f"<p>The deck is lost: {error}</p>"
    return replace(update, html=html)


async def _tails(home: Home, run_id: str, node: str) -> dict[str, LogTail]:
    kept = Tails()
    last = 0
    while chunks := await home.store.logs(run_id, path=node, after=last, limit=_PAGE):
        kept.take(chunks)
        last = chunks[-1].id
    return kept.all()


class Tails:
    """The last lines of what each node wrote."""

    def __init__(self) -> None:
        self._kept: dict[str, deque[tuple[str, str]]] = {}
        self._counts: dict[str, int] = {}

    def take(self, chunks: Iterable[LogLine]) -> None:
        """More, in order of writing."""
        for chunk in chunks:
            path = chunk.attempt.path
            lines = chunk.text.removesuffix("\n").split("\n")
            self._kept.setdefault(path, deque(maxlen=_TAIL)).extend(
                (chunk.level or chunk.stream, line) for line in lines
            )
            self._counts[path] = self._counts.get(path, 0) + len(lines)

    def all(self) -> dict[str, LogTail]:
        """By node, with how many lines stand before them."""
        return {path: LogTail(list(lines), self._counts[path] - len(lines)) for path, lines in self._kept.items()}


def _source(node: NodeState) -> str:
    """The function of a node as its file has it now; "" where that is not there."""
    line = node.spec.line if node.spec is not None else None
    if line is None or not line.text:
        return ""
    try:
        with open(line.file, encoding="utf-8") as file:
            lines = file.read().splitlines(keepends=True)
        # Another line stands there: the file has changed since.
        if lines[line.line - 1].strip() != line.text:
            return ""
        block = inspect.getblock(lines[line.line - 1 :])
    except (OSError, ValueError, IndexError, SyntaxError):
        return ""
    return "".join(block[:_SOURCE_LINES])
