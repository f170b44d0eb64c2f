"""Real flytekit, unmodified, against `whimbrel up`, configured with nothing: every flow of its users, by name.

One server; `pyflyte register`, six times `pyflyte run --remote --wait`, and one process that asks for everything else
(`client.py`). Each test looks at one flow.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from tests.integration.differential.environment import flytekit_python
from tests.integration.server.native import LIMIT, PLACE, archive, registration
from tests.integration.server.serving import begun, ended, results, running
from whimbrel.wire.rest.registering import MSGPACK, encode_registration

pytestmark = pytest.mark.slow  # fifty tasks, each of which imports flytekit

REGISTER = ("pyflyte", "register", "flows.py", "--version", "v1", "--image", "none:latest")
RUNS: dict[str, tuple[str, ...]] = {
    "workflow": ("nested", "--x", "1"),
    "task": ("double", "--x", "21"),
    "map": ("mapped", "--xs", "[1, 2, 3]"),
    "dynamic": ("unfolding", "--n", "3"),
    "eager": ("growing", "--x", "2"),
    "file": ("reading", "--file"),
}


NATIVE = {
    "native.py": """
        from whimbrel import LaunchPlan, eager, map_task, task, workflow

        @task
        def double(x: int) -> int:
            return 2 * x

        @workflow
        def mapped(xs: list[int]) -> list[int]:
            return map_task(double)(x=xs)

        @workflow
        def titled(x: int, title: str = "none") -> int:
            return double(x=x)

        @eager
        async def deep(x: int) -> int:
            return await titled(x=await double(x=x))

        plan = LaunchPlan.get_or_create(titled, "native plan", fixed_inputs={"x": 21}, auto_activate=True)
        """
}


class Seen(NamedTuple):
    """What commands have said, and what the flows of the client have found."""

    registered: str
    again: str
    ran: dict[str, str]
    found: dict[str, Any]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    python, directory = flytekit_python(), tmp_path_factory.mktemp("server")
    file = directory / "file.txt"
    file.write_text("say it")
    with running(directory, python) as address:
        registered = ended(begun(python, directory, address, *REGISTER))
        runs = {
            name: begun(
                *(python, directory, address, "pyflyte", "run", "--remote", "--wait", "--name", f"run-{name}"),
                *(() if name == "task" else ("--poll-interval", "1")),
                *("flows.py", *arguments, *([str(file)] if name == "file" else [])),
            )
            for name, arguments in RUNS.items()
        }
        ran = {name: ended(process) for name, process in runs.items()}
        register_ours(directory / "native", address)
        again = begun(python, directory, address, *REGISTER)
        found = results(ended(begun(python, directory, address, "client.py", str(directory))))
        yield Seen(registered, ended(again), ran, found)


def register_ours(directory: Path, address: str) -> None:
    """Register with a client of our own, and launch something."""
    digest, data = archive(NATIVE)
    said = registration(directory, NATIVE, "native", "mapped", "deep", "plan", version="n1")
    with httpx.Client(base_url=f"http://{address}", timeout=LIMIT) as http:
        assert http.put(f"/api/v1/bundles/{digest}", content=data).status_code == 201
        made = http.post(f"{PLACE}/register", content=encode_registration(said), headers={"content-type": MSGPACK})
        assert made.status_code == 200, made.text
        assert {row["remark"] for row in made.json()} == {""}
        launch = {"project": "flytesnacks", "domain": "development", "kind": "workflow", "name": "native.titled"}
        launched = http.post("/api/v1/runs", json={**launch, "run_name": "launched-over-rest", "inputs": {"x": 8}})
        assert launched.status_code == 201, launched.text
        http.get("/api/v1/runs/launched-over-rest/events")  # until its end


def found(seen: Seen, flow: str) -> Any:
    what = seen.found[flow]
    assert not (isinstance(what, dict) and "raised" in what), what["raised"]
    return what


def told(outputs: Any, nodes: Any, phase: int = 4, error: str | None = None) -> dict[str, Any]:
    return {"phase": phase, "outputs": outputs, "error": error, "nodes": nodes}


NESTED = {"n0": {"n0": [3]}, "n1": [3], "n2": [3]}


def test_pyflyte_register(seen: Seen) -> None:
    assert "Successfully registered" in seen.registered


def test_pyflyte_register_again_changes_nothing(seen: Seen) -> None:
    assert "Successfully registered" in seen.again


@pytest.mark.parametrize("name", RUNS)
def test_pyflyte_run_remote_wait(seen: Seen, name: str) -> None:
    assert f"Execution run-{name} has succeeded." in seen.ran[name]
    assert "/console/projects/flytesnacks/domains/development/executions/" in seen.ran[name]


@pytest.mark.parametrize(
    ("flow", "expected"),
    [
        ("sync workflow", told({"o0": 8}, NESTED)),
        ("sync task", told({"o0": 42}, {"n0": [3]})),
        ("sync map", told({"o0": 12}, {"n0": [3, 3, 3], "n1": [3]})),
        ("sync dynamic", told({"o0": 6}, {"n0": {"dn0": [3], "dn1": [3], "dn2": [3]}, "n1": [3]})),
        ("sync eager", told({"o0": 8}, {"n0": [3]})),
        ("eager_children", {"called": ["flows.halved", "flows.nested"], "phases": [4, 4], "shown": True}),
        ("execute", told({"o0": 22}, {"n0": {"n0-n0": [3], "n0-n1": []}})),
        ("relaunch", told({"o0": 42}, {"n0": [3]})),
        (
            "recover",
            [
                told(None, {"n0": [3], "n1": [5]}, 6, "ValueError: it is broken"),
                told({"o0": 8}, {"n0": [], "n1": [3]}),
            ],
        ),
        (
            "launch_plan_node",
            {
                "told": told({"o0": 31}, {"n0": [], "n1": [3]}),
                "child": told({"o0": 30}, NESTED),
                "plan": "fixed",
                "of": "planned",
                "listed": True,
            },
        ),
        ("terminate", {"ended": True, "phase": 7, "why": "not needed"}),
        ("terminate_child", {"child": 7, "outer": 6, "why": True}),
        (
            "terminate_eager",
            {"called": 1, "ended": 1, "phase": 7, "deck": True, "labels": ["eager-exec", "eager-root-exec"]},
        ),
        ("adopt", "a-gate"),
        ("gates", {"signals": ["first"], "nodes": ["n0"], "answered": 42}),
        ("fetch_task", ["a", "b"]),
        ("fetch_latest", True),
        ("activate", {"of": ["flows.nested", ["y"]], "before": False, "after": "v1"}),
        ("register", "v2"),
        ("refusals", {"unknown": "FlyteEntityNotExistException", "missing": "FlyteInvalidInputException"}),
        ("upload", {"same": True, "text": "sent"}),
        ("download", {"opened": "SAY IT", "linked": "SAY IT", "files": 1}),
        ("deck", {"shown": True, "nodes": ["n0"]}),
        ("logs", True),
        ("recent", {"two": 2, "children": True}),
        (
            "fetch_by_version",
            {
                "nested": ["n0", "n1", "n2"],
                "mapped": ["n0", "n1"],
                "branchy": ["n0"],
                "unfolding": ["n0", "n1"],
                "gated": ["n0", "n1", "n2"],
                "planned": ["n0", "n1"],
            },
        ),
    ],
)
def test_flyte_remote(seen: Seen, flow: str, expected: object) -> None:
    assert found(seen, flow) == expected


def test_flyte_remote_lists(seen: Seen) -> None:
    listed = found(seen, "lists")
    assert {"flows.add", "flows.broken", "flows.double", "flows.laid_out", "flows.listed"} < set(listed["tasks"])
    assert listed["projects"] == ["flytesnacks"]
    assert listed["version"].startswith("v1.")
    assert (len(listed["first"]), listed["repeated"]) == (3, 0)


def test_flyte_remote_metrics(seen: Seen) -> None:
    spans = found(seen, "metrics")
    assert [next(iter(each)) for each in spans["other"]] == ["n0", "n1", "n2"]
    said = json.dumps(spans)
    assert all(name in said for name in ("n0-0-n0", "TASK_SETUP", "TASK_RUNTIME"))


def test_what_our_own_client_registered_is_read_and_launched(seen: Seen) -> None:
    assert found(seen, "native") == {
        "nodes": ["n0"],
        "inputs": ["x"],
        "doc": "python",
        "plan": ["native.titled", ["x"], ["title"]],
        "outputs": [[2, 4], 8, 42, 20],
        "ours": [16, ["n0"], "native.titled"],
        "active": "n1",
    }
