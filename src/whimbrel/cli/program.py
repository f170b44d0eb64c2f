"""`whimbrel check` and `whimbrel compile`: a file's programs, without running anything.

Knows: entities, compile errors, drawings of graphs. Must not know: engines, homes.
"""

from __future__ import annotations

import os

import click
import msgspec

from whimbrel.authoring.checking import check_module, module_entities
from whimbrel.cli.drawing import as_mermaid, as_text
from whimbrel.cli.entities import find_entity, load_file, what_there_is
from whimbrel.cli.failures import LoadFailed, innermost_line
from whimbrel.cli.settings import err, json_option, out, print_json, verbose_option
from whimbrel.errors import CompileError, Problem


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
    type=click.Choice(["text", "mermaid", "json"]),
    default="text",
    show_default=True,
    help="A list of nodes, a Mermaid flowchart, or everything.",
)
@click.argument("file")
@click.argument("name")
def compile_(file: str, name: str, form: str) -> int:
    """Compile NAME of FILE (a path or a dotted module) and print its graph, without running anything."""
    entity = find_entity(load_file(file), name, file)
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
