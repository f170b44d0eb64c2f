"""One program beside another: names that both have, and mean different things by.

Programs name entities without versions. What is referred to keeps its name, as whoever refers to it says that; what it
runs in turn may have to take another.

Knows: entities as they are kept. Must not know: where, who refers to what.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from whimbrel.graph.renaming import Names, renamed
from whimbrel.model.registered import EntityId, EntityKind
from whimbrel.wire.flyte.entities import Assembled


def beside(theirs: Assembled, id: EntityId, ours: Assembled, *, apart: bool) -> Assembled:
    """What another program refers to, under names that leave alone those of ``ours``: all but ``id`` is called
    ``name@version`` where there is another of that name (a reference of it counts), or always, if ``apart``."""

    def others(here: Mapping[str, Any], there: Mapping[str, Any], kind: EntityKind) -> list[str]:
        inside = [name for name in there if (kind, name) != (id.kind, id.name)]
        if apart:
            return inside
        known = ours.program.references
        return [name for name in inside if name in known or (name in here and here[name] != there[name])]

    program, own = theirs.program, ours.program
    named = {
        "tasks": others(own.tasks, program.tasks, EntityKind.TASK),
        "workflows": others(own.workflows, program.workflows, EntityKind.WORKFLOW),
        "launch_plans": others(own.launch_plans, program.launch_plans, EntityKind.LAUNCH_PLAN),
    }
    if not any(named.values()):
        return theirs
    ids = {"tasks": theirs.tasks, "launch_plans": theirs.plans, "workflows": dict[str, EntityId]()}
    new = Names(
        **{what: {name: f"{name}@{ids[what].get(name, id).version}" for name in found} for what, found in named.items()}
    )
    return Assembled(
        renamed(program, new),
        {new.tasks.get(name, name): each for name, each in theirs.tasks.items()},
        {new.launch_plans.get(name, name): each for name, each in theirs.plans.items()},
        {new.launch_plans.get(name, name): each for name, each in theirs.workflows.items()},
        theirs.native,
    )
