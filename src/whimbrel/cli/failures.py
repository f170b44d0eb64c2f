"""Failures and errors as a person reads them: the user's own lines, the cause, what to do.

Knows: failures, tracebacks. Must not know: click, runs in progress.
"""

from __future__ import annotations

import importlib
import os
import traceback
from types import TracebackType

from whimbrel.engine.nodes import NodeState
from whimbrel.engine.run import Run
from whimbrel.errors import UserError
from whimbrel.model.failure import Failure

_OWN = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "")
"""Frames of this package are ours, not the user's."""

REMOTE = "Remote traceback:"
"""Where the traceback of another process begins, inside that of the exception which came from there."""


class LoadFailed(UserError):
    """The user's module raised when it was imported; ``report`` is the traceback of its own lines."""

    def __init__(self, source: str, error: BaseException) -> None:
        self.source = source
        self.report = user_traceback(error)
        super().__init__(f"{source} cannot be loaded; importing it raised {type(error).__name__}")

    def __reduce__(self) -> tuple[type[UserError], tuple[str]]:
        return (UserError, (f"{self}\n{self.report}",))


def user_traceback(error: BaseException) -> str:
    """The traceback of ``error`` and its causes without frames of ours and of the import system."""
    told = traceback.TracebackException.from_exception(error)
    seen: set[int] = set()
    waiting = [told]
    while waiting:
        part = waiting.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        kept = [frame for frame in part.stack if not _is_ours(frame.filename)]
        part.stack = traceback.StackSummary.from_list(kept)
        waiting += [linked for linked in (part.__cause__, part.__context__) if linked is not None]
        waiting += part.exceptions or []
    return "".join(told.format()).rstrip()


def _is_ours(filename: str) -> bool:
    return filename.startswith((_OWN, "<frozen ")) or filename == importlib.__file__


def innermost_line(tb: TracebackType | None) -> tuple[str, int]:
    """File and line of the user's innermost frame; ``("", 0)`` when there is none."""
    found = ("", 0)
    while tb is not None:
        filename = tb.tb_frame.f_code.co_filename
        if not _is_ours(filename):
            found = (filename, tb.tb_lineno)
        tb = tb.tb_next
    return found


def origin(run: Run, failure: Failure) -> NodeState | None:
    """The node where ``failure`` began: an eager body that lets a call's exception through fails with an equal one."""
    found = run.nodes.get(failure.node)
    while found is not None:
        inner = next((child for child in found.children if _is_same(child.failure, failure)), None)
        if inner is None:
            break
        found = inner
    return found


def _is_same(inner: Failure | None, outer: Failure) -> bool:
    return inner is not None and (inner.type, inner.message) == (outer.type, outer.message)


def own_traceback(node: NodeState) -> str:
    """What ``node`` itself adds to its failure: without the part that is shown where it began."""
    failure = node.failure
    if failure is None:
        return ""
    text = failure.traceback.rstrip() or failure.title
    if any(_is_same(child.failure, failure) for child in node.children):
        text = text.partition(f"\n{REMOTE}")[0]
    return text


def failure_text(failure: Failure) -> str:
    """The traceback where it happened, with notes; the title alone where there is no traceback."""
    body = failure.traceback.rstrip() or failure.title
    notes = [note for note in failure.notes if note not in body]
    return "\n".join([body, *notes])


def indented(text: str, by: str = "    ") -> str:
    """Every line of ``text`` moved to the right."""
    return "\n".join(by + line if line else line for line in text.splitlines())
