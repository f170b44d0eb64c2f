"""``pyflyte run`` as the real one is called: listings, inputs from files and stdin, options for servers; ``init`` and
``local-cache``."""

from __future__ import annotations

import io
import os
import sys
import tarfile
from pathlib import Path

import pytest

from flytekit.clis.sdk_in_container.pyflyte import main

PROGRAM = '''
import typing
from dataclasses import dataclass
from flytekit import LaunchPlan, eager, task, workflow
from flytekit.types.directory import FlyteDirectory
from flytekit.types.file import FlyteFile

@dataclass
class Point:
    x: int = 1
    label: str = "a"

@task
def add(a: int, flag: bool = False) -> int:
    """Adds one.

    At length.
    """
    return a + (10 if flag else 1)

@task
def show(xs: typing.List[int], m: typing.Dict[str, int], p: Point, o: typing.Optional[int] = None) -> str:
    return f"{xs} {m} {p} {o}"

@task
def read(f: FlyteFile, d: FlyteDirectory) -> str:
    with open(f) as text:
        return text.read() + ",".join(sorted(os.path.basename(str(x)) for x in FlyteDirectory.listdir(d)))

@task
def loud(BigName: int) -> int:
    return BigName

@workflow
def wf(a: int = 3) -> int:
    """The workflow."""
    return add(a=a)

plan = LaunchPlan.get_or_create(wf, "nightly", default_inputs={"a": 5})

@eager
async def mixed(a: int) -> int:
    return add(a=a)
'''


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The program's file: a module of its own for each test."""
    name = f"pyflyte_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text("import os\n" + PROGRAM)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("WHIMBREL_HOME", raising=False)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return f"{name}.py"


def said(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> tuple[str, str]:
    assert main(list(words)) == code
    told = capsys.readouterr()
    return told.out, told.err


@pytest.mark.parametrize("more", [(), ("--help",)])
def test_a_file_alone_is_listed_with_docs(more: tuple[str, ...], file: str, capsys: pytest.CaptureFixture[str]) -> None:
    out, err = said(capsys, "run", file, *more)
    assert [line.split() for line in out.splitlines()[3:]] == [
        ["add", "task.", "Adds", "one."],
        ["show", "task."],
        ["read", "task."],
        ["loud", "task."],
        ["wf", "workflow.", "The", "workflow."],
        ["plan", "launch", "plan.", "The", "workflow."],
        ["mixed", "eager", "workflow."],
    ]
    assert err == ""


@pytest.mark.parametrize(
    ("words", "out"),
    [
        (("add", "--a", "3"), "4"),
        (("add", "--a", "3", "--flag"), "13"),
        (("add", "--a", "3", "--no-flag"), "4"),
        (("wf",), "4"),
        (("plan",), "6"),
        (("nightly",), "6"),
        (("mixed", "--a", "1"), "2"),
        (("loud", "--BigName", "2"), "2"),
        (
            ("show", "--xs", "[1,2]", "--m", '{"a":1}', "--p", '{"x":4}'),
            "[1, 2] {'a': 1} Point(x=4, label='a') None",
        ),
    ],
)
def test_entities_of_every_kind_and_inputs_of_every_form(
    words: tuple[str, ...], out: str, file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said(capsys, "run", "--direct", file, *words)[0] == f"{out}\n"


def test_files_and_directories_are_paths(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("f.txt").write_text("hi ")
    Path("d").mkdir()
    Path("d/a").write_text("")
    assert said(capsys, "run", "--direct", file, "read", "--f", "f.txt", "--d", "d")[0] == "hi a\n"


@pytest.mark.parametrize("text", ['{"a": 7, "flag": true}', "a: 7\nflag: true\n"])
def test_inputs_come_from_a_file_or_from_stdin(
    text: str, file: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("in.txt").write_text(text)
    for words in (["--inputs-file", "in.txt"], ["--inputs-file=in.txt"], ["--inputs-file", "-"], ["-"]):
        monkeypatch.setattr(sys, "stdin", io.StringIO(text))
        assert said(capsys, "run", "--direct", file, "add", *words)[0] == "17\n"
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))
    assert said(capsys, "run", "--direct", file, "add", "-", "--a", "1")[0] == "11\n"


@pytest.mark.parametrize(
    ("text", "fault"), [("[1]", "must hold the inputs by name"), ("a: [", "neither YAML nor JSON"), ("b: 1", "'b'")]
)
def test_a_bad_file_of_inputs_is_told(text: str, fault: str, file: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("in.yaml").write_text(text)
    assert fault in said(capsys, "run", "--direct", file, "add", "--inputs-file", "in.yaml", code=2)[1]
    assert "cannot be read" in said(capsys, "run", "--direct", file, "add", "--inputs-file", "none", code=2)[1]


def test_options_for_servers_say_that_nobody_heard_them(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["-p", "p", "-d", "d", "--image", "i", "--tag", "t", "--copy", "auto", "--wait", "--interruptible"]
    out, err = said(capsys, "run", *options, "--direct", file, "wf")
    assert out == "4\n"
    assert err.startswith(
        "pyflyte: --copy, --domain, --image, --interruptible, --project, --tags, --wait-execution speak"
    )
    assert said(capsys, "run", "--direct", file, "wf")[1] == ""


def test_options_of_the_group(file: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLYTECTL_CONFIG", "")
    Path("config.yaml").write_text("admin:\n  endpoint: dns:///flyte.example.com\n")
    assert said(capsys, "-k", "a.b", "-vv", "-c", "config.yaml", "run", "--direct", file, "wf")[0] == "4\n"
    assert os.environ["FLYTECTL_CONFIG"] == "config.yaml"
    assert "flyte.example.com" in said(capsys, "--config", "config.yaml", "info")[0]


def test_a_project_to_begin_with(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Next: cd birds" in said(capsys, "init", "birds")[0]
    monkeypatch.chdir("birds")
    out, _ = said(capsys, "run", "--direct", "workflows/example.py", "greet", "--name", "Ada")
    assert out == '{"o0": "Hello, Ada!", "o1": 11}\n'
    monkeypatch.chdir("..")
    assert "is there already" in said(capsys, "init", "birds", code=2)[1]


CACHED = """
from flytekit import Cache, task, workflow

@task(cache=Cache(version="1"))
def kept(x: int) -> int:
    print("computed")
    return x

@workflow
def wf(x: int) -> int:
    return kept(x=x)
"""


def test_there_may_be_no_cache_to_clear(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "local-cache", "clear")[0] == "cleared 0 kept outputs of .whimbrel\n"


def test_packages_are_compiled_to_files_and_archives(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "src"
    (source / "birds_of_pyflyte").mkdir(parents=True)
    (source / "birds_of_pyflyte/__init__.py").write_text("")
    (source / "birds_of_pyflyte/flows.py").write_text(CACHED)
    words = ["-k", "birds_of_pyflyte", "package", "--image", "registry/app:v1", "-s", "src", "-o", "out.tgz"]
    assert said(capsys, *words)[0] == "packaged 3 messages into out.tgz\n"
    with tarfile.open("out.tgz") as archive:
        names = archive.getnames()
    assert names == [
        "0_birds_of_pyflyte.flows.kept_1.pb",
        "1_birds_of_pyflyte.flows.wf_2.pb",
        "2_birds_of_pyflyte.flows.wf_3.pb",
    ]
    assert "is there already" in said(capsys, *words, code=2)[1]
    assert said(capsys, *words, "--force")[0].startswith("packaged 3")
    words = ["-k", "birds_of_pyflyte", "serialize", "-s", "src", "workflows", "-f", "pb"]
    assert said(capsys, *words)[0] == "serialized 3 messages into pb\n"
    assert sorted(path.name for path in Path("pb").iterdir()) == names
    assert "no package 'fish'" in said(capsys, "-k", "fish", "package", "-o", "x.tgz", code=2)[1]
