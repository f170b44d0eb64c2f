"""What is registered, as it is listed and shown: rows, versions, interfaces, graphs, the text of the code.

Knows: the registry, entities as they are kept, the shapes of REST. Must not know: HTTP, where code is kept.
"""

from __future__ import annotations

from collections.abc import Callable

from whimbrel.controlplane.ports import EntityStore
from whimbrel.controlplane.registry import Registry
from whimbrel.errors import EntityNotFound, InputInvalid
from whimbrel.graph.drawing import DrawnNode, drawn_edges, drawn_node, drawn_nodes
from whimbrel.model.declared import Declarations
from whimbrel.model.interface import Interface, Parameter, Variable
from whimbrel.model.launch_plan import LaunchPlanSpec
from whimbrel.model.literal_types import describe
from whimbrel.model.program import CodeRef, Graph, SourceLine, TaskSpec
from whimbrel.model.registered import Entity, EntityId, EntityKind, EntityQuery, Filter, HeadQuery, Operator
from whimbrel.wire.flyte import entities as wire
from whimbrel.wire.flyte.entities import Assembled, Native
from whimbrel.wire.literal_json import by_name, to_json
from whimbrel.wire.rest import entities as shapes
from whimbrel.wire.rest.entities import (
    BracketShape,
    EdgeShape,
    EntityDetail,
    EntityPage,
    EntityRow,
    ExactEntity,
    GraphShape,
    InterfaceShape,
    NodeShape,
    ParameterShape,
    PlanShape,
    PlanState,
    VersionQuery,
)
from whimbrel.wire.spans import iso_moment

LATEST, ACTIVE = "latest", "active"
"""Names of versions: the newest one, and of a launch plan the one that is active."""
_TIES = 50
"""Versions of one name that were made at the same moment: pages are cut by moments."""


class Catalogue:
    """See the module. ``text_of`` gives the text of a file of a bundle, by digest and by the path that it has there or
    had on the author's machine; ``None`` where there is none."""

    def __init__(self, *, registry: Registry, store: EntityStore, text_of: Callable[[str, str], str | None]) -> None:
        self._registry = registry
        self._store = store
        self._text_of = text_of

    async def rows(self, kind: EntityKind, project: str, domain: str, asked: shapes.EntityQuery) -> EntityPage:
        """A page of names, each with its newest version."""
        state = wire.ACTIVE if kind is EntityKind.LAUNCH_PLAN else ""
        query = HeadQuery(kind, project, domain, asked.text, asked.cursor, state, asked.limit + 1)
        heads = await self._store.entity_heads(query)
        rows = [_row(head.latest, head.versions, head.chosen) for head in heads[: asked.limit]]
        return EntityPage(rows, rows[-1].name if len(heads) > asked.limit else None)

    async def versions(self, kind: EntityKind, project: str, domain: str, name: str, asked: VersionQuery) -> EntityPage:
        """A page of the versions of a name, the newest first. Raises ``EntityNotFound``, ``InputInvalid``."""
        last = None
        filters: list[Filter] = []
        if asked.cursor:
            last = await self._store.entity(EntityId(kind, project, domain, name, asked.cursor))
            if last is None:
                raise InputInvalid(f"the cursor {asked.cursor[:80]!r}: it is the `next` of another page.")
            filters.append(Filter("created_at", Operator.LTE, (last.created_at,)))
        if asked.text:
            filters.append(Filter("version", Operator.CONTAINS, (asked.text,)))
        query = EntityQuery(kind, project, domain, name, tuple(filters), limit=asked.limit + 1 + _TIES)
        found = await self._store.entities(query)
        if last is not None:
            found = [each for each in found if _is_behind(each, last)]
        elif not found and not asked.text:
            raise EntityNotFound(f"{EntityId(kind, project, domain, name)} is not registered.")
        rows = [_row(each, 1, each.id.version if each.state == wire.ACTIVE else "") for each in found[: asked.limit]]
        return EntityPage(rows, rows[-1].version if len(found) > asked.limit else None)

    async def entity(self, id: EntityId) -> Entity:
        """An entity by its version, or by ``latest`` or ``active``. A version of that name goes first. Raises
        ``EntityNotFound``."""
        if id.version in (LATEST, ACTIVE):
            found = await self._store.entity(id)
            if found is not None:
                return found
            if id.version == LATEST:
                return await self._registry.latest(id.kind, id.project, id.domain, id.name)
            if id.kind is EntityKind.LAUNCH_PLAN:
                return await self._registry.active_plan(id.project, id.domain, id.name)
        return await self._registry.get(id)

    async def set_state(self, id: EntityId, state: str) -> PlanState:
        """Activate a launch plan, or not any more. Raises ``EntityNotFound``."""
        found = await self.entity(id)
        await self._registry.set_plan_state(found.id, state)
        return PlanState(found.id.name, found.id.version, state)

    # --- what is said of one; read in a thread, as the text of its code is on disk

    def exact(self, entity: Entity) -> ExactEntity:
        """It to the bit."""
        found = wire.assembled(entity)
        native = found.native or _FOREIGN
        return ExactEntity(
            entity, wire.interface_of(entity), found.program, native.bundle, native.python, native.declared
        )

    def detail(self, entity: Entity, versions: int = 1) -> EntityDetail:
        """All of it, for people."""
        found = wire.assembled(entity)
        native = found.native or _FOREIGN
        id, program = entity.id, found.program
        task = program.tasks.get(id.name) if id.kind is EntityKind.TASK else None
        plan = program.launch_plans.get(id.name) if id.kind is EntityKind.LAUNCH_PLAN else None
        graph = None if task is not None else program.workflows[plan.workflow if plan is not None else id.name]
        line = task.line if task is not None else graph.line if graph is not None else None
        row = _row(entity, versions, id.version if entity.state == wire.ACTIVE else "")
        inside = {name: each for name, each in program.workflows.items() if graph is None or name != graph.name}
        return EntityDetail(
            **{name: getattr(row, name) for name in EntityRow.__struct_fields__},
            updated_at=iso_moment(entity.updated_at),
            interface=_interface(wire.interface_of(entity)),
            graph=None if graph is None else _graph(graph, found),
            workflows={name: _graph(each, found) for name, each in inside.items()},
            plan=None if plan is None else _plan(plan),
            line=line,
            source=self._source(native, task, line),
            bundle=native.bundle,
            python=native.python,
            native=found.native is not None,
            remark=native.remark,
            task_kind="" if task is None else task.kind.value,
            runs=graph.name if graph is not None else id.name,
        )

    def _source(self, native: Native, task: TaskSpec | None, line: SourceLine | None) -> str | None:
        if not native.bundle:
            return None
        places = [] if task is None else _files_of(task.code)
        places += [line.file] if line is not None and line.file else []
        return next((text for file in places if (text := self._text_of(native.bundle, file)) is not None), None)


_FOREIGN = Native("", "", "", "", Declarations())


def _files_of(code: CodeRef) -> list[str]:
    """The files that a module may be, in its bundle."""
    root = code.root.partition("/")[2]
    stem = "/".join((*filter(None, (root,)), *code.module.split(".")))
    return [f"{stem}.py", f"{stem}/__init__.py"]


def _is_behind(entity: Entity, last: Entity) -> bool:
    if entity.created_at != last.created_at:
        return entity.created_at < last.created_at
    return entity.id.version > last.id.version


def _row(entity: Entity, versions: int, active: str) -> EntityRow:
    program, id = wire.assembled(entity).program, entity.id
    plan = program.launch_plans.get(id.name) if id.kind is EntityKind.LAUNCH_PLAN else None
    task = program.tasks.get(id.name) if id.kind is EntityKind.TASK else None
    if task is not None:
        doc = task.doc
    else:
        graph = program.workflows.get(plan.workflow if plan is not None else id.name)
        doc = "" if graph is None else graph.doc
    return EntityRow(
        *(id.kind.value, id.project, id.domain, id.name, id.version, versions),
        *(iso_moment(entity.created_at), entity.state, doc),
        None if plan is None else plan.schedule,
        active,
    )


def _interface(interface: Interface) -> InterfaceShape:
    return InterfaceShape(
        {name: _parameter(each) for name, each in interface.inputs.items()},
        {name: _variable(each) for name, each in interface.outputs.items()},
    )


def _parameter(each: Parameter) -> ParameterShape:
    default = None if each.default is None else to_json(each.default)
    return ParameterShape(each.type, describe(each.type), each.description, each.default is None, default)


def _variable(each: Variable) -> ParameterShape:
    return ParameterShape(each.type, describe(each.type), each.description)


def _plan(plan: LaunchPlanSpec) -> PlanShape:
    return PlanShape(plan.workflow, by_name(plan.fixed), plan.labels, plan.annotations, plan.max_parallelism)


def _graph(graph: Graph, found: Assembled) -> GraphShape:
    def version(kind: str, name: str) -> str:
        if kind == "launch_plan":
            return found.plans[name].version if name in found.plans else ""
        return found.tasks[name].version if name in found.tasks and kind != "workflow" else ""

    def shape(node: DrawnNode) -> NodeShape:
        return NodeShape(
            *(node.id, node.kind, node.name, node.entity, version(node.kind, node.entity)),
            *(node.inputs, node.parent, node.arm, node.mapped, node.line),
        )

    failure = graph.failure_node
    return GraphShape(
        graph.name,
        [shape(node) for node in drawn_nodes(graph, found.program)],
        [EdgeShape(*edge) for edge in drawn_edges(graph)],
        [BracketShape(each.setup, each.teardown, each.members) for each in graph.brackets],
        None if failure is None else shape(next(drawn_node(failure, found.program))),
    )
