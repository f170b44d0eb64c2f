"""What the page of a run or of a node says: its values, why it ran, how it is run, which code it is.

Knows: the engine's fold, the registry, bundles, how values are shown. Must not know: HTTP, who asks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

from msgspec import UnsetType

from whimbrel.controlplane.describing import progress_json, summary_json, waiting_json, waits_for
from whimbrel.engine.nodes import Attempt, Kind, NodeState, Stage
from whimbrel.engine.run import Run
from whimbrel.graph.interfaces import node_outputs, program_interfaces, target_interface
from whimbrel.model.attempt import Progress
from whimbrel.model.codec import digest
from whimbrel.model.failure import Failure
from whimbrel.model.interface import Interface, Variable
from whimbrel.model.literal_types import describe
from whimbrel.model.literals import Literals
from whimbrel.model.program import BranchTarget, CodeRef, Metadata, Program, SourceLine, TaskSpec
from whimbrel.model.run import Phase, RunSummary
from whimbrel.runtime.ports import BlobStore
from whimbrel.server.showing import BUDGET, Path, Showing, size_of
from whimbrel.server.tracebacks import shown_failure
from whimbrel.wire.rest.runs import NodeProgress, Row
from whimbrel.wire.rest.values import (
    About,
    CacheShape,
    CodeShape,
    GateAnswer,
    HowItRuns,
    Reason,
    ShownAttempt,
    ShownFailure,
    ShownValue,
    Side,
)
from whimbrel.wire.spans import iso_moment

LinkOf = Callable[[Side, str, Path], str]
"""The address of what is at a path in an input or an output."""
_BUNDLE = re.compile(r"bundle:([0-9a-f]{64})")
_OWN_ENVIRONMENT = "FLYTE_INTERNAL_"
"""What the engine itself says in the environment: of no use to a reader."""
_NEAREST = re.compile(r" from (\S+) of run (\S+), the nearest that is cached$")
_SOURCE = re.compile(r"hit: node (\S+) of (this run|run \S+) computed it(?: \(version (.*)\))?")


class Maker(NamedTuple):
    """Makes what a page says. ``text_of`` gives the text of a file of a bundle. Blocking: it reads the blob store."""

    blobs: BlobStore
    text_of: Callable[[str, str], str | None]
    page_of: Callable[[str], str]

    def of_run(self, summary: RunSummary, run: Run, link: LinkOf) -> About:
        """What is said of the run itself."""
        graph = run.program.workflows.get(run.workflow)
        interface = graph.interface if graph is not None else Interface()
        return About(
            run=self._row(summary),
            path="",
            kind=summary.origin.kind,
            entity=summary.entity,
            name=summary.origin.name,
            phase=run.phase.value,
            line="",
            created_at=iso_moment(summary.created_at),
            queued_at=None,
            started_at=iso_moment(summary.started_at),
            ended_at=iso_moment(summary.ended_at),
            inputs=self._values("inputs", run.inputs, interface, link),
            outputs=self._values("outputs", run.outputs, interface, link) if run.phase is Phase.SUCCEEDED else None,
            failure=self._failure(run.failure, _bundle_of_run(run)),
            attempts=[],
            progress=None,
            waits_for=None,
            why=[Reason("It took over what another run had done", run.recovered_from)] if run.recovered_from else [],
            cache=None,
            runs_with=None,
            code=None if graph is None else self._code_of_graph(summary, graph.line, graph.doc),
            answer=None,
            waiting=[waiting_json(node) for node in run.waiting],
        )

    def of_node(
        self,
        summary: RunSummary,
        run: Run,
        node: NodeState,
        progress: Progress | None,
        link: LinkOf,
        registered: bool,
    ) -> About:
        """What is said of a node. ``registered`` is whether what it runs has a page of its own."""
        interface = interface_of(node, run.program)
        bundle = _bundle_of(node.spec.code) if node.spec is not None else _bundle_of_run(run)
        said = progress_json(progress)
        return About(
            run=self._row(summary),
            path=node.path,
            kind=node.kind.value,
            entity=node.entity,
            name=node.name,
            phase=node.phase.value,
            line=node.line,
            created_at=iso_moment(node.created_at),
            queued_at=iso_moment(node.queued_at),
            started_at=iso_moment(node.started_at),
            ended_at=iso_moment(node.ended_at),
            inputs=self._values("inputs", node.inputs, interface, link),
            outputs=self._values("outputs", node.outputs, interface, link) if node.phase.has_outputs else None,
            failure=self._failure(node.failure, bundle),
            attempts=[self._attempt(each, bundle, each is node.attempts[-1]) for each in node.attempts],
            progress=None if said is None else NodeProgress(**said),
            waits_for=waits_for(node) if node.stage is Stage.GATE else None,
            why=list(_why(node, summary.id)),
            cache=_cache(node),
            runs_with=_how(node),
            code=_code(node, summary, registered),
            answer=_answer(run, node),
            waiting=[],
        )

    def _row(self, summary: RunSummary) -> Row:
        said = summary_json(summary)
        return Row(**{**said, "tags": tuple(said["tags"]), "url": self.page_of(summary.id)})

    def _values(self, side: Side, literals: Literals, interface: Interface, link: LinkOf) -> list[ShownValue]:
        declared: Mapping[str, Variable | object] = interface.inputs if side == "inputs" else interface.outputs
        showing = Showing(self.blobs)
        shown = []
        for name in sorted(literals, key=_order(list(declared))):
            said = declared.get(name)
            kind = getattr(said, "type", None)
            share = BUDGET // max(1, len(literals))
            value = showing.value(literals[name], kind, partial(link, side, name), share=share)
            shown.append(
                ShownValue(
                    name,
                    describe(kind) if kind is not None else "",
                    getattr(said, "description", ""),
                    *(value, size_of(literals[name]), link(side, name, ())),
                )
            )
        return shown

    def _failure(self, failure: Failure | None, bundle: str) -> ShownFailure | None:
        if failure is None:
            return None
        return shown_failure(failure, lambda file: self.text_of(bundle, file) if bundle else None)

    def _attempt(self, attempt: Attempt, bundle: str, last: bool) -> ShownAttempt:
        return ShownAttempt(
            attempt.number,
            attempt.phase.value,
            *(iso_moment(attempt.launched_at), iso_moment(attempt.started_at), iso_moment(attempt.ended_at)),
            attempt.worker,
            # That of the last one is the node's.
            None if last else self._failure(attempt.failure, bundle),
        )

    def _code_of_graph(self, summary: RunSummary, line: SourceLine | None, doc: str) -> CodeShape:
        origin = summary.origin
        file, number = (line.file, line.line) if line is not None else ("", 0)
        return CodeShape(
            *("", "", file, number, "", "", "", origin.kind, origin.target, origin.version),
            project=origin.project,
            domain=origin.domain,
            registered=bool(origin.version),
            doc=doc,
        )


def interface_of(node: NodeState, program: Program) -> Interface:
    """What a node takes and gives; empty where its program does not say."""
    if node.spec is not None:
        return node.spec.interface
    interfaces = program_interfaces(program)
    if isinstance(node.target, BranchTarget):
        if node.node is None:
            return Interface()
        return Interface({}, {name: Variable(kind) for name, kind in node_outputs(node.node, interfaces).items()})
    found = None if node.target is None else target_interface(node.target, interfaces)
    return found or Interface()


def _order(names: list[str]) -> Callable[[str], int]:
    """The author's order; what nobody has declared comes last."""
    places = {name: at for at, name in enumerate(names)}
    return lambda name: places.get(name, len(places))


def _why(node: NodeState, run: str) -> list[Reason]:
    if node.cached:
        found = _SOURCE.match(node.cache_reason)
        if found is None:
            said = node.cache_reason.removeprefix("hit: ") or "an equal call had them"
            return [Reason(f"Its outputs came from the cache: {said}.")]
        version = f" (version {found[3]})" if found[3] else ""
        other = run if found[2] == "this run" else found[2].removeprefix("run ")
        return [Reason(f"Its outputs came from the cache{version}. They were computed by", other, found[1])]
    if node.grafted_from:
        return [
            Reason("The body has changed since, and this call has not: it kept the outcome of", run, node.grafted_from)
        ]
    if node.recovered_from:
        other, _, path = node.recovered_from.partition("/")
        return [Reason("Its outcome was taken over from", other, path)]
    if node.replaced:
        return [Reason("The body calls something else here now: this is what it had called before.")]
    if node.cache_reason:
        said = node.cache_reason.removeprefix("miss: ")
        nearest = _NEAREST.search(said)
        if nearest is None:
            return [Reason(f"It ran: {said}.")]
        return [Reason(f"It ran: {said[: nearest.start()]} from the nearest that is cached,", nearest[2], nearest[1])]
    return []


def _cache(node: NodeState) -> CacheShape | None:
    cache, key = node.metadata.cache, node.cache_key
    if cache is None:
        return None
    inputs = {} if key is None else dict(key.inputs)
    return CacheShape(cache.version, "" if key is None else digest(key), inputs, cache.ignored, cache.serialize)


def _how(node: NodeState) -> HowItRuns | None:
    if node.kind not in (Kind.TASK, Kind.EAGER, Kind.DYNAMIC):
        return None
    metadata: Metadata = node.metadata
    asked = metadata.resources
    return HowItRuns(
        *((asked.cpu, asked.mem, asked.gpu, asked.storage) if asked is not None else ("", "", "", "")),
        metadata.image,
        metadata.timeout,
        metadata.retries,
        metadata.backoff,
        metadata.interruptible,
        sorted(name for name in metadata.environment if not name.startswith(_OWN_ENVIRONMENT)),
        [each.title for each in node.spec.secrets] if node.spec is not None else [],
    )


def _code(node: NodeState, summary: RunSummary, registered: bool) -> CodeShape | None:
    spec: TaskSpec | None = node.spec
    if spec is None:
        return None
    origin, line = summary.origin, spec.line
    python = spec.code.python
    return CodeShape(
        spec.code.module,
        spec.code.name,
        line.file if line is not None else "",
        line.line if line is not None else 0,
        spec.code_digest,
        _bundle_of(spec.code),
        "" if isinstance(python, UnsetType) else python,
        "task",
        spec.name,
        origin.version if registered else "",
        origin.project,
        origin.domain,
        registered,
        spec.doc,
    )


def _answer(run: Run, node: NodeState) -> GateAnswer | None:
    found = run.answer_to(node) if node.kind is Kind.GATE else None
    return None if found is None else GateAnswer(found.by, iso_moment(node.ended_at), found.reason)


def _bundle_of(code: CodeRef) -> str:
    found = _BUNDLE.match(code.root)
    return found[1] if found is not None else ""


def _bundle_of_run(run: Run) -> str:
    """The bundle that all tasks of a run are from, "" where there are several or none."""
    found = {_bundle_of(task.code) for task in run.program.tasks.values()}
    return found.pop() if len(found) == 1 else ""
