"""Real flytekit, unmodified, logs in: with a secret, in a browser, on a device; over TLS too. Its eager tasks have
tokens of their own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import grpc
import httpx
import pytest

from tests.integration.auth.certificates import Certificates, certificates
from tests.integration.auth.upping import LIMIT, Site, auth, log_in, running
from tests.integration.differential.environment import flytekit_python
from whimbrel.wire.flyte.services import ADMIN, IDENTITY, methods

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def python() -> Path:
    return flytekit_python()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, python: Path) -> Iterator[Site]:
    directory = tmp_path_factory.mktemp("auth")
    with running(directory, "--auth", "builtin", "--image", f"none:*={python.parent.parent}") as site:
        yield site


@pytest.fixture(scope="module")
def safe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, Certificates]]:
    """A server with TLS."""
    directory = tmp_path_factory.mktemp("tls")
    made = certificates(directory)
    with running(
        directory, "--auth", "builtin", "--tls-cert", str(made.certificate), "--tls-key", str(made.key)
    ) as site:
        yield site, made


def configured(directory: Path, site: Site, **settings: object) -> Path:
    """A configuration file, as people have it."""
    lines = ["admin:", f"  endpoint: dns:///{site.address}", f"  insecure: {str(site.url.startswith('http:')).lower()}"]
    lines += [f"  {name}: {value}" for name, value in settings.items()]
    path = directory / "config.yaml"
    path.write_text("\n".join(lines) + "\n")
    return path


def with_secret(directory: Path, site: Site, **settings: object) -> Path:
    (directory / "secret").write_text(site.secret)
    said = {"authType": "ClientSecret", "clientId": "ci", "clientSecretLocation": directory / "secret"}
    return configured(directory, site, **said, **settings)


def environment(directory: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("FLYTE_", "WHIMBREL_"))}
    return {**kept, "HOME": str(directory), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1", **more}


def pyflyte(python: Path, config: Path, *command: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(python.parent / "pyflyte"), "-c", str(config), *command],
        cwd=HERE,
        env=environment(config.parent, **more),
        capture_output=True,
        text=True,
        timeout=3 * LIMIT,
    )


def audited(site: Site) -> str:
    return auth(site.home, "audit", "--limit", "1000")


def test_without_a_login_it_is_told_to_log_in(python: Path, site: Site, tmp_path: Path) -> None:
    config = configured(tmp_path, site, authType="ExternalCommand", command='["echo", "wat_nonsense"]')
    said = pyflyte(python, config, "info")
    assert said.returncode != 0
    assert "FlyteAuthenticationException" in said.stdout + said.stderr or "log in" in said.stdout + said.stderr


def test_with_a_secret(python: Path, site: Site, tmp_path: Path) -> None:
    said = pyflyte(python, with_secret(tmp_path, site), "info")
    assert said.returncode == 0, said.stderr
    assert "Backend Version" in said.stdout


def test_with_another_secret_it_may_not(python: Path, site: Site, tmp_path: Path) -> None:
    config = with_secret(tmp_path, site)
    (tmp_path / "secret").write_text("wsec_wrong")
    said = pyflyte(python, config, "info")
    assert said.returncode != 0
    assert "invalid_client" in audited(site)


def test_in_a_browser(python: Path, site: Site, tmp_path: Path) -> None:
    browser = f"{sys.executable} {HERE / 'upping.py'} %s &"
    said = pyflyte(python, configured(tmp_path, site, authType="Pkce"), "info", BROWSER=browser)
    assert said.returncode == 0, said.stdout + said.stderr
    assert "Backend Version" in said.stdout
    assert re.search(r"user:ada  token authorization_code .* ok", audited(site))


def test_on_a_device(python: Path, site: Site, tmp_path: Path) -> None:
    config = configured(tmp_path, site, authType="DeviceFlow")
    process = subprocess.Popen(
        [str(python.parent / "pyflyte"), "-c", str(config), "info"],
        cwd=HERE,
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        found = re.search(r"[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}", said)
        if found:
            with httpx.Client(timeout=LIMIT) as browser:
                done = log_in(browser, f"{site.url}/oauth2/device?user_code={found[0]}")
                assert "is told" in done.text
            break
    said += process.stdout.read()
    process.stdout.close()
    assert process.wait(LIMIT) == 0, said
    assert "Backend Version" in said


def test_over_tls(python: Path, safe: tuple[Site, Certificates], tmp_path: Path) -> None:
    site, made = safe
    config = with_secret(tmp_path, site, caCertFilePath=made.authority)
    said = pyflyte(python, config, "register", "eager_flows.py", "--version", "v1")
    assert "Successfully registered" in said.stdout, said.stdout + said.stderr
    trusting = with_secret(tmp_path, site, insecureSkipVerify="true")
    assert pyflyte(python, trusting, "info").returncode == 0
    distrusting = with_secret(tmp_path, site)
    assert pyflyte(python, distrusting, "info").returncode != 0


@pytest.mark.slow  # an eager task and what it calls, each of which imports flytekit
def test_eager_tasks_have_tokens_of_their_own(python: Path, site: Site, tmp_path: Path) -> None:
    config, door = with_secret(tmp_path, site), tmp_path / "token"
    run = ("run", "--remote", "--wait", "--image", "none:latest", "eager_flows.py", "curious", "--x", "4")
    said = pyflyte(python, config, *run, "--door", str(door))
    assert said.returncode == 0, said.stdout + said.stderr
    name = _execution(said.stdout)
    token = door.read_text()
    logs = subprocess.run(
        [str(Path(sys.executable).with_name("whimbrel")), "logs", name, "--home", str(site.home)],
        capture_output=True,
        text=True,
        timeout=LIMIT,
    ).stdout
    assert "my token is ***" in logs
    assert "refused: elsewhere True terminate True attributes True another version True" in logs
    assert token not in logs
    # The attempt has ended, and its token with it.
    assert called(site, ADMIN, "GetVersion", token) is grpc.StatusCode.UNAUTHENTICATED
    assert called(site, IDENTITY, "UserInfo", token) is grpc.StatusCode.UNAUTHENTICATED
    assert re.search(r"attempt:\S+  AdminService.CreateExecution  flytesnacks/development  \S+  ok", audited(site))
    assert token not in site.log.read_text()
    assert site.secret not in site.log.read_text()


def _execution(said: str) -> str:
    found = re.search(r"executions/([a-z0-9-]+)", said)
    assert found is not None, said
    return found[1]


def called(site: Site, service: str, name: str, token: str) -> grpc.StatusCode:
    """The status of a method that is given nothing."""
    method = next(each for each in methods(service) if each.name == name)
    with grpc.insecure_channel(site.address) as channel:
        call = channel.unary_unary(f"/{service}/{name}", method.request.SerializeToString, method.response.FromString)
        try:
            call(method.request(), metadata=(("authorization", f"Bearer {token}"),), timeout=LIMIT)
        except grpc.RpcError as error:
            code: grpc.StatusCode = error.code()
            return code
    return grpc.StatusCode.OK
