"""From the name of a function to the function: where a user's file belongs, how it is imported, which entity is meant.

The command line and the workers both come here, so that a module has one name everywhere and a class that crosses
processes is one class.
Knows: sys.path, import. Must not know: what an entity does.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import threading
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, TypeAlias

from whimbrel.authoring.eager import Eager
from whimbrel.authoring.task import Task
from whimbrel.errors import EntityNotFound, InputInvalid
from whimbrel.model.program import CodeRef

_path_lock = threading.Lock()
"""``sys.path`` is the process's: one thread at a time changes it."""


class Location(NamedTuple):
    """A module's dotted name, and the directory that must be on ``sys.path`` for it ("" when none need be added)."""

    module: str
    root: str


def locate(source: str | Path) -> Location:
    """Where ``source`` (a path to a ``.py`` file or package, or a dotted module name) is imported from.

    A file inside packages belongs to the outermost of them, so that its relative imports work. A dotted name is looked
    for from the working directory first, as ``python -m`` does. Raises ``EntityNotFound``, ``InputInvalid``.
    """
    text = str(source)
    path = Path(text)
    if path.suffix == ".py" or path.exists() or "/" in text:
        return _locate_file(path)
    if not all(part.isidentifier() for part in text.split(".")):
        raise InputInvalid(
            f"{text!r} is neither a file nor a module; give a path to a .py file, or a dotted module name"
        )
    here = Path.cwd()
    head = here / text.partition(".")[0]
    if head.is_dir() or head.with_suffix(".py").is_file():
        return Location(text, str(here))
    return Location(text, "")


def _locate_file(path: Path) -> Location:
    try:
        path = path.resolve(strict=True)
    except OSError:
        raise EntityNotFound(f"there is no file {str(path)!r}") from None
    if path.is_dir():
        if not (path / "__init__.py").is_file():
            raise InputInvalid(f"{str(path)!r} is a directory but not a package; name a .py file in it")
        path = path / "__init__.py"
    if path.suffix != ".py":
        raise InputInvalid(f"{str(path)!r} is not a .py file")
    parts = [] if path.name == "__init__.py" else [path.stem]
    folder = path.parent
    while (folder / "__init__.py").is_file():
        parts.append(folder.name)
        folder = folder.parent
    if "." in path.stem or path.stem == "__main__":
        raise InputInvalid(f"{path.name!r} cannot be imported as a module; rename it, for example to 'workflow.py'")
    return Location(".".join(reversed(parts)), str(folder))


def load_module(module: str, root: str = "") -> ModuleType:
    """Import ``module`` with ``root`` first on ``sys.path``.

    What the module's own code raises comes through with a note that says which module it was. Raises ``EntityNotFound``
    when there is no such module, ``InputInvalid`` when another module of that name is loaded already.
    """
    if root and root not in sys.path:
        with _path_lock:
            if root not in sys.path:
                sys.path.insert(0, root)
                importlib.invalidate_caches()
    loaded = _import(module, root)
    _check_origin(loaded, module, root)
    return loaded


def _import(module: str, root: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is not None and (module == error.name or module.startswith(f"{error.name}.")):
            where = f" under {root}" if root else " on the Python path"
            raise EntityNotFound(
                f"there is no module {module!r}{where}; run from its project's directory, or name the file"
            ) from None
        error.add_note(
            f"while importing {module!r}: install the missing package where the workers run, or mend the import"
        )
        raise
    except BaseException as error:
        error.add_note(f"while importing {module!r}: nothing in it can run until the import succeeds")
        raise


def _check_origin(loaded: ModuleType, module: str, root: str) -> None:
    """A file called like a module that is loaded already (``types.py``, ``json.py``) would silently be that other
    module.
    """
    if not root or module == "__main__":
        return
    expected = Path(root, *module.split("."))
    candidates = {str(expected.with_suffix(".py")), str(expected / "__init__.py")}
    origin = getattr(loaded, "__file__", None)
    if origin is None or str(Path(origin).resolve()) in candidates:
        return
    if any(Path(candidate).is_file() for candidate in candidates):
        raise InputInvalid(
            f"the file of module {module!r} under {root} is hidden by {origin}, "
            "which is loaded under the same name; rename the file"
        )


def follow(module: ModuleType, name: str) -> Any:
    """What the dotted ``name`` means in ``module``. Raises ``EntityNotFound``."""
    if "<" in name:
        raise EntityNotFound(
            f"{module.__name__}.{name} is defined inside a function, where a worker cannot find it; "
            "move it to the top of its module"
        )
    found: Any = module
    for part in name.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            raise EntityNotFound(
                f"module {module.__name__!r} ({getattr(module, '__file__', 'built in')}) has no {name!r}; "
                "define it at the top of the module, under the name of its function"
            ) from None
    return found


Runnable: TypeAlias = Task[..., Any] | Eager[..., Any]
"""What a worker runs."""


def load_entity(code: CodeRef) -> Runnable:
    """The task or eager workflow at ``code``; further decorators around it are looked through.

    Raises ``EntityNotFound``, ``InputInvalid``, or whatever the module raises when it is imported.
    """
    found = follow(load_module(code.module, code.root), code.name)
    entity = found
    while not isinstance(entity, Task | Eager):
        entity = getattr(entity, "__wrapped__", None)
        if entity is None:
            raise EntityNotFound(
                f"{code.module}.{code.name} is a {type(found).__name__}, not a task or an eager workflow; "
                "is something else assigned to its name?"
            )
    return entity
