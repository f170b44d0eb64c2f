"""A static workflow as a plain Python call: each call in its body runs at once, in Python's order.

What it gives is a promise that holds its value. Promises here refuse what they refuse when the workflow is compiled, so
that both mean the same. Inside an arm of a ``conditional`` calls are put off: only those of the arm that is taken run.
"""

from __future__ import annotations

import dataclasses
import enum
import operator
from collections.abc import Callable, Mapping
from typing import Any

from whimbrel.authoring.binding import holds_standin
from whimbrel.authoring.context import ExecutionContext
from whimbrel.authoring.options import OVERRIDES, unknown_option
from whimbrel.authoring.promise import Expression, Ordered, Outputs, Promise, Void, misuse, results
from whimbrel.authoring.standin import Standin
from whimbrel.model.program import Metadata


class ValuePromise(Promise):
    """A promise whose value is there."""

    __slots__ = ("_value",)

    def __init__(self, value: Any) -> None:
        self._value = value

    def _resolve(self) -> Any:
        return self._value

    def _step(self, step: str | int) -> Promise:
        return ValuePromise(step_into(self._value, step))

    def _precede(self, other: Ordered) -> None:
        """Python's order has decided already."""

    def _override(self, options: dict[str, Any]) -> None:
        check_overrides(options)

    def _what(self) -> str:
        return f"a promise of {type(self._value).__name__}"

    def __repr__(self) -> str:
        return f"<promise of {self._value!r}>"


class LaterPromise(Promise):
    """A promise whose value is there once the arm that it belongs to has been taken."""

    __slots__ = ("_get",)

    def __init__(self, get: Callable[[], Any]) -> None:
        self._get = get

    def _resolve(self) -> Any:
        return self._get()

    def _step(self, step: str | int) -> Promise:
        return LaterPromise(lambda: step_into(self._get(), step))

    def _precede(self, other: Ordered) -> None:
        """Python's order has decided already."""

    def _override(self, options: dict[str, Any]) -> None:
        check_overrides(options)

    def __repr__(self) -> str:
        return "<promise of a conditional's arm>"


def check_overrides(options: Mapping[str, Any]) -> None:
    """Raise ``CallMismatch`` for an override that does not exist; in a plain call overrides do nothing else."""
    for name in options:
        if name not in OVERRIDES:
            raise unknown_option(name, OVERRIDES)


def step_into(value: Any, step: str | int) -> Any:
    """What is at ``step`` inside ``value``: a key of a dict, an item of a sequence, an attribute of anything else."""
    try:
        if isinstance(step, int) or isinstance(value, Mapping):
            return value[step]
        return getattr(value, step)
    except (KeyError, IndexError, AttributeError, TypeError) as error:
        raise misuse(f"a promise of {type(value).__name__} has nothing at {step!r}", str(error)) from None


class LocalNode(Ordered):
    """What ``create_node`` gives in a plain call: the task has run."""

    __slots__ = ("_entity", "outputs")

    def __init__(self, entity: str, outputs: dict[str, Any]) -> None:
        self._entity = entity
        self.outputs = outputs
        """The promises by output name."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if name in self.outputs:
            return self.outputs[name]
        known = ", ".join(self.outputs) or "none"
        raise misuse(f"{self._entity}() has no output {name!r}", f"Its outputs: {known}.")

    def _precede(self, other: Ordered) -> None:
        """Python's order has decided already."""

    def _override(self, options: dict[str, Any]) -> None:
        check_overrides(options)

    def __repr__(self) -> str:
        return f"<node of {self._entity}>"


class Deferred:
    """A call in an arm of a conditional: it runs when the arm is taken."""

    __slots__ = ("_done", "_run", "_value")

    def __init__(self, run: Callable[[], Any]) -> None:
        self._run = run
        self._done = False
        self._value: Any = None

    def force(self) -> Any:
        """Run it, once."""
        if not self._done:
            self._value = self._run()
            self._done = True
        return self._value


class LocalFlow:
    """The caller in force in the body of a static workflow that is called as a plain function.

    ``arms`` are the arms of conditionals that are being written, innermost last; each is the list of calls put off
    for it.
    """

    def __init__(self, execution: ExecutionContext) -> None:
        self._execution = execution
        self.arms: list[list[Deferred]] = []
        self.failed = False
        """Whether something that was called has failed."""

    @property
    def execution(self) -> ExecutionContext:
        """The execution of the whole workflow."""
        return self._execution

    def call(
        self, entity: Any, args: tuple[Any, ...], kwargs: dict[str, Any], overrides: Metadata | None = None
    ) -> Any:
        """Run it, or put it off; give promises of its outputs."""
        signature = entity.signature
        inputs = signature.bind(args, kwargs)
        if self.arms:
            deferred = Deferred(lambda: self._run(entity, inputs))
            self.arms[-1].append(deferred)
            return results(
                signature,
                LocalNode(signature.name, {}),
                lambda name: _later(signature, deferred, name),
            )
        value = self._run(entity, inputs)
        if signature.result == "single":  # the most frequent by far
            return ValuePromise(value)
        return self.promises(signature, value)

    def create_node(self, entity: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> LocalNode:
        """Run it, or put it off; give its node."""
        signature = entity.signature
        inputs = signature.bind(args, kwargs)
        if self.arms:
            deferred = Deferred(lambda: self._run(entity, inputs))
            self.arms[-1].append(deferred)
            later = {name: _later(signature, deferred, name) for name in signature.outputs}
            return LocalNode(signature.name, later)
        value = self._run(entity, inputs)
        outputs = signature.outputs_by_name(value)
        return LocalNode(signature.name, {name: ValuePromise(item) for name, item in outputs.items()})

    def _run(self, entity: Any, inputs: dict[str, Any]) -> Any:
        for name, value in inputs.items():
            if type(value) is ValuePromise:
                inputs[name] = value._value
            elif not isinstance(value, int | str | float):
                inputs[name] = resolve(value)
        entity.signature.check_inputs(inputs)
        try:
            return entity.run_blocking(inputs, self._execution)
        except BaseException:
            self.failed = True
            raise

    def promises(self, signature: Any, value: Any) -> Any:
        """Promises of the outputs in ``value``, a return value that was checked."""
        outputs = signature.outputs_by_name(value)
        return results(signature, LocalNode(signature.name, {}), lambda name: ValuePromise(outputs[name]))


def _later(signature: Any, deferred: Deferred, name: str) -> LaterPromise:
    """An output of a call that was put off."""
    return LaterPromise(lambda: signature.outputs_by_name(deferred.force())[name])


def resolve(value: Any) -> Any:
    """``value`` with every promise in it replaced by its value."""
    if isinstance(value, ValuePromise | LaterPromise):
        return value._resolve()
    if isinstance(value, Outputs):
        return tuple(resolve(item) for item in value)
    if isinstance(value, Void):
        raise misuse(f"the result of {value._entity}() is given, but it has no outputs", "Order calls with `>>`.")
    if isinstance(value, Standin):
        raise misuse(f"{value!r} is given, whose value is not there", "Finish the conditional with `.else_()`.")
    if isinstance(value, list):
        return [resolve(item) for item in value]
    if isinstance(value, tuple):
        items = [resolve(item) for item in value]
        return type(value)(*items) if hasattr(value, "_fields") else tuple(items)
    if type(value) is dict:
        return {key: resolve(item) for key, item in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type) and holds_standin(value):
        given = {field.name: resolve(getattr(value, field.name)) for field in dataclasses.fields(value) if field.init}
        return dataclasses.replace(value, **given)
    return value


_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def evaluate(expression: Expression) -> bool:
    """Whether a condition holds, its promises being there."""
    if expression.op == "and":
        return evaluate(expression.left) and evaluate(expression.right)
    if expression.op == "or":
        return evaluate(expression.left) or evaluate(expression.right)
    left, right = resolve(expression.left), resolve(expression.right)
    # An engine compares an enum with a text by its value.
    if isinstance(left, enum.Enum) is not isinstance(right, enum.Enum):
        left, right = (side.value if isinstance(side, enum.Enum) else side for side in (left, right))
    return bool(_OPERATORS[expression.op](left, right))
