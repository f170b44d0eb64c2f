"""Which arm of a branch runs.

Knows: conditions and literals. Must not know: nodes. A condition that cannot be decided fails the branch with a
reason; it never counts as false.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from whimbrel.engine.binding import Unbound, resolve, scalar
from whimbrel.engine.nodes import Frame
from whimbrel.model.program import BranchTarget, Comparison, Condition, Node

_EQUAL: dict[str, Callable[[Any, Any], bool]] = {"==": operator.eq, "!=": operator.ne}
_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def choose(target: BranchTarget, frame: Frame) -> Node | None:
    """The node of the first arm that holds, else that of ``otherwise``.

    Raises ``Unbound`` when a condition cannot be decided.
    """
    for case in target.cases:
        if holds(case.condition, frame):
            return case.node
    return target.otherwise


def arms(target: BranchTarget) -> list[Node]:
    """Every node that might run, in order."""
    nodes = [case.node for case in target.cases]
    return nodes if target.otherwise is None else [*nodes, target.otherwise]


def holds(condition: Condition, frame: Frame) -> bool:
    """Whether ``condition`` is true;

    ``and`` and ``or`` look at the right side only when it matters, as in Python. Raises ``Unbound``.
    """
    if isinstance(condition, Comparison):
        return _compare(condition, frame)
    if condition.op not in ("and", "or"):
        raise Unbound(f"there is no condition {condition.op!r}")
    if holds(condition.left, frame) is (condition.op == "or"):
        return condition.op == "or"
    return holds(condition.right, frame)


def _compare(comparison: Comparison, frame: Frame) -> bool:
    left = scalar(resolve(comparison.left, frame))
    right = scalar(resolve(comparison.right, frame))
    if comparison.op in _EQUAL:
        return bool(_EQUAL[comparison.op](left, right))
    order = _ORDER.get(comparison.op)
    if order is None:
        raise Unbound(f"there is no comparison {comparison.op!r}")
    if left is None or right is None:
        raise Unbound(f"None cannot be compared with {comparison.op}; ask for None first, in an arm of its own")
    try:
        return bool(order(left, right))
    except TypeError as error:
        raise Unbound(f"{left!r} {comparison.op} {right!r}: {error}") from None
