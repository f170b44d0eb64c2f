"""The examples run, as their readers will run them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.cli.shell import LIMIT, Shell

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = ROOT / "examples"


def test_the_demonstration() -> None:
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / "run_demo.py")], cwd=ROOT, capture_output=True, text=True, timeout=2 * LIMIT
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "none of them ran again" in done.stdout
    assert '{"income": 531.2, "tax": 100.93}' in done.stdout
    opened, sealed = done.stderr.index("the ledger is open"), done.stderr.index("the ledger is sealed")
    assert opened < sealed


@pytest.mark.parametrize("file", sorted(EXAMPLES.glob("[!r]*.py")), ids=lambda path: path.name)
def test_examples_have_no_problems(tmp_path: Path, file: Path) -> None:
    assert "no problems" in Shell(tmp_path)("check", file).err


def test_the_readmes_program_runs(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    text = (ROOT / "README.md").read_text()
    (tmp_path / "sums.py").write_text(text.partition("```python\n")[2].partition("```")[0])
    assert "no problems" in shell("check", "sums.py").err
    assert shell("run", "sums.py", "total", "--n", "4").out == "14.0\n"
    assert shell("run", "sums.py", "total", "--n", "12").out == "81.0\n"
    assert shell("run", "sums.py", "total", "--n", "12", "--direct").out == "81.0\n"
