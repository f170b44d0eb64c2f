"""The compiled program: tasks, and workflows as graphs. The IR that graph/ checks and the engine runs.

A program is closed: every entity that a node names is in it. Names are unique within a kind.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, TypeAlias

from msgspec import UNSET, Struct, UnsetType

from whimbrel.model.interface import Interface
from whimbrel.model.launch_plan import LaunchPlanSpec
from whimbrel.model.literals import Literal
from whimbrel.model.secrets import SecretRequest

START = "start-node"
"""The node id that stands for the workflow's own inputs in a ``PromiseBinding``."""


class SourceLine(Struct, frozen=True, gc=False):
    """A line of the author's."""

    file: str
    line: int
    text: str = ""


class CodeRef(Struct, frozen=True, gc=False):
    """Where a worker finds a function: import ``module`` (with ``root``, if any, on the path), then follow
    ``name``'s dots. ``root`` is a directory, or ``bundle:<sha256>/<path>`` of what was registered."""

    module: str
    name: str
    root: str = ""
    python: str | UnsetType = UNSET
    """The version of Python that registered it, ``3.12``. Unset it takes no part in bytes and digests."""


class CacheSpec(Struct, frozen=True, gc=False):
    """How outputs are kept: by task name, ``version``, interface and the inputs that are not ``ignored``.

    ``serialize``: of equal calls at the same time one computes and the rest wait for it.
    """

    version: str
    ignored: tuple[str, ...] = ()
    serialize: bool = False


class Resources(Struct, frozen=True, gc=False):
    """What an attempt asks for, in Kubernetes' quantities (``"500m"``, ``"2Gi"``); "" when it does not say."""

    cpu: str = ""
    mem: str = ""
    gpu: str = ""
    storage: str = ""


class Metadata(Struct, frozen=True, gc=False):
    """How a task or node is run. ``None`` means: not said here.

    ``retries`` counts user retries (system faults have their own allowance); ``timeout`` is of one attempt, in seconds;
    ``backoff`` is the wait before the first retry in seconds, doubled for each that follows up to ``backoff_limit``.
    ``key`` pins the call path of a call of an eager body. ``carried`` are values of context variables that travel
    with the call, by the names that ``authoring/travelling.py`` gives them. What is said of a workflow holds for
    everything in it. ``shielded``: once begun it is left alone by whatever stops its surroundings, until the time to
    clean up is over; the setups and teardowns of brackets are.
    """

    retries: int | None = None
    timeout: float | None = None
    backoff: float | None = None
    backoff_limit: float | None = None
    cache: CacheSpec | None = None
    cache_off: bool = False
    interruptible: bool | None = None
    environment: dict[str, str] = {}
    resources: Resources | None = None
    image: str = ""
    key: str = ""
    carried: dict[str, Literal] = {}
    shielded: bool | None = None


class TaskKind(StrEnum):
    """What runs a task's attempts: a worker calls the function, a driver runs it as an eager body, or a worker calls it
    to learn the graph that is to be run in its place."""

    TASK = "task"
    EAGER = "eager"
    DYNAMIC = "dynamic"


class Command(Struct, frozen=True, gc=False):
    """A container's command line, templates unfilled (``{{.input}}``): it is run as a process, and gives its outputs in
    files. By the contract of Flyte's containers, as ``executors/commands.py`` keeps it.

    ``mapped``: the command is one item of a map, and takes these inputs as lists, of which it picks its item.
    ``eager``: it calls others itself, by a client of its own. The rest is the id that it was registered under.
    """

    args: tuple[str, ...]
    mapped: tuple[str, ...] = ()
    eager: bool = False
    project: str = ""
    domain: str = ""
    version: str = ""


class TaskSpec(Struct, frozen=True, gc=False):
    """A task, or an eager workflow.

    ``code_digest`` is of the function and of everything in its project that it uses, "" if that cannot be read;
    ``components`` has a digest of each part, by qualified name.
    """

    name: str
    interface: Interface
    code: CodeRef
    kind: TaskKind = TaskKind.TASK
    metadata: Metadata = Metadata()
    doc: str = ""
    code_digest: str = ""
    line: SourceLine | None = None
    components: dict[str, str] = {}
    secrets: tuple[SecretRequest, ...] = ()
    """What its attempts may read; the rest is not for them."""
    deck: bool = False
    """Whether its attempts show their inputs, outputs and the like as decks."""
    command: Command | UnsetType = UNSET
    """What is run in place of ``code``. Unset it takes no part in bytes and digests, which are older than it is."""


class LiteralBinding(Struct, frozen=True, gc=False, tag="value"):
    """A constant."""

    value: Literal


class PromiseBinding(Struct, frozen=True, gc=False, tag="promise"):
    """Output ``var`` of ``node`` (or workflow input ``var`` when ``node`` is ``START``), at ``path`` inside it."""

    node: str
    var: str
    path: tuple[str | int, ...] = ()


class ListBinding(Struct, frozen=True, gc=False, tag="list"):
    """A list or tuple, of whose items some are promises."""

    items: tuple[Binding, ...]


class MapBinding(Struct, frozen=True, gc=False, tag="map"):
    """A dict or struct, of whose values some are promises."""

    items: dict[str, Binding]


Binding: TypeAlias = LiteralBinding | PromiseBinding | ListBinding | MapBinding


class TaskTarget(Struct, frozen=True, gc=False, tag="task"):
    """The node runs a task or an eager workflow of the program."""

    name: str


class WorkflowTarget(Struct, frozen=True, gc=False, tag="workflow"):
    """The node runs a workflow of the program as a sub-graph."""

    name: str


class Comparison(Struct, frozen=True, gc=False, tag="compare"):
    """``left op right``; ``op`` is one of ``== != < <= > >=``. Promises in it are resolved by the branch node."""

    op: str
    left: Binding
    right: Binding


class Junction(Struct, frozen=True, gc=False, tag="junction"):
    """``and`` or ``or`` of two conditions."""

    op: str
    left: Condition
    right: Condition


Condition: TypeAlias = Comparison | Junction


class BranchCase(Struct, frozen=True, gc=False):
    """One ``if_``/``elif_`` arm: ``node`` runs when ``condition`` is the first that holds."""

    condition: Condition
    node: Node


class BranchTarget(Struct, frozen=True, gc=False, tag="branch"):
    """The node runs the first case that holds, else ``otherwise``, else fails with ``message``."""

    name: str
    cases: tuple[BranchCase, ...]
    otherwise: Node | None = None
    message: str = ""


class LaunchPlanTarget(Struct, frozen=True, gc=False, tag="launch_plan"):
    """The node runs the workflow of a launch plan of the program, with the plan's inputs under the node's own."""

    name: str


class ArrayTarget(Struct, frozen=True, gc=False, tag="array"):
    """The node runs ``target`` once for every item of its ``mapped`` inputs, which are lists of one length.

    Its other inputs are the same for all items. Each output is the list of the items' outputs, in order. At most
    ``concurrency`` items go on at a time (0: no limit of its own). It succeeds when at least ``min_successes`` items
    have, or ``min_success_ratio`` of them (0 to 1) where that is not said; items that failed then give ``None``.
    """

    name: str
    target: TaskTarget | WorkflowTarget | LaunchPlanTarget | ArrayTarget
    mapped: tuple[str, ...]
    concurrency: int = 0
    min_successes: int | None = None
    min_success_ratio: float = 1.0

    @property
    def partial(self) -> bool:
        """Whether it may succeed although items have failed."""
        return self.min_successes is not None or self.min_success_ratio < 1.0


class GateKind(StrEnum):
    """What a gate waits for: a person's yes or no, a value from outside, or a span of time."""

    APPROVE = "approve"
    SIGNAL = "signal"
    SLEEP = "sleep"


class GateTarget(Struct, frozen=True, gc=False, tag="gate"):
    """The node waits, and runs nothing.

    APPROVE: for a boolean signal; true passes the input ``value``, if there is one, on as ``o0``, false fails the node.
    SIGNAL: for a value of the type of output ``o0``. SLEEP: for as long as its input ``duration`` says. ``name`` is
    what the signal is sent to. ``timeout`` is in seconds, after which the node times out; ``None`` waits for ever.
    """

    name: str
    kind: GateKind
    interface: Interface = Interface()
    timeout: float | None = None


Target: TypeAlias = TaskTarget | WorkflowTarget | LaunchPlanTarget | ArrayTarget | GateTarget | BranchTarget


class Node(Struct, frozen=True, gc=False):
    """One step of a graph.

    ``inputs`` binds every input of the target (a branch node has none of its own: the nodes in its arms are bound).
    ``upstream`` is every node that must succeed first: those of the bindings, and those that ``>>`` names.
    ``overrides`` is laid over the target's metadata.
    """

    id: str
    target: Target
    inputs: dict[str, Binding] = {}
    upstream: tuple[str, ...] = ()
    name: str = ""
    overrides: Metadata = Metadata()
    line: SourceLine | None = None


class FailurePolicy(StrEnum):
    """What happens to the rest when a node fails."""

    FAIL_IMMEDIATELY = "fail_immediately"
    FAIL_AFTER_EXECUTABLE_NODES_COMPLETE = "fail_after_executable_nodes_complete"


class Bracket(Struct, frozen=True, gc=False):
    """``setup`` runs before every node of ``members``, ``teardown`` after all of them, whatever became of them, if
    ``setup`` was launched.

    The edges say the order of success; the bracket says what holds besides. ``members`` has the nodes of brackets
    inside, their setups and teardowns too. ``error`` names the input of the teardown that is told what went wrong
    (``str | None``), "" for none.
    """

    setup: str
    teardown: str
    members: tuple[str, ...] = ()
    error: str = ""


class Graph(Struct, frozen=True, gc=False):
    """A workflow. Nodes stand in creation order, which the edges need not follow. ``outputs`` binds every output.

    ``brackets`` are in the order in which they were closed: inner ones before outer ones.
    """

    name: str
    interface: Interface
    nodes: tuple[Node, ...] = ()
    outputs: dict[str, Binding] = {}
    failure_policy: FailurePolicy = FailurePolicy.FAIL_IMMEDIATELY
    metadata: Metadata = Metadata()
    doc: str = ""
    line: SourceLine | None = None
    brackets: tuple[Bracket, ...] = ()
    failure_node: Node | None = None
    """Runs when the workflow fails or is aborted, and changes nothing about that. Its inputs are bound to those of
    the workflow; ``failure_error`` names the input that is told what went wrong, "" for none."""
    failure_error: str = ""


class ReferenceKind(StrEnum):
    """What a reference points at, by Flyte's resource types."""

    TASK = "task"
    WORKFLOW = "workflow"
    LAUNCH_PLAN = "launch_plan"


class Reference(Struct, frozen=True, gc=False):
    """An entity that was registered by somebody else, by its full id; what it takes and gives is the author's word."""

    kind: ReferenceKind
    project: str
    domain: str
    name: str
    version: str
    interface: Interface = Interface()


class Program(Struct, frozen=True, gc=False):
    """Everything that a run may need, by name.

    Nodes may name entities that are only in ``references``: such a program compiles and registers, and runs where the
    references are resolved, which puts what they point at into ``tasks``, ``workflows`` and ``launch_plans``.
    """

    tasks: dict[str, TaskSpec] = {}
    workflows: dict[str, Graph] = {}
    launch_plans: dict[str, LaunchPlanSpec] = {}
    references: dict[str, Reference] = {}

    def merged(self, other: Program) -> Program:
        """This program with the other's entities laid over it."""
        return Program(
            {**self.tasks, **other.tasks},
            {**self.workflows, **other.workflows},
            {**self.launch_plans, **other.launch_plans},
            {**self.references, **other.references},
        )


def overlay(lower: Metadata, upper: Metadata) -> Metadata:
    """``lower`` with everything that ``upper`` says laid over it. ``cache_off`` in ``upper`` removes the cache."""
    said: dict[str, Any] = {}
    for field in Metadata.__struct_fields__:
        value = getattr(upper, field)
        said[field] = getattr(lower, field) if value is None or value == "" else value
    said["environment"] = {**lower.environment, **upper.environment}
    said["carried"] = {**lower.carried, **upper.carried}
    if upper.cache_off:
        said["cache"] = None
    return Metadata(**said)
