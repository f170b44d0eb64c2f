"""``supported.toml`` tells the truth: every name behaves as it says, and every name of ours is in it."""

import ast
import importlib
import json
import types
from pathlib import Path
from typing import Any

import pytest

import flytekit
from flytekit._adapt import INSIDE, surface

SOURCE = Path(flytekit.__file__).parents[1]
MODULES = {name: table for name, table in surface().items() if name != "programs"}
PRESENT = {name: table for name, table in MODULES.items() if "absent" not in table}
ABSENT = {name: table for name, table in MODULES.items() if "absent" in table}


def told(table: dict[str, Any], status: str) -> dict[str, str]:
    """The names of a status, and what to do instead."""
    names: dict[str, str] = table.get(status, {})
    return dict.fromkeys(names, INSIDE) if status == "inside" else names


MISSING = [
    (module, status, name, instead)
    for module, table in PRESENT.items()
    for status in ("planned", "unsupported", "inside")
    for name, instead in told(table, status).items()
]
SAID = {
    "planned": "is planned, but not in this release of",
    "unsupported": "is not supported by",
    "inside": "is part of flytekit's inside",
}
INVENTORY: dict[str, list[str]] = json.loads(Path(__file__).with_name("flytekit_1_16.json").read_text())
ROOT = Path(__file__).parents[3]


def importable(table: dict[str, Any]) -> list[str]:
    return sorted([*table.get("works", ()), *table.get("data", ())])


def import_from(module: str, name: str) -> Any:
    """As the statement does it."""
    space: dict[str, Any] = {}
    exec(f"from {module} import {name} as found", space)
    return space["found"]


@pytest.mark.parametrize("module", PRESENT)
def test_names_that_work_can_be_imported(module: str) -> None:
    for name in importable(PRESENT[module]):
        assert import_from(module, name) is not None


def functions(path: Path) -> set[str]:
    return {node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)}


def test_the_tests_that_are_named_exist() -> None:
    named = {
        test
        for table in PRESENT.values()
        for test in [*([table["test"]] if "test" in table else []), *table.get("tests", {}).values()]
    }
    for test in sorted(named):
        file, _, function = test.partition("::")
        assert (ROOT / file).is_file(), test
        assert not function or function in functions(ROOT / file), test


@pytest.mark.parametrize("module", [name for name, table in PRESENT.items() if importable(table)])
def test_every_name_that_works_has_a_test(module: str) -> None:
    assert PRESENT[module]["test"]
    assert set(PRESENT[module].get("tests", ())) <= set(importable(PRESENT[module]))


@pytest.mark.parametrize("module", INVENTORY)
def test_no_name_of_the_real_one_is_forgotten(module: str) -> None:
    """``flytekit_1_16.json`` is what ``dir()`` of flytekit 1.16.31 says of its modules."""
    assert module in MODULES
    table = MODULES[module]
    listed = set(table.get("names", ())) | set(importable(table))
    for status in ("planned", "unsupported", "inside"):
        listed |= set(table.get(status, ()))
    assert sorted(set(INVENTORY[module]) - listed) == []


def test_the_language_of_tier_a_is_complete() -> None:
    """What is left of tier A needs a server, or is flytekit's own inside."""
    for module in ("flytekit", "flytekit.deck", "flytekit.testing", "flytekit.experimental", "flytekit.configuration"):
        table = PRESENT[module]
        absent = [*told(table, "planned"), *told(table, "unsupported")]
        assert [name for name in absent if table.get("tiers", {}).get(name, table["tier"]) == "A"] in (
            [],
            ["DefaultImages"],
        )


@pytest.mark.parametrize(("module", "status", "name", "instead"), MISSING)
def test_other_names_say_what_to_do_instead(module: str, status: str, name: str, instead: str) -> None:
    with pytest.raises(ImportError) as caught:
        import_from(module, name)
    message = str(caught.value)
    assert message.startswith(f"{module}.{name} {SAID[status]}")
    assert message.endswith(instead)
    with pytest.raises(ImportError):
        getattr(importlib.import_module(module), name)


@pytest.mark.parametrize("module", ABSENT)
def test_absent_modules_say_what_to_do_instead(module: str) -> None:
    table = ABSENT[module]
    parents = [name for name in ABSENT if module.startswith(f"{name}.")]
    teller = ABSENT[parents[0]] if parents else table
    with pytest.raises(ModuleNotFoundError) as caught:
        importlib.import_module(module)
    assert SAID[teller["absent"]] in str(caught.value)
    assert str(caught.value).endswith(teller["instead"])
    for name in table["names"]:
        with pytest.raises(ModuleNotFoundError):
            import_from(module, name)


@pytest.mark.parametrize("module", [name for name in ABSENT if name.rpartition(".")[0] in PRESENT])
def test_absent_modules_say_it_from_their_packages_too(module: str) -> None:
    package, _, name = module.rpartition(".")
    with pytest.raises(ImportError) as caught:
        import_from(package, name)
    assert module in str(caught.value)
    assert "whimbrel-flytekit" in str(caught.value)


ADVICE = sorted({table["instead"] for table in ABSENT.values()} | {entry[3] for entry in MISSING})


@pytest.mark.parametrize("text", ADVICE)
def test_advice_is_a_sentence(text: str) -> None:
    assert text[0].isupper()
    assert text.endswith((".", '".'))


@pytest.mark.parametrize("module", ["flytekit", "flytekit.core.task", "flytekit.configuration", "union"])
def test_a_name_that_flytekit_has_not_is_an_attribute_error(module: str) -> None:
    loaded = importlib.import_module(module)
    with pytest.raises(AttributeError, match="has no attribute 'frobnicate'"):
        _ = loaded.frobnicate
    with pytest.raises(ImportError, match="cannot import name 'frobnicate'"):
        import_from(module, "frobnicate")
    assert not hasattr(loaded, "__wrapped__")


def test_a_module_that_flytekit_has_not_is_not_explained() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"^No module named 'flytekit\.frobnicate'$"):
        importlib.import_module("flytekit.frobnicate")


def module_name(path: Path) -> str:
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def public_modules() -> list[str]:
    names = [module_name(path) for package in ("flytekit", "union") for path in (SOURCE / package).rglob("*.py")]
    # What stands behind the console scripts is no import name of flytekit's.
    own = {
        "flytekit.clis.backfilling",
        "flytekit.clis.config_files",
        "flytekit.clis.controlling",
        "flytekit.clis.demo",
        "flytekit.clis.flytectl",
        "flytekit.clis.programs",
        "flytekit.clis.running",
        "flytekit.clis.sdk_in_container",
        "flytekit.clis.listing",
        "flytekit.clis.inputs",
        "flytekit.clis.packaging",
        "flytekit.clis.starting",
        "flytekit.clis.objects",
        "flytekit.clis.places",
        "flytekit.clis.registering",
        "flytekit.clis.remote_running",
    }
    return sorted(
        name for name in names if not any(part.startswith("_") for part in name.split(".")) and name not in own
    )


@pytest.mark.parametrize("module", public_modules())
def test_every_public_name_of_ours_is_listed(module: str) -> None:
    assert module in PRESENT
    loaded = importlib.import_module(module)
    names = getattr(loaded, "__all__", None) or [
        name for name in dir(loaded) if not name.startswith("_") and is_public(module, name, getattr(loaded, name))
    ]
    assert sorted(names) == importable(PRESENT[module])


def is_public(module: str, name: str, value: Any) -> bool:
    """Whether it is there for users: the top level's own helpers and submodules are not."""
    if module in ("flytekit", "union"):
        submodule = isinstance(value, types.ModuleType) and name not in ("directory", "file", "iterator")
        return not submodule and name not in ("explain_absent_modules", "missing", "refuse_beside")
    place = getattr(value, "__module__", "")
    ours = place.startswith("flytekit.") and place != "flytekit._adapt"
    return isinstance(value, type) and ours and value.__name__ == name


def test_names_stand_once_and_in_order() -> None:
    for module, table in PRESENT.items():
        parts = [table.get(part, ()) for part in ("works", "data", "planned", "unsupported", "inside")]
        names = [name for part in parts for name in part]
        assert len(names) == len(set(names)), module
        for part in parts:
            assert list(part) == sorted(part), module
        assert table["tier"] in ("A", "B", "C")
        assert set(table.get("tiers", ())) <= set(names), module
    own = [name for name in MODULES if name.startswith("flytekit")]
    assert own == sorted(own)


def test_importing_flytekit_imports_the_modules_that_programs_reach_by_attribute() -> None:
    assert isinstance(flytekit.configuration, types.ModuleType)
    assert isinstance(flytekit.core.workflow, types.ModuleType)
    assert isinstance(flytekit.remote, types.ModuleType)
