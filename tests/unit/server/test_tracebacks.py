"""Failures as pages show them."""

from __future__ import annotations

import re
import traceback
from pathlib import Path

import pytest

from whimbrel.model.failure import Failure, Fault
from whimbrel.server.tracebacks import AROUND, MESSAGE, TRACEBACK, frames, shown_failure
from whimbrel.wire.rest.values import ShownFailure

SOURCE = "\n".join(
    [*(f"line {at}" for at in range(1, 10)), "    raise ValueError(1)", *(f"line {at}" for at in range(11, 20))]
)
TEXT = """Traceback (most recent call last):
  File "/usr/lib/python3.11/asyncio/runners.py", line 118, in run
    return self._loop.run_until_complete(task)
           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  File "/x/site-packages/pandas/core.py", line 5, in frame
    call()
  File "<frozen importlib>", line 1, in _gcd
  File "/x/src/whimbrel/runtime/worker.py", line 3, in run
    function()
  File "shop/flow <b>.py", line 10, in <lambda>
    raise ValueError(1)
ValueError: 1
"""


def test_calls_of_the_author_are_told_apart_and_have_their_lines() -> None:
    found = frames(TEXT, lambda file: SOURCE if file == "shop/flow <b>.py" else None)
    assert [frame.own for frame in found] == [False, False, False, False, True]
    own = found[-1]
    assert (own.file, own.line, own.function, own.text) == ("shop/flow <b>.py", 10, "<lambda>", "raise ValueError(1)")
    assert own.context == [(at, SOURCE.split("\n")[at - 1]) for at in range(10 - AROUND, 11 + AROUND)]
    assert found[0].marks.strip() == "^" * 35


def test_a_group_has_its_own_calls() -> None:
    def several() -> None:
        raise ExceptionGroup("two", [ValueError(1), KeyError(2)])

    with pytest.raises(ExceptionGroup) as caught:
        several()
    text = "".join(traceback.format_exception(caught.value))
    found = frames(text, lambda file: Path(file).read_text())
    assert found[-1].function == "several"
    assert found[-1].text.startswith("raise ExceptionGroup")
    assert found[-1].context


def test_a_file_that_says_something_else_is_not_shown() -> None:
    assert frames(TEXT, lambda file: SOURCE.replace("ValueError", "KeyError"))[-1].context == []
    assert frames(TEXT, lambda file: "short")[-1].context == []


def test_what_python_writes_is_understood(tmp_path: Path) -> None:
    def deep(n: int) -> None:
        if n == 0:
            raise KeyError("x")
        deep(n - 1)

    with pytest.raises(KeyError) as caught:
        deep(100)
    text = "".join(traceback.format_exception(caught.value))
    found = frames(text, lambda file: Path(file).read_text())
    assert found[-1].function == "deep"
    assert found[-1].context[AROUND][1].strip() == found[-1].text == 'raise KeyError("x")'
    assert re.search(r'File ".*", line', text)


def count(shown: ShownFailure) -> int:
    return 1 + sum(map(count, shown.members)) + (0 if shown.cause is None else count(shown.cause))


def test_nothing_is_longer_than_a_page_takes() -> None:
    inner = Failure(Fault.USER, "m" * 1_000_000, "a:B", traceback=TEXT * 100_000, notes=("n" * 10_000,) * 50)
    for _ in range(30):
        inner = Failure(Fault.USER, "outer", "a:C", cause=inner, members=(inner,) * 9)
    outer = Failure(
        Fault.USER, "m" * 1_000_000, "a:B", traceback=TEXT * 100_000, members=(Failure(Fault.USER, "x"),) * 500
    )
    found = shown_failure(outer, lambda file: None)
    assert len(found.message) < MESSAGE + 100
    assert len(found.traceback) < TRACEBACK + 100
    assert len(found.frames) == 60
    assert (len(found.members), found.count) == (10, 500)
    assert count(shown_failure(inner, lambda file: None)) == 60


def test_what_was_handled_is_no_cause() -> None:
    found = shown_failure(Failure(Fault.USER, "x", context=Failure(Fault.USER, "y")), lambda file: None)
    assert found.during
    assert found.cause is not None
    assert found.cause.message == "y"
