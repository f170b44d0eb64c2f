"""Real flytekit, unmodified, against `whimbrel up`: what it registers, fetches, launches, answers, terminates."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from tests.integration.differential.environment import flytekit_python
from tests.integration.server.native import LIMIT, PLACE, archive, registration
from tests.integration.server.serving import client, flytekit, running
from whimbrel.wire.rest.registering import MSGPACK, encode_registration


class Site(NamedTuple):
    """A server on which the flows are registered."""

    python: Path
    address: str


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    python = flytekit_python()
    with running(tmp_path_factory.mktemp("server"), python) as address:
        said = flytekit(python, address, *REGISTER)
        assert "Successfully registered" in said
        yield Site(python, address)


REGISTER = ("pyflyte", "register", "flows.py", "--version", "v1", "--image", "none:latest")


def test_registering_again_changes_nothing(site: Site) -> None:
    assert "Successfully registered" in flytekit(site.python, site.address, *REGISTER)


def test_what_is_registered_is_fetched(site: Site) -> None:
    found = client(site.python, site.address, "fetch")
    assert found["nodes"] == {
        "nested": ["n0", "n1", "n2"],
        "mapped": ["n0", "n1"],
        "branchy": ["n0"],
        "unfolding": ["n0", "n1"],
        "gated": ["n0", "n1", "n2"],
    }
    assert found["latest"] == "v1"
    assert sorted(found["task"]) == ["a", "b"]  # in the message they are a map, which has no order
    assert found["plan"] == ["flows.nested", ["y"]]
    assert {"flows.add", "flows.broken", "flows.double", "flows.laid_out", "flows.listed"} < set(found["tasks"])
    assert found["projects"] == ["flytesnacks"]
    assert found["version"].startswith("v1.")
    assert not found["active before"]
    assert found["active after"] == "v1"


def test_what_cannot_be_is_refused_with_the_error_that_clients_expect(site: Site) -> None:
    assert client(site.python, site.address, "refusals") == {
        "unknown": "FlyteEntityNotExistException",
        "missing": "FlyteInvalidInputException",
    }


@pytest.mark.slow  # runs a task, which imports flytekit
def test_an_execution_waits_is_answered_and_is_terminated(site: Site) -> None:
    found = client(site.python, site.address, "gate")
    assert found == {
        "adopted": "a-gate",
        "signals": ["first"],
        "nodes": ["n0"],
        "answered": 42,
        "ended": True,
        "aborted": 7,
        "recent": ["another-gate", "a-gate"],
    }


@pytest.mark.slow  # twenty tasks, each of which imports flytekit
@pytest.mark.parametrize(
    ("flow", "expected"),
    [
        ("nested", {"outputs": {"o0": 8}, "nodes": {"n0": {"n0": [3]}, "n1": [3], "n2": [3]}}),
        ("mapped", {"outputs": {"o0": 12}, "nodes": {"n0": [3, 3, 3], "n1": [3]}}),
        ("branchy", {"outputs": {"o0": 22}, "nodes": {"n0": {"n0-n0": [3], "n0-n1": []}}}),
        ("unfolding", {"outputs": {"o0": 6}, "nodes": {"n0": {"dn0": [3], "dn1": [3], "dn2": [3]}, "n1": [3]}}),
        ("failing", {"phase": 6, "outputs": None, "error": "ValueError: no 8 today", "nodes": {"n0": [3], "n1": [5]}}),
        ("fixed", {"outputs": {"o0": 30}, "nodes": {"n0": {"n0": [3]}, "n1": [3], "n2": [3]}}),
        ("task", {"outputs": {"o0": 42}, "nodes": {"n0": [3]}}),
    ],
)
def test_what_is_registered_runs(site: Site, flow: str, expected: dict[str, object]) -> None:
    assert client(site.python, site.address, "runs", flow) == {"phase": 4, "error": None, **expected}


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


def test_what_our_own_client_registered_is_read_and_launched(site: Site, tmp_path: Path) -> None:
    digest, data = archive(NATIVE)
    said = registration(tmp_path, NATIVE, "native", "mapped", "deep", "plan", version="n1")
    with httpx.Client(base_url=f"http://{site.address}", timeout=LIMIT) as http:
        assert http.put(f"/api/v1/bundles/{digest}", content=data).status_code == 201
        made = http.post(f"{PLACE}/register", content=encode_registration(said), headers={"content-type": MSGPACK})
        assert made.status_code == 200, made.text
        assert {row["remark"] for row in made.json()} == {""}
        launch = {"project": "flytesnacks", "domain": "development", "kind": "workflow", "name": "native.titled"}
        begun = http.post("/api/v1/runs", json={**launch, "run_name": "launched-over-rest", "inputs": {"x": 8}})
        assert begun.status_code == 201, begun.text
        http.get("/api/v1/runs/launched-over-rest/events")  # until its end
    found = client(site.python, site.address, "native")
    assert found == {
        "nodes": ["n0"],
        "inputs": ["x"],
        "doc": "python",
        "plan": ["native.titled", ["x"], ["title"]],
        "outputs": [[2, 4], 8, 42, 20],
        "ours": [16, ["n0"], "native.titled"],
        "active": "n1",
    }
