"""A new run that takes what another has done: which outcomes it may take, and what it will do.

``reusable`` reads the outcomes out of a recorded run. ``forecast`` tells beforehand what a new run takes and what it
computes anew, and why: it lets the engine begin the new run, without carrying anything out, and looks. So for graphs
it is exact. What an eager body will do is not known before it does it: there, each recorded call is judged by itself.

Knows the engine and the model. Must not know Python values, users' code, stores.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum

import msgspec
from msgspec import Struct

from whimbrel.engine.nodes import Kind, NodeState, Stage
from whimbrel.engine.run import Run
from whimbrel.graph.digest import closure_digest, gate_digest
from whimbrel.model.attempt import Succeeded
from whimbrel.model.changes import explain
from whimbrel.model.content import input_digest, inputs_digest
from whimbrel.model.events import CacheMiss, RunRequested
from whimbrel.model.literals import Literals
from whimbrel.model.program import ArrayTarget, GateTarget, LaunchPlanTarget, Program, TaskSpec, WorkflowTarget
from whimbrel.model.run import AttemptId, EntryKind, Phase, Reusable

_GONE = "it is gone"
_UNKNOWN = "it is not registered by itself: its code is known when it is called"


class Rerun(Struct, frozen=True):
    """What a new run takes from ``run``; see ``RunRequested``."""

    run: str
    reuse: tuple[Reusable, ...]
    moved: bool = False


class Verdict(StrEnum):
    """What becomes of a node of the recorded run, or of the new one."""

    REUSE = "reuse"
    """Its recorded outcome is taken."""
    RUN = "run"
    """It is computed."""
    DEPENDS = "depends"
    """It is taken if the eager body makes the call again with the same inputs."""


class Forecast(Struct, frozen=True):
    """One line of what will happen. ``why`` has one reason a line."""

    path: str
    entity: str
    verdict: Verdict
    why: tuple[str, ...] = ()


# --- what another run has ------------------------------------------------------------------------------------------


def reusable(run: Run) -> tuple[Reusable, ...]:
    """What equal calls of a new run may take from ``run``, in the order in which it was begun; with it, where calls
    were made without success, and the values that bodies drew."""
    program = run.program
    rows: list[Reusable] = []
    for node in run.nodes.values():
        if node.replaced or node.kind is Kind.BRANCH or node.phase in (Phase.UNDEFINED, Phase.SKIPPED):
            continue
        if node.metadata.shielded or _handles(node):
            continue  # what the setup of a bracket made in an eager body, its teardown has taken away
        code = _code(node, program)
        if code:
            rows.append(
                Reusable(
                    node.entity,
                    code,
                    inputs_digest(node.inputs, node.metadata.carried),
                    node.outputs if node.phase.has_outputs else None,
                    run.id,
                    node.path,
                    *node.call,
                    eager=node.kind is Kind.EAGER,
                )
            )
        if node.journal is not None:
            rows += [
                Reusable("", "", "", outputs, run.id, node.path, entry.parent, entry.key, entry.kind)
                for entry, outputs in node.journal.drawn()
            ]
    return tuple(rows)


def _handles(node: NodeState) -> bool:
    """Whether it is a failure node: whether that runs is not known before, and it always runs anew."""
    return node.closes is not None and node.closes.setup is None


def _code(node: NodeState, program: Program) -> str:
    """The digest of the code that made the node's outcome; "" when that is not known for certain."""
    target = node.target
    if isinstance(target, GateTarget):
        return gate_digest(target)
    if not node.kind.composed:
        return node.spec.code_digest if node.spec is not None else ""
    # A run that was resumed with other code has nodes of both: only what was made by one version is known.
    for inner in _below(node):
        if inner.spec is not None and inner.spec.code_digest != _code_now(inner, program):
            return ""
        if inner.graph is not None and inner.graph != program.workflows.get(inner.graph.name):
            return ""
    if isinstance(target, ArrayTarget):
        return closure_digest(target, program)
    if not isinstance(target, WorkflowTarget | LaunchPlanTarget):
        return node.spec.code_digest if node.spec is not None else ""
    if node.graph is None or node.graph != program.workflows.get(node.graph.name):
        return ""
    return closure_digest(target, program)


def _code_now(node: NodeState, program: Program) -> str:
    spec = program.tasks.get(node.entity)
    return spec.code_digest if spec is not None else ""


def _below(node: NodeState) -> Iterator[NodeState]:
    waiting = list(reversed(node.children))
    while waiting:
        found = waiting.pop()
        yield found
        waiting.extend(reversed(found.children))


# --- what will happen ----------------------------------------------------------------------------------------------


def settle(request: RunRequested) -> RunRequested:
    """``request`` without the outcomes that must not be taken: those of a bracket's setup, when something between it
    and its teardown will run."""
    setups: dict[str, Literals] = {}
    while True:
        begun = _begun(request, setups)
        refused = {
            node.recovered_from: node
            for node in begun.nodes.values()
            if node.opens is not None
            and node.recovered_from
            and any(not _quiet(member) for member in (*node.opens.watched, node.opens.teardown))
        }
        if not refused:
            return request
        setups |= {node.path: node.outputs for node in refused.values()}
        rows = {row.origin: row for row in request.reuse if row.kind is EntryKind.CALL}
        # Said to have had no success: so it is made again, and takes nobody else's outcome either.
        barred = [
            msgspec.structs.replace(rows[origin], outputs=None, path=node.path, parent="", key="")
            for origin, node in refused.items()
        ]
        places = {row.place for row in barred}
        kept = [row for row in request.reuse if row.place not in places or row.kind is not EntryKind.CALL]
        request = msgspec.structs.replace(request, reuse=(*kept, *barred))


def forecast(old: Run, request: RunRequested, current: Program, *, complete: bool = True) -> list[Forecast]:
    """What a run with ``request`` will do that takes outcomes of ``old``, in the order of the graph.

    ``current`` has the entities that eager bodies of the old run called, as they are now; one that is not there is
    gone, or unless that is ``complete`` unknown until it is called.
    """
    setups = {path: node.outputs for path, node in old.nodes.items() if node.opens is not None and node.outputs}
    begun = _begun(request, setups)
    known = begun.program.merged(current)
    lines: list[Forecast] = []
    if begun.failure is not None and not begun.nodes:
        return [Forecast("", begun.workflow, Verdict.RUN, (f"it will fail: {begun.failure.title}",))]
    for node in begun.nodes.values():
        if node.phase is Phase.SKIPPED or (node.kind is Kind.BRANCH and node.phase.has_outputs) or _handles(node):
            continue
        before = old.nodes.get(node.path)
        if node.recovered_from:
            place = node.recovered_from.partition("/")[2]
            lines.append(
                Forecast(node.path, node.entity, Verdict.REUSE, () if place == node.path else (f"as {place}",))
            )
            continue
        if node.frame is not None or node.array is not None:
            continue  # its nodes speak for themselves
        lines.append(Forecast(node.path, node.entity, Verdict.RUN, tuple(_why(node, before, begun))))
        if before is not None and before.kind is Kind.DYNAMIC and node.kind is Kind.DYNAMIC:
            lines += _laid_out(before)
        if before is not None and before.kind is Kind.EAGER and node.kind is Kind.EAGER:
            lines += _calls(before, known, fresh_inputs=_changed_inputs(node, before))
    return lines if complete else [_unsure(line) for line in lines]


def _begun(request: RunRequested, setups: Mapping[str, Literals]) -> Run:
    """The run as far as it comes without anything being launched.

    ``setups`` are what setups of brackets gave before, by path: one that runs again does not by itself make what is
    inside run, so it is taken as done.
    """
    run = Run(keep_story=False)
    run.handle(request)
    opening = [path for path in setups if path in run.nodes]
    for path in opening:  # nodes of sub-workflows join as they unfold
        node = run.nodes[path]
        if node.opens is not None and node.stage is Stage.CACHE:
            run.handle(CacheMiss(path, "", request.at))
        if node.opens is not None and node.live_attempt is not None:
            run.handle(Succeeded(AttemptId(run.id, path, len(node.attempts)), setups[path], request.at))
            opening += [each for each in setups if each in run.nodes and run.nodes[each].live_attempt is not None]
    return run


def _unsure(line: Forecast) -> Forecast:
    """``line`` where what is not known may be there all the same."""
    if line.verdict is Verdict.RUN and set(line.why) == {_GONE}:
        return Forecast(line.path, line.entity, Verdict.DEPENDS, (_UNKNOWN,))
    return line


def _quiet(node: NodeState) -> bool:
    return node.phase is Phase.SKIPPED or (node.phase.has_outputs and not node.fresh)


def _why(node: NodeState, before: NodeState | None, begun: Run) -> list[str]:
    if node.failure is not None:
        return [f"it will fail: {node.failure.title}"]
    if before is None:
        return ["it is new"]
    if before.entity != node.entity:
        return [f"{before.entity} stood here"]
    said = _unfinished(before)
    said += changes(before.spec, node.spec) if node.spec is not None else _graph_changes(before, node)
    if node.phase is Phase.UNDEFINED:
        assert node.scope is not None
        assert node.node is not None
        above = [node.scope.nodes[id] for id in node.node.upstream if id in node.scope.nodes]
        waits = [each.path for each in above if not _quiet(each)]
        said.append(f"downstream of {', '.join(waits)}")
    else:
        said += [f"input {name} has changed" for name in _changed_inputs(node, before)]
    if not said and node.opens is not None:
        said.append("something inside its bracket runs")
    return said or [f"downstream of {_fresh_above(node)}"]


def _fresh_above(node: NodeState) -> str:
    at: NodeState | None = node
    while at is not None and at.scope is not None and at.node is not None:
        waits = [
            at.scope.nodes[id].path for id in at.node.upstream if id in at.scope.nodes and at.scope.nodes[id].fresh
        ]
        if waits:
            return ", ".join(waits)
        at = at.host if isinstance(at.host, NodeState) else at.scope.owner
    return "what is around it"


def _unfinished(before: NodeState) -> list[str]:
    if before.phase.has_outputs:
        return []
    if before.phase in (Phase.UNDEFINED, Phase.SKIPPED):
        return ["it never ran"]
    if not before.phase.terminal:
        return ["it had not ended"]
    failure = f": {before.failure.title.splitlines()[0]}" if before.failure is not None else ""
    return [f"it had {before.phase.value}{failure}"]


def changes(before: TaskSpec | None, now: TaskSpec | None) -> list[str]:
    """What has changed from one version of a task to another, part by part."""
    if before is None or now is None:
        return []
    if not before.code_digest or not now.code_digest:
        return ["its code cannot be read, so nothing is known of it"]
    if before.code_digest == now.code_digest:
        return []
    return explain(before.components, now.components) or ["its code has changed"]


def _graph_changes(before: NodeState, node: NodeState) -> list[str]:
    if isinstance(before.target, ArrayTarget) and before.target != node.target:
        return ["its map has changed"]
    return ["its graph has changed"] if before.graph != node.graph else []


def _changed_inputs(node: NodeState, before: NodeState) -> list[str]:
    if not before.inputs and before.phase in (Phase.UNDEFINED, Phase.SKIPPED):
        return []
    names = dict.fromkeys((*before.inputs, *node.inputs))
    return [
        name
        for name in names
        if name not in before.inputs
        or name not in node.inputs
        or input_digest(before.inputs[name]) != input_digest(node.inputs[name])
    ]


def _laid_out(before: NodeState) -> list[Forecast]:
    """What the body of a dynamic node had laid out: it is taken where it is laid out again."""
    return [
        Forecast(node.path, node.entity, Verdict.DEPENDS, (f"if the body of {before.path} lays it out again",))
        for node in _below(before)
        if node.phase.has_outputs and not node.kind.composed and node.kind is not Kind.BRANCH
    ]


def _calls(body: NodeState, known: Program, fresh_inputs: list[str]) -> list[Forecast]:
    """The recorded calls of an eager body that runs again, those of nested bodies with them."""
    lines: list[Forecast] = []
    again: list[tuple[float, str]] = []
    waiting = list(reversed(body.children))
    while waiting:
        call = waiting.pop()
        if call.replaced:
            continue
        said = _unfinished(call) + _call_changes(call, known)
        verdict = Verdict.RUN
        if not said:
            first = next((path for ended, path in again if ended <= call.created_at), "")
            if fresh_inputs:
                verdict, said = Verdict.DEPENDS, [f"input {', '.join(fresh_inputs)} of {body.path} has changed"]
            elif first:
                verdict, said = Verdict.DEPENDS, [f"made after {first}, which runs again"]
            else:
                verdict = Verdict.REUSE
        lines.append(Forecast(call.path, call.entity, verdict, tuple(said)))
        if verdict is not Verdict.REUSE:
            again.append((call.ended_at or float("inf"), call.path))
            if call.inline:
                waiting.extend(reversed(call.children))
    return lines


def _call_changes(call: NodeState, known: Program) -> list[str]:
    if isinstance(call.target, GateTarget):
        return []
    if isinstance(call.target, ArrayTarget):
        return _inner_changes(call, known)
    if not isinstance(call.target, WorkflowTarget | LaunchPlanTarget):
        now = known.tasks.get(call.entity)
        said = [_GONE] if now is None else changes(call.spec, now)
        return list(dict.fromkeys(said + _inner_changes(call, known)))
    workflow = call.entity
    if isinstance(call.target, LaunchPlanTarget):
        plan = known.launch_plans.get(workflow)
        workflow = "" if plan is None else plan.workflow
    if workflow not in known.workflows:
        return [_GONE]
    said = ["its graph has changed"] if call.graph != known.workflows[workflow] else []
    return list(dict.fromkeys(said + _inner_changes(call, known)))


def _inner_changes(call: NodeState, known: Program) -> list[str]:
    """What has changed in the tasks inside a call that is no body of its own driver."""
    said: list[str] = []
    for inner in () if call.inline or call.kind is Kind.EAGER else _below(call):
        if inner.spec is not None:
            now = known.tasks.get(inner.entity)
            said += [_GONE] if now is None else changes(inner.spec, now)
    return list(dict.fromkeys(said))
