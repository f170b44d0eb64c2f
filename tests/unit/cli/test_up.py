"""`whimbrel up`: what it is told, where, and that what it is told wrongly is said before anything is opened."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from whimbrel.cli.up import command
from whimbrel.errors import InputInvalid


@pytest.mark.parametrize("said", ["/opt/venv", "registry.example/*=/nowhere"])
def test_an_image_is_a_pattern_and_an_environment(said: str, tmp_path: Path) -> None:
    home = tmp_path / "home"
    with pytest.raises(InputInvalid, match="name the environment that stands for the image"):
        command.main(["--home", str(home), "--image", said], standalone_mode=False)
    assert not home.exists()


def effective(*arguments: str, **environment: str) -> dict[str, Any]:
    """What `--print-config` says, read as the file that it is."""
    done = CliRunner().invoke(command, ["--print-config", *arguments], env={"WHIMBREL_PORT": None, **environment})
    if done.exception is not None:
        raise done.exception
    return {**tomllib.loads(done.output), "text": done.output}


def test_the_command_line_goes_before_the_environment_and_that_before_the_file(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "server.toml").write_text('port = 1\nworkers = 3\ndrain = 4.5\nlog_level = "error"\n[limits]\nrate = 7\n')
    at = ("--home", str(home))
    found = effective(*at, "--workers", "5", WHIMBREL_PORT="2")
    assert (found["port"], found["workers"], found["drain"], found["log-level"]) == (2, 5, 4.5, "error")
    assert found["limits"] == {"rate": 7}
    assert "port = 2  # environment" in found["text"]
    assert "workers = 5  # command line" in found["text"]
    assert "drain = 4.5  # file" in found["text"]
    assert 'host = "127.0.0.1"  # default' in found["text"]
    # What is printed is a configuration that says the same.
    (tmp_path / "again.toml").write_text(found["text"])
    again = effective("--home", str(tmp_path / "other"), "--config", str(tmp_path / "again.toml"))
    assert {**again, "text": ""} == {**found, "text": ""}
    assert effective(*at, WHIMBREL_LIMITS="rate=9 queue=2")["limits"] == {"rate": 9, "queue": 2}


def test_yaml_says_the_same_as_toml(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("port: 1\ncatch-up: 2\nlimits: {rate: 7.5, header-seconds: 3}\n")
    found = effective("--home", str(tmp_path), WHIMBREL_CONFIG=str(tmp_path / "c.yaml"))
    assert (found["port"], found["catch-up"], found["limits"]) == (1, 2, {"rate": 7.5, "header-seconds": 3})


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("server.toml", "prot = 1", "'prot' is no setting of the server; did you mean 'port'?"),
        ("server.toml", "zzz = 1", "there are port, host, workers"),
        ("server.toml", "[port]\nx = 1", "port is one value, not a table"),
        ("server.toml", "port = [1]", "port is one value"),
        ("server.toml", "port = ", "is no TOML"),
        ("server.toml", "\xff", "cannot be read"),
        ("server.yaml", "- 1", "is no table of settings"),
        ("server.yaml", "a: [", "is no YAML"),
        ("server.toml", "[limits]\nrat = 1", "there is no limit 'rat'; did you mean rate?"),
        ("server.toml", "[limits]\nqueue = -1", "no number above zero"),
        ("server.toml", "[limits]\nqueue = 1.5", "sizes and counts are whole numbers"),
        ("server.toml", "home = '/elsewhere'", "'home' is no setting of the server"),
    ],
)
def test_a_file_that_is_wrong_is_refused_in_a_sentence(tmp_path: Path, name: str, text: str, said: str) -> None:
    (tmp_path / name).write_bytes(text.encode("latin-1"))
    with pytest.raises(InputInvalid, match=re.escape(said)):
        effective("--home", str(tmp_path))


def test_a_file_that_is_named_must_be_there_and_be_the_only_one(tmp_path: Path) -> None:
    with pytest.raises(InputInvalid, match="there is no configuration"):
        effective("--home", str(tmp_path), "--config", str(tmp_path / "none.toml"))
    for name in ("server.toml", "server.yaml"):
        (tmp_path / name).touch()
    with pytest.raises(InputInvalid, match="keep one of them"):
        effective("--home", str(tmp_path))
