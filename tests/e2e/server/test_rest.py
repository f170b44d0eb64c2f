"""REST and event streams of a server that runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import msgspec
import pytest

from tests.e2e.server.upping import LIMIT, Up, killed_in_the_middle, leave_at_the_gate, run, until, up
from whimbrel.wire.rest.runs import Detail, Lines, Page


class Told(NamedTuple):
    id: str
    kind: str
    data: Any


def told(server: Up, path: str, **headers: str) -> Iterator[Told]:
    """The events of a stream."""
    sent = {"accept": "text/event-stream", **{name.replace("_", "-"): value for name, value in headers.items()}}
    with httpx.stream("GET", f"{server.url}/api/v1{path}", headers=sent, timeout=LIMIT) as answer:
        assert answer.status_code == 200, answer.read()
        fields: dict[str, str] = {}
        for line in answer.iter_lines():
            name, _, value = line.partition(": ")
            if line:
                fields[name] = value
            elif "event" in fields:
                yield Told(fields.get("id", ""), fields["event"], json.loads(fields["data"]))
                fields = {}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a run that failed."""
    path = tmp_path_factory.mktemp("rest") / "home"
    assert run(path, "fails", "--x", "3").wait(LIMIT) == 1
    return path


@pytest.fixture(scope="module")
def server(home: Path) -> Iterator[Up]:
    with up(home) as server:
        yield server


@pytest.fixture
def failed(server: Up) -> str:
    return str(server.get("/runs", phase="failed")["runs"][-1]["run"])


def test_what_is_given_has_the_shapes_that_are_promised(server: Up, failed: str) -> None:
    page = server.http.get("/api/v1/runs")
    assert any(row.run == failed for row in msgspec.json.decode(page.content, type=Page).runs)
    detail = msgspec.json.decode(server.http.get(f"/api/v1/runs/{failed}").content, type=Detail)
    assert [(node.path, node.phase) for node in detail.nodes] == [("n0", "SUCCEEDED"), ("n1", "FAILED")]
    assert detail.nodes[0].outputs == {"o0": 6}
    logs = server.http.get(f"/api/v1/runs/{failed}/logs")
    assert "doubling 3\n" in {line.text for line in msgspec.json.decode(logs.content, type=Lines).lines}
    assert server.get(f"/runs/{failed}/decks") == []


def test_every_endpoint_is_described(server: Up) -> None:
    described = server.get("/openapi.json")
    assert described["openapi"].startswith("3.1")
    operations = {(path, method) for path, of in described["paths"].items() for method in of}
    assert ("/api/v1/runs/{run}/recover", "post") in operations
    names = [of[method]["operationId"] for of in described["paths"].values() for method in of]
    assert len(names) == len(set(names)) == len(operations)
    text = json.dumps(described)
    for name in {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}:
        assert name in described["components"]["schemas"]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"entity": "fails"}, True),
        ({"entity": "ails"}, False),
        ({"text": "NOT TODAY"}, True),
        ({"text": "tomorrow"}, False),
        ({"since": "2020-01-01"}, True),
        ({"since": "2999-01-01"}, False),
        ({"until": "2020-01-01T00:00:00Z"}, False),
        ({"phase": "failed,aborted"}, True),
        ({"phase": "aborted"}, False),
    ],
)
def test_lists_are_filtered(server: Up, failed: str, filters: dict[str, str], found: bool) -> None:
    assert (failed in {row["run"] for row in server.get("/runs", **filters)["runs"]}) is found


def test_pages_have_every_run_once(server: Up, failed: str) -> None:
    server.http.post(f"/api/v1/runs/{failed}/recover", json={}).raise_for_status()
    whole = [row["run"] for row in server.get("/runs")["runs"]]
    cursor, seen = "", []
    while True:
        page = server.get("/runs", limit=1, cursor=cursor)
        seen += [row["run"] for row in page["runs"]]
        if page["next"] is None:
            break
        cursor = page["next"]
    assert len(whole) >= 2
    assert seen == whole


def test_a_stream_goes_on_after_the_last_event_that_was_seen(server: Up, failed: str) -> None:
    whole = list(told(server, f"/runs/{failed}/events"))
    assert [one.id for one in whole] == [*map(str, range(1, len(whole))), ""]
    assert whole[0].kind == "run_requested"
    assert whole[-1] == Told("", "end", {"run": failed, "phase": "FAILED"})
    for seen in range(len(whole) - 1):
        assert list(told(server, f"/runs/{failed}/events", last_event_id=str(seen))) == whole[seen:]
    over = server.http.get(f"/api/v1/runs/{failed}/events", headers={"last-event-id": whole[-2].id})
    assert over.status_code == 204


def test_recovery_is_seen_by_who_follows_the_list(server: Up, failed: str) -> None:
    stream = told(server, "/events?entity=fails", last_event_id="before-7")
    first = next(stream)
    assert first.kind == "reset"
    new = server.http.post(f"/api/v1/runs/{failed}/recover", json={}).json()["run"]
    seen, place = [], first.id
    while ("run", "FAILED") not in seen:
        one = next(stream)
        place = one.id or place
        if one.kind == "run" and one.data["run"] == new:
            seen.append((one.kind, one.data["phase"]))
    stream.close()
    # Whoever was away hears of it again.
    again = told(server, "/events", last_event_id=place)
    assert next(one for one in again if one.kind == "run").data["run"] == new
    again.close()
    detail = server.get(f"/runs/{new}")
    assert detail["nodes"][0]["recovered_from"] == f"{failed}/n0"


def test_a_run_is_followed_live_and_ended(tmp_path: Path) -> None:
    home, door = tmp_path / "home", tmp_path / "door"
    killed_in_the_middle(home, door)
    with up(home) as server:
        until(Path(f"{door}.begun").exists)
        (row,) = server.get("/runs")["runs"]
        stream = told(server, f"/runs/{row['run']}/events")
        assert next(stream).kind == "run_requested"
        asked = server.http.post(f"/api/v1/runs/{row['run']}/abort", json={"reason": "wrong month"})
        assert asked.status_code == 202
        rest = list(stream)
        assert "abort_requested" in {one.kind for one in rest}
        assert rest[-1].data["phase"] == "ABORTED"
        assert server.http.post(f"/api/v1/runs/{row['run']}/abort", json={}).status_code == 409


def test_a_gate_is_answered(tmp_path: Path) -> None:
    home = tmp_path / "home"
    leave_at_the_gate(home)
    with up(home) as server:
        (row,) = server.get("/runs")["runs"]
        one = f"/api/v1/runs/{row['run']}"
        assert [gate["gate"] for gate in server.get(f"/runs/{row['run']}")["waiting"]] == ["release"]
        assert server.http.post(f"{one}/approve", json={"gate": "other"}).status_code == 404
        assert server.http.post(f"{one}/signal", json={"gate": "release", "value": "yes?"}).status_code == 400
        assert server.http.post(f"{one}/approve", json={"gate": "release", "by": "ann"}).status_code == 202
        assert list(told(server, f"/runs/{row['run']}/events"))[-1].data["phase"] == "SUCCEEDED"
        assert server.get(f"/runs/{row['run']}")["outputs"] == {"o0": 8}


@pytest.mark.parametrize(
    ("method", "path", "extra", "status"),
    [
        ("GET", "/runs/nothing", {}, 404),
        ("GET", "/nothing", {}, 404),
        ("DELETE", "/runs", {"headers": {"content-type": "application/json"}}, 405),
        ("GET", "/runs?limit=0", {}, 400),
        ("GET", "/runs?limit=many", {}, 400),
        ("GET", "/runs?colour=red", {}, 400),
        ("GET", "/runs?cursor=nothing", {}, 404),
        ("GET", "/runs?since=yesterday", {}, 400),
        ("GET", "/runs?text=%00'%3B--%3Cscript%3E", {}, 200),
        ("POST", "/runs/{run}/abort", {"content": b"{}"}, 415),
        ("POST", "/runs/{run}/approve", {"json": {"gate": 7}}, 400),
        ("POST", "/runs/{run}/approve", {"json": {"gate": "x"}}, 409),
        (
            "POST",
            "/runs/{run}/abort",
            {"content": b"[" * 100_000, "headers": {"content-type": "application/json"}},
            400,
        ),
        ("POST", "/runs/{run}/abort", {"content": b"x" * 2**21, "headers": {"content-type": "application/json"}}, 413),
        ("GET", "/runs/{run}/events", {"headers": {"last-event-id": "x"}}, 400),
        ("GET", "/runs", {"headers": {"origin": "http://evil.example"}}, 403),
        ("GET", "/runs", {"headers": {"host": "evil.example"}}, 421),
    ],
)
def test_bad_requests_are_told_what_is_wrong(
    server: Up, failed: str, method: str, path: str, extra: dict[str, Any], status: int
) -> None:
    answer = server.http.request(method, "/api/v1" + path.format(run=failed), **extra)
    assert answer.status_code == status
    if status >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        said = answer.json()
        assert said["status"] == status
        assert said["detail"]
    assert server.http.get("/healthz").text == "ok\n"
