"""Gates: ``approve``, ``wait_for_input`` and ``sleep``, steps that wait for somebody, or for time.

In a static workflow each is a node; in an eager body something to await, durable like every call; in a plain call of a
workflow the question is asked here and now (``answers``). Must not know how an engine keeps a gate waiting.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar, cast

from whimbrel.authoring.answers import ask_approval, ask_value, sleeps_pass
from whimbrel.authoring.calling import Direct, current
from whimbrel.authoring.context import ExecutionContext
from whimbrel.authoring.entity import Entity, Part
from whimbrel.authoring.local import Deferred, LaterPromise, LocalFlow, LocalNode, ValuePromise, resolve
from whimbrel.authoring.pending import PendingCall
from whimbrel.authoring.promise import Ordered, Outputs, Promise, Void, misuse
from whimbrel.authoring.signature import InputSpec, Signature
from whimbrel.authoring.source import caller_line
from whimbrel.authoring.tracer import NodeHandle, NodePromise, Tracer
from whimbrel.errors import CallMismatch, UnsupportedType, ValueMismatch
from whimbrel.model.interface import Interface, Parameter, Variable
from whimbrel.model.literal_types import DURATION, FLOAT, INTEGER, describe
from whimbrel.model.program import Binding, GateKind, GateTarget, Program, SourceLine
from whimbrel.types.registry import default_registry
from whimbrel.types.transformer import Transformer

T = TypeVar("T")

Seconds = float | dt.timedelta


def approve(upstream_item: T, name: str, timeout: Seconds | None = None) -> T:
    """Wait until somebody says yes, and pass ``upstream_item`` on; no fails the step with ``GateRejected``.

    ``name`` is what the answer is sent to. After ``timeout`` (seconds or timedelta) the step times out; without one it
    waits for ever. In an eager body: ``await approve(...)``. Raises ``GateUnanswered`` in a plain call without a
    terminal.
    """
    limit = _limit(timeout, name)
    caller = current.get()
    if isinstance(upstream_item, PendingCall):
        raise upstream_item._refusal(f"given to approve({name!r})")
    if isinstance(caller, Tracer):
        return cast(T, _traced_approval(caller, upstream_item, name, limit))
    if isinstance(caller, LocalFlow):
        return cast(T, _local_approval(caller, upstream_item, name))
    _not_in_a_task(f"approve({name!r})")
    if isinstance(caller, Direct):
        ask_approval(name, _shown(upstream_item), caller_line())
        return upstream_item
    return cast(T, caller.call(Approval(name, limit, upstream_item, caller_line()), (), _carried(upstream_item)))


def wait_for_input(name: str, timeout: Seconds | None = None, expected_type: type[T] | Any = str) -> T:
    """Wait until somebody gives a value of ``expected_type``, and give it.

    ``name`` is what the value is sent to. After ``timeout`` (seconds or timedelta) the step times out; without one it
    waits for ever. In an eager body: ``await wait_for_input(...)``. Raises ``CompileError`` for a type that cannot be
    carried, ``GateUnanswered`` in a plain call without a terminal.
    """
    limit = _limit(timeout, name)
    caller = current.get()
    question = Question(name, limit, expected_type, caller_line())
    given: Any
    if isinstance(caller, Tracer):
        target = question.target()
        (kind,) = (output.type for output in target.interface.outputs.values())
        draft = caller.add_gate(target, {"o0": kind}, {}, question.line)
        given = NodePromise(caller, draft, "o0", kind)
    elif isinstance(caller, LocalFlow):
        given = _now_or_later(caller, question.ask)
    else:
        _not_in_a_task(f"wait_for_input({name!r})")
        given = question.ask() if isinstance(caller, Direct) else caller.call(question, (), {})
    return cast(T, given)


def sleep(duration: Seconds) -> Any:
    """Wait for ``duration``: a timedelta, or seconds.

    In a static workflow it is a step, which may wait for days, and whose duration may be a promise; order others
    behind it with ``>>``. In an eager body, and in any other coroutine, await it; there the timer outlives the process
    as every timer of asyncio does. Anywhere else it blocks.
    """
    caller = current.get()
    if isinstance(caller, Tracer):
        return _traced_sleep(caller, duration)
    if isinstance(caller, LocalFlow):
        node = LocalNode("sleep", {})
        _now_or_later(caller, lambda: _block(resolve(duration)))
        return Void("sleep", node)
    if isinstance(caller, Direct) and not _on_a_loop():
        return _block(duration)
    return _asleep(_seconds(duration))


# --- in a static workflow --------------------------------------------------------------------------------------------


def _traced_approval(tracer: Tracer, item: Any, name: str, timeout: float | None) -> Any:
    line = caller_line()
    if isinstance(item, Void | NodeHandle):
        node = NodeHandle(tracer, tracer.add_gate(GateTarget(name, GateKind.APPROVE, timeout=timeout), {}, {}, line))
        item.runs_before(node)
        return node if isinstance(item, NodeHandle) else Void(f"approve({name!r})", node)
    several = isinstance(item, tuple)
    names = item._names if isinstance(item, Outputs) else [f"o{n}" for n in range(len(item))] if several else ["value"]
    bindings: dict[str, Binding] = {}
    kinds: dict[str, Any] = {}
    for input_name, value in zip(names, item if several else [item], strict=True):
        try:
            bindings[input_name], kinds[input_name] = tracer.binder.free(value)
        except CallMismatch as error:
            raise misuse(f"approve({name!r}) is given what cannot be carried: {error}", "Give it a promise.") from None
    if None in kinds.values():
        return item  # stands for a call that is told of already
    given = kinds if several else {"o0": kinds["value"]}
    interface = Interface(
        {key: Parameter(kind) for key, kind in kinds.items()}, {key: Variable(kind) for key, kind in given.items()}
    )
    draft = tracer.add_gate(GateTarget(name, GateKind.APPROVE, interface, timeout), given, bindings, line)
    promises = [NodePromise(tracer, draft, key, kind) for key, kind in given.items()]
    return Outputs.of(f"approve({name!r})", names, promises, NodeHandle(tracer, draft)) if several else promises[0]


def _traced_sleep(tracer: Tracer, duration: Any) -> Void:
    line = caller_line()
    if isinstance(duration, Promise):
        binding, kind = tracer.binder.free(duration)
        if kind not in (DURATION, INTEGER, FLOAT, None):
            raise misuse(f"sleep() is given {describe(kind)}", "Give it a timedelta, or seconds.")
    else:
        binding, kind = tracer.binder.free(dt.timedelta(seconds=_seconds(duration)))
    interface = Interface({"duration": Parameter(kind or DURATION)})
    target = GateTarget("sleep", GateKind.SLEEP, interface)
    return Void("sleep", NodeHandle(tracer, tracer.add_gate(target, {}, {"duration": binding}, line)))


# --- in a plain call -------------------------------------------------------------------------------------------------


def _local_approval(flow: LocalFlow, item: Any, name: str) -> Any:
    line = caller_line()
    if isinstance(item, Outputs | tuple) or (isinstance(item, Ordered) and not isinstance(item, Promise)):
        asked = _now_or_later(flow, lambda: ask_approval(name, _shown(None if isinstance(item, Void) else item), line))
        if not flow.arms or not isinstance(item, tuple):
            return item
        later = [_after(asked, value) for value in item]
        names = item._names if isinstance(item, Outputs) else tuple(f"o{n}" for n in range(len(item)))
        return Outputs.of(f"approve({name!r})", names, later, LocalNode(f"approve({name!r})", {}))

    def ask() -> Any:
        value = resolve(item)
        ask_approval(name, _shown(value), line)
        return value

    return _now_or_later(flow, ask)


def _after(asked: Promise, value: Any) -> Promise:
    def get() -> Any:
        resolve(asked)
        return resolve(value)

    return LaterPromise(get)


def _now_or_later(flow: LocalFlow, run: Callable[[], Any]) -> Promise:
    """What ``run`` gives; in an arm of a conditional, when that is taken."""
    if not flow.arms:
        return ValuePromise(run())
    deferred = Deferred(run)
    flow.arms[-1].append(deferred)
    return LaterPromise(deferred.force)


def _block(duration: Any) -> None:
    import time

    seconds = _seconds(duration)
    if not sleeps_pass():
        time.sleep(max(seconds, 0.0))


async def _asleep(seconds: float) -> None:
    import asyncio

    await asyncio.sleep(0.0 if sleeps_pass() else seconds)


def _on_a_loop() -> bool:
    import asyncio

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _shown(value: Any) -> str:
    text = "" if value is None else repr(value)
    return text if len(text) <= 200 else f"{text[:199]}…"


# --- in an eager body ------------------------------------------------------------------------------------------------


class Gate(Entity[Any, Any]):
    """A gate that is called in an eager body: each call has one of its own."""

    noun = "gate"
    is_async = False

    def __init__(self, name: str, timeout: float | None, line: SourceLine) -> None:
        # Not the initializer of what wraps a function: there is none.
        self._name = name
        self._timeout = timeout
        self._line = line

    @property
    def name(self) -> str:
        """What signals are sent to."""
        return self._name

    @property
    def short_name(self) -> str:
        """As it is called."""
        return f"{self._verb}({self._name!r})"

    @property
    def call_name(self) -> str:
        """What a journal calls it."""
        return f"{self._verb} {self._name}"

    @property
    def line(self) -> SourceLine:
        """The line of the call."""
        return self._line

    _verb = ""

    def ask(self) -> Any:
        """The answer, here and now."""
        raise NotImplementedError

    def call_plain(self, args: tuple[Any, ...], kwargs: dict[str, Any], execution: ExecutionContext) -> Any:
        """Ask."""
        return self.ask()

    def run_blocking(self, inputs: dict[str, Any], execution: ExecutionContext) -> Any:
        """Ask."""
        return self.ask()

    def run_async(self, inputs: dict[str, Any], execution: ExecutionContext) -> Coroutine[Any, Any, Any]:
        """Ask, while the loop goes on."""
        return self._asked()

    async def _asked(self) -> Any:
        import asyncio

        return await asyncio.to_thread(self.ask)

    def program(self) -> Program:
        """Nothing: what a gate is stands in the node."""
        return Program()

    def part(self) -> Part:
        """Nothing."""
        return Part()


class Approval(Gate):
    """A gate that passes a Python value on: the engine need not carry it, only show it."""

    _verb = "approve"

    def __init__(self, name: str, timeout: float | None, value: Any, line: SourceLine) -> None:
        super().__init__(name, timeout, line)
        self._value = value

    def _read_signature(self) -> Signature:
        inputs = {key: InputSpec(type(value)) for key, value in _carried(self._value).items()}
        return _PassingOn(self.short_name, inputs, None, line=self.line, value=self._value)

    def target(self) -> GateTarget:
        """What a node that runs it names."""
        return GateTarget(self.name, GateKind.APPROVE, self.interface, self._timeout)

    def ask(self) -> Any:
        """The value, once it is approved."""
        ask_approval(self.name, _shown(self._value), self.line)
        return self._value


class _PassingOn(Signature):
    """Gives the value that was approved, whatever comes back."""

    def __init__(self, *args: Any, value: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._value = value

    def assemble(self, values: Any) -> Any:
        return self._value


class Question(Gate):
    """A gate that gives what somebody answers."""

    _verb = "wait_for_input"

    def __init__(self, name: str, timeout: float | None, expected: Any, line: SourceLine) -> None:
        super().__init__(name, timeout, line)
        self._expected = expected

    def _read_signature(self) -> Signature:
        return Signature(self.short_name, {}, None, named_outputs={"o0": self._expected}, line=self.line)

    def target(self) -> GateTarget:
        """What a node that runs it names. Raises ``CompileError`` for a type that cannot be carried."""
        return GateTarget(self.name, GateKind.SIGNAL, self.interface, self._timeout)

    def ask(self) -> Any:
        """The answer."""
        return ask_value(self.name, self.signature.outputs["o0"], self.line)


def _carried(value: Any) -> dict[str, Any]:
    """The input that shows what is to be approved; none for what cannot be carried."""
    transformer = _transformer(value)
    return {} if transformer is None else {"value": value}


def _transformer(value: Any) -> Transformer | None:
    if value is None:
        return None
    try:
        transformer = default_registry().transformer(type(value))
        transformer.check(value)
    except (UnsupportedType, ValueMismatch):
        return None
    return transformer


# --- what the author says --------------------------------------------------------------------------------------------


def _seconds(duration: Any) -> float:
    if isinstance(duration, dt.timedelta):
        return duration.total_seconds()
    if isinstance(duration, int | float) and not isinstance(duration, bool) and duration == duration:
        return float(duration)
    raise misuse(f"a duration is {duration!r}", "Give a timedelta, or a number of seconds.")


def _limit(timeout: Any, name: str) -> float | None:
    if not isinstance(name, str) or not name:
        raise misuse(f"the name of a gate is {name!r}", "Give it a name: answers are sent to it.")
    if timeout is None:
        return None
    seconds = _seconds(timeout)
    if seconds <= 0.0:
        raise misuse(f"the gate {name!r} has a timeout of {seconds:g} s", "Give it some time, or no timeout.")
    return seconds


def _not_in_a_task(call: str) -> None:
    if current.get().execution.node and isinstance(current.get(), Direct):
        raise misuse(f"{call} is used in a task", "A task cannot wait for people: use it in a workflow, or in @eager.")
