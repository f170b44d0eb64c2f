"""`pyflyte` and `union` against `flytectl demo start`: what they register, launch, show."""

from __future__ import annotations

import json
import subprocess
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


@pytest.mark.slow  # a dozen commands
def test_what_is_registered_is_listed_activated_and_launched(site: Site, tmp_path: Path) -> None:
    (tmp_path / "plans.py").write_text(PLANS)
    site.call("pyflyte", "register", "--version", "v1", "--activate-launchplans", tmp_path / "plans.py")
    shown = site.call("pyflyte", "get", "launchplan", "nightly").stdout
    assert "│ nightly │ v1      │ ACTIVE │ 0 3 * * * │" in shown
    site.call("pyflyte", "launchplan", "--deactivate", "nightly", "v1")
    assert "nightly" not in site.call("pyflyte", "get", "launchplan", "--active-only", "nightly").stdout
    site.call("flytectl", "update", "launchplan", "nightly", "--version", "v1", "--activate")
    rows = json.loads(site.call("flytectl", "get", "launchplans", "nightly", "-o", "json").stdout)
    assert [(row["version"], row["state"], row["schedule"]) for row in rows] == [("v1", "ACTIVE", "0 3 * * *")]
    assert "plans.once" in site.call("pyflyte", "run", "remote-task").stdout
    for command in (("remote-task", "plans.once:v1", "--x", "21"), ("remote-launchplan", "nightly")):
        assert site.call("pyflyte", "run", "--wait", *command).stdout == "42\n"
    window = ("--from-date", "2024-01-01", "--backfill-window", "2 DAYS")
    planned = site.call("pyflyte", "backfill", "--dry-run", *window, "nightly").stdout
    assert planned.endswith("2 executions; nothing was launched\n")
    done = site.call("pyflyte", "backfill", *window, "nightly").stdout
    assert [line.split()[0] for line in done.splitlines()[:2]] == [line.split()[0] for line in planned.splitlines()[:2]]
    site.call("flytectl", "update", "launchplan", "nightly", "--version", "v1", "--archive")


PLANS = """
from flytekit import CronSchedule, LaunchPlan, task, workflow


@task
def once(x: int) -> int:
    return 2 * x


@workflow
def doubled(x: int) -> int:
    return once(x=x)


at_three = CronSchedule(schedule="0 3 * * *")
nightly = LaunchPlan.get_or_create(doubled, "nightly", fixed_inputs={"x": 21}, schedule=at_three)
"""


@pytest.mark.slow  # a dozen commands
def test_executions_are_shown_fetched_and_run_again(site: Site, tmp_path: Path) -> None:
    file = PROGRAMS / "distant.py"
    site.call("pyflyte", "run", "--remote", "--wait", "--name", "shown", file, "both", "--x", 4)
    rows = json.loads(site.call("flytectl", "get", "execution", "shown", "--details", "-o", "json").stdout)
    assert (rows[0]["inputs"], rows[0]["outputs"], rows[0]["phase"]) == ({"x": 4}, {"o0": 10}, "SUCCEEDED")
    assert [row["name"] for row in rows[1:]] == ["n0", "n1"]
    assert "shown" in site.call("flytectl", "get", "executions", "--limit", 5).stdout
    place = "flyte://v1/flytesnacks/development/shown"
    assert site.call("pyflyte", "fetch", f"{place}/n0/o").stdout == "o0: 5\n"
    assert site.call("pyflyte", "fetch", f"{place}/o/o0").stdout == "10\n"
    assert "shown" in site.call("pyflyte", "metrics", "explain", "shown").stdout
    assert "n1:" in site.call("pyflyte", "metrics", "dump", "shown").stdout
    again = site.call("pyflyte", "execution", "--execution-id", "shown", "relaunch").stdout
    assert again.startswith("Execution ")
    assert "has failed" in site.call("union", "execution", "--execution-id", "shown", "recover", code=2).stderr
    site.call("flytectl", "get", "task", "distant.double", "--latest", "--execFile", tmp_path / "asked.yaml")
    asked = (tmp_path / "asked.yaml").read_text()
    (tmp_path / "asked.yaml").write_text(asked.replace("x: null", "x: 4"))
    made = site.call("flytectl", "create", "execution", "--execFile", tmp_path / "asked.yaml").stdout
    name = made.strip().rpartition(":")[2]
    assert "ended already" in until_ended(site, name).stderr
    assert "nobody" in site.call("flytectl", "delete", "execution", "nobody", code=2).stderr


def until_ended(site: Site, name: str) -> subprocess.CompletedProcess[str]:
    """What ending an execution says that has ended by itself: it is waited for first."""
    wait = f"from flytekit.remote import FlyteRemote; FlyteRemote.for_sandbox().fetch_execution(name={name!r}).wait()"
    site.call("python", "-c", wait)
    return site.call("flytectl", "delete", "execution", name, code=2)


def test_projects_are_made_and_used(site: Site) -> None:
    site.call("flytectl", "create", "project", "--id", "birds", "--description", "of all kinds")
    assert "of all kinds" in site.call("flytectl", "get", "project").stdout
    assert "already" in site.call("flytectl", "create", "project", "--id", "birds", code=2).stderr
    options = ("--project", "birds", "--domain", "staging", "--name", "elsewhere")
    out = site.call("union", "run", "--remote", "--wait", *options, PROGRAMS / "distant.py", "both", "--x", 1).stdout
    assert out == "4\n"
    place = ("-p", "birds", "-d", "staging")
    shown = json.loads(site.call("flytectl", "get", "execution", *place, "elsewhere", "-o", "json").stdout)
    assert shown[0]["outputs"] == {"o0": 4}
    assert "elsewhere" in site.call("flytectl", "get", "execution", "elsewhere", code=2).stderr


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
