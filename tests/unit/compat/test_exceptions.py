"""flytekit's exceptions: one tree, retried where they say so, whole on the other side of a process."""

import pickle

import pytest

from flytekit.exceptions import base, system, user
from whimbrel.errors import RecoverableError
from whimbrel.types.failures import capture, rebuild

USERS = [kind for name, kind in vars(user).items() if isinstance(kind, type) and not name.startswith("_")]
SYSTEMS = [getattr(system, name) for name in system.__all__]


@pytest.mark.parametrize("kind", USERS + SYSTEMS, ids=lambda kind: kind.__name__)
def test_each_is_of_the_tree_and_has_a_code(kind: type[base.FlyteException]) -> None:
    error = kind("what happened", timestamp=12.5)
    assert isinstance(error, base.FlyteException)
    assert isinstance(error, user.FlyteUserException) is (kind in USERS)
    assert isinstance(error, system.FlyteSystemException) is (kind in SYSTEMS)
    assert str(error) == "what happened"
    assert error.timestamp == 12.5
    assert ":" in error.error_code


def test_builtin_classes_catch_them_too() -> None:
    assert issubclass(user.FlyteTypeException, TypeError)
    assert issubclass(user.FlyteValueException, ValueError)
    assert issubclass(user.FlyteDataNotFoundException, user.FlyteValueException)
    assert issubclass(user.FlyteValidationException, user.FlyteAssertion)
    assert issubclass(user.FlyteAssertion, AssertionError)
    assert issubclass(system.FlyteNotImplementedException, NotImplementedError)


@pytest.mark.parametrize("kind", [base.FlyteRecoverableException, user.FlyteRecoverableException])
def test_recoverable_ones_ask_for_a_retry(kind: type[base.FlyteException]) -> None:
    assert issubclass(kind, RecoverableError)
    assert capture(kind("again")).recoverable
    # Several arguments, which whimbrel's own class would refuse.
    assert kind("again", 3).args == ("again", 3)


def test_user_recoverable_is_both() -> None:
    assert issubclass(user.FlyteRecoverableException, base.FlyteRecoverableException)
    assert issubclass(user.FlyteRecoverableException, user.FlyteUserException)


@pytest.mark.parametrize("kind", [user.FlyteRecoverableException, user.FlyteTimeout, system.FlyteDownloadDataException])
def test_they_cross_processes(kind: type[base.FlyteException]) -> None:
    try:
        raise kind("lost", timestamp=3.0)
    except base.FlyteException as error:
        failure = capture(error)
        copied = pickle.loads(pickle.dumps(error))
    again = rebuild(failure)
    assert isinstance(again, kind)
    assert again.args == ("lost",)
    assert isinstance(copied, kind)
