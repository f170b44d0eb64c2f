"""The failures that the engine itself finds, worded for the author of the workflow."""

from __future__ import annotations

from msgspec.structs import replace

from whimbrel.model.failure import Failure, Fault
from whimbrel.model.program import SourceLine


def located(line: SourceLine | None) -> str:
    """``file:line``, or "" when the author's line is not known."""
    return f"{line.file}:{line.line}" if line else ""


def at_node(failure: Failure, path: str) -> Failure:
    """``failure`` with the node that it came from; one that names a node already keeps it, being nearer the cause."""
    return failure if failure.node or not path else replace(failure, node=path)


def user(message: str, path: str = "", line: str = "") -> Failure:
    """The workflow or its inputs must be mended: no retry would help."""
    return Failure(Fault.USER, message, recoverable=False, node=path, line=line)


def said(message: str) -> Failure:
    """The workflow says that it fails here."""
    return Failure(Fault.USER, message, "whimbrel.errors:BranchFailed", (message,), recoverable=False)


def timed_out(seconds: float, path: str) -> Failure:
    """An attempt ran longer than it may."""
    return Failure(Fault.TIMEOUT, f"{path} ran longer than its timeout of {seconds:g} s", node=path)


def rejected(gate: str, by: str, reason: str, path: str) -> Failure:
    """Somebody has said no."""
    message = f"the gate {gate!r} was rejected" + (f" by {by}" if by else "") + (f": {reason}" if reason else "")
    return Failure(Fault.USER, message, "whimbrel.errors:GateRejected", (message,), recoverable=False, node=path)


def unanswered(gate: str, seconds: float, path: str) -> Failure:
    """Nobody has said anything."""
    return Failure(Fault.TIMEOUT, f"nobody answered the gate {gate!r} in {seconds:g} s", recoverable=False, node=path)


def lost(reason: str, path: str) -> Failure:
    """The worker ended without a result."""
    return Failure(Fault.LOST, reason or "the worker ended without a result", node=path)


def aborted(reason: str, path: str = "") -> Failure:
    """Somebody, or the failure of something else, stopped it."""
    return Failure(Fault.ABORT, reason, recoverable=False, node=path)


def cancelled(reason: str, path: str = "") -> Failure:
    """The program cancelled it."""
    return Failure(Fault.CANCELLED, reason, recoverable=False, node=path)
