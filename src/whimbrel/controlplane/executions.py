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
import weakref
from collections.abc import Coroutine, Iterable, Mapping
from typing import Any, NamedTuple, Protocol

from msgspec import UNSET
from msgspec.structs import replace

from whimbrel.controlplane.execution_lists import ExecutionLists, id_of
from whimbrel.controlplane.offloading import replayed
from whimbrel.controlplane.plane import ControlPlane
from whimbrel.controlplane.ports import Clock, EntityStore, Ids, Inbox, RunStore, ShowStore
from whimbrel.controlplane.preparing import Again, ReadInputs, Wanted, digest_of, own, prepare, whole_inputs
from whimbrel.controlplane.registry import DEFAULT_PROJECT, DOMAINS, Registry
from whimbrel.controlplane.requests import SIGNAL, signal_text
from whimbrel.controlplane.rerun import Forecast, Rerun, forecast, reusable, settle
from whimbrel.controlplane.seen import Seen, begun_plans, child_id, plan_around
from whimbrel.engine.nodes import NodeState
from whimbrel.engine.run import Run
from whimbrel.errors import (
    AlreadyExists,
    EntityNotFound,
    InputInvalid,
    RunNotResumable,
    StoreError,
    VersionConflict,
    WhimbrelError,
)
from whimbrel.model.events import RunRequested, SignalReceived
from whimbrel.model.interface import Parameter
from whimbrel.model.launch_plan import LaunchPlanSpec
from whimbrel.model.literals import Literal, Literals
from whimbrel.model.program import Program
from whimbrel.model.registered import Entity, EntityId, EntityKind, EntityQuery, Filter, Operator
from whimbrel.model.run import Phase, RunOrigin, RunSummary
from whimbrel.model.run_fields import TAG_KEY, TAG_VALUE
from whimbrel.wire.flyte import entities as wire
from whimbrel.wire.flyte import executions as messages
from whimbrel.wire.flyte.executions import ExecutionRecord
from whimbrel.wire.rest.launching import ExactFork, ExactRelaunch, Fork, LaunchTarget, Recover, Relaunch

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

EAGER = "eager-exec"
"""The label of what flytekit's eager tasks launch: the name of the execution that they are in."""
_AT_ONCE = 10_000

log = logging.getLogger("whimbrel.executions")


class RunsAndEntities(RunStore, EntityStore, ShowStore, Inbox, Protocol):
    """What executions are kept in."""


class Begun(NamedTuple):
    """An execution, the id of its run, and whether it was not there before."""

    id: EntityId
    run: str
    created: bool


class Foreseen(NamedTuple):
    """What would be launched, and what would become of each node."""

    target: EntityId
    lines: list[Forecast]


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
        self._turns: weakref.WeakValueDictionary[EntityId, asyncio.Lock] = weakref.WeakValueDictionary()
        """Who launches something by a name, while others wait to."""

        self._lists = ExecutionLists(registry=registry, store=store, see=self.see)
        self._ended: dict[str, Run] = {}
        self._children: dict[EntityId, None] = {}
        """Those that have rows, as far as is remembered."""
        self._counted: dict[str, int] = {}
        """How many nodes each run had when it was looked at last."""
        self._beginning: set[asyncio.Task[None]] = set()
        self._aborting: set[str] = set()

    # --- launching

    async def create(self, request: Any, *, rerun: Rerun | None = None, given: Literals | None = None) -> EntityId:
        """Launch what an ``ExecutionCreateRequest`` says; ``given`` is in place of its inputs. Raises
        ``AlreadyExists``, ``EntityNotFound`` (of what is to be launched), ``InputInvalid``."""
        wanted = Wanted(
            self._id(request.project, request.domain, request.name),
            lambda: messages.read_target(request.spec),
            lambda parameters: messages.read_inputs(request, parameters) if given is None else given,
            lambda _: request,
        )
        begun = await self._begin(wanted, rerun)
        if not begun.created:
            raise AlreadyExists(
                f"there is an execution {begun.id.name} ({begun.id.project}/{begun.id.domain}) already."
            )
        return begun.id

    async def launch(self, said: LaunchTarget, read: ReadInputs, *, principal: str = "") -> Begun:
        """Launch what our own client asks for, for ``principal``; ``read`` gives its inputs. The same request by the
        same name is answered with the run that there is. Raises ``EntityNotFound``, ``InputInvalid``,
        ``VersionConflict``."""
        id = self._id(said.project, said.domain, said.run_name)
        await self._registry.must_be_a_place(id)
        target = await self._registry.target(said)
        return await self._begin(own(id, target, read, said.options, digest_of(said)), None, principal)

    async def again(self, run: str, said: Again, read: ReadInputs, *, principal: str = "") -> Begun:
        """Launch what a run ran, once more, for ``principal``: with inputs laid over those that it had, taking over
        what had succeeded in it, or what another version leaves of that. Raises as ``launch``; ``RunNotResumable``
        where there is nothing to recover."""
        summary = await self._store.summary(run)
        if summary.origin.name:
            return await self._begin(*await self._once_more(summary, said, read), principal)
        if said.run_name:
            raise InputInvalid(f"the run {summary.id} is of a file, and has no place for names; leave run_name out.")
        first, rerun = await self._as_it_was(summary, said, read)
        made = await self._plane.launch(
            *(first.program, first.workflow, first.inputs),
            options=first.options,
            source=summary.source,
            rerun=rerun,
            origin=RunOrigin(cause=_how(said), parent=run),
        )
        return Begun(EntityId(EntityKind.EXECUTION, "", "", ""), made, True)

    async def foresee(self, run: str, said: Recover | Fork | ExactFork, read: ReadInputs) -> Foreseen:
        """What ``again`` would take over, what it would compute, and why. Nothing is begun. Raises as ``again``."""
        summary = await self._store.summary(run)
        if not summary.origin.name:
            first, rerun = await self._as_it_was(summary, said, read)
            target = EntityId(EntityKind.WORKFLOW, "", "", first.workflow)
            current, complete = first.program, True
        else:
            wanted, rerun = await self._once_more(summary, said, read)
            ready = await prepare(self._registry, wanted, wanted.target())
            target = ready.target
            first = RunRequested(
                *(run, ready.workflow, ready.program, ready.inputs, ready.run_options, self._clock.now())
            )
            complete = target.version == summary.origin.version
            current = ready.program if complete else await self._as_of(target, summary, ready.program)
        assert rerun is not None
        first = replace(first, reuse=rerun.reuse, recovered_from=rerun.run, moved=rerun.moved)
        old = await replayed(await self._store.events(run), keep_story=False)
        if complete:
            current = current.merged(old.program)
        lines = await asyncio.to_thread(lambda: forecast(old, settle(first), current, complete=complete))
        return Foreseen(target, lines)

    async def _as_of(self, target: EntityId, summary: RunSummary, program: Program) -> Program:
        """What bodies of a run called, as it is registered beside ``target``."""
        called = (await replayed(await self._store.events(summary.id), keep_story=False)).program
        for kind, names in (
            (EntityKind.TASK, called.tasks.keys() - program.tasks.keys()),
            (EntityKind.WORKFLOW, called.workflows.keys() - program.workflows.keys()),
            (EntityKind.LAUNCH_PLAN, called.launch_plans.keys() - program.launch_plans.keys()),
        ):
            for name in sorted(names):
                found = await self._store.entity(replace(target, kind=kind, name=name))
                if found is not None:
                    program = program.merged(wire.assembled(found).program)
        return program

    async def _once_more(self, summary: RunSummary, said: Again, read: ReadInputs) -> tuple[Wanted, Rerun | None]:
        """What is to be launched, and what it takes over."""
        _must_be_over(summary, said)
        seen = await self.seen(id_of(summary.origin))
        target = seen.record.target
        fixed = set(seen.run.program.launch_plans[target.name].fixed) if target.kind is EntityKind.LAUNCH_PLAN else ()
        had = {name: value for name, value in seen.inputs.items() if name not in fixed}
        if isinstance(said, Fork | ExactFork):
            meant = LaunchTarget(
                project=target.project,
                domain=target.domain,
                kind=target.kind.value,
                name=target.name,
                version=said.version,
            )
            target = await self._registry.target(meant)
            entity = await self._registry.get(target)
            if target.kind is EntityKind.LAUNCH_PLAN:
                had = {name: value for name, value in had.items() if name not in self.plan_of(entity).fixed}
        options = messages.read_options(messages.request_of(seen.entity).spec)
        if not isinstance(said, Recover) and said.options is not UNSET:
            options = said.options

        keeps = not isinstance(said, Fork | ExactFork)

        def inputs(parameters: Mapping[str, Parameter]) -> Literals:
            # Another version may not take all of them any more.
            return {name: value for name, value in had.items() if keeps or name in parameters} | read(parameters)

        id = self._id(summary.origin.project, summary.origin.domain, said.run_name)
        mode = messages.RECOVERED if isinstance(said, Recover) else messages.RELAUNCHED
        again = (mode, id_of(summary.origin))
        wanted = own(id, target, inputs, options, digest_of(said, summary.id), again)
        return wanted, None if isinstance(said, Relaunch | ExactRelaunch) else await self._rerun(summary, said)

    async def _as_it_was(self, summary: RunSummary, said: Again, read: ReadInputs) -> tuple[RunRequested, Rerun | None]:
        """The same for a run of a file, which has no name and no place here: its program is in its first event."""
        _must_be_over(summary, said)
        if isinstance(said, Fork | ExactFork) and said.version:
            raise InputInvalid(f"the run {summary.id} is of a file, which has no versions here; leave version out.")
        first = (await self._store.events(summary.id))[0]
        assert isinstance(first, RunRequested)
        target = EntityId(EntityKind.WORKFLOW, "", "", first.workflow)
        parameters = first.program.workflows[first.workflow].interface.inputs
        given = first.inputs | await asyncio.to_thread(read, parameters)
        options = first.options
        if not isinstance(said, Recover) and said.options is not UNSET:
            options = replace(
                options,
                max_parallelism=max(said.options.max_parallelism, 0),
                overwrite_cache=bool(said.options.overwrite_cache),
                environment=said.options.environment,
                tags=said.options.tags,
            )
        inputs = whole_inputs(given, first.program, first.workflow, target)
        rerun = None if isinstance(said, Relaunch | ExactRelaunch) else await self._rerun(summary, said)
        return replace(first, inputs=inputs, options=options), rerun

    async def _rerun(self, summary: RunSummary, said: Recover | Fork | ExactFork) -> Rerun:
        # A copy of its own: one that runs changes while it is read.
        run = await replayed(await self._store.events(summary.id), keep_story=False)
        return Rerun(summary.id, await asyncio.to_thread(reusable, run), moved=not isinstance(said, Recover))

    def _id(self, project: str, domain: str, said: str) -> EntityId:
        name = said or self._ids.new_run_id()
        if len(name) > _LONGEST or not _NAME.fullmatch(name):
            raise InputInvalid(
                f"{name[:_LONGEST]!r} cannot be the name of an execution: lower-case letters, digits and dashes, "
                f"at most {_LONGEST}, first and last no dash."
            )
        return EntityId(EntityKind.EXECUTION, project, domain, name)

    async def _begin(self, wanted: Wanted, rerun: Rerun | None, principal: str = "") -> Begun:
        # Clients that hear nothing ask again while the first request is still under way.
        turn = self._turns.get(wanted.id)
        if turn is None:
            turn = self._turns[wanted.id] = asyncio.Lock()
        async with turn:
            return await self._begin_alone(wanted, rerun, principal)

    async def _begin_alone(self, wanted: Wanted, rerun: Rerun | None, principal: str) -> Begun:
        id = wanted.id
        await self._registry.must_be_a_place(id)
        there = await self._store.entity(id)
        if there is not None and (there := _the_same(there, wanted)) and await self._has_run(there):
            return Begun(id, messages.record_of(there).run, False)
        target = wanted.target()
        if there is not None and wanted.asked:
            # What it was asked for may mean something newer by now.
            target = messages.record_of(there).target
        ready = await prepare(self._registry, wanted, target, principal)
        workflow, options, found = ready.workflow, ready.options, ready.found
        run = _run_id(id)
        record = ExecutionRecord(
            run,
            workflow,
            target,
            options.labels,
            options.tags,
            found.tasks,
            rerun.run if rerun is not None else "",
            found.plans,
            found.workflows,
            asked=wanted.asked,
            annotations=options.annotations,
        )
        cause, parent = await self._came_from(ready.request, options.labels)
        if rerun is not None and cause == "relaunch":
            cause = "fork"
        # Before anything is kept: what is refused has not been.
        self._plane.must_have_room()
        now = self._clock.now()
        row = Entity(id, wire.body_bytes(ready.request), messages.record_bytes(record), "", now, now)
        kept = await self._store.add_entity(row)
        if kept != row and await self._has_run(_the_same(kept, wanted)):
            return Begun(id, run, False)
        try:
            await self._plane.launch(
                ready.program,
                workflow,
                ready.inputs,
                options=ready.run_options,
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
                    {**options.labels, **dict.fromkeys(options.tags, "")},
                    messages.principal_of(ready.request),
                    cause,
                    parent,
                ),
            )
        except StoreError:
            # Two who found it without a run may both have started it: the store has taken one of them.
            if not await self._has_run(kept):
                raise
            return Begun(id, run, False)
        return Begun(id, run, True)

    async def _came_from(self, request: Any, labels: Mapping[str, str]) -> tuple[str, str]:
        """What ``RunOrigin`` calls the cause and the parent."""
        cause, reference = messages.cause_of(request)
        if EAGER in labels:
            name = EntityId(EntityKind.EXECUTION, request.project, request.domain, labels[EAGER])
            cause, reference = "call", name
        if reference is None:
            return cause, ""
        try:
            return cause, messages.record_of(await self.get(reference)).run
        except EntityNotFound:
            # It is said by whoever asks.
            return cause, ""

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

    async def relaunch(self, id: EntityId, name: str, *, overwrite_cache: bool, principal: str = "") -> EntityId:
        """Launch what an execution launched, again, for ``principal``. Raises ``EntityNotFound`` and as ``create``."""
        seen = await self.seen(id)
        request = _anew(seen, name, messages.RELAUNCHED)
        request.spec.overwrite_cache = overwrite_cache
        request.spec.metadata.principal = principal
        return await self.create(request, given=_given(seen))

    async def recover(self, id: EntityId, name: str, *, principal: str = "") -> EntityId:
        """Launch what an execution launched, for ``principal``; what had succeeded in it is taken over. Raises as
        ``relaunch``; ``InputInvalid`` while it runs."""
        seen = await self.seen(id)
        if not seen.phase.terminal:
            raise InputInvalid(f"{id} has not ended; terminate it first, or wait.")
        request = _anew(seen, name, messages.RECOVERED)
        request.spec.metadata.principal = principal
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
        tried = await replayed(await self._store.events(run_id), keep_story=False)
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

    async def place_of(self, id: EntityId) -> tuple[str, str]:
        """The id of the run of an execution, and the path of its node in that: "" unless it is a launch plan inside
        another execution. Raises ``EntityNotFound``."""
        record = messages.record_of(await self.get(id))
        return record.run, record.path

    async def run_of(self, entity: Entity) -> Run:
        """The run of an execution, as it is now. Raises ``EntityNotFound``."""
        run_id = messages.record_of(entity).run
        if run_id in self._ended:
            return self._ended[run_id]
        try:
            return self._plane.run(run_id)
        except KeyError:
            run = await replayed(await self._store.events(run_id), keep_story=False)
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

    def now(self) -> float:
        """The time, in seconds since the epoch."""
        return self._clock.now()

    async def decked(self, seen: Seen) -> frozenset[str]:
        """The paths of the nodes that show something. What a map shows is its items'."""
        found = await self._store.decked(seen.run.id)
        nodes = seen.run.nodes
        return frozenset(found) | {nodes[path].parent for path in found if path in nodes and nodes[path].of_map}

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
            self._soon(self._begin_children(run, begun))
        if run.phase is Phase.ABORTED or (run.phase is Phase.ABORTING and run.id not in self._aborting):
            self._aborting.add(run.id)
            self._soon(self._abort_called(run.id))
        if run.phase.terminal:
            self._aborting.discard(run.id)

    def _soon(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._beginning.add(task)
        task.add_done_callback(self._beginning.discard)

    async def _abort_called(self, run: str) -> None:
        """What flytekit's eager tasks have launched from a run that was aborted ends with it: nobody waits for it."""
        try:
            origin = (await self._store.summary(run)).origin
            if not origin.name:
                return
            going = Filter("phase", Operator.VALUE_IN, tuple(phase.value for phase in Phase if not phase.terminal))
            called = [
                Filter(TAG_KEY, Operator.EQ, (EAGER,)),
                Filter(TAG_VALUE, Operator.EQ, (origin.name,)),
            ]
            query = EntityQuery(EntityKind.EXECUTION, origin.project, origin.domain, limit=_AT_ONCE)
            for summary in await self._store.executions(query, [*called, going]):
                await self.terminate(id_of(summary.origin), f"{origin.name}, which called it, was terminated")
        except WhimbrelError:
            log.exception("what run %s had called goes on", run)

    async def _begin_children(self, run: Run, begun: list[NodeState]) -> None:
        try:
            root = await self._store.entity(id_of((await self._store.summary(run.id)).origin))
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
        """One page of executions: see ``ExecutionLists``."""
        return await self._lists.find(query, filters, children)

    async def _has_run(self, entity: Entity) -> bool:
        try:
            await self._store.summary(messages.record_of(entity).run)
        except EntityNotFound:
            return False
        return True


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
    """What a child was given, or what our own client gave, without what its launch plan fixes; others have it in their
    requests."""
    if seen.node is None and not seen.record.asked:
        return None
    plan = seen.run.program.launch_plans.get(seen.record.target.name)
    fixed = {} if plan is None else plan.fixed
    return {name: value for name, value in seen.inputs.items() if name not in fixed}


def _run_id(id: EntityId) -> str:
    """Executions of the usual place are known by their own names everywhere."""
    if id.project == DEFAULT_PROJECT and id.domain == DOMAINS[0] and len(id.name) <= _RUN_ID:
        return id.name
    digest = hashlib.sha256(f"{id.project}/{id.domain}/{id.name}".encode()).hexdigest()[:16]
    return f"{id.name[: _RUN_ID - len(digest) - 1]}-{digest}"


def _how(said: Again) -> str:
    if isinstance(said, Recover):
        return "recover"
    return "relaunch" if isinstance(said, Relaunch | ExactRelaunch) else "fork"


def _must_be_over(summary: RunSummary, said: Again) -> None:
    """Raises ``RunNotResumable`` where there is nothing to recover."""
    if isinstance(said, Recover) and (summary.phase is Phase.SUCCEEDED or not summary.phase.terminal):
        raise RunNotResumable(
            f"run {summary.id} is {summary.phase.value}: only a run that has failed, timed out or was aborted can be "
            "recovered"
        )


def _the_same(there: Entity, wanted: Wanted) -> Entity:
    """What there is by that name, if it is what is asked for. Raises ``VersionConflict``."""
    asked = messages.record_of(there).asked
    if wanted.asked and asked != wanted.asked:
        id = wanted.id
        raise VersionConflict(
            f"there is a run {id.name} ({id.project}/{id.domain}) of another request; give this one another name."
        )
    return there
