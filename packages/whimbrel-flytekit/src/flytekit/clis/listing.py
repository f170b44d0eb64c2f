"""What a file has, for ``pyflyte run FILE``: the entities that can be run, with the first line of their docs.

Knows: whimbrel's entities. Must not know: options.
"""

from __future__ import annotations

import click

from whimbrel.cli.entities import entities_of, load_file


def list_entities(program: str, file: str) -> None:
    """Print them. Raises ``EntityNotFound``; ``LoadFailed`` when the file itself raises."""
    rows = []
    for name, entity in entities_of(load_file(file)).items():
        doc = " ".join((entity.read.doc or "").partition("\n\n")[0].split())
        rows.append((name, f"{entity.noun}. {doc}".strip()))
    formatter = click.HelpFormatter(max_width=100)
    formatter.write_usage(f"{program} run", f"{file} NAME [INPUTS]")
    if rows:
        with formatter.section(f"What {file} has"):
            formatter.write_dl(rows)
    else:
        formatter.write_paragraph()
        formatter.write_text(f"{file} has no task, workflow or launch plan at its top level.")
    click.echo(formatter.getvalue().rstrip())
