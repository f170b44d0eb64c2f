"""`pyflyte` and `union` against `flytectl demo start`: what they register, launch, show."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.compat.served import Site, demo

PROGRAMS = Path(__file__).with_name("programs")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with demo(tmp_path_factory.mktemp("user")) as made:
        yield made


def test_what_is_registered_is_named_and_registering_again_changes_nothing(site: Site, tmp_path: Path) -> None:
    (tmp_path / "flow.py").write_text((PROGRAMS / "distant.py").read_text())
    command = ("pyflyte", "register", "--version", "v1", tmp_path / "flow.py")
    said = site.call(*command).stdout
    for line in ("Task: flow.add_one", "Task: flow.reach", "Workflow: flow.both", "Launch Plan: flow.both"):
        assert f"[✔] {line}\n" in said
    assert said.endswith("Successfully registered 7 entities, version v1\n")
    assert site.call(*command).stdout == said
    (tmp_path / "flow.py").write_text((PROGRAMS / "distant.py").read_text().replace("x + 1", "x + 2"))
    refused = site.call(*command, code=2).stderr
    assert refused.startswith("pyflyte: ")
    assert "v1" in refused
