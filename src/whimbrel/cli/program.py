"""`whimbrel check` and `whimbrel compile`: a file's programs, without running anything.

Knows: entities, compile errors, drawings of graphs. Must not know: engines, homes.
"""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import Any

import click
import msgspec

from whimbrel.authoring.checking import check_module, module_entities
from whimbrel.cli.drawing import as_mermaid, as_text
from whimbrel.cli.entities import find_entity, load_file, what_there_is
from whimbrel.cli.failures import LoadFailed, innermost_line
from whimbrel.cli.settings import err, json_option, out, print_json, verbose_option
from whimbrel.errors import CompileError, InputInvalid, Problem


def _flyte_output() -> Any:
    """The module that makes Flyte's messages. Raises ``InputInvalid`` where the extra is not installed."""
    try:
        # Not at the top: `check` and the other formats need no protobuf.
        return importlib.import_module("whimbrel.cli.flyte_output")
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("flyteidl", "google"):
            raise
        raise InputInvalid("Flyte's messages need flyteidl: pip install 'whimbrel[flyte]'.") from None


@click.command(
    "check",
    short_help="Find everything that is wrong with a file, without running it.",
    epilog="Example:  whimbrel check pipeline.py",
)
@json_option
@verbose_option
@click.argument("file")
def check(file: str, as_json: bool) -> int:
    """Compile everything in FILE (a path or a dotted module) and list every problem, each with its line and what to do.

    Nothing is run but the file's own top level. Exits 1 when there are problems.
    """
    count, problems = _problems(file)
    if as_json:
        print_json(
            {
                "entities": count,
                "problems": [
                    {"file": problem.file, "line": problem.line, "message": problem.message, "remedy": problem.remedy}
                    for problem in problems
                ],
            }
        )
    else:
        for problem in problems:
            out(str(problem))
        noun = "problem" if len(problems) == 1 else "problems"
        err(f"{file}: {len(problems)} {noun}" if problems else f"{file}: {count} entities, no problems")
    return 1 if problems else 0


def _problems(file: str) -> tuple[int, list[Problem]]:
    try:
        module = load_file(file)
    except CompileError as error:
        return 0, error.problems
    except LoadFailed as error:
        cause = error.__cause__
        assert cause is not None
        path, line = _place(cause)
        told = f"{type(cause).__name__}: {cause.msg if isinstance(cause, SyntaxError) else cause}"
        return 0, [Problem(f"the file cannot be imported: {told}", file=path or file, line=line)]
    own = module_entities(module)
    if not own:
        remedy = "Decorate a function with @task or @workflow."
        return 0, [Problem(f"there is nothing to check: {what_there_is(module)}", file=file, remedy=remedy)]
    return len(own), check_module(module)


def _place(error: BaseException) -> tuple[str, int]:
    if isinstance(error, SyntaxError):
        return error.filename or "", error.lineno or 0
    return innermost_line(error.__traceback__)


@click.command(
    "compile",
    short_help="Print the graph of a workflow.",
    epilog="Example:  whimbrel compile pipeline.py wf --format mermaid",
)
@verbose_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "mermaid", "json", "flyteidl", "flyteidl-json"]),
    default="text",
    show_default=True,
    help="A list of nodes, a Mermaid flowchart, everything, or the messages that a Flyte back end takes.",
)
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write a file for each of Flyte's messages into this directory.",
)
@click.option("--project", default="flytesnacks", show_default=True, help="Of Flyte's messages.")
@click.option("--domain", default="development", show_default=True, help="Of Flyte's messages.")
@click.option("--version", default="", help="Of Flyte's messages; a digest of the program when it is not given.")
@click.option("--image", default="whimbrel:latest", show_default=True, help="In Flyte's messages, the tasks' own.")
@click.argument("file")
@click.argument("name")
def compile_(file: str, name: str, form: str, output: Path | None, **registration: str) -> int:
    """Compile NAME of FILE (a path or a dotted module) and print its graph, without running anything."""
    flyte = form.startswith("flyteidl")
    if output is not None and not flyte:
        raise click.UsageError("--output is for Flyte's messages: add --format flyteidl or --format flyteidl-json.")
    entity = find_entity(load_file(file), name, file)
    if flyte:
        writer = _flyte_output()
        found = writer.messages(entity, **registration)
        as_json = form == "flyteidl-json"
        if output is None:
            out((writer.as_json(found) if as_json else writer.as_text(found)).rstrip("\n"))
        else:
            written = writer.write_files(found, output, json=as_json)
            out(f"{len(written)} files in {output}")
        return 0
    program = entity.program()
    match form:
        case "json":
            text = msgspec.json.format(msgspec.json.encode(program), indent=2).decode()
        case "mermaid":
            text = as_mermaid(program, entity.entry_name)
        case _:
            text = as_text(program, entity.entry_name, os.getcwd())
    out(text.rstrip("\n"))
    return 0
