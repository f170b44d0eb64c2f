"""The corpus compiled by both, and what came of it."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.integration.differential.comparing import Difference, differences
from tests.integration.differential.environment import flytekit_python
from tests.integration.differential.known import KNOWN, UNIVERSAL

HERE = Path(__file__).resolve().parent
PROGRAMS = HERE / "programs"
TABLE = HERE.parents[2] / "docs" / "reference" / "compiled-output.md"


def names() -> list[str]:
    """The programs, by name."""
    return sorted(path.stem for path in PROGRAMS.glob("*.py"))


def compile_with(python: Path, script: str) -> dict[str, Any]:
    """What ``script`` makes of the corpus, by program: one process for all of it."""
    with tempfile.TemporaryDirectory() as directory:
        output = Path(directory) / "messages.json"
        command = [str(python), "-I", str(HERE / script), str(PROGRAMS), str(output)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{script} failed:\n{done.stderr}")
        found: dict[str, Any] = json.loads(output.read_text())
        return found


def compiled() -> tuple[dict[str, Any], dict[str, Any]]:
    """What flytekit makes of the corpus, and what whimbrel makes of it."""
    theirs = compile_with(flytekit_python(), "compile_with_flytekit.py")
    ours = compile_with(Path(sys.executable), "compile_with_whimbrel.py")
    return theirs, ours


def all_differences(theirs: dict[str, Any], ours: dict[str, Any]) -> dict[str, list[Difference]]:
    """Every difference, by program. Programs that do not compile have none: ``errors`` tells of them."""
    return {
        name: differences(name, theirs[name]["messages"], ours[name]["messages"])
        for name in theirs
        if "messages" in theirs[name] and "messages" in ours[name]
    }


def errors(result: dict[str, Any]) -> list[str]:
    """What did not compile, and why."""
    return [f"{name}: {found['error']}" for name, found in result.items() if "error" in found]


# --- the table --------------------------------------------------------------------------------------------------------

_HEAD = """# Compiled output

The programs of `tests/integration/differential/programs`, each compiled by flytekit 1.16.31 and by whimbrel from the
same source, and compared message by message: `TaskSpec`, `WorkflowSpec`, `LaunchPlan`. *Equal* means: in every field.

Not compared, because it says nothing: the order of `upstream_node_ids` (a set in flytekit, so that it differs between
its own runs), the digest in the names of map tasks, and {universal}.

Made by `python -m tests.integration.differential.table`; a test compares it with what is found.

| program | what it has | compiled output |
|---|---|---|
"""


def table(found: dict[str, list[Difference]]) -> str:
    """The page of the reference."""
    lines = [_HEAD.format(universal=UNIVERSAL.reason.partition(":")[0])]
    for name in sorted(found):
        rest = [difference for difference in found[name] if not UNIVERSAL.covers(difference)]
        reasons = dict.fromkeys(_reason(difference) for difference in rest)
        status = "; ".join(f"differs: {reason}" for reason in reasons) or "equal"
        lines.append(f"| `{name}` | {_purpose(name)} | {status} |\n")
    equal = sum(all(map(UNIVERSAL.covers, differences)) for differences in found.values())
    lines.append(f"\n{equal} of {len(found)} programs are equal.\n")
    return "".join(lines)


def _reason(difference: Difference) -> str:
    return next((known.reason for known in KNOWN if known.covers(difference)), "not explained")


def _purpose(name: str) -> str:
    tree = ast.parse((PROGRAMS / f"{name}.py").read_text(encoding="utf-8"))
    return (ast.get_docstring(tree) or "").splitlines()[0].rstrip(".").replace("|", "\\|")
