"""What is asked to be launched, read against what is registered: a program, a workflow of it, whole inputs, options.

Knows: the registry, literals. Must not know: how executions are kept, how runs are driven.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from msgspec.structs import replace

from whimbrel.controlplane.offloading import LARGE_BYTES, aside
from whimbrel.controlplane.registry import Registry
from whimbrel.errors import InputInvalid
from whimbrel.graph.conformance import misfit
from whimbrel.model.codec import digest
from whimbrel.model.interface import Parameter
from whimbrel.model.literal_types import describe
from whimbrel.model.literals import Literals
from whimbrel.model.program import START, Binding, Graph, Node, Program, PromiseBinding, TaskSpec, TaskTarget
from whimbrel.model.registered import EntityId, EntityKind
from whimbrel.model.run import RunOptions
from whimbrel.wire.flyte import entities as wire
from whimbrel.wire.flyte import executions as messages
from whimbrel.wire.flyte.settings import EXECUTION_CONFIG, settled
from whimbrel.wire.rest.launching import ExactFork, ExactRelaunch, Fork, LaunchOptions, LaunchTarget, Recover, Relaunch

Again = Relaunch | ExactRelaunch | Recover | Fork | ExactFork
"""How a run may be had once more."""

ReadInputs = Callable[[Mapping[str, Parameter]], Literals]
"""Gives the inputs, by the types that are wanted. May read what is large. Raises ``InputInvalid``."""


class Wanted(NamedTuple):
    """What is to be launched, whoever asks. ``request`` gives the ``ExecutionCreateRequest``, whose inputs are not
    read; ``asked`` is the digest of one that may be repeated, "" where a name is taken once."""

    id: EntityId
    target: Callable[[], EntityId]
    read: ReadInputs
    request: Callable[[EntityId], Any]
    asked: str = ""


class Prepared(NamedTuple):
    """What will run, all of it said. ``request`` is the ``ExecutionCreateRequest``."""

    target: EntityId
    found: wire.Assembled
    program: Program
    workflow: str
    inputs: Literals
    request: Any
    options: LaunchOptions
    run_options: RunOptions


async def prepare(registry: Registry, wanted: Wanted, target: EntityId, principal: str = "") -> Prepared:
    """What is wanted, of ``target``. Raises ``EntityNotFound``, ``InputInvalid``."""
    entity = await registry.get(target)
    kept_program = await aside(len(entity.model) > LARGE_BYTES, lambda: wire.assembled(entity))
    found, missing = await registry.with_references(kept_program, target.project, target.domain)
    if missing:
        raise InputInvalid(f"{target} needs {missing[0]}, which is not registered; register that first.")
    program, workflow = _to_run(found.program, target)
    parameters = _parameters(program, workflow, target)
    given = await asyncio.to_thread(wanted.read, parameters)
    plan = program.launch_plans[target.name] if target.kind is EntityKind.LAUNCH_PLAN else None
    if wanted.asked and plan is not None and (fixed := [name for name in given if name in plan.fixed]):
        raise InputInvalid(f"{target} fixes its input {fixed[0]!r}; leave it out, or launch {plan.workflow}.")
    inputs = whole_inputs(given, program, workflow, target)
    request = wanted.request(target)
    if principal:
        request.spec.metadata.principal = principal
    settings = await registry.attributes_for(target.project, target.domain, workflow, EXECUTION_CONFIG)
    options = messages.read_options(settled(request.spec, None if plan is None else entity, settings))
    return Prepared(
        target,
        found,
        _as_said(program, workflow, options),
        workflow,
        inputs,
        request,
        options,
        _options(options, wanted.id, target, workflow),
    )


def _to_run(program: Program, target: EntityId) -> tuple[Program, str]:
    if target.kind is EntityKind.LAUNCH_PLAN:
        return program, program.launch_plans[target.name].workflow
    if target.name in program.workflows:
        # Of a task: it is a map, which is kept as the workflow that it is.
        return program, target.name
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


def whole_inputs(given: Literals, program: Program, workflow: str, target: EntityId) -> Literals:
    """What the run is given: what a request gives, and defaults. Raises ``InputInvalid``."""
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


def own(
    id: EntityId,
    target: EntityId,
    read: ReadInputs,
    options: LaunchOptions,
    asked: str,
    again: tuple[int, EntityId] | None = None,
) -> Wanted:
    """What our own client wants launched; ``again`` says of which execution it is a repetition, and how."""

    def request(target: EntityId) -> Any:
        try:
            return messages.own_request(id, target, options, again)
        except (ValueError, TypeError) as error:
            raise InputInvalid(f"the options: {error}.") from None

    return Wanted(id, lambda: target, read, request, asked)


def digest_of(said: LaunchTarget | Again, run: str = "") -> str:
    """What a request is known by when it comes again. Raises ``InputInvalid``."""
    try:
        return digest((run, replace(said, run_name="")))
    except (UnicodeEncodeError, TypeError) as error:
        raise InputInvalid(f"the request: {error}; say text in Unicode.") from None


def _as_said(program: Program, workflow: str, options: LaunchOptions) -> Program:
    if options.interruptible is None:
        return program
    graph = program.workflows[workflow]
    graph = replace(graph, metadata=replace(graph.metadata, interruptible=options.interruptible))
    return program.merged(Program({}, {workflow: graph}, {}, {}))


def _options(said: LaunchOptions, id: EntityId, target: EntityId, workflow: str) -> RunOptions:
    """How the run is carried out; what its processes read of the execution is in their environment."""
    plan = {"PROJECT": id.project, "DOMAIN": id.domain, "ID": id.name, "WORKFLOW": workflow, "LAUNCHPLAN": target.name}
    return RunOptions(
        max_parallelism=max(said.max_parallelism, 0),
        overwrite_cache=bool(said.overwrite_cache),
        environment={**said.environment, **{f"FLYTE_INTERNAL_EXECUTION_{name}": value for name, value in plan.items()}},
        tags=said.tags,
    )
