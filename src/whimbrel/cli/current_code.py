"""The entities of a recorded program as they are on disk now.

Knows: how entities are loaded. Must not know: what is done with the difference.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from msgspec.structs import replace

from whimbrel.authoring.checking import looked_through
from whimbrel.authoring.entity import Entity
from whimbrel.cli.entities import entities_of, load_file, what_there_is
from whimbrel.controlplane.rerun import changes
from whimbrel.errors import EntityNotFound, UserError
from whimbrel.model.attempt import BeginCall, Unfolded
from whimbrel.model.events import Event, RunRequested
from whimbrel.model.program import Program
from whimbrel.runtime.loading import load_entity, load_module, locate


def root_entity(program: Program, workflow: str, source: str, code: str | None) -> Entity[..., Any]:
    """The entity that a recorded run ran, from the file ``code``, else from where it came from.

    Raises ``EntityNotFound``, and what loading raises.
    """
    module, label = _module(program, workflow, source, code)
    found = list(entities_of(module).values())
    short = workflow.rpartition(".")[2]
    alike = [entity for entity in found if entity.name == workflow] or [
        entity for entity in found if entity.short_name == short
    ]
    if alike:
        return alike[0]
    raise EntityNotFound(f"{label} has no {short!r} any more; {what_there_is(module, short)}")


def _module(program: Program, workflow: str, source: str, code: str | None) -> tuple[ModuleType, str]:
    if code is not None:
        return load_file(code), code
    spec = program.tasks.get(workflow)
    if spec is not None:
        return load_module(spec.code.module, spec.code.root), spec.code.module
    line = program.workflows[workflow].line if workflow in program.workflows else None
    # Absolute, where what the user wrote may have been relative to another directory.
    file = line.file if line is not None and Path(line.file).is_file() else source
    return load_file(file), file


def current_program(program: Program, code: str | None = None) -> Program:
    """The tasks and workflows of ``program`` as they are now; those that are gone, or cannot be compiled any more,
    are left out. ``code`` is a file whose directory is looked at in place of the recorded one."""
    root = locate(code).root if code is not None else None
    found = Program({}, {})
    for name, spec in program.tasks.items():
        where = spec.code if root is None else replace(spec.code, root=root)
        try:
            found.tasks[name] = load_entity(where).spec()
        except (UserError, ImportError):
            continue
    for name in program.workflows:
        entity = named_entity(name)
        if entity is not None and name not in found.workflows:
            try:
                found = found.merged(entity.program())
            except UserError:
                continue
    return found


def named_entity(name: str) -> Entity[..., Any] | None:
    """The entity ``module.qualname``, of a module that is loaded or can be; ``None`` if there is none."""
    module, _, rest = name.rpartition(".")
    while module and module not in sys.modules:
        try:
            importlib.import_module(module)
        except ImportError:
            module, _, tail = module.rpartition(".")
            rest = f"{tail}.{rest}"
    value: Any = sys.modules.get(module)
    for step in rest.split("."):
        value = getattr(value, step, None)
    return looked_through(value)


def changed_since(program: Program) -> dict[str, list[str]]:
    """What has changed in the tasks of ``program`` since they were recorded, by task."""
    now = current_program(program)
    said: dict[str, list[str]] = {}
    for name, spec in program.tasks.items():
        there = now.tasks.get(name)
        parts = [f"{name} is gone"] if there is None else changes(spec, there)
        if parts:
            said[name] = parts
    return said


def recorded_program(events: Sequence[Event]) -> Program:
    """Everything that a run was begun with, and that its eager bodies brought since."""
    program = Program({}, {})
    for event in events:
        if isinstance(event, RunRequested):
            program = event.program
        elif isinstance(event, BeginCall | Unfolded) and event.define is not None:
            program = program.merged(event.define)
    return program


def warn_of_changes(program: Program, err: Callable[[str], None]) -> None:
    """Say what of a run's code is not what it was when it was recorded."""
    try:
        changed = changed_since(program)
    except Exception as error:  # the author's module raised
        err(f"whimbrel: the code does not load any more: {type(error).__name__}: {error}")
        return
    parts = list(dict.fromkeys(part for said in changed.values() for part in said))
    if parts:
        err("whimbrel: the code has changed since this run began; what had finished is kept")
        for part in parts:
            err(f"  {part}")
