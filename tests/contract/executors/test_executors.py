"""What holds for every executor: an attempt runs once, what it said arrives first, and it ends exactly once."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.contract.executors import entities
from tests.contract.executors.stage import MAKERS, Stage, stage
from whimbrel.model.attempt import (
    AttemptFault,
    BeginCall,
    Deliver,
    Launch,
    Started,
    Succeeded,
)
from whimbrel.model.failure import Fault
from whimbrel.model.literals import IntLiteral, RefLiteral
from whimbrel.model.program import CodeRef, Metadata
from whimbrel.model.run import AttemptId, Done, Entry, EntryKind

Script = Callable[[Stage], Awaitable[None]]
Play = Callable[..., None]


@pytest.fixture(params=sorted(MAKERS))
def kind(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def play(kind: str, tmp_path: Path) -> Play:
    """Run a script against an executor; at its end no attempt may have ended twice."""

    def run(script: Script, **options: Any) -> None:
        async def main() -> None:
            async with stage(kind, tmp_path, **options) as at_work:
                await script(at_work)
                await asyncio.sleep(0)
            for attempt in {report.attempt for report in at_work.reports}:
                assert len(at_work.ends(attempt)) <= 1, at_work.ends(attempt)
                mine = [report for report in at_work.reports if report.attempt == attempt]
                if at_work.ends(attempt):
                    assert mine[-1] is at_work.ends(attempt)[0], "nothing is said after the end"
                assert sum(isinstance(report, Started) for report in mine) <= 1

        asyncio.run(main())

    return run


def test_a_task_runs(play: Play) -> None:
    async def script(at: Stage) -> None:
        attempt = at.launch(entities.add, a=2, b=3)
        assert at.executor.running() == {attempt}
        assert not at.reports, "nothing is reported inside launch"
        end = await at.end(attempt)
        assert isinstance(end, Succeeded)
        assert end.outputs == {"o0": IntLiteral(5)}
        assert at.executor.running() == frozenset()
        assert [type(report) for report in at.reports] == [Started, Succeeded]

    play(script)


def test_an_async_task_runs(play: Play) -> None:
    async def script(at: Stage) -> None:
        assert await at.value(entities.add_async, a=2, b=3) == 5

    play(script)


def test_a_task_without_outputs(play: Play) -> None:
    async def script(at: Stage) -> None:
        assert await at.value(entities.nothing) is None

    play(script)


def test_many_attempts_end_once_each(play: Play) -> None:
    async def script(at: Stage) -> None:
        attempts = [at.launch(entities.add, a=number) for number in range(300)]
        assert len(at.executor.running()) == 300
        for number, attempt in enumerate(attempts):
            end = await at.end(attempt)
            assert isinstance(end, Succeeded)
            assert end.outputs == {"o0": IntLiteral(number + 1)}
        assert at.executor.running() == frozenset()

    play(script, workers=2)


def test_large_values_go_by_reference_and_come_back(play: Play) -> None:
    async def script(at: Stage) -> None:
        end = await at.end(at.launch(entities.big, size=50_000))
        assert isinstance(end, Succeeded)
        reference = end.outputs["o0"]
        assert isinstance(reference, RefLiteral)
        attempt = AttemptId("r1", "taker", 1)
        at.executor.launch(Launch(attempt, entities.length.spec(), {"text": reference}, Metadata()))
        taken = await at.end(attempt)
        assert isinstance(taken, Succeeded)
        assert taken.outputs == {"o0": IntLiteral(50_000)}

    play(script)


@pytest.mark.parametrize("entity", [entities.fail, entities.fail_async], ids=["sync", "async"])
def test_a_failure_names_class_message_and_the_users_lines(play: Play, entity: Any) -> None:
    async def script(at: Stage) -> None:
        failure = (await at.fault(entity, message="too hot")).failure
        assert failure.fault is Fault.USER
        assert failure.type == f"{entities.__name__}:Overheated"
        assert failure.message == "too hot"
        assert failure.args == ("too hot",)
        assert "raise Overheated(message)" in failure.traceback
        assert "whimbrel/runtime" not in failure.traceback
        assert await at.value(entities.add, a=1, b=1) == 2, "the worker goes on"

    play(script)


@pytest.mark.parametrize(
    ("entity", "says"),
    [
        (entities.leave, "SystemExit"),
        (entities.interrupt, "KeyboardInterrupt"),
        (entities.cancel_itself, "CancelledError"),
        (entities.fail_recoverably, "RecoverableError"),
    ],
)
def test_whatever_a_task_raises_is_its_own_failure(play: Play, entity: Any, says: str) -> None:
    async def script(at: Stage) -> None:
        failure = (await at.fault(entity)).failure
        assert failure.fault is Fault.USER
        assert failure.title.startswith(says)

    play(script)


def test_a_result_of_the_wrong_type_is_a_failure_that_says_so(play: Play) -> None:
    async def script(at: Stage) -> None:
        failure = (await at.fault(entities.wrong_type)).failure
        assert failure.fault is Fault.USER
        assert "wrong_type" in failure.message
        assert "int" in failure.message

    play(script)


def test_a_function_that_cannot_be_found_is_a_failure_that_says_so(play: Play) -> None:
    async def script(at: Stage) -> None:
        spec = entities.add.spec()
        failure = await at.fault_of(spec, CodeRef(spec.code.module, "gone", spec.code.root))
        assert failure.fault is Fault.USER
        assert "'gone'" in failure.message

    play(script)


def test_what_is_printed_arrives_before_the_end(play: Play) -> None:
    async def script(at: Stage) -> None:
        first = at.launch(entities.speak, words="first")
        second = at.launch(entities.speak, words="second")
        await at.end(first)
        await at.end(second)
        assert at.printed(first) == "first\nno newline"
        assert at.printed(second) == "second\nno newline"
        assert at.printed(first, "stderr") == "oh\n"

    play(script)


def test_what_no_wire_takes_is_printed_all_the_same(play: Play) -> None:
    async def script(at: Stage) -> None:
        attempt = at.launch(entities.speak_in_tongues)
        await at.end(attempt)
        assert at.printed(attempt) == "odd \\ud800\n"

    play(script)


@pytest.mark.parametrize("entity", [entities.sleep_long, entities.sleep_long_async, entities.spin])
def test_a_cancelled_attempt_cleans_up_and_ends_as_cancelled(play: Play, kind: str, entity: Any) -> None:
    async def script(at: Stage) -> None:
        attempt = at.launch(entity)
        # What is printed is shown while the task runs: else this would wait for ever.
        await at.says(attempt)
        # A thread that is in C cannot be interrupted, only given up; a process can.
        given_up = kind == "inline" and entity is entities.sleep_long
        at.cancel(attempt, grace=0.01 if given_up else 60.0)
        end = await at.end(attempt)
        assert isinstance(end, AttemptFault)
        assert end.failure.fault is Fault.CANCELLED
        assert "no longer wanted" in end.failure.message
        if not given_up:
            assert at.printed(attempt) == "running\ncleaned up\n"
        assert await at.value(entities.add, a=1, b=1) == 2

    play(script)


def test_an_attempt_that_waits_for_room_can_be_cancelled(play: Play) -> None:
    async def script(at: Stage) -> None:
        first = at.launch(entities.spin)
        await at.says(first)
        second = at.launch(entities.add, a=1)
        at.cancel(second)
        end = await at.end(second)
        assert isinstance(end, AttemptFault)
        assert end.failure.fault is Fault.CANCELLED
        assert at.executor.running() == {first}
        at.cancel(first)
        await at.end(first)

    play(script, workers=1)


def test_cancelling_what_is_not_running_does_nothing(play: Play) -> None:
    async def script(at: Stage) -> None:
        at.cancel(AttemptId("r1", "nobody", 1))
        attempt = at.launch(entities.add, a=1)
        await at.end(attempt)
        at.cancel(attempt)
        at.executor.deliver(Deliver(attempt, ()))
        assert await at.value(entities.add, a=1) == 2

    play(script)


def test_environment_variables_last_as_long_as_the_attempt(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("W_COLOUR", raising=False)

    async def script(at: Stage) -> None:
        red = Metadata(environment={"W_COLOUR": "red"})
        assert await at.value(entities.variable, name="W_COLOUR", metadata=red) == "red"
        assert await at.value(entities.variable, name="W_COLOUR") == "unset"
        blue = Metadata(environment={"W_COLOUR": "blue"})
        assert await at.value(entities.variable, name="W_COLOUR", metadata=blue) == "blue"
        assert await at.value(entities.variable_of_driver, name="W_COLOUR", metadata=blue) == "blue"
        assert await at.value(entities.variable_of_driver, name="W_COLOUR") == "unset"

    play(script)
    assert "W_COLOUR" not in os.environ


def test_a_task_knows_its_run_and_its_scratch_directory_goes_with_it(play: Play) -> None:
    directories: list[str] = []

    async def script(at: Stage) -> None:
        run, node, number, task, scratch = await at.value(entities.who_am_i)
        assert (run, node, number) == ("r1", "n1", "1")
        assert task == entities.who_am_i.name
        directories.append(scratch)

    play(script)
    assert not Path(directories[0]).exists()


def test_a_task_may_call_another_as_a_function(play: Play) -> None:
    async def script(at: Stage) -> None:
        assert await at.value(entities.call_another, a=2) == 6

    play(script)


async def serve_calls(at: Stage, attempt: AttemptId) -> int:
    """Answer every call of an eager attempt by running it, until the attempt ends; how many there were."""
    answered = 0
    while not at.ends(attempt):
        begun = [report for report in at.reports if isinstance(report, BeginCall) and report.attempt == attempt]
        for call in begun[answered:]:
            child = AttemptId(attempt.run, f"{call.parent}/{call.key}", 1)
            at.executor.launch(Launch(child, entities.add.spec(), call.inputs, Metadata()))
            end = await at.end(child)
            assert isinstance(end, Succeeded)
            answered += 1
            entry = Entry(
                call.parent, call.key, EntryKind.CALL, call.entity, call.digest, answered, outcome=Done(end.outputs)
            )
            at.executor.deliver(Deliver(attempt, (entry,)))
        heard = len(at.reports)
        await at.until(lambda heard=heard: len(at.reports) > heard)
    return answered


def test_what_is_delivered_in_the_turn_of_the_launch_is_not_lost(play: Play) -> None:
    """A driver is replaced while one of its calls ends: both come out of one commit."""

    async def script(at: Stage) -> None:
        first = at.launch(entities.sum_up, n=1)
        assert await serve_calls(at, first) == 1
        await at.end(first)
        (call,) = (report for report in at.reports if isinstance(report, BeginCall))
        pending = Entry(first.path, call.key, EntryKind.CALL, call.entity, call.digest)
        second = AttemptId(first.run, first.path, 2)
        inputs = {"n": IntLiteral(1)}
        at.executor.launch(Launch(second, entities.sum_up.spec(), inputs, Metadata(), journal=(pending,)))
        outputs = {"o0": IntLiteral(41)}
        at.executor.deliver(Deliver(second, (replace(pending, seq=1, outcome=Done(outputs)),)))
        end = await at.end(second)
        assert isinstance(end, Succeeded), end
        assert end.outputs == outputs

    play(script)


def test_an_eager_attempt_drives_its_calls(play: Play) -> None:
    async def script(at: Stage) -> None:
        attempt = at.launch(entities.sum_up, n=4)
        assert await serve_calls(at, attempt) == 4
        end = await at.end(attempt)
        assert isinstance(end, Succeeded), end
        assert end.outputs == {"o0": IntLiteral(6)}
        assert at.printed(attempt) == "driving\n"

    play(script)


def test_eager_attempts_never_wait_for_room(play: Play) -> None:
    async def script(at: Stage) -> None:
        drivers = [at.launch(entities.sum_up, n=1) for _ in range(10)]
        await at.until(lambda: sum(isinstance(report, BeginCall) for report in at.reports) == 10)
        for driver in drivers:
            await serve_calls(at, driver)

    play(script, workers=1)


def test_a_cancelled_eager_attempt_ends_as_cancelled(play: Play) -> None:
    async def script(at: Stage) -> None:
        one, other = at.launch(entities.wait_for_ever), at.launch(entities.wait_for_ever)
        await at.until(lambda: sum(isinstance(report, Started) for report in at.reports) == 2)
        at.cancel(one)
        end = await at.end(one)
        assert isinstance(end, AttemptFault)
        assert end.failure.fault is Fault.CANCELLED
        assert at.executor.running() == {other}

    play(script)


def test_nothing_is_reported_after_close(kind: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with stage(kind, tmp_path) as at:
            await at.says(at.launch(entities.sleep_long_async))
            heard = len(at.reports)
        await asyncio.sleep(0)
        assert len(at.reports) == heard
        assert at.executor.running() == frozenset()

    asyncio.run(main())
