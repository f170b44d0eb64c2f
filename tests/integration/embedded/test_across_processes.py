"""Exceptions, deaths and large values across real worker processes, over SQLite."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from whimbrel.controlplane.plane import ControlPlane, RunResult
from whimbrel.controlplane.system import RandomIds, SystemClock
from whimbrel.engine.run import Run
from whimbrel.executors.processes import ProcessExecutor
from whimbrel.model.literals import RefLiteral
from whimbrel.model.run import Phase
from whimbrel.runtime.loading import load_module, locate
from whimbrel.runtime.values import read_literals
from whimbrel.stores.home import Home, open_home


@pytest.fixture(scope="module")
def programs() -> ModuleType:
    where = locate(Path(__file__).with_name("crossing_programs.py"))
    return load_module(where.module, where.root)


async def execute(home: Home, entity: Any, inputs: dict[str, Any]) -> RunResult:
    plane = ControlPlane(
        store=home.store,
        executor=ProcessExecutor(blobs=home.blobs.location, workers=2),
        clock=SystemClock(),
        ids=RandomIds(),
        owner="tests",
    )
    await plane.start()
    try:
        literals = entity.signature.encode_inputs(entity.signature.bind((), inputs))
        run = await plane.launch(entity.program(), entity.name, literals)
        return await asyncio.wait_for(plane.wait(run), 60)
    finally:
        await plane.close()


def value_of(home: Home, entity: Any, result: RunResult) -> Any:
    assert result.phase is Phase.SUCCEEDED, result.failure
    return entity.signature.decode_outputs(read_literals(result.outputs, home.blobs))


def test_exceptions_keep_their_class_and_are_eager_exceptions(programs: ModuleType, tmp_path: Path) -> None:
    with open_home(tmp_path, exclusive=True) as home:
        result = asyncio.run(execute(home, programs.catch_each, {"x": 5}))
        assert value_of(home, programs.catch_each, result) == [
            "TypeError: no 5 here; eager True",
            "in raise_type_error",
            "EagerException: no 5 here; type True",
            "5 is above 3; 5 of 3; because True",
            "keys: 1",
            "values: 1",
        ]


def test_a_new_driver_keeps_what_is_finished_and_attaches_to_what_is_under_way(
    programs: ModuleType, tmp_path: Path
) -> None:
    with open_home(tmp_path / "home", exclusive=True) as home:
        result = asyncio.run(execute(home, programs.driver_dies, {"folder": str(tmp_path)}))
        assert value_of(home, programs.driver_dies, result) == 10 + 20 + 300
        assert sorted((tmp_path / "log").read_text().split("\n")[:-1]) == ["mark 1 1", "mark 2 1", "slow 3 1"]
        run = Run.replay(asyncio.run(home.store.events(result.run)))
        assert [attempt.phase for attempt in run.nodes["n0"].attempts] == [Phase.FAILED, Phase.SUCCEEDED]


def test_a_lost_worker_costs_no_retry_of_the_users(programs: ModuleType, tmp_path: Path) -> None:
    with open_home(tmp_path / "home", exclusive=True) as home:
        result = asyncio.run(execute(home, programs.worker_dies_once, {"folder": str(tmp_path)}))
        assert value_of(home, programs.worker_dies_once, result) == 7
        assert (tmp_path / "log").read_text() == "dies 1\ndies 2\n"


def test_large_values_travel_by_reference(programs: ModuleType, tmp_path: Path) -> None:
    with open_home(tmp_path, exclusive=True) as home:
        for entity, expected in ((programs.big_values, 1999000), (programs.big_values_eager, 1999000 + 2000)):
            result = asyncio.run(execute(home, entity, {"n": 2000}))
            assert value_of(home, entity, result) == expected
            run = Run.replay(asyncio.run(home.store.events(result.run)))
            made = [node.outputs for node in run.nodes.values() if node.entity.endswith("make_big")]
            assert [isinstance(outputs["o0"], RefLiteral) for outputs in made] == [True]
