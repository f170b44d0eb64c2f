"""Everything that is wrong with a module's tasks and workflows, without running anything."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from whimbrel.authoring.body_calls import body_problems
from whimbrel.authoring.compiling import distinct
from whimbrel.authoring.eager import Eager
from whimbrel.authoring.entity import Entity
from whimbrel.authoring.naming import module_name
from whimbrel.authoring.secret_calls import secret_problems
from whimbrel.authoring.task import Task
from whimbrel.errors import CompileError, Problem


def module_entities(module: ModuleType) -> dict[str, Entity[..., Any]]:
    """The tasks, workflows and eager workflows that ``module`` defines, by variable, in order of definition.

    Other decorators around them are looked through, as workers do.
    """
    found = {name: looked_through(value) for name, value in list(vars(module).items())}
    return {
        name: entity
        for name, entity in found.items()
        if entity is not None and module_name(entity._module) == module_name(module.__name__)
    }


def looked_through(value: Any) -> Entity[..., Any] | None:
    """``value`` if it is an entity, or the entity that decorators (``functools.wraps``) stand around; else ``None``."""
    if isinstance(value, Entity):
        return value
    if isinstance(value, type) or not callable(value):
        return None
    # Objects that answer to every name have no such attribute of their own.
    while not isinstance(value, Entity):
        value = getattr(value, "__dict__", {}).get("__wrapped__")
        if value is None:
            return None
    return value


def check_module(module: ModuleType) -> list[Problem]:
    """Every problem of ``module``'s entities and of what they call, in order of file and line."""
    problems: list[Problem] = []
    for entity in module_entities(module).values():
        try:
            entity.program()
            if isinstance(entity, Task):
                problems.extend(secret_problems(entity))
            if isinstance(entity, Eager):
                problems.extend(body_problems(entity))
        except CompileError as error:
            problems.extend(error.problems)
    return sorted(distinct(problems), key=lambda problem: (problem.file or "", problem.line))
