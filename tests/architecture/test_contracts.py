"""Imports point one way: the contracts hold, and they speak of every room that exists."""

import subprocess
import sys
import tomllib
from functools import cache
from typing import Any

import grimp
import pytest

from tests.architecture.sources import ROOMS, ROOT

EXECUTORS = ("inline", "processes", "ray", "kubernetes")

# Which rooms a contract's list must hold, as soon as they exist.
REQUIRED = {
    ("control-plane-moves-literals", "source_modules"): {
        *("model", "graph", "engine", "controlplane", "stores", "wire"),
    },
    ("control-plane-moves-literals", "forbidden_modules"): {"types", "authoring", "durable", "runtime"},
    ("worker-stands-alone", "source_modules"): {"authoring", "durable", "runtime", "client"},
    ("worker-stands-alone", "forbidden_modules"): {"engine", "controlplane", "server"},
    ("pure-rooms", "source_modules"): {"engine", "graph", "model"},
    ("protobuf-in-wire", "source_modules"): set(ROOMS) - {"wire", "server"},
    ("grpc-at-the-edge", "source_modules"): set(ROOMS) - {"server", "client"},
    ("sql-in-stores", "source_modules"): set(ROOMS) - {"stores"},
}


@cache
def contracts() -> dict[str, dict[str, Any]]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    return {contract["id"]: contract for contract in settings["contracts"]}


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("whimbrel", include_external_packages=True, cache_dir=None)


def test_contracts_are_kept() -> None:
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    run = subprocess.run([sys.executable, "-c", program, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr


def test_no_contract_has_exceptions() -> None:
    excused = [key for key, contract in contracts().items() if contract.get("ignore_imports")]
    assert not excused, "where code needs another edge, write a decision record and change the layers"


@pytest.mark.parametrize(("contract", "field"), REQUIRED)
def test_contracts_name_every_room(contract: str, field: str) -> None:
    named = set(contracts()[contract][field])
    missing = {f"whimbrel.{room}" for room in REQUIRED[contract, field] if room in ROOMS} - named
    assert not missing, f"add these to {field} of the contract {contract} in pyproject.toml"


def test_nothing_inside_imports_the_facade(graph: grimp.ImportGraph) -> None:
    importers = sorted(graph.find_modules_that_directly_import("whimbrel"))
    assert not importers, "import from the room; the version is importlib.metadata's"


def test_executors_do_not_know_each_other(graph: grimp.ImportGraph) -> None:
    present = [f"whimbrel.executors.{name}" for name in EXECUTORS if f"whimbrel.executors.{name}" in graph.modules]
    known = [
        (importer, imported)
        for importer in present
        for imported in present
        if importer != imported and graph.direct_import_exists(importer=importer, imported=imported, as_packages=True)
    ]
    assert not known
