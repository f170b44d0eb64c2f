"""What is registered, as it is listed and shown. Moments are ISO 8601 in UTC.

Knows: the nouns of the model that are shown as they are. Must not know: where entities are kept.
"""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct

from whimbrel.model.declared import Declarations
from whimbrel.model.interface import Interface
from whimbrel.model.launch_plan import Schedule
from whimbrel.model.literal_types import LiteralType
from whimbrel.model.program import Program, SourceLine
from whimbrel.model.registered import Entity

Limit = Annotated[int, Meta(ge=1, le=500, description="At most so many.")]

KINDS = {"tasks": "task", "workflows": "workflow", "launch-plans": "launch_plan"}
"""The kinds as they are called in paths, and what they are."""


class EntityQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which entities: those with ``text`` in their names. ``cursor`` is the ``next`` of the page before."""

    text: str = ""
    limit: Limit = 50
    cursor: str = ""


class VersionQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which page of the versions of an entity: those with ``text`` in them."""

    text: str = ""
    limit: Limit = 50
    cursor: str = ""


class EntityRow(Struct, frozen=True):
    """An entity in a list. ``version`` is the latest one, ``versions`` how many there are; in a list of versions each
    row is one, and ``versions`` is 1. ``state`` is ACTIVE or INACTIVE of launch plans, "" of others; ``active`` is the
    version of a launch plan that is active, "" for none."""

    kind: str
    project: str
    domain: str
    name: str
    version: str
    versions: int
    created_at: str | None
    state: str
    doc: str
    schedule: Schedule | None = None
    active: str = ""


class EntityPage(Struct, frozen=True):
    """Entities in order of name, or versions of one, the newest first. ``next`` is the ``cursor`` of the next page."""

    entities: list[EntityRow]
    next: str | None


class ParameterShape(Struct, frozen=True):
    """An input or output. ``described`` is the type as a person writes it. A ``default`` counts where ``required`` is
    false, and is JSON as inputs are given."""

    type: LiteralType
    described: str
    description: str = ""
    required: bool = False
    default: Any = None


class InterfaceShape(Struct, frozen=True):
    """What goes in and what comes out, in the author's order."""

    inputs: dict[str, ParameterShape]
    outputs: dict[str, ParameterShape]


class NodeShape(Struct, frozen=True):
    """A node of a graph.

    ``kind`` is task, eager, dynamic, workflow, launch_plan, array, branch, gate or reference; ``entity`` is the name of
    what it runs, ``version`` that entity's where it is registered by itself. ``inputs`` are the bindings as a person
    writes them (``n0.o0``). ``arm`` is the condition under which a node inside a branch runs, ``parent`` the id of that
    branch ("" for the nodes of the graph itself). ``mapped`` are the inputs that an array goes over.
    """

    id: str
    kind: str
    name: str
    entity: str
    version: str = ""
    inputs: dict[str, str] = {}
    parent: str = ""
    arm: str = ""
    mapped: tuple[str, ...] = ()
    line: SourceLine | None = None


class EdgeShape(Struct, frozen=True):
    """``target`` waits for ``source``; ``vars`` are the outputs of ``source`` that it is given, none where it only
    comes after it. ``start-node`` stands for the inputs of the workflow, ``end-node`` for its outputs."""

    source: str
    target: str
    vars: tuple[str, ...] = ()


class BracketShape(Struct, frozen=True):
    """A setup and its teardown around nodes."""

    setup: str
    teardown: str
    members: tuple[str, ...] = ()


class GraphShape(Struct, frozen=True):
    """A workflow as a picture is drawn of it."""

    name: str
    nodes: list[NodeShape]
    edges: list[EdgeShape]
    brackets: list[BracketShape] = []
    failure_node: NodeShape | None = None


class PlanShape(Struct, frozen=True):
    """What a launch plan says besides: its workflow, and the inputs that whoever launches it cannot give."""

    workflow: str
    fixed: dict[str, Any] = {}
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    max_parallelism: int = 0


class EntityDetail(EntityRow, frozen=True, kw_only=True):
    """All of an entity.

    ``graph`` is that of a workflow (of a launch plan: its workflow's), ``workflows`` those of the workflows inside it,
    by name. ``line`` is where it is written; ``source`` the text of that file, where the bundle has it. ``native`` says
    that our own client registered it; ``remark`` what does not hold for it. ``runs`` is the name that lists of runs
    have for runs of it.
    """

    updated_at: str | None
    interface: InterfaceShape
    graph: GraphShape | None = None
    workflows: dict[str, GraphShape] = {}
    plan: PlanShape | None = None
    line: SourceLine | None = None
    source: str | None = None
    bundle: str = ""
    python: str = ""
    native: bool = False
    remark: str = ""
    task_kind: str = ""
    runs: str = ""


class ExactEntity(Struct, frozen=True):
    """An entity to the bit, as msgpack: what a client makes calls of it by.

    ``interface`` is what is given and what comes back when it is launched; ``program`` is closed. ``bundle`` is where
    its code is, "" where it was registered by another client.
    """

    entity: Entity
    interface: Interface
    program: Program
    bundle: str = ""
    python: str = ""
    declared: Declarations = Declarations()


class ProjectRow(Struct, frozen=True):
    """A project."""

    id: str
    name: str
    description: str = ""
    domains: tuple[str, ...] = ()


class NewProject(Struct, frozen=True, forbid_unknown_fields=True):
    """A project to be made. ``name`` is what people call it, its ``id`` where it is empty."""

    id: str
    name: str = ""
    description: str = ""


class PlanState(Struct, frozen=True):
    """The state of a launch plan now."""

    name: str
    version: str
    state: str


class Nothing(Struct, frozen=True, forbid_unknown_fields=True):
    """A request without anything to say: ``{}``."""


class SecretShape(Struct, frozen=True):
    """A secret by name; its value never comes back."""

    group: str
    key: str
    set_at: str | None


class NewSecret(Struct, frozen=True, forbid_unknown_fields=True):
    """The value of a secret: ``value`` as text, or ``base64`` for bytes."""

    value: str | None = None
    base64: str | None = None
