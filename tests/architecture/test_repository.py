"""What the repository may hold: pins with hashes, one version, nothing of any one machine."""

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import whimbrel
from tests.architecture.sources import ROOT, name, tracked_files

# In parts, so that this file may hold them.
REGISTRY_HOSTS = [
    ".".join(parts)
    for parts in (("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("yarnpkg", "com"), ("debian", "org"))
]
# Absolute paths in somebody's home, or in this checkout. The groups keep the pattern from matching itself.
MACHINE_PATH = re.compile(rf"(?<![\w.$}}*-])/(?:root|work|(?:home|Users)/\w+)/|{re.escape(str(ROOT))}\b")

PIN = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)(.*)$")
PINNED = sorted((ROOT / "requirements").glob("*.txt"))


@cache
def project(path: str) -> dict[str, Any]:
    return tomllib.loads((ROOT / path).read_text())["project"]


def pins(path: Path) -> dict[str, str]:
    matches = (PIN.match(line) for line in path.read_text().splitlines())
    return {canonicalize_name(match[1]): match[2] for match in matches if match}


def tracked_text() -> list[tuple[Path, str]]:
    return [(path, path.read_bytes().decode("utf-8", errors="replace")) for path in tracked_files()]


def test_no_file_names_a_registry() -> None:
    named = [(name(path), host) for path, text in tracked_text() for host in REGISTRY_HOSTS if host in text]
    assert not named


def test_no_file_names_a_machine() -> None:
    named = [(name(path), match[0]) for path, text in tracked_text() for match in MACHINE_PATH.finditer(text)]
    assert not named


def test_no_lock_file_with_addresses() -> None:
    assert not [name(path) for path in tracked_files() if path.name in {"uv.lock", "poetry.lock", "yarn.lock"}]
    locks = [path for path in tracked_files() if path.name == "package-lock.json"]
    assert not [name(path) for path in locks if '"resolved"' in path.read_text()]


@pytest.mark.parametrize("path", PINNED, ids=lambda path: path.stem)
def test_every_pin_has_hashes(path: Path) -> None:
    text = path.read_text()
    assert pins(path)
    for block in re.split(r"\n(?=\S)", text):
        first = block.partition("\n")[0]
        if PIN.match(first):
            assert "--hash=sha256:" in block, first
        else:
            assert first.startswith("#"), first


@pytest.mark.parametrize("source", sorted((ROOT / "requirements").glob("*.in")), ids=lambda path: path.stem)
def test_every_requirement_is_pinned(source: Path) -> None:
    compiled = {"build": "runtime"}.get(source.stem, source.stem)
    wanted = [Requirement(line) for line in source.read_text().splitlines() if re.match(r"\w", line)]
    pinned = pins(ROOT / "requirements" / f"{compiled}.txt")
    stale = [str(want) for want in wanted if not want.specifier.contains(pinned.get(canonicalize_name(want.name), "0"))]
    assert not stale, "make requirements"


def test_pins_are_what_the_project_asks_for() -> None:
    declared = project("pyproject.toml")
    extras = [line for lines in declared["optional-dependencies"].values() for line in lines]
    for file, lines in {"runtime": declared["dependencies"], "dev": declared["dependencies"] + extras}.items():
        pinned = pins(ROOT / "requirements" / f"{file}.txt")
        for want in map(Requirement, lines):
            assert want.specifier.contains(pinned.get(canonicalize_name(want.name), "0")), f"{want}: make requirements"


def test_runtime_pins_are_the_tested_ones() -> None:
    tested = pins(ROOT / "requirements" / "dev.txt")
    assert pins(ROOT / "requirements" / "runtime.txt").items() <= tested.items()


def test_there_is_one_version() -> None:
    version = project("pyproject.toml")["version"]
    compat = project("packages/whimbrel-flytekit/pyproject.toml")
    assert whimbrel.__version__ == version
    assert compat["version"] == version
    assert f"whimbrel=={version}" in compat["dependencies"]
