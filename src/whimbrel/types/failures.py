"""Exceptions from other processes, and from calls in this one: ``rebuild`` makes one of a ``Failure``.

What is raised is an instance of the original class *and* of ``EagerException``. The class is found by importing its
module, never by unpickling; its ``__init__`` is not called, as nobody knows what it wants.

Knows: errors, failures. Must not know: transports, nodes, who catches what.
"""

from __future__ import annotations

import types
from collections.abc import Iterable
from functools import lru_cache
from importlib import import_module
from typing import Any, Final

from whimbrel.errors import CallAborted, CallBroken, CallFailed, CallLost, CallTimedOut, EagerException
from whimbrel.model.failure import Failure, Fault
from whimbrel.types.capturing import FAILURE, MESSAGE, ORIGINAL, REMOTE_NOTE, capture, message_of
from whimbrel.types.plain import from_plain

__all__ = ["as_eager", "capture", "eager_class", "rebuild"]

# Classes that live in C do not have this flag: instances are made by the nearest of those.
_HEAP_TYPE: Final = 1 << 9


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
    kept[FAILURE] = failure
    notes = list(failure.notes)
    if failure.traceback:
        kept["remote_traceback"] = failure.traceback
        notes.append(REMOTE_NOTE + failure.traceback.rstrip())
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
        case Fault.LOST:
            return CallLost(failure.message or None)
        case Fault.SYSTEM:
            return CallBroken(failure.message or None)
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
    return ": ".join(part for part in (name, failure.message) if part) or "the call failed"


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
        message = self.__dict__.get(MESSAGE)
        return message if isinstance(message, str) else super().__str__()

    def __reduce_ex__(self, _protocol: Any) -> tuple[Any, ...]:
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
    body: dict[str, Any] = {
        "__module__": kind.__module__,
        "__qualname__": kind.__qualname__,
        "__doc__": kind.__doc__,
        ORIGINAL: kind,
    }
    return type(kind)(kind.__name__, bases, body)


def as_eager(error: Exception) -> Exception:
    """``error``, raised in this process, as an instance of its own class and of ``EagerException``.

    The same object where Python lets an object change its class; else a copy with its arguments, attributes, notes,
    cause and traceback. One that no class can be both of is the ``__cause__`` of an ``EagerException`` that names it.
    """
    if isinstance(error, EagerException):
        return error
    try:
        kind = eager_class(type(error))
        if isinstance(error, ExceptionGroup):
            return _copied(error, kind, (error.message, [_member(member) for member in error.exceptions]))
        try:
            # Past a __setattr__ of the author's.
            object.__setattr__(error, "__class__", kind)
        except TypeError:
            # Built-in classes, and layouts of their own, keep their objects.
            return _copied(error, kind, error.args)
    except Exception:
        wrapped = EagerException(f"{type(error).__name__}: {message_of(error)}")
        wrapped.__cause__ = error
        return wrapped
    return error


def _member(member: BaseException) -> BaseException:
    return as_eager(member) if isinstance(member, Exception) else member


def _copied(error: Exception, kind: type[EagerException], arguments: tuple[Any, ...]) -> EagerException:
    copy = _blank(kind, arguments)
    copy.__dict__.update(error.__dict__)
    for base in type(error).__mro__:
        for name, slot in vars(base).items():
            # What C classes keep outside __dict__: errno and filename, the name of a NameError. __slots__ too.
            if isinstance(slot, types.MemberDescriptorType) and getattr(error, name, None) is not None:
                _set_slot(slot, copy, getattr(error, name))
    put = BaseException.__setattr__
    put(copy, "__cause__", error.__cause__)
    put(copy, "__context__", error.__context__)
    put(copy, "__suppress_context__", error.__suppress_context__)
    put(copy, "__traceback__", error.__traceback__)
    return copy


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
    if message_of(instance) != message:
        # Its __str__ needs what did not travel.
        instance.__dict__[MESSAGE] = message
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
            _set_slot(slot, instance, value)
        else:
            # Not setattr: a property, or a __setattr__ of the author's, may refuse.
            instance.__dict__[name] = value


def _set_slot(slot: types.MemberDescriptorType, instance: EagerException, value: Any) -> None:
    try:
        slot.__set__(instance, value)
    except (AttributeError, TypeError):
        # A read-only field of a C class (the message of a group): its constructor has set it.
        return


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
