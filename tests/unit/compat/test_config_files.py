"""`flytectl config`: files that say where a server is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from flytekit.clis import flytectl


@pytest.fixture(autouse=True)
def _a_user_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    # -c sets it: it is taken back at the end.
    monkeypatch.setenv("FLYTECTL_CONFIG", "")
    monkeypatch.delenv("FLYTE_PLATFORM_URL", raising=False)
    monkeypatch.chdir(tmp_path)


def test_files_are_written_found_and_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def said(*command: str, code: int = 0) -> str:
        assert flytectl.main(command) == code
        told = capsys.readouterr()
        return told.err if code else told.out

    assert "write one with `flytectl config init`" in said("config", "discover", code=2)
    file = tmp_path / ".flyte" / "config.yaml"
    assert said("config", "init") == f"wrote {file}\n"
    assert said("config", "discover") == f"{file}\n"
    assert said("config", "validate") == f"{file} names localhost:30080 without TLS\n"
    refused = said("config", "init", "--host", "flyte.example.com", code=2)
    assert refused.startswith(f"flytectl: {file} is there already; give --force")
    said("config", "init", "--host", "dns:///flyte.example.com:81", "--auth-type", "clientsecret", "--force")
    assert said("config", "validate") == f"{file} names flyte.example.com:81\n"
    assert said("config", "init", "--force", "--host", "dns:///", code=2).endswith("dns:///host:port.\n")
    said("-c", "named.yaml", "config", "init", "--host", "e:1", "--insecure")
    assert os.environ["FLYTECTL_CONFIG"] == "named.yaml"
    assert said("config", "validate") == "named.yaml names e:1 without TLS\n"
