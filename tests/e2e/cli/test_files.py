"""Files on the command line: paths in, references out, and runs that keep what they were given."""

from __future__ import annotations

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.cli.shell import Shell

PROGRAM = """
from collections.abc import Iterator
from pathlib import Path
from whimbrel import FlyteDirectory, FlyteFile, eager, task
from whimbrel.types.iterators import JSON

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
def twice(rows: Iterator[JSON]) -> Iterator[JSON]:
    for row in rows:
        yield row
        yield {"a": row["a"] + 1, "as": "new"}
        yield {"a": 0}

@task
def added(rows: Iterator[JSON]) -> int:
    return sum(row["a"] for row in rows)

@eager
async def summed(rows: Iterator[JSON]) -> int:
    made = await twice(rows=rows)
    return await added(rows=made) + await added(rows=rows) + next(made)["a"]

@task
def names(folder: FlyteDirectory) -> list[str]:
    return [path for _, path in folder.crawl()]
"""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: Any) -> None:
        pass


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


def test_a_run_keeps_what_its_launch_plan_fixes(shell: Shell) -> None:
    program = (shell.directory / "program.py").read_text()
    (shell.directory / "program.py").write_text(f"""{program}
from whimbrel import LaunchPlan, workflow

@task
def gate() -> bool:
    return ready()

@workflow
def waits(data: FlyteFile) -> str:
    said = text(data=data)
    gate().runs_before(said)
    return said

plan = LaunchPlan.create("plan", waits, fixed_inputs={{"data": FlyteFile("data.txt")}})
""")
    assert shell("run", "-q", "program.py", "plan", code=None).code != 0
    (shell.directory / "data.txt").write_text("changed")
    (shell.directory / "ready").touch()
    assert shell("recover", "-q", "latest").out == "ab\n"
    # A fork runs what the program says now.
    assert shell("fork", "-q", "--yes", "latest").out == "changed\n"
    told = shell("run", "program.py", "plan", "--data", "data.txt", code=2).err
    assert "plan: the launch plan fixes 'data'; it takes no other" in told


def test_a_directory(shell: Shell) -> None:
    (shell.directory / "tree" / "sub").mkdir(parents=True)
    (shell.directory / "tree" / "sub" / "x").write_text("x")
    (shell.directory / "tree" / "y").write_text("y")
    assert shell("run", "-q", "program.py", "names", "--folder", "tree").json == ["y", "sub/x"]


def test_a_web_address_goes_in_and_a_password_does_not(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    (shell.directory / "www").mkdir()
    (shell.directory / "www" / "web.txt").write_text("from the web")
    handler = partial(Quiet, directory=str(shell.directory / "www"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}/web.txt"
        assert shell("run", "-q", "program.py", "text", "--data", url).out == "from the web\n"
        assert shell("run", "--direct", "program.py", "text", "--data", url).out == "from the web\n"
        server.shutdown()
        thread.join()
    refused = shell("run", "program.py", "text", "--data", "https://me:hunter2@host/x", code=None)
    assert refused.code != 0
    assert "password" in refused.err
    assert "hunter2" not in refused.err


def test_lines_are_streamed_through_workers(shell: Shell) -> None:
    (shell.directory / "rows.jsonl").write_text('{"a": 1}\n{"a": 2}\n')
    assert shell("run", "-q", "program.py", "summed", "--rows", "rows.jsonl").out == "12\n"


def test_a_path_that_is_not_there_is_refused(shell: Shell) -> None:
    done = shell("run", "program.py", "text", "--data", "nowhere.txt", code=None)
    assert done.code != 0
    assert "nowhere.txt" in done.err
    assert "is no file" in done.err
    assert not (shell.directory / ".whimbrel").exists()
