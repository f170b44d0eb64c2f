"""Gates: nodes that wait, for somebody's answer or for time, and run nothing.

Knows: gates, and the signals that answer them. Must not know: who sends signals, how a gate came to be.

Rules. A signal answers every gate of its name (or the one at its path): those that wait, and those that are reached
later, so it does not matter which comes first. But a call that an eager body makes after an answer was used waits for
another one: the body has heard the first. A signal that nobody can use is refused, with a reason, and changes nothing:
one of another type than the gate waits for, one for a gate that is over, a second one for a gate that has not been
reached. A signal whose id has been seen is no signal.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from whimbrel.engine import faults
from whimbrel.engine.binding import Unbound, complete, scalar
from whimbrel.engine.machine import Machine
from whimbrel.engine.making import recovered, said_of
from whimbrel.engine.nodes import Frame, Kind, NodeState, Signal, Stage
from whimbrel.engine.table import Trigger
from whimbrel.graph.conformance import misfit
from whimbrel.model.commands import SetTimer
from whimbrel.model.events import GateDue, SignalReceived
from whimbrel.model.literal_types import BOOLEAN, LiteralType
from whimbrel.model.literals import BoolLiteral, Literals
from whimbrel.model.program import GateKind, GateTarget
from whimbrel.model.run import Phase


def begin_gate(machine: Machine, state: NodeState) -> None:
    """Wait, unless the answer is there. The inputs are bound."""
    target = gate_of(state)
    state.inputs = complete(state.inputs, target.interface, f"the gate {target.name!r}")
    state.metadata = said_of(state)
    if machine.reuse and recovered(machine, state):
        return
    machine.move(state, Trigger.WAIT)
    state.stage = Stage.GATE
    state.started_at = machine.at
    if target.kind is GateKind.SLEEP:
        wait: float | None = _seconds(state)
        if wait is not None and wait <= 0.0:
            machine.succeed(state, {})
            return
    else:
        kept = next(unheard(machine, state), None)
        if kept is not None:
            _answer(machine, state, kept)
            return
        wait = state.metadata.timeout if state.metadata.timeout is not None else target.timeout
    if wait is not None:
        state.due = machine.at + wait
        machine.commands.append(gate_timer(state))


def gate_of(state: NodeState) -> GateTarget:
    """What a gate waits for."""
    assert isinstance(state.target, GateTarget)
    return state.target


def gate_timer(state: NodeState) -> SetTimer:
    """The timer that ends the wait of a gate."""
    return SetTimer(state.due, GateDue(state.path, state.due))


def awaited_type(state: NodeState) -> LiteralType | None:
    """The type of the value that answers a gate; ``None`` if it waits for time alone."""
    target = gate_of(state)
    match target.kind:
        case GateKind.APPROVE:
            return BOOLEAN
        case GateKind.SIGNAL:
            return target.interface.outputs["o0"].type
        case GateKind.SLEEP:
            return None


def waiting_gates(machine: Machine) -> list[NodeState]:
    """The gates that wait for somebody, in the order in which they came to be."""
    return [node for node in _all_gates(machine) if node.stage is Stage.GATE and awaited_type(node) is not None]


def _all_gates(machine: Machine) -> Iterator[NodeState]:
    return (node for named in machine.gates.values() for node in named)


def _seconds(state: NodeState) -> float:
    literal = state.inputs.get("duration")
    value = None if literal is None else scalar(literal)
    if isinstance(value, dt.timedelta):
        return value.total_seconds()
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    raise Unbound("the duration of a sleep is a timedelta, or a number of seconds")


def gate_due(machine: Machine, event: GateDue) -> None:
    """The time of a gate is over."""
    node = machine.nodes.get(event.path)
    if node is None:
        raise machine.illegal(event.path, "there is no such node")
    if node.stage is not Stage.GATE:
        machine.note(node.path, "ignored: its time is over", "it does not wait any more")
    elif gate_of(node).kind is GateKind.SLEEP:
        machine.succeed(node, {})
    else:
        waited = machine.at - node.started_at
        machine.fail(node, faults.unanswered(gate_of(node).name, waited, node.path), Trigger.TIME_OUT)


# --- signals -------------------------------------------------------------------------------------


def signal_received(machine: Machine, event: SignalReceived) -> None:
    """Somebody has answered. What became of it is remembered by the signal's id."""
    if event.id and event.id in machine.answers:
        machine.note("", f"ignored: a signal for {event.gate}", f"{event.id} has come before")
        return
    refusal = _taken(machine, event)
    if event.id:
        machine.answers[event.id] = refusal
    if refusal:
        machine.note("", f"refused: a signal for {event.gate}", refusal)


def _taken(machine: Machine, event: SignalReceived) -> str:
    """Take a signal in. Why nobody can use it, if so."""
    gates = _gates(machine, event.gate)
    waiting = [node for node in gates if node.stage is Stage.GATE]
    ahead = [node for node in gates if node.phase in (Phase.UNDEFINED, Phase.QUEUED)]
    asked = waiting or ahead
    if gates and not asked:
        return f"the gate {event.gate!r} is over: it is {gates[-1].phase.value}"
    wrong = [_misfit(node, event) for node in asked]
    fit = [node for node, fault in zip(asked, wrong, strict=True) if not fault]
    if asked and not fit:
        return next(filter(None, wrong))
    unused = any(not kept.used for kept in machine.signals.get(event.gate, ()))
    if not waiting and (unused or (ahead and all(any(unheard(machine, node)) for node in fit))):
        return f"the gate {event.gate!r} has an answer already, which is used when it is reached"
    signal = Signal(event.gate, event.value, event.by, event.reason)
    machine.signals.setdefault(event.gate, []).append(signal)
    for node in fit if waiting else ():
        _answer(machine, node, signal)
    if not waiting:
        machine.note("", f"kept: a signal for {event.gate}", "the gate has not been reached")
    return ""


def _gates(machine: Machine, name: str) -> list[NodeState]:
    """The gates that a signal for ``name`` means: those of that name, else the one at that path."""
    named = machine.gates.get(name)
    if named is None:
        node = machine.nodes.get(name)
        named = [node] if node is not None and node.kind is Kind.GATE else []
    return [node for node in named if not node.replaced and awaited_type(node) is not None]


def _misfit(node: NodeState, event: SignalReceived) -> str:
    wanted = awaited_type(node)
    assert wanted is not None
    wrong = misfit(event.value, wanted)
    return f"the gate {event.gate!r} takes another value: {wrong.removesuffix(' at $')}" if wrong else ""


def unheard(machine: Machine, node: NodeState) -> Iterator[Signal]:
    """The signals that came before the gate was reached and may answer it, the oldest first."""
    wanted = awaited_type(node)
    assert wanted is not None
    since = _called(node)
    for name in (gate_of(node).name, node.path):
        for signal in machine.signals.get(name, ()):
            if (not signal.used or signal.used >= since) and not misfit(signal.value, wanted):
                yield signal


def answer_to(machine: Machine, node: NodeState) -> Signal | None:
    """What answered the gate: of the signals for it, the last that was used by the time it ended."""
    names = (gate_of(node).name, node.path)
    used = [each for name in names for each in machine.signals.get(name, ()) if 0 < each.used <= node.changed]
    over = node.phase.terminal and node.phase not in (Phase.TIMED_OUT, Phase.ABORTED)
    return max(used, key=lambda each: each.used, default=None) if over else None


def _called(node: NodeState) -> int:
    """The seq of the event by which an eager body called the gate, or what the gate is in; 0 if none did."""
    at: NodeState | None = node
    while at is not None and not at.key:
        at = at.host.owner if isinstance(at.host, Frame) else at.host
    return 0 if at is None else at.born


def _answer(machine: Machine, node: NodeState, signal: Signal) -> None:
    signal.used = signal.used or machine.seq
    name = gate_of(node).name
    by = f" by {signal.by}" if signal.by else ""
    if gate_of(node).kind is GateKind.SIGNAL:
        machine.succeed(node, {"o0": signal.value}, reason=f"answered{by}")
    elif signal.value == BoolLiteral(True):
        machine.succeed(node, _passed_on(node), reason=f"approved{by}")
    else:
        machine.fail(node, faults.rejected(name, signal.by, signal.reason, node.path))


def _passed_on(node: NodeState) -> Literals:
    """What an approval gives: the outputs are the inputs of their names; a lone one is the input ``value``."""
    value = node.inputs.get("value")
    given = {name: node.inputs.get(name, value) for name in gate_of(node).interface.outputs}
    return {name: literal for name, literal in given.items() if literal is not None}
