"""What authors said that a Flyte back end acts on and whimbrel's engines do not, read from the entities themselves.

Knows entities and their options. Must not know messages: `wire` makes them of what is found here.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from whimbrel.authoring.compiling import close_program, union
from whimbrel.authoring.container_task import ContainerTask
from whimbrel.authoring.imperative import ImperativeWorkflow
from whimbrel.authoring.instance_task import InstanceTask
from whimbrel.authoring.workflow import Workflow
from whimbrel.model.declared import Accelerator, Declarations, DocDeclaration, NodeDeclaration, TaskDeclaration
from whimbrel.model.interface import Interface
from whimbrel.model.literal_types import (
    DatasetType,
    ListType,
    LiteralType,
    MapType,
    StructType,
    TupleType,
    UnionType,
)
from whimbrel.model.program import Program, Resources
from whimbrel.wire.names import dns_name

_QUANTITIES = ("cpu", "mem", "gpu", "storage")


def whole_program(roots: Iterable[Any]) -> Program:
    """Everything that is registered of ``roots`` (entities): they, and what they name. Raises ``CompileError``.

    Without the workflow around a task that a run of a task by itself needs.
    """
    return union(close_program(root) for root in roots)


def declarations(roots: Iterable[Any], program: Program) -> Declarations:
    """What is declared of ``roots`` and of everything that they name; ``program`` is theirs."""
    tasks: dict[str, TaskDeclaration] = {}
    nodes: dict[str, dict[str, NodeDeclaration]] = {}
    undescribed: list[str] = []
    docs: dict[str, DocDeclaration] = {}
    for entity in _entities(roots):
        if isinstance(entity, InstanceTask | ImperativeWorkflow):
            undescribed.append(entity.name)
        options = getattr(entity, "task_options", None) or getattr(entity, "workflow_options", {})
        if options.get("docs") is not None and not isinstance(options["docs"], str):
            docs[entity.name] = doc_declaration(options["docs"])
        if hasattr(entity, "task_options"):
            tasks[entity.name] = task_declaration(entity.task_options)
            if isinstance(entity, ContainerTask):
                tasks[entity.name] = replace(tasks[entity.name], type="raw-container", container=entity.container)
        if isinstance(entity, Workflow):
            compiled = entity.compiled()
            found = {id: node_declaration(said) for id, said in compiled.said.items()}
            nodes |= dict.fromkeys((entity.name, *compiled.arms), found) if found else {}
    return Declarations(tasks, nodes, field_defaults(program), tuple(undescribed), docs)


def task_declaration(options: Mapping[str, Any]) -> TaskDeclaration:
    """What the options of a task declare."""
    requests, limits = requests_and_limits(options)
    deprecated = options.get("deprecated") or ""
    accelerator, memory = options.get("accelerator"), options.get("shared_memory")
    return TaskDeclaration(
        requests,
        limits,
        str(deprecated),
        str(options.get("pod_template_name") or ""),
        accelerator=None if accelerator is None else Accelerator(accelerator.device, accelerator.partition_size),
        # True is for as much as there is.
        shared_memory=None if not memory else memory if isinstance(memory, str) else "",
    )


def doc_declaration(docs: Any) -> DocDeclaration:
    """What a ``Documentation`` says."""
    long, source = docs.long_description, docs.source_code
    said = DocDeclaration(docs.short_description or "", source="" if source is None else source.link or "")
    if long is None:
        return said
    return replace(said, long=long.value or "", uri=long.uri or "", icon=long.icon_link or "", format=int(long.format))


def node_declaration(options: Mapping[str, Any]) -> NodeDeclaration:
    """What the overrides of a node declare."""
    id = dns_name(str(options["node_name"])) if options.get("node_name") else ""
    return NodeDeclaration(id, str(options.get("name") or ""), *requests_and_limits(options))


def requests_and_limits(options: Mapping[str, Any]) -> tuple[Resources | None, Resources | None]:
    """The two apart. What is said once is a request; of a pair the first is the request and the second the limit."""
    requests: dict[str, str] = {}
    limits: dict[str, str] = {}
    for name in _QUANTITIES:
        _add(name, options.get(name), requests, limits)
        _add(name, _quantity(options.get("resources"), name), requests, limits)
        _add(name, _quantity(options.get("requests"), name), requests, limits)
        _add(name, _quantity(options.get("limits"), name), limits, limits)
    return Resources(**requests) if requests else None, Resources(**limits) if limits else None


def _quantity(source: Any, name: str) -> Any:
    value = getattr(source, name, None)
    return getattr(source, "ephemeral_storage", None) if value in (None, "") and name == "storage" else value


def _add(name: str, value: Any, single: dict[str, str], limits: dict[str, str]) -> None:
    if value in (None, ""):
        return
    if isinstance(value, tuple | list):
        single.setdefault(name, str(value[0]))
        limits.setdefault(name, str(value[-1]))
    else:
        single.setdefault(name, str(value))


def _entities(roots: Iterable[Any]) -> Iterator[Any]:
    """``roots`` and what they name, each once."""
    seen: set[int] = set()
    waiting = list(roots)
    while waiting:
        entity = waiting.pop()
        if id(entity) in seen:
            continue
        seen.add(id(entity))
        yield entity
        waiting.extend(entity.part().entities)


# --- defaults of fields -----------------------------------------------------------------------------------------------


def field_defaults(program: Program) -> dict[str, dict[str, Any]]:
    """Of every dataclass in the interfaces of ``program``, the defaults of its fields that JSON can say."""
    found: dict[str, dict[str, Any]] = {}
    for interface in _interfaces(program):
        kinds = [parameter.type for parameter in interface.inputs.values()]
        kinds += [output.type for output in interface.outputs.values()]
        for kind in kinds:
            for struct in _structs(kind):
                if struct.name not in found:
                    found[struct.name] = _defaults_of(struct)
    return {name: defaults for name, defaults in found.items() if defaults}


def _interfaces(program: Program) -> Iterator[Interface]:
    yield from (task.interface for task in program.tasks.values())
    yield from (graph.interface for graph in program.workflows.values())
    yield from (reference.interface for reference in program.references.values())


def _structs(kind: LiteralType) -> Iterator[StructType]:
    match kind:
        case StructType(fields=dict() as fields):
            yield kind
            for field in fields.values():
                yield from _structs(field)
        case ListType(item=inner) | MapType(value=inner):
            yield from _structs(inner)
        case TupleType(items=parts) | UnionType(variants=parts):
            for part in parts:
                yield from _structs(part)
        case DatasetType(columns=columns):
            for column in columns.values():
                yield from _structs(column)


def _defaults_of(kind: StructType) -> dict[str, Any]:
    served = _class_named(kind.name)
    fields = getattr(served, "__dataclass_fields__", {})
    found: dict[str, Any] = {}
    for name in kind.optional:
        field = fields.get(name)
        default = getattr(field, "default", _NOTHING)
        value = getattr(default, "value", default)  # an enum's
        if isinstance(value, str | int | float | None):
            found[name] = value
    return found


_NOTHING = object()


def _class_named(name: str) -> Any:
    """The class called ``module.QualName``, among the modules that are loaded; ``None`` if it cannot be found."""
    parts = name.split(".")
    for count in range(len(parts) - 1, 0, -1):
        module = sys.modules.get(".".join(parts[:count]))
        if module is not None:
            value: Any = module
            for part in parts[count:]:
                value = getattr(value, part, None)
            return value
    return None
