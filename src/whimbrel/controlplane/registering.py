"""Registration by our own client: a program, checked as it was on its author's machine, and kept entity by entity.

Each entity is kept with everything that it may run, so that launching one reads one row. What a program refers to and
does not have is looked for here, and becomes part of it; what is not found stays a reference, and is looked for again
when it is launched. Beside the program stands the message that clients of Flyte read, where they have a form for it.

All of a program is registered, or nothing. To register the same again is no fault: nothing is changed, and what was
there is told from what is new.

Knows: the registry, the checks, messages through `wire`. Must not know: transports, how bundles are kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator

from msgspec import UNSET
from msgspec.structs import replace

from whimbrel.controlplane.ports import Clock, EntityStore
from whimbrel.controlplane.registry import Registry
from whimbrel.errors import CompileError, InputInvalid, Problem, VersionConflict
from whimbrel.graph.check import check_program
from whimbrel.graph.closing import closed, unplaced
from whimbrel.graph.conformance import misfit
from whimbrel.model.codec import digest, encode
from whimbrel.model.declared import Declarations
from whimbrel.model.program import (
    START,
    ArrayTarget,
    CodeRef,
    Command,
    Graph,
    LaunchPlanTarget,
    Node,
    Program,
    PromiseBinding,
    ReferenceKind,
    TaskSpec,
    TaskTarget,
    WorkflowTarget,
)
from whimbrel.model.registered import Entity, EntityId, EntityKind
from whimbrel.wire.flyte import entities as wire
from whimbrel.wire.flyte.entities import Assembled, Native
from whimbrel.wire.flyte.ids import Registration as Place
from whimbrel.wire.flyte.launch_plans import default_plan
from whimbrel.wire.flyte.program import Encoding, encodings
from whimbrel.wire.flyte.targets import interface_of
from whimbrel.wire.rest.registering import Registered, Registration, relative_root

_LONGEST = 255
"""Letters of each part of an id: what Flyte's clients take."""
_TRIES = 5
"""How often others may be quicker, each time with something that we want to register."""


class Registrar:
    """See the module. ``has_bundle`` says whether the code of a digest is here; it raises ``InputInvalid`` for what is
    no digest."""

    def __init__(
        self,
        *,
        registry: Registry,
        store: EntityStore,
        clock: Clock,
        has_bundle: Callable[[str], Awaitable[bool]],
    ) -> None:
        self._registry = registry
        self._store = store
        self._clock = clock
        self._has_bundle = has_bundle

    async def register(self, project: str, domain: str, registration: Registration) -> list[Registered]:
        """Register everything. Raises ``CompileError``, ``InputInvalid``, ``VersionConflict``."""
        _must_be_names("version", registration.version)
        await self._registry.must_be_a_place(EntityId(EntityKind.TASK, project, domain, "", ""))
        if registration.bundle and not await self._has_bundle(registration.bundle):
            raise InputInvalid(f"the bundle {registration.bundle} is not here; send it first.")
        try:
            program = await asyncio.to_thread(_checked, registration, project, domain)
        except RecursionError:
            raise InputInvalid("the program is nested too deeply; make it of several workflows.") from None
        whole, missing = await self._registry.with_references(
            Assembled(program, _ids(program, project, domain, registration.version)), project, domain
        )
        making = _Making(registration, program, whole, project, domain, self._clock.now())
        made = await asyncio.to_thread(making.entities)
        remark = _unresolved(missing)
        for _ in range(_TRIES):
            there = [await self._store.entity(entity.id) for entity in made]
            _must_be_the_same(made, there)
            new = [entity for entity, old in zip(made, there, strict=True) if old is None]
            if await self._store.add_entities(new, sole=wire.ACTIVE, others=wire.INACTIVE):
                break
        else:
            raise VersionConflict(f"version {registration.version} is being registered by others; try again.")
        for entity, old in zip(made, there, strict=True):
            if old is not None and entity.state == wire.ACTIVE:
                await self._registry.set_plan_state(entity.id, wire.ACTIVE)
        return [
            Registered(entity.id.kind.value, entity.id.name, entity.id.version, old is None, _said(entity, remark))
            for entity, old in zip(made, there, strict=True)
        ]


class _Making:
    """The entities of a registration."""

    def __init__(
        self, registration: Registration, program: Program, whole: Assembled, project: str, domain: str, now: float
    ) -> None:
        self._said = registration
        self._program = program
        self._whole = whole
        self._project, self._domain, self._now = project, domain, now

    def entities(self) -> list[Entity]:
        """All of them, each before what needs it. Raises ``CompileError`` where what is referred to is not what the
        author thinks."""
        problems = check_program(self._whole.program)
        if problems:
            raise CompileError(problems)
        place = Place(self._project, self._domain, self._said.version)
        return [self._entity(each) for each in encodings(self._program, self._said.declared, place)]

    def _entity(self, encoding: Encoding) -> Entity:
        kind = EntityKind(encoding.kind)
        id = EntityId(kind, self._project, self._domain, encoding.name, self._said.version)
        own = self._closed(encoding)
        plan = own.launch_plans.get(id.name) if kind is EntityKind.LAUNCH_PLAN else None
        state = "" if plan is None else wire.ACTIVE if plan.auto_activate else wire.INACTIVE
        remark = ""
        try:
            message = wire.spec_bytes(kind, encoding.make())
        except (ValueError, TypeError, LookupError) as error:
            # Whatever a program says, Flyte's messages must not keep it from being registered.
            message, remark = b"", f"clients of Flyte cannot read it: {error}"
        declared = _declared(self._said.declared, own)
        # What is declared may have keys that are no text: its bytes, in the author's order.
        body = digest((kind.value, id.name, unplaced(own), encode(declared)))
        native = Native(body, self._said.bundle, self._said.python, remark, declared)
        known = self._whole.tasks
        tasks = {name: known[name] for name in own.tasks if name in known}
        tasks.update((name, known.get(name, map)) for name, map in self._maps(own))
        plans, versions = self._plans(own)
        found = Assembled(own, tasks, plans, versions, native)
        return Entity(id, message, wire.model_bytes(found), state, self._now, self._now)

    def _closed(self, encoding: Encoding) -> Program:
        program, name = self._whole.program, encoding.name
        if encoding.mapped is not None:
            around = map_around(name, encoding.mapped, program)
            program = program.merged(Program({}, {name: around}, {}, {}))
            return closed(program, [WorkflowTarget(name)])
        if encoding.kind == "launch_plan":
            if name not in program.launch_plans:
                plan = default_plan(program.workflows[name])
                program = program.merged(Program({}, {}, {name: plan}, {}))
            return closed(program, [LaunchPlanTarget(name)])
        return closed(program, [TaskTarget(name) if encoding.kind == "task" else WorkflowTarget(name)])

    def _plans(self, own: Program) -> tuple[dict[str, EntityId], dict[str, str]]:
        """The ids of its launch plans, and the versions of their workflows."""
        ids: dict[str, EntityId] = {}
        versions: dict[str, str] = {}
        for name in own.launch_plans:
            mine = EntityId(EntityKind.LAUNCH_PLAN, self._project, self._domain, name, self._said.version)
            ids[name] = self._whole.plans.get(name, mine)
            versions[name] = self._whole.workflows.get(name, self._said.version)
        return ids, versions

    def _maps(self, own: Program) -> Iterator[tuple[str, EntityId]]:
        place = Place(self._project, self._domain, self._said.version)
        for each in encodings(own, Declarations(), place):
            if each.mapped is not None:
                id = EntityId(EntityKind.TASK, self._project, self._domain, each.name, self._said.version)
                yield each.name, id


def map_around(name: str, target: ArrayTarget, program: Program) -> Graph:
    """A workflow of one node, which is the map."""
    interface = interface_of(target, program)
    inputs = {each: PromiseBinding(START, each) for each in interface.inputs}
    outputs = {each: PromiseBinding("n0", each) for each in interface.outputs}
    return Graph(name, interface, (Node("n0", target, dict(inputs)),), dict(outputs))


def _checked(registration: Registration, project: str, domain: str) -> Program:
    """The program with its code in its place. Raises ``CompileError``, ``InputInvalid``."""
    program = _as_referred(registration.program, (project, domain, registration.version))
    for name in (*program.tasks, *program.workflows, *program.launch_plans):
        _must_be_names("name of an entity", name)
    if not (program.tasks or program.workflows or program.launch_plans):
        raise InputInvalid("the program has nothing in it; register tasks, workflows or launch plans.")
    problems = [*check_program(program), *_plan_problems(program)]
    if problems:
        raise CompileError(problems)
    tasks = {name: _in_place(task, registration) for name, task in program.tasks.items()}
    return replace(program, tasks=tasks)


def _as_referred(program: Program, here: tuple[str, str, str]) -> Program:
    """``program`` without what it has of others by import. An author's machine may have their code, of whatever
    version; what is meant is what they registered."""

    def own(kind: ReferenceKind, name: str) -> bool:
        said = program.references.get(name)
        return said is None or said.kind is not kind or (said.project, said.domain, said.version) == here

    return replace(
        program,
        tasks={name: each for name, each in program.tasks.items() if own(ReferenceKind.TASK, name)},
        workflows={name: each for name, each in program.workflows.items() if own(ReferenceKind.WORKFLOW, name)},
        launch_plans={
            name: each for name, each in program.launch_plans.items() if own(ReferenceKind.LAUNCH_PLAN, name)
        },
    )


def _plan_problems(program: Program) -> Iterator[Problem]:
    for plan in program.launch_plans.values():
        workflow = program.workflows.get(plan.workflow)
        if workflow is None:
            yield Problem(f"the launch plan {plan.name} is of {plan.workflow}, which is not in the program")
            continue
        for said, given in (("default", plan.defaults), ("fixed input", plan.fixed)):
            for name, value in given.items():
                parameter = workflow.interface.inputs.get(name)
                fault = "there is none of that name" if parameter is None else misfit(value, parameter.type)
                if fault:
                    yield Problem(f"the {said} {name!r} of the launch plan {plan.name}: {fault}")
        for name, free in plan.interface.inputs.items():
            if name not in workflow.interface.inputs or workflow.interface.inputs[name].type != free.type:
                yield Problem(f"the input {name!r} of the launch plan {plan.name} is not that of {plan.workflow}")


def _in_place(task: TaskSpec, registration: Registration) -> TaskSpec:
    code = task.code
    parts = relative_root(code.root)
    if not registration.bundle:
        if parts:
            raise InputInvalid(f"{task.name} is in the directory {code.root!r}, and there is no bundle; send one.")
        return task
    root = "/".join((f"bundle:{registration.bundle}", *parts))
    python = UNSET if isinstance(task.command, Command) else registration.python
    return replace(task, code=CodeRef(code.module, code.name, root, python))


def _ids(program: Program, project: str, domain: str, version: str) -> dict[str, EntityId]:
    return {name: EntityId(EntityKind.TASK, project, domain, name, version) for name in program.tasks}


def _declared(declared: Declarations, own: Program) -> Declarations:
    """What is declared of the entities of a program."""
    return Declarations(
        {name: said for name, said in declared.tasks.items() if name in own.tasks},
        {name: said for name, said in declared.nodes.items() if name in own.workflows},
        declared.defaults,
        tuple(name for name in declared.undescribed if name in own.tasks or name in own.workflows),
        {name: said for name, said in declared.docs.items() if name in own.tasks or name in own.workflows},
    )


def _must_be_the_same(made: list[Entity], there: list[Entity | None]) -> None:
    others = []
    for entity, old in zip(made, there, strict=True):
        if old is None:
            continue
        native, was = wire.assembled(entity).native, wire.assembled(old).native
        assert native is not None
        if was is None or was.body != native.body:
            others.append(entity.id)
    if others:
        names = ", ".join(f"{id.kind.value.replace('_', ' ')} {id.name}" for id in others[:5])
        more = f" and {len(others) - 5} more" if len(others) > 5 else ""
        raise VersionConflict(
            f"version {others[0].version} ({others[0].project}/{others[0].domain}) has another body of {names}{more}. "
            "Register what has changed under another version."
        )


def _must_be_names(what: str, name: str) -> None:
    if not name:
        raise InputInvalid(f"the {what} is empty; say one.")
    if len(name) > _LONGEST or not name.isprintable() or "/" in name:
        raise InputInvalid(f"the {what} {name[:80]!r} has at most {_LONGEST} letters, all of them printable, and no /.")


def _unresolved(missing: list[EntityId]) -> dict[str, str]:
    return {id.name: f"it needs {id}, which is not registered yet" for id in missing}


def _said(entity: Entity, unresolved: dict[str, str]) -> str:
    found = wire.assembled(entity)
    remarks = [unresolved[name] for name in found.program.references if name in unresolved]
    if found.native is not None and found.native.remark:
        remarks.append(found.native.remark)
    return "; ".join(remarks)
