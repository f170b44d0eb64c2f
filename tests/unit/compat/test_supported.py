"""``supported.toml`` tells the truth: every name behaves as it says, and every name of ours is in it."""

import importlib
import types
from pathlib import Path
from typing import Any

import pytest

import flytekit
from flytekit._adapt import surface
from tests.unit.compat.names_in_the_guide import names, written

SOURCE = Path(flytekit.__file__).parents[1]
MODULES = {name: table for name, table in surface().items() if name != "programs"}
PRESENT = {name: table for name, table in MODULES.items() if "absent" not in table}
ABSENT = {name: table for name, table in MODULES.items() if "absent" in table}
MISSING = [
    (module, status, name, instead)
    for module, table in PRESENT.items()
    for status in ("planned", "unsupported")
    for name, instead in table.get(status, {}).items()
]
SAID = {"planned": "is planned, but not in this release", "unsupported": "is not supported"}


def import_from(module: str, name: str) -> Any:
    """As the statement does it."""
    space: dict[str, Any] = {}
    exec(f"from {module} import {name} as found", space)
    return space["found"]


@pytest.mark.parametrize("module", PRESENT)
def test_supported_names_can_be_imported(module: str) -> None:
    for name in PRESENT[module]["supported"]:
        assert import_from(module, name) is not None


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


@pytest.mark.parametrize("text", [table["instead"] for table in ABSENT.values()] + [entry[3] for entry in MISSING])
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
        "flytekit.clis.flytectl",
        "flytekit.clis.programs",
        "flytekit.clis.running",
        "flytekit.clis.sdk_in_container",
    }
    return sorted(
        name for name in names if not any(part.startswith("_") for part in name.split(".")) and name not in own
    )


@pytest.mark.parametrize("module", public_modules())
def test_every_public_name_of_ours_is_listed(module: str) -> None:
    assert module in PRESENT
    loaded = importlib.import_module(module)
    assert loaded.__file__ is not None
    names = getattr(loaded, "__all__", None) or [
        # The exceptions of users are too many for a list of their own.
        name
        for name, value in vars(loaded).items()
        if isinstance(value, type) and not name.startswith("_")
    ]
    assert sorted(names) == PRESENT[module]["supported"]


def test_names_stand_once_and_in_order() -> None:
    for module, table in PRESENT.items():
        names = [*table["supported"], *table.get("planned", {}), *table.get("unsupported", {})]
        assert len(names) == len(set(names)), module
        for part in (table["supported"], table.get("planned", {}), table.get("unsupported", {})):
            assert list(part) == sorted(part), module
    assert list(MODULES) == sorted(MODULES)


def test_importing_flytekit_imports_the_modules_that_programs_reach_by_attribute() -> None:
    assert isinstance(flytekit.configuration, types.ModuleType)
    assert isinstance(flytekit.core.workflow, types.ModuleType)
    assert isinstance(flytekit.remote, types.ModuleType)


def test_the_guide_lists_the_same_names() -> None:
    assert written() == names(), "run python -m tests.unit.compat.names_in_the_guide"
