"""What a module may be called, how long it may grow, and what it may not do."""

import ast
from pathlib import Path

import pytest

from tests.architecture.sources import COMPAT, PACKAGE, ROOMS, calls, compat_modules, engine_modules, name, tree

# Past this a module has two subjects.
MODULE_LINES = 800
# A compat module re-exports; past this it has begun to think.
COMPAT_LINES = 60

EMPTY_NAMES = {"base", "common", "core", "helpers", "manager", "utils"}
OURS = {"flytekit", "union", "whimbrel"}
PURE_ROOMS = ("engine", "graph", "model")

# The clock, chance and the outside, by calls that no import betrays.
IMPURE_CALLS = {
    *("date.today", "datetime.now", "datetime.today", "datetime.utcnow"),
    *("os.getenv", "os.getpid", "os.urandom", "uuid1", "uuid4", "uuid7"),
    *("breakpoint", "input", "open", "print"),
}


def lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def is_adapter(path: Path) -> bool:
    """The compat modules with code in them: `_adapt.py`, the command lines, flytekit's words for types and servers."""
    return path.name in {"_adapt.py", "cli.py"} or bool(
        {"clis", "_types", "_remote"} & set(path.relative_to(COMPAT).parts)
    )


def test_there_is_something_to_look_at() -> None:
    assert ROOMS
    assert len(engine_modules()) > len(ROOMS)


def test_modules_stay_short() -> None:
    long = {name(path): lines(path) for path in engine_modules() if lines(path) > MODULE_LINES}
    assert not long, f"more than {MODULE_LINES} lines: part each by its subjects"


def test_compat_modules_are_thin() -> None:
    limits = {path: MODULE_LINES if is_adapter(path) else COMPAT_LINES for path in compat_modules()}
    long = {name(path): lines(path) for path, limit in limits.items() if lines(path) > limit}
    assert not long, "compat modules re-export; what thinks belongs in whimbrel, or in _adapt.py"


def test_names_say_something() -> None:
    named = {path: {part.lower().strip("_") for part in path.with_suffix("").parts} for path in engine_modules()}
    inside = {path: parts - {part.lower() for part in PACKAGE.parts} for path, parts in named.items()}
    empty = [name(path) for path, parts in inside.items() if parts & EMPTY_NAMES]
    assert not empty, f"none of {sorted(EMPTY_NAMES)} says what a module is for"


def test_modules_say_what_they_are_for() -> None:
    silent = [name(path) for path in engine_modules() if not ast.get_docstring(tree(path))]
    assert not silent


@pytest.mark.parametrize("room", ROOMS)
def test_room_is_a_docstring_only(room: str) -> None:
    body = tree(PACKAGE / room / "__init__.py").body
    assert len(body) == 1, "import from the module; a room's __init__ holds its docstring"
    assert isinstance(body[0], ast.Expr)


def own_imports_in_functions(path: Path) -> list[str]:
    found = []
    for function in ast.walk(tree(path)):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for node in ast.walk(function):
            if isinstance(node, ast.Import):
                own = any(alias.name.partition(".")[0] in OURS for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                own = node.level > 0 or (node.module or "").partition(".")[0] in OURS
            else:
                continue
            if own:
                found.append(f"{name(path)}:{node.lineno}")
    return found


def test_no_own_import_hides_in_a_function() -> None:
    hidden = [place for path in (*engine_modules(), *compat_modules()) for place in own_imports_in_functions(path)]
    assert not hidden, "an import in a function hides a cycle: turn the dependency round"


def test_there_is_one_context_variable() -> None:
    made = [
        f"{name(path)}:{line}"
        for path in (*engine_modules(), *compat_modules())
        for line, called in calls(path)
        if called.rpartition(".")[2] == "ContextVar"
    ]
    assert len(made) == 1, made
    assert made[0].startswith("src/whimbrel/authoring/calling")


@pytest.mark.parametrize("room", PURE_ROOMS)
def test_pure_rooms_ask_nobody(room: str) -> None:
    asked = [
        f"{name(path)}:{line} {called}"
        for path in sorted((PACKAGE / room).rglob("*.py"))
        for line, called in calls(path)
        if any(called == impure or called.endswith(f".{impure}") for impure in IMPURE_CALLS)
    ]
    assert not asked, "hand the time, ids and contents in"
