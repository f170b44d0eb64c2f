"""Stand-ins for tasks, workflows and eager workflows: the engine runs everything around them as ever.

Nothing is patched: a stand-in lives in the engine that it was given to. Inputs are checked and encoded as if the real
one were called, and what the stand-in returns is encoded by the real one's annotations.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterator
from typing import Any, Final

from msgspec.structs import replace

from whimbrel.authoring.entity import Configured, Entity
from whimbrel.authoring.entry import single_task_program
from whimbrel.authoring.launch_plan import LaunchPlan
from whimbrel.authoring.workflow import Workflow
from whimbrel.errors import CallMismatch
from whimbrel.model.launch_plan import LaunchPlanSpec
from whimbrel.model.program import CodeRef, Metadata, Program, Reference, ReferenceKind, SourceLine, TaskSpec

_NOTHING: Final = object()


class Mock:
    """What stands in for an entity, or for every entity of a class. ``calls`` are the inputs of each execution.

    ``returns`` is the value of every call. ``side_effect`` is an exception (class or instance) to raise, a function
    (or coroutine function) that takes the inputs and gives the value, or an iterable of values and exceptions, one for
    each call. ``takes`` is how long a call takes, in seconds of the world.
    """

    def __init__(self, *, returns: Any = _NOTHING, side_effect: Any = None, takes: float = 0.0) -> None:
        if returns is not _NOTHING and side_effect is not None:
            raise CallMismatch("a mock either returns a value or has a side effect: give one of them")
        self.calls: list[dict[str, Any]] = []
        self.takes = takes
        self._returns = None if returns is _NOTHING else returns
        self._effect = side_effect
        self._row: Iterator[Any] | None = None
        if side_effect is not None and not callable(side_effect) and not isinstance(side_effect, BaseException):
            self._row = iter(side_effect)

    @property
    def call_count(self) -> int:
        """How often it was executed, retries included."""
        return len(self.calls)

    def __call__(self, **inputs: Any) -> Any:
        """One execution: a value, or a coroutine where the side effect is a coroutine function."""
        self.calls.append(inputs)
        effect = self._effect
        if self._row is not None:
            effect = next(self._row, _NOTHING)
            if effect is _NOTHING:
                raise CallMismatch(f"the mock was called {len(self.calls)} times, but has fewer side effects")
            if not _is_exception(effect):
                return effect
        if _is_exception(effect):
            raise effect
        if effect is None:
            return self._returns
        return effect(**inputs)


class StandIn:
    """An entity with another function: what executors and drivers ask of an entity."""

    def __init__(self, entity: Entity[..., Any], mock: Mock) -> None:
        self.entity = entity
        self.mock = mock
        self.name = entity.name
        self.signature = entity.signature
        is_coroutine = bool(getattr(entity, "is_eager", False)) or inspect.iscoroutinefunction(mock._effect)
        self.fn: Callable[..., Any] = self._awaited if is_coroutine else mock.__call__

    def code_digest(self) -> str:
        """The real one's: a journal made with a stand-in is a journal of the real program."""
        return self.entity.code_digest()

    def program(self) -> Program:
        """The real one's."""
        return self.entity.program()

    async def _awaited(self, **inputs: Any) -> Any:
        value = self.mock(**inputs)
        if self.mock.takes and getattr(self.entity, "is_eager", False):
            await asyncio.sleep(self.mock.takes)
        return await value if inspect.isawaitable(value) else value


STANDING_IN: Final[dict[str, StandIn]] = {}
"""The stand-ins that hold for every engine, by name, while a block of ``standing_in`` lasts."""


class Cast:
    """The stand-ins of an engine."""

    def __init__(self) -> None:
        self._named: dict[str, StandIn] = {}
        self._kinds: list[tuple[type, Mock]] = []

    def add(self, what: Any, mock: Mock) -> Mock:
        """``mock`` stands in for an entity, or for every entity of a class. Raises ``CallMismatch``."""
        if isinstance(what, Configured):
            what = what.entity
        if isinstance(what, type):
            self._kinds.append((what, mock))
        elif isinstance(what, Entity):
            self._named[what.name] = StandIn(what, mock)
        else:
            raise CallMismatch(
                f"{what!r} cannot be mocked: give a task, a workflow, an eager workflow, or a class of tasks"
            )
        return mock

    def of(self, entity: Any) -> Any:
        """The stand-in for ``entity``, or ``entity``."""
        found = self.named(entity.name)
        if found is None:
            mock = next((mock for kind, mock in reversed(self._kinds) if isinstance(entity, kind)), None)
            if mock is None:
                return entity
            found = self._named[entity.name] = StandIn(entity, mock)
        return found

    def named(self, name: str) -> StandIn | None:
        """The stand-in for the entity of that name."""
        return self._named.get(name) or STANDING_IN.get(name)

    def takes(self, name: str) -> float:
        """How long a task takes, in seconds of the world."""
        found = self.named(name)
        return found.mock.takes if found is not None else 0.0

    def program(self, program: Program) -> Program:
        """``program`` with each workflow and launch plan that has a stand-in made one step."""
        tasks, workflows, plans = dict(program.tasks), dict(program.workflows), dict(program.launch_plans)
        standing_in = {**STANDING_IN, **self._named}
        for name, found in standing_in.items():
            if name in workflows and isinstance(found.entity, Workflow):
                one_step = single_task_program(_one_step(found.entity, workflows[name].line))
                workflows[name] = replace(one_step.workflows[name], doc=workflows[name].doc)
                tasks.update(one_step.tasks)
            elif name in plans and isinstance(found.entity, LaunchPlan):
                one_step = single_task_program(_one_step(found.entity, found.entity.line))
                step = f"{name}:stand-in"
                workflows[step] = replace(one_step.workflows[name], name=step)
                plans[name] = replace(plans[name], workflow=step, defaults={}, fixed={})
                tasks.update(one_step.tasks)
        references = {name: each for name, each in program.references.items() if name not in standing_in}
        for name in program.references.keys() - references.keys():
            one_step = single_task_program(_one_step(standing_in[name].entity, standing_in[name].entity.line))
            tasks.update(one_step.tasks)
            stand_in = replace(one_step.workflows[name], name=f"{name}:stand-in")
            match program.references[name]:
                case Reference(kind=ReferenceKind.WORKFLOW):
                    workflows[name] = one_step.workflows[name]
                case Reference(kind=ReferenceKind.LAUNCH_PLAN, interface=interface):
                    workflows[stand_in.name] = stand_in
                    plans[name] = LaunchPlanSpec(name, stand_in.name, interface)
        return Program(tasks, workflows, plans, references)


def _one_step(entity: Entity[..., Any], line: SourceLine | None) -> TaskSpec:
    return TaskSpec(
        entity.name,
        entity.interface,
        CodeRef("", entity.name, ""),
        metadata=Metadata(),
        line=line,
    )


def _is_exception(value: Any) -> bool:
    return isinstance(value, BaseException) or (isinstance(value, type) and issubclass(value, BaseException))
