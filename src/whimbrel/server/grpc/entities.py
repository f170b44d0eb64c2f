"""What AdminService says of entities: tasks, workflows, launch plans, projects, versions.

Knows: the registry, messages through `wire`. Must not know: gRPC, runs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from whimbrel.controlplane.registry import DOMAINS, Registry
from whimbrel.errors import AlreadyExists, EntityNotFound, InputInvalid
from whimbrel.model.registered import Entity, EntityKind, EntityQuery, Filter, Operator
from whimbrel.server.grpc.binding import Handler
from whimbrel.wire.flyte import entities as wire
from whimbrel.wire.flyte.listing import archival, holds, next_token, read_filters, read_limit, read_query, read_token

Fill = Callable[[Any, Entity], None]


class EntityCalls:
    """See the module. ``version`` is what ``GetVersion`` says."""

    def __init__(self, registry: Registry, version: str) -> None:
        self._registry = registry
        self._version = version

    def handlers(self) -> dict[str, Handler]:
        """The methods of AdminService that are about entities."""
        task, workflow, plan = EntityKind.TASK, EntityKind.WORKFLOW, EntityKind.LAUNCH_PLAN
        return {
            "CreateTask": self._create(task),
            "GetTask": self._get_task,
            "ListTasks": self._list(task, "tasks", wire.fill_task),
            "ListTaskIds": self._ids(task),
            "CreateWorkflow": self._create(workflow),
            "GetWorkflow": self._get_workflow,
            "ListWorkflows": self._list(workflow, "workflows", wire.fill_workflow),
            "ListWorkflowIds": self._ids(workflow),
            "CreateLaunchPlan": self._create(plan),
            "GetLaunchPlan": self._get_plan,
            "GetActiveLaunchPlan": self._get_active,
            "UpdateLaunchPlan": self._update_plan,
            "ListLaunchPlans": self._list(plan, "launch_plans", wire.fill_launch_plan),
            "ListActiveLaunchPlans": self._list_active,
            "ListLaunchPlanIds": self._ids(plan),
            "RegisterProject": self._register_project,
            "UpdateProject": self._update_project,
            "GetProject": self._get_project,
            "ListProjects": self._list_projects,
            "GetDomains": self._domains,
            "GetVersion": self._get_version,
        }

    def _create(self, kind: EntityKind) -> Handler:
        create = {
            EntityKind.TASK: self._registry.create_task,
            EntityKind.WORKFLOW: self._registry.create_workflow,
            EntityKind.LAUNCH_PLAN: self._registry.create_launch_plan,
        }[kind]

        async def handler(request: Any, response: Any) -> None:
            await create(wire.read_id(request.id, kind), request.spec)

        return handler

    def _list(self, kind: EntityKind, field: str, fill: Fill) -> Handler:
        async def handler(request: Any, response: Any) -> None:
            filters, others = read_filters(request.filters, kind)
            if others:
                raise InputInvalid(f"{field} cannot be filtered by {others[0].field!r}.")
            query = read_query(request, kind, filters=filters)
            found = await self._registry.find(query)
            for entity in found:
                fill(getattr(response, field).add(), entity)
            response.token = next_token(query.offset, query.limit, len(found))

        return handler

    def _ids(self, kind: EntityKind) -> Handler:
        async def handler(request: Any, response: Any) -> None:
            limit, offset = read_limit(request.limit), read_token(request.token)
            names = await self._registry.names(kind, request.project, request.domain, limit=limit, offset=offset)
            for name in names:
                response.entities.add(project=request.project, domain=request.domain, name=name)
            response.token = next_token(offset, limit, len(names))

        return handler

    async def _get_task(self, request: Any, response: Any) -> None:
        wire.fill_task(response, await self._registry.get(wire.read_id(request.id, EntityKind.TASK)))

    async def _get_workflow(self, request: Any, response: Any) -> None:
        entity = await self._registry.get(wire.read_id(request.id, EntityKind.WORKFLOW))
        wire.fill_workflow(response, entity, await self._registry.tasks_of(entity))

    async def _get_plan(self, request: Any, response: Any) -> None:
        wire.fill_launch_plan(response, await self._registry.get(wire.read_id(request.id, EntityKind.LAUNCH_PLAN)))

    async def _get_active(self, request: Any, response: Any) -> None:
        id = request.id
        wire.fill_launch_plan(response, await self._registry.active_plan(id.project, id.domain, id.name))

    async def _update_plan(self, request: Any, response: Any) -> None:
        id = wire.read_id(request.id, EntityKind.LAUNCH_PLAN)
        await self._registry.set_plan_state(id, wire.state_of(request.state))

    async def _list_active(self, request: Any, response: Any) -> None:
        query = wire.active_query(request)
        found = await self._registry.find(query)
        for entity in found:
            wire.fill_launch_plan(response.launch_plans.add(), entity)
        response.token = next_token(query.offset, query.limit, len(found))

    # --- projects

    async def _register_project(self, request: Any, response: Any) -> None:
        name = request.project.id
        if not name:
            raise InputInvalid("a project without an id; say one.")
        if not await self._registry.add_project(name, wire.body_bytes(request.project)):
            raise AlreadyExists(f"there is a project {name} already.")

    async def _update_project(self, request: Any, response: Any) -> None:
        await self._registry.update_project(request.id, wire.body_bytes(request), wire.project_state(request))

    async def _list_projects(self, request: Any, response: Any) -> None:
        own, others = read_filters(request.filters, EntityKind.PROJECT)
        if any(each.field != "state" for each in others):
            raise InputInvalid(f"projects cannot be filtered by {others[0].field!r}.")
        archived = [archival(each) for each in others]
        # Unless they are asked for, archived ones are not shown.
        states = archived or [Filter("state", Operator.EQ, ("",))]
        query = EntityQuery(EntityKind.PROJECT, filters=tuple(own), sort="name", descending=False, limit=10_000)
        await self._registry.projects()
        found = [row for row in await self._registry.find(query) if all(holds(row.state, each) for each in states)]
        if request.sort_by.key and request.sort_by.direction == 0:
            found.reverse()
        limit, offset = read_limit(request.limit), read_token(request.token)
        for entity in found[offset : offset + limit]:
            wire.fill_project(response.projects.add(), entity, DOMAINS)
        response.token = next_token(offset, limit, len(found) - offset) if len(found) > offset + limit else ""

    async def _get_project(self, request: Any, response: Any) -> None:
        for entity in await self._registry.projects():
            if entity.id.name == request.id:
                wire.fill_project(response, entity, DOMAINS)
                return
        raise EntityNotFound(f"there is no project {request.id!r}.")

    async def _domains(self, request: Any, response: Any) -> None:
        for name in DOMAINS:
            response.domains.add(id=name, name=name)

    async def _get_version(self, request: Any, response: Any) -> None:
        response.control_plane_version.Version = self._version
        response.control_plane_version.Build = "whimbrel"
