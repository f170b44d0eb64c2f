"""`whimbrel auth`: accounts are made, shown and taken away beside a server that runs; secrets are shown once."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.integration.auth.upping import LIMIT, PASSWORD, WHIMBREL, Site, auth, running


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running(tmp_path_factory.mktemp("accounts"), "--auth", "builtin") as site:
        yield site


def refused(home: Path, *command: str, said: str = "") -> str:
    done = subprocess.run(
        [WHIMBREL, "auth", *command, "--home", str(home)], input=said, capture_output=True, text=True, timeout=LIMIT
    )
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


def token(site: Site, id: str, secret: str) -> httpx.Response:
    return httpx.post(f"{site.url}/oauth2/token", data={"grant_type": "client_credentials"}, auth=(id, secret))


def runs(site: Site, token: str) -> int:
    headers = {"authorization": f"Bearer {token}"}
    return httpx.get(f"{site.url}/api/v1/runs", headers=headers, timeout=LIMIT).status_code


def becomes(site: Site, token: str, status: int) -> bool:
    end = time.monotonic() + LIMIT
    while runs(site, token) != status:
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def test_a_client_from_its_making_to_its_end(site: Site) -> None:
    secret = auth(site.home, "client", "create", "nightly", "--description", "every night")
    assert secret.startswith("wsec_")
    given = token(site, "nightly", secret).json()["access_token"]
    assert runs(site, given) == 403
    auth(site.home, "role", "grant", "client:nightly", "viewer")
    assert becomes(site, given, 200)
    auth(site.home, "role", "revoke", "client:nightly", "viewer")
    assert becomes(site, given, 403)
    shown = auth(site.home, "client", "list", "--json")
    assert {row["id"] for row in json.loads(shown)} >= {"ci", "nightly"}
    assert secret not in shown
    auth(site.home, "client", "revoke", "nightly")
    assert becomes(site, given, 401)
    assert token(site, "nightly", secret).status_code == 401


def test_what_cannot_be_is_refused_in_words(site: Site) -> None:
    home = site.home
    assert "already" in refused(home, "client", "create", "ci")
    assert "already" in refused(home, "user", "create", "ada", said=PASSWORD)
    assert "characters" in refused(home, "user", "create", "bob", said="short\n")
    assert "cannot be a name" in refused(home, "user", "create", "../../etc", said=PASSWORD)
    assert "no user" in refused(home, "user", "remove", "nobody")
    assert "no client" in refused(home, "client", "revoke", "nobody")
    assert "nobody who can have a role" in refused(home, "role", "grant", "ada", "viewer")
    assert "no project or domain" in refused(home, "role", "grant", "user:ada", "viewer", "--project", "a/b")
    assert "--project" in refused(home, "role", "grant", "user:ada", "viewer", "--domain", "production")
    assert "is not runner" in refused(home, "role", "revoke", "user:ada", "runner")


def test_the_audit_log_shows_what_others_chose_as_text(site: Site) -> None:
    httpx.post(f"{site.url}/oauth2/token", data={"grant_type": "\x1b[31mred", "client_id": "whimbrel-cli"})
    shown = auth(site.home, "audit")
    assert "\x1b" not in shown
    assert "[31mred" in shown
    lines = json.loads(auth(site.home, "audit", "--json", "--limit", "1"))
    assert set(lines[0]) == {"id", "at", "principal", "action", "place", "target", "outcome", "address"}
    assert lines[0]["address"] == "127.0.0.1"


def test_other_addresses_want_authentication(tmp_path: Path) -> None:
    command = [WHIMBREL, "up", "--home", str(tmp_path), "--port", "0", "--host", "0.0.0.0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT)
    assert done.returncode == 2
    assert "--auth builtin" in done.stderr
    done = subprocess.run([*command, "--auth", "builtin"], capture_output=True, text=True, timeout=LIMIT)
    assert done.returncode == 2
    assert "--tls-cert" in done.stderr
