"""Whether another attempt follows a failed one, and when.

Knows: failures, allowances and backoff. Must not know: how an attempt is launched.
"""

from __future__ import annotations

from enum import Enum

from whimbrel.engine.nodes import NodeState
from whimbrel.model.failure import Failure, Fault
from whimbrel.model.program import Metadata


class Blame(Enum):
    """Whose allowance a failed attempt spends."""

    USER = "user"
    SYSTEM = "system"


def blame(failure: Failure) -> Blame:
    """The machine's faults are not the author's: they have an allowance of their own."""
    return Blame.SYSTEM if failure.fault in (Fault.SYSTEM, Fault.LOST) else Blame.USER


def allowed(node: NodeState, failure: Failure, system_retries: int) -> bool:
    """Whether the allowance that ``failure`` spends has something left.

    A failure that is not recoverable is not retried at the author's expense; a time-out always is.
    """
    if blame(failure) is Blame.SYSTEM:
        return node.system_retries < system_retries
    if not failure.recoverable and failure.fault is not Fault.TIMEOUT:
        return False
    return node.user_retries < (node.metadata.retries or 0)


def delay(metadata: Metadata, retry: int) -> float:
    """Seconds before the ``retry``-th user retry, from 1: the backoff doubles with each, up to its limit."""
    if not metadata.backoff:
        return 0.0
    # The exponent is bounded: no allowance is that large, and a float is soon infinite.
    wait = metadata.backoff * 2.0 ** min(retry - 1, 60)
    return wait if metadata.backoff_limit is None else min(wait, metadata.backoff_limit)
