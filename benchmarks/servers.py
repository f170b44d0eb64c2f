"""The servers that are compared, each started as its guide says, on SQLite in a directory that is given.

What each is told beyond that turns off what calls home, and puts it on loopback and on a free port.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import grpc
import peers
from grpc_health.v1 import health_pb2, health_pb2_grpc
from harness import HERE, Serving, free_port, healthy, server

SUBJECTS = HERE / "subjects"
WHIMBREL = Path(sys.executable).with_name("whimbrel")


class Peer(NamedTuple):
    """A server that runs: where clients find it, what they are told by their environment, and the process."""

    port: int
    settings: dict[str, str]
    serving: Serving


@contextmanager
def whimbrel(home: Path) -> Iterator[Peer]:
    """`whimbrel up`."""
    port = free_port()
    command = [str(WHIMBREL), "up", "--port", str(port), "--home", str(home)]
    with server(command, lambda: healthy(f"http://127.0.0.1:{port}/healthz")) as serving:
        yield Peer(port, {}, serving)


@contextmanager
def temporal(directory: Path) -> Iterator[Peer]:
    """Temporal's dev server."""
    directory.mkdir(exist_ok=True)
    port = free_port()
    command = [str(peers.temporal().with_name("temporal")), "server", "start-dev", "--headless", "--ip", "127.0.0.1"]
    command += ["--port", str(port), "--db-filename", str(directory / "temporal.db"), "--log-level", "error"]
    with server(command, lambda: _serves(port)) as serving:
        yield Peer(port, {}, serving)


def _serves(port: int) -> bool:
    """Whether Temporal says that clients may call it: gRPC's health service."""
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        asked = health_pb2.HealthCheckRequest(service="temporal.api.workflowservice.v1.WorkflowService")
        try:
            said = health_pb2_grpc.HealthStub(channel).Check(asked, timeout=1)
        except grpc.RpcError:
            return False
        return bool(said.status == health_pb2.HealthCheckResponse.SERVING)


@contextmanager
def prefect(directory: Path) -> Iterator[Peer]:
    """Prefect's server, without its user interface."""
    port = free_port()
    settings = {
        "PREFECT_HOME": str(directory),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_LOGGING_LEVEL": "ERROR",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }
    command = [str(peers.prefect().with_name("prefect")), "server", "start", "--host", "127.0.0.1"]
    command += ["--port", str(port), "--no-ui"]
    with server(command, lambda: healthy(f"{settings['PREFECT_API_URL']}/health"), **settings) as serving:
        yield Peer(port, settings, serving)


@contextmanager
def dagster(directory: Path) -> Iterator[Peer]:
    """Dagster's webserver, which launches runs itself: no queue, no daemon, which would only add to them."""
    directory.mkdir(exist_ok=True)
    Path(directory, "dagster.yaml").write_text(
        "telemetry:\n  enabled: false\n"
        "run_coordinator:\n  module: dagster.core.run_coordinator\n  class: DefaultRunCoordinator\n"
    )
    port = free_port()
    settings = {"DAGSTER_HOME": str(directory), "DO_NOT_TRACK": "1"}
    command = [str(peers.dagster().with_name("dagster-webserver")), "-h", "127.0.0.1", "-p", str(port)]
    command += ["-f", str(SUBJECTS / "dagster_three.py"), "--log-level", "error"]
    with server(command, lambda: healthy(f"http://127.0.0.1:{port}/server_info"), **settings) as serving:
        yield Peer(port, settings, serving)


@contextmanager
def airflow(directory: Path) -> Iterator[Peer]:
    """`airflow standalone`: API server, scheduler, triggerer and the rest."""
    dags = directory / "dags"
    dags.mkdir(exist_ok=True, parents=True)
    Path(dags, "three.py").write_text((SUBJECTS / "airflow_three.py").read_text())
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    program = peers.airflow().with_name("airflow")
    settings = {
        "AIRFLOW_HOME": str(directory),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "false",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "true",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": url,
        # It starts itself by its name.
        "PATH": f"{program.parent}:/usr/local/bin:/usr/bin:/bin",
    }
    with server([str(program), "standalone"], lambda: healthy(f"{url}/api/v2/monitor/health"), **settings) as serving:
        yield Peer(port, settings, serving)
