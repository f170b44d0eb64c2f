"""What each route needs: one table, which a test holds to be complete. A route that is not in it needs everything.

Knows: routes by method and path. Must not know: handlers, who asks.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import NamedTuple

from whimbrel.model.access import Action

V1 = "/api/v1"


class Where(Enum):
    """Where a route says which place it reaches into."""

    NOWHERE = auto()
    """In none in particular."""
    EVERYWHERE = auto()
    PATH = auto()
    """``{project}`` and ``{domain}`` of the path."""
    QUERY = auto()
    """``project`` and ``domain`` of the query; all of them where they are not said."""
    ANYWHERE = auto()
    """In some place, whichever: what is kept by its content is in none."""
    RUN = auto()
    """The place of ``{run}``; a run that is in none is everybody's who may everywhere."""
    BODY = auto()
    """The handler reads it, and says so: ``must_reach``."""
    SIGNED = auto()
    """The address carries its own permission."""


class Right(NamedTuple):
    """What a route needs, and where."""

    action: Action
    where: Where


_PLACE = f"{V1}/projects/{{project}}/domains/{{domain}}"
_RUN = f"{V1}/runs/{{run}}"
_LOOK = Right(Action.READ, Where.RUN)
_SAY = Right(Action.ANSWER, Where.RUN)

RIGHTS: dict[tuple[str, str], Right] = {
    ("GET", "/healthz"): Right(Action.OPEN, Where.NOWHERE),
    ("GET", "/readyz"): Right(Action.OPEN, Where.NOWHERE),
    ("GET", "/metrics"): Right(Action.SELF, Where.NOWHERE),
    ("GET", f"{V1}/openapi.json"): Right(Action.OPEN, Where.NOWHERE),
    ("PUT", "/uploads/{project}/{domain}/{root}/{name}"): Right(Action.OPEN, Where.SIGNED),
    ("GET", "/downloads/files/{path:path}"): Right(Action.OPEN, Where.SIGNED),
    ("GET", "/downloads/decks/{project}/{domain}/{execution}/{node}"): Right(Action.OPEN, Where.SIGNED),
    ("GET", "/decks/{run}/{attempt}/{digest}/{node:path}"): Right(Action.OPEN, Where.SIGNED),
    ("GET", "/values/{run}/{key}"): Right(Action.OPEN, Where.SIGNED),
    ("GET", f"{V1}/me"): Right(Action.SELF, Where.NOWHERE),
    ("GET", f"{V1}/audit"): Right(Action.ADMIN, Where.EVERYWHERE),
    ("POST", f"{_PLACE}/register"): Right(Action.REGISTER, Where.PATH),
    **{
        ("GET", f"{_PLACE}/{kind}{rest}"): Right(Action.READ, Where.PATH)
        for kind in ("tasks", "workflows", "launch-plans")
        for rest in ("", "/{name}", "/{name}/{version}")
    },
    ("POST", f"{_PLACE}/launch-plans/{{name}}/{{version}}/activate"): Right(Action.REGISTER, Where.PATH),
    ("POST", f"{_PLACE}/launch-plans/{{name}}/{{version}}/deactivate"): Right(Action.REGISTER, Where.PATH),
    ("GET", f"{V1}/secrets"): Right(Action.ADMIN, Where.EVERYWHERE),
    ("GET", f"{V1}/secrets/{{group}}/{{key}}"): Right(Action.ADMIN, Where.EVERYWHERE),
    ("PUT", f"{V1}/secrets/{{group}}/{{key}}"): Right(Action.ADMIN, Where.EVERYWHERE),
    ("DELETE", f"{V1}/secrets/{{group}}/{{key}}"): Right(Action.ADMIN, Where.EVERYWHERE),
    ("GET", f"{V1}/projects"): Right(Action.SELF, Where.NOWHERE),
    ("POST", f"{V1}/projects"): Right(Action.ADMIN, Where.EVERYWHERE),
    ("HEAD", f"{V1}/bundles/{{sha256}}"): Right(Action.REGISTER, Where.ANYWHERE),
    ("PUT", f"{V1}/bundles/{{sha256}}"): Right(Action.REGISTER, Where.ANYWHERE),
    ("GET", f"{V1}/blobs/{{key:path}}"): Right(Action.READ, Where.ANYWHERE),
    ("HEAD", f"{V1}/blobs/{{key:path}}"): Right(Action.READ, Where.ANYWHERE),
    ("PUT", f"{V1}/blobs/{{sha256}}"): Right(Action.LAUNCH, Where.ANYWHERE),
    ("GET", f"{V1}/schedules"): Right(Action.READ, Where.QUERY),
    ("GET", f"{V1}/schedules/{{project}}/{{domain}}/{{name:path}}"): Right(Action.READ, Where.PATH),
    ("POST", f"{_PLACE}/launch-plans/{{name:path}}/{{version}}/backfill"): Right(Action.LAUNCH, Where.PATH),
    ("GET", f"{V1}/backfills"): Right(Action.READ, Where.QUERY),
    ("GET", f"{_PLACE}/backfills/{{backfill}}"): Right(Action.READ, Where.PATH),
    ("POST", f"{_PLACE}/backfills/{{backfill}}/stop"): Right(Action.LAUNCH, Where.PATH),
    ("GET", f"{V1}/runs"): Right(Action.READ, Where.QUERY),
    ("GET", f"{V1}/run-pages"): Right(Action.READ, Where.QUERY),
    ("GET", f"{V1}/filters"): Right(Action.READ, Where.QUERY),
    ("GET", f"{_PLACE}/executions/{{name}}"): Right(Action.READ, Where.PATH),
    ("GET", f"{V1}/events"): Right(Action.READ, Where.QUERY),
    ("POST", f"{V1}/runs"): Right(Action.LAUNCH, Where.BODY),
    ("GET", _RUN): _LOOK,
    ("GET", f"{_RUN}/data"): _LOOK,
    ("GET", f"{_RUN}/events"): _LOOK,
    ("GET", f"{_RUN}/logs"): _LOOK,
    ("GET", f"{_RUN}/lines"): _LOOK,
    ("GET", f"{_RUN}/lines/find"): _LOOK,
    ("GET", f"{_RUN}/lines/text"): _LOOK,
    ("GET", f"{_RUN}/decks"): _LOOK,
    ("GET", f"{_RUN}/tree"): _LOOK,
    ("GET", f"{_RUN}/decisions"): _LOOK,
    ("GET", f"{_RUN}/nodes/{{path:path}}"): _LOOK,
    **{("GET", f"{_RUN}/{rest}"): _LOOK for rest in ("about", "value", "value/table", "value/entries", "value/head")},
    ("POST", f"{_RUN}/abort"): _SAY,
    ("POST", f"{_RUN}/approve"): _SAY,
    ("POST", f"{_RUN}/reject"): _SAY,
    ("POST", f"{_RUN}/signal"): _SAY,
    ("POST", f"{_RUN}/relaunch"): Right(Action.LAUNCH, Where.RUN),
    ("POST", f"{_RUN}/recover"): Right(Action.LAUNCH, Where.RUN),
    ("POST", f"{_RUN}/fork"): Right(Action.LAUNCH, Where.RUN),
    ("POST", f"{_RUN}/forecast"): Right(Action.LAUNCH, Where.RUN),
}


def right_of(method: str, path: str) -> Right:
    """What a route needs, by its path as it is declared."""
    return RIGHTS.get((method, path), Right(Action.ADMIN, Where.EVERYWHERE))
