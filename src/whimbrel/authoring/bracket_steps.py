"""The two steps of a bracket: what is called, with which arguments, and which parameters take what the first one gave.

Knows entities' signatures and those of plain functions. Must not know who calls, or when.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from whimbrel.authoring.entity import Entity
from whimbrel.authoring.promise import misuse
from whimbrel.errors import UserError
from whimbrel.model.literal_types import NONE, STRING, UnionType

EMPTY = inspect.Parameter.empty
ERROR = "error"
SINGLE = "o0"


class Step:
    """A task, a workflow or a function, and the arguments that ``functools.partial`` has given it already."""

    def __init__(self, given: Callable[..., Any]) -> None:
        self.given = given
        self.args: tuple[Any, ...] = ()
        self.kwargs: dict[str, Any] = {}
        called = given
        while isinstance(called, functools.partial):
            self.args = (*called.args, *self.args)
            self.kwargs = {**called.keywords, **self.kwargs}
            called = called.func
        if not callable(called):
            raise misuse(
                f"setup_teardown is given {type(called).__name__}", "Give it two tasks: before, after, not called."
            )
        self.called = called

    @property
    def name(self) -> str:
        """What messages call it."""
        return str(getattr(self.called, "short_name", getattr(self.called, "__name__", "the function")))

    def entity_for_graph(self) -> Any:
        """The entity. Raises ``PromiseMisuse`` for a plain function: a workflow has nothing to run it with."""
        if isinstance(self.called, Entity):
            return self.called
        raise misuse(f"setup_teardown is given the plain function {self.name}", "Make it a task: is the @task missing?")

    def call(self, more: Mapping[str, Any]) -> Any:
        """Call it."""
        return self.called(*self.args, **self.kwargs, **more)

    def parameters(self) -> dict[str, Any]:
        """The defaults of its parameters that nothing is given for yet, ``EMPTY`` where there is none."""
        if isinstance(self.called, Entity):
            read = self.called.read
            known = {name: read.defaults.get(name, EMPTY) for name in read.names}
        else:
            kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
            declared = inspect.signature(self.called).parameters.values()
            known = {one.name: one.default for one in declared if one.kind not in kinds}
        for name in [*list(known)[: len(self.args)], *self.kwargs]:
            known.pop(name, None)
        return known

    def output_names(self) -> tuple[str, ...]:
        """The names of what it gives. Of a plain function nothing is known: one value."""
        return tuple(self.called.read.outputs) if isinstance(self.called, Entity) else (SINGLE,)

    def outputs_of(self, value: Any) -> dict[str, Any]:
        """What it gave, by name."""
        if isinstance(self.called, Entity):
            return self.called.signature.outputs_by_name(value)
        return {} if value is None else {SINGLE: value}

    def takes_none(self, parameter: str) -> bool:
        """Whether ``None`` may be given for a parameter."""
        if isinstance(self.called, Entity):
            transformer = self.called.read.inputs.get(parameter)
            if transformer is None:
                return False
            try:
                transformer.check(None)
            except UserError:
                return False
            return True
        return "None" in str(inspect.signature(self.called).parameters[parameter].annotation)

    def check_error_parameter(self, parameter: str) -> None:
        """Raise ``PromiseMisuse`` unless the parameter takes both a text and ``None``."""
        transformer = self.called.read.inputs.get(parameter) if isinstance(self.called, Entity) else None
        kind = transformer.literal_type if transformer is not None else None
        if not (isinstance(kind, UnionType) and STRING in kind.variants and NONE in kind.variants):
            raise misuse(
                f"the parameter {parameter!r} of {self.name} is told what went wrong", "Annotate it `str | None`."
            )


def arguments_after(
    before: Step, after: Step, outputs: Mapping[str, Any] | None, error: str | None
) -> dict[str, Any] | None:
    """The arguments of ``after`` that come from ``before`` and from the error. ``outputs`` is ``None`` when ``before``
    gave nothing.

    ``None`` when ``after`` cannot do without what was not given. Raises ``PromiseMisuse`` for a parameter that nothing
    is for.
    """
    given: dict[str, Any] = {}
    for parameter, output in _taken(before, after).items():
        if output == ERROR:
            given[parameter] = error
        elif outputs is not None and output in outputs:
            given[parameter] = outputs[output]
        elif after.parameters()[parameter] is not EMPTY:
            continue
        elif after.takes_none(parameter):
            given[parameter] = None
        else:
            return None
    return given


def _taken(before: Step, after: Step) -> dict[str, str]:
    """The output that each parameter of ``after`` takes; ``error`` for the one that is told the error."""
    left = after.parameters()
    names = before.output_names()
    found = {name: name for name in left if name in names}
    if ERROR in left and ERROR not in found:
        found[ERROR] = ERROR
    others = [name for name in left if name not in found]
    if names == (SINGLE,) and others:
        first = next((name for name in others if left[name] is EMPTY), others[0])
        # A parameter with a default takes the value only where it is the one that could.
        if left[first] is EMPTY or len(others) == 1:
            found[first] = SINGLE
    missing = [name for name in others if name not in found and left[name] is EMPTY]
    if missing:
        gives = ", ".join(names) if names and names != (SINGLE,) else "one value" if names else "nothing"
        raise misuse(
            f"the teardown {after.name} takes {', '.join(map(repr, missing))}, but the setup {before.name} gives "
            f"{gives}",
            "Name its parameters like the outputs of the setup, or give them with functools.partial.",
        )
    return found
