"""Every exception that whimbrel raises, in one tree. Knows nothing of the rooms.

::

    WhimbrelError
    ├── UserError                      the author or the caller can mend it
    │   ├── CompileError               a workflow that cannot be compiled: every problem, with file and line
    │   ├── PromiseMisuse              a promise used as if it were a value
    │   ├── ValueMismatch              a value that is not of its declared type; carries a path into the value
    │   ├── UnsupportedType            a type with no transformer
    │   ├── CallMismatch               arguments that do not fit an interface
    │   ├── EntityNotFound             no such file, module, task, workflow, run or node
    │   ├── AlreadyExists              there is one of this name, which is the same
    │   ├── VersionConflict            there is one of this name and version, which is another
    │   ├── InputInvalid               a command-line or file input that does not parse
    │   ├── TooLarge                   more bytes, or more of them, than are taken
    │   ├── ForgottenAwait             a pending call used as if it were its result
    │   ├── SecretNotDeclared              a task asks for a secret that it has not declared
    │   ├── SecretNotFound (EntityNotFound)
    │   ├── SecretLeak                     a secret on its way into a value that is kept
    │   ├── BranchFailed               the arm of a conditional that was taken says to fail
    │   ├── ProcessFailed              the command line of a shell or container task failed
    │   ├── GateRejected               somebody said no at an approval
    │   ├── GateUnanswered             nobody is there to answer a gate
    │   ├── UnresolvedReference        a reference that leads to nothing here
    │   ├── NotAuthenticated           a server does not know who asks
    │   ├── NotAllowed                 a server knows who asks, and they may not
    │   └── RunNotResumable            the run is over, or was aborted
    ├── RecoverableError               raise it in a task to ask for a retry
    ├── EagerException                 what a failed call raises in its eager parent
    │   ├── CallFailed                 the user's class could not be imported here
    │   ├── CallTimedOut (TimeoutError)
    │   ├── CallAborted
    │   ├── CallLost                   the worker died more often than the retries allow
    │   └── CallBroken                 the machine or whimbrel itself kept it from running
    └── SystemFault                    ours, or the machine's
        ├── WorkerLost
        ├── Fenced                     another owner took the run over
        ├── IllegalTransition          an event that the engine's table does not allow
        ├── ServerFault                a server answers that it has a fault, or as no server of ours would
        │   ├── ServerUnreachable      nobody answers
        │   └── Overloaded             it has as much to do as it takes
        └── StoreError
            ├── HomeLocked             another process owns this home
            ├── HomeCorrupt
            ├── HomeTooNew
            └── StoreFull              no space left, or the disk failed a write

    Parked(BaseException)              control flow: a driver leaves memory
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


class WhimbrelError(Exception):
    """Something went wrong in whimbrel."""

    exit_code = 70

    def __init__(self, message: str | None = None, /) -> None:
        super().__init__(message if message is not None else (type(self).__doc__ or "").strip())


class UserError(WhimbrelError):
    """The workflow, its inputs or the way it was called must be mended.

    ``problem`` is the same fact in parts, with the author's line, where the raiser knew it.
    """

    exit_code = 2
    problem: Problem | None = None


class Problem:
    """One thing wrong with a program: what, where, and what to do.

    ``file`` and ``line`` are the user's own; they are ``None``/0 when no line of the user's is to blame.
    """

    __slots__ = ("file", "line", "message", "remedy")

    def __init__(self, message: str, *, remedy: str = "", file: str | None = None, line: int = 0) -> None:
        self.message = message
        self.remedy = remedy
        self.file = file
        self.line = line

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}: " if self.file else ""
        return f"{where}{self.message}" + (f"\n    {self.remedy}" if self.remedy else "")

    def __repr__(self) -> str:
        return f"Problem({str(self)!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return (_problem, (self.message, self.remedy, self.file, self.line))


def _problem(message: str, remedy: str, file: str | None, line: int) -> Problem:
    return Problem(message, remedy=remedy, file=file, line=line)


class CompileError(UserError):
    """The workflow does not compile; ``problems`` lists everything that is wrong with it."""

    def __init__(self, problems: Sequence[Problem], /) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.problems,))


class PromiseMisuse(UserError, TypeError):
    """A promise stands for a value that does not exist until the workflow runs."""


class ValueMismatch(UserError, TypeError):
    """A value is not of the type that its declaration says.

    ``path`` leads into the value (``$.rows[3].price``), ``expected`` names the declared type.
    """

    def __init__(self, expected: str, got: str, path: str = "$", where: str = "") -> None:
        self.expected = expected
        self.got = got
        self.path = path
        self.where = where
        prefix = f"{where}: " if where else ""
        super().__init__(f"{prefix}expected {expected}, got {got} at {path}")

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.expected, self.got, self.path, self.where))


class UnsupportedType(UserError, TypeError):
    """No transformer knows this type: write a TypeTransformer for it, or opt in to pickling."""


class CallMismatch(UserError, TypeError):
    """The arguments of a call do not fit the interface of what is called."""


class EntityNotFound(UserError, LookupError):
    """There is nothing of this name."""


class AlreadyExists(UserError):
    """There is one of this name already."""


class VersionConflict(UserError):
    """There is something else under this name and version; register what has changed under another version."""


class InputInvalid(UserError, ValueError):
    """An input does not parse as its declared type."""


class TooLarge(UserError):
    """There is more of it than is taken; send less."""


class ForgottenAwait(UserError, TypeError):
    """A call in an eager body was used as a value; write ``await`` before it."""


class SecretNotDeclared(UserError):
    """A task asked for a secret that it has not declared."""

    def __init__(self, task: str, group: str, key: str) -> None:
        self.task = task
        self.group = group
        self.key = key
        said = ", ".join(f'{name}="{value}"' for name, value in (("group", group), ("key", key)) if value)
        title = "/".join(part for part in (group, key) if part)
        super().__init__(
            f"{task or 'the task'} has not declared the secret {title!r}. "
            f"Write @task(secret_requests=[Secret({said})])."
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.task, self.group, self.key))


class SecretNotFound(EntityNotFound):
    """There is no secret of this name."""


class SecretLeak(UserError):
    """A secret is part of a value that would be kept; read it where it is needed instead of passing it on."""


class BranchFailed(UserError):
    """The arm of a conditional that was taken says to fail."""


class ProcessFailed(UserError):
    """The command line of a task failed. ``exit_status`` is its exit code, negative for a signal, ``None`` if it
    never ran."""

    exit_status: int | None = None


class GateRejected(UserError):
    """Somebody said no at an approval."""


class GateUnanswered(UserError):
    """Nobody is there to answer a gate."""


class UnresolvedReference(UserError):
    """A reference leads to nothing here."""


class NotAuthenticated(UserError):
    """This server wants to know who asks; log in, or send a token that it gave."""


class NotAllowed(UserError):
    """Whoever keeps the server has not allowed this; ask for a role."""


class RunNotResumable(UserError):
    """The run has ended; start a new one."""


class RecoverableError(WhimbrelError):
    """Raise it in a task to say that another attempt may succeed."""


class EagerException(WhimbrelError):
    """A call awaited in an eager workflow failed.

    What is raised is also an instance of the class that the task raised, where that class can be imported.
    ``remote_traceback`` is the traceback in the process where it happened.
    """

    remote_traceback: str = ""


class CallFailed(EagerException):
    """A call failed with an exception whose class cannot be imported here."""


class CallTimedOut(EagerException, TimeoutError):
    """A call ran longer than its timeout."""


class CallAborted(EagerException):
    """A call was aborted."""


class CallLost(EagerException):
    """The worker of a call died more often than its retries allow."""


class CallBroken(EagerException):
    """The machine, or whimbrel itself, kept a call from running: its function is not to blame."""


class SystemFault(WhimbrelError):
    """The fault is whimbrel's or the machine's, not the workflow's."""


class WorkerLost(SystemFault):
    """A worker process ended without reporting."""


class Fenced(SystemFault):
    """Another process has taken this run over; this one must stop writing."""

    exit_code = 75


class IllegalTransition(SystemFault):
    """The engine was given an event that its table does not allow in this phase."""


class ServerFault(SystemFault):
    """The server has a fault; its log says more."""


class ServerUnreachable(ServerFault):
    """No server answers: start one with `whimbrel up`, or say where it is."""

    exit_code = 69


class Overloaded(ServerFault):
    """The server has as much to do as it takes; nothing was begun, so try again later."""

    exit_code = 75


class StoreError(SystemFault):
    """The durable store failed."""

    exit_code = 74


class HomeLocked(StoreError):
    """Another process is using this home."""

    exit_code = 75


class HomeCorrupt(StoreError):
    """The home's database is damaged."""


class HomeTooNew(StoreError):
    """The home was written by a newer whimbrel; upgrade whimbrel."""


class StoreFull(StoreError):
    """The disk is full or refuses writes; nothing that was finished is lost. Free some space, then resume."""


class Parked(BaseException):
    """A driver leaves memory; it will be rebuilt by replay."""
