"""A type checker sees the types of tasks and workflows: right code passes, wrong code is refused line by line."""

import re
from collections import defaultdict
from pathlib import Path

import pytest
from mypy import api

HERE = Path(__file__).parent
ROOT = HERE.parents[1]

# The checker's own cache is not shared: `make check` may run at the same time.
OPTIONS = ["--strict", "--no-error-summary", "--show-error-codes", "--cache-dir", ".mypy_cache/typing-tests"]
ERROR = re.compile(r"^(.*?):(\d+): error: .* \[([a-z-]+)\]$")
EXPECTED = re.compile(r"# error: ([a-z -]+)$")


@pytest.fixture(scope="module")
def errors() -> dict[str, dict[int, set[str]]]:
    """Codes by file and line."""
    found: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
    files = [str(HERE / name) for name in ("right.py", "wrong.py")]
    output, trouble, _ = api.run([*OPTIONS, "--config-file", str(ROOT / "pyproject.toml"), *files])
    assert not trouble
    for line in output.splitlines():
        match = ERROR.match(line)
        if match:
            found[Path(match[1]).name][int(match[2])].add(match[3])
    return found


def test_right_code_passes(errors: dict[str, dict[int, set[str]]]) -> None:
    assert not errors["right.py"]
    assert set(errors) <= {"right.py", "wrong.py"}


def test_wrong_code_is_refused(errors: dict[str, dict[int, set[str]]]) -> None:
    lines = (HERE / "wrong.py").read_text().splitlines()
    expected = {
        number: set(match[1].split()) for number, line in enumerate(lines, 1) if (match := EXPECTED.search(line))
    }
    assert len(expected) > 10
    assert dict(errors["wrong.py"]) == expected
