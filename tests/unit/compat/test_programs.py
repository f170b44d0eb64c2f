"""``pyflyte``, ``union`` and ``flytectl``: verbs that are here, and words for those that are not."""

from collections.abc import Callable, Sequence

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


@pytest.mark.parametrize("name", ["pyflyte", "union"])
def test_remote_runs_are_refused(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert PROGRAMS[name](["run", "--remote", "-p", "p", "-d", "d", "workflows.py", "wf", "--x", "1"]) == 2
    assert f"{name}: `{name} run --remote` needs a server" in capsys.readouterr().err
    assert PROGRAMS[name](["run", "remote-task", "p:d:t"]) == 2
    assert "run remote-task` needs a server" in capsys.readouterr().err


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
