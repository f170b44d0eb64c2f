"""`pyflyte` against a server that wants to know who asks: flytectl's configuration file with a client's secret."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.compat.served import Site

FLOW = Path(__file__).with_name("programs") / "distant.py"


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Site]:
    """A server with accounts; `secret.yaml` names it and the client `robot`, whose secret is beside it."""
    site = Site(tmp_path)
    made = site.call("whimbrel", "auth", "client", "create", "--home", "home", "robot")
    (tmp_path / "secret.txt").write_text(made.stdout.split()[-1])
    up = [str(Path(sys.executable).with_name("whimbrel")), "up", "--home", "home", "--port", "0", "--auth", "builtin"]
    with (tmp_path / "log").open("w") as log:
        server = subprocess.Popen(up, cwd=tmp_path, env=site.variables, stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        assert server.stdout is not None
        address = server.stdout.readline().strip().rpartition("//")[2]
        (tmp_path / "secret.yaml").write_text(CONFIG.format(address=address, secret=tmp_path / "secret.txt"))
        yield site
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(60)
        assert server.stdout is not None
        server.stdout.close()


CONFIG = """
admin:
  endpoint: dns:///{address}
  insecure: true
  authType: ClientSecret
  clientId: robot
  clientSecretLocation: {secret}
"""


def test_a_client_with_a_role_runs_and_others_are_told(guarded: Site) -> None:
    run = ("pyflyte", "-c", "secret.yaml", "run", "--remote", "--wait", FLOW, "both", "--x", 4)
    refused = guarded.call(*run, code=2).stderr
    assert refused.splitlines()[-1] == ("pyflyte: Whoever keeps the server has not allowed this; ask for a role.")
    guarded.call("whimbrel", "auth", "role", "grant", "--home", "home", "client:robot", "runner")
    assert guarded.call(*run).stdout == "10\n"
    (guarded.home / "secret.txt").write_text("something else")
    asked = (
        "from flytekit.remote import FlyteRemote\n"
        "from flytekit.exceptions.user import FlyteAuthenticationException\n"
        "try:\n"
        "    FlyteRemote.auto('secret.yaml').fetch_task(name='distant.double')\n"
        "except FlyteAuthenticationException as error:\n"
        "    print('refused:', error)\n"
    )
    said = guarded.call("python", "-c", asked, XDG_CACHE_HOME=str(guarded.home / "fresh")).stdout
    assert said.startswith("refused: ")
