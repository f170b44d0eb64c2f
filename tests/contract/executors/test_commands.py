"""The executor of command lines, with commands that need no flytekit: what it gives them, and what it makes of their
files, their exit codes and their deaths."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from flyteidl.core import errors_pb2, literals_pb2

from tests.contract.executors.stage import PATIENCE, Stage
from whimbrel.authoring.secret_sources import GivenSecrets
from whimbrel.executors.commands import CommandExecutor
from whimbrel.model.attempt import AttemptEnd, AttemptFault, Cancel, DeckUpdate, Launch, Lost, Started, Succeeded
from whimbrel.model.failure import Fault
from whimbrel.model.interface import Interface, Parameter, Variable
from whimbrel.model.literal_types import INTEGER, STRING
from whimbrel.model.literals import IntLiteral, Literals, StrLiteral
from whimbrel.model.program import CodeRef, Command, Metadata, TaskSpec
from whimbrel.model.run import AttemptId
from whimbrel.model.secrets import SecretMount, SecretRequest
from whimbrel.stores.blobs import ObjectBlobs

OUTPUTS = "{{.outputPrefix}}"
ANSWER = literals_pb2.LiteralMap(
    literals={
        "o0": literals_pb2.Literal(scalar=literals_pb2.Scalar(primitive=literals_pb2.Primitive(string_value="seen")))
    }
).SerializeToString()


def python(script: str, *args: str, **said: Any) -> TaskSpec:
    """A task that runs ``script`` with ``args``, and gives a text."""
    interface = Interface({"x": Parameter(INTEGER), "name": Parameter(STRING)}, {"o0": Variable(STRING)})
    command = Command((sys.executable, "-c", script, *args), project="p", domain="d", version="v")
    return TaskSpec("tasks.t", said.pop("interface", interface), CodeRef("", ""), command=command, **said)


def on_stage(tmp_path: Path, play: Callable[[Stage], Awaitable[Any]], **options: Any) -> Any:
    async def run() -> Any:
        blobs = ObjectBlobs(tmp_path / "blobs")
        options.setdefault("workers", 2)
        executor = CommandExecutor(directory=tmp_path / "commands", blobs=blobs, **options)
        stage = Stage(executor, blobs)
        await executor.start(stage.hear)
        try:
            return await play(stage)
        finally:
            await executor.close()

    return asyncio.run(run())


GIVEN: Literals = {"x": IntLiteral(7), "name": StrLiteral("a b")}


def send(stage: Stage, spec: TaskSpec, *, number: int = 1, environment: dict[str, str] | None = None) -> AttemptId:
    attempt = AttemptId("r1", "n0", number)
    metadata = Metadata(environment=environment or {}, image="registry.example/i:v1")
    stage.executor.launch(Launch(attempt, spec, GIVEN, metadata, workflow="wf"))
    return attempt


def end_of(tmp_path: Path, spec: TaskSpec, **options: Any) -> AttemptEnd:
    async def play(stage: Stage) -> AttemptEnd:
        return await stage.end(send(stage, spec))

    end: AttemptEnd = on_stage(tmp_path, play, **options)
    return end


def telling(expression: str) -> str:
    """A script that gives the text of an expression."""
    return (
        "import os, sys\n"
        f"said = {expression}\n"
        "print(said)\n"
        f"open(os.path.join(sys.argv[1], 'outputs.pb'), 'wb').write({ANSWER!r})\n"
    )


def printed(tmp_path: Path, expression: str, *args: str, **options: Any) -> str:
    """What a command prints of ``expression``; ``sys.argv[2:]`` are ``args``."""

    said = options.pop("said", {})

    async def play(stage: Stage) -> str:
        attempt = send(stage, python(telling(expression), OUTPUTS, *args, **said))
        end = await stage.end(attempt)
        assert isinstance(end, Succeeded), end
        assert end.outputs == {"o0": StrLiteral("seen")}
        return stage.printed(attempt).removesuffix("\n")

    found: str = on_stage(tmp_path, play, **options)
    return found


def test_templates_are_filled_whatever_their_case(tmp_path: Path) -> None:
    args = ("{{ .INPUTS.x }}", "<{{.inputs.name}}>", "{{.prevCheckpointPrefix}}", "{{.other}}")
    assert printed(tmp_path, "'|'.join(sys.argv[2:])", *args) == '7|<a b>|""|{{.other}}'


def test_each_place_is_a_plain_path_of_the_attempt(tmp_path: Path) -> None:
    names = ("{{.input}}", "{{.rawOutputDataPrefix}}", "{{.checkpointOutputPrefix}}")
    inputs, raw, checkpoint = printed(tmp_path, "'|'.join(sys.argv[2:])", *names).split("|")
    assert Path(inputs).parts[-4:-1] == ("r1", Path(inputs).parts[-3], "1")
    assert Path(raw).is_dir()
    assert Path(checkpoint).is_dir()
    assert not Path(inputs).exists()
    assert all(Path(each).is_relative_to(tmp_path / "commands") for each in (inputs, raw, checkpoint))


def test_what_the_task_says_of_its_environment_wins(tmp_path: Path) -> None:
    expression = "'|'.join(os.environ[n] for n in ('FLYTE_INTERNAL_TASK_NAME', '_F_NM', '_F_WF', 'OWN'))"
    assert printed(tmp_path, expression, environment={"OWN": "1"}) == "tasks.t|r1|wf|1"


def test_code_that_comes_with_it_is_put_into_its_own_directory(tmp_path: Path) -> None:
    destination = printed(tmp_path, "f'{sys.argv[3]}|{os.getcwd()}'", "--dest-dir", "/root").split("|")
    assert destination[0] == destination[1]
    assert Path(destination[0]).is_relative_to(tmp_path / "commands")


def test_the_first_pattern_that_fits_the_image_says_where(tmp_path: Path) -> None:
    images = {"other/*": "/nowhere", "registry.example/*": str(tmp_path), "*": "/elsewhere"}
    assert printed(tmp_path, "os.environ['PATH'].split(':')[0]", images=images) == str(tmp_path / "bin")


def test_secrets_are_variables_and_files(tmp_path: Path) -> None:
    requests = (SecretRequest("g", "k"), SecretRequest("g", "f", mount=SecretMount.FILE, env_var="AT"))
    expression = "f\"{len(os.environ['_FSEC_G_K'])}|{len(open(os.environ['AT']).read())}|{os.environ['AT']}\""
    secrets = GivenSecrets({"g/k": "secret-k", "g/f": "secret-file"})
    one, other, path = printed(tmp_path, expression, secrets=secrets, said={"secrets": requests}).split("|")
    assert (one, other) == ("8", "11")
    assert path.endswith("/g/f")
    assert not Path(path).exists()


def test_an_error_counts_more_than_outputs_and_the_exit_code(tmp_path: Path) -> None:
    error = errors_pb2.ErrorDocument(
        error=errors_pb2.ContainerError(code="USER:RuntimeError", message="no", origin=1, kind=0)
    ).SerializeToString()
    script = (
        f"import os, sys\nfor n, b in (('error.pb', {error!r}), ('outputs.pb', {ANSWER!r})):\n"
        " open(os.path.join(sys.argv[1], n), 'wb').write(b)"
    )
    end = end_of(tmp_path, python(script, OUTPUTS))
    assert isinstance(end, AttemptFault)
    assert (end.failure.fault, end.failure.message, end.failure.recoverable) == (Fault.USER, "no", False)


def test_nothing_left_is_a_fault_of_the_system_with_the_last_words(tmp_path: Path) -> None:
    end = end_of(tmp_path, python("import sys; print('help', file=sys.stderr); sys.exit(3)", OUTPUTS))
    assert isinstance(end, AttemptFault)
    assert end.failure.fault is Fault.SYSTEM
    assert end.failure.message == "its process exited with code 3 and left no result; it last wrote:\nhelp"


def test_exit_code_zero_alone_is_no_success(tmp_path: Path) -> None:
    end = end_of(tmp_path, python("pass", OUTPUTS))
    assert isinstance(end, AttemptFault)
    assert "exited with code 0" in end.failure.message


def test_a_plain_command_without_outputs_succeeds_by_its_exit_code(tmp_path: Path) -> None:
    nothing = Interface({"x": Parameter(INTEGER), "name": Parameter(STRING)}, {})
    assert isinstance(end_of(tmp_path, python("pass", interface=nothing)), Succeeded)
    assert isinstance(end_of(tmp_path, python("raise SystemExit(1)", interface=nothing)), AttemptFault)


def test_a_signal_is_a_loss(tmp_path: Path) -> None:
    end = end_of(tmp_path, python("import os; os.kill(os.getpid(), 9)", OUTPUTS))
    assert isinstance(end, Lost)
    assert "SIGKILL" in end.reason


def test_a_graph_of_a_task_that_is_not_dynamic_is_told(tmp_path: Path) -> None:
    end = end_of(tmp_path, python("import sys; open(sys.argv[1] + '/futures.pb', 'w')", OUTPUTS))
    assert isinstance(end, AttemptFault)
    assert "is not registered as dynamic" in end.failure.message


def test_unreadable_results_are_told(tmp_path: Path) -> None:
    end = end_of(tmp_path, python("import sys; open(sys.argv[1] + '/outputs.pb', 'wb').write(b'\\xff')", OUTPUTS))
    assert isinstance(end, AttemptFault)
    assert "cannot be read" in end.failure.message


def test_a_missing_output_is_told(tmp_path: Path) -> None:
    end = end_of(tmp_path, python("import sys; open(sys.argv[1] + '/outputs.pb', 'wb')", OUTPUTS))
    assert isinstance(end, AttemptFault)
    assert end.failure.message == "tasks.t gave no output 'o0'."


WAITING = "import signal, sys, time\n{}print('running', flush=True)\nwhile True: time.sleep(60)"


def test_a_cancelled_one_is_asked_then_killed_with_all_that_it_started(tmp_path: Path) -> None:
    stubborn = WAITING.format("signal.signal(signal.SIGTERM, lambda *a: print('asked', flush=True))\n")

    async def play(stage: Stage) -> None:
        attempt = send(stage, python(stubborn, OUTPUTS))
        await stage.says(attempt)
        stage.executor.cancel(Cancel(attempt, "no longer wanted", PATIENCE))
        await stage.says(attempt, "asked\n")
        stage.executor.cancel(Cancel(attempt, "now", 0.0))
        end = await stage.end(attempt)
        assert isinstance(end, AttemptFault)
        assert (end.failure.fault, end.failure.message) == (Fault.CANCELLED, "now")
        assert stage.executor.running() == frozenset()

    on_stage(tmp_path, play)


def test_one_that_waits_for_room_is_cancelled_without_having_begun(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        first = send(stage, python(WAITING.format(""), OUTPUTS))
        await stage.says(first)
        second = send(stage, python(WAITING.format(""), OUTPUTS), number=2)
        await asyncio.sleep(0)
        stage.executor.cancel(Cancel(second, "not wanted", PATIENCE))
        end = await stage.end(second)
        assert isinstance(end, AttemptFault)
        assert end.failure.fault is Fault.CANCELLED
        assert [each.attempt for each in stage.reports if isinstance(each, Started)] == [first]

    on_stage(tmp_path, play, workers=1)


def test_a_deck_is_shown_while_it_grows_and_kept_when_it_is_cancelled(tmp_path: Path) -> None:
    script = (
        "import os, sys, time\nfor text in ('one', 'two'):\n"
        " open(sys.argv[1] + '/deck.new', 'w').write(text)\n"
        " os.rename(sys.argv[1] + '/deck.new', sys.argv[1] + '/deck.html')\n"
        " while text == 'one' and not os.path.exists(sys.argv[2]): time.sleep(0.02)\n"
        "time.sleep(60)"
    )

    async def play(stage: Stage) -> None:
        def shown() -> list[str]:
            return [each.html for each in stage.reports if isinstance(each, DeckUpdate)]

        attempt = send(stage, python(script, OUTPUTS, str(tmp_path / "go")))
        await stage.until(lambda: shown() == ["one"])
        (tmp_path / "go").touch()
        await stage.until(lambda: shown() == ["one", "two"])
        stage.executor.cancel(Cancel(attempt, "enough", PATIENCE))
        assert isinstance(await stage.end(attempt), AttemptFault)
        assert shown()[-1] == "two"

    on_stage(tmp_path, play)


def test_the_next_attempt_finds_the_checkpoint_of_the_one_before(tmp_path: Path) -> None:
    script = telling("open(sys.argv[3] + '/c').read() if sys.argv[3] != '\"\"' else 'none'")
    script += "open(sys.argv[2] + '/c', 'w').write('kept')\n"

    async def play(stage: Stage) -> list[str]:
        said = []
        for number in (1, 2):
            spec = python(script, OUTPUTS, "{{.checkpointOutputPrefix}}", "{{.prevCheckpointPrefix}}")
            attempt = send(stage, spec, number=number)
            await stage.end(attempt)
            said.append(stage.printed(attempt).strip())
        return said

    assert on_stage(tmp_path, play) == ["none", "kept"]


def test_eager_ones_never_wait_for_room(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        waiting = send(stage, python(WAITING.format(""), OUTPUTS))
        await stage.says(waiting)
        spec = python(telling("'here'"), OUTPUTS)
        assert isinstance(spec.command, Command)
        eager = TaskSpec(spec.name, spec.interface, spec.code, command=Command(spec.command.args, eager=True))
        assert isinstance(await stage.end(send(stage, eager, number=2)), Succeeded)

    on_stage(tmp_path, play, workers=1)


def test_closing_leaves_no_process(tmp_path: Path) -> None:
    async def play(stage: Stage) -> int:
        attempt = send(stage, python(WAITING.format("signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"), OUTPUTS))
        await stage.says(attempt)
        return stage.worker_of(attempt)

    pid = on_stage(tmp_path, play, close_grace=0.05)
    assert not os.path.exists(f"/proc/{pid}")
