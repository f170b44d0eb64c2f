"""Launching by our own client: a name stands for one request, whoever dies when."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.unit.controlplane.test_registering import D, P, daily, name_of, quadruple, said
from whimbrel.controlplane.executions import Begun, Executions
from whimbrel.controlplane.plane import ControlPlane
from whimbrel.controlplane.registering import Registrar
from whimbrel.controlplane.registry import Registry
from whimbrel.controlplane.system import RandomIds, SystemClock
from whimbrel.errors import EntityNotFound, InputInvalid, RunNotResumable, VersionConflict
from whimbrel.model.attempt import Cancel, Deliver, Launch, Report
from whimbrel.model.interface import Parameter
from whimbrel.model.literals import IntLiteral, Literals
from whimbrel.model.registered import EntityKind, EntityQuery
from whimbrel.model.run import AttemptId
from whimbrel.stores.crashing import SimulatedCrash
from whimbrel.stores.memory import MemoryStore
from whimbrel.stores.sql.store import SqlStore
from whimbrel.wire.rest.launching import ExactLaunch, ExactRelaunch, LaunchOptions, Recover


class Idle:
    """An executor whose attempts never end."""

    def __init__(self) -> None:
        self.launched: set[AttemptId] = set()

    async def start(self, report: Callable[[Report], None]) -> None:
        """Ready."""

    def launch(self, launch: Launch) -> None:
        self.launched.add(launch.attempt)

    def cancel(self, cancel: Cancel) -> None:
        """Nothing listens."""

    def deliver(self, deliver: Deliver) -> None:
        """Nothing listens."""

    def running(self) -> frozenset[AttemptId]:
        return frozenset(self.launched)

    async def close(self) -> None:
        """Nothing runs."""


class Dying(MemoryStore):
    """Its process dies at the first run that is to be kept, on one side of that or the other."""

    def __init__(self, *, before: bool) -> None:
        super().__init__()
        self.before = before
        self.dies = True

    async def create(self, *args: Any) -> None:
        if self.dies and self.before:
            raise SimulatedCrash("before it is kept")
        await super().create(*args)
        if self.dies:
            raise SimulatedCrash("after it was kept")


class World:
    """A process with an engine over a store; ``again`` is the next one."""

    def __init__(self, store: MemoryStore | SqlStore) -> None:
        self.store = store
        clock, ids = SystemClock(), RandomIds()
        self.registry = Registry(store=store, clock=clock)

        async def has_bundle(digest: str) -> bool:
            return True

        self.registrar = Registrar(registry=self.registry, store=store, clock=clock, has_bundle=has_bundle)
        self.plane = ControlPlane(store=store, executor=Idle(), clock=clock, ids=ids, owner="me", listen=None)
        self.executions = Executions(registry=self.registry, store=store, plane=self.plane, clock=clock, ids=ids)

    async def register(self, *roots: Any, version: str = "v1") -> None:
        await self.registrar.register(P, D, said(*roots, version=version))

    async def launch(self, x: int | None = 1, *, run_name: str = "mine", **more: Any) -> Begun:
        literals: Literals = {} if x is None else {"x": IntLiteral(x)}
        wanted = {"project": P, "domain": D, "kind": "workflow", "name": name_of(quadruple), **more}
        asked = ExactLaunch(**wanted, run_name=run_name, literals=literals)

        def read(_: Mapping[str, Parameter]) -> Literals:
            return literals

        return await self.executions.launch(asked, read)

    async def runs(self) -> list[str]:
        return [row.id for row in await self.store.summaries()]


@pytest.fixture(params=["memory", "sqlite"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    store = MemoryStore() if request.param == "memory" else SqlStore.open(tmp_path / "whimbrel.db")
    yield World(store)
    store.close()


def played(world: World, scenario: Callable[[], Any]) -> None:
    """The scenario in the world's loop."""

    async def main() -> None:
        await world.plane.start()
        try:
            await scenario()
        finally:
            await world.executions.close()
            await world.plane.close()

    asyncio.run(main())


def test_the_same_request_is_the_same_run(world: World) -> None:
    async def scenario() -> None:
        await world.register(quadruple)
        first = await world.launch()
        assert (first.run, first.created) == ("mine", True)
        await world.register(quadruple, version="v2")
        assert await world.launch() == first._replace(created=False)
        for other in ({"x": 2}, {"version": "v1"}, {"options": LaunchOptions(overwrite_cache=True)}):
            with pytest.raises(VersionConflict):
                await world.launch(**other)
        assert await world.runs() == ["mine"]
        assert (await world.launch(run_name="")).run != "mine"

    played(world, scenario)


def test_many_at_once_are_one(world: World) -> None:
    async def scenario() -> None:
        await world.register(quadruple)
        begun = await asyncio.gather(*(world.launch() for _ in range(8)))
        assert {each.run for each in begun} == {"mine"}
        assert sum(each.created for each in begun) == 1
        assert await world.runs() == ["mine"]

    played(world, scenario)


@pytest.mark.parametrize("before", [True, False])
def test_whoever_dies_while_it_is_launched_the_next_request_finds_one_run(before: bool) -> None:
    store = Dying(before=before)
    world = World(store)

    async def scenario() -> None:
        await world.register(quadruple)
        with pytest.raises(SimulatedCrash):
            await world.launch()
        store.dies = False
        # What the request meant when it was made.
        await world.register(quadruple, version="v2")
        heir = World(store)
        await heir.plane.start()
        begun = await heir.launch()
        assert (begun.run, begun.created) == ("mine", before)
        assert (await store.summary("mine")).origin.version == "v1"
        with pytest.raises(VersionConflict):
            await heir.launch(x=2)
        assert len(await store.entities(EntityQuery(EntityKind.EXECUTION))) == 1
        await heir.executions.close()
        await heir.plane.close()

    played(world, scenario)


def test_what_a_plan_says_lies_beneath_what_is_asked_for(world: World) -> None:
    async def scenario() -> None:
        await world.register(daily)
        options = LaunchOptions(labels={"team": "birds"}, tags=("t",), max_parallelism=2, environment={"A": "b"})
        await world.launch(None, kind="launch_plan", name="daily", options=options)
        run = world.plane.run("mine")
        assert run.inputs == {"x": IntLiteral(7)}
        assert (run.options.max_parallelism, run.options.tags) == (2, ("t",))
        assert run.options.environment["A"] == "b"
        summary = await world.store.summary("mine")
        assert summary.origin.labels == {"team": "birds", "t": ""}
        assert (summary.origin.kind, summary.origin.target, summary.origin.version) == ("launch_plan", "daily", "v1")

    played(world, scenario)


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"kind": "execution"}, InputInvalid),
        ({"kind": ""}, InputInvalid),
        ({"name": "nothing"}, EntityNotFound),
        ({"version": "v9"}, EntityNotFound),
        ({"project": "nowhere"}, InputInvalid),
        ({"run_name": "No Name"}, InputInvalid),
        ({"run_name": "-"}, InputInvalid),
        ({"options": LaunchOptions(labels={"a": "\ud800"})}, InputInvalid),
    ],
)
def test_what_is_refused_leaves_nothing(world: World, more: dict[str, Any], error: type[Exception]) -> None:
    async def scenario() -> None:
        await world.register(quadruple)
        with pytest.raises(error):
            await world.launch(**more)
        assert await world.runs() == []
        assert await world.store.entities(EntityQuery(EntityKind.EXECUTION)) == []

    played(world, scenario)


def test_once_more_with_other_inputs_in_the_same_version(world: World) -> None:
    async def scenario() -> None:
        await world.register(quadruple)
        first = await world.launch(x=5)
        await world.register(quadruple, version="v2")
        again = await world.executions.again(first.run, ExactRelaunch(run_name="again"), lambda _: {})
        assert world.plane.run(again.run).inputs == {"x": IntLiteral(5)}
        given: Literals = {"x": IntLiteral(6)}
        other = await world.executions.again(first.run, ExactRelaunch(given, run_name="other"), lambda _: given)
        assert world.plane.run(other.run).inputs == given
        assert {(await world.store.summary(run)).origin.version for run in ("mine", "again", "other")} == {"v1"}
        same = await world.executions.again(first.run, ExactRelaunch(run_name="again"), lambda _: {})
        assert (same.run, same.created) == ("again", False)
        with pytest.raises(RunNotResumable):
            await world.executions.again(first.run, Recover(), lambda _: {})

    played(world, scenario)
