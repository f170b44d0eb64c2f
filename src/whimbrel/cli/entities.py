"""From FILE and NAME on the command line to the entity that is meant, or a message that says what there is.

Knows: entities, how modules are loaded. Must not know: engines, options.
"""

from __future__ import annotations

import difflib
from types import ModuleType
from typing import Any

from whimbrel.authoring.checking import looked_through
from whimbrel.authoring.entity import Entity
from whimbrel.cli.failures import LoadFailed
from whimbrel.errors import EntityNotFound, InputInvalid, UserError
from whimbrel.runtime.loading import load_module, locate


def load_file(source: str) -> ModuleType:
    """The module that ``source`` (a path or a dotted name) means.

    Raises ``EntityNotFound``, ``InputInvalid``; ``LoadFailed`` when the module itself raises.
    """
    location = locate(source)
    try:
        return load_module(location.module, location.root)
    except UserError:
        raise
    except (Exception, SystemExit) as error:
        raise LoadFailed(source, error) from error


def entities_of(module: ModuleType) -> dict[str, Entity[..., Any]]:
    """The entities in ``module``, imported ones too, by the name that it has for each, in the order of the file."""
    found = {name: looked_through(value) for name, value in list(vars(module).items())}
    return {name: entity for name, entity in found.items() if entity is not None}


def find_entity(module: ModuleType, name: str, source: str) -> Entity[..., Any]:
    """The entity ``name`` (dots allowed) of ``module``. Raises ``EntityNotFound``, ``InputInvalid``."""
    value: Any = module
    for part in name.split("."):
        try:
            value = getattr(value, part)
        except AttributeError:
            # A launch plan's name need not be that of the variable it is in.
            named = [entity for entity in entities_of(module).values() if entity.name == name]
            if named:
                return named[0]
            raise EntityNotFound(f"{source} has no {name!r}; {what_there_is(module, name)}") from None
    entity = looked_through(value)
    if entity is None:
        kind = type(value).__name__
        raise InputInvalid(f"{name!r} in {source} is a {kind}, not a task or workflow; {what_there_is(module, name)}")
    return entity


def what_there_is(module: ModuleType, name: str = "") -> str:
    """The sentence that lists what a file has, the likeliest first."""
    there = entities_of(module)
    if not there:
        return "it has no task, workflow or eager workflow at its top level"
    close = difflib.get_close_matches(name, there, n=1)
    hint = f"did you mean {close[0]!r}? It has " if close else "it has "
    return hint + ", ".join(f"{key} ({entity.noun})" for key, entity in there.items())
