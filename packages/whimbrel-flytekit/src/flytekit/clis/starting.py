"""``pyflyte init``: a project to begin with. ``pyflyte local-cache``: the outputs that runs of a home have kept.

Knows: files, the store's cache. Must not know: how a run is carried out.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from whimbrel.cli.settings import home_option, looking
from whimbrel.errors import InputInvalid

EXAMPLE = '''"""A workflow to begin with: `pyflyte run workflows/example.py greet --name Ada`."""

from flytekit import task, workflow


@task
def greeting(name: str) -> str:
    """What to say to somebody."""
    return f"Hello, {name}!"


@task
def length(text: str) -> int:
    """How long a text is."""
    return len(text)


@workflow
def greet(name: str = "world") -> tuple[str, int]:
    """Greet somebody, and count the letters of it.

    Args:
        name: who is greeted
    """
    text = greeting(name=name)
    return text, length(text=text)
'''
README = """# {name}

    pyflyte run workflows/example.py                       # what there is
    pyflyte run workflows/example.py greet --name Ada      # run it, durably, on this machine
    whimbrel runs                                          # what has run
    whimbrel check workflows/example.py                    # find mistakes without running anything

Runs are kept in `.whimbrel/`.
"""


@click.command("init", short_help="Create a project to begin with.")
@click.option("--template", expose_value=False, help="Without effect: there is one template.")
@click.argument("project_name")
def init(project_name: str) -> None:
    """Create the directory PROJECT_NAME with a workflow in it that runs."""
    root = Path(project_name)
    if root.exists():
        raise InputInvalid(f"{project_name!r} is there already; give another name")
    files = {
        "README.md": README.format(name=root.name),
        ".gitignore": ".whimbrel/\n__pycache__/\n",
        "requirements.txt": "whimbrel-flytekit\n",
        "workflows/__init__.py": "",
        "workflows/example.py": EXAMPLE,
    }
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    click.echo(f"created {project_name}. Next: cd {project_name} && pyflyte run workflows/example.py greet")


@click.group("local-cache", short_help="What runs have kept of their tasks' outputs.")
def local_cache() -> None:
    """The cache of this machine's runs. It is the home's."""


@local_cache.command("clear", short_help="Forget all of it.")
@home_option
def clear(home: Path) -> None:
    """Forget all outputs that are kept for other runs. Runs themselves keep theirs."""

    async def cleared() -> int:
        async with looking(home) as opened:
            return await opened.store.clear_cache()

    count = asyncio.run(cleared()) if home.exists() else 0
    click.echo(f"cleared {count} kept {'output' if count == 1 else 'outputs'} of {home}")
