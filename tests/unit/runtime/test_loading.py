"""Where a file belongs, what its module is called, and what is said when it cannot be loaded."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from whimbrel.authoring.task import Task
from whimbrel.errors import EntityNotFound, InputInvalid
from whimbrel.model.program import CodeRef
from whimbrel.runtime.loading import load_entity, load_module, locate

FLOW = """
import functools
from whimbrel.authoring.task import task

@task
def double(x: int) -> int:
    return 2 * x

def loud(entity):
    @functools.wraps(entity)
    def wrapper(*args, **kwargs):
        return entity(*args, **kwargs)
    return wrapper

@loud
@task
def wrapped(x: int) -> int:
    return x

class Tools:
    @task
    def inner(x: int) -> int:
        return x

def plain(x):
    return x

number = 7
"""


@pytest.fixture(autouse=True)
def _imports_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        del sys.modules[name]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    package = tmp_path / "shop" / "orders"
    package.mkdir(parents=True)
    (tmp_path / "shop" / "__init__.py").touch()
    (package / "__init__.py").touch()
    (package / "flow.py").write_text(FLOW)
    (tmp_path / "script_flow.py").write_text(FLOW)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("source", "module"),
    [
        ("script_flow.py", "script_flow"),
        ("./script_flow.py", "script_flow"),
        ("shop/orders/flow.py", "shop.orders.flow"),
        ("shop/orders", "shop.orders"),
        ("shop/__init__.py", "shop"),
        ("shop.orders.flow", "shop.orders.flow"),
        ("script_flow", "script_flow"),
    ],
)
def test_a_source_has_one_module_name_and_one_root(project: Path, source: str, module: str) -> None:
    assert locate(source) == (module, str(project))


def test_a_module_of_elsewhere_needs_no_root(project: Path) -> None:
    assert locate("json.decoder") == ("json.decoder", "")


def test_file_and_dotted_name_give_the_same_class(project: Path) -> None:
    by_file = load_module(*locate("shop/orders/flow.py"))
    by_name = load_module(*locate("shop.orders.flow"))
    assert by_file is by_name


@pytest.mark.parametrize(
    ("source", "error", "says"),
    [
        ("missing.py", EntityNotFound, "no file"),
        ("nowhere/at/all", EntityNotFound, "no file"),
        ("empty", InputInvalid, "not a package"),
        ("notes.txt", InputInvalid, "not a .py file"),
        ("my.flow.py", InputInvalid, "rename it"),
        ("what is this", InputInvalid, "neither a file nor a module"),
    ],
)
def test_what_is_no_source_is_refused_with_the_reason(
    project: Path, source: str, error: type[Exception], says: str
) -> None:
    (project / "empty").mkdir()
    (project / "notes.txt").touch()
    (project / "my.flow.py").touch()
    with pytest.raises(error, match=says):
        locate(source)


@pytest.mark.parametrize("name", ["double", "wrapped", "Tools.inner"])
def test_an_entity_is_found_by_its_dots_and_through_decorators(project: Path, name: str) -> None:
    entity = load_entity(CodeRef("script_flow", name, str(project)))
    assert isinstance(entity, Task)
    assert entity.fn(3) == (6 if name == "double" else 3)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("gone", "has no 'gone'"),
        ("Tools.gone", "has no 'Tools.gone'"),
        ("plain", "is a function, not a task"),
        ("number", "is a int, not a task"),
        ("outer.<locals>.inner", "inside a function"),
    ],
)
def test_what_is_no_entity_is_said(project: Path, name: str, says: str) -> None:
    with pytest.raises(EntityNotFound, match=says):
        load_entity(CodeRef("script_flow", name, str(project)))


def test_a_module_that_is_missing_is_told_from_one_that_it_imports(project: Path) -> None:
    with pytest.raises(EntityNotFound, match="no module 'no_such_flow'"):
        load_module("no_such_flow", str(project))
    with pytest.raises(EntityNotFound, match=r"no module 'shop\.nothing'"):
        load_module("shop.nothing", str(project))
    (project / "needy_flow.py").write_text("import no_such_library\n")
    with pytest.raises(ModuleNotFoundError, match="no_such_library") as caught:
        load_module("needy_flow", str(project))
    assert "install the missing package" in caught.value.__notes__[0]


def test_a_module_that_raises_says_which_it_was(project: Path) -> None:
    (project / "raising_flow.py").write_text("1 / 0\n")
    with pytest.raises(ZeroDivisionError) as caught:
        load_module("raising_flow", str(project))
    assert "while importing 'raising_flow'" in caught.value.__notes__[0]


def test_a_file_hidden_by_a_loaded_module_is_not_taken_for_it(project: Path) -> None:
    (project / "json.py").write_text(FLOW)
    with pytest.raises(InputInvalid, match=r"is hidden by .*rename the file"):
        load_module(*locate("json.py"))


def test_a_root_is_put_on_the_path_once(project: Path) -> None:
    load_module("script_flow", str(project))
    load_module("shop.orders.flow", str(project))
    assert sys.path.count(str(project)) == 1
