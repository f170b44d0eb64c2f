"""The registry: what clients have registered, checked by the same checks that ran on the author's machine.

An entity never changes once it is there. To register it again is refused, and says whether it is the same one: clients
send what they register several times, and take that for success.

Knows: the port of the store, the messages through `wire`. Must not know: transports, runs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from msgspec.structs import replace

from whimbrel.controlplane.beside import beside
from whimbrel.controlplane.offloading import LARGE_BYTES, aside
from whimbrel.controlplane.ports import Clock, EntityStore
from whimbrel.controlplane.schedules import check_schedule
from whimbrel.errors import AlreadyExists, CompileError, EntityNotFound, InputInvalid
from whimbrel.graph.check import check_program
from whimbrel.graph.references import unresolved
from whimbrel.model.program import Program, Reference
from whimbrel.model.registered import Entity, EntityId, EntityKind, EntityQuery, Filter, Operator
from whimbrel.wire.flyte import entities as wire
from whimbrel.wire.rest.entities import NewProject, ProjectRow
from whimbrel.wire.rest.launching import LaunchTarget

_PROJECT = re.compile(r"[A-Za-z0-9]([-._A-Za-z0-9]{0,61}[A-Za-z0-9])?")
DEFAULT_PROJECT = "flytesnacks"
DOMAINS = ("development", "staging", "production")
"""What clients assume where nobody says anything."""


class Registry:
    """See the module."""

    def __init__(self, *, store: EntityStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._begun = False

    async def _begin(self) -> None:
        """The project that clients use by default is always there."""
        if not self._begun:
            await self._add(DEFAULT_PROJECT, b"")
            self._begun = True

    # --- creating

    async def create_task(self, id: EntityId, spec: Any) -> None:
        """Register a ``TaskSpec``. Raises ``AlreadyExists``, ``InputInvalid``, ``CompileError``."""
        await self._create(id, spec, (), lambda _: wire.task_program(id, spec))

    async def create_workflow(self, id: EntityId, spec: Any) -> None:
        """Register a ``WorkflowSpec``; what its nodes run must be there. Raises as ``create_task``."""
        spec.template.id.name = id.name
        needs = await aside(spec.ByteSize() > LARGE_BYTES, lambda: wire.wanted_by(spec))
        await self._create(id, spec, needs, lambda below: wire.workflow_program(spec, below))

    async def create_launch_plan(self, id: EntityId, spec: Any) -> None:
        """Register a ``LaunchPlanSpec``, inactive; its workflow must be there. Raises as ``create_task``."""
        workflow = wire.read_id(spec.workflow_id, EntityKind.WORKFLOW)
        await self._create(
            id, spec, (workflow,), lambda below: wire.launch_plan_program(id, spec, below[0]), wire.INACTIVE
        )

    async def _create(
        self,
        id: EntityId,
        spec: Any,
        needs: Iterable[EntityId],
        read: Callable[[list[Entity]], wire.Assembled],
        state: str = "",
    ) -> None:
        if not id.version:
            raise InputInvalid(f"{id} has no version; say one.")
        message = wire.body_bytes(spec)
        there = await self._store.entity(id)
        if there is None:
            await self.must_be_a_place(id)
            below = []
            for need in needs:
                found = await self._store.entity(need)
                if found is None:
                    raise InputInvalid(f"{id} needs {need}, which is not registered; register that first.")
                below.append(found)
            large = len(message) + sum(len(each.model) for each in below) > LARGE_BYTES
            model = await aside(large, lambda: _checked(id, read(below)))
            now = self._clock.now()
            entity = Entity(id, message, model, state, now, now)
            there = await self._store.add_entity(entity)
            if there == entity:
                return
        if not wire.same_body(there, message):
            raise InputInvalid(f"{id} is registered with another body; give this one another version.")
        raise AlreadyExists(f"{id} is registered already, and is the same.")

    async def must_be_a_project(self, project: str) -> None:
        """Raises ``InputInvalid`` where there is no such project."""
        await self._begin()
        if await self._store.entity(EntityId(EntityKind.PROJECT, project, "", project)) is None:
            raise InputInvalid(f"there is no project {project!r}; create it, or use {DEFAULT_PROJECT!r}.")

    async def must_be_a_place(self, id: EntityId) -> None:
        """Raises ``InputInvalid`` where there is no such project, or no such domain."""
        await self.must_be_a_project(id.project)
        if id.domain not in DOMAINS:
            raise InputInvalid(f"there is no domain {id.domain!r}; there are {', '.join(DOMAINS)}.")

    # --- reading

    async def get(self, id: EntityId) -> Entity:
        """Raises ``EntityNotFound``."""
        found = await self._store.entity(id)
        if found is None:
            raise EntityNotFound(f"{id} is not registered.")
        return found

    async def tasks_of(self, entity: Entity) -> list[Entity]:
        """The tasks that a workflow or launch plan runs, anywhere in it."""
        found = [await self._store.entity(id) for id in wire.assembled(entity).tasks.values()]
        return [task for task in found if task is not None]

    async def latest(self, kind: EntityKind, project: str, domain: str, name: str) -> Entity:
        """The newest version. Raises ``EntityNotFound``."""
        found = await self._store.entities(EntityQuery(kind, project, domain, name, limit=1))
        if not found:
            raise EntityNotFound(f"{EntityId(kind, project, domain, name)} is not registered.")
        return found[0]

    async def target(self, said: LaunchTarget) -> EntityId:
        """What is to be launched. Without a version it is the newest; of a launch plan the active one, if there is one.
        Raises ``EntityNotFound``, ``InputInvalid``."""
        try:
            kind = EntityKind(said.kind)
        except ValueError:
            kind = EntityKind.PROJECT
        if kind not in (EntityKind.TASK, EntityKind.WORKFLOW, EntityKind.LAUNCH_PLAN):
            raise InputInvalid(f"{said.kind[:80]!r} cannot be launched: it is task, workflow or launch_plan.")
        if said.version:
            return EntityId(kind, said.project, said.domain, said.name, said.version)
        if kind is EntityKind.LAUNCH_PLAN:
            active = await self._active(said.project, said.domain, said.name)
            if active is not None:
                return active.id
        return (await self.latest(kind, said.project, said.domain, said.name)).id

    async def with_references(
        self, found: wire.Assembled, project: str, domain: str, *, apart: bool = False
    ) -> tuple[wire.Assembled, list[EntityId]]:
        """A program with what it refers to, as far as that is registered, and the ids of what is not. A reference that
        says no place means this one, one that says no version the newest.

        What is referred to keeps its name; what that runs in turn is called ``name@version`` where there is another of
        its name, and with ``apart`` always. Raises ``InputInvalid`` where a name stands for two things all the same.
        """
        missing: list[EntityId] = []
        while waiting := [each for each in unresolved(found.program) if not _is_in(each, missing)]:
            reference = waiting[0]
            id = EntityId(
                EntityKind(reference.kind.value),
                reference.project or project,
                reference.domain or domain,
                reference.name,
                reference.version,
            )
            try:
                there = await (self.get(id) if id.version else self.latest(id.kind, id.project, id.domain, id.name))
            except EntityNotFound:
                missing.append(id)
                continue
            theirs = beside(wire.assembled(there), there.id, found, apart=apart)
            found = replace(wire.merged(found, theirs), native=found.native)
        return found, missing

    async def resolved(self, program: Program) -> Program:
        """What code refers to while it runs: ``with_references`` apart, as nobody knows what it refers to next. A
        reference without a place means the usual one."""
        found, _ = await self.with_references(wire.Assembled(program), DEFAULT_PROJECT, DOMAINS[0], apart=True)
        return found.program

    async def find(self, query: EntityQuery) -> list[Entity]:
        """One page of a list. Raises ``InputInvalid``."""
        try:
            return await self._store.entities(query)
        except ValueError as error:
            raise InputInvalid(f"{error}.") from None

    async def names(self, kind: EntityKind, project: str, domain: str, *, limit: int, offset: int) -> list[str]:
        """The names of entities, each once, in order."""
        return await self._store.entity_names(kind, project, domain, limit=limit, offset=offset)

    async def active_plan(self, project: str, domain: str, name: str) -> Entity:
        """The active version of a launch plan. Raises ``EntityNotFound``."""
        found = await self._active(project, domain, name)
        if found is None:
            raise EntityNotFound(f"no version of the launch plan {name} ({project}/{domain}) is active; activate one.")
        return found

    async def _active(self, project: str, domain: str, name: str) -> Entity | None:
        active = (Filter("state", Operator.EQ, (wire.ACTIVE,)),)
        query = EntityQuery(EntityKind.LAUNCH_PLAN, project, domain, name, active, "updated_at", limit=1)
        return next(iter(await self._store.entities(query)), None)

    # --- what people say of names and places

    async def say(self, id: EntityId, message: bytes, state: str = "") -> None:
        """Keep what is said under ``id`` in the place of what was said before."""
        now = self._clock.now()
        before = await self._store.entity(id)
        await self._store.put_entity(Entity(id, message, b"", state, before.created_at if before else now, now))

    async def said(self, id: EntityId) -> Entity | None:
        """What was said under ``id`` last."""
        return await self._store.entity(id)

    async def unsay(self, id: EntityId) -> None:
        """Forget what was said under ``id``."""
        await self._store.drop_entity(id)

    async def attributes_for(self, project: str, domain: str, workflow: str, kind: str) -> list[Entity]:
        """What is set for executions of a workflow, the nearest first."""
        places = ((project, domain, workflow), (project, domain, ""), (project, "", ""))
        found = [await self._store.entity(EntityId(EntityKind.ATTRIBUTES, *place, kind)) for place in places]
        return [row for row in found if row is not None]

    # --- changing

    async def set_plan_state(self, id: EntityId, state: str) -> None:
        """Activate a launch plan, which ends that of its other versions, or end it. Raises ``EntityNotFound``;
        ``InputInvalid`` for a schedule that cannot be read. What is active since before stays so: a fixed rate counts
        from there."""
        found = await self.get(id)
        if found.state == state:
            return
        if state == wire.ACTIVE:
            check_schedule(wire.plan_of(found).schedule)
        alone = wire.INACTIVE if state == wire.ACTIVE else ""
        if not await self._store.set_entity_state(id, state, self._clock.now(), alone=alone):
            raise EntityNotFound(f"{id} is not registered.")

    async def add_project(self, name: str, message: bytes = b"") -> bool:
        """Make a project; whether there was none of that name."""
        await self._begin()
        return await self._add(name, message)

    async def create_project(self, wanted: NewProject) -> ProjectRow:
        """Make a project for our own clients. Raises ``AlreadyExists``, ``InputInvalid``."""
        if not _PROJECT.fullmatch(wanted.id):
            raise InputInvalid(f"{wanted.id[:80]!r} cannot be a project: letters, digits, dashes, dots, at most 63.")
        if not await self.add_project(wanted.id, wire.project_bytes(wanted.id, wanted.name, wanted.description)):
            raise AlreadyExists(f"there is a project {wanted.id} already.")
        return ProjectRow(wanted.id, wanted.name or wanted.id, wanted.description, DOMAINS)

    async def project_rows(self) -> list[ProjectRow]:
        """Every project, by name."""
        return [ProjectRow(entity.id.name, *wire.read_project(entity), DOMAINS) for entity in await self.projects()]

    async def _add(self, name: str, message: bytes) -> bool:
        now = self._clock.now()
        entity = Entity(EntityId(EntityKind.PROJECT, name, "", name), message, b"", "", now, now)
        return await self._store.add_entity(entity) == entity

    async def update_project(self, name: str, message: bytes, state: str) -> None:
        """Say something else of a project. Raises ``InputInvalid`` where there is none of that name."""
        await self.must_be_a_project(name)
        await self.say(EntityId(EntityKind.PROJECT, name, "", name), message, state)

    async def projects(self) -> list[Entity]:
        """Every project, by name."""
        await self._begin()
        return await self._store.entities(EntityQuery(EntityKind.PROJECT, sort="name", descending=False, limit=10_000))


def _is_in(reference: Reference, missing: list[EntityId]) -> bool:
    return any((id.kind.value, id.name) == (reference.kind.value, reference.name) for id in missing)


def _checked(id: EntityId, assembled: wire.Assembled) -> bytes:
    """What is kept of a program. Raises ``InputInvalid``, ``CompileError``."""
    if id.kind is EntityKind.LAUNCH_PLAN:
        check_schedule(assembled.program.launch_plans[id.name].schedule)
    problems = check_program(assembled.program)
    if problems:
        raise CompileError(problems)
    return wire.model_bytes(assembled)
