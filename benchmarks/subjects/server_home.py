"""Puts the programs of ``three_steps.py`` into a home: ``server_home.py HOME``."""

from __future__ import annotations

import asyncio
import sys
import time

import three_steps
from msgspec.structs import replace

from whimbrel.model.launch_plan import LaunchPlanSpec
from whimbrel.model.program import Program
from whimbrel.model.registered import Entity, EntityId, EntityKind
from whimbrel.stores.home import open_home
from whimbrel.wire.flyte.entities import ACTIVE, Assembled, model_bytes

PLACE = ("flytesnacks", "development")


def _entity(kind: EntityKind, name: str, program: Program) -> Entity:
    tasks = {task: EntityId(EntityKind.TASK, *PLACE, task, "v1") for task in program.tasks}
    now = time.time()
    return Entity(EntityId(kind, *PLACE, name, "v1"), b"", model_bytes(Assembled(program, tasks)), ACTIVE, now, now)


async def main() -> None:
    """A launch plan of the workflow, and the eager one as a task."""
    static, eager = three_steps.three.program(), three_steps.three_eager.program()
    name = three_steps.three.name
    plan = LaunchPlanSpec(name, name, static.workflows[name].interface)
    with open_home(sys.argv[1], exclusive=True) as home:
        await home.store.add_entity(_entity(EntityKind.LAUNCH_PLAN, name, replace(static, launch_plans={name: plan})))
        await home.store.add_entity(_entity(EntityKind.TASK, three_steps.three_eager.name, eager))


if __name__ == "__main__":
    asyncio.run(main())
