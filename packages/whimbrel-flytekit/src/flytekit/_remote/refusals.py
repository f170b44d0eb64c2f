"""What a server refuses, as flytekit's classes and whimbrel's at once: existing ``except`` clauses keep their meaning.

Knows: both trees of errors. Must not know: who asks for what.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flytekit.exceptions.system import FlyteSystemException, FlyteSystemUnavailableException
from flytekit.exceptions.user import (
    FlyteAuthenticationException,
    FlyteEntityAlreadyExistsException,
    FlyteEntityNotExistException,
    FlyteInvalidInputException,
)
from whimbrel.errors import (
    AlreadyExists,
    CallMismatch,
    EntityNotFound,
    InputInvalid,
    NotAllowed,
    NotAuthenticated,
    ServerFault,
    ServerUnreachable,
    ValueMismatch,
    VersionConflict,
    WhimbrelError,
)


class NotThere(FlyteEntityNotExistException, EntityNotFound):
    """There is no such thing on the server."""


class ThereAlready(FlyteEntityAlreadyExistsException, AlreadyExists):
    """There is one of this name on the server."""


class ThereAsAnother(FlyteEntityAlreadyExistsException, VersionConflict):
    """There is one of this name and version on the server, and it is another."""


class Refused(FlyteInvalidInputException, InputInvalid):
    """The server, or the interface, does not take this."""


class Unknown(FlyteAuthenticationException, NotAuthenticated):
    """The server does not know who asks."""


class Unwelcome(FlyteAuthenticationException, NotAllowed):
    """The server does not let whoever asks."""


class Unavailable(FlyteSystemUnavailableException, ServerUnreachable):
    """No server answers."""


class Faulty(FlyteSystemException, ServerFault):
    """The server has a fault."""


_CLASSES: tuple[tuple[type[WhimbrelError], type[WhimbrelError]], ...] = (
    (EntityNotFound, NotThere),
    (AlreadyExists, ThereAlready),
    (VersionConflict, ThereAsAnother),
    (NotAuthenticated, Unknown),
    (NotAllowed, Unwelcome),
    (ServerUnreachable, Unavailable),
    (ServerFault, Faulty),
    (InputInvalid, Refused),
    (CallMismatch, Refused),
    (ValueMismatch, Refused),
)


@contextmanager
def in_flytekits_words() -> Iterator[None]:
    """Errors of the client, of flytekit's classes too."""
    try:
        yield
    except WhimbrelError as error:
        for ours, both in _CLASSES:
            if isinstance(error, ours) and not isinstance(error, both):
                raise both(str(error)) from error
        raise
