"""Promises: what stands for a value in a workflow's body, and what may be done with one.

A promise may be handed to other entities, looked into (attributes, items), compared for ``conditional``, ordered with
``>>`` and given overrides. Everything else is refused with the author's line and a way out. How a promise is kept is
its subclass's matter: ``NodePromise`` (a node of a graph that is being traced), ``ValuePromise`` (a value, in a plain
Python call).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from whimbrel.authoring.source import caller_position
from whimbrel.authoring.standin import Standin
from whimbrel.errors import Problem, PromiseMisuse

T = TypeVar("T")

IN_TASK = "Do it in a task, or write the workflow as @eager, where `await` gives the value."
IN_CONDITIONAL = (
    'Write `conditional("name").if_(x == 1).then(...).else_().then(...)`, '
    "or do it in a task or an @eager workflow, where `await` gives the value."
)


def misuse(message: str, remedy: str) -> PromiseMisuse:
    """The error, at the author's line."""
    file, line = caller_position()
    error = PromiseMisuse(f"{file}:{line}: {message}. {remedy}")
    error.problem = Problem(message, remedy=remedy, file=file, line=line)
    return error


class Ordered:
    """Something that ``>>`` orders: ``a >> b``, ``a >> [b, c]``, ``[a, b] >> c``, ``a << b``, ``a.runs_before(b)``."""

    __slots__ = ()

    def _precede(self, other: Ordered) -> None:
        """Let ``other`` wait for this."""
        raise NotImplementedError

    def _override(self, options: dict[str, Any]) -> None:
        """Lay options over the node's."""
        raise NotImplementedError

    def runs_before(self, other: Any) -> None:
        """Let ``other`` (a node, promise or list of them) wait for this."""
        order(self, other)

    def with_overrides(self: T, **options: Any) -> T:
        """Other options (retries, timeout, resources, cache, image, name, …) for the node that this comes from."""
        assert isinstance(self, Ordered)
        self._override(options)
        return self

    def __rshift__(self, other: T) -> T:
        order(self, other)
        return other

    def __lshift__(self, other: T) -> T:
        order(other, self)
        return other

    def __rrshift__(self: T, other: Any) -> T:
        order(other, self)
        return self

    def __rlshift__(self: T, other: Any) -> T:
        order(self, other)
        return self


def order(before: Any, after: Any) -> None:
    """Let everything in ``after`` wait for everything in ``before``."""
    followers = list(_ordered(after))
    for first in _ordered(before):
        for second in followers:
            first._precede(second)


def _ordered(thing: Any) -> Iterator[Ordered]:
    if isinstance(thing, Ordered):
        yield thing
    elif isinstance(thing, list | tuple):
        for item in thing:
            yield from _ordered(item)
    else:
        raise misuse(
            f"`>>` orders nodes and promises, not {type(thing).__name__}", "Put the results of calls around it."
        )


class Promise(Ordered, Standin):
    """A value that does not exist yet."""

    __slots__ = ()

    # --- looking into it ---------------------------------------------------------------------------------------------

    def _step(self, step: str | int) -> Promise:
        """What is at ``step`` inside."""
        raise NotImplementedError

    def __getitem__(self, key: Any) -> Promise:
        if isinstance(key, bool) or not isinstance(key, str | int):
            raise misuse(f"{self._what()} is indexed with {key!r}", "Index a promise with a constant str or int.")
        return self._step(key)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return self._step(name)

    # --- conditions --------------------------------------------------------------------------------------------------

    def __eq__(self, other: object) -> Any:
        return Expression("==", self, other)

    def __ne__(self, other: object) -> Any:
        return Expression("!=", self, other)

    def __lt__(self, other: Any) -> Any:
        return Expression("<", self, other)

    def __le__(self, other: Any) -> Any:
        return Expression("<=", self, other)

    def __gt__(self, other: Any) -> Any:
        return Expression(">", self, other)

    def __ge__(self, other: Any) -> Any:
        return Expression(">=", self, other)

    __hash__ = object.__hash__

    def is_true(self) -> Expression:
        """The condition that it is ``True``."""
        return Expression("==", self, True)

    def is_false(self) -> Expression:
        """The condition that it is ``False``."""
        return Expression("==", self, False)

    def is_none(self) -> Expression:
        """The condition that it is ``None``."""
        return Expression("==", self, None)

    def __and__(self, other: Any) -> Any:
        return Expression("and", as_expression(self), as_expression(other))

    def __or__(self, other: Any) -> Any:
        return Expression("or", as_expression(self), as_expression(other))

    __rand__ = __and__
    __ror__ = __or__

    # --- refusing ----------------------------------------------------------------------------------------------------

    def _what(self) -> str:
        """What it is, for messages."""
        return "a promise"

    def _refusal(self, use: str) -> PromiseMisuse:
        remedy = IN_CONDITIONAL if use.startswith("used as a condition") else IN_TASK
        if use == "iterated over":
            remedy = f"To unpack results, let the task declare several outputs (`-> tuple[int, str]`). {remedy}"
        return misuse(f"{self._what()} is {use}, but its value does not exist before the workflow runs", remedy)


_JUNCTIONS = ("and", "or")


class Expression(Standin):
    """A comparison of promises and constants, or two of them joined with ``&`` or ``|``; for ``conditional().if_``."""

    __slots__ = ("left", "op", "right")

    def __init__(self, op: str, left: Any, right: Any) -> None:
        self.op = op
        self.left = left
        self.right = right

    @property
    def junction(self) -> bool:
        """Whether it joins two others."""
        return self.op in _JUNCTIONS

    def __and__(self, other: Any) -> Expression:
        return Expression("and", self, as_expression(other))

    def __or__(self, other: Any) -> Expression:
        return Expression("or", self, as_expression(other))

    def __rand__(self, other: Any) -> Expression:
        return Expression("and", as_expression(other), self)

    def __ror__(self, other: Any) -> Expression:
        return Expression("or", as_expression(other), self)

    def __repr__(self) -> str:
        return f"<condition {self.op}>"

    def _refusal(self, use: str) -> PromiseMisuse:
        if use.startswith("used as a condition"):
            use = "used with if, while, and, or, not"
        return misuse(
            f"a comparison of promises is {use}, but its value does not exist before the workflow runs",
            f"Join comparisons with & and | (in parentheses). {IN_CONDITIONAL}",
        )


def as_expression(thing: Any) -> Expression:
    """``thing`` as a condition: a promise of a bool means that it is true."""
    if isinstance(thing, Expression):
        return thing
    if isinstance(thing, Promise):
        return thing.is_true()
    raise misuse(
        f"a condition is made of {type(thing).__name__}, not of promises",
        "Compare a promise: `x == 1`, `x.is_true()`. What is known beforehand needs no conditional: write `if`.",
    )


class Void(Ordered, Standin):
    """The result of a call without outputs: it can be ordered, and nothing else."""

    __slots__ = ("_entity", "_node")

    def __init__(self, entity: str, node: Ordered) -> None:
        self._entity = entity
        self._node = node

    def _precede(self, other: Ordered) -> None:
        self._node._precede(other)

    def _override(self, options: dict[str, Any]) -> None:
        self._node._override(options)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise self._refusal(f"asked for .{name}")

    def __repr__(self) -> str:
        return f"<nothing, from {self._entity}>"

    def _refusal(self, use: str) -> PromiseMisuse:
        return misuse(
            f"the result of {self._entity}() is {use}, but it has no outputs",
            "Annotate its return type if it returns something.",
        )


class Outputs(Ordered, tuple[Any, ...]):
    """The promises of a call with several outputs: unpack them, index them, or take them by name."""

    _names: tuple[str, ...]
    _node: Ordered
    _entity: str

    @classmethod
    def of(cls, entity: str, names: Sequence[str], promises: Sequence[Any], node: Ordered) -> Outputs:
        """The outputs ``names`` of a call of ``entity``."""
        outputs = cls(promises)
        outputs._names = tuple(names)
        outputs._node = node
        outputs._entity = entity
        for name in ("count", "index"):
            if name in outputs._names:  # else tuple's own methods would be found
                outputs.__dict__[name] = promises[outputs._names.index(name)]
        return outputs

    def _precede(self, other: Ordered) -> None:
        self._node._precede(other)

    def _override(self, options: dict[str, Any]) -> None:
        self._node._override(options)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if name in self._names:
            return self[self._names.index(name)]
        raise misuse(
            f"{self._entity}() has no output {name!r}", f"Its outputs are {', '.join(self._names)}; take one of them."
        )

    def _asdict(self) -> dict[str, Any]:
        """As a named tuple would."""
        return dict(zip(self._names, self, strict=True))

    def __repr__(self) -> str:
        return f"<outputs {', '.join(self._names)} of {self._entity}>"


def results(signature: Any, node: Ordered, promise: Callable[[str], Any]) -> Any:
    """What a call gives back to the author: nothing, a promise, or several; ``promise`` makes one by output name."""
    if signature.result == "single":
        return promise(signature.lone)
    if signature.result == "none":
        return Void(signature.name, node)
    names = tuple(signature.outputs)
    return Outputs.of(signature.name, names, [promise(name) for name in names], node)
