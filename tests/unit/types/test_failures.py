"""Exceptions across processes: captured, written, read, and raised again as what they were."""

import asyncio
import copy
import json
import pickle
import sqlite3
import subprocess
import sys
import traceback
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.unit.types import raised
from whimbrel.errors import (
    CallAborted,
    CallBroken,
    CallFailed,
    CallLost,
    CallTimedOut,
    CompileError,
    EagerException,
    Problem,
    RecoverableError,
    ValueMismatch,
    WhimbrelError,
)
from whimbrel.model import codec
from whimbrel.model.failure import Failure, Fault
from whimbrel.types.capturing import CHAIN_LENGTH, GROUP_MEMBERS, MESSAGE_CHARACTERS, TRACEBACK_CHARACTERS
from whimbrel.types.failures import as_eager, capture, eager_class, rebuild
from whimbrel.types.plain import NotPlain, from_plain, to_plain

DECODER = codec.decoder(Failure)


def travelled(error: BaseException, **options: Any) -> Failure:
    """What arrives of ``error`` in another process."""
    failure = capture(error, **options)
    arrived: Failure = DECODER.decode(codec.encode(failure))
    return arrived


def arriving(error: BaseException) -> Exception:
    return rebuild(travelled(error))


def caught(run: Callable[[], Any]) -> BaseException:
    try:
        run()
    except BaseException as error:
        return error
    raise AssertionError("it did not raise")


def decoding() -> None:
    b"ab\xff".decode()


def awkward() -> list[BaseException]:
    """One of each sort, new each time: some tests change them."""
    return [
        ValueError("plain"),
        ValueError("several", 2, None, 1.5, True, b"\x00", (1, [2, (3,)]), {"a": {1: 2}}, {3}, 2**100),
        ValueError(),
        KeyError("key"),
        Exception("the most general"),
        OSError(2, "no such file", "a.txt"),
        OSError(17, "exists", "a.txt", None, "b.txt"),
        OSError("only a message"),
        PermissionError(13, "denied"),
        TimeoutError(),
        caught(lambda: Path("/no/such/file").read_text()),
        caught(decoding),
        UnicodeEncodeError("ascii", "é", 0, 1, "why"),
        caught(lambda: json.loads("{")),
        caught(lambda: compile("x y", "file.py", "exec")),
        ImportError("no", name="module", path="there"),
        sqlite3.OperationalError("locked"),
        subprocess.CalledProcessError(3, ["false"], b"out", b"err"),
        AssertionError("1 == 2"),
        NotImplementedError(),
        raised.Keyworded(code=404, url="here"),
        raised.Slotted(3),
        raised.Propertied(4),
        raised.Sealed("sealed"),
        raised.Registered("registered"),
        raised.PathError("a.txt"),
        raised.Frozen(5),
        raised.TwoParents("both"),
        raised.OwnNew(1, 2),
        raised.Outer.Nested("nested"),
        raised.Mine(6),
        WhimbrelError("ours"),
        RecoverableError("again, please"),
        ValueMismatch("int", "str 'a'", "$.a"),
        CompileError([Problem("wrong", file="f.py", line=3)]),
        CallTimedOut("slow"),
        EagerException("bare"),
    ]


every_sort = pytest.mark.parametrize("index", range(len(awkward())), ids=[type(error).__name__ for error in awkward()])


@every_sort
def test_what_arrives_is_what_was_raised(index: int) -> None:
    error = awkward()[index]
    again = arriving(error)
    assert isinstance(again, type(error))
    assert isinstance(again, EagerException)
    assert str(again) == str(error)
    assert again.args == error.args
    assert type(again).__name__ == type(error).__name__
    for name, value in vars(error).items():
        if isinstance(value, str | int | bytes | None):
            assert getattr(again, name) == value
    # Once more: it passes through a parent on its way up.
    twice = arriving(again)
    assert type(twice) is type(again)
    assert str(twice) == str(error)


def test_fields_that_c_classes_keep_arrive() -> None:
    gone = arriving(raised.PathError("a.txt"))
    assert isinstance(gone, raised.PathError)
    assert (gone.errno, gone.strerror, gone.filename, gone.asked) == (2, "it is gone", "a.txt", "a.txt")
    moved = arriving(OSError(17, "exists", "a.txt", None, "b.txt"))
    assert isinstance(moved, FileExistsError)
    assert (moved.filename, moved.filename2) == ("a.txt", "b.txt")
    wrong = arriving(caught(decoding))
    assert isinstance(wrong, UnicodeDecodeError)
    assert (wrong.encoding, wrong.object, wrong.start) == ("utf-8", b"ab\xff", 2)
    missing = arriving(ImportError("no", name="module"))
    assert isinstance(missing, ImportError)
    assert missing.name == "module"
    syntax = arriving(caught(lambda: compile("x y", "file.py", "exec")))
    assert isinstance(syntax, SyntaxError)
    assert (syntax.filename, syntax.lineno) == ("file.py", 1)
    slotted = arriving(raised.Slotted(3))
    assert isinstance(slotted, raised.Slotted)
    assert slotted.size == 3
    called = arriving(subprocess.CalledProcessError(3, ["false"], b"out"))
    assert isinstance(called, subprocess.CalledProcessError)
    assert (called.returncode, called.cmd, called.stdout) == (3, ["false"], b"out")
    assert arriving(ValueError(raised.Status.GONE)).args == (410,)


def test_a_message_that_cannot_be_made_here_is_the_one_that_was_made_there() -> None:
    again = arriving(raised.Holding(types.SimpleNamespace(name="it")))
    assert isinstance(again, raised.Holding)
    assert str(again) == "holding it"
    assert str(arriving(again)) == "holding it"
    assert not hasattr(again, "thing")


def test_classes_are_not_told_that_they_were_subclassed() -> None:
    arriving(raised.Registered("x"))
    assert raised.Registered.known == []


def test_the_class_is_made_once_and_both_catch_it() -> None:
    assert eager_class(ValueError) is eager_class(ValueError)
    assert eager_class(raised.Mine) is raised.Mine
    for catcher in (KeyError, LookupError, EagerException, WhimbrelError, Exception):
        with pytest.raises(catcher):
            raise arriving(KeyError("k"))


def local_error() -> Exception:
    class Local(LookupError):
        pass

    return Local("here only")


def test_a_class_that_cannot_be_imported_gives_its_nearest_ancestor_and_names_it() -> None:
    again = arriving(local_error())
    assert isinstance(again, LookupError)
    assert isinstance(again, EagerException)
    assert str(again) == f"{__name__}.local_error.<locals>.Local: here only"
    assert str(arriving(again)) == str(again)


BOTTOM = [
    (Failure(Fault.USER, "gone", type="no_such_module_anywhere:Lost"), "no_such_module_anywhere.Lost: gone"),
    (Failure(Fault.USER, "gone", type="whimbrel.errors:NoSuchClass"), "whimbrel.errors.NoSuchClass: gone"),
    (Failure(Fault.USER, "not one", type="builtins:int", args=("3",)), "int: not one"),
    (Failure(Fault.USER, "not one", type="os:system", args=("true",)), "os.system: not one"),
    (Failure(Fault.USER, "no class"), "no class"),
    (Failure(Fault.USER, ""), "the call failed"),
]


@pytest.mark.parametrize(("failure", "message"), BOTTOM)
def test_with_no_class_at_all_the_call_failed(failure: Failure, message: str) -> None:
    again = rebuild(failure)
    assert type(again) is CallFailed
    assert str(again) == message


def test_a_module_that_fails_at_import_is_as_good_as_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "exits_at_import.py").write_text("import sys\nsys.exit(3)\n")
    (tmp_path / "raises_at_import.py").write_text("1 / 0\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    for module in ("exits_at_import", "raises_at_import"):
        failure = Failure(Fault.USER, "m", type=f"{module}:Lost", bases=("builtins:ArithmeticError",))
        again = rebuild(failure)
        assert isinstance(again, ArithmeticError)
        assert str(again) == f"{module}.Lost: m"


def test_what_is_no_exception_but_was_raised_is_a_failed_call() -> None:
    for error in (SystemExit(3), KeyboardInterrupt(), GeneratorExit(), asyncio.CancelledError("stop")):
        again = arriving(error)
        assert type(again) is CallFailed
        assert type(error).__name__ in str(again)


def test_a_stop_iteration_cannot_be_raised_where_it_is_awaited() -> None:
    assert type(arriving(StopIteration(3))) is CallFailed


def test_other_ends_than_the_authors_have_their_own_classes() -> None:
    for fault, kind in (
        (Fault.TIMEOUT, CallTimedOut),
        (Fault.ABORT, CallAborted),
        (Fault.CANCELLED, CallAborted),
        (Fault.LOST, CallLost),
        (Fault.SYSTEM, CallBroken),
    ):
        again = rebuild(Failure(fault, "because", type="builtins:ValueError"))
        assert type(again) is kind
        assert str(again) == "because"
        assert str(rebuild(Failure(fault, ""))) == kind.__doc__
        # It is the parent's own failure when it is not caught there.
        passed_on = travelled(again)
        assert passed_on.fault is Fault.USER
        assert type(rebuild(passed_on)) is kind


def deep() -> None:
    try:
        {}["missing"]
    except KeyError as error:
        try:
            raise ValueError("middle") from error
        except ValueError:
            raise RuntimeError("top")  # noqa: B904  the context is what is looked at


def test_causes_contexts_and_notes_arrive() -> None:
    error = caught(deep)
    error.add_note("first")
    error.add_note("second")
    again = arriving(error)
    assert isinstance(again.__context__, ValueError)
    assert not again.__suppress_context__
    assert isinstance(again.__context__.__cause__, KeyError)
    assert isinstance(again.__context__.__cause__, EagerException)
    assert again.__notes__[:2] == ["first", "second"]
    hidden = caught(lambda: raise_from_none())
    assert capture(hidden).context is None


def raise_from_none() -> None:
    try:
        {}["missing"]
    except KeyError:
        raise ValueError("alone") from None


def test_a_printed_traceback_shows_the_remote_one_below_the_local_one() -> None:
    again = arriving(caught(deep))
    assert isinstance(again, EagerException)
    assert "in deep" in again.remote_traceback
    assert again.remote_traceback.rstrip().endswith("RuntimeError: top")
    again = arriving(caught(decoding))
    shown = "".join(traceback.format_exception(caught(lambda: throw(again))))
    assert shown.index("in throw") < shown.index("Remote traceback:") < shown.rindex("in decoding")


def throw(error: BaseException) -> None:
    raise error


def test_passing_through_parents_adds_their_tracebacks_once_each() -> None:
    middle = caught(lambda: throw(arriving(caught(deep))))
    top = arriving(middle)
    assert isinstance(top, EagerException)
    text = top.remote_traceback
    assert text.count("in throw") == 1
    assert text.count("in deep") == 1
    assert len([note for note in top.__notes__ if note.startswith("Remote traceback")]) == 1


def test_frames_of_ours_are_left_out() -> None:
    def checking() -> None:
        from whimbrel.types.registry import default_registry

        default_registry().transformer(list[int]).check(["x"])

    failure = capture(caught(checking))
    assert "in checking" in failure.traceback
    assert "whimbrel/types" not in failure.traceback
    assert failure.line == f"{__file__}:{caught_line(checking)}"


def caught_line(run: Callable[[], Any]) -> int:
    return run.__code__.co_firstlineno + 3


def test_a_defect_of_ours_keeps_its_frames() -> None:
    failure = capture(caught(lambda: rebuild(None)))  # type: ignore[arg-type]
    assert "whimbrel/types/failures.py" in failure.traceback


def test_groups_stay_groups() -> None:
    group = ExceptionGroup("some", [ValueError(1), ExceptionGroup("inner", [KeyError(2), OSError(2, "n", "f")])])
    seen = []
    try:
        raise arriving(group)
    except* KeyError as part:
        seen.append(part)
    except* EagerException as part:
        seen.append(part)
    assert [type(part).__name__ for part in seen] == ["ExceptionGroup", "ExceptionGroup"]
    assert all(isinstance(part, EagerException) for part in seen)
    again = arriving(group)
    assert isinstance(again, ExceptionGroup)
    assert again.message == "some"
    assert str(again) == str(group)
    assert isinstance(again.exceptions[1].exceptions[1], FileNotFoundError)  # type: ignore[union-attr]
    assert isinstance(again.exceptions[0], EagerException)


def test_groups_of_the_authors_class_too() -> None:
    again = arriving(raised.Bunch("mine", [ValueError(1), KeyError(2)]))
    assert isinstance(again, raised.Bunch)
    part, rest = again.split(ValueError)
    assert isinstance(part, raised.Bunch)
    assert isinstance(part, EagerException)
    assert isinstance(rest, raised.Bunch)
    own = arriving(raised.OwnBunch(ValueError(1)))
    assert isinstance(own, raised.OwnBunch)
    assert [type(member).__name__ for member in own.exceptions] == ["ValueError"]
    mixed = arriving(BaseExceptionGroup("mixed", [SystemExit(1), ValueError(2)]))
    assert isinstance(mixed, ExceptionGroup)
    assert [type(member).__name__ for member in mixed.exceptions] == ["CallFailed", "ValueError"]


def test_what_arrives_can_be_copied_and_pickled() -> None:
    again = arriving(raised.Keyworded(code=404, url="here"))
    for other in (copy.copy(again), pickle.loads(pickle.dumps(again))):
        assert type(other) is type(again)
        assert str(other) == str(again)
        assert vars(other)["code"] == 404


def test_there_is_a_limit_to_everything() -> None:
    huge = capture(ValueError("x" * 10 * MESSAGE_CHARACTERS))
    assert len(huge.message) < MESSAGE_CHARACTERS + 100
    assert huge.args is None
    assert len(huge.traceback) < TRACEBACK_CHARACTERS + 100
    chain: Exception = ValueError(0)
    for number in range(100):
        later = ValueError(number)
        later.__cause__ = chain
        chain = later
    length, failure = 0, capture(chain)
    while failure.cause is not None:
        length, failure = length + 1, failure.cause
    assert length == CHAIN_LENGTH - 1
    many = capture(ExceptionGroup("many", [ValueError(number) for number in range(GROUP_MEMBERS + 5)]))
    assert len(many.members) == GROUP_MEMBERS
    assert many.notes == ("5 more exceptions of this group are not kept",)
    knot = ValueError("knot")
    knot.__context__ = KeyError("other")
    knot.__context__.__context__ = knot
    assert capture(knot).context is not None


class Rude(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no")


def test_an_exception_that_cannot_even_be_shown_is_captured() -> None:
    failure = travelled(Rude())
    assert "str() raises RuntimeError" in failure.message
    assert isinstance(rebuild(failure), Rude)
    unwritable = travelled(ValueError("\ud800"))
    assert unwritable.message == "\\ud800"
    assert rebuild(unwritable).args == ("\ud800",)


def test_the_node_and_the_fault_are_the_callers_to_say() -> None:
    failure = travelled(ValueError("x"), node="n0/1", fault=Fault.SYSTEM)
    assert (failure.node, failure.fault) == ("n0/1", Fault.SYSTEM)
    assert travelled(rebuild(travelled(ValueError("x"), node="n0/1"))).node == "n0/1"
    assert travelled(rebuild(travelled(ValueError("x"), node="n0/1")), node="n0").node == "n0"


# --- in this process ------------------------------------------------------------------------------------------------


@every_sort
def test_in_one_process_too_a_failed_call_is_both(index: int) -> None:
    error = awkward()[index]
    assert isinstance(error, Exception)
    BaseException.__setattr__(error, "__context__", KeyError("before"))
    kind, message, arguments = type(error), str(error), error.args
    again = as_eager(error)
    assert isinstance(again, EagerException)
    assert isinstance(again, kind)
    assert (str(again), again.args) == (message, arguments)
    assert isinstance(again.__context__, KeyError)
    assert travelled(again).type == travelled(awkward()[index]).type
    assert type(arriving(again)).__mro__ == type(arriving(awkward()[index])).__mro__


def test_in_one_process_everything_is_kept() -> None:
    thing = types.SimpleNamespace(name="it")
    again = as_eager(caught(lambda: throw(raised.Holding(thing))))  # type: ignore[arg-type]
    assert isinstance(again, raised.Holding)
    assert again.thing is thing
    assert again.__traceback__ is not None
    built_in = as_eager(caught(lambda: throw(ValueError(thing))))  # type: ignore[arg-type]
    assert built_in.args == (thing,)
    assert built_in.__traceback__ is not None
    group = as_eager(ExceptionGroup("g", [ValueError(1)]))
    assert isinstance(group, ExceptionGroup)
    assert isinstance(group.exceptions[0], EagerException)
    local = local_error()
    assert travelled(as_eager(local)).bases == travelled(local_error()).bases
    mine = raised.Mine(3)
    assert as_eager(mine) is mine


def test_a_class_that_cannot_be_both_is_the_cause() -> None:
    def refuse(cls: type, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> type:
        if any(base.__name__ == "Closed" for base in bases):
            raise TypeError("closed")
        return type.__new__(cls, name, bases, body)

    closed: Any = type("Closing", (type,), {"__new__": refuse})("Closed", (ValueError,), {})
    error = closed("x")
    again = as_eager(error)
    assert type(again) is EagerException
    assert again.__cause__ is error
    assert str(again) == "Closed: x"
    sys.modules["closed_module"] = types.ModuleType("closed_module")
    try:
        sys.modules["closed_module"].Closed = closed  # type: ignore[attr-defined]
        closed.__module__, closed.__qualname__ = "closed_module", "Closed"
        elsewhere = arriving(error)
    finally:
        del sys.modules["closed_module"]
    assert isinstance(elsewhere, ValueError)
    assert str(elsewhere) == "closed_module.Closed: x"


# --- plain values -----------------------------------------------------------------------------------------------------

plain_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text("$ab", max_size=2) | st.integers(), inner, max_size=3)
        | st.frozensets(st.integers() | st.text("ab"), max_size=3)
        | st.sets(st.integers(), max_size=3)
    ),
    max_leaves=8,
)


@given(plain_values)
@example({"$": 1})
@example({"$": "tuple", "of": [1]})
@example({"a": "\ud800", "\ud800": 1})
def test_plain_values_come_back_as_they_were(value: Any) -> None:
    written = codec.decoder(Any).decode(codec.encode(to_plain(value)))
    back = from_plain(written)
    assert back == value
    assert repr(type(back)) == repr(type(value))


@pytest.mark.parametrize("value", [object(), ValueError(), [lambda: 0], {"a": object()}, (1, object())])
def test_other_values_are_not_plain(value: Any) -> None:
    with pytest.raises(NotPlain):
        to_plain(value)
    knot: list[Any] = []
    knot.append(knot)
    with pytest.raises(NotPlain):
        to_plain(knot)
