"""Tokens of another issuer: a certified provider of OpenID Connect that runs here, and forgeries of it."""

from __future__ import annotations

import base64
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import grpc
import httpx
import pytest
from authlib.integrations.httpx_client import OAuth2Client
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from tests.integration.auth.issuers import providing
from tests.integration.auth.test_flytekit_logs_in import called, environment
from tests.integration.auth.upping import LIMIT, Site, auth, running
from tests.integration.differential.environment import flytekit_python
from whimbrel.wire.flyte.services import ADMIN, IDENTITY

AUDIENCE = "urn:whimbrel"
NONE = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with providing() as address:
        yield address


@pytest.fixture(scope="module")
def site(issuer: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    rules = ("robots:runner", "everybody:viewer:flytesnacks", "ml:admin:flytesnacks:development")
    options = ["--auth", "oidc", "--oidc-issuer", issuer, "--oidc-audience", AUDIENCE, "--oidc-scope", "all"]
    options += ["--oidc-client", "whimbrel-people"]
    for rule in rules:
        options += ["--oidc-role", f"groups={rule}"]
    with running(tmp_path_factory.mktemp("oidc"), *options, accounts=False) as site:
        yield site


def runs(site: Site, token: str, **said: str) -> int:
    headers = {"authorization": f"Bearer {token}"}
    return httpx.get(f"{site.url}/api/v1/runs", params=said, headers=headers, timeout=LIMIT).status_code


@pytest.fixture(scope="module")
def robot(issuer: str) -> str:
    with OAuth2Client("ci", "the-secret-of-ci") as client:
        return str(client.fetch_token(f"{issuer}/token", grant_type="client_credentials", scope="all")["access_token"])


def test_a_program_with_its_secret(site: Site, robot: str) -> None:
    assert runs(site, robot) == 200
    assert called(site, IDENTITY, "UserInfo", robot) is grpc.StatusCode.OK
    assert called(site, ADMIN, "ListMatchableAttributes", robot) is grpc.StatusCode.PERMISSION_DENIED


def test_a_program_without_roles_may_nothing_until_it_is_granted_some(site: Site, issuer: str) -> None:
    with OAuth2Client("other", "the-secret-of-other") as client:
        token = client.fetch_token(f"{issuer}/token", grant_type="client_credentials", scope="all")["access_token"]
    assert runs(site, token) == 403
    auth(site.home, "role", "grant", "client:other", "viewer", "--project", "flytesnacks")
    assert runs(site, token, project="flytesnacks", domain="production") == 200
    assert runs(site, token) == 403


def person(issuer: str, name: str) -> str:
    """The token of somebody who logs in with a browser: its pages are walked through."""
    verifier, redirect = "v" * 64, "http://127.0.0.1:9/callback"
    with OAuth2Client(
        "whimbrel-people",
        None,
        scope="openid all",
        redirect_uri=redirect,
        code_challenge_method="S256",
        token_endpoint_auth_method="none",
        timeout=LIMIT,
    ) as client:
        url, state = client.create_authorization_url(f"{issuer}/auth", code_verifier=verifier)
        back = walked(url, name, redirect)
        token = client.fetch_token(f"{issuer}/token", authorization_response=back, state=state, code_verifier=verifier)
    return str(token["access_token"])


def walked(url: str, name: str, redirect: str) -> str:
    """Where a browser ends up that begins at ``url``."""
    with httpx.Client(timeout=LIMIT) as browser:
        for _ in range(20):
            answer = browser.get(url)
            if not answer.is_redirect:
                fields = dict(re.findall(r'name="(\w+)"[^>]*value="([^"]*)"', answer.text))
                if 'name="login"' in answer.text:
                    fields |= {"login": name, "password": "any"}
                action = re.search(r'action="([^"]+)"', answer.text)
                assert action is not None, answer.text
                answer = browser.post(urljoin(url, action[1]), data=fields)
            url = urljoin(url, answer.headers["location"])
            if url.startswith(redirect):
                return url
    raise AssertionError(url)


def test_people_have_the_roles_of_their_groups(site: Site, issuer: str) -> None:
    ada, bob = person(issuer, "ada"), person(issuer, "bob")
    for token in (ada, bob):
        assert runs(site, token, project="flytesnacks", domain="production") == 200
        assert runs(site, token) == 403
    said = auth(site.home, "audit")
    assert "user:bob  GET /api/v1/runs" in said
    assert "user:ada" in said


def test_real_flytekit_with_a_secret_at_the_other_issuer(site: Site, tmp_path: Path) -> None:
    python = flytekit_python()
    (tmp_path / "secret").write_text("the-secret-of-ci")
    config = tmp_path / "config.yaml"
    config.write_text(
        f"admin:\n  endpoint: dns:///{site.address}\n  insecure: true\n  authType: ClientSecret\n  clientId: ci\n"
        f"  clientSecretLocation: {tmp_path / 'secret'}\n"
    )
    said = subprocess.run(
        [str(python.parent / "pyflyte"), "-c", str(config), "info"],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=3 * LIMIT,
    )
    assert said.returncode == 0, said.stdout + said.stderr
    assert "Backend Version" in said.stdout


def forged(issuer: str, robot: str) -> dict[str, str]:
    """Tokens that are almost right."""
    header, payload, signature = robot.split(".")
    now = int(time.time())
    claims: dict[str, Any] = {"iss": issuer, "aud": AUDIENCE, "sub": "ci", "client_id": "ci", "groups": ["robots"]}
    claims |= {"exp": now + 600, "iat": now, "scope": "all"}
    ours, published = RSAKey.generate_key(2048), httpx.get(f"{issuer}/jwks").content
    unsigned = jwt.encode({"alg": "HS256", "kid": "one"}, claims, OctKey.import_key(published))
    return {
        "another payload": f"{header}.{jwt.encode({'alg': 'RS256'}, claims, ours).split('.')[1]}.{signature}",
        "another key": jwt.encode({"alg": "RS256", "kid": "one"}, claims, ours),
        "an unknown key": jwt.encode({"alg": "RS256", "kid": "two"}, claims, ours),
        "another kind of key": jwt.encode({"alg": "ES256", "kid": "one"}, claims, ECKey.generate_key("P-256")),
        "the public key as a secret": unsigned,
        "none": f"{NONE}.{payload}.",
        "no signature": f"{header}.{payload}.",
        "cut": robot[:-4],
        "noise": "a.b.c",
        "a key in the header": jwt.encode({"alg": "RS256", "jwk": ours.as_dict(private=False)}, claims, ours),
    }


def test_forgeries_are_refused(site: Site, issuer: str, robot: str) -> None:
    for what, token in forged(issuer, robot).items():
        assert runs(site, token) == 401, what
        assert called(site, ADMIN, "GetVersion", token) is grpc.StatusCode.UNAUTHENTICATED, what
    assert runs(site, robot) == 200


def test_a_token_for_others_is_refused(site: Site, issuer: str) -> None:
    with OAuth2Client("ci", "the-secret-of-ci") as client:
        token = client.fetch_token(
            f"{issuer}/token", grant_type="client_credentials", scope="all", resource="urn:another"
        )["access_token"]
    answer = httpx.get(f"{site.url}/api/v1/runs", headers={"authorization": f"Bearer {token}"})
    assert answer.status_code == 401
    assert "for others" in answer.json()["detail"]


def test_clients_are_told_where_to_log_in(site: Site, issuer: str) -> None:
    said = httpx.get(f"{site.url}/.well-known/oauth-protected-resource").json()
    assert said["authorization_servers"] == [issuer]
    assert said["whimbrel_client_id"] == "whimbrel-people"
    # There is no OAuth2 server here.
    assert httpx.post(f"{site.url}/oauth2/token", data={"grant_type": "client_credentials"}).status_code == 404
