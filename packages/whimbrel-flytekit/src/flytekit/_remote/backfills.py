"""Backfills, which whimbrel's client has no verb for: asked for over REST.

Knows: REST's path and structs. Must not know: schedules.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING
from urllib.parse import quote

from flytekit._remote.identifiers import Identifier
from whimbrel.wire.rest.schedules import BackfillDetail, NewBackfill

if TYPE_CHECKING:
    from whimbrel.client.remote import Remote

SIDE_BY_SIDE = 16
"""Executions of a parallel backfill at a time."""


def backfilled(remote: Remote, plan: Identifier, asked: NewBackfill) -> BackfillDetail:
    """What is launched for a launch plan, or would be. Raises ``InputInvalid``, ``EntityNotFound``."""
    place = f"/api/v1/projects/{quote(plan.project, safe='')}/domains/{quote(plan.domain, safe='')}"
    path = f"{place}/launch-plans/{quote(plan.name, safe='')}/{quote(plan.version, safe='')}/backfill"
    # The same moments have the same executions: to ask twice is safe.
    sending = remote.aio.transport.send("POST", path, json=asked, repeat=True)
    # Only here: it runs an event loop.
    answer = importlib.import_module("whimbrel.client.bridge").bridge().run(sending)
    found: BackfillDetail = answer.read(BackfillDetail)
    return found
