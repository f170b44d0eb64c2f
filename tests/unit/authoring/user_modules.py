"""Modules as users write them: source text, loaded from a file of its own."""

import importlib.util
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

PRELUDE = "from whimbrel import *\n"


@contextmanager
def user_module(directory: Path, source: str, name: str = "flows") -> Iterator[ModuleType]:
    """``source`` under ``PRELUDE`` (so that its line 1 is the file's line 2), loaded as module ``name``."""
    path = directory / f"{name}.py"
    path.write_text(PRELUDE + textwrap.dedent(source).lstrip("\n"))
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
        yield module
    finally:
        del sys.modules[name]


def line_of(module: ModuleType, text: str) -> int:
    """The number of the only line of ``module`` that contains ``text``."""
    assert module.__file__ is not None
    lines = Path(module.__file__).read_text().splitlines()
    found = [number for number, line in enumerate(lines, 1) if text in line]
    assert len(found) == 1, f"{text!r} is on lines {found}"
    return found[0]
