"""One attempt: what goes in, what comes out, how it ends."""

from __future__ import annotations

import asyncio
import functools
import os
import threading
from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.runtime.shelf import Shelf
from whimbrel.authoring.calling import current, current_context
from whimbrel.authoring.task import task
from whimbrel.errors import RecoverableError, StoreFull
from whimbrel.model.attempt import AttemptFault, Launch, Succeeded
from whimbrel.model.failure import Fault
from whimbrel.model.interface import Interface
from whimbrel.model.literals import IntLiteral, RefLiteral, StrLiteral
from whimbrel.model.program import CodeRef, Metadata, TaskSpec
from whimbrel.model.run import AttemptId
from whimbrel.runtime.attempt import Attempt, End

ATTEMPT = AttemptId("r1", "n0", 2)
Way = Callable[[Attempt], End]


def blocking(attempt: Attempt) -> End:
    return attempt.run()


def on_a_loop(attempt: Attempt) -> End:
    return asyncio.run(attempt.run_here())


@pytest.fixture(params=[blocking, on_a_loop])
def run(request: pytest.FixtureRequest) -> Way:
    way: Way = request.param
    return way


def attempt_of(entity: Any, blobs: Any = None, metadata: Metadata | None = None, **inputs: Any) -> Attempt:
    spec = TaskSpec("tests.entity", Interface(), CodeRef("nowhere", "entity"))
    launch = Launch(ATTEMPT, spec, inputs, metadata or Metadata(), started_at=0.0)
    return Attempt(launch, blobs=blobs or Shelf(), load=lambda _code: entity, clock=lambda: 12.5)


def failure_of(end: End) -> Any:
    assert isinstance(end, AttemptFault), end
    assert end.at == 12.5
    return end.failure


def test_inputs_are_values_and_outputs_are_literals(run: Way) -> None:
    @task
    def double(x: int, name: str = "n") -> int:
        return 2 * x + len(name)

    assert run(attempt_of(double, x=IntLiteral(4))) == Succeeded(ATTEMPT, {"o0": IntLiteral(9)}, 12.5)


def test_a_coroutine_function_is_awaited_even_behind_a_plain_decorator(run: Way) -> None:
    def plainly(fn: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(fn)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            return fn(*args, **kwargs)

        return wrapper

    @task
    @plainly
    async def double(x: int) -> int:
        await asyncio.sleep(0)
        return 2 * x

    assert run(attempt_of(double, x=IntLiteral(4))) == Succeeded(ATTEMPT, {"o0": IntLiteral(8)}, 12.5)


def test_references_are_read_and_large_outputs_are_written(run: Way) -> None:
    @task
    def twice(text: str) -> str:
        return text + text

    shelf = Shelf()
    end = run(attempt_of(twice, shelf, text=StrLiteral("x" * 9_000)))
    assert isinstance(end, Succeeded)
    reference = end.outputs["o0"]
    assert isinstance(reference, RefLiteral)

    @task
    def length(text: str) -> int:
        return len(text)

    assert run(attempt_of(length, shelf, text=reference)) == Succeeded(ATTEMPT, {"o0": IntLiteral(18_000)}, 12.5)


def test_the_context_is_that_of_the_attempt_and_the_caller_is_put_back(run: Way) -> None:
    seen = []

    @task
    def look() -> None:
        context = current_context()
        seen.append((str(context.execution_id), context.node, context.attempt, str(context.task_id)))
        with open(os.path.join(context.working_directory, "file"), "w") as file:
            seen.append(os.path.dirname(file.name))

    before = current.get()
    assert isinstance(run(attempt_of(look)), Succeeded)
    assert current.get() is before
    assert seen[0] == ("r1", "n0", 2, "tests.entity")
    assert not os.path.exists(seen[1])


def test_the_environment_is_there_for_the_call(run: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("W_COLOUR", raising=False)

    @task
    def look() -> str:
        return os.environ["W_COLOUR"]

    metadata = Metadata(environment={"W_COLOUR": "red"})
    end = run(attempt_of(look, metadata=metadata))
    assert end == Succeeded(ATTEMPT, {"o0": StrLiteral("red")}, 12.5)
    assert "W_COLOUR" not in os.environ


@pytest.mark.parametrize(
    "error",
    [ValueError("x"), RecoverableError("x"), SystemExit(3), KeyboardInterrupt(), MemoryError(), GeneratorExit()],
    ids=lambda error: type(error).__name__,
)
def test_whatever_the_function_raises_is_the_users(run: Way, error: BaseException) -> None:
    @task
    def fail() -> None:
        raise error

    failure = failure_of(run(attempt_of(fail)))
    assert failure.fault is Fault.USER
    assert failure.type == f"{type(error).__module__}:{type(error).__qualname__}"
    assert "raise error" in failure.traceback


def test_a_full_store_is_not_the_users_fault(run: Way) -> None:
    class Full(Shelf):
        def put(self, name: str, data: bytes) -> str:
            raise StoreFull

    @task
    def big() -> str:
        return "x" * 50_000

    assert failure_of(run(attempt_of(big, Full()))).fault is Fault.SYSTEM


def test_inputs_that_do_not_fit_and_results_that_do_not_fit_name_the_place(run: Way) -> None:
    @task
    def rows(count: int) -> list[int]:
        return [count, "x"]  # type: ignore[list-item]

    failure = failure_of(run(attempt_of(rows, count=StrLiteral("no number"))))
    assert failure.fault is Fault.USER
    assert "count" in failure.message
    failure = failure_of(run(attempt_of(rows, count=IntLiteral(1))))
    assert failure.fault is Fault.USER
    assert "rows" in failure.message
    assert "[1]" in failure.message


def test_code_that_cannot_be_loaded_is_the_users_fault(run: Way) -> None:
    def load(_code: CodeRef) -> Any:
        raise ImportError("not here")

    launch = Launch(ATTEMPT, TaskSpec("t", Interface(), CodeRef("m", "t")), {}, Metadata())
    attempt = Attempt(launch, blobs=Shelf(), load=load, clock=lambda: 12.5)
    assert failure_of(run(attempt)).title == "ImportError: not here"


def test_what_was_cancelled_before_it_began_never_runs(run: Way) -> None:
    calls = []

    @task
    def work() -> None:
        calls.append(1)

    attempt = attempt_of(work)
    assert not attempt.cancel("not wanted")
    failure = failure_of(run(attempt))
    assert (failure.fault, failure.message, calls) == (Fault.CANCELLED, "not wanted", [])


def test_a_coroutine_is_cancelled_from_another_thread_and_may_clean_up(run: Way) -> None:
    running = threading.Event()
    cleaned = []

    @task
    async def wait() -> None:
        running.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            cleaned.append(1)

    attempt = attempt_of(wait)

    def cancel() -> None:
        running.wait(10)
        assert attempt.cancel("not wanted")

    canceller = threading.Thread(target=cancel)
    canceller.start()
    failure = failure_of(run(attempt))
    canceller.join()
    assert (failure.fault, failure.message, cleaned) == (Fault.CANCELLED, "not wanted", [1])


def test_a_thread_in_python_code_is_interrupted() -> None:
    running = threading.Event()

    @task
    def spin() -> None:
        running.set()
        while True:
            pass

    attempt = attempt_of(spin)
    ident = threading.get_ident()

    def cancel() -> None:
        running.wait(10)
        assert not attempt.cancel("not wanted")
        attempt.interrupt_thread(ident)

    canceller = threading.Thread(target=cancel)
    canceller.start()
    failure = failure_of(attempt.run())
    canceller.join()
    assert (failure.fault, failure.message) == (Fault.CANCELLED, "not wanted")


def test_nobody_is_interrupted_outside_the_users_code() -> None:
    @task
    def work() -> None:
        return None

    attempt = attempt_of(work)
    attempt.interrupt()
    assert isinstance(attempt.run(), Succeeded)
    attempt.interrupt()
    attempt.interrupt_thread(threading.get_ident())
