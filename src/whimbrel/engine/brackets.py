"""What a teardown is given, and whether it runs at all.

Knows: brackets and what became of their nodes. Must not know: when a teardown's time has come (frames.py), what is
stopped before it (stopping.py).
"""

from __future__ import annotations

from whimbrel.engine.binding import Unbound, resolve, resolve_all
from whimbrel.engine.machine import Machine
from whimbrel.engine.nodes import BracketState, Frame, NodeState
from whimbrel.graph.failure_input import error_literal
from whimbrel.model.failure import Failure, Fault
from whimbrel.model.interface import Interface
from whimbrel.model.literal_types import NONE, STRING, LiteralType, UnionType
from whimbrel.model.literals import Literal, Literals, NoneLiteral, StrLiteral, UnionLiteral
from whimbrel.model.program import Binding
from whimbrel.model.run import Phase


def why_not(bracket: BracketState) -> str:
    """Why the teardown does not run; "" if it does.

    It runs if the setup was launched. Only one that takes what a setup gives, and can do without neither by a default
    nor by ``None``, has nothing to do when the setup gave nothing.
    """
    assert bracket.setup is not None
    if not bracket.setup.begun:
        return "its setup never began"
    if bracket.setup.phase.has_outputs:
        return ""
    interface = _interface(bracket.teardown)
    for name, binding in _bound(bracket).items():
        if _literal(binding, bracket) is None and _stand_in(interface, name) is None and not _default(interface, name):
            return f"its setup {bracket.setup.path} gave nothing for its input {name!r}"
    return ""


def teardown_inputs(machine: Machine, bracket: BracketState) -> Literals:
    """The inputs of a teardown that runs. Raises ``Unbound``."""
    interface = _interface(bracket.teardown)
    frame = bracket.teardown.scope
    assert frame is not None
    inputs: Literals = {}
    for name, binding in _bound(bracket).items():
        literal = _literal(binding, bracket) or _stand_in(interface, name)
        if literal is None and not _default(interface, name):
            literal = resolve(binding, frame)
        if literal is not None:
            inputs[name] = literal
    told = bracket.bracket.error
    if told and interface is not None and told in interface.inputs:
        failure = what_failed(machine, bracket)
        bare: Literal = NoneLiteral() if failure is None else StrLiteral(failure.title)
        inputs[told] = _as_variant(bare, interface.inputs[told].type)
    return inputs


def failure_inputs(machine: Machine, waited: BracketState) -> Literals:
    """The inputs of a failure node: those of its workflow, and what went wrong. Raises ``Unbound``."""
    state = waited.teardown
    assert state.scope is not None
    assert state.node is not None
    inputs = resolve_all(state.node.inputs, state.scope, "input")
    interface, told = _interface(state), waited.bracket.error
    parameter = interface.inputs.get(told) if interface is not None else None
    if parameter is not None:
        failure = _why_it_ends(machine, state.scope)
        failed = failure.fault not in (Fault.ABORT, Fault.CANCELLED)
        literal = error_literal(parameter.type, failure.title, failure.node if failed else "")
        if literal is not None:
            inputs[told] = literal
    return inputs


def _why_it_ends(machine: Machine, frame: Frame) -> Failure:
    if frame.failure is not None:
        return frame.failure
    owner = frame.owner
    if owner is None:
        return machine.verdict or Failure(Fault.ABORT, "the run was stopped")
    if owner.verdict is not None and owner.verdict.failure is not None:
        return owner.verdict.failure
    return Failure(Fault.ABORT, f"{owner.path} was stopped")


def what_failed(machine: Machine, bracket: BracketState) -> Failure | None:
    """Why the body did not succeed: what failed in it first, else what stopped it; ``None`` if it succeeded."""
    unhappy = [node for node in bracket.watched if not node.phase.has_outputs]
    if not unhappy:
        return None
    for node in unhappy:
        if node.phase in (Phase.FAILED, Phase.TIMED_OUT) and node.failure is not None:
            return node.failure
    frame: Frame | None = bracket.teardown.scope
    while frame is not None:
        if frame.failure is not None:
            return frame.failure
        owner = frame.owner
        if owner is None:
            break
        if owner.verdict is not None and owner.verdict.failure is not None:
            return owner.verdict.failure
        frame = owner.scope
    told = next((node.failure for node in unhappy if node.failure is not None), None)
    return machine.verdict or told or Failure(Fault.ABORT, "the body was skipped")


def _bound(bracket: BracketState) -> dict[str, Binding]:
    return bracket.teardown.node.inputs if bracket.teardown.node is not None else {}


def _literal(binding: Binding, bracket: BracketState) -> Literal | None:
    assert bracket.teardown.scope is not None
    try:
        return resolve(binding, bracket.teardown.scope)
    except Unbound:
        return None


def _interface(node: NodeState) -> Interface | None:
    if node.spec is not None:
        return node.spec.interface
    return node.graph.interface if node.graph is not None else None


def _default(interface: Interface | None, name: str) -> bool:
    parameter = interface.inputs.get(name) if interface is not None else None
    return parameter is not None and parameter.default is not None


def _stand_in(interface: Interface | None, name: str) -> Literal | None:
    """``None`` as a literal, if the input takes it and has no default."""
    parameter = interface.inputs.get(name) if interface is not None else None
    if parameter is None or parameter.default is not None:
        return None
    if parameter.type == NONE or (isinstance(parameter.type, UnionType) and NONE in parameter.type.variants):
        return _as_variant(NoneLiteral(), parameter.type)
    return None


def _as_variant(literal: Literal, declared: LiteralType) -> Literal:
    if not isinstance(declared, UnionType):
        return literal
    wanted = NONE if isinstance(literal, NoneLiteral) else STRING
    if wanted not in declared.variants:
        return literal
    return UnionLiteral(declared.variants.index(wanted), literal)
