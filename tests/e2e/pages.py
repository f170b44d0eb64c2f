"""Pages whose code runs: the blocks of a Markdown text, and how one is run.

A ``python`` block is run as a script; one that imports nothing goes on where the one before it ended, and one that
begins with ``# name.py`` is kept under that name for what follows. An ``sh`` block is run by bash, which stops at
the first command that fails. Blocks that only show something have another info string (``console``, ``text``).
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(python|sh)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
IMPORT = re.compile(r"^(import|from) ", re.MULTILINE)
LIMIT = 60.0


def blocks(text: str) -> list[tuple[int, str, str]]:
    """Line, language and text of the blocks that run."""
    return [(text.count("\n", 0, match.start()) + 1, match[1], match[2]) for match in BLOCK.finditer(text)]


def run(folder: Path, language: str, text: str) -> subprocess.CompletedProcess[str]:
    """Run one block in ``folder``."""
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    if language == "sh":
        command = ["bash", "-euo", "pipefail", "-c", text]
    else:
        named = re.match(r"# (\w+\.py)\n", text)
        script = folder / (named[1] if named else "block.py")
        script.write_text(text)
        command = [sys.executable, "-W", "error", str(script)]
    return subprocess.run(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT
    )


def run_all(folder: Path, text: str, page: str) -> None:
    """Run the blocks of ``text`` in order; fail at the first that fails."""
    before = ""
    for line, language, code in blocks(text):
        if language == "python":
            code = before = code if IMPORT.search(code) else before + code
        done = run(folder, language, code)
        assert done.returncode == 0, f"{page}:{line}\n{done.stdout}{done.stderr}"
