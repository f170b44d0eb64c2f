"""`whimbrel run` and `whimbrel resume`.

Knows: click, entities, options made from interfaces, driving. Must not know: how an engine is put together.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import inspect
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from whimbrel.authoring.entity import Entity
from whimbrel.cli.current_code import recorded_program, warn_of_changes
from whimbrel.cli.driving import Manner, drive, result_json
from whimbrel.cli.embedded import INLINE, PROCESSES, Embedded
from whimbrel.cli.entities import find_entity, load_file, what_there_is
from whimbrel.cli.failures import user_traceback
from whimbrel.cli.inputs import PREFIX, gather, options_for, parse_environment, unknown_input
from whimbrel.cli.run_ids import find_run
from whimbrel.cli.servers import options_of_server, server_of
from whimbrel.cli.settings import (
    err,
    home_argument,
    home_option,
    json_option,
    out,
    print_json,
    repeated_home,
    verbose_option,
)
from whimbrel.controlplane.plane import RunResult
from whimbrel.engine.run import Run
from whimbrel.errors import EntityNotFound, InputInvalid, RunNotResumable
from whimbrel.model.literal_types import BinaryType
from whimbrel.model.literals import Literals
from whimbrel.model.program import Program
from whimbrel.model.run import Phase, RunOptions
from whimbrel.runtime.program_files import keep_program_files
from whimbrel.runtime.values import keep_files, read_literals
from whimbrel.stores.home import open_home
from whimbrel.types.held import holds_value
from whimbrel.wire.literal_json import by_name, plain

ENGINE_OPTIONS = [
    click.Option(
        ["--executor"],
        type=click.Choice([PROCESSES, INLINE]),
        default=PROCESSES,
        show_default=True,
        help="Run tasks in worker processes, or in this one.",
    ),
    click.Option(["--workers"], type=click.IntRange(1), metavar="N", help="Tasks at a time. [default: one per CPU]"),
    click.Option(["-q", "--quiet"], is_flag=True, help="No progress: on stderr only what tasks write, and errors."),
    click.Option(
        ["--task-output"],
        type=click.Choice(["stderr", "stdout"]),
        default="stderr",
        show_default=True,
        help="Where that goes which the tasks write to their stdout.",
    ),
]

_RUN_OPTIONS = [
    *ENGINE_OPTIONS,
    click.Option(["--inputs-file"], metavar="FILE", help="A JSON file with inputs by name. Options win over it."),
    click.Option(
        ["--run-id"], metavar="ID", help="The new run's id: a letter, then letters and digits. [default: random]"
    ),
    click.Option(
        ["--max-parallelism"], type=click.IntRange(0), default=0, metavar="N", help="Tasks of the run at a time."
    ),
    click.Option(
        ["--overwrite-cache"], is_flag=True, help="Compute everything, and keep it in place of what was cached."
    ),
    click.Option(
        ["--park-after"],
        type=click.FloatRange(0),
        default=RunOptions().park_after,
        show_default=True,
        metavar="SECONDS",
        help="An eager body that waits for longer leaves memory until it can go on.",
    ),
    click.Option(["--env"], "env", multiple=True, metavar="K=V", help="An environment variable for the tasks."),
    click.Option(["--direct"], is_flag=True, help="A plain Python call: no engine, nothing kept."),
    *options_of_server(optional=True),
    click.Option(
        ["--version"], default="", help="Of a server: what is registered is to be called so. [default: a digest]"
    ),
    click.Option(
        ["--copy"],
        type=click.Choice(["auto", "all", "none"]),
        default="auto",
        show_default=True,
        help="To a server: which files go along, those that are imported, all that git does not ignore, or none.",
    ),
    click.Option(["--detach"], is_flag=True, help="Of a server: do not follow the run, print its id."),
]


def _home(function: Any) -> Any:
    return home_option(json_option(verbose_option(function)))


class RunCommand(click.Command):
    """`run`, which takes its options before FILE and after NAME; after NAME come the inputs too."""

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        """Stop at FILE: what is behind NAME is for the entity's own parser."""
        context.allow_interspersed_args = False
        return super().parse_args(context, args)


@click.command(
    "run",
    cls=RunCommand,
    params=list(_RUN_OPTIONS),
    options_metavar="[OPTIONS]",
    short_help="Run a task or workflow of a file, durably.",
    epilog="Example:  whimbrel run examples/pipeline.py wf --x 10\n\nFILE NAME --help lists the inputs of NAME.",
)
@_home
@click.argument("file")
@click.argument("name", required=False)
@click.argument("rest", nargs=-1, type=click.UNPROCESSED, metavar="[INPUTS]")
@click.pass_context
def command(context: click.Context, /, file: str, name: str | None, rest: tuple[str, ...], **options: Any) -> int:
    """Run NAME, a task, workflow or eager workflow of FILE (a path or a dotted module), on the embedded engine, or with
    --remote on a server, which is sent the code and goes on whoever follows.

    The run is kept on disk step by step. Ctrl-C parks it, and so does the end of this process, however it comes:
    `whimbrel resume` carries on. The outputs alone go to stdout; progress and what the tasks write go to stderr.
    """
    module = load_file(file)
    if name is None or name.startswith("-"):
        if name in ("--help", "-h"):
            out(f"{file}: {what_there_is(module)}\n\nwhimbrel run {file} NAME --help lists the inputs of one.")
            return 0
        raise InputInvalid(f"say what to run: whimbrel run {file} NAME; {what_there_is(module)}")
    entity = find_entity(module, name, file)
    # Options of ours may be said before FILE and after NAME; what is said later wins.
    values, said = _parse_inputs(context, entity, f"{file} {name}", rest)
    return _run(context, entity, file, values, {**options, **said}, repeat_home="home" in said)


def _parse_inputs(
    context: click.Context, entity: Entity[..., Any], label: str, rest: tuple[str, ...]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What ``rest`` says of the inputs, and what of the options of ours."""
    interface = entity.interface
    own = [_renewed(parameter) for parameter in context.command.params if isinstance(parameter, click.Option)]
    inputs = options_for(interface, taken={spelling for option in own for spelling in option.opts})
    spelt = {spelling for option in inputs for spelling in option.opts}
    free: list[click.Parameter] = []
    for option in own:
        # An input of the same name wins; the option can still be given before FILE.
        option.opts = [spelling for spelling in option.opts if spelling not in spelt]
        if option.opts:
            free.append(option)
    parser = click.Command(
        label,
        params=[*inputs, *free],
        help=entity.read.doc or None,
        callback=None,
        context_settings={"max_content_width": 100},
    )
    try:
        inner = parser.make_context(label, list(rest), parent=context)
    except click.NoSuchOption as error:
        name = error.option_name.lstrip("-").removeprefix("no-")
        if interface.inputs or name:
            sentence = unknown_input(name.replace("-", "_"), interface, entity.read.fixed)
            raise InputInvalid(f"{entity.short_name}: {sentence}") from None
        raise
    except click.UsageError as error:
        if (unexpected := error.message).startswith("Got unexpected extra argument"):
            raise InputInvalid(
                f"{entity.short_name}: {unexpected.removeprefix('Got ').rstrip('.')}; inputs are options: --NAME VALUE"
            ) from None
        raise
    values = {key: value for key, value in inner.params.items() if key.startswith(PREFIX)}
    said = {
        key: value
        for key, value in inner.params.items()
        if not key.startswith(PREFIX) and inner.get_parameter_source(key) is click.core.ParameterSource.COMMANDLINE
    }
    return values, said


def _renewed(option: click.Option) -> click.Option:
    """A copy whose spellings may be taken away."""
    copied = click.Option.__new__(click.Option)
    copied.__dict__.update(option.__dict__)
    copied.opts = list(option.opts)
    return copied


def _run(
    context: click.Context,
    entity: Entity[..., Any],
    source: str,
    values: Mapping[str, Any],
    options: Mapping[str, Any],
    *,
    repeat_home: bool,
) -> int:
    server = server_of(dict(options))
    if server is not None and options["direct"]:
        raise InputInvalid("--direct calls it here, --remote runs it on a server: leave one of them out")
    literals = gather(entity.interface, values, options["inputs_file"], fixed=entity.read.fixed)
    # Through the author's own types: a model's validators speak here, before anything is kept.
    literals = entity.signature.checked_literals(literals)
    if options["direct"]:
        return _direct(entity, literals, as_json=options["as_json"])
    environment = parse_environment(options["env"])
    if server is not None:
        # Not at the top: runs of this machine need no client.
        launch = importlib.import_module("whimbrel.cli.remote_launching").launch
        code: int = launch(server, entity, literals, environment, options, lambda outputs: _shown(entity, outputs))
        return code
    program = entity.program()
    run_options = entity.run_options(
        RunOptions(
            max_parallelism=options["max_parallelism"],
            overwrite_cache=options["overwrite_cache"],
            environment=environment,
            park_after=options["park_after"],
        )
    )
    run_id = _checked_id(options["run_id"])

    async def begin(engine: Embedded) -> str:
        if run_id:
            await _must_be_free(engine, run_id)
        # A run has its files for good: what the paths held when it was started.
        blobs = engine.home.blobs
        kept = {name: await asyncio.to_thread(keep_files, literal, blobs) for name, literal in literals.items()}
        whole = await asyncio.to_thread(keep_program_files, program, blobs)
        return await engine.plane.launch(
            whole, entity.entry_name, kept, options=run_options, source=source, run_id=run_id
        )

    home: Path = options["home"]
    manner = Manner(
        home=home,
        executor=options["executor"],
        workers=options["workers"],
        as_json=options["as_json"],
        quiet=options["quiet"],
        home_option=repeated_home(home) if repeat_home else home_argument(context, home),
        task_output=options["task_output"],
    )
    return drive(manner, begin, lambda outputs: _shown(entity, outputs))


def _checked_id(run_id: str | None) -> str:
    if not run_id:
        return ""
    if (
        len(run_id) > 20
        or not run_id[0].isalpha()
        or not run_id.isalnum()
        or run_id != run_id.lower()
        or not run_id.isascii()
    ):
        raise InputInvalid(
            f"--run-id {run_id!r}: write a lower-case letter, then up to 19 lower-case letters and digits"
        )
    return run_id


async def _must_be_free(engine: Embedded, run_id: str) -> None:
    try:
        summary = await engine.home.store.summary(run_id)
    except EntityNotFound:
        return
    raise InputInvalid(
        f"--run-id {run_id}: there is a run of this id already ({summary.entity}, {summary.phase.value}); "
        f"take another, or carry on with it: whimbrel resume {run_id}"
    )


def _shown(entity: Entity[..., Any], outputs: Literals) -> str:
    """Plainly; what has no form but its Python one, as that."""
    binary = any(isinstance(variable.type, BinaryType) for variable in entity.interface.outputs.values())
    if binary or any(map(holds_value, outputs.values())):
        return repr(entity.signature.decode_outputs(outputs))
    return plain(outputs)


def _direct(entity: Entity[..., Any], literals: Literals, *, as_json: bool) -> int:
    values = entity.signature.decode_inputs(literals)
    try:
        # stdout is for the outputs alone.
        with contextlib.redirect_stdout(sys.stderr):
            value = entity(**values)
            if inspect.isawaitable(value):
                value = asyncio.run(_awaited(value))
            outputs = entity.signature.encode_outputs(value)
    except Exception as error:
        err(user_traceback(error))
        return 1
    if as_json:
        print_json({"run": None, "phase": Phase.SUCCEEDED.value, "outputs": by_name(outputs)})
    elif text := _shown(entity, outputs):
        out(text)
    return 0


async def _awaited(value: Any) -> Any:
    return await value


# --- resume ----------------------------------------------------------------------------------------------


@click.command(
    "resume",
    params=list(ENGINE_OPTIONS),
    short_help="Carry on with a run that was parked or killed.",
    epilog="Example:  whimbrel resume latest",
)
@_home
@click.argument("run")
@click.pass_context
def resume(context: click.Context, /, run: str, home: Path, as_json: bool, **options: Any) -> int:
    """Carry on with RUN (an id, the beginning of one, or `latest`) where it stopped.

    What had finished is not run again. A run that has succeeded just prints its outputs once more.
    """
    repeat = home_argument(context, home)
    manner = Manner(
        home=home,
        executor=options["executor"],
        workers=options["workers"],
        as_json=as_json,
        quiet=options["quiet"],
        home_option=repeat,
        task_output=options["task_output"],
    )
    ended = asyncio.run(_ended(home, run))
    if isinstance(ended, RunResult):
        err(f"whimbrel: run {ended.run} has succeeded already")
        if as_json:
            print_json(result_json(ended, ended.outputs))
        elif text := plain(ended.outputs):
            out(text)
        return 0

    run_id, program = ended
    warn_of_changes(program, err)

    async def begin(engine: Embedded) -> str:
        return await engine.plane.resume(run_id)

    return drive(manner, begin)


async def _ended(home: Path, text: str) -> RunResult | tuple[str, Program]:
    """The result of a run that has succeeded; else its id, and what it has run so far. Raises ``RunNotResumable`` for
    one that ended otherwise."""
    with open_home(home, exclusive=False) as opened:
        summary = await find_run(opened.store, text)
        if not summary.phase.terminal:
            return summary.id, recorded_program(await opened.store.events(summary.id))
        if summary.phase is not Phase.SUCCEEDED:
            raise RunNotResumable(
                f"run {summary.id} has ended ({summary.phase.value}: {summary.message or 'no reason given'}); "
                f"start a new one: `whimbrel recover {summary.id}` keeps what had succeeded. "
                f"`whimbrel describe {summary.id}` shows what happened"
            )
        state = Run.replay(await opened.store.events(summary.id), keep_story=False)
        return RunResult(summary.id, state.phase, read_literals(state.outputs, opened.blobs), None)
