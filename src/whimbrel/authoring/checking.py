"""Everything that is wrong with a module's tasks and workflows, without running anything."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from whimbrel.authoring.compiling import distinct
from whimbrel.authoring.entity import Entity
from whimbrel.authoring.naming import module_name
from whimbrel.errors import CompileError, Problem


def module_entities(module: ModuleType) -> dict[str, Entity[..., Any]]:
    """The tasks, workflows and eager workflows that ``module`` defines, by variable, in order of definition."""
    return {
        name: value
        for name, value in vars(module).items()
        if isinstance(value, Entity) and module_name(value._module) == module_name(module.__name__)
    }


def check_module(module: ModuleType) -> list[Problem]:
    """Every problem of ``module``'s entities and of what they call, in order of file and line."""
    problems: list[Problem] = []
    for entity in module_entities(module).values():
        try:
            entity.program()
        except CompileError as error:
            problems.extend(error.problems)
    return sorted(distinct(problems), key=lambda problem: (problem.file or "", problem.line))
