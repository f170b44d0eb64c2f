"""What an entity is called, and where a worker finds it: module, dotted name, directory.

Knows modules and functions. Must not know what the entities do.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from whimbrel.authoring.source import function_line
from whimbrel.errors import Problem
from whimbrel.model.program import CodeRef


def module_name(module: str) -> str:
    """``module`` as an importer would call it: ``__main__`` is the module that ``-m`` named, or the script's stem."""
    if module != "__main__":
        return module
    main = sys.modules.get("__main__")
    spec = getattr(main, "__spec__", None)
    if spec is not None and spec.name:
        name: str = spec.name
        return name.removesuffix(".__main__") if name.endswith(".__main__") else name
    file = _file_of(main)
    return os.path.splitext(os.path.basename(file))[0] if file else "__main__"


def _file_of(module: ModuleType | None) -> str:
    """Its file; "" for what was typed at a prompt or piped in, which calls itself ``<stdin>``."""
    file = getattr(module, "__file__", None) or ""
    return "" if file.startswith("<") else file


def module_root(module: str) -> str:
    """The directory that must be on the path so that ``module`` can be imported; "" when it has no file."""
    loaded = sys.modules.get(module)
    file = _file_of(loaded)
    if not file:
        return ""
    root: str = os.path.dirname(os.path.abspath(file))
    depth = module_name(module).count(".")
    if os.path.splitext(os.path.basename(file))[0] == "__init__":
        depth += 1
    for _ in range(depth):
        root = os.path.dirname(root)
    return root


def follow(module: ModuleType, name: str) -> Any:
    """What ``name``'s dots lead to in ``module``; ``None`` if they lead nowhere."""
    found: Any = module
    for part in name.split("."):
        found = getattr(found, part, None)
        if found is None:
            return None
    return found


def find_name(entity: object, module: str, qualname: str) -> str:
    """The name under which ``module`` holds ``entity``: its function's, or a variable's; "" if it holds it nowhere."""
    loaded = sys.modules.get(module)
    if loaded is None:
        return ""
    if "<" not in qualname and follow(loaded, qualname) is entity:
        return qualname
    return next((name for name, value in list(vars(loaded).items()) if value is entity), "")


def code_ref(entity: object, module: str, qualname: str) -> CodeRef:
    """Where a worker finds ``entity``."""
    return CodeRef(module_name(module), find_name(entity, module, qualname) or qualname, module_root(module))


def loading_problem(entity: object, fn: Callable[..., Any], noun: str, module: str, qualname: str) -> Problem | None:
    """Why a worker could not load ``entity``, if it could not."""
    line = function_line(fn)
    place: dict[str, Any] = {"file": line.file or None, "line": line.line}
    name = find_name(entity, module, qualname)
    if not name:
        inside, nested, _ = qualname.rpartition(".<locals>.")
        if nested:
            return Problem(
                f"the {noun} {qualname.rpartition('.')[2]!r} is made inside {inside}(): a worker cannot import it",
                remedy="Move it to the top level of its module, or assign it to a variable there; "
                "if a decorator made it, put `@functools.wraps(fn)` on its wrapper.",
                **place,
            )
        if "<lambda>" in qualname:
            return Problem(
                f"a {noun} is made of a lambda: a worker cannot import it",
                remedy="Define a function with `def` at the top level of its module.",
                **place,
            )
        return Problem(
            f"the {noun} {qualname!r} cannot be found in the module {module_name(module)!r}: a worker cannot import it",
            remedy="Keep it in a variable at the top level of its module, under one name.",
            **place,
        )
    if not module_root(module):
        return Problem(
            f"the {noun} {qualname!r} is in the module {module!r}, which has no file: a worker cannot import it",
            remedy="Write it in a file.",
            **place,
        )
    return None
