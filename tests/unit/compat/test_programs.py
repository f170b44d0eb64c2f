"""``pyflyte``, ``union`` and ``flytectl``: verbs that are here, and words for those that are not."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

import union.cli
from flytekit._adapt import surface
from flytekit.clis import flytectl
from flytekit.clis.sdk_in_container import pyflyte

Program = Callable[[Sequence[str]], int]
PROGRAMS: dict[str, Program] = {"pyflyte": pyflyte.main, "union": union.cli.main, "flytectl": flytectl.main}
ABSENT = [
    (name, verb, instead)
    for name, table in surface()["programs"].items()
    for status in ("planned", "unsupported")
    for verb, instead in table[status].items()
]


@pytest.mark.parametrize(("name", "verb", "instead"), ABSENT)
def test_absent_verbs_say_what_to_do_instead(
    name: str, verb: str, instead: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert PROGRAMS[name]([verb, "start", "--whatever"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith(f"{name}: `{name} {verb}` is ")
    assert told.err.endswith(f"{instead}\n")


@pytest.mark.parametrize("name", PROGRAMS)
def test_supported_verbs_are_listed(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert PROGRAMS[name](["--help"]) == 0
    listed = capsys.readouterr().out.partition("Commands:")[2]
    assert [line.split()[0] for line in listed.strip().splitlines()] == surface()["programs"][name]["supported"]


@pytest.mark.parametrize("name", PROGRAMS)
def test_unknown_verbs_and_options_are_told(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert PROGRAMS[name](["frobnicate"]) == 2
    assert "No such command 'frobnicate'" in capsys.readouterr().err
    assert PROGRAMS[name](["--frobnicate", "run"]) == 2
    assert "--frobnicate" in capsys.readouterr().err


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with one file, which stays imported."""
    made = tmp_path_factory.mktemp("project")
    (made / "nobody_flow.py").write_text(
        "from flytekit import task\n\n\n@task\ndef one(x: int) -> int:\n    return x\n"
    )
    return made


@pytest.fixture
def nobody(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An address where no server is."""
    monkeypatch.setenv("HOME", str(project))
    monkeypatch.setenv("FLYTE_PLATFORM_URL", "localhost:1")
    monkeypatch.chdir(project)


@pytest.mark.usefixtures("nobody")
@pytest.mark.parametrize("name", ["pyflyte", "union"])
@pytest.mark.parametrize(
    "command",
    [
        ("run", "--remote", "nobody_flow.py", "one", "--x", "1"),
        ("run", "remote-task"),
        ("run", "remote-launchplan", "nobody_flow.one:v1", "--x", "1"),
        ("register", "nobody_flow.py"),
        ("get", "launchplan"),
        ("launchplan", "--activate", "a-plan"),
        ("execution", "--execution-id", "gone", "relaunch"),
        ("fetch", "flyte://v1/p/d/gone/n0/o"),
    ],
)
def test_verbs_say_that_nobody_answers(name: str, command: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert PROGRAMS[name](command) == 69
    told = capsys.readouterr().err.splitlines()
    assert told[-1].startswith(f"{name}: there is no server at http://localhost:1")
    assert "Traceback" not in "".join(told)


@pytest.mark.usefixtures("nobody")
@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("run", "--remote", "nobody_flow.py", "one", "--x", "much"), "--x: expected"),
        (("run", "--remote", "nobody_flow.py", "one", "--y", "1"), "there is no input 'y'"),
        (("run", "--remote", "nobody_flow.py", "one"), "--x is missing"),
        (("run", "--remote", "--labels", "odd", "nobody_flow.py", "one", "--x", "1"), "--labels 'odd': write it like"),
        (("register",), "name a file"),
        (("register", "nowhere.py"), "there is no file or directory"),
        (("register", "--copy", "none", "nobody_flow.py"), "needs a --version"),
        (("fetch", "s3://bucket"), "is no flyte://v1/"),
        (("launchplan", "a-plan"), "Missing option"),
    ],
)
def test_what_is_wrong_is_told_before_anybody_is_asked(
    command: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert PROGRAMS["pyflyte"](command) == 2
    assert words in capsys.readouterr().err


@pytest.mark.usefixtures("nobody")
def test_a_dry_run_registers_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert PROGRAMS["pyflyte"](["register", "--dry-run", "--image", "i", "nobody_flow.py"]) == 0
    told = capsys.readouterr()
    assert "Task: nobody_flow.one (would be registered)" in told.out
    assert told.err == "pyflyte: --image speaks to a cluster; no effect here\n"


def test_unknown_options_of_run_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert PROGRAMS["pyflyte"](["run", "--frobnicate", "f.py", "wf"]) == 2
    assert "--frobnicate" in capsys.readouterr().err


def test_what_whimbrel_has_to_say_is_passed_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert PROGRAMS["union"](["run", "no-such-file.py", "wf"]) == 2
    assert "no-such-file.py" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["pyflyte", "union"])
def test_info(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert PROGRAMS[name](["info"]) == 0
    assert "whimbrel-flytekit" in capsys.readouterr().out


def test_versions(capsys: pytest.CaptureFixture[str]) -> None:
    assert PROGRAMS["flytectl"](["version"]) == 0
    assert PROGRAMS["pyflyte"](["--version"]) == 0
    assert "(whimbrel)" in capsys.readouterr().out
