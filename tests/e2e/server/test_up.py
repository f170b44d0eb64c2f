"""`whimbrel up`: one port for both protocols, signals, deaths, refusals."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from tests.e2e.server.upping import LIMIT, SCRIPT, Up, killed_in_the_middle, run, until, up


def test_http_and_grpc_on_the_same_port(tmp_path: Path) -> None:
    with up(tmp_path / "home") as server:
        assert server.http.get("/healthz").text == "ok\n"
        assert server.http.get("/readyz").text == "ready\n"
        with grpc.insecure_channel(f"localhost:{server.port}") as channel:
            health = health_pb2_grpc.HealthStub(channel)
            answer = health.Check(health_pb2.HealthCheckRequest(), timeout=LIMIT)
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
            asked = reflection_pb2.ServerReflectionRequest(list_services="")
            stub = reflection_pb2_grpc.ServerReflectionStub(channel)
            listed = next(stub.ServerReflectionInfo(iter([asked]), timeout=LIMIT))
            assert "grpc.health.v1.Health" in {one.name for one in listed.list_services_response.service}
            with pytest.raises(grpc.RpcError) as refused:
                channel.unary_unary("/flyteidl.service.AdminService/NoSuchMethod")(b"", timeout=LIMIT)
            assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED
        figures = server.http.get("/metrics").text
        assert 'whimbrel_connections_total{kind="grpc"} 1' in figures
        assert 'whimbrel_runs{phase="RUNNING"} 0' in figures
        assert server.end() == 0


def test_a_killed_server_goes_on_where_it_was(tmp_path: Path) -> None:
    home, door = tmp_path / "home", tmp_path / "door"
    begun = Path(f"{door}.begun")
    killed_in_the_middle(home, door)
    with up(home) as first:
        until(begun.exists)
        assert first.end(signal.SIGKILL) == -signal.SIGKILL
    begun.unlink()
    with up(home) as second:
        until(begun.exists)
        (row,) = second.get("/runs")["runs"]
        door.touch()
        found = until(lambda: second.get("/runs", phase="SUCCEEDED")["runs"])
        assert [one["run"] for one in found] == [row["run"]]
        detail = second.get(f"/runs/{row['run']}")
        assert detail["outputs"] == {"o0": 8}
        assert detail["epoch"] == 3
        finished = [node for node in detail["nodes"] if node["entity"].endswith(".double")]
        assert [len(node["attempts"]) for node in finished] == [1, 1]
        assert second.end() == 0


def test_a_drain_lets_running_tasks_end_and_begins_none(tmp_path: Path) -> None:
    home, door = tmp_path / "home", tmp_path / "door"
    killed_in_the_middle(home, door)
    with up(home, "--drain", "50") as server:
        until(Path(f"{door}.begun").exists)
        server.process.send_signal(signal.SIGTERM)
        until(lambda: "stopping" in server.errors.read_text())
        with pytest.raises(OSError):
            until(lambda: socket.create_connection(("127.0.0.1", server.port), timeout=LIMIT).close())
        door.touch()
        assert server.left() == 0
    (row,) = json.loads(subprocess.check_output([SCRIPT, "runs", "--json", "--home", str(home)]))
    detail = json.loads(subprocess.check_output([SCRIPT, "describe", "--json", "--home", str(home), row["run"]]))
    phases = {node["path"]: node["phase"] for node in detail["nodes"]}
    assert detail["phase"] == "RUNNING"
    assert [phases["n0"], phases["n1"]] == ["SUCCEEDED", "SUCCEEDED"]
    assert phases["n2"] != "SUCCEEDED"
    with up(home) as again:
        until(lambda: again.get("/runs", phase="SUCCEEDED")["runs"])


def test_a_second_signal_waits_for_nobody(tmp_path: Path) -> None:
    home, door = tmp_path / "home", tmp_path / "door"
    killed_in_the_middle(home, door)
    with up(home, "--drain", "3600") as server:
        until(Path(f"{door}.begun").exists)
        server.process.send_signal(signal.SIGINT)
        until(lambda: "stopping" in server.errors.read_text())
        assert server.end(signal.SIGINT) == 0


def test_what_is_refused_says_why(tmp_path: Path) -> None:
    def refused(*options: str) -> tuple[int, str]:
        done = subprocess.run([SCRIPT, "up", *options], capture_output=True, text=True, timeout=LIMIT)
        assert done.stdout == ""
        assert "Traceback" not in done.stderr
        return done.returncode, done.stderr

    other = ("--home", str(tmp_path / "other"))
    with up(tmp_path / "home") as server:
        code, said = refused("--home", str(tmp_path / "home"), "--port", "0")
        assert code == 75
        assert f"in use by process {server.process.pid}" in said
        code, said = refused(*other, "--port", str(server.port))
        assert code == 2
        assert f"port {server.port}" in said
        assert "--port" in said
        running = run(tmp_path / "home", "fails", "--x", "1")
        assert running.wait(LIMIT) == 75
    for host in ("0.0.0.0", "::", "example.org"):
        code, said = refused(*other, "--host", host)
        assert code == 2
        assert "authentication" in said


def test_it_is_ready_soon(tmp_path: Path) -> None:
    """Not a benchmark: a start that takes many times as long as usual has a fault."""
    Up(tmp_path / "home").end()
    with up(tmp_path / "home") as server:
        assert server.seconds < 15
