"""References: entities that were registered by somebody else, called by their names.

They compile, and their calls are checked against the signature that is declared here. What a reference points at is
found by its name, ``module.function``, when that can be imported: then it runs here like any other entity. Must not
know servers.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Coroutine, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Any, ParamSpec, Protocol, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from whimbrel.authoring.compiling import close_program
from whimbrel.authoring.context import ExecutionContext
from whimbrel.authoring.entity import Entity, Part
from whimbrel.authoring.launch_plan import LaunchPlan
from whimbrel.authoring.signature import InputSpec, Signature
from whimbrel.authoring.source import caller_line, caller_module
from whimbrel.authoring.task import Task
from whimbrel.authoring.workflow import Workflow
from whimbrel.errors import CallMismatch, Problem, UnresolvedReference, UserError
from whimbrel.graph.references import unresolved_text
from whimbrel.model.literal_types import assignable, describe
from whimbrel.model.program import (
    START,
    Graph,
    LaunchPlanTarget,
    Node,
    Program,
    PromiseBinding,
    Reference,
    ReferenceKind,
    SourceLine,
    TaskTarget,
    WorkflowTarget,
)

P = ParamSpec("P")
R = TypeVar("R")


class TaskReference(Struct, frozen=True):
    """The full id of a task."""

    project: str
    domain: str
    name: str
    version: str


class WorkflowReference(TaskReference, frozen=True):
    """The full id of a workflow."""


class LaunchPlanReference(TaskReference, frozen=True):
    """The full id of a launch plan."""


_TARGETS: Mapping[ReferenceKind, type[TaskTarget | WorkflowTarget | LaunchPlanTarget]] = MappingProxyType(
    {
        ReferenceKind.TASK: TaskTarget,
        ReferenceKind.WORKFLOW: WorkflowTarget,
        ReferenceKind.LAUNCH_PLAN: LaunchPlanTarget,
    }
)
_WANTED: Mapping[ReferenceKind, type[Entity[..., Any]]] = MappingProxyType(
    {ReferenceKind.TASK: Task, ReferenceKind.WORKFLOW: Workflow, ReferenceKind.LAUNCH_PLAN: LaunchPlan}
)


class ReferenceEntity(Entity[P, R]):
    """Something to call by its name. ``reference`` is its full id."""

    kind: ReferenceKind | None = None

    def __init__(self, fn: Callable[..., Any], id: TaskReference, *, module: str, line: SourceLine) -> None:
        super().__init__(fn)
        for field in ("project", "domain", "name", "version"):
            if not isinstance(getattr(id, field), str) or (field == "name" and not id.name):
                raise CallMismatch(f"the {field} of a reference is {getattr(id, field)!r}. Give its text.")
        self.reference = id
        self._name = id.name
        self._module = module
        self._line = line

    @property
    def noun(self) -> str:  # type: ignore[override]  # a constant of the other entities
        """What messages call it."""
        return "reference" if self.kind is None else f"{self.kind.value.replace('_', ' ')} reference"

    @property
    def id(self) -> TaskReference:
        """The full id."""
        given: TaskReference = self.reference
        return given

    @property
    def line(self) -> SourceLine:
        """Where it is declared."""
        return self._line

    @property
    def short_name(self) -> str:
        """The last part of its name."""
        return self._name.rpartition(".")[2]

    @property
    def part_key(self) -> tuple[Any, str]:
        """What it points at has the same name."""
        return "reference", self.name

    @property
    def entry_name(self) -> str:
        """The workflow that runs it by itself."""
        return f"{self.name}:reference"

    def loading_problem(self) -> Problem | None:
        """``None``: what it points at is loaded instead."""
        return None

    def code_digest(self) -> str:
        """That of what it points at, "" if that is not known here."""
        return "" if self.resolved is None else self.resolved.code_digest()

    def _kind(self) -> ReferenceKind:
        if self.kind is not None:
            return self.kind
        found = self.resolved
        for kind, wanted in _WANTED.items():
            if isinstance(found, wanted):
                return kind
        return ReferenceKind.TASK

    # --- what it points at -------------------------------------------------------------------------------------------

    @cached_property
    def _found(self) -> tuple[Entity[..., Any] | None, str]:
        """What its name leads to here, or why nothing."""
        value, why = _named(self.name)
        if value is None:
            return None, why
        wanted = Entity if self.kind is None else _WANTED[self.kind]
        if isinstance(value, Workflow) and self.kind is ReferenceKind.LAUNCH_PLAN:
            value = LaunchPlan.get_default_launch_plan(value)
        if not isinstance(value, wanted) or isinstance(value, ReferenceEntity):
            noun = value.noun if isinstance(value, Entity) else type(value).__name__
            return None, f"{self.name} is here, but it is a {noun}"
        return value, ""

    @property
    def resolved(self) -> Entity[..., Any] | None:
        """The entity that it points at, where that can be imported."""
        return self._found[0]

    def there(self) -> Entity[..., Any]:
        """The same. Raises ``UnresolvedReference``."""
        if self.resolved is None:
            raise UnresolvedReference(unresolved_text(self._spec, self._found[1]))
        return self.resolved

    @property
    def _spec(self) -> Reference:
        id = self.reference
        return Reference(self._kind(), id.project, id.domain, id.name, id.version, self.read._interface)

    # --- compiling ---------------------------------------------------------------------------------------------------

    def target(self) -> TaskTarget | WorkflowTarget | LaunchPlanTarget:
        """What a node that runs it names."""
        return _TARGETS[self._kind()](self.name)

    def part(self) -> Part:
        """The reference, and what it points at where that is here."""
        problems = list(self.read.problems)
        if problems:
            return Part(problems=tuple(problems))
        own = Program(references={self.name: self._spec})
        found = self.resolved
        if found is None:
            return Part(own)
        problems = list(self._misfits(found))
        if problems or found.name == self.name:
            return Part(own, (found,), tuple(problems))
        part = found.part()
        return Part(own.merged(_renamed(part.program, found, self.name)), part.entities, part.problems)

    def _misfits(self, found: Entity[..., Any]) -> list[Problem]:
        """Where what is declared is not what is there."""
        if found.read.problems:
            return []  # told where it is defined
        said, there = self.read._interface, found.read._interface
        faults = []
        for name, parameter in said.inputs.items():
            if name not in there.inputs:
                faults.append(f"it has no input {name!r}")
            elif not assignable(parameter.type, there.inputs[name].type):
                faults.append(f"its input {name!r} is {describe(there.inputs[name].type)}")
        faults += [
            f"it needs the input {name!r}"
            for name, parameter in there.inputs.items()
            if name not in said.inputs and parameter.default is None
        ]
        for name, variable in said.outputs.items():
            if name not in there.outputs:
                faults.append(f"it has no output {name!r}")
            elif not assignable(there.outputs[name].type, variable.type):
                faults.append(f"its output {name!r} is {describe(there.outputs[name].type)}")
        line = self._line
        return (
            [
                Problem(
                    f"{self.short_name}: the signature is not that of {found.name}: {'; '.join(faults)}",
                    remedy="Declare what it takes and gives.",
                    file=line.file or None,
                    line=line.line,
                )
            ]
            if faults
            else []
        )

    @cached_property
    def _program(self) -> Program:
        program = close_program(self)
        interface = self.interface
        inputs = {name: PromiseBinding(START, name) for name in interface.inputs}
        node = Node("n0", self.target(), dict(inputs), name=self.short_name, line=self._line)
        outputs = {name: PromiseBinding("n0", name) for name in interface.outputs}
        entry = Graph(self.entry_name, interface, (node,), dict(outputs), line=self._line)
        return replace(program, workflows={**program.workflows, entry.name: entry})

    def program(self) -> Program:
        """It, and what it points at. Raises ``CompileError``."""
        return self._program

    # --- running -----------------------------------------------------------------------------------------------------

    def call_plain(self, args: tuple[Any, ...], kwargs: dict[str, Any], execution: ExecutionContext) -> Any:
        """Check, and call what it points at. Raises ``UnresolvedReference``."""
        inputs = self.signature.bind(args, kwargs)
        self.signature.check_inputs(inputs)
        return self.there().call_plain((), inputs, execution)

    def run_blocking(self, inputs: dict[str, Any], execution: ExecutionContext) -> Any:
        """Run what it points at. Raises ``UnresolvedReference``."""
        return self.there().run_blocking(self._whole(inputs), execution)

    def run_async(self, inputs: dict[str, Any], execution: ExecutionContext) -> Coroutine[Any, Any, Any] | None:
        """The coroutine of what it points at, if that has one. Raises ``UnresolvedReference``."""
        return self.there().run_async(self._whole(inputs), execution)

    def _whole(self, inputs: dict[str, Any]) -> dict[str, Any]:
        return self.there().signature.bind((), inputs)


class ReferenceTask(ReferenceEntity[P, R]):
    """A task by its name."""

    kind = ReferenceKind.TASK


class ReferenceWorkflow(ReferenceEntity[P, R]):
    """A workflow by its name."""

    kind = ReferenceKind.WORKFLOW


class ReferenceLaunchPlan(ReferenceEntity[P, R]):
    """A launch plan by its name."""

    kind = ReferenceKind.LAUNCH_PLAN


class _ByName(ReferenceEntity[P, R]):
    """What ``ref`` gives: it takes and gives what that which it points at does."""

    @property
    def part_key(self) -> tuple[Any, str]:
        """It leaves no id in the program."""
        return "lookup", self.name

    def part(self) -> Part:
        """What it points at."""
        part = super().part()
        return Part(replace(part.program, references={}), part.entities, part.problems)

    def _read_signature(self) -> Signature:
        found = self.resolved
        if found is not None:
            return found.read
        signature = Signature(self.short_name, {}, None, line=self._line)
        signature.add_problem(
            f"{self._found[1]}, so it is not known what it takes and gives",
            "Declare that: `@reference_task(...)` (or _workflow, _launch_plan) over a function with types.",
        )
        return signature


class _Decorator(Protocol):
    def __call__(self, fn: Callable[P, R], /) -> ReferenceEntity[P, R]: ...


def reference_task(project: str, domain: str, name: str, version: str) -> _Decorator:
    """Make a reference to a task of a function that declares what it takes and gives; its body is never run."""
    return _decorator(ReferenceTask, TaskReference(project, domain, name, version))


def reference_workflow(project: str, domain: str, name: str, version: str) -> _Decorator:
    """The same for a workflow."""
    return _decorator(ReferenceWorkflow, WorkflowReference(project, domain, name, version))


def reference_launch_plan(project: str, domain: str, name: str, version: str) -> _Decorator:
    """The same for a launch plan."""
    return _decorator(ReferenceLaunchPlan, LaunchPlanReference(project, domain, name, version))


def _decorator(kind: Any, id: TaskReference) -> _Decorator:
    def decorate(fn: Callable[P, R], /) -> ReferenceEntity[P, R]:
        made: ReferenceEntity[P, R] = kind(fn, id, module=fn.__module__, line=caller_line())
        return made

    return decorate


def ref(name: str, *, project: str = "", domain: str = "", version: str = "") -> ReferenceEntity[..., Any]:
    """A reference to what ``name`` (``module.function``) leads to here: it takes and gives what that does.

    It is looked up when it is first needed, so modules may refer to each other.
    """
    return _ByName(_nothing, TaskReference(project, domain, name, version), module=caller_module(), line=caller_line())


_BY_NUMBER = {1: ReferenceTask, 2: ReferenceWorkflow, 3: ReferenceLaunchPlan}


def get_reference_entity(
    resource_type: int,
    project: str,
    domain: str,
    name: str,
    version: str,
    inputs: Mapping[str, Any],
    outputs: Mapping[str, Any],
) -> ReferenceEntity[..., Any]:
    """A reference whose signature is given as types by name. ``resource_type`` is Flyte's: 1 for a task, 2 for a
    workflow, 3 for a launch plan. Raises ``CallMismatch``."""
    kind = _BY_NUMBER.get(resource_type)
    if kind is None:
        raise CallMismatch(f"resource_type is {resource_type!r}. Give 1 (task), 2 (workflow) or 3 (launch plan).")
    line = caller_line()
    made: ReferenceEntity[..., Any] = kind(
        _nothing, TaskReference(project, domain, name, version), module=caller_module(), line=line
    )
    taken = {key: InputSpec(value) for key, value in inputs.items()}
    made.__dict__["read"] = Signature(made.short_name, taken, None, line=line, named_outputs=dict(outputs))
    return made


def _nothing() -> None:
    """Stands where the function of a reference would."""


def _named(name: str) -> tuple[Any, str]:
    """What ``module.function`` leads to, or why nothing."""
    module, dot, rest = name.rpartition(".")
    if not dot or not all(part.isidentifier() for part in name.split(".")):
        return None, f"{name} is no name of the form module.function"
    while True:
        try:
            there = importlib.util.find_spec(module) is not None
        except (ImportError, ValueError):
            there = False
        if there:
            break
        module, dot, last = module.rpartition(".")
        if not dot:
            return None, f"there is no module for {name} here"
        rest = f"{last}.{rest}"
    try:
        value: Any = importlib.import_module(module)
    except UserError as error:
        return None, f"the module {module} cannot be imported: {error}"
    except Exception as error:
        return None, f"the module {module} cannot be imported: {type(error).__name__}: {error}"
    for part in rest.split("."):
        value = getattr(value, part, None)
        if value is None:
            return None, f"the module {module} has no {rest}"
    return value, ""


def _renamed(program: Program, found: Entity[..., Any], name: str) -> Program:
    """``program`` with ``found`` under the name by which it is referred to."""
    own = found.name

    def named(entities: Mapping[str, Any]) -> dict[str, Any]:
        return {name if key == own else key: replace(e, name=name) if key == own else e for key, e in entities.items()}

    return Program(named(program.tasks), named(program.workflows), named(program.launch_plans), program.references)
