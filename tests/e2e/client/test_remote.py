"""``Remote`` against a server of its own: register, fetch, launch, wait, values, gates, recovery, refusals."""

from __future__ import annotations

import asyncio
import datetime as dt
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.client import remote_flows as flows
from tests.e2e.server.upping import Up, until, up
from whimbrel import FlyteDirectory, FlyteFile
from whimbrel.client.asynchronous import AsyncRemote
from whimbrel.client.bridge import bridge
from whimbrel.client.configuration import Config
from whimbrel.client.remote import Remote
from whimbrel.errors import (
    CallMismatch,
    EagerException,
    EntityNotFound,
    InputInvalid,
    RunNotResumable,
    ServerUnreachable,
    ValueMismatch,
    VersionConflict,
)
from whimbrel.model.registered import EntityKind
from whimbrel.model.run import Phase

LIMIT = 60.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    with up(tmp_path_factory.mktemp("client") / "home") as started:
        yield started


@pytest.fixture(scope="module")
def remote(server: Up) -> Iterator[Remote]:
    with Remote(Config(endpoint=server.url)) as made:
        yield made


NAMES = "tests.e2e.client.remote_flows"


def test_a_module_is_registered_once(remote: Remote) -> None:
    first = remote.register(flows)
    assert {(one.kind, one.name) for one in first.entities} >= {
        ("task", f"{NAMES}.double"),
        ("task", f"{NAMES}.together"),
        ("task", f"{NAMES}.unfolded"),
        ("workflow", f"{NAMES}.chain"),
        ("launch_plan", "tens"),
    }
    again = remote.register([flows.chain, flows])
    assert again.version == first.version
    assert not any(one.created for one in again.entities)
    rows = {row.name: row for row in remote.list_entities(EntityKind.WORKFLOW)}
    assert rows[f"{NAMES}.chain"].version == first.version
    assert [row.version for row in remote.list_entities(EntityKind.TASK, name=f"{NAMES}.double")] == [first.version]
    detail = remote.describe(EntityKind.WORKFLOW, f"{NAMES}.chain")
    assert detail.graph is not None
    assert [node.entity for node in detail.graph.nodes] == [f"{NAMES}.double"] * 2
    assert detail.source is not None
    assert "def chain" in detail.source


@pytest.mark.parametrize(
    ("entity", "inputs", "result"),
    [
        (flows.chain, {"x": 5}, 20),
        (flows.chain, {}, 16),
        (flows.double, {"x": 3}, 6),
        (flows.mapped, {"xs": [1, 2]}, [2, 4]),
        (flows.unfolded, {"n": 3}, [0, 2, 4]),
        (flows.together, {"x": 3}, 10),
        (flows.plan, {}, 40),
        (flows.fixed, {}, 12),
        (flows.sums, {"xs": [1, 2, 3]}, flows.Sums(6, 3)),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_what_is_here_runs_there(remote: Remote, entity: object, inputs: dict[str, object], result: object) -> None:
    execution = remote.execute(entity, inputs, wait=True, timeout=LIMIT)  # type: ignore[arg-type]  # of any kind
    assert execution.phase is Phase.SUCCEEDED, execution.failure
    assert execution.result() == result


def test_what_is_registered_is_fetched_and_launched_by_name(remote: Remote) -> None:
    version = remote.register(flows, version="newest").version
    assert version == "newest"
    for found in (
        remote.fetch_workflow(f"{NAMES}.chain"),
        remote.fetch_workflow(f"{NAMES}.chain", version),
        remote.fetch(f"{NAMES}.chain"),
        remote.fetch_launch_plan("tens"),
    ):
        assert found.version == version
        execution = remote.execute(found, {"x": 2}, wait=True, timeout=LIMIT)
        assert execution.outputs["o0"] == 8
    named = remote.execute(f"{NAMES}.double", {"x": 1}, wait=True, timeout=LIMIT)
    assert (named.inputs["x"], named.outputs["o0"]) == (1, 2)


def test_launch_plans_are_activated(remote: Remote) -> None:
    version = remote.register(flows).version
    assert remote.activate_launch_plan("tens", version).state == "ACTIVE"
    assert remote.fetch_launch_plan("tens", "active").version == version
    assert remote.deactivate_launch_plan("tens").state == "INACTIVE"
    with pytest.raises(EntityNotFound):
        remote.fetch_launch_plan("tens", "active")


def test_files_go_there_and_come_back_when_they_are_read(remote: Remote, tmp_path: Path) -> None:
    file = tmp_path / "quiet.txt"
    file.write_text("hello ")
    execution = remote.execute(
        flows.files, {"file": str(file), "order": flows.Order("note", 2)}, wait=True, timeout=LIMIT
    )
    assert execution.is_successful, execution.failure
    loud, tree = execution.result()
    assert not loud.downloaded
    assert Path(loud).read_text() == "HELLO HELLO "
    assert (Path(tree) / "note").read_text() == "hello hello "
    where = remote.download(execution, tmp_path / "down")
    assert (where / "o0").read_text() == "HELLO HELLO "
    assert (where / "o1" / "note").read_text() == "hello hello "
    uri = remote.upload(file)
    assert remote.upload(file) == uri
    assert remote.download(uri, tmp_path / "again").read_text() == "hello "
    tree = remote.download(FlyteDirectory(remote.upload(where)), tmp_path / "tree")
    assert (tree / "o1" / "note").read_text() == "hello hello "
    # Without the code: by the types that are registered.
    named = remote.execute(f"{NAMES}.files", {"file": FlyteFile(uri), "order": {"item": "n"}}, wait=True, timeout=LIMIT)
    assert Path(named.outputs["o0"]).read_text() == "HELLO "


def test_a_large_file_is_sent_once(remote: Remote, tmp_path: Path) -> None:
    file = tmp_path / "large.bin"
    file.write_bytes(bytes(range(256)) * 4096)
    uri = remote.upload(file)
    assert remote.blobs.size(uri) == 1024 * 1024
    assert remote.blobs.read_range(uri, 255, 3) == b"\xff\x00\x01"
    assert remote.blobs.read_range(uri, 1024 * 1024, 10) == b""
    assert remote.upload(file) == uri


def test_a_failure_is_what_the_task_raised(remote: Remote) -> None:
    execution = remote.execute(flows.fails, {"x": 1}, wait=True, timeout=LIMIT)
    assert execution.phase is Phase.FAILED
    assert execution.failure is not None
    assert execution.failure.title == "ValueError: there is no 2"
    with pytest.raises(ValueError, match="there is no 2") as raised:
        _ = execution.outputs
    assert isinstance(raised.value, EagerException)
    remote.sync(execution)
    assert execution.nodes["n1"].phase == "FAILED"
    inputs, outputs = remote.node_values(execution, "n0")
    assert (inputs["x"], outputs and outputs["o0"]) == (1, 2)
    lines = "".join(line.text for line in remote.logs(execution))
    assert "doubling 1" in lines
    recovered = remote.wait(remote.recover(execution), timeout=LIMIT)
    assert recovered.run != execution.run
    assert recovered.phase is Phase.FAILED
    told = remote.forecast(execution, recover=True)
    assert [(line.path, line.verdict) for line in told.lines] == [("n0", "reuse"), ("n1", "run")]
    told = remote.forecast(execution.run, {"x": 2})
    assert (told.run, told.reuse, told.version) == (2, 0, execution.version)
    forked = remote.wait(remote.fork(execution, {"x": 2}), timeout=LIMIT)
    assert forked.failure is not None
    assert forked.failure.title == "ValueError: there is no 4"


def test_gates_are_answered(remote: Remote) -> None:
    def waiting(run: str) -> bool:
        return bool(remote.run(run).waiting)

    approved = remote.execute(flows.asks, {"x": 3})
    until(lambda: waiting(approved.run))
    with pytest.raises(EntityNotFound, match="knows no gate 'other'; its gates are release"):
        remote.approve(approved, "other")
    remote.approve(approved, "release", by="me")
    assert remote.wait(approved, timeout=LIMIT).result() == 12
    rejected = remote.execute(flows.asks, {"x": 3})
    until(lambda: waiting(rejected.run))
    remote.reject(rejected, "release", reason="not today")
    assert remote.wait(rejected, timeout=LIMIT).phase is Phase.FAILED
    signalled = remote.execute(flows.told)
    until(lambda: waiting(signalled.run))
    remote.signal(signalled, "rows", 7)
    assert remote.wait(signalled, timeout=LIMIT).result() == 14


def test_runs_are_ended_relaunched_and_listed(remote: Remote, tmp_path: Path) -> None:
    door = tmp_path / "door"
    execution = remote.execute(flows.waits, {"x": 1, "door": str(door)})
    until(Path(f"{door}.begun").exists)
    with pytest.raises(RunNotResumable, match="has no outputs yet"):
        _ = execution.outputs
    with pytest.raises(TimeoutError, match="it goes on"):
        remote.wait(execution, timeout=0.05)
    remote.terminate(execution, "enough")
    assert remote.wait(execution, timeout=LIMIT).phase is Phase.ABORTED
    with pytest.raises(RunNotResumable, match="has ended"):
        remote.terminate(execution)
    door.touch()
    again = remote.wait(remote.relaunch(execution, {"x": 5}), timeout=LIMIT)
    assert again.result() == 20
    assert again.duration is not None
    assert again.duration > dt.timedelta(0)
    listed = remote.recent(limit=3, phases=[Phase.SUCCEEDED, Phase.ABORTED])
    assert {again.run, execution.run} <= {one.run for one in listed}
    assert all(one.project == "flytesnacks" for one in listed)


def test_the_same_name_is_the_same_run(remote: Remote) -> None:
    first = remote.execute(flows.chain, {"x": 1}, name="only-once")
    second = remote.execute(flows.chain, {"x": 1}, name="only-once")
    assert first.run == second.run
    with pytest.raises(VersionConflict, match=r"there is a run only-once .* of another request"):
        remote.execute(flows.chain, {"x": 2}, name="only-once")
    assert remote.wait(first, timeout=LIMIT).result() == 4


def test_it_works_inside_a_running_loop_and_as_coroutines(server: Up, remote: Remote) -> None:
    async def main() -> None:
        assert remote.execute(flows.double, {"x": 2}, wait=True, timeout=LIMIT).result() == 4
        async with AsyncRemote(Config(endpoint=server.url)) as aio:
            begun = await asyncio.gather(*(aio.execute(flows.double, {"x": x}) for x in range(8)))
            ended = await asyncio.gather(*(aio.wait(each, timeout=LIMIT) for each in begun))
            assert [each.result() for each in ended] == [2 * x for x in range(8)]
            seen = [event["event"] async for event in aio.events(begun[0])]
            assert seen[0] == "run_requested"
            assert seen[-1] == "end"

    asyncio.run(main())


ANSWER = """
from whimbrel import task

@task
def answer(x: int) -> int:
    from helping import NUMBER
    return NUMBER + x
"""
REGISTER = """
import sys
from whimbrel.client.configuration import Config
from whimbrel.client.remote import Remote
print(Remote(Config(endpoint=sys.argv[1])).register("answering.py").version)
"""


def test_two_versions_of_one_module(remote: Remote, tmp_path: Path) -> None:
    """Each run has the code that was registered with it, whatever ran in the worker before."""
    versions = []
    for number in (1, 2):
        root = tmp_path / str(number)
        root.mkdir()
        (root / "answering.py").write_text(ANSWER)
        (root / "helping.py").write_text(f"NUMBER = {number}\n")
        command = [sys.executable, "-c", REGISTER, remote.config.endpoint]
        versions.append(subprocess.check_output(command, cwd=root, text=True, timeout=LIMIT).strip())
        shutil.rmtree(root)
    for at in (0, 1, 0, 1):
        task = remote.fetch_task("answering.answer", versions[at])
        execution = remote.execute(task, {"x": 10}, wait=True, timeout=LIMIT)
        assert execution.is_successful, execution.failure
        assert execution.outputs["o0"] == 11 + at


def test_bad_input_is_told(remote: Remote, tmp_path: Path) -> None:
    remote.register(flows)
    chain = remote.fetch_workflow(f"{NAMES}.chain")
    with pytest.raises(InputInvalid, match="there is no project 'nowhere'; create it"):
        remote.register(flows, project="nowhere")
    with pytest.raises(EntityNotFound, match=r"there is no workflow, task or launch plan no\.such in flytesnacks/dev"):
        remote.execute("no.such")
    with pytest.raises(CallMismatch, match=r"remote_flows\.double lacks the input 'x' \(int\)"):
        remote.execute(f"{NAMES}.double")
    with pytest.raises(CallMismatch, match="chain has no input 'y'; it takes x"):
        remote.execute(flows.chain, {"y": 1})
    with pytest.raises(ValueMismatch, match=r"remote_flows\.chain, input 'x': expected int, got"):
        remote.execute(chain, {"x": "four"})
    with pytest.raises(ValueMismatch, match="chain, input 'x': expected int, got"):
        remote.execute(flows.chain, {"x": "four"})
    with pytest.raises(EntityNotFound, match="there is no run nosuchrun"):
        remote.wait("nosuchrun", timeout=LIMIT)
    with pytest.raises(EntityNotFound, match="there is no file"):
        remote.upload(tmp_path / "no")
    with pytest.raises(InputInvalid, match="cannot be registered"):
        remote.register(3)
    remote.register(flows.chain, version="taken")
    with pytest.raises(VersionConflict, match="taken"):
        remote.register(flows.double, version="taken", copy="none")


@pytest.mark.parametrize(("last", "form"), [("x", "exact"), ("1-", "exact"), ("-1-2", "exact"), ("1", "roundly")])
def test_streams_refuse_places_that_are_none(remote: Remote, last: str, form: str) -> None:
    run = remote.execute(flows.double, {"x": 1}, wait=True, timeout=LIMIT).run
    asked = remote.aio.transport.send(
        "GET", f"/api/v1/runs/{run}/events", params={"form": form}, headers={"last-event-id": last}
    )
    with pytest.raises(InputInvalid, match=r"Last-Event-ID|the query"):
        bridge().run(asked)


def test_no_server() -> None:
    with Remote(Config(endpoint="localhost:9")) as nobody:
        with pytest.raises(ServerUnreachable, match="there is no server at http://localhost:9"):
            nobody.recent()
