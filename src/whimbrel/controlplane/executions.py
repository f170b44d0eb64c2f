"""Executions: runs of what is registered, by the names that clients know them by.

What a request leaves open comes from the launch plan: inputs that it does not give have the plan's defaults, and those
that the plan fixes are the plan's whatever a request says. A task is launched as a workflow of one node.

An execution is kept before its run is started. If whoever did that died in between, the next request of that name
starts the run: to create an execution is safe to repeat.

Knows: the registry, runs, literals. Must not know: transports, Python values.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import Any, Protocol

from msgspec.structs import replace

from whimbrel.controlplane.plane import ControlPlane
from whimbrel.controlplane.ports import Clock, EntityStore, Ids, Inbox, RunStore
from whimbrel.controlplane.registry import DEFAULT_PROJECT, DOMAINS, Registry
from whimbrel.controlplane.requests import SIGNAL, signal_text
from whimbrel.controlplane.rerun import Rerun, reusable
from whimbrel.engine.run import Run
from whimbrel.errors import AlreadyExists, EntityNotFound, InputInvalid, RunNotResumable, StoreError
from whimbrel.graph.conformance import misfit
from whimbrel.model.events import SignalReceived
from whimbrel.model.interface import Parameter
from whimbrel.model.launch_plan import LaunchPlanSpec
from whimbrel.model.literal_types import describe
from whimbrel.model.literals import Literal, Literals
from whimbrel.model.program import START, Binding, Graph, Node, Program, PromiseBinding, TaskSpec, TaskTarget
from whimbrel.model.registered import Entity, EntityId, EntityKind, EntityQuery, Filter, Operator
from whimbrel.model.run import Phase, RunOptions, RunOrigin
from whimbrel.model.run_fields import RUN_FIELDS, TAG_KEY, TAG_VALUE
from whimbrel.wire.flyte import entities as wire
from whimbrel.wire.flyte import executions as messages
from whimbrel.wire.flyte.executions import ExecutionRecord
from whimbrel.wire.flyte.listing import holds

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
# Flyte's own are of up to 63; those of eager calls are longer. This is what a file may be called.
_LONGEST = 255
_RUN_ID = 63
"""Letters of the longest id of a run."""
_KEPT = 64
"""Runs that have ended and are kept in memory: clients ask several times about each."""
_NODES = 20_000
"""Nodes of all of them: some 50 MB."""


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

    # --- launching

    async def create(self, request: Any, *, rerun: Rerun | None = None) -> EntityId:
        """Launch what an ``ExecutionCreateRequest`` says. Raises ``AlreadyExists``, ``EntityNotFound`` (of what is to
        be launched), ``InputInvalid``."""
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
        inputs = _inputs(messages.read_inputs(request, parameters), program, workflow, target)
        spec = request.spec
        run = _run_id(id)
        record = ExecutionRecord(
            run,
            workflow,
            target,
            dict(spec.labels.values),
            tuple(spec.tags),
            found.tasks,
            rerun.run if rerun is not None else "",
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
        request = messages.request_of(await self.get(id))
        request.name = name
        request.spec.overwrite_cache = overwrite_cache
        return await self.create(request)

    async def recover(self, id: EntityId, name: str) -> EntityId:
        """Launch what an execution launched; what had succeeded in it is taken over. Raises as ``relaunch``;
        ``InputInvalid`` while it runs."""
        entity = await self.get(id)
        run = await self.run_of(entity)
        if not run.phase.terminal:
            raise InputInvalid(f"{id} has not ended; terminate it first, or wait.")
        request = messages.request_of(entity)
        request.name = name
        messages.write_execution_id(request.spec.metadata.reference_execution, id)
        return await self.create(request, rerun=Rerun(run.id, reusable(run)))

    async def terminate(self, id: EntityId, cause: str) -> None:
        """End an execution. One that has ended stays as it is. Raises ``EntityNotFound``."""
        record = messages.record_of(await self.get(id))
        try:
            await self._plane.abort(record.run, cause or "terminated by a client")
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
        found = await self._store.entity(id)
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

    async def find(self, query: EntityQuery, filters: Iterable[Filter]) -> tuple[list[Entity], int]:
        """One page, and where the next begins (0: nowhere). ``filters`` are those that are not of entities: ``phase``,
        what was launched, labels and tags. Raises ``InputInvalid``."""
        wanted = []
        for filter in filters:
            if filter.field not in RUN_FIELDS and filter.field not in (TAG_KEY, TAG_VALUE):
                raise InputInvalid(f"executions cannot be filtered by {filter.field!r}.")
            wanted.append(_of_phases(filter) if filter.field == "phase" else filter)
        try:
            page = await self._store.executions(query, wanted)
        except ValueError as error:
            raise InputInvalid(f"{error}.") from None
        found = []
        for summary in page:
            origin = summary.origin
            entity = await self._store.entity(
                EntityId(EntityKind.EXECUTION, origin.project, origin.domain, origin.name)
            )
            if entity is not None:
                found.append(entity)
        return found, query.offset + len(page) if len(page) == query.limit else 0

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
    environment = {f"FLYTE_INTERNAL_EXECUTION_{name}": value for name, value in said.items()}
    environment.update({pair.key: pair.value for pair in spec.envs.values})
    return RunOptions(
        max_parallelism=max(spec.max_parallelism, 0),
        overwrite_cache=spec.overwrite_cache,
        environment=environment,
        tags=tuple(spec.tags),
    )
