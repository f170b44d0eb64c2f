"""Instance tasks and shell tasks, as plain calls, on the engine, and in eager bodies."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.authoring import shell_flows as flows
from whimbrel import CallMismatch, CompileError, FlyteFile, ShellTask, UserError, ValueMismatch, kwtypes, workflow
from whimbrel.authoring.instance_task import InstanceTask
from whimbrel.authoring.processes import run_process
from whimbrel.authoring.shell_task import OutputLocation
from whimbrel.errors import ProcessFailed
from whimbrel.testing.engine import TestEngine

NASTY = [
    "a b",
    "$(touch owned)",
    "`touch owned`",
    "'; touch owned; '",
    '"; touch owned; "',
    "$HOME\\",
    "-n *",
    "é\n\t'\"",
]


@pytest.mark.parametrize("text", NASTY)
def test_nothing_in_a_value_is_read_by_the_shell(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert flows.shout(text=text) == f"{text}!"
    told = capsys.readouterr()
    assert told.out == f"said: {text}\n"
    assert told.err == f"and {text} too\n"
    assert os.listdir(tmp_path) == []


@settings(max_examples=40, deadline=None)
@given(
    text=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30),
    place=st.integers(0, 5),
)
def test_a_value_arrives_as_it_is_wherever_it_stands(text: str, place: int) -> None:
    script = [
        "printf '%s' {inputs.x} > {outputs.y}",
        'printf "%s" "{inputs.x}" > "{outputs.y}"',
        "printf '%s' '{inputs.x}' > '{outputs.y}'",
        "printf '%s' 'it'\\''s '\"{inputs.x}\" | cut -c 1- > /dev/null; printf %s {inputs.x}>{outputs.y}",
        "x={inputs.x}; printf '%s' \"$x\" > {outputs.y} # don't {inputs.x}",
        "cat > {outputs.z} <<END # '\n{inputs.x}\nEND\nprintf '%s' \"$(cat {outputs.z}; echo .)\" > {outputs.y}",
    ][place]
    locations = [OutputLocation("y", FlyteFile, "y"), *([OutputLocation("z", FlyteFile, "z")] if place == 5 else [])]
    made = ShellTask("as_it_is", script=script, inputs=kwtypes(x=str), output_locs=locations)
    result = made(x=text)
    with open(os.fspath(result[0] if place == 5 else result), newline="", encoding="utf-8") as file:
        assert file.read() == (f"{text}\n." if place == 5 else text)


def test_files_go_in_and_come_out(tmp_path: Path) -> None:
    (tmp_path / "lines of it").write_text("a\nb\nc\n")
    lines, directory = flows.count(file=FlyteFile(tmp_path / "lines of it"), at=2)
    assert lines == 3
    assert sorted(os.listdir(directory)) == ["part.aa", "part.ab"]
    result = flows.sort(file=FlyteFile(tmp_path / "lines of it"), flags="-r -u")
    assert Path(result).read_text() == "c\nb\na\n"


def test_on_the_engine_and_in_a_body(tmp_path: Path) -> None:
    (tmp_path / "lines").write_text("a\nb\nc\n")
    engine = TestEngine()
    assert engine.run(flows.loud, text="$x") == 9
    assert engine.run(flows.parts, file=FlyteFile(tmp_path / "lines")) == 1
    assert engine.run(flows.loudly, text="$(ls) 'here'") == 93 == asyncio.run(flows.loudly(text="$(ls) 'here'"))
    assert engine.run(flows.shout, text="by itself") == "by itself!"
    assert {execution.task for execution in engine.executed} == {
        "shout",
        "thrice",
        "flows.divided",
        "flows.count",
        "tests.unit.authoring.shell_flows.length",
    }
    assert flows.loud(text="$x") == 9
    assert flows.parts(file=FlyteFile(tmp_path / "lines")) == 1


def test_another_exit_code_fails_the_task_with_the_end_of_stderr() -> None:
    made = ShellTask("fails", script="for i in $(seq 30); do echo line $i >&2; done; exit 3")
    with pytest.raises(ProcessFailed, match="the script of fails ended with exit code 3\n    line 11\n") as caught:
        made()
    assert caught.value.exit_status == 3
    assert str(caught.value).endswith("line 30")
    with pytest.raises(ProcessFailed, match="ended by signal 9"):
        ShellTask("killed", script="kill -9 $$")()
    engine = TestEngine()
    assert engine.run(flows.may_fail, n=2) is None
    with pytest.raises(ProcessFailed, match="exit code 1"):
        engine.run(flows.may_fail, n=5)


def test_what_a_script_does_not_leave() -> None:
    nothing = ShellTask("nothing", script="true", output_locs=[OutputLocation("f", FlyteFile, "f")])
    with pytest.raises(UserError, match=r"output 'f' of nothing: there is no file at .*"):
        nothing()
    many = ShellTask("many", script="echo many > n", output_locs=[OutputLocation("n", int, "n")])
    with pytest.raises(ValueMismatch, match="output 'n' of many: expected int, got 'many'"):
        many()


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (str, "a\n", "a"),
        (float, " 2.5\n", 2.5),
        (bool, "true", True),
        (list[int], "[1, 2]", [1, 2]),
        (dict[str, int], '{"a": 1}', {"a": 1}),
    ],
)
def test_values_are_read_by_their_types(kind: Any, text: str, value: Any) -> None:
    made = ShellTask(
        "reads", script="printf %s {inputs.x} > v", inputs=kwtypes(x=str), output_locs=[OutputLocation("v", kind, "v")]
    )
    assert made(x=text) == value


def test_the_context_the_environment_and_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "script.sh").write_text("echo {ctx.execution_id} $GREETING {inputs.x} {inputs.x}")
    made = ShellTask(
        "from_file",
        debug=True,
        script_file=tmp_path / "script.sh",
        inputs=kwtypes(x=list[int]),
        environment={"GREETING": "hello"},
        shell="/bin/bash",
    )
    assert made(x=[1, 2]) is None
    first, second = capsys.readouterr().out.splitlines()
    assert first == 'echo "${WHIMBREL_VALUE_0}" $GREETING "${WHIMBREL_VALUE_1}" "${WHIMBREL_VALUE_1}"'
    assert second.startswith("local-")
    assert second.endswith(" hello [1, 2] [1, 2]")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, "either a script or a script_file"),
        ({"script": "a", "script_file": "b"}, "either a script or a script_file"),
        ({"script_file": "not there"}, "cannot be read: No such file"),
        ({"script": "a", "shell": "/usr/bin/python"}, "no shell that is known here"),
        ({"script": "echo {inputs.y}"}, r"the script names \{inputs.y\}"),
        ({"script": "a", "retrys": 3}, "retries"),
    ],
)
def test_what_a_shell_task_cannot_be_made_of(options: dict[str, Any], told: str) -> None:
    with pytest.raises(CallMismatch, match=told):
        ShellTask("wrong", inputs=kwtypes(x=int), **options)


def test_braces_of_the_shell_are_left_alone(capsys: pytest.CaptureFixture[str]) -> None:
    ShellTask("braces", script="x=7; inputs=5; echo ${x} a{b,c} '{ inputs }' $((x + 1))", shell="/bin/bash")()
    assert capsys.readouterr().out == "7 ab ac { inputs } 8\n"


def test_a_quoted_here_document_reads_nothing_so_nothing_can_be_put_there() -> None:
    made = ShellTask("here", script="cat <<'END'\n{inputs.x}\nEND\n", inputs=kwtypes(x=str))
    with pytest.raises(UserError, match="here-document whose end is quoted"):
        made(x="a")


def test_what_is_stopped_ends_with_everything_that_it_started(tmp_path: Path) -> None:
    class Stopped(BaseException):
        pass

    def stop() -> None:
        import ctypes

        while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text().endswith("\n"):
            time.sleep(0.01)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(main), ctypes.py_object(Stopped))

    main = threading.get_ident()
    stopper = threading.Thread(target=stop)
    stopper.start()
    with pytest.raises(Stopped):
        run_process(
            ["/bin/sh", "-c", f"sleep 1000 & echo $! > {tmp_path}/pid; wait"], "it", environment={}, directory=None
        )
    stopper.join()
    child = int((tmp_path / "pid").read_text())
    until = time.monotonic() + 10.0
    while Path(f"/proc/{child}").exists() and "Z" not in Path(f"/proc/{child}/stat").read_text().split():
        assert time.monotonic() < until
        time.sleep(0.01)


# --- tasks of users' own kinds -----------------------------------------------------------------------------------


def test_a_result_depends_on_the_settings_of_the_instance() -> None:
    assert flows.thrice(x=2) == 6
    assert asyncio.run(flows.divided(a=7, b=2)) == (3, 1)
    four, five = flows.Scaled("s", 4), flows.Scaled("s", 5)
    assert four.code_digest() != five.code_digest()
    assert four.code_digest() == flows.Scaled("s", 4).code_digest()
    one = ShellTask("one", script="echo 1")
    assert one.code_digest() != ShellTask("one", script="echo 2").code_digest()


def test_one_that_no_worker_could_find_does_not_compile() -> None:
    local = flows.Scaled("local", 2)

    @workflow
    def uses(x: int) -> int:
        return local(x=x)

    with pytest.raises(CompileError, match=r"test_shell_tasks.py:\d+: the task 'local' cannot be found in the module"):
        uses.program()


def test_one_that_does_nothing_says_so() -> None:
    with pytest.raises(NotImplementedError, match="InstanceTask says nothing of what it does"):
        InstanceTask("bare")()
