"""What only processes can do: be killed, be stopped, die badly, and leave nothing behind."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.contract.executors import entities
from tests.contract.executors.stage import Stage, gone, kill, stage
from whimbrel.executors.processes import NAMES
from whimbrel.model.attempt import AttemptFault, Lost, Started, Succeeded
from whimbrel.model.failure import Fault
from whimbrel.model.literals import IntLiteral
from whimbrel.model.program import Metadata
from whimbrel.runtime import frames

Script = Callable[[Stage], Awaitable[None]]


@pytest.fixture
def play(tmp_path: Path) -> Callable[..., None]:
    """Run a script against a ``ProcessExecutor``."""

    def run(script: Script, **options: Any) -> None:
        async def main() -> None:
            async with stage("processes", tmp_path, **options) as at_work:
                await script(at_work)
                await asyncio.sleep(0)
            for attempt in {report.attempt for report in at_work.reports}:
                assert len(at_work.ends(attempt)) <= 1, at_work.ends(attempt)

        asyncio.run(main())

    return run


def test_a_killed_worker_loses_its_attempt_and_says_how(play: Callable[..., None]) -> None:
    async def script(at: Stage) -> None:
        attempt = at.launch(entities.sleep_long)
        await at.says(attempt)
        kill(at.worker_of(attempt))
        end = await at.end(attempt)
        assert isinstance(end, Lost)
        assert end.reason.startswith(f"worker pid {at.worker_of(attempt)} was killed by SIGKILL (out of memory?)")
        assert await at.value(entities.add, a=1, b=1) == 2

    play(script)


def test_a_worker_that_kills_itself_loses_only_its_own_attempt(play: Callable[..., None]) -> None:
    async def script(at: Stage) -> None:
        other = at.launch(entities.sleep_long)
        await at.says(other)
        assert isinstance(await at.end(at.launch(entities.be_killed)), Lost)
        assert at.executor.running() == {other}
        at.cancel(other)
        await at.end(other)

    play(script, workers=2)


def test_the_last_words_of_a_worker_are_passed_on(play: Callable[..., None]) -> None:
    async def script(at: Stage) -> None:
        attempt = at.launch(entities.die, code=3)
        end = await at.end(attempt)
        assert isinstance(end, Lost)
        assert end.reason == f"worker pid {at.worker_of(attempt)} exited with code 3; it last wrote:\nlast words"
        assert at.printed(attempt, "stderr") == "last words\n"

    play(script)


def test_a_stranger_who_ends_a_worker_loses_the_attempt(play: Callable[..., None]) -> None:
    async def script(at: Stage) -> None:
        attempt = at.launch(entities.sleep_long)
        await at.says(attempt)
        kill(at.worker_of(attempt), signal.SIGTERM)
        end = await at.end(attempt)
        assert isinstance(end, Lost)
        assert "was killed by SIGTERM" in end.reason

    play(script)


def test_a_stopped_worker_is_noticed_and_ended(play: Callable[..., None]) -> None:
    async def script(at: Stage) -> None:
        attempt = at.launch(entities.stop_itself)
        end = await at.end(attempt)
        assert isinstance(end, Lost)
        assert "was silent for" in end.reason
        await gone(at.worker_of(attempt))
        assert await at.value(entities.add, a=1, b=1) == 2

    play(script, silence=1.5)


def test_a_stubborn_attempt_is_killed_and_ends_as_cancelled(play: Callable[..., None]) -> None:
    async def script(at: Stage) -> None:
        attempt = at.launch(entities.stubborn)
        await at.says(attempt)
        at.cancel(attempt, grace=0.01)
        end = await at.end(attempt)
        assert isinstance(end, AttemptFault)
        assert end.failure.fault is Fault.CANCELLED
        assert end.failure.message == "no longer wanted"
        await gone(at.worker_of(attempt))
        assert await at.value(entities.add, a=1, b=1) == 2

    play(script)


def test_a_cancelled_attempt_takes_its_child_processes_with_it(play: Callable[..., None]) -> None:
    async def script(at: Stage) -> None:
        attempt = at.launch(entities.start_child)
        worker, child = map(int, (await at.says(attempt, "\n")).split())
        at.cancel(attempt)
        await at.end(attempt)
        await gone(worker)
        await gone(child)

    play(script)


def test_close_leaves_no_process_behind(tmp_path: Path) -> None:
    async def main() -> None:
        async with stage("processes", tmp_path, workers=3) as at:
            with_child, stubborn = at.launch(entities.start_child), at.launch(entities.stubborn)
            driver = at.launch(entities.wait_for_ever)
            family = list(map(int, (await at.says(with_child, "\n")).split()))
            await at.says(stubborn)
            await at.until(lambda: sum(isinstance(report, Started) for report in at.reports) == 3)
            family += [at.worker_of(stubborn), at.worker_of(driver)]
            assert len(set(family)) == 4
        for pid in family:
            await gone(pid)

    asyncio.run(main())


def test_workers_stay_warm_and_are_kept_apart_by_environment(play: Callable[..., None]) -> None:
    async def script(at: Stage) -> None:
        plain = await at.value(entities.pid)
        assert await at.value(entities.pid) == plain
        coloured = await at.value(entities.pid, metadata=Metadata(environment={"W_COLOUR": "red"}))
        assert coloured != plain
        assert await at.value(entities.pid) == plain
        assert await at.value(entities.pid, metadata=Metadata(environment={"W_COLOUR": "red"})) == coloured

    play(script)


def test_the_name_of_an_execution_starts_no_process(play: Callable[..., None]) -> None:
    variable = f"{NAMES}ID"

    async def script(at: Stage) -> None:
        plain = await at.value(entities.pid)
        driver = await at.value(entities.pid_of_driver)
        for name in ("one", "two"):
            named = Metadata(environment={variable: name})
            assert await at.value(entities.pid, metadata=named) == plain
            assert await at.value(entities.variable, name=variable, metadata=named) == name
            # Others' bodies are in the same process at the same time.
            assert await at.value(entities.variable_of_driver, name=variable, metadata=named) == "unset"
            assert await at.value(entities.pid_of_driver, metadata=named) == driver

    play(script)


def test_old_bindings_make_room_for_new_ones(play: Callable[..., None]) -> None:
    async def script(at: Stage) -> None:
        pids = [
            await at.value(entities.pid, metadata=Metadata(environment={"W_NUMBER": str(number)}))
            for number in range(6)
        ]
        assert len(set(pids)) == 6
        await gone(pids[0])

    play(script)


def test_a_worker_is_replaced_after_its_share(play: Callable[..., None]) -> None:
    async def script(at: Stage) -> None:
        pids = [await at.value(entities.pid) for _ in range(4)]
        assert pids[0] == pids[1]
        assert pids[2] == pids[3]
        assert pids[0] != pids[2]
        await gone(pids[0])

    play(script, max_attempts=2)


def test_child_processes_and_c_libraries_are_heard(play: Callable[..., None]) -> None:
    async def script(at: Stage) -> None:
        attempt = at.launch(entities.speak_from_outside)
        await at.end(attempt)
        assert at.printed(attempt) == "child\nraw �\n"

    play(script)


def test_a_driver_that_takes_no_hint_is_given_up_without_harm_to_others(play: Callable[..., None]) -> None:
    async def script(at: Stage) -> None:
        other, stuck = at.launch(entities.wait_for_ever), at.launch(entities.block_the_loop)
        await at.says(stuck)
        at.cancel(stuck, grace=0.01)
        end = await at.end(stuck)
        assert isinstance(end, AttemptFault)
        assert end.failure.fault is Fault.CANCELLED
        assert at.executor.running() == {other}
        fresh = at.launch(entities.wait_for_ever)
        await at.until(lambda: any(isinstance(one, Started) and one.attempt == fresh for one in at.reports))
        assert at.worker_of(fresh) != at.worker_of(other)
        host = at.worker_of(other)
        at.cancel(other)
        await at.end(other)
        await gone(host)

    play(script)


def test_a_killed_driver_host_loses_every_driver_in_it(play: Callable[..., None]) -> None:
    async def script(at: Stage) -> None:
        drivers = [at.launch(entities.wait_for_ever) for _ in range(3)]
        await at.until(lambda: sum(isinstance(report, Started) for report in at.reports) == 3)
        (host,) = {at.worker_of(driver) for driver in drivers}
        kill(host)
        for driver in drivers:
            assert isinstance(await at.end(driver), Lost)

    play(script)


def test_driver_hosts_are_bounded(play: Callable[..., None]) -> None:
    async def script(at: Stage) -> None:
        drivers = [at.launch(entities.wait_for_ever) for _ in range(5)]
        await at.until(lambda: sum(isinstance(report, Started) for report in at.reports) == 5)
        hosts = [at.worker_of(driver) for driver in drivers]
        assert sorted(hosts.count(host) for host in set(hosts)) == [1, 2, 2]

    play(script, drivers_per_host=2)


def test_idle_driver_hosts_do_not_pile_up(play: Callable[..., None]) -> None:
    async def script(at: Stage) -> None:
        hosts = []
        for number in range(4):
            driver = at.launch(entities.sum_up, n=0, metadata=Metadata(environment={"W_NUMBER": str(number)}))
            assert isinstance(await at.end(driver), Succeeded)
            hosts.append(at.worker_of(driver))
        assert len(set(hosts)) == 4
        await gone(hosts[0])
        again = at.launch(entities.sum_up, n=0, metadata=Metadata(environment={"W_NUMBER": "3"}))
        assert isinstance(await at.end(again), Succeeded)
        assert at.worker_of(again) == hosts[3]

    play(script)


def test_workers_that_cannot_start_lose_the_attempts_with_the_reason(play: Callable[..., None]) -> None:
    broken = (sys.executable, "-c", "raise SystemExit('no such luck')")

    async def script(at: Stage) -> None:
        attempts = [at.launch(entities.add, a=1), at.launch(entities.add, a=2), at.launch(entities.wait_for_ever)]
        for attempt in attempts:
            end = await at.end(attempt)
            assert isinstance(end, Lost)
            assert "exited with code 1" in end.reason
            assert "no such luck" in end.reason
        again = await at.end(at.launch(entities.add, a=3))
        assert isinstance(again, Lost)

    play(script, command=broken, workers=2)


def test_a_command_that_does_not_exist_loses_the_attempts(play: Callable[..., None]) -> None:
    async def script(at: Stage) -> None:
        end = await at.end(at.launch(entities.add, a=1))
        assert isinstance(end, Lost)
        assert "no worker process can be started" in end.reason

    play(script, command=("/nonexistent/python",))


def test_a_broken_import_is_the_users_failure_and_the_worker_lives(play: Callable[..., None], tmp_path: Path) -> None:
    (tmp_path / "broken_flow.py").write_text("import json\nraise RuntimeError('at import')\n")

    async def script(at: Stage) -> None:
        pid = await at.value(entities.pid)
        spec = entities.add.spec()
        code = type(spec.code)("broken_flow", "work", spec.code.root)
        (tmp_path / "broken_flow.py").rename(Path(tmp_path, "elsewhere_flow.py"))
        missing = await at.fault_of(spec, code)
        assert "no module 'broken_flow'" in missing.message
        raised = await at.fault_of(spec, type(code)("elsewhere_flow", "work", str(tmp_path)))
        assert raised.type == "builtins:RuntimeError"
        assert "elsewhere_flow.py" in raised.traceback
        assert any("while importing 'elsewhere_flow'" in note for note in raised.notes)
        assert await at.value(entities.pid) == pid

    play(script)


def test_workers_do_not_outlive_a_killed_parent(tmp_path: Path) -> None:
    program = (
        "import asyncio, os, signal, sys\n"
        "from pathlib import Path\n"
        "from tests.contract.executors import entities\n"
        "from tests.contract.executors.stage import stage\n"
        "async def main():\n"
        "    async with stage('processes', Path(sys.argv[1]), workers=2) as at:\n"
        "        attempt = at.launch(entities.start_child)\n"
        "        driver = at.launch(entities.wait_for_ever)\n"
        "        words = await at.says(attempt, '\\n')\n"
        "        await at.until(lambda: len(at.executor.running()) == 2 and len(at.reports) >= 3)\n"
        "        print(words.strip(), at.worker_of(driver), flush=True)\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(main())\n"
    )

    async def main() -> None:
        parent = await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, str(tmp_path), cwd=Path.cwd(), stdout=asyncio.subprocess.PIPE
        )
        assert parent.stdout is not None
        pids = list(map(int, (await parent.stdout.readline()).split()))
        assert await parent.wait() == -signal.SIGKILL
        assert len(pids) == 3
        for pid in pids:
            await gone(pid)

    asyncio.run(main())


def test_many_tasks_use_every_worker(play: Callable[..., None]) -> None:
    async def script(at: Stage) -> None:
        attempts = [at.launch(entities.pid) for _ in range(100)]
        pids = set()
        for attempt in attempts:
            end = await at.end(attempt)
            assert isinstance(end, Succeeded)
            pids.add(entities.pid.signature.decode_outputs(end.outputs))
        assert len(pids) == 2

    play(script, workers=2)


def test_one_attempt_does_not_meet_the_furniture_of_another(play: Callable[..., None]) -> None:
    async def script(at: Stage) -> None:
        before = await at.value(entities.directory)
        mess = at.launch(entities.make_a_mess)
        end = await at.end(mess)
        assert isinstance(end, Succeeded)
        assert at.printed(mess) == "half a line"
        assert await at.value(entities.directory) == before
        talk = at.launch(entities.sleep_long)
        await at.says(talk)
        assert end.outputs == {"o0": IntLiteral(at.worker_of(talk))}, "the same process"
        at.cancel(talk)
        assert isinstance(await at.end(talk), AttemptFault)
        assert at.printed(talk) == "running\ncleaned up\n"

    play(script)


def test_a_worker_that_computes_in_c_is_not_taken_for_dead(play: Callable[..., None]) -> None:
    async def script(at: Stage) -> None:
        await at.value(entities.compute_in_c, seconds=3.0)

    play(script, silence=1.5)


def test_a_worker_that_is_stuck_in_c_is_lost(play: Callable[..., None]) -> None:
    async def script(at: Stage) -> None:
        attempt = at.launch(entities.sleep_in_c)
        end = await at.end(attempt)
        assert isinstance(end, Lost)
        assert "was silent for" in end.reason

    play(script, silence=1.5)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_task_may_have_processes_of_its_own(play: Callable[..., None], method: str) -> None:
    async def script(at: Stage) -> None:
        assert await at.value(entities.use_a_pool, method=method) == 285
        assert await at.value(entities.use_threads) == 285

    play(script)


@pytest.mark.parametrize("seed", range(3))
def test_whatever_is_killed_every_attempt_ends_once(play: Callable[..., None], seed: int) -> None:
    chance = random.Random(seed)

    async def script(at: Stage) -> None:
        attempts = [at.launch(entities.add, a=number) for number in range(200)]
        drivers = [at.launch(entities.wait_for_ever) for _ in range(4)]
        for _ in range(8):
            heard = len(at.reports) + chance.randrange(1, 30)
            await at.until(lambda heard=heard: len(at.reports) >= heard or not at.executor.running())
            victims = [one for one in at.reports if isinstance(one, Started) and one.attempt in at.executor.running()]
            if victims:
                with contextlib.suppress(ProcessLookupError):
                    kill(at.worker_of(chance.choice(victims).attempt))
        for driver in drivers:
            at.cancel(driver)
        await at.until(lambda: not at.executor.running())
        for attempt in attempts + drivers:
            assert len(at.ends(attempt)) == 1
        assert any(isinstance(one, Lost) for one in at.reports)

    play(script, workers=2)


def test_inputs_that_no_frame_can_hold_fail_the_attempt_alone(
    play: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def script(at: Stage) -> None:
        assert await at.value(entities.length, text="short") == 5
        monkeypatch.setattr(frames, "LARGEST", 4_000)
        failure = (await at.fault(entities.length, text="x" * 5_000)).failure
        assert failure.fault is Fault.USER
        assert "too large" in failure.message
        assert await at.value(entities.length, text="short") == 5

    play(script)
