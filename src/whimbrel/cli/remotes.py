"""A client for a command: made of what the command line said, closed when the command ends.

Knows: the client. Must not know: options, output.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from whimbrel.cli.run_ids import LATEST
from whimbrel.cli.servers import Server
from whimbrel.client.asynchronous import AsyncRemote
from whimbrel.client.configuration import Config
from whimbrel.client.executions import Execution
from whimbrel.errors import EntityNotFound, InputInvalid

_PAGE = 100
_NAMED = 5


@asynccontextmanager
async def talking(server: Server) -> AsyncIterator[AsyncRemote]:
    """A client for ``server``. Raises ``InputInvalid`` for a configuration that cannot be read."""
    config = (
        Config.for_endpoint(server.url, config_file=server.config_file)
        if server.url
        else Config.auto(server.config_file)
    )
    async with AsyncRemote(config, project=server.project, domain=server.domain) as remote:
        yield remote


async def find_remote_run(remote: AsyncRemote, text: str, server: Server) -> str:
    """The id of the run that ``text`` means: a whole id, the beginning of one, or ``latest``. Raises
    ``EntityNotFound``; ``InputInvalid`` when several begin like this."""
    here = {"project": server.project, "domain": server.domain, "everywhere": not (server.project or server.domain)}
    if text == LATEST:
        newest = await remote.recent(limit=1, **here)  # type: ignore[arg-type]  # by name, as they are declared
        if not newest:
            raise EntityNotFound(
                f"there are no runs at {remote.config.url} yet: start one with `whimbrel run{server.repeat} FILE NAME`"
            )
        return newest[0].run
    rows: list[Execution] = await remote.recent(limit=_PAGE, text=text, everywhere=True)
    found = [row.run for row in rows if row.run.startswith(text)]
    if text in found:
        return text
    if not found:
        raise EntityNotFound(
            f"there is no run {text!r} at {remote.config.url}: `whimbrel runs{server.repeat}` lists them"
        )
    if len(found) > 1:
        listed = ", ".join(found[:_NAMED]) + (", …" if len(found) > _NAMED else "")
        raise InputInvalid(f"{text!r} is the beginning of {len(found)} runs ({listed}): write more of it")
    return found[0]
