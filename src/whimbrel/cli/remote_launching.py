"""`run --remote`: the code to a server, the inputs after it, and the run followed as one of this machine is.

Knows: the client, entities. Must not know: how options are read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from whimbrel.authoring.entity import Entity
from whimbrel.cli.driving import Show
from whimbrel.cli.remote_driving import follow_begun, manner_of
from whimbrel.cli.servers import Server
from whimbrel.client.asynchronous import AsyncRemote
from whimbrel.client.executions import Execution
from whimbrel.model.literals import Literals
from whimbrel.runtime.values import write_literals
from whimbrel.wire.rest.launching import LaunchOptions


def launch(
    server: Server,
    entity: Entity[..., Any],
    literals: Literals,
    environment: dict[str, str],
    options: Mapping[str, Any],
    show: Show,
) -> int:
    """Register ``entity``, launch it, follow it; the exit code. ``options`` are those of `run`."""
    # What is wrong with it is told before anything is sent.
    entity.program()

    async def begin(remote: AsyncRemote) -> Execution:
        kept = await asyncio.to_thread(write_literals, literals, remote.blobs)
        target = await remote.register_entity(entity, version=options["version"], copy=options["copy"])
        said = LaunchOptions(
            max_parallelism=options["max_parallelism"],
            overwrite_cache=options["overwrite_cache"] or None,
            environment=environment,
        )
        return await remote.launch(target, kept, name=options["run_id"] or "", options=said)

    manner = manner_of(server, as_json=options["as_json"], quiet=options["quiet"], task_output=options["task_output"])
    return follow_begun(server, manner, begin, show, detach=options["detach"])
