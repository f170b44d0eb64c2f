"""Executions: runs of what is registered, by the names that clients know them by.

What a request leaves open comes from the launch plan: inputs that it does not give have the plan's defaults, and those
that the plan fixes are the plan's whatever a request says. A task is launched as a workflow of one node.

A launch plan that a workflow runs is a part of the run of its parent, and an execution of its own to clients: it has a
name, and a row from when it begins. What is said of it is read from the node in the run (``seen.py``).

An execution is kept before its run is started. If whoever did that died in between, the next request of that name
starts the run: to create an execution is safe to repeat.

Knows: the registry, runs, literals. Must not know: transports, Python values.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any, Protocol

from msgspec.structs import replace

from whimbrel.controlplane.plane import ControlPlane
from whimbrel.controlplane.ports import Clock, EntityStore, Ids, Inbox, RunStore
from whimbrel.controlplane.registry import DEFAULT_PROJECT, DOMAINS, Registry
from whimbrel.controlplane.requests import SIGNAL, signal_text
from whimbrel.controlplane.rerun import Rerun, reusable
from whimbrel.controlplane.seen import Seen, begun_plans, child_id, plan_around
from whimbrel.engine.nodes import NodeState
from whimbrel.engine.run import Run
from whimbrel.errors import (
    AlreadyExists,
    EntityNotFound,
    InputInvalid,
    RunNotResumable,
    StoreError,
    WhimbrelError,
)
from whimbrel.graph.conformance import misfit
from whimbrel.model.events import SignalReceived
from whimbrel.model.interface import Parameter
from whimbrel.model.launch_plan import LaunchPlanSpec
from whimbrel.model.literal_types import describe
from whimbrel.model.literals import Literal, Literals
from whimbrel.model.program import START, Binding, Graph, Node, Program, PromiseBinding, TaskSpec, TaskTarget
from whimbrel.model.registered import Entity, EntityId, EntityKind, EntityQuery, Filter, Operator
from whimbrel.model.run import RAW_OUTPUTS, Phase, RunOptions, RunOrigin
from whimbrel.model.run_fields import RUN_FIELDS, TAG_KEY, TAG_VALUE
from whimbrel.wire.flyte import entities as wire
from whimbrel.wire.flyte import executions as messages
from whimbrel.wire.flyte.executions import ExecutionRecord
from whimbrel.wire.flyte.listing import archival, holds
from whimbrel.wire.flyte.settings import EXECUTION_CONFIG, settled

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
# Flyte's own are of up to 63; those of eager calls are longer. This is what a file may be called.
_LONGEST = 255
_RUN_ID = 63
"""Letters of the longest id of a run."""
_KEPT = 64
"""Runs that have ended and are kept in memory: clients ask several times about each."""
_NODES = 20_000
"""Nodes of all of them: some 50 MB."""
_KNOWN = 10_000
"""Children whose rows are known to be there."""

_Found = tuple[int, Entity]
"""A row, and where the one after it stands."""

log = logging.getLogger("whimbrel.executions")


class RunsAndEntities(RunStore, EntityStore, Inbox, Protocol):
    """What executions are kept in."""


class Executions:
    """See the module."""

    def __init__(
        self, *, registry: Registry, store: RunsAndEntities, plane: ControlPlane, clock: Clock, ids: Ids
    ) -> None:
        self._registry = registry
        self._store = store
        self._plane = plane
        self._clock = clock
        self._ids = ids
        self._ended: dict[str, Run] = {}
        self._children: dict[EntityId, None] = {}
        """Those that have rows, as far as is remembered."""
        self._counted: dict[str, int] = {}
        """How many nodes each run had when it was looked at last."""
        self._beginning: set[asyncio.Task[None]] = set()

    # --- launching

    async def create(self, request: Any, *, rerun: Rerun | None = None, given: Literals | None = None) -> EntityId:
        """Launch what an ``ExecutionCreateRequest`` says; ``given`` is in place of its inputs. Raises
        ``AlreadyExists``, ``EntityNotFound`` (of what is to be launched), ``InputInvalid``."""
        name = request.name or self._ids.new_run_id()
        if len(name) > _LONGEST or not _NAME.fullmatch(name):
            raise InputInvalid(
                f"{name!r} cannot be the name of an execution: lower-case letters, digits and dashes, "
                f"at most {_LONGEST}, first and last no dash."
            )
        id = EntityId(EntityKind.EXECUTION, request.project, request.domain, name)
        await self._registry.must_be_a_place(id)
        there = await self._store.entity(id)
        if there is not None and await self._has_run(there):
            raise AlreadyExists(f"there is an execution {name} ({id.project}/{id.domain}) already.")
        target = messages.read_target(request.spec)
        entity = await self._registry.get(target)
        found = wire.assembled(entity)
        program, workflow = _to_run(found.program, target)
        parameters = _parameters(program, workflow, target)
        said = messages.read_inputs(request, parameters) if given is None else given
        inputs = _inputs(said, program, workflow, target)
        place = (target.project, target.domain, workflow)
        settings = await self._registry.attributes_for(*place, EXECUTION_CONFIG)
        spec = settled(request.spec, entity if target.kind is EntityKind.LAUNCH_PLAN else None, settings)
        run = _run_id(id)
        record = ExecutionRecord(
            run,
            workflow,
            target,
            dict(spec.labels.values),
            tuple(spec.tags),
            found.tasks,
            rerun.run if rerun is not None else "",
            found.plans,
            found.workflows,
        )
        now = self._clock.now()
        row = Entity(id, wire.body_bytes(request), messages.record_bytes(record), "", now, now)
        kept = await self._store.add_entity(row)
        if kept != row and await self._has_run(kept):
            raise AlreadyExists(f"there is an execution {name} ({id.project}/{id.domain}) already.")
        try:
            await self._plane.launch(
                program,
                workflow,
                inputs,
                options=_options(spec, id, target, workflow),
                source=str(target),
                run_id=run,
                rerun=rerun,
                origin=RunOrigin(
                    id.project,
                    id.domain,
                    id.name,
                    target.kind.value,
                    target.name,
                    target.version,
                    {**dict(spec.labels.values), **dict.fromkeys(spec.tags, "")},
                ),
            )
        except StoreError:
            # Two who found it without a run may both have started it: the store has taken one of them.
            if not await self._has_run(kept):
                raise
            raise AlreadyExists(f"there is an execution {name} ({id.project}/{id.domain}) already.") from None
        return id

    async def fire(self, plan: EntityId, name: str, due: float, given: Literals) -> None:
        """Launch what the schedule of ``plan`` asks for at ``due``, unless there is an execution of that name. Raises
        as ``create``."""
        id = EntityId(EntityKind.EXECUTION, plan.project, plan.domain, name)
        spec = self.plan_of(await self._registry.get(plan))
        try:
            await self.create(messages.scheduled_request(id, plan, due, given, spec.interface.inputs))
        except AlreadyExists:
            return

    def run_of_name(self, project: str, domain: str, name: str) -> str:
        """The id of the run of an execution of that name."""
        return _run_id(EntityId(EntityKind.EXECUTION, project, domain, name))

    def plan_of(self, entity: Entity) -> LaunchPlanSpec:
        """What was registered as a launch plan. Raises ``InputInvalid`` for what cannot be read."""
        return wire.plan_of(entity)

    async def relaunch(self, id: EntityId, name: str, *, overwrite_cache: bool) -> EntityId:
        """Launch what an execution launched, again. Raises ``EntityNotFound`` and as ``create``."""
        seen = await self.seen(id)
        request = _anew(seen, name, messages.RELAUNCHED)
        request.spec.overwrite_cache = overwrite_cache
        return await self.create(request, given=_given(seen))

    async def recover(self, id: EntityId, name: str) -> EntityId:
        """Launch what an execution launched; what had succeeded in it is taken over. Raises as ``relaunch``;
        ``InputInvalid`` while it runs."""
        seen = await self.seen(id)
        if not seen.phase.terminal:
            raise InputInvalid(f"{id} has not ended; terminate it first, or wait.")
        request = _anew(seen, name, messages.RECOVERED)
        reuse = reusable(seen.run)
        if seen.node is not None:
            # They stood elsewhere in the run that they are taken from.
            reuse = tuple(row for row in reuse if row.path.startswith(f"{seen.path}/"))
        rerun = Rerun(seen.run.id, reuse, moved=seen.node is not None)
        return await self.create(request, rerun=rerun, given=_given(seen))

    async def terminate(self, id: EntityId, cause: str) -> None:
        """End an execution; the parent of a child hears of a failure. One that has ended stays as it is. Raises
        ``EntityNotFound``."""
        record = messages.record_of(await self.get(id))
        cause = cause or "terminated by a client"
        try:
            if record.path:
                await self._plane.abort_node(record.run, record.path, cause)
            else:
                await self._plane.abort(record.run, cause)
        except RunNotResumable:
            return

    async def signal(self, id: EntityId, gate: str, value: Literal) -> None:
        """Answer a gate. On disk when this returns. Raises ``EntityNotFound``; ``InputInvalid`` for an answer that the
        run would refuse."""
        run_id = messages.record_of(await self.get(id)).run
        now = self._clock.now()
        answer = SignalReceived(gate, value, "", now, f"{gate} {self._ids.new_run_id()}")
        tried = Run.replay(await self._store.events(run_id), keep_story=False)
        if tried.phase.terminal:
            raise InputInvalid(f"{id} has ended ({tried.phase.value}): it waits for no answer.")
        tried.handle(answer)
        refusal = tried.refusal(answer.id)
        if refusal:
            raise InputInvalid(f"{id}: {refusal}")
        await self._store.send(run_id, SIGNAL, signal_text(answer), now)
        await self._plane.look()

    # --- looking

    async def get(self, id: EntityId) -> Entity:
        """Raises ``EntityNotFound``."""
        found = await self._store.entity(id) or await self._store.entity(replace(id, kind=EntityKind.CHILD))
        if found is None:
            raise EntityNotFound(f"there is no execution {id.name} ({id.project}/{id.domain}).")
        return found

    async def run_of(self, entity: Entity) -> Run:
        """The run of an execution, as it is now. Raises ``EntityNotFound``."""
        run_id = messages.record_of(entity).run
        if run_id in self._ended:
            return self._ended[run_id]
        try:
            return self._plane.run(run_id)
        except KeyError:
            run = Run.replay(await self._store.events(run_id), keep_story=False)
        if run.phase.terminal:
            self._ended[run_id] = run
            while len(self._ended) > _KEPT or (
                len(self._ended) > 1 and sum(len(each.nodes) for each in self._ended.values()) > _NODES
            ):
                del self._ended[next(iter(self._ended))]
        return run

    async def seen(self, id: EntityId) -> Seen:
        """An execution as it is now. Raises ``EntityNotFound``."""
        return await self.see(await self.get(id))

    async def see(self, entity: Entity) -> Seen:
        """What ``seen`` says, of its row."""
        record, run = messages.record_of(entity), await self.run_of(entity)
        return Seen(entity, record, run, run.nodes[record.path] if record.path else None)

    async def set_state(self, id: EntityId, state: str) -> None:
        """Archive an execution, or not any more. Raises ``EntityNotFound``."""
        await self._store.set_entity_state((await self.get(id)).id, state, self._clock.now())

    # --- children

    async def child_of(self, seen: Seen, node: NodeState) -> EntityId:
        """The id of the execution that the launch plan ``node`` of ``seen`` is. It has a row when this returns."""
        id = child_id(seen.entity.id, node.path)
        if id in self._children:
            return id
        record = seen.record
        place = record.target
        plan = record.plans.get(node.entity) or EntityId(
            EntityKind.LAUNCH_PLAN, place.project, place.domain, node.entity, place.version
        )
        nesting = messages.request_of(seen.entity).spec.metadata.nesting + 1
        message = messages.child_request(id, plan, seen.entity.id, seen.wire_id(node.path), nesting)
        own = replace(
            record,
            workflow=seen.run.program.launch_plans[node.entity].workflow,
            target=plan,
            tags=(),
            recovered_from="",
            path=node.path,
        )
        began = node.queued_at or node.created_at
        row = Entity(id, wire.body_bytes(message), messages.record_bytes(own), "", began, began)
        await self._store.add_entity(row)
        self._children[id] = None
        while len(self._children) > _KNOWN:
            del self._children[next(iter(self._children))]
        return id

    def note(self, run: Run) -> None:
        """Something of a run has changed: launch plans that have begun in it get their rows soon."""
        if run.phase.terminal:
            known = self._counted.pop(run.id, len(run.nodes))
        else:
            known = self._counted.get(run.id, 0)
            self._counted[run.id] = len(run.nodes)
        begun = list(begun_plans(run, known))
        if begun:
            task = asyncio.ensure_future(self._begin_children(run, begun))
            self._beginning.add(task)
            task.add_done_callback(self._beginning.discard)

    async def _begin_children(self, run: Run, begun: list[NodeState]) -> None:
        try:
            root = await self._store.entity(_id_of((await self._store.summary(run.id)).origin))
            if root is None:
                return  # it was not launched as an execution
            for node in begun:
                await self._begin_child(await self.see(root), node)
        except WhimbrelError:
            # Whoever looks at the parent makes the row then.
            log.exception("the launch plans in run %s have no rows yet", run.id)

    async def _begin_child(self, root: Seen, node: NodeState) -> EntityId:
        around = plan_around(root.run, node)
        if around is None:
            return await self.child_of(root, node)
        return await self.child_of(await self.seen(await self._begin_child(root, around)), node)

    async def close(self) -> None:
        """Begin no more children."""
        for task in self._beginning:
            task.cancel()
        await asyncio.gather(*self._beginning, return_exceptions=True)

    async def find(
        self, query: EntityQuery, filters: Iterable[Filter], children: int = 0
    ) -> tuple[list[Entity], tuple[int, int] | None]:
        """One page, and where the next begins, among those that were launched and among the children of those
        (``None``: nowhere). This one begins at ``query.offset`` and ``children``. ``filters`` are those that are not of
        entities: ``phase``, what was launched, labels and tags. Raises ``InputInvalid``."""
        wanted: list[Filter] = []
        states: list[Filter] = []
        for filter in filters:
            if filter.field == "state":
                states.append(archival(filter))
            elif filter.field in RUN_FIELDS or filter.field in (TAG_KEY, TAG_VALUE):
                wanted.append(_of_phases(filter) if filter.field == "phase" else filter)
            else:
                raise InputInvalid(f"executions cannot be filtered by {filter.field!r}.")
        launched = self._launched(query, wanted, states)
        below = self._below(replace(query, kind=EntityKind.CHILD, offset=children), wanted, states)
        found: list[Entity] = []
        offsets = [query.offset, children]
        heads = [await anext(launched, None), await anext(below, None)]
        while any(heads) and len(found) < query.limit:
            which = _first(heads, query)
            head = heads[which]
            assert head is not None
            offsets[which] = head[0]
            found.append(head[1])
            heads[which] = await anext((launched, below)[which], None)
        return found, (offsets[0], offsets[1]) if any(heads) else None

    async def _launched(self, query: EntityQuery, wanted: list[Filter], states: list[Filter]) -> AsyncIterator[_Found]:
        at = query.offset
        while True:
            try:
                page = await self._store.executions(replace(query, offset=at), wanted)
            except ValueError as error:
                raise InputInvalid(f"{error}.") from None
            for summary in page:
                at += 1
                entity = await self._store.entity(_id_of(summary.origin))
                if entity is not None and all(holds(entity.state, state) for state in states):
                    yield at, entity
            if len(page) < query.limit:
                return

    async def _below(self, query: EntityQuery, wanted: list[Filter], states: list[Filter]) -> AsyncIterator[_Found]:
        at = query.offset
        while True:
            page = await self._registry.find(replace(query, offset=at))
            for entity in page:
                at += 1
                if all(holds(entity.state, state) for state in states) and (
                    not wanted or _passes(await self.see(entity), wanted)
                ):
                    yield at, entity
            if len(page) < query.limit:
                return

    async def _has_run(self, entity: Entity) -> bool:
        try:
            await self._store.summary(messages.record_of(entity).run)
        except EntityNotFound:
            return False
        return True


def _of_phases(filter: Filter) -> Filter:
    """The same in our phases: clients say Flyte's, by name or number."""
    named = replace(filter, values=tuple(messages.phase_name(str(value)) for value in filter.values))
    passing = [phase.value for phase in Phase if holds(messages.workflow_phase_name(phase), named)]
    return Filter("phase", Operator.VALUE_IN, tuple(passing))


def _first(heads: Sequence[_Found | None], query: EntityQuery) -> int:
    """Which of two comes first, by what a list is sorted by."""
    launched, below = heads
    if launched is None or below is None:
        return 1 if launched is None else 0
    keys = [
        getattr(row.id if query.sort in ("project", "domain", "name", "version") else row, query.sort)
        for _, row in (launched, below)
    ]
    return int(keys[1] > keys[0] if query.descending else keys[1] < keys[0])


def _passes(seen: Seen, filters: list[Filter]) -> bool:
    """Whether a child passes the filters that runs pass."""
    record = seen.record
    pairs = list(record.labels.items())
    said = {
        "phase": seen.phase.value,
        "workflow.name": record.workflow,
        "workflow.version": record.target.version,
        "launch_plan.name": record.target.name,
        "launch_plan.version": record.target.version,
    }
    for filter in filters:
        if filter.field in (TAG_KEY, TAG_VALUE):
            pairs = [pair for pair in pairs if holds(pair[filter.field == TAG_VALUE], filter)]
            if not pairs:
                return False
        elif filter.field not in said or not holds(said[filter.field], filter):
            return False
    return True


def _id_of(origin: RunOrigin) -> EntityId:
    return EntityId(EntityKind.EXECUTION, origin.project, origin.domain, origin.name)


def _anew(seen: Seen, name: str, mode: int) -> Any:
    """The request of an execution, for another one like it. It is nobody's child."""
    request = messages.request_of(seen.entity)
    request.name = name
    metadata = request.spec.metadata
    metadata.ClearField("parent_node_execution")
    metadata.mode, metadata.nesting = mode, 0
    messages.write_execution_id(metadata.reference_execution, seen.entity.id)
    return request


def _given(seen: Seen) -> Literals | None:
    """What a child was given, without what its launch plan fixes; others have it in their requests."""
    if seen.node is None:
        return None
    fixed = seen.run.program.launch_plans[seen.record.target.name].fixed
    return {name: value for name, value in seen.inputs.items() if name not in fixed}


def _run_id(id: EntityId) -> str:
    """Executions of the usual place are known by their own names everywhere."""
    if id.project == DEFAULT_PROJECT and id.domain == DOMAINS[0] and len(id.name) <= _RUN_ID:
        return id.name
    digest = hashlib.sha256(f"{id.project}/{id.domain}/{id.name}".encode()).hexdigest()[:16]
    return f"{id.name[: _RUN_ID - len(digest) - 1]}-{digest}"


def _to_run(program: Program, target: EntityId) -> tuple[Program, str]:
    if target.kind is EntityKind.LAUNCH_PLAN:
        return program, program.launch_plans[target.name].workflow
    graph = _around(program.tasks[target.name])
    return program.merged(Program({}, {graph.name: graph}, {}, {})), graph.name


def _around(task: TaskSpec) -> Graph:
    inputs: dict[str, Binding] = {name: PromiseBinding(START, name) for name in task.interface.inputs}
    outputs: dict[str, Binding] = {name: PromiseBinding("n0", name) for name in task.interface.outputs}
    return Graph(task.name, task.interface, (Node("n0", TaskTarget(task.name), inputs),), outputs)


def _parameters(program: Program, workflow: str, target: EntityId) -> dict[str, Parameter]:
    parameters = dict(program.workflows[workflow].interface.inputs)
    if target.kind is EntityKind.LAUNCH_PLAN:
        parameters.update(program.launch_plans[target.name].interface.inputs)
    return parameters


def _inputs(given: Literals, program: Program, workflow: str, target: EntityId) -> Literals:
    """What the run is given. Raises ``InputInvalid``."""
    parameters = _parameters(program, workflow, target)
    unknown = [name for name in given if name not in parameters]
    if unknown:
        takes = ", ".join(parameters) or "nothing"
        raise InputInvalid(f"{target} takes no input {unknown[0]!r}; it takes {takes}.")
    inputs = {name: each.default for name, each in parameters.items() if each.default is not None} | given
    if target.kind is EntityKind.LAUNCH_PLAN:
        inputs |= program.launch_plans[target.name].fixed
    for name, parameter in program.workflows[workflow].interface.inputs.items():
        if name not in inputs:
            raise InputInvalid(f"{target} is not given its input {name!r} ({describe(parameter.type)}).")
        fault = misfit(inputs[name], parameter.type)
        if fault:
            raise InputInvalid(f"the input {name!r} of {target} is {fault}; it takes {describe(parameter.type)}.")
    return inputs


def _options(spec: Any, id: EntityId, target: EntityId, workflow: str) -> RunOptions:
    """How the run is carried out; what its processes read of the execution is in their environment."""
    said = {"PROJECT": id.project, "DOMAIN": id.domain, "ID": id.name, "WORKFLOW": workflow, "LAUNCHPLAN": target.name}
    environment = {pair.key: pair.value for pair in spec.envs.values}
    if spec.raw_output_data_config.output_location_prefix:
        environment[RAW_OUTPUTS] = spec.raw_output_data_config.output_location_prefix
    environment |= {f"FLYTE_INTERNAL_EXECUTION_{name}": value for name, value in said.items()}
    return RunOptions(
        max_parallelism=max(spec.max_parallelism, 0),
        overwrite_cache=spec.overwrite_cache,
        environment=environment,
        tags=tuple(spec.tags),
    )
