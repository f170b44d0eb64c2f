"""``InstanceTask``: a task that is an object instead of a function; the base of shell, SQL and container tasks.

Subclass it, write ``execute``, and keep instances in variables at the top level of a module: there workers find them.
Must not know what any subclass runs.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
import sys
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any

from whimbrel.authoring.closure import Closure, closure_of
from whimbrel.authoring.docstrings import parse_docstring
from whimbrel.authoring.options import METADATA_OPTIONS, unknown_option
from whimbrel.authoring.signature import InputSpec, Signature
from whimbrel.authoring.source import line_at
from whimbrel.authoring.task import TASK_OPTIONS, Task
from whimbrel.authoring.task_metadata import TaskMetadata
from whimbrel.errors import CallMismatch, Problem
from whimbrel.model.program import SourceLine

_CONSTANTS = (str, int, float, bool, bytes, type(None))
_OWN = ("whimbrel", "flytekit", "union")


class InstanceTask(Task[..., Any]):
    """A task whose work is ``execute(**inputs)`` of an object.

    ``name`` is the task's full name; ``inputs`` and ``outputs`` are types by name (``kwtypes(x=int)``). Of several
    outputs ``execute`` returns a tuple, in order; of one the value. ``task_config`` is the subclass's; ``options`` are
    those of ``@task``, and ``metadata`` an object that has some of them as attributes. Raises ``CallMismatch`` for
    options that do not exist.
    """

    noun = "task"

    def __init__(
        self,
        name: str,
        *,
        inputs: Mapping[str, Any] | None = None,
        outputs: Mapping[str, Any] | None = None,
        task_config: Any = None,
        metadata: Any = None,
        **options: Any,
    ) -> None:
        if not isinstance(name, str) or not name:
            raise CallMismatch(f"the name of a task is {name!r}. Give it a text.")
        for option in options:
            if option not in TASK_OPTIONS:
                raise unknown_option(option, TASK_OPTIONS)
        said = {key: value for key, value in _said(metadata).items() if key in TASK_OPTIONS}
        super().__init__(_runner(self), {**said, **options})
        self._given_name = name
        self._inputs = dict(inputs or {})
        self._outputs = dict(outputs or {})
        # Not update_wrapper's: those are of the method, which all instances share.
        self._module, self._declared = _made_in(self)
        self._qualname = name
        self.__name__ = name
        self.__doc__ = options.get("docs") if isinstance(options.get("docs"), str) else ""
        self.task_config = task_config

    def execute(self, **inputs: Any) -> Any:
        """Do the work. Runs in a worker; ``current_context()`` is that of the attempt."""
        raise NotImplementedError(f"{type(self).__name__} says nothing of what it does: write `execute`.")

    def settings(self) -> Mapping[str, Any]:
        """What, besides its code, the result depends on: a change makes cached and recorded outcomes those of another
        task. By default the public attributes that are constants, or containers of such."""
        skipped = ("is_async", "fn")
        return {
            key: value
            for key, value in sorted(vars(self).items())
            if not key.startswith("_") and key not in skipped and _constant(value)
        }

    @property
    def name(self) -> str:
        """As it was given."""
        return self._given_name

    @property
    def short_name(self) -> str:
        """The last part of the name."""
        return self._given_name.rpartition(".")[2]

    @property
    def line(self) -> SourceLine:
        """Where it was made."""
        return self._declared

    @property
    def closure(self) -> Closure:
        """The code of the class, and the settings of the instance."""
        found = closure_of(type(self).execute, type(self).__module__)
        text = repr((f"{type(self).__module__}.{type(self).__qualname__}", dict(self.settings())))
        mark = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        components = {**found.components, f"{self.name} (settings)": f"constant:{mark[:16]}"}
        whole = hashlib.sha256(repr(sorted(components.items())).encode()).hexdigest()[:32]
        return Closure(whole, components)

    def _read_signature(self) -> Signature:
        return Signature(
            self.short_name,
            {name: InputSpec(kind) for name, kind in self._inputs.items()},
            None,
            line=self.line,
            doc=parse_docstring(self.__doc__ or "").summary,
            named_outputs=self._outputs,
            unwrap=True,
        )

    def loading_problem(self) -> Problem | None:
        """Why a worker could not import it, if it could not."""
        found = super().loading_problem()
        if found is not None:
            found.file, found.line = self.line.file or None, self.line.line
        return found


def _runner(task: InstanceTask) -> Callable[..., Any]:
    """``execute``, whose several outputs come back by name too."""
    execute = task.execute

    def named(value: Any) -> Any:
        several = task.signature.tuple_type
        fits = type(value) is tuple and len(value) == len(task.signature.outputs)
        return several(*value) if several is not None and fits else value

    if inspect.iscoroutinefunction(execute):

        @functools.wraps(execute)
        async def awaited(**inputs: Any) -> Any:
            return named(await execute(**inputs))

        return awaited

    @functools.wraps(execute)
    def run(**inputs: Any) -> Any:
        return named(execute(**inputs))

    return run


def _made_in(task: InstanceTask) -> tuple[str, SourceLine]:
    """The module and the line that make the task: of the innermost frame that is not one of its own initializers."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        module = frame.f_globals.get("__name__") or ""
        inside = frame.f_code.co_name == "__init__" and any(value is task for value in frame.f_locals.values())
        if not inside and module.partition(".")[0] not in _OWN:
            return module, line_at(frame.f_code.co_filename, frame.f_lineno)
        frame = frame.f_back
    return "__main__", SourceLine("", 0)


def _said(metadata: Any) -> dict[str, Any]:
    """The options that a ``TaskMetadata`` has, or an object like it."""
    if metadata is None:
        return {}
    if isinstance(metadata, TaskMetadata):
        return metadata.options()
    return {key: value for key in METADATA_OPTIONS if (value := getattr(metadata, key, None)) not in (None, "")}


def _constant(value: Any) -> bool:
    if isinstance(value, list | tuple | set | frozenset):
        return all(_constant(item) for item in value)
    if isinstance(value, Mapping):
        return all(_constant(key) and _constant(item) for key, item in value.items())
    return isinstance(value, _CONSTANTS)
