"""Where the server is: files, variables, defaults, and what is wrong with a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from whimbrel.client.configuration import Config
from whimbrel.errors import InputInvalid

FILE = """
admin:
  endpoint: dns:///flyte.example.com:81
  authType: ClientSecret
  insecure: true
  clientId: me
  clientSecretLocation: {secret}
  scopes: [all, offline]
project: research
domain: production
"""


@pytest.fixture(autouse=True)
def nothing_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("WHIMBREL_CONFIG", "FLYTECTL_CONFIG", "WHIMBREL_URL", "FLYTE_PLATFORM_URL", "WHIMBREL_PROJECT"):
        monkeypatch.delenv(name, raising=False)


def written(path: Path, text: str = FILE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    secret = path.with_name("secret")
    secret.write_text("hush\n")
    path.write_text(text.replace("{secret}", str(secret)))
    return path


def test_without_anything_it_is_the_sandbox() -> None:
    assert Config.auto() == Config()
    assert Config.auto().url == Config.for_sandbox().url == "http://localhost:30080"
    assert (Config().project, Config().domain) == ("flytesnacks", "development")


def test_a_file_of_flytectl(tmp_path: Path) -> None:
    path = written(tmp_path / "config.yaml")
    found = Config.auto(path)
    assert found.url == "http://flyte.example.com:81"
    assert (found.project, found.domain) == ("research", "production")
    assert (found.auth_mode, found.client_id, found.secret, found.scopes) == (
        "ClientSecret",
        "me",
        "hush",
        ("all", "offline"),
    )
    assert "hush" not in repr(found)
    assert found.source == str(path)


def test_the_usual_file_is_found(tmp_path: Path) -> None:
    written(tmp_path / ".flyte" / "config.yaml")
    assert Config.auto().endpoint == "flyte.example.com:81"


def test_what_is_said_later_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / "config.yaml")
    assert Config.auto(path).endpoint == "flyte.example.com:81"
    monkeypatch.setenv("FLYTECTL_CONFIG", str(path))
    assert Config.auto().endpoint == "flyte.example.com:81"
    monkeypatch.setenv("FLYTE_PLATFORM_URL", "flyte:1")
    assert Config.auto().endpoint == "flyte:1"
    monkeypatch.setenv("WHIMBREL_URL", "ours:2")
    monkeypatch.setenv("WHIMBREL_PROJECT", "other")
    assert Config.auto().endpoint == "ours:2"
    assert Config.auto().project == "other"
    given = Config.for_endpoint("argued:3")
    assert given.endpoint == "argued:3"
    assert given.at(project="third").project == "third"
    assert given.client_id == "me"


@pytest.mark.parametrize(
    ("endpoint", "insecure", "url"),
    [
        ("localhost:30080", None, "http://localhost:30080"),
        ("127.0.0.1:1", None, "http://127.0.0.1:1"),
        ("[::1]:1", None, "http://[::1]:1"),
        ("flyte.example.com", None, "https://flyte.example.com"),
        ("flyte.example.com", True, "http://flyte.example.com"),
        ("localhost:1", False, "https://localhost:1"),
        ("https://localhost:1/", None, "https://localhost:1"),
        ("http://example.com", False, "http://example.com"),
    ],
)
def test_tls_is_left_out_on_this_machine_alone(endpoint: str, insecure: bool | None, url: str) -> None:
    assert Config.for_endpoint(endpoint, insecure).url == url


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("admin: [", "is not YAML"),
        ("- one\n- two\n", "should have the key `admin`"),
        ("admin: localhost\n", "should have the key `admin`"),
        ("admin: {endpoint: 'not an address'}\n", "is no address of a server"),
        ("admin: {endpoint: 'ftp://example.com'}\n", "is no address of a server"),
        ("admin: {insecure: perhaps}\n", "is neither true nor false"),
        ("admin: {scopes: 3}\n", "a list is wanted"),
        ("admin: {clientId: [a]}\n", "a text is wanted"),
    ],
)
def test_a_bad_file_is_told(tmp_path: Path, text: str, told: str) -> None:
    path = written(tmp_path / "config.yaml", text)
    with pytest.raises(InputInvalid) as refused:
        Config.auto(path)
    assert told in str(refused.value)
    assert str(path) in str(refused.value)


def test_a_file_that_is_named_must_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = tmp_path / "no.yaml"
    with pytest.raises(InputInvalid, match="cannot be read: No such file"):
        Config.auto(missing)
    monkeypatch.setenv("FLYTECTL_CONFIG", str(missing))
    with pytest.raises(InputInvalid, match=r"\$FLYTECTL_CONFIG names it"):
        Config.auto()


def test_a_secret_that_is_not_there_is_told_when_it_is_needed(tmp_path: Path) -> None:
    lost = Config(client_secret_file=str(tmp_path / "no"))
    with pytest.raises(InputInvalid, match="clientSecretLocation"):
        _ = lost.secret
    with pytest.raises(InputInvalid, match="WHIMBREL_NO_SUCH"):
        _ = Config(client_secret_variable="WHIMBREL_NO_SUCH").secret
    assert Config().secret == ""
