"""`deck --remote`: the page of a run of a server, made here of what the server tells.

Knows: the client, the page. Must not know: how the page looks.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from pathlib import Path

from msgspec.structs import replace

from whimbrel.cli.deck import FOLLOW, Tails, open_page, write_page
from whimbrel.cli.page import Shown, page
from whimbrel.cli.remote_runs import log_line, state_now, summary_of
from whimbrel.cli.remotes import find_remote_run, talking
from whimbrel.cli.servers import Server
from whimbrel.cli.settings import out
from whimbrel.client.asynchronous import AsyncRemote
from whimbrel.client.executions import Execution
from whimbrel.errors import EntityNotFound
from whimbrel.model.attempt import DeckUpdate
from whimbrel.model.run import AttemptId
from whimbrel.runtime.values import read_literals


def deck(
    server: Server, run: str, node: str, output: Path | None, show: bool, follow: bool, allow_scripts: bool
) -> int:
    """`deck`."""
    return asyncio.run(_deck(server, run, node, output, show=show, follow=follow, scripts=allow_scripts))


async def _deck(
    server: Server, text: str, node: str, output: Path | None, *, show: bool, follow: bool, scripts: bool
) -> int:
    async with talking(server) as remote:
        run = await find_remote_run(remote, text, server)
        target = output or Path(f"{run}.html")
        while True:
            shown = await _gather(remote, run, node)
            over = shown.run.phase.terminal
            refresh = 0 if over or not follow else int(FOLLOW)
            write_page(target, page(replace(shown, refresh=refresh, scripts=scripts)))
            if show:
                show = False
                open_page(target)
            if over or not follow:
                break
            await asyncio.sleep(FOLLOW)
    out(str(target))
    return 0


async def _gather(remote: AsyncRemote, run: str, node: str) -> Shown:
    """All that the page of a run is made of. Raises ``EntityNotFound`` for a node that is not there."""
    state, progress = await state_now(remote, run)
    if node and node not in state.nodes:
        known = ", ".join(list(state.nodes)[:12]) + (", …" if len(state.nodes) > 12 else "")
        raise EntityNotFound(f"run {run} has no node {node!r}; it has {known or 'none'}")
    row = Execution(run)
    row.tell_row(await remote.detail(run))
    decks = []
    for place, one in enumerate(await remote.decks(run, node=node)):
        at = 0.0 if one.at is None else dt.datetime.fromisoformat(one.at).timestamp()
        decks.append(DeckUpdate(AttemptId(run, one.node, one.attempt), one.name, place, one.html, at))
    tails = Tails()
    tails.take([log_line(run, line) async for line in remote.logs(run, node=node)])
    return Shown(
        summary=summary_of(row),
        run=state,
        inputs=await asyncio.to_thread(read_literals, state.inputs, remote.blobs),
        outputs=await asyncio.to_thread(read_literals, state.outputs, remote.blobs),
        decks=decks,
        progress=list(progress.values()),
        logs=tails.all(),
        sources={},
        now=time.time(),
        node=node,
    )
