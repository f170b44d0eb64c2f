"""``conditional``: branches of a static workflow.

``conditional("name").if_(x > 1).then(a(x=x)).elif_(...).then(...).else_().then(...)`` or ``.fail("message")``.
Compiled, it is a branch node whose arms hold the nodes made between ``if_`` and ``then``. In a plain call those calls
are put off until their arm is taken; the others never run.
"""

from __future__ import annotations

from typing import Any, Protocol

from whimbrel.authoring.calling import current
from whimbrel.authoring.local import Deferred, LaterPromise, LocalFlow, LocalNode, ValuePromise, evaluate, resolve
from whimbrel.authoring.promise import Expression, Outputs, Promise, Void, as_expression, misuse
from whimbrel.authoring.source import caller_line
from whimbrel.authoring.standin import Standin
from whimbrel.authoring.tracer import NodeHandle, NodePromise, Tracer
from whimbrel.errors import BranchFailed, CallMismatch, Problem, PromiseMisuse
from whimbrel.graph.builder import Arm
from whimbrel.model.literal_types import LiteralType
from whimbrel.model.program import Binding, Comparison, Condition, Junction


class _Branching(Protocol):
    """How arms are kept: as drafts of a graph, or as calls put off."""

    def open(self, condition: Expression | None) -> None: ...
    def give(self, value: Any) -> None: ...
    def fail(self, message: str) -> None: ...
    def result(self) -> Any: ...


class Conditional:
    """A branch that has no arm yet, or whose last arm is complete."""

    def __init__(self, name: str, branching: _Branching) -> None:
        self._name = name
        self._branching = branching

    def if_(self, condition: Any) -> Case:
        """Begin the first arm: it is taken when ``condition`` holds."""
        return self._case(as_expression(condition))

    def _case(self, condition: Expression | None) -> Case:
        self._branching.open(condition)
        return Case(self._name, self._branching, last=condition is None)


class Case:
    """An arm that waits for what it gives."""

    def __init__(self, name: str, branching: _Branching, *, last: bool) -> None:
        self._name = name
        self._branching = branching
        self._last = last

    def then(self, value: Any) -> Any:
        """What the arm gives. Behind ``else_`` this is the end: the result of the whole conditional."""
        self._branching.give(value)
        return self._end()

    def fail(self, message: str) -> Any:
        """Let the workflow fail with ``message`` when the arm is taken."""
        self._branching.fail(message)
        return self._end()

    def _end(self) -> Any:
        return self._branching.result() if self._last else Unfinished(self._name, self._branching)


class Unfinished(Standin):
    """A conditional without ``else_``: it can be gone on with, or left as it is when nothing needs its result."""

    __slots__ = ("_branching", "_name")

    def __init__(self, name: str, branching: _Branching) -> None:
        self._name = name
        self._branching = branching

    def elif_(self, condition: Any) -> Case:
        """Begin another arm."""
        self._branching.open(as_expression(condition))
        return Case(self._name, self._branching, last=False)

    def else_(self) -> Case:
        """Begin the last arm: it is taken when no other is."""
        self._branching.open(None)
        return Case(self._name, self._branching, last=True)

    def __repr__(self) -> str:
        return f"conditional({self._name!r}) without an else"

    def _refusal(self, use: str) -> PromiseMisuse:
        return misuse(f"{self!r} is {use}", "Finish it with `.else_().then(...)` or `.else_().fail(...)`.")


def conditional(name: str) -> Conditional:
    """Begin a branch in a static workflow. Raises ``PromiseMisuse`` anywhere else: there, ``if`` does."""
    caller = current.get()
    if isinstance(caller, Tracer):
        return Conditional(name, _Compiled(caller, name))
    if isinstance(caller, LocalFlow):
        return Conditional(name, _Local(caller, name))
    raise misuse(f"conditional({name!r}) is used outside a @workflow", "Values are there: write `if`.")


# --- compiled --------------------------------------------------------------------------------------------------------


class _Compiled:
    def __init__(self, tracer: Tracer, name: str) -> None:
        self._tracer = tracer
        self._name = name
        self._draft = tracer.builder.begin_branch(name, caller_line())
        self._arm: Arm | None = None
        self._shape: Any = None

    def open(self, condition: Expression | None) -> None:
        compiled = None if condition is None else self._condition(condition)
        self._arm = self._tracer.builder.open(self._draft, compiled, caller_line())

    def give(self, value: Any) -> None:
        assert self._arm is not None
        bindings: dict[str, Binding] = {}
        kinds: dict[str, LiteralType | None] = {}
        for name, item in _named(value).items():
            if isinstance(item, NodePromise):
                bindings[name], kinds[name] = item._binding(), item._kind
                continue
            try:
                bindings[name], kinds[name] = self._tracer.binder.free(item)
            except CallMismatch as error:
                self._wrong(f"conditional({self._name!r}) gives what cannot be carried: {error}")
        self._shape = value if self._shape is None else self._shape
        self._tracer.builder.close(self._arm, bindings, kinds)

    def fail(self, message: str) -> None:
        assert self._arm is not None
        self._tracer.builder.close(self._arm, {}, {}, str(message))

    def result(self) -> Any:
        node = NodeHandle(self._tracer, self._draft)
        outputs = self._draft.outputs
        if isinstance(self._shape, Outputs) or len(outputs) > 1:
            names = tuple(outputs)
            return Outputs.of(self._name, names, [getattr(node, name) for name in names], node)
        if not outputs:
            return Void(f"conditional({self._name!r})", node)
        return getattr(node, next(iter(outputs)))

    def _condition(self, expression: Expression) -> Condition:
        if expression.junction:
            return Junction(expression.op, self._condition(expression.left), self._condition(expression.right))
        return Comparison(expression.op, self._side(expression.left), self._side(expression.right))

    def _side(self, value: Any) -> Binding:
        try:
            return self._tracer.binder.free(value)[0]
        except CallMismatch as error:
            raise misuse(f"conditional({self._name!r}) compares with {value!r}", str(error)) from None

    def _wrong(self, message: str) -> None:
        line = caller_line()
        self._tracer.tell([Problem(message, file=line.file or None, line=line.line)])


def _named(value: Any) -> dict[str, Any]:
    """What an arm gives, by output name."""
    if value is None or isinstance(value, Void):
        return {}
    if isinstance(value, Outputs):
        return dict(zip(value._names, value, strict=True))
    if isinstance(value, tuple):
        return {f"o{position}": item for position, item in enumerate(value)}
    if isinstance(value, NodePromise) and value._draft is not None and not value._path:
        # As it is called where it comes from, so that an arm of one node needs nothing around it.
        return {value._var: value} if len(value._draft.outputs) == 1 else {"o0": value}
    if isinstance(value, Standin) and not isinstance(value, Promise):
        raise misuse(f"{value!r} is given by an arm of a conditional", "Give the result of a call.")
    return {"o0": value}


# --- as a plain call -------------------------------------------------------------------------------------------------


class _Local:
    """Arms in a plain call. Inside an arm of another conditional the whole of it is put off."""

    def __init__(self, flow: LocalFlow, name: str) -> None:
        self._flow = flow
        self._name = name
        self._cases: list[tuple[Expression | None, list[Deferred], Any, str | None]] = []
        self._condition: Expression | None = None
        self._calls: list[Deferred] = []
        self._shape: Any = None
        self._put_off = bool(flow.arms)
        self._taken = False
        self._value: Any = None
        self._deferred = Deferred(self._run)
        if self._put_off:
            flow.arms[-1].append(self._deferred)

    def open(self, condition: Expression | None) -> None:
        self._condition = condition
        self._calls = []
        self._flow.arms.append(self._calls)

    def give(self, value: Any) -> None:
        if isinstance(value, Standin) and not isinstance(value, Promise | Void):
            raise misuse(f"{value!r} is given by an arm of a conditional", "Give the result of a call.")
        self._shape = value if self._shape is None else self._shape
        self._close(value, None)

    def fail(self, message: str) -> None:
        self._close(None, str(message))

    def _close(self, value: Any, message: str | None) -> None:
        while self._flow.arms.pop() is not self._calls:
            pass  # an arm inside that was never given a value ends here too
        case = (self._condition, self._calls, value, message)
        self._cases.append(case)
        if not self._put_off:
            self._try(case)

    def _try(self, case: tuple[Expression | None, list[Deferred], Any, str | None]) -> None:
        """Take the arm if none was taken before and its condition holds."""
        condition, calls, value, message = case
        if self._taken or (condition is not None and not evaluate(condition)):
            return
        self._taken = True
        for call in calls:
            call.force()
        if message is not None:
            raise BranchFailed(message)
        self._value = None if isinstance(value, Void) else value if isinstance(value, Outputs) else resolve(value)

    def _run(self) -> Any:
        for case in self._cases:
            self._try(case)
        return self._value

    def result(self) -> Any:
        shape = self._shape
        node = LocalNode(f"conditional({self._name!r})", {})
        if shape is None or isinstance(shape, Void):
            return Void(f"conditional({self._name!r})", node)
        if isinstance(shape, tuple):
            names = shape._names if isinstance(shape, Outputs) else tuple(f"o{i}" for i in range(len(shape)))
            return Outputs.of(self._name, names, [self._promise(position) for position in range(len(names))], node)
        return self._promise(None)

    def _promise(self, position: int | None) -> Promise:
        def get() -> Any:
            value = self._deferred.force() if self._put_off else self._value
            return resolve(value) if position is None else resolve(value[position])

        return LaterPromise(get) if self._put_off else ValuePromise(get())
