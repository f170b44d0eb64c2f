"""What is kept of an exception when it leaves its process: ``capture`` makes a ``Failure`` of one.

Knows: errors, failures. Must not know: how exceptions are made again, transports, nodes.
"""

from __future__ import annotations

import os
import sys
import types
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from whimbrel.errors import EagerException, WhimbrelError
from whimbrel.model import codec
from whimbrel.model.failure import Failure, Fault
from whimbrel.types.plain import NotPlain, to_plain

if TYPE_CHECKING:
    from traceback import TracebackException

# Deeper chains of causes than this are cut: they are loops that raise in their handlers.
CHAIN_LENGTH: Final = 16
# A failure is kept in the run's events: a message, a traceback or arguments beyond these sizes are cut or left out.
MESSAGE_CHARACTERS: Final = 20_000
TRACEBACK_CHARACTERS: Final = 60_000
STATE_BYTES: Final = 60_000
GROUP_MEMBERS: Final = 100

REMOTE_NOTE: Final = "Remote traceback:\n"
"""How the note begins that shows a remote traceback."""
# Kept in the __dict__ of a rebuilt exception, beside what is the author's: the failure, and a message that its class
# cannot make here.
FAILURE: Final = "__whimbrel_failure__"
MESSAGE: Final = "__whimbrel_message__"
ORIGINAL: Final = "__whimbrel_original__"
"""In a class that ``eager_class`` made: the class that it stands for."""

_OWN_STATE: Final = frozenset({"__notes__", "remote_traceback", FAILURE, MESSAGE})
_OURS: Final = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
# What runs an author's code between our frames and theirs.
_STDLIB: Final = os.path.dirname(os.path.abspath(os.__file__)) + os.sep
_MACHINERY: Final = (_OURS, f"{_STDLIB}asyncio{os.sep}", f"{_STDLIB}concurrent{os.sep}futures{os.sep}")


def capture(exception: BaseException, *, node: str = "", fault: Fault = Fault.USER) -> Failure:
    """What can be kept of ``exception``: its class by name, its message, its arguments and attributes as far as they
    are JSON-like, its notes, its traceback without whimbrel's own frames, its causes and, for a group, its members.
    """
    return _capture(exception, node, fault, frozenset())


def _capture(exception: BaseException, node: str, fault: Fault, seen: frozenset[int]) -> Failure:
    seen = seen | {id(exception)}
    text, line = _traceback(exception)
    notes = tuple(note for note in _notes(exception) if not note.startswith(REMOTE_NOTE))
    cause = exception.__cause__
    context = None if exception.__suppress_context__ else exception.__context__
    captured_cause = _follow(cause, seen)
    captured_context = _follow(context, seen)
    remote = exception.__dict__.get(FAILURE) if isinstance(exception, EagerException) else None
    if isinstance(remote, Failure) and remote.fault is Fault.USER:
        # It was raised elsewhere and passed through here: it is still what it was, with one more traceback.
        return Failure(
            fault=fault,
            message=remote.message,
            type=remote.type,
            args=remote.args,
            state=remote.state,
            bases=remote.bases,
            notes=notes,
            traceback=text,
            recoverable=remote.recoverable,
            members=remote.members,
            node=node or remote.node,
            line=remote.line or line,
            cause=captured_cause,
            context=captured_context,
        )
    kind = vars(type(exception)).get(ORIGINAL, type(exception))
    members: tuple[Failure, ...] = ()
    if isinstance(exception, BaseExceptionGroup) and len(seen) < CHAIN_LENGTH:
        grouped = exception.exceptions[:GROUP_MEMBERS]
        members = tuple(_capture(member, "", Fault.USER, seen) for member in grouped if id(member) not in seen)
        if len(exception.exceptions) > GROUP_MEMBERS:
            notes += (f"{len(exception.exceptions) - GROUP_MEMBERS} more exceptions of this group are not kept",)
    return Failure(
        fault=fault,
        message=_cut(message_of(exception), MESSAGE_CHARACTERS),
        type=_class_name(kind),
        args=_arguments(exception),
        state=_state(exception),
        bases=tuple(_class_name(base) for base in kind.__mro__[1:] if _is_reachable(base)),
        notes=tuple(_cut(note, MESSAGE_CHARACTERS) for note in notes),
        traceback=text,
        members=members,
        node=node,
        line=line,
        cause=captured_cause,
        context=captured_context,
    )


def _follow(exception: BaseException | None, seen: frozenset[int]) -> Failure | None:
    if exception is None or id(exception) in seen or len(seen) >= CHAIN_LENGTH:
        return None
    return _capture(exception, "", Fault.USER, seen)


def _class_name(kind: type) -> str:
    return f"{kind.__module__}:{kind.__qualname__}"


def _is_reachable(kind: type) -> bool:
    """Whether ``kind`` is an ancestor worth naming: more than ``Exception``, and found under its name."""
    if kind in (Exception, BaseException, object) or not issubclass(kind, Exception):
        return False
    found: Any = sys.modules.get(kind.__module__)
    for step in kind.__qualname__.split("."):
        found = getattr(found, step, None)
    return found is kind


def message_of(exception: BaseException) -> str:
    """``str(exception)``, whatever its ``__str__`` does."""
    try:
        return str(exception)
    except Exception as error:
        return f"(its message cannot be shown: str() raises {type(error).__name__})"


def _notes(exception: BaseException) -> Iterator[str]:
    notes = getattr(exception, "__notes__", ())
    if isinstance(notes, list | tuple):
        yield from (note for note in notes if isinstance(note, str))


def _arguments(exception: BaseException) -> tuple[Any, ...] | None:
    if isinstance(exception, BaseExceptionGroup):
        # The members are captured as failures.
        return (to_plain(exception.message),)
    arguments = exception.args
    if isinstance(exception, OSError) and exception.filename is not None and len(arguments) == 2:
        # OSError takes its file names out of args; they are given to it the same way again.
        arguments = (*arguments, exception.filename)
        if exception.filename2 is not None:
            arguments = (*arguments, None, exception.filename2)
    try:
        plain = tuple(to_plain(argument) for argument in arguments)
    except NotPlain:
        return None
    return plain if _is_small(plain) else None


def _state(exception: BaseException) -> dict[str, Any]:
    state = {}
    for name, value in _attributes(exception):
        try:
            plain = to_plain(value)
        except NotPlain:
            continue
        if _is_small(plain):
            state[name] = plain
    return state


def _is_small(plain: Any) -> bool:
    return len(codec.encode(plain)) <= STATE_BYTES


def _attributes(exception: BaseException) -> Iterator[tuple[str, Any]]:
    for name, value in exception.__dict__.items():
        if name not in _OWN_STATE and isinstance(name, str):
            yield name, value
    for owner in type(exception).__mro__:
        for name, slot in vars(owner).items():
            # Slots of the author's, and fields that C classes take as keywords (ImportError.name, NameError.name).
            if isinstance(slot, types.MemberDescriptorType) and not name.startswith("__"):
                try:
                    value = slot.__get__(exception)
                except AttributeError:
                    continue
                if value is not None:
                    yield name, value


def _traceback(exception: BaseException) -> tuple[str, str]:
    """The traceback as text, without causes (they are captured by themselves), and the author's line that it ended
    in.
    """
    from traceback import TracebackException  # only failures need it

    try:
        summary = TracebackException.from_exception(exception, compact=True)
        line = _trim(summary, declared=isinstance(exception, WhimbrelError))
        _drop_notes(summary)
        text = "".join(summary.format(chain=False))
    except Exception as error:
        # An exception whose own methods raise must not hide that there was one.
        return f"{type(exception).__qualname__}: (its traceback cannot be shown: {type(error).__name__}: {error})\n", ""
    return _cut(text, TRACEBACK_CHARACTERS), line


def _trim(summary: TracebackException, *, declared: bool = False) -> str:
    """Take whimbrel's own frames out, and what runs them; the line that is left last."""
    frames = list(summary.stack)
    theirs = [frame for frame in frames if not _is_machinery(frame.filename)]
    # A defect of whimbrel's, below the author's last line, keeps its frames: they are what there is to see. What it
    # raises on purpose says enough by its message.
    ours_failed = bool(frames) and frames[-1].filename.startswith(_OURS) and not declared
    if not ours_failed:
        summary.stack[:] = theirs
    for member in getattr(summary, "exceptions", None) or ():
        _trim(member)
    return f"{theirs[-1].filename}:{theirs[-1].lineno}" if theirs else ""


def _is_machinery(filename: str) -> bool:
    return filename.startswith(_MACHINERY)


def _drop_notes(summary: TracebackException) -> None:
    """Notes are kept by themselves; of those in the text only a remote traceback stays."""
    notes = getattr(summary, "__notes__", None)
    if isinstance(notes, list | tuple):
        summary.__notes__ = [note for note in notes if isinstance(note, str) and note.startswith(REMOTE_NOTE)]


def _cut(text: str, limit: int) -> str:
    # What UTF-8 cannot hold is shown as an escape: a failure is written like any other noun.
    text = text.encode("utf-8", "backslashreplace").decode()
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]}\n… {len(text) - 2 * half} characters left out …\n{text[-half:]}"
