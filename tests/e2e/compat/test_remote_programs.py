"""`pyflyte` and `union` against `flytectl demo start`: what they register, launch, show."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.compat.served import LISTINGS, Site, demo

PROGRAMS = Path(__file__).with_name("programs")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with demo(tmp_path_factory.mktemp("user")) as made:
        yield made


def test_what_is_registered_is_named_and_registering_again_changes_nothing(site: Site, tmp_path: Path) -> None:
    (tmp_path / "flow.py").write_text((PROGRAMS / "distant.py").read_text())
    command = ("pyflyte", "register", "--version", "v1", tmp_path / "flow.py")
    said = site.call(*command).stdout
    for line in ("Task: flow.add_one", "Task: flow.reach", "Workflow: flow.both", "Launch Plan: flow.both"):
        assert f"[✔] {line}\n" in said
    assert said.endswith("Successfully registered 7 entities, version v1\n")
    assert site.call(*command).stdout == said
    (tmp_path / "flow.py").write_text((PROGRAMS / "distant.py").read_text().replace("x + 1", "x + 2"))
    refused = site.call(*command, code=2).stderr
    assert refused.startswith("pyflyte: ")
    assert "v1" in refused


@pytest.mark.parametrize(
    ("name", "x", "out"), [("reach", 4, "10\n"), ("reach", -7, "-1\n"), ("reach_twice", 1, "10\n")]
)
def test_eager_workflows_that_name_a_server_run_on_one(site: Site, name: str, x: int, out: str) -> None:
    file = PROGRAMS / "distant.py"
    done = site.call("union", "run", "--remote", "--wait", file, name, "--x", x)
    assert done.stdout == out
    assert "to see execution in the console" in done.stderr


def test_the_body_runs_here_and_what_it_calls_there(site: Site, tmp_path: Path) -> None:
    done = site.call("python", PROGRAMS / "distant_body.py", directory=tmp_path)
    here, there, result, caught = done.stdout.splitlines()
    assert here != there  # processes
    assert (result, caught) == ("10", "ValueError: 3 is refused, EagerException")


def test_a_run_that_fails_is_told_with_its_error(site: Site) -> None:
    file = PROGRAMS / "distant_body.py"
    done = site.call("pyflyte", "run", "--remote", "--wait", "--name", "refused", file, "refuse", "--x", 3, code=1)
    assert done.stdout == ""
    assert "Execution refused did not complete successfully, phase FAILED" in done.stderr
    assert "ValueError: 3 is refused" in done.stderr


def test_options_reach_the_run(site: Site) -> None:
    options = ("--name", "labelled", "--labels", "team=birds", "--tag", "quick", "--env", "WHERE=there", "--image", "i")
    done = site.call(*("pyflyte", "run", "--remote", *options, "--dump-snippet", PROGRAMS / "distant_body.py", "where"))
    assert done.stderr.startswith("pyflyte: --image speaks to a cluster; without effect here\n")
    snippet = done.stdout.partition("\n\n")[2]
    fetched = snippet.replace(
        "print(execution.outputs)", "print(execution.wait().outputs['o0'], execution.spec.labels)"
    )
    (site.home / "snippet.py").write_text(fetched)
    assert site.call("python", "snippet.py").stdout == "there {'team': 'birds'}\n"


# --- the listing of the documentation, from where it is ---------------------------------------------------------------

LISTING = LISTINGS / "eager_remote.py"
SEEDS = [LISTING] if LISTING.is_file() else []


@pytest.mark.parametrize("name", ["eager_workflow_remote", "eager_workflow_sandbox"] if SEEDS else ["reach"])
def test_the_documented_steps(site: Site, name: str) -> None:
    """Register, then run, with the configuration file beside the listing; our own program stands in for it where it is
    not at hand."""
    file = LISTING if SEEDS else PROGRAMS / "distant.py"
    # The file says the usual port, where another server may be: the variable wins.
    place = {"FLYTE_PLATFORM_URL": site.endpoint}
    config = ("--config", "config.yaml") if SEEDS else ()
    options = ("--project", "flytesnacks", "--domain", "development", "--image", "registry.example/image:1")
    said = site.call("union", *config, "register", *options, file.name, directory=file.parent, **place)
    assert "Successfully registered" in said.stdout
    command = ("union", *config, "run", "--remote", "--wait", *options, file.name, name, "--x", 4)
    assert site.call(*command, directory=file.parent, **place).stdout == "10\n"
