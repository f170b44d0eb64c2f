"""Container tasks, run as processes of the machine; the command line for a runtime is told by a stand-in for it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.unit.authoring import command_flows as flows
from whimbrel import CallMismatch, ContainerTask, FlyteFile, UserError, kwtypes
from whimbrel.authoring.declaring import declarations
from whimbrel.errors import ProcessFailed
from whimbrel.model.declared import ContainerSpec
from whimbrel.testing.engine import TestEngine


def test_inputs_lie_in_files_and_outputs_are_taken_from_files() -> None:
    for label in ("it's $(x)", "/var/inputs/label", "{{.inputs.width}}"):
        area, seen = flows.area(width=2.0, height=3.5, label=label)
        assert area == 7.0
        assert seen == {"text": label, "same": True}


def test_in_workflows_and_bodies(tmp_path: Path) -> None:
    engine = TestEngine()
    assert engine.run(flows.square, side=3.0) == 9.0 == flows.square(side=3.0)
    assert engine.run(flows.squares, sides=[1.0, 2.0]) == [1.0, 4.0] == asyncio.run(flows.squares(sides=[1.0, 2.0]))
    (tmp_path / "a file").write_text("kept")
    with open(engine.run(flows.copying, file=FlyteFile(tmp_path / "a file"))) as file:
        assert file.read() == "kept"
    copy, tree = flows.copied(file=FlyteFile(tmp_path / "a file"))
    assert Path(copy).read_text() == "kept"
    assert [Path(path).name for path in Path(tree).iterdir()] == ["file"]


def test_a_command_that_fails_or_is_not_there() -> None:
    with pytest.raises(ProcessFailed, match="the command of fails ended with exit code 4\n    no good"):
        flows.fails()
    with pytest.raises(ProcessFailed, match="'no-such-program' cannot be run: No such file"):
        ContainerTask("missing", image="i", command=["no-such-program"])()
    with pytest.raises(UserError, match="only a container runtime knows"):
        ContainerTask("bare", image="i")()


def test_an_image_is_mapped_to_programs_of_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "greet"
    program.write_text('#!/bin/sh\nprintf "hello %s" "$1" > "$2"\n')
    program.chmod(0o755)
    monkeypatch.setenv("WHIMBREL_IMAGES", f"other=/nowhere, greetings={tmp_path}")
    made = ContainerTask(
        "greeting",
        image="greetings:3",
        command=["greet", "{{.inputs.who}}", "/out/said"],
        inputs=kwtypes(who=str),
        outputs=kwtypes(said=str),
        output_data_dir="/out",
    )
    assert made(who="$USER") == "hello $USER"


def test_with_a_runtime_the_command_runs_in_the_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No runtime is here: a program of its name writes down what it was told, and what it finds mounted."""
    docker = tmp_path / "docker"
    docker.write_text(
        '#!/bin/sh\nprintf "%s\\n" "$@" | grep -v volume > "$LOG"\n'
        'for one in "$@"; do case "$one" in *:/var/outputs) echo 6.5 > "${one%:/var/outputs}/area";\n'
        'echo "{}" > "${one%:/var/outputs}/seen";; esac; done\n'
    )
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("LOG", str(tmp_path / "log"))
    monkeypatch.setenv("WHIMBREL_CONTAINERS", "docker")
    assert flows.area(width=1.0, height=2.0, label="a b") == (6.5, {})
    told = (tmp_path / "log").read_text().splitlines()
    assert told[:2] == ["run", "--rm"]
    assert any(line.endswith("/inputs:/var/inputs:ro") for line in told)
    assert told[told.index("--env") + 1] == "LEVEL"
    assert told[told.index("--entrypoint") + 1 :][:3] == ["python", "shapes:1.2", "-c"]
    assert told[-1] == "a b"
    monkeypatch.setenv("WHIMBREL_CONTAINERS", "chroot")
    with pytest.raises(UserError, match="Set it to host, docker or podman"):
        flows.area(width=1.0, height=2.0, label="a")


def test_what_a_back_end_is_told() -> None:
    program = flows.square.program()
    told = declarations([flows.square], program).tasks["area"]
    assert told.type == "raw-container"
    assert told.container == ContainerSpec(
        "shapes:1.2", ("python", "-c"), tuple(flows.area.arguments), "/var/inputs", "/var/outputs"
    )


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"command": "sh -c x"}, "a command line is a list"),
        ({"command": ["a", "{{.inputs.y}}"]}, "is no input of it"),
        ({"command": ["a"], "outputs": {"o": str}}, "no output_data_dir"),
    ],
)
def test_what_a_container_task_cannot_be_made_of(options: dict[str, Any], told: str) -> None:
    with pytest.raises(CallMismatch, match=told):
        ContainerTask("wrong", image="i", inputs=kwtypes(x=int), **options)
