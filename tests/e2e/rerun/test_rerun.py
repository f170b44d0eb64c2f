"""Recovery and forks through real processes: what runs is counted by what it leaves on disk."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from tests.e2e.cli.shell import Result, Shell

FLOW = """
import asyncio
import os
from pathlib import Path

from helpers import scale
from whimbrel import eager, task, workflow

NOTES = Path(os.environ["FLOW_NOTES"])
OFFSET = 1


def note(name):
    with open(NOTES / "ran", "a") as file:
        file.write(name + "\\n")


@task
def load(rows: int) -> int:
    note("load")
    return rows


@task
def clean(rows: int) -> int:
    note("clean")
    return rows + OFFSET


@task
def fit(rows: int) -> int:
    note("fit")
    return scale(rows)


@task
def report(score: int, rows: int) -> str:
    note("report")
    if (NOTES / "broken").exists():
        raise RuntimeError("the printer is out of paper")
    return f"{score} of {rows}"


@workflow
def flow(rows: int = 10) -> str:
    raw = load(rows=rows)
    return report(score=fit(rows=clean(rows=raw)), rows=raw)


@task
def announce(text: str) -> None:
    note(f"announce {text}")


@eager
async def part(n: int) -> int:
    return await fit(rows=await clean(rows=n))


@eager
async def body(rows: int = 10) -> str:
    first, second = await asyncio.gather(part(n=rows), load(rows=rows))
    await announce(text="half way")
    return await report(score=first, rows=second)
"""
HELPERS = """
FACTOR = 2


def scale(x):
    return x * FACTOR


def unused(x):
    return x
"""


class Project:
    def __init__(self, root: Path) -> None:
        self.shell = Shell(root)
        self.root = root
        (root / "flow.py").write_text(FLOW)
        (root / "helpers.py").write_text(HELPERS)

    def edit(self, file: str, old: str, new: str) -> None:
        path = self.root / file
        text = path.read_text()
        assert old in text
        before = path.stat().st_mtime
        path.write_text(text.replace(old, new))
        # Python takes bytecode for that of a file of the same size and the same second: no person edits that quickly.
        os.utime(path, (before + 2, before + 2))

    def ran(self) -> Counter[str]:
        """What has run since this was last asked."""
        path = self.shell.notes / "ran"
        said = Counter(path.read_text().splitlines()) if path.exists() else Counter()
        path.unlink(missing_ok=True)
        return said

    def first(self, name: str, code: int = 0) -> Result:
        return self.shell("run", "flow.py", name, "-q", "--run-id", "r1", code=code)

    def verdicts(self, *more: str) -> dict[str, tuple[str, str]]:
        lines = self.shell("fork", "r1", "--dry-run", "--json", *more).json
        return {line["path"]: (line["verdict"], "; ".join(line["why"])) for line in lines}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


ONCE = Counter(["load", "clean", "fit", "report"])


def test_a_fork_runs_what_an_edited_helper_leads_to_and_no_more(project: Project) -> None:
    assert project.first("flow").out == "22 of 10\n"
    assert project.ran() == ONCE
    project.edit("helpers.py", "FACTOR = 2", "FACTOR = 3")
    assert project.verdicts() == {
        "n0": ("reuse", ""),
        "n1": ("reuse", ""),
        "n2": ("run", "constant helpers.FACTOR has changed"),
        "n3": ("run", "downstream of n2"),
    }
    assert project.ran() == Counter()
    forked = project.shell("fork", "r1", "--yes", "-q")
    assert forked.out == "33 of 10\n"
    assert "2 will run, 2 reused" in forked.err
    assert project.ran() == Counter(["fit", "report"])
    described = project.shell("describe", "latest").out
    assert described.count("RECOVERED") == 2


def test_an_edit_that_means_nothing_runs_nothing(project: Project) -> None:
    project.first("flow")
    project.ran()
    project.edit("helpers.py", "return x * FACTOR", "return (x   # twice, so far\n            * FACTOR)")
    project.edit("helpers.py", "def unused(x):\n    return x", "def unused(x):\n    return -x")
    assert project.shell("fork", "r1", "--yes", "-q").out == "22 of 10\n"
    assert project.ran() == Counter()


def test_a_fork_with_another_input(project: Project) -> None:
    project.first("flow")
    project.ran()
    assert project.verdicts("--input", "rows=20")["n0"] == ("run", "input rows has changed")
    assert project.shell("fork", "r1", "--input", "rows=20", "-y", "-q").out == "42 of 20\n"
    assert project.ran() == ONCE
    wrong = project.shell("fork", "r1", "--input", "row=20", "-y", code=2)
    assert "did you mean 'rows'?" in wrong.err
    assert "expected int" in project.shell("fork", "r1", "--input", "rows=many", "-y", code=2).err


def test_the_code_of_another_checkout(project: Project, tmp_path: Path) -> None:
    project.first("flow")
    project.ran()
    other = tmp_path / "other"
    other.mkdir()
    (other / "flow.py").write_text(FLOW)
    (other / "helpers.py").write_text(HELPERS.replace("x * FACTOR", "x + FACTOR"))
    verdicts = project.verdicts("--code", "other/flow.py")
    assert verdicts["n1"] == ("reuse", "")
    assert verdicts["n2"] == ("run", "function helpers.scale has changed")
    assert project.shell("fork", "r1", "--code", "other/flow.py", "-y", "-q").out == "13 of 10\n"
    assert project.ran() == Counter(["fit", "report"])


def test_nobody_is_asked_where_nobody_is(project: Project) -> None:
    project.first("flow")
    project.ran()
    assert "say --yes" in project.shell("fork", "r1", code=2).err
    assert project.ran() == Counter()


@pytest.mark.parametrize("name", ["flow", "body"])
def test_recover_keeps_what_succeeded(project: Project, name: str) -> None:
    (project.shell.notes / "broken").touch()
    assert "out of paper" in project.first(name, code=1).err
    project.ran()
    (project.shell.notes / "broken").unlink()
    assert project.shell("recover", "r1", "-q").out == "22 of 10\n"
    assert project.ran() == Counter(["report"])
    assert "nothing to recover" in project.shell("recover", "latest", code=2).err
    listed = project.shell("runs", "--json").json
    assert [(run["phase"], run["message"]) for run in listed] == [
        ("SUCCEEDED", "takes what run r1 had done"),
        ("FAILED", "RuntimeError: the printer is out of paper"),
    ]


def test_recover_with_other_code_points_at_fork(project: Project) -> None:
    (project.shell.notes / "broken").touch()
    project.first("flow", code=1)
    (project.shell.notes / "broken").unlink()
    project.ran()
    project.edit("flow.py", '{score} of {rows}"', '{score} out of {rows}"')
    said = project.shell("recover", "r1", code=2).err
    assert "function flow.report has changed" in said
    assert "whimbrel fork r1" in said
    assert project.verdicts()["n3"] == (
        "run",
        "it had FAILED: RuntimeError: the printer is out of paper; function flow.report has changed",
    )
    assert project.shell("fork", "r1", "-y", "-q").out == "22 out of 10\n"
    assert project.ran() == Counter(["report"])


def test_a_fork_of_an_eager_run(project: Project) -> None:
    assert project.first("body").out == "22 of 10\n"
    assert project.ran() == ONCE + Counter(["announce half way"])
    project.edit("flow.py", 'return f"{score} of', 'return f"{score} out of')
    verdicts = project.verdicts()
    assert sorted(verdict for verdict, _ in verdicts.values()) == ["reuse", "reuse", "reuse", "run", "run"]
    assert project.shell("fork", "r1", "-y", "-q").out == "22 out of 10\n"
    assert project.ran() == Counter(["report"])


def test_a_fork_of_an_eager_run_after_a_helper_was_edited(project: Project) -> None:
    project.first("body")
    project.ran()
    project.edit("helpers.py", "FACTOR = 2", "FACTOR = 3")
    verdicts = project.verdicts()
    assert {why for verdict, why in verdicts.values() if verdict == "run"} == {"constant helpers.FACTOR has changed"}
    assert [why for verdict, why in verdicts.values() if verdict == "depends"]
    assert project.shell("fork", "r1", "-y", "-q").out == "33 of 10\n"
    assert project.ran() == Counter(["fit", "report"])


def test_resume_says_what_has_changed(project: Project) -> None:
    project.edit("flow.py", 'note("clean")', 'note("clean")\n    if rows > 0: os.kill(os.getppid(), 2)')
    assert project.first("flow", code=130).err
    project.edit("flow.py", "\n    if rows > 0: os.kill(os.getppid(), 2)", "")
    resumed = project.shell("resume", "r1")
    assert "the code has changed" in resumed.err
    assert "function flow.clean has changed" in resumed.err
    assert resumed.out == "22 of 10\n"
