"""What stands between flytekit's names and whimbrel's: decorators that speak flytekit's options, the words for names
that are not here, and the refusal to share an environment with the real thing.

Everything else in this distribution re-exports. Entities made here are plain whimbrel entities.
"""

from __future__ import annotations

import functools
import importlib
import os
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, NamedTuple, ParamSpec, TypeVar, overload

from flytekit._remote.distant import from_here
from whimbrel.authoring.dynamic import Dynamic, DynamicDecorator
from whimbrel.authoring.dynamic import dynamic as _dynamic
from whimbrel.authoring.eager import Eager, EagerDecorator
from whimbrel.authoring.eager import eager as _eager
from whimbrel.authoring.mixed_eager import mixed_eager as _mixed
from whimbrel.authoring.task import Task, TaskDecorator
from whimbrel.authoring.task import task as _task
from whimbrel.authoring.workflow import Workflow, WorkflowDecorator
from whimbrel.authoring.workflow import workflow as _workflow
from whimbrel.errors import CallMismatch, UserError

P = ParamSpec("P")
R = TypeVar("R")


class NotInThisRelease(UserError):
    """flytekit has it, this release has not; use what the message names."""


# --- alone in its environment -----------------------------------------------------------------------------------------


def refuse_beside(distribution: str) -> None:
    """Raise ``ImportError`` if the real ``distribution`` is installed too: its files and ours overwrite each other.

    Looks for its directory of metadata, as ``importlib.metadata`` does, whose import alone would take longer than
    everything else here.
    """
    for directory in dict.fromkeys(sys.path):
        try:
            entries = os.listdir(directory or ".")
        except OSError:  # an archive, or nothing
            continue
        for entry in entries:
            name, _, rest = entry.partition("-")
            if name.lower() == distribution and rest.endswith(".dist-info"):
                raise ImportError(
                    f"{directory} holds {distribution} {rest.removesuffix('.dist-info')} beside whimbrel-flytekit, "
                    f"which carries the import name {distribution!r} as well. Keep one of them in an environment: "
                    f"`pip uninstall {distribution}`, then `pip install --force-reinstall --no-deps whimbrel-flytekit`."
                )


refuse_beside("flytekit")


# --- names that are not here ------------------------------------------------------------------------------------------


class Absence(NamedTuple):
    """Why a name is not here: ``status`` is ``planned``, ``unsupported`` or ``inside``; ``instead`` says what to do."""

    status: str
    instead: str

    def told_of(self, name: str) -> str:
        """The message."""
        return f"{name} {_SAID[self.status]} whimbrel-flytekit. {self.instead}"


_SAID = {
    "planned": "is planned, but not in this release of",
    "unsupported": "is not supported by",
    "inside": "is part of flytekit's inside, which is not in",
}


INSIDE = "The names for authors are in docs/reference/flytekit-surface.md; what runs them is under whimbrel."


@functools.cache
def surface() -> dict[str, dict[str, Any]]:
    """The tables of ``supported.toml``, by module."""
    import tomllib  # only for a name that is not here

    return tomllib.loads((Path(__file__).parent / "supported.toml").read_text(encoding="utf-8"))


def absence(module: str, name: str = "") -> Absence | None:
    """Why ``module``, or ``name`` in it, is not here. ``None`` if it is, or what flytekit has not either."""
    table = surface().get(module, {})
    if "absent" in table:
        return Absence(table["absent"], table["instead"])
    for status in ("planned", "unsupported"):
        if name in table.get(status, {}):
            return Absence(status, table[status][name])
    return Absence("inside", INSIDE) if name in table.get("inside", ()) else None


def missing(module: str) -> Callable[[str], Any]:
    """The ``__getattr__`` of ``module``. A name of flytekit's raises ``ImportError``, which says what to do instead.

    An ``AttributeError`` would be swallowed by the import statement, words and all.
    """

    def __getattr__(name: str) -> Any:
        if not name.startswith("__"):
            why = absence(module, name) or absence(f"{module}.{name}")
            if why is not None:
                raise ImportError(why.told_of(f"{module}.{name}"), name=module)
            if f"{module}.{name}" in surface():
                # flytekit imports all of itself at once; here a module is imported when it is reached.
                return importlib.import_module(f"{module}.{name}")
        raise AttributeError(f"module {module!r} has no attribute {name!r}")

    return __getattr__


class AbsentModules:
    """Finds no module: it says why one of flytekit's is not here, when nobody else has found it."""

    def find_spec(self, name: str, *_: Any) -> None:
        """Raise ``ModuleNotFoundError`` with the reason, if there is one."""
        why = absence(name) if name.startswith("flytekit.") else None
        if why is not None:
            raise ModuleNotFoundError(why.told_of(name), name=name)


def explain_absent_modules() -> None:
    """Let ``import flytekit.deck`` and the like say what to do instead."""
    if not any(isinstance(finder, AbsentModules) for finder in sys.meta_path):
        sys.meta_path.append(AbsentModules())


# --- decorators -------------------------------------------------------------------------------------------------------

# What a task can be told there and would mean another way of running it: silence would be a lie.
_REFUSED = {
    "execution_mode": "Write loops and branches in an eager workflow.",
    "task_config": "There are no task plugins: use the library inside the task's function.",
    "task_resolver": "Tasks are found by import: keep them at the top level of a module.",
}
# What is said to a cluster or a console, and has no meaning where runs are local. (Others whimbrel keeps as data.)
_UNHEARD = ("annotations", "labels", "max_parallelism")


def _translated(fn: Callable[..., Any], options: dict[str, Any]) -> dict[str, Any]:
    said = {name: value for name, value in options.items() if name not in _UNHEARD}
    for name, instead in _REFUSED.items():
        if said.pop(name, None) is not None:
            raise CallMismatch(
                f"the option {name} of {fn.__qualname__} is not in this release of whimbrel-flytekit. {instead}"
            )
    options_for = getattr(said.get("cache"), "options_for", None)
    if options_for is not None:  # flytekit.Cache; its module is above this one
        said |= options_for(fn, said.get("container_image"))
    return said


@overload
def task(fn: Callable[P, Coroutine[Any, Any, R]], /) -> Task[P, R]: ...
@overload
def task(fn: Callable[P, R], /) -> Task[P, R]: ...
@overload
def task(fn: None = None, /, **options: Any) -> TaskDecorator: ...
def task(fn: Any = None, /, **options: Any) -> Any:
    """A function with types that an engine can run, with flytekit's options.

    Options for clusters and consoles (pod templates, accelerators, labels, decks) have no effect on local runs. Raises
    ``whimbrel.errors.CallMismatch`` for those that would change what runs (``task_config``, ``task_resolver``).
    """
    if fn is None:
        return lambda fn: task(fn, **options)
    return _task(**_translated(fn, options))(fn)


@overload
def workflow(fn: Callable[P, R], /) -> Workflow[P, R]: ...
@overload
def workflow(fn: None = None, /, **options: Any) -> WorkflowDecorator: ...
def workflow(fn: Any = None, /, **options: Any) -> Any:
    """A function whose body lays out a graph of tasks, with flytekit's options."""
    if fn is None:
        return lambda fn: workflow(fn, **options)
    return _workflow(**_translated(fn, options))(fn)


@overload
def dynamic(fn: Callable[P, R], /) -> Dynamic[P, R]: ...
@overload
def dynamic(fn: None = None, /, **options: Any) -> DynamicDecorator: ...
def dynamic(fn: Any = None, /, **options: Any) -> Any:
    """A task whose body lays out a graph when it runs, with flytekit's options of tasks and of workflows."""
    if fn is None:
        return lambda fn: dynamic(fn, **options)
    return _dynamic(**_translated(fn, options))(fn)


@overload
def awaited_eager(fn: Callable[P, Coroutine[Any, Any, R]], /) -> Eager[P, R]: ...
@overload
def awaited_eager(fn: None = None, /, **options: Any) -> EagerDecorator: ...
def awaited_eager(fn: Any = None, /, **options: Any) -> Any:
    """``flytekit.experimental.eager``: in the body every task, workflow and eager workflow is awaited.

    ``remote``, ``client_secret_group`` and ``client_secret_key`` are accepted; an engine needs none of them. With
    ``local_entrypoint=True`` a plain call runs the body here and what it calls on the server of ``remote``.
    """
    if fn is None:
        return lambda fn: awaited_eager(fn, **options)
    if options.get("local_entrypoint"):
        if options.get("remote") is None:
            raise CallMismatch(
                f"{fn.__qualname__} has local_entrypoint=True and no remote to call. Give it remote=FlyteRemote(…)."
            )
        fn = from_here(fn, options["remote"])
    return _eager(**_translated(fn, options))(fn)


@overload
def blocking_eager(fn: Callable[P, Coroutine[Any, Any, R]], /) -> Eager[P, R]: ...
@overload
def blocking_eager(fn: None = None, /, **options: Any) -> EagerDecorator: ...
def blocking_eager(fn: Any = None, /, **options: Any) -> Any:
    """``flytekit.eager`` of 1.16: async tasks and eager workflows are awaited, the rest blocks and gives its value."""
    if fn is None:
        return lambda fn: blocking_eager(fn, **options)
    return _mixed(**_translated(fn, options))(fn)
