"""Our own source files, as the architecture tests read them."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "whimbrel"
COMPAT = ROOT / "packages" / "whimbrel-flytekit" / "src"
ROOMS = sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py"))


def engine_modules() -> list[Path]:
    """Every module of whimbrel itself."""
    return sorted(PACKAGE.rglob("*.py"))


def compat_modules() -> list[Path]:
    """Every module of the compat distribution."""
    return sorted(COMPAT.rglob("*.py"))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def name(path: Path) -> str:
    """A path as messages show it."""
    return path.relative_to(ROOT).as_posix()


def calls(path: Path) -> Iterator[tuple[int, str]]:
    """Line and dotted name of each call in a module."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call):
            yield node.lineno, ast.unparse(node.func)


@cache
def tracked_files() -> tuple[Path, ...]:
    """What git keeps, as far as it is in the work tree."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True)
    paths = (ROOT / entry for entry in listed.stdout.split("\0") if entry)
    return tuple(path for path in paths if path.is_file() and not path.is_symlink())
