"""What the digest of a task's code covers, and what it does not. Each program is a small project of files; it is
edited, loaded anew, and its closure compared."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from whimbrel.authoring.closure import Closure
from whimbrel.model.changes import explain

FLOW = '''
import functools
import math
import helpers
from dataclasses import dataclass
from helpers import shift as moved, Scale
from pack.inner import deep
from whimbrel import eager, task, workflow

RATE = 2
UNUSED = 7
TABLE = {"a": [1, 2], "f": helpers.tabled}
tuned = functools.partial(helpers.partial_of, 3)


def traced(by):
    def decorate(fn):
        @functools.wraps(fn)
        def wrapper(*args, **kwargs):
            return fn(*args, **kwargs) + by
        return wrapper
    return decorate


@dataclass
class Settings:
    size: int = 3

    def doubled(self) -> int:
        return self.size * 2


@functools.lru_cache
def remembered(x):
    return helpers.memo(x)


@task
def plain(x: int) -> int:
    """Documentation."""
    return x * RATE


@task
def attribute(x: int) -> int:
    return helpers.scale(x)


@task
def renamed(x: int) -> int:
    return moved(x)


@task
def typed(settings: Settings) -> int:
    return settings.doubled()


@task
def classy(x: int) -> int:
    return Scale(x).up()


@task
def tabular(x: int) -> int:
    return TABLE["f"](x)


@task
def partly(x: int) -> int:
    return tuned(x)


@task
def memoised(x: int) -> int:
    return remembered(x)


@task
def packed(x: int) -> int:
    return deep(x)


@task
def late(x: int) -> int:
    from pack.other import lately
    return lately(x)


@task(retries=1)
@traced(5)
def decorated(x: int) -> int:
    return x


@task
def even(x: int) -> int:
    return helpers.ping(x)


@task
def defaulted(x: int = RATE) -> int:
    return x


@task
def nested(x: int) -> int:
    def inner(y):
        return [helpers.scale(z) for z in range(y)]
    return sum(inner(x)) + int(math.sqrt(x))


@workflow
def flow(x: int) -> int:
    return attribute(x=plain(x=x))


@eager
async def body(x: int) -> int:
    return await plain(x=x) + await attribute.options(retries=3)(x=x)
'''

HELPERS = """
LIMIT = 10


def scale(x):
    return min(x, LIMIT)


def shift(x):
    return x + 1


def tabled(x):
    return x


def partial_of(a, b):
    return a + b


def memo(x):
    return x


def ping(x):
    return x if x < 1 else pong(x - 1)


def pong(x):
    return ping(x - 1)


class Base:
    step = 4

    def up(self):
        return self.x + self.step


class Scale(Base):
    def __init__(self, x):
        self.x = x
"""

FILES = {
    "flow.py": FLOW,
    "helpers.py": HELPERS,
    "pack/__init__.py": "",
    "pack/inner.py": "from . import other\n\n\ndef deep(x):\n    return other.below(x)\n",
    "pack/other.py": "def below(x):\n    return x\n\n\ndef lately(x):\n    return x\n",
}


class Project:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.files = dict(FILES)

    def edit(self, file: str, old: str, new: str) -> None:
        assert old in self.files[file]
        self.files[file] = self.files[file].replace(old, new)

    def closures(self) -> dict[str, Closure]:
        for name, text in self.files.items():
            path = self.root / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        for name in ("flow", "helpers", "pack", "pack.inner", "pack.other"):
            sys.modules.pop(name, None)
        importlib.invalidate_caches()
        module = importlib.import_module("flow")
        return {name: value.closure for name, value in vars(module).items() if hasattr(value, "code_digest")}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    monkeypatch.syspath_prepend(str(tmp_path))
    # Two versions written in the same second must not share byte code.
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield Project(tmp_path)
    for name in ("flow", "helpers", "pack", "pack.inner", "pack.other"):
        sys.modules.pop(name, None)


def changed(project: Project, *edits: tuple[str, str, str]) -> dict[str, list[str]]:
    """What the edits change, by entity."""
    before = project.closures()
    for edit in edits:
        project.edit(*edit)
    after = project.closures()
    said = {name: explain(before[name].components, after[name].components) for name in before}
    for name in before:
        assert (before[name].digest != after[name].digest) == bool(said[name]), name
    return {name: changes for name, changes in said.items() if changes}


def in_each(*names: str, change: str) -> dict[str, list[str]]:
    return {name: [change] for name in names}


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        pytest.param(
            ("flow.py", "return x * RATE", "return x * RATE + 0"),
            in_each("plain", "flow", "body", change="function flow.plain has changed"),
            id="the function itself",
        ),
        pytest.param(
            ("helpers.py", "return min(x, LIMIT)", "return max(x, LIMIT)"),
            in_each("attribute", "nested", "flow", "body", change="function helpers.scale has changed"),
            id="a function of another module",
        ),
        pytest.param(
            ("helpers.py", "LIMIT = 10", "LIMIT = 11"),
            in_each("attribute", "nested", "flow", "body", change="constant helpers.LIMIT has changed"),
            id="a constant that a helper reads",
        ),
        pytest.param(("helpers.py", "x + 1", "x + 2"), {"renamed": ["function helpers.shift has changed"]}, id="alias"),
        pytest.param(
            ("flow.py", "self.size * 2", "self.size * 3"),
            {"typed": ["function flow.Settings.doubled has changed"]},
            id="a method of an input's class",
        ),
        pytest.param(
            ("flow.py", "size: int = 3", "size: int = 4"),
            {"typed": ["class flow.Settings has changed"]},
            id="a field",
        ),
        pytest.param(
            ("helpers.py", "self.x + self.step", "self.x - self.step"),
            {"classy": ["function helpers.Base.up has changed"]},
            id="an inherited method",
        ),
        pytest.param(
            ("helpers.py", "step = 4", "step = 5"),
            {"classy": ["class helpers.Base has changed"]},
            id="a class attribute",
        ),
        pytest.param(
            ("helpers.py", "def tabled(x):\n    return x", "def tabled(x):\n    return -x"),
            {"tabular": ["function helpers.tabled has changed"]},
            id="a function in a table",
        ),
        pytest.param(
            ("flow.py", '"a": [1, 2]', '"a": [1, 3]'), {"tabular": ["constant flow.TABLE has changed"]}, id="a table"
        ),
        pytest.param(
            ("helpers.py", "return a + b", "return a - b"),
            {"partly": ["function helpers.partial_of has changed"]},
            id="a partial",
        ),
        pytest.param(
            ("helpers.py", "def memo(x):\n    return x", "def memo(x):\n    return -x"),
            {"memoised": ["function helpers.memo has changed"]},
            id="behind lru_cache",
        ),
        pytest.param(
            ("pack/other.py", "def below(x):\n    return x", "def below(x):\n    return -x"),
            {"packed": ["function pack.other.below has changed"], "late": ["module pack.other has changed"]},
            id="a relative import of a package",
        ),
        pytest.param(
            ("flow.py", "**kwargs) + by", "**kwargs) - by"),
            {"decorated": ["function flow.traced.<locals>.decorate.<locals>.wrapper has changed"]},
            id="a decorator",
        ),
        pytest.param(
            ("flow.py", "@traced(5)", "@traced(6)"),
            {
                "decorated": [
                    "function flow.decorated has changed",
                    "function flow.traced.<locals>.decorate.<locals>.wrapper has changed",
                ]
            },
            id="a decorator's argument",
        ),
        pytest.param(
            ("helpers.py", "return ping(x - 1)", "return ping(x - 2)"),
            {"even": ["function helpers.pong has changed"]},
            id="mutual recursion",
        ),
        pytest.param(
            ("flow.py", "sum(inner(x))", "max(inner(x))"),
            {"nested": ["function flow.nested has changed"]},
            id="a nested function's owner",
        ),
    ],
)
def test_what_changes(project: Project, edit: tuple[str, str, str], expected: dict[str, list[str]]) -> None:
    assert changed(project, edit) == expected


def test_a_constant_and_a_default(project: Project) -> None:
    said = changed(project, ("flow.py", "RATE = 2", "RATE = 3"))
    assert said["plain"] == ["constant flow.RATE has changed"]
    assert said["defaulted"] == ["function flow.defaulted has changed"]
    assert said.keys() == {"plain", "defaulted", "flow", "body"}


@pytest.mark.parametrize(
    "edit",
    [
        ("flow.py", "    return x * RATE", "    # a remark\n\n    return (\n        x   *  RATE\n    )"),
        ("flow.py", '"""Documentation."""', '"""Another."""'),
        ("flow.py", '    """Documentation."""\n', ""),
        ("flow.py", "UNUSED = 7", "UNUSED = 8"),
        ("flow.py", "@task(retries=1)", "@task(retries=2, cpu='2')"),
        ("flow.py", "import math\n", "import math\n\n\ndef nobody_calls_this():\n    return 1\n\n\n"),
        ("helpers.py", "LIMIT = 10", "LIMIT = 5 + 5  # as before"),
    ],
)
def test_what_changes_nothing(project: Project, edit: tuple[str, str, str]) -> None:
    assert changed(project, edit) == {}


def test_new_and_gone(project: Project) -> None:
    said = changed(project, ("flow.py", "return helpers.scale(x)\n", "return helpers.shift(x)\n"))
    assert said["attribute"] == [
        "function flow.attribute has changed",
        "constant helpers.LIMIT is gone",
        "function helpers.scale is gone",
        "function helpers.shift is new",
    ]


def test_installed_packages_take_no_part(project: Project) -> None:
    installed = "site-packages/lib.py"
    project.files |= {installed: "def f(x):\n    return x\n", "site-packages/__init__.py": ""}
    project.edit(
        "flow.py",
        "import math\n",
        "import math\nimport sys\nfrom pathlib import Path\n"
        "sys.path.insert(0, str(Path(__file__).parent / 'site-packages'))\nimport lib\n",
    )
    project.edit("flow.py", "return moved(x)", "return lib.f(x)")
    try:
        assert list(project.closures()["renamed"].components) == ["flow.renamed"]
    finally:
        sys.modules.pop("lib", None)
        sys.path.remove(str(project.root / "site-packages"))


def test_equal_in_every_process(project: Project) -> None:
    """Sets have another order in each process; digests have not."""
    import subprocess

    project.edit("flow.py", "RATE = 2", "RATE = len({'a', 'b'})\nNAMES = frozenset({'x', 'y', 'z'})")
    project.edit("flow.py", "return x * RATE", "return x * RATE + len(NAMES) + (x in {'p', 'q', 'r'})")
    here = project.closures()["plain"].digest
    program = "import flow; print(flow.plain.closure.digest)"
    for seed in ("1", "2"):
        told = subprocess.run(
            [sys.executable, "-c", program],
            cwd=project.root,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(project.root)},
            capture_output=True,
            text=True,
            check=True,
        )
        assert told.stdout.strip() == here


def test_a_function_without_source_counts_by_its_byte_code() -> None:
    space: dict[str, object] = {}
    digests = set()
    for constant in ("1", "2", "1  # the same"):
        exec(f"from whimbrel import task\n@task\ndef made(x: int) -> int:\n    return x + {constant}\n", space)
        made = space["made"]
        digests.add(made.code_digest())  # type: ignore[attr-defined]
    assert len(digests) == 2
    assert "" not in digests


def test_a_plain_call_reads_no_code(project: Project) -> None:
    project.closures()
    read = sys.modules.pop("flow").plain
    fresh = importlib.import_module("flow").plain
    assert fresh(x=3) == 6
    assert "closure" not in vars(fresh)
    assert "closure" in vars(read)
