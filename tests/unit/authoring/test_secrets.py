"""Secrets: requests, sources, what a plain call sees, and what the checks find in a source."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.unit.authoring import secret_flows
from whimbrel import Secret, check_module, current_context, task
from whimbrel.authoring.secret_sources import EnvironmentSecrets, FileSecrets, GivenSecrets, SecretSources
from whimbrel.authoring.secrets import Secrets, secret_requests
from whimbrel.errors import CallMismatch, CompileError, SecretNotDeclared, SecretNotFound
from whimbrel.model.secrets import SecretMount, SecretRequest, SecretValue


def test_what_a_request_may_look_like() -> None:
    theirs = SimpleNamespace(group="g", key="k", group_version=None, mount_requirement=SimpleNamespace(value=2))
    assert secret_requests([Secret("g", "k"), "g/k", "g", theirs]) == (
        SecretRequest("g", "k"),
        SecretRequest("g", "k"),
        SecretRequest("g"),
        SecretRequest("g", "k", mount=SecretMount.FILE),
    )
    assert secret_requests("g/k") == secret_requests(Secret("g", "k")) == (SecretRequest("g", "k"),)
    assert secret_requests(None) == ()
    assert Secret("g", "k", "v1", Secret.MountType.ENV_VAR, "X").request() == SecretRequest(
        "g", "k", "v1", SecretMount.ENV_VAR, "X"
    )


@pytest.mark.parametrize("wrong", [[3], 3, ["/k"], [""]])
def test_what_it_may_not(wrong: object) -> None:
    with pytest.raises(CallMismatch, match="secret"):
        secret_requests(wrong)


def test_wrong_requests_are_told_with_their_line() -> None:
    with pytest.raises(CallMismatch, match="a group, a key or both"):
        Secret()
    with pytest.raises(CallMismatch, match=r"Secret\.MountType\.FILE"):
        Secret("g", mount_requirement="disk")

    @task(secret_requests=[5])
    def wrong() -> None: ...

    with pytest.raises(CompileError, match="a secret request is") as caught:
        _ = wrong.secret_requests
    assert caught.value.problems[0].file == __file__


def test_what_a_request_covers() -> None:
    assert SecretRequest("g", "k").covers("G", "K")
    assert not SecretRequest("g", "k").covers("g", "other")
    assert not SecretRequest("g", "k").covers("g", "")
    assert SecretRequest("g").covers("g", "anything")
    assert SecretRequest("", "k").covers("", "k")
    assert not SecretRequest("", "k").covers("g", "k")


def test_variables_by_flytekits_names_and_ours() -> None:
    source = EnvironmentSecrets({"_FSEC_G_K": "theirs", "WHIMBREL_SECRET_MY_G_K_X": "ours", "_FSEC_G_V1_K": "v1"})
    assert source.find("g", "k", "") == b"theirs"
    assert source.find("my-g", "k.x", "") == b"ours"
    assert source.find("g", "k", "v1") == b"v1"
    assert source.find("no", "k", "") is None
    assert sorted(source.keys("g")) == ["k", "v1_k"]


def test_files(tmp_path: Path) -> None:
    (tmp_path / "db").mkdir()
    (tmp_path / "db" / "password").write_bytes(b"one\n")
    (tmp_path / "outside").write_bytes(b"outside")
    source = FileSecrets(str(tmp_path))
    assert source.find("db", "password", "") == b"one"
    assert source.find("DB", "Password", "") == b"one"
    assert source.find("db", "../outside", "") is None
    assert source.find("..", "x", "") is None
    assert source.keys("db") == ["password"]
    assert source.keys("no") == []


def test_the_environment_comes_before_files_and_a_plain_call_needs_no_declaration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "db").mkdir()
    (tmp_path / "db" / "password").write_text("from the file")
    monkeypatch.setenv("WHIMBREL_SECRETS_DIR", str(tmp_path))
    assert secret_flows.undeclared() == len("from the file")
    monkeypatch.setenv("_FSEC_DB_PASSWORD", "from the environment")
    assert current_context().secrets.db.password == "from the environment"
    monkeypatch.setenv("WHIMBREL_SECRET_DB_PASSWORD", "ours")
    assert current_context().secrets.get("db", "password") == "ours"


def test_names_of_variables_and_files_are_flytekits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WHIMBREL_SECRETS_DIR", raising=False)
    secrets = Secrets()
    assert secrets.get_secrets_env_var("g", "k") == "_FSEC_G_K"
    assert secrets.get_secrets_env_var("g", "k", "v1") == "_FSEC_G_V1_K"
    assert secrets.get_secrets_env_var(key="k") == "_FSEC_K"
    assert secrets.get_secrets_file("g", "k") == "/etc/secrets/g/k"
    assert secrets.get_secrets_file("G", "k", "v1") == "/etc/secrets/g/v1/k"


def test_an_attempt_sees_what_was_declared_and_nothing_else() -> None:
    values = [SecretValue("db", "password", b"one"), SecretValue("tls", "key", b"two", "v2")]
    declared = (SecretRequest("db", "password"), SecretRequest("tls", "key", "v2"), SecretRequest("gone", "key"))
    secrets = Secrets(declared=declared, values=values, of="etl", source=GivenSecrets({"api/token": "there"}))
    assert secrets.get("db", "password") == "one"
    assert secrets.get("tls", "key") == secrets.get("tls", "key", "v2") == "two"
    with pytest.raises(SecretNotDeclared, match=r'etl has not declared .*Secret\(group="api", key="token"\)'):
        secrets.get("api", "token")
    with pytest.raises(SecretNotFound, match="whimbrel secrets set gone/key"):
        secrets.get("gone", "key")
    with pytest.raises(SecretNotFound, match="could not be looked up: the disk is gone"):
        Secrets(declared=declared, trouble="the disk is gone").get("gone", "key")
    with pytest.raises(CallMismatch):
        secrets.get()
    with pytest.raises(AttributeError):
        _ = secrets._private


def test_sources_in_order() -> None:
    both = SecretSources((GivenSecrets({"g/k": "first"}), GivenSecrets({"G/K": "second", "g/l": "l"})))
    assert both.find("g", "k", "") == b"first"
    assert both.find("g", "l", "") == b"l"
    assert both.find("g", "m", "") is None
    assert sorted(both.keys("g")) == ["k", "l"]


def test_the_checks_find_what_is_certain() -> None:
    found = [str(problem) for problem in check_module(secret_flows)]
    assert len(found) == 2
    assert "undeclared has not declared the secret 'db/password'" in found[0]
    assert 'Write @task(secret_requests=[Secret(group="db", key="password")]).' in found[0]
    # `secrets.get(name, …)` is not certain: only running would tell.
    assert "asks_for_another has not declared the secret 'other/key'" in found[1]
