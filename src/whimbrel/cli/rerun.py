"""`whimbrel recover` and `whimbrel fork`: a new run that takes what another has done.

Knows: click, the forecast, driving. Must not know: who takes which outcome (`engine/reuse.py`), or how it is foretold.
"""

from __future__ import annotations

import asyncio
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import msgspec
from msgspec import Struct

from whimbrel.authoring.entity import Entity
from whimbrel.cli.current_code import changed_since, current_program, root_entity
from whimbrel.cli.driving import Manner, drive
from whimbrel.cli.embedded import Embedded
from whimbrel.cli.inputs import unknown_input
from whimbrel.cli.run import ENGINE_OPTIONS
from whimbrel.cli.run_ids import find_run
from whimbrel.cli.servers import remote_option
from whimbrel.cli.settings import err, home_argument, home_option, json_option, looking, out, print_json, verbose_option
from whimbrel.controlplane.rerun import Forecast, Rerun, Verdict, forecast, reusable, settle
from whimbrel.engine.run import Run
from whimbrel.errors import InputInvalid, RunNotResumable, ValueMismatch
from whimbrel.model.events import RunRequested
from whimbrel.model.literal_types import describe
from whimbrel.model.literals import Literals
from whimbrel.model.program import Program
from whimbrel.model.run import Phase, RunSummary
from whimbrel.runtime.literal_text import from_text
from whimbrel.runtime.ports import BlobStore
from whimbrel.runtime.program_files import keep_program_files
from whimbrel.runtime.values import keep_files, read_literals

_SHOWN = {Verdict.REUSE: "reused", Verdict.RUN: "will run", Verdict.DEPENDS: "depends"}
_COLUMN = 48
"""How wide a column may get before its text is cut: two of them and a reason fit on a wide terminal."""


class Recorded(Struct, frozen=True):
    """A run as it is on disk."""

    summary: RunSummary
    request: RunRequested
    run: Run


async def read_recorded(home: Path, text: str) -> Recorded:
    """The run that ``text`` means. Raises ``EntityNotFound``."""
    async with looking(home) as opened:
        summary = await find_run(opened.store, text)
        events = await opened.store.events(summary.id)
        request = events[0]
        assert isinstance(request, RunRequested)
        return Recorded(summary, request, Run.replay(events))


def _manner(context: click.Context, home: Path, as_json: bool, options: Mapping[str, Any]) -> Manner:
    return Manner(
        home=home,
        executor=options["executor"],
        workers=options["workers"],
        as_json=as_json,
        quiet=options["quiet"],
        home_option=home_argument(context, home),
        task_output=options["task_output"],
    )


# --- recover ---------------------------------------------------------------------------------------------


@click.command(
    "recover",
    params=list(ENGINE_OPTIONS),
    short_help="Run again what failed, and take what had succeeded.",
    epilog="Example:  whimbrel recover latest",
)
@remote_option("whimbrel.cli.remote_runs:recover")
@home_option
@json_option
@verbose_option
@click.argument("run")
@click.pass_context
def recover(context: click.Context, /, run: str, home: Path, as_json: bool, **options: Any) -> int:
    """Start a new run with the program and inputs of RUN (an id, the beginning of one, or `latest`) that takes over
    every outcome that RUN had, and computes the rest.

    RUN failed, timed out, was aborted or is parked; it stays as it is. If its code has changed since, use `fork`.
    """
    old = asyncio.run(read_recorded(home, run))
    name = old.summary.id
    if old.run.phase is Phase.SUCCEEDED:
        raise RunNotResumable(f"run {name} has succeeded: there is nothing to recover. `whimbrel fork` changes it")
    changed = changed_since(old.run.program)
    if changed:
        parts = list(dict.fromkeys(part for said in changed.values() for part in said))
        raise RunNotResumable(
            f"the code has changed since run {name} ({'; '.join(parts)}). "
            f"`whimbrel fork {name}` carries on with the code as it is now, and says first what will run again"
        )
    return _start(_manner(context, home, as_json, options), old, old.request, moved=False)


# --- fork ------------------------------------------------------------------------------------------------


@click.command(
    "fork",
    params=[
        *ENGINE_OPTIONS,
        click.Option(["--input", "given"], multiple=True, metavar="NAME=VALUE", help="Another value for an input."),
        click.Option(["--code"], metavar="FILE", help="The code to run. [default: where RUN's came from]"),
        click.Option(
            ["--version"], metavar="VERSION", help="On a server: the version to run. [default: the newest registered]"
        ),
        click.Option(["--dry-run"], is_flag=True, help="Only say what would run again."),
        click.Option(["-y", "--yes"], is_flag=True, help="Do not ask."),
    ],
    short_help="Run again with other code or inputs, and take what that leaves as it was.",
    epilog="Examples:\n\n  whimbrel fork latest --dry-run\n\n  whimbrel fork r4kd --input rate=0.2 --yes\n\n"
    "  whimbrel fork latest --remote --version v2",
)
@remote_option("whimbrel.cli.remote_runs:fork")
@home_option
@json_option
@verbose_option
@click.argument("run")
@click.pass_context
def fork(context: click.Context, /, run: str, home: Path, as_json: bool, **options: Any) -> int:
    """Start a new run of what RUN ran, with the code as it is now and RUN's inputs (some of them replaced by --input).

    A task is not run again if its inputs are the same, and the code that it depends on: its function, what that calls
    in the project, the constants that these read. In a workflow, whatever is downstream of a task that runs again
    runs again too. First a table says what will happen, and why.

    On a server the code is that of a registered version, by default the newest.
    """
    if options["version"] is not None:
        raise InputInvalid("a home has no versions: leave --version out, or say --code FILE, or --remote for a server")
    old = asyncio.run(read_recorded(home, run))
    entity = root_entity(old.request.program, old.request.workflow, old.summary.source, options["code"])
    literals = asyncio.run(_inputs(home, entity, old.request.inputs, options["given"]))
    program = asyncio.run(_kept_program(home, entity.program()))
    request = msgspec.structs.replace(
        old.request, workflow=entity.name, program=program, inputs=literals, recovered_from=old.summary.id
    )
    request = settle(msgspec.structs.replace(request, reuse=reusable(old.run), moved=True))
    lines = forecast(old.run, request, current_program(old.run.program, options["code"]))
    if not tell_forecast(lines, old.summary.id, as_json=as_json, dry_run=options["dry_run"], yes=options["yes"]):
        return 0
    return _start(_manner(context, home, as_json, options), old, request, moved=True)


async def _inputs(home: Path, entity: Entity[..., Any], recorded: Literals, given: tuple[str, ...]) -> Literals:
    interface = entity.interface
    kept = {name: literal for name, literal in recorded.items() if name in interface.inputs}
    said: Literals = {}
    for pair in given:
        name, equals, text = pair.partition("=")
        if not equals:
            raise InputInvalid(f"--input {pair!r}: write it like --input NAME=VALUE")
        parameter = interface.inputs.get(name) or interface.inputs.get(name.replace("-", "_"))
        if parameter is None:
            raise InputInvalid(f"{entity.short_name}: {unknown_input(name, interface, entity.read.fixed)}")
        try:
            said[name] = from_text(text, parameter.type)
        except ValueMismatch as error:
            raise InputInvalid(f"--input {name}: {error}; it takes {describe(parameter.type)}") from None
    if not said:
        return kept
    async with looking(home) as opened:
        return {**kept, **_validated(entity, {**kept, **said}, said, opened.blobs)}


async def _kept_program(home: Path, program: Program) -> Program:
    async with looking(home) as opened:
        return await asyncio.to_thread(keep_program_files, program, opened.blobs)


def _validated(entity: Entity[..., Any], whole: Literals, said: Literals, blobs: BlobStore) -> Literals:
    """What was said, through the author's own types: a model's validators speak here."""
    signature = entity.signature
    complete = {name: whole.get(name, parameter.default) for name, parameter in entity.interface.inputs.items()}
    given = {name: literal for name, literal in complete.items() if literal is not None}
    if len(given) < len(complete):
        missing = next(name for name in complete if name not in given)
        raise InputInvalid(f"{entity.short_name} takes an input {missing!r} now: say --input {missing}=VALUE")
    encoded = signature.checked_literals(read_literals(given, blobs))
    return {name: keep_files(encoded[name], blobs) for name in said}


def _confirm(run: str) -> None:
    if not sys.stdin.isatty():
        raise InputInvalid(f"nobody is there to be asked: say --yes to fork {shlex.quote(run)}, or --dry-run to look")
    click.confirm("Go on?", default=True, abort=True, err=True)


def _start(manner: Manner, old: Recorded, request: RunRequested, *, moved: bool) -> int:
    rerun = Rerun(old.summary.id, reusable(old.run), moved)

    async def begin(engine: Embedded) -> str:
        return await engine.plane.launch(
            request.program,
            request.workflow,
            request.inputs,
            options=request.options,
            source=old.summary.source,
            rerun=rerun,
        )

    return drive(manner, begin)


# --- the table -------------------------------------------------------------------------------------------


def tell_forecast(lines: list[Forecast], run: str, *, as_json: bool, dry_run: bool, yes: bool) -> bool:
    """Show what a fork of ``run`` will do, and whether to go on with it. Raises ``InputInvalid`` where nobody can be
    asked."""
    if dry_run:
        if as_json:
            print_json([msgspec.to_builtins(line) for line in lines])
        else:
            out("\n".join(table(lines)))
        return False
    for text in table(lines):
        err(text)
    if not yes:
        _confirm(run)
    return True


def table(lines: list[Forecast]) -> list[str]:
    """The forecast in columns, and a sum."""
    rows = [(line.path, line.entity.rpartition(".")[2], _SHOWN[line.verdict], "; ".join(line.why)) for line in lines]
    widths = [min(max([len(row[at]) for row in rows], default=0), _COLUMN) for at in range(3)]
    said = [
        "  ".join(text[:width].ljust(width) for text, width in zip(row, widths, strict=False)) + f"  {row[3]}"
        for row in rows
    ]
    counted = {verdict: sum(line.verdict is verdict for line in lines) for verdict in Verdict}
    total = f"{counted[Verdict.RUN]} will run, {counted[Verdict.REUSE]} reused"
    if counted[Verdict.DEPENDS]:
        total += f", {counted[Verdict.DEPENDS]} reused if called again with the same inputs"
    return [*(text.rstrip() for text in said), total]
