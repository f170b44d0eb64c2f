"""What authors say that whimbrel's engines do not act on, and a Flyte back end does.

It takes no part in programs, runs or digests: it is read from the entities when messages are made of them.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from whimbrel.model.program import Resources


class ContainerSpec(Struct, frozen=True):
    """A container that is run as it is: the command line is the author's.

    ``input_path`` and ``output_path`` are the directories in it that inputs are put into and outputs taken from.
    """

    image: str
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    input_path: str = ""
    output_path: str = ""


class Accelerator(Struct, frozen=True):
    """A device, by Flyte's name. ``partition`` is the part of it that is asked for: "" for the whole of it, ``None``
    for whatever there is."""

    device: str
    partition: str | None = None


class DocDeclaration(Struct, frozen=True):
    """What an entity is for, where that is said beside its docstring. ``format`` is Flyte's number."""

    short: str = ""
    long: str | None = None
    uri: str = ""
    icon: str = ""
    format: int = 0
    source: str = ""


class TaskDeclaration(Struct, frozen=True):
    """Of a task. ``type`` is Flyte's task type, ``custom`` what a plugin of that type reads."""

    requests: Resources | None = None
    limits: Resources | None = None
    deprecated: str = ""
    pod_template_name: str = ""
    type: str = "python-task"
    type_version: int = 0
    custom: dict[str, Any] = {}
    config: dict[str, str] = {}
    container: ContainerSpec | None = None
    accelerator: Accelerator | None = None
    shared_memory: str | None = None
    """How much memory the processes of an attempt share: "" for as much as there is, ``None`` for what is usual."""


class NodeDeclaration(Struct, frozen=True):
    """Of a node, laid over what is declared of the task. ``id`` is the one that the author gave it, ``name`` its label;
    "" for those that it has anyway."""

    id: str = ""
    name: str = ""
    requests: Resources | None = None
    limits: Resources | None = None


class Declarations(Struct, frozen=True):
    """Of a program: by task, by workflow and node, and the defaults of struct types' fields, as JSON. ``undescribed``
    are tasks and workflows that are made of no function, and so have no docstring."""

    tasks: dict[str, TaskDeclaration] = {}
    nodes: dict[str, dict[str, NodeDeclaration]] = {}
    defaults: dict[str, dict[str, Any]] = {}
    undescribed: tuple[str, ...] = ()
    docs: dict[str, DocDeclaration] = {}
