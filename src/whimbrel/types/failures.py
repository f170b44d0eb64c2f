"""Exceptions across processes: ``capture`` makes a ``Failure`` of one, ``rebuild`` makes one of a ``Failure``.

What is rebuilt is an instance of the original class *and* of ``EagerException``. The class is found by importing its
module, never by unpickling; its ``__init__`` is not called, as nobody knows what it wants.

Knows: errors, failures. Must not know: transports, nodes, who catches what.
"""

from __future__ import annotations

import os
import sys
import types
from collections.abc import Iterable, Iterator
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from whimbrel.errors import CallAborted, CallFailed, CallLost, CallTimedOut, EagerException, WhimbrelError
from whimbrel.model import codec
from whimbrel.model.failure import Failure, Fault
from whimbrel.types.plain import NotPlain, from_plain, to_plain

if TYPE_CHECKING:
    from traceback import TracebackException

# Deeper chains of causes than this are cut: they are loops that raise in their handlers.
CHAIN_LENGTH: Final = 16
# A failure is kept in the run's events: a message, a traceback or arguments beyond these sizes are cut or left out.
MESSAGE_CHARACTERS: Final = 20_000
TRACEBACK_CHARACTERS: Final = 60_000
STATE_BYTES: Final = 60_000
GROUP_MEMBERS: Final = 100

_OURS: Final = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_REMOTE_NOTE: Final = "Remote traceback:\n"
# Kept in a rebuilt exception's __dict__, beside what is the author's.
_FAILURE: Final = "__whimbrel_failure__"
_MESSAGE: Final = "__whimbrel_message__"
_OWN_STATE: Final = frozenset({"__notes__", "remote_traceback", _FAILURE, _MESSAGE})
# Classes that live in C: instances are made by the nearest of these.
_HEAP_TYPE: Final = 1 << 9


# --- capture ----------------------------------------------------------------------------------------------------------


def capture(exception: BaseException, *, node: str = "", fault: Fault = Fault.USER) -> Failure:
    """What can be kept of ``exception``: its class by name, its message, its arguments and attributes as far as they
    are JSON-like, its notes, its traceback without whimbrel's own frames, its causes and, for a group, its members.
    """
    return _capture(exception, node, fault, frozenset())


def _capture(exception: BaseException, node: str, fault: Fault, seen: frozenset[int]) -> Failure:
    seen = seen | {id(exception)}
    text, line = _traceback(exception)
    notes = tuple(note for note in _notes(exception) if not note.startswith(_REMOTE_NOTE))
    cause = exception.__cause__
    context = None if exception.__suppress_context__ else exception.__context__
    captured_cause = _follow(cause, seen)
    captured_context = _follow(context, seen)
    remote = exception.__dict__.get(_FAILURE) if isinstance(exception, EagerException) else None
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
    kind = type(exception)
    members: tuple[Failure, ...] = ()
    if isinstance(exception, BaseExceptionGroup) and len(seen) < CHAIN_LENGTH:
        grouped = exception.exceptions[:GROUP_MEMBERS]
        members = tuple(_capture(member, "", Fault.USER, seen) for member in grouped if id(member) not in seen)
        if len(exception.exceptions) > GROUP_MEMBERS:
            notes += (f"{len(exception.exceptions) - GROUP_MEMBERS} more exceptions of this group are not kept",)
    return Failure(
        fault=fault,
        message=_cut(_message(exception), MESSAGE_CHARACTERS),
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


def _message(exception: BaseException) -> str:
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


# --- tracebacks -------------------------------------------------------------------------------------------------------


def _traceback(exception: BaseException) -> tuple[str, str]:
    """The traceback as text, without causes (they are captured by themselves), and the author's line that it ended
    in.
    """
    from traceback import TracebackException  # only failures need it

    try:
        summary = TracebackException.from_exception(exception, compact=True)
        line = _trim(summary)
        _drop_notes(summary)
        text = "".join(summary.format(chain=False))
    except Exception as error:
        # An exception whose own methods raise must not hide that there was one.
        return f"{type(exception).__qualname__}: (its traceback cannot be shown: {type(error).__name__}: {error})\n", ""
    return _cut(text, TRACEBACK_CHARACTERS), line


def _trim(summary: TracebackException) -> str:
    """Take whimbrel's own frames out, and what runs them; the line that is left last."""
    frames = list(summary.stack)
    theirs = [frame for frame in frames if not _is_machinery(frame.filename)]
    # An error of whimbrel's own, below the author's last line, keeps its frames: they are what there is to see.
    ours_failed = bool(frames) and frames[-1].filename.startswith(_OURS) and not _is_declared(summary)
    if not ours_failed:
        summary.stack[:] = theirs
    for member in getattr(summary, "exceptions", None) or ():
        _trim(member)
    return f"{theirs[-1].filename}:{theirs[-1].lineno}" if theirs else ""


def _is_machinery(filename: str) -> bool:
    return filename.startswith((_OURS, _ASYNCIO))


_ASYNCIO: Final = os.path.join(os.path.dirname(os.path.abspath(os.__file__)), "asyncio") + os.sep


def _is_declared(summary: TracebackException) -> bool:
    """Whether whimbrel raises this on purpose, so that its message is enough."""
    kind = summary.exc_type
    return isinstance(kind, type) and issubclass(kind, WhimbrelError)


def _drop_notes(summary: TracebackException) -> None:
    """Notes are kept by themselves; of those in the text only a remote traceback stays."""
    notes = getattr(summary, "__notes__", None)
    if isinstance(notes, list | tuple):
        summary.__notes__ = [note for note in notes if isinstance(note, str) and note.startswith(_REMOTE_NOTE)]


def _cut(text: str, limit: int) -> str:
    # What UTF-8 cannot hold is shown as an escape: a failure is written like any other noun.
    text = text.encode("utf-8", "backslashreplace").decode()
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]}\n… {len(text) - 2 * half} characters left out …\n{text[-half:]}"


# --- rebuild ----------------------------------------------------------------------------------------------------------


def rebuild(failure: Failure) -> Exception:
    """The exception to raise for ``failure``: always an ``EagerException``, and of the original class if that can be
    imported here.

    ``remote_traceback`` holds the traceback of the other process, and so does a note, so that a printed traceback
    shows it. A class that cannot be imported is replaced by its nearest ancestor that can, else by ``CallFailed``;
    the message then names it.
    """
    exception = _instance(failure)
    # Past a __setattr__ of the author's (a frozen dataclass has one), here and below.
    kept = exception.__dict__
    kept[_FAILURE] = failure
    notes = list(failure.notes)
    if failure.traceback:
        kept["remote_traceback"] = failure.traceback
        notes.append(_REMOTE_NOTE + failure.traceback.rstrip())
    if notes:
        kept["__notes__"] = notes
    if failure.context is not None:
        BaseException.__setattr__(exception, "__context__", rebuild(failure.context))
    if failure.cause is not None:
        BaseException.__setattr__(exception, "__cause__", rebuild(failure.cause))
    return exception


def _instance(failure: Failure) -> EagerException:
    match failure.fault:
        case Fault.TIMEOUT:
            return CallTimedOut(failure.message or None)
        case Fault.ABORT | Fault.CANCELLED:
            return CallAborted(failure.message or None)
        case Fault.LOST | Fault.SYSTEM:
            return CallLost(failure.message or None)
        case _:
            pass
    if failure.members:
        return _group(failure)
    kind = _find(failure.type)
    if kind is not None:
        built = _build(kind, failure, exact=True)
        if built is not None:
            return built
    for name in failure.bases:
        ancestor = _find(name)
        if ancestor is not None:
            built = _build(ancestor, failure, exact=False)
            if built is not None:
                return built
    return CallFailed(_named(failure))


def _named(failure: Failure) -> str:
    name = failure.type.replace(":", ".").removeprefix("builtins.")
    return f"{name}: {failure.message}" if failure.message else name or "the call failed"


def _find(name: str) -> type[Exception] | None:
    """The exception class of that name, by import; ``None`` if there is none here."""
    module, _, path = name.partition(":")
    if not module or not path or "<" in path:
        return None
    try:
        found: Any = import_module(module)
        for step in path.split("."):
            found = getattr(found, step)
    except KeyboardInterrupt:
        raise
    except BaseException:
        # Whatever the module does when it is imported here, sys.exit() included: the class is not to be had.
        return None
    # A StopIteration cannot be raised where it is wanted: asyncio and generators take it for their own.
    if not isinstance(found, type) or not issubclass(found, Exception) or issubclass(found, StopIteration):
        return None
    return found


class _Remote:
    """What a rebuilt exception has before its own class: it comes first in the method resolution order."""

    __slots__ = ()

    def __init_subclass__(cls) -> None:
        # Not passed on: a class that registers its subclasses, or wants none, is not told of this one.
        pass

    def __str__(self) -> str:
        message = self.__dict__.get(_MESSAGE)
        return message if isinstance(message, str) else super().__str__()

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        # Its class is found under the name of the original, which it is not.
        itself: Any = self
        return rebuild, (capture(itself),)


class _RemoteGroup(_Remote):
    """What `except*` splits off a rebuilt group stays an ``EagerException``."""

    __slots__ = ()

    def derive(self, members: Any) -> Any:
        part = super().derive(members)  # type: ignore[misc]
        return part if isinstance(part, EagerException) else _new_group(type(part), part.message, part.exceptions)


def eager_class(kind: type[Exception]) -> type[EagerException]:
    """The class that is both ``kind`` and ``EagerException``: ``kind`` itself if it is one.

    Raises ``TypeError`` where Python allows no such class.
    """
    if issubclass(kind, EagerException):
        return kind
    hashable: Any = kind
    made: type[EagerException] = _eager_class(hashable)
    return made


@lru_cache(maxsize=4096)
def _eager_class(kind: Any) -> Any:
    first = _RemoteGroup if issubclass(kind, BaseExceptionGroup) else _Remote
    bases = (first, EagerException) if kind in EagerException.__mro__ else (first, kind, EagerException)
    body = {"__module__": kind.__module__, "__qualname__": kind.__qualname__, "__doc__": kind.__doc__}
    return type(kind)(kind.__name__, bases, body)


def as_eager(error: Exception) -> Exception:
    """``error``, raised in this process, as an instance of its own class and of ``EagerException``.

    The same object where Python lets an object change its class; else a copy with its arguments, attributes, notes, cause and
    traceback. One that no class can be both of is the ``__cause__`` of an ``EagerException`` that names it.
    """
    if isinstance(error, EagerException):
        return error
    try:
        kind = eager_class(type(error))
        try:
            error.__class__ = kind
        except TypeError:
            # Built-in classes, and layouts of their own, keep their objects.
            return _copied(error, kind)
    except Exception:
        wrapped = EagerException(f"{type(error).__name__}: {error}")
        wrapped.__cause__ = error
        return wrapped
    return error


def _copied(error: Exception, kind: type[EagerException]) -> EagerException:
    copy = _blank(kind, error.args)
    copy.args = error.args
    copy.__dict__.update(error.__dict__)
    for base in type(error).__mro__:
        for name, slot in vars(base).items():
            # What C classes keep outside __dict__: errno and filename, the name of a NameError, the offset of a SyntaxError.
            if isinstance(slot, types.MemberDescriptorType) and getattr(error, name, None) is not None:
                try:
                    slot.__set__(copy, getattr(error, name))
                except (AttributeError, TypeError):
                    continue
    copy.__cause__ = error.__cause__
    copy.__context__ = error.__context__
    copy.__suppress_context__ = error.__suppress_context__
    return copy.with_traceback(error.__traceback__)


def _build(kind: type[Exception], failure: Failure, *, exact: bool) -> EagerException | None:
    """An instance of ``kind`` and of ``EagerException``; ``None`` where that cannot be."""
    message = failure.message if exact else _named(failure)
    arguments: tuple[Any, ...] = (message,)
    if exact and failure.args is not None:
        arguments = tuple(from_plain(argument) for argument in failure.args)
    try:
        made = eager_class(kind)
        instance = _blank(made, arguments)
    except Exception:
        # A final class, a metaclass that refuses, a C class that wants other arguments: an ancestor has to do.
        return None
    if exact:
        _restore(instance, failure.state)
    if _message(instance) != message:
        # Its __str__ needs what did not travel.
        instance.__dict__[_MESSAGE] = message
    return instance


def _blank(kind: type[EagerException], arguments: Iterable[Any]) -> EagerException:
    """An instance on which no ``__init__`` of a Python class has run, only that of the C class below it."""
    refusal: TypeError | None = None
    for native in kind.__mro__:
        if native.__flags__ & _HEAP_TYPE:
            continue
        maker: Any = native
        try:
            instance: EagerException = maker.__new__(kind, *arguments)
        except TypeError as error:
            # Not the one whose memory layout the class has.
            refusal = refusal or error
            continue
        maker.__init__(instance, *arguments)
        return instance
    raise refusal or TypeError(f"{kind} is no exception class")


def _restore(instance: EagerException, state: dict[str, Any]) -> None:
    for name, plain in state.items():
        value = from_plain(plain)
        slot = next((vars(base)[name] for base in type(instance).__mro__ if name in vars(base)), None)
        if isinstance(slot, types.MemberDescriptorType):
            try:
                slot.__set__(instance, value)
            except (AttributeError, TypeError):
                # A read-only field of a C class: its constructor has set it.
                continue
        else:
            # Not setattr: a property, or a __setattr__ of the author's, may refuse.
            instance.__dict__[name] = value


def _group(failure: Failure) -> EagerException:
    kind = _find(failure.type)
    message = str(failure.args[0]) if failure.args else failure.message
    members = [rebuild(member) for member in failure.members]
    if kind is not None and issubclass(kind, ExceptionGroup):
        try:
            instance = _new_group(kind, message, members)
        except Exception:
            # A group class that wants other arguments: it is a plain group, then.
            return _new_group(ExceptionGroup, message, members)
        _restore(instance, failure.state)
        return instance
    return _new_group(ExceptionGroup, message, members)


def _new_group(kind: type[Exception], message: str, members: Iterable[BaseException]) -> EagerException:
    make: Any = ExceptionGroup.__new__
    instance: EagerException = make(eager_class(kind), message, list(members))
    return instance
