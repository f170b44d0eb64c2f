"""Files on the command line: paths in, references out, and runs that keep what they were given."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.cli.shell import Shell

PROGRAM = """
from pathlib import Path
from whimbrel import FlyteDirectory, FlyteFile, eager, task

@task
def doubled(data: FlyteFile) -> FlyteFile:
    out = FlyteFile.new_remote_file("doubled.txt")
    with data.open() as source, out.open("w") as target:
        target.write(source.read() * 2)
    return out

@task
def ready() -> bool:
    if not Path("ready").exists():
        raise RuntimeError("not yet")
    return True

@task
def text(data: FlyteFile) -> str:
    return Path(data).read_text()

@eager
async def late(data: FlyteFile) -> str:
    await ready()
    return await text(data=data)

@task
def names(folder: FlyteDirectory) -> list[str]:
    return [path for _, path in folder.crawl()]
"""


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    (tmp_path / "program.py").write_text(PROGRAM)
    (tmp_path / "data.txt").write_text("ab")
    return Shell(tmp_path)


def test_a_path_goes_in_and_the_output_of_one_run_is_the_input_of_another(shell: Shell) -> None:
    uri = shell("run", "-q", "program.py", "doubled", "--data", "data.txt").out.strip()
    assert uri.startswith("blob:files/")
    assert uri.endswith("/doubled.txt")
    assert shell("run", "-q", "program.py", "text", "--data", uri).out == "abab\n"


def test_without_an_engine_the_output_is_a_path(shell: Shell) -> None:
    assert shell("run", "--direct", "program.py", "text", "--data", "./data.txt").out == "ab\n"


def test_a_run_keeps_what_it_was_given(shell: Shell) -> None:
    assert shell("run", "-q", "program.py", "late", "--data", "data.txt", code=None).code != 0
    (shell.directory / "data.txt").write_text("changed")
    (shell.directory / "ready").touch()
    assert shell("recover", "-q", "latest").out == "ab\n"


def test_a_fork_is_given_another_file(shell: Shell) -> None:
    assert shell("run", "-q", "program.py", "text", "--data", "data.txt").out == "ab\n"
    (shell.directory / "other.txt").write_text("cd")
    assert shell("fork", "-q", "--yes", "latest", "--input", "data=other.txt").out == "cd\n"
    assert shell("describe", "latest", "--json").json["inputs"]["data"].startswith("blob:files/")


def test_a_directory(shell: Shell) -> None:
    (shell.directory / "tree" / "sub").mkdir(parents=True)
    (shell.directory / "tree" / "sub" / "x").write_text("x")
    (shell.directory / "tree" / "y").write_text("y")
    assert shell("run", "-q", "program.py", "names", "--folder", "tree").json == ["y", "sub/x"]


def test_a_path_that_is_not_there_is_refused(shell: Shell) -> None:
    done = shell("run", "program.py", "text", "--data", "nowhere.txt", code=None)
    assert done.code != 0
    assert "nowhere.txt" in done.err
    assert "is no file" in done.err
    assert not (shell.directory / ".whimbrel").exists()
