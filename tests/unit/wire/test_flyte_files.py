"""The files of a container: what flytekit writes is read as it is meant."""

from __future__ import annotations

import pytest
from flyteidl.core import errors_pb2, literals_pb2

from whimbrel.errors import InputInvalid
from whimbrel.model import codec
from whimbrel.model.failure import Failure, Fault
from whimbrel.model.interface import Interface
from whimbrel.model.literal_types import INTEGER, NONE, ListType, UnionType
from whimbrel.model.literals import IntLiteral, ListLiteral, UnionLiteral
from whimbrel.model.program import CodeRef, Command, TaskSpec
from whimbrel.wire.flyte.files import inputs_file, read_error, read_outputs

TRACE = (
    'Trace:\n\n    Traceback (most recent call last):\n      File "a.py", line 1, in t\n    {0}\n\nMessage:\n\n    {1}'
)


def error(code: str, message: str, *, kind: int = 0, origin: int = 1) -> Failure:
    said = errors_pb2.ContainerError(code=code, message=message, kind=kind, origin=origin)
    return read_error(errors_pb2.ErrorDocument(error=said).SerializeToString())


def test_a_class_of_the_language() -> None:
    failure = error("USER:RuntimeError", TRACE.format("ValueError: bad", "ValueError: bad"))
    assert (failure.type, failure.message) == ("builtins:ValueError", "bad")
    assert failure.traceback.startswith("Traceback (most recent call last):\n  File")
    assert not failure.recoverable


def test_a_class_of_the_users_by_its_module() -> None:
    failure = error("USER:RuntimeError", TRACE.format("a.b.Odd: x:\n    y", "Odd: x:\n    y"))
    assert (failure.type, failure.message) == ("a.b:Odd", "x:\ny")


def test_an_exception_without_words() -> None:
    failure = error("USER:RuntimeError", TRACE.format("a.Odd", "Odd"))
    assert (failure.type, failure.message) == ("a:Odd", "")


def test_a_recoverable_one_of_flytekits() -> None:
    said = "FlyteRecoverableException: USER:Recoverable: error=later"
    failure = error("USER:Recoverable", TRACE.format(f"flytekit.exceptions.user.{said}", said), kind=1)
    assert (failure.type, failure.message) == ("flytekit.exceptions.user:FlyteRecoverableException", "later")
    assert failure.recoverable


def test_a_fault_of_the_system() -> None:
    failure = error("SYSTEM", "the disk: it is full", kind=1, origin=2)
    assert (failure.fault, failure.type, failure.message) == (Fault.SYSTEM, "", "the disk: it is full")
    assert failure.recoverable


def test_bare_values_of_unions_are_their_variants() -> None:
    maybe = UnionType((INTEGER, NONE))
    kinds = {"o0": INTEGER, "o1": ListType(INTEGER)}
    data = inputs_file({"o0": IntLiteral(1), "o1": ListLiteral((IntLiteral(2),))}, kinds)
    assert read_outputs(data, {"o0": maybe, "o1": ListType(maybe)}) == {
        "o0": UnionLiteral(0, IntLiteral(1)),
        "o1": ListLiteral((UnionLiteral(0, IntLiteral(2)),)),
    }


@pytest.mark.parametrize("data", [b"\xff", literals_pb2.LiteralMap(literals={"o0": {}}).SerializeToString()])
def test_what_cannot_be_read_is_told(data: bytes) -> None:
    with pytest.raises(InputInvalid):
        read_outputs(data, {"o0": INTEGER})


def test_a_task_that_is_no_command_has_the_bytes_that_it_had() -> None:
    spec = TaskSpec("t", Interface(), CodeRef("m", "t"))
    assert b"command" not in codec.encode(spec)
    assert codec.decoder(TaskSpec).decode(codec.encode(spec)) == spec
    command = TaskSpec("t", Interface(), CodeRef("m", "t"), command=Command(("a",)))
    assert codec.decoder(TaskSpec).decode(codec.encode(command)) == command
    assert codec.digest(command) != codec.digest(spec)
