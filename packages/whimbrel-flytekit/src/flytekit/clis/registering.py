"""``pyflyte register``: everything in files, packages and directories, under one version, on a server.

Knows: the options of the real verb, which of them mean something here. Must not know: how a bundle is made or sent.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from flytekit.clis.places import place_options, remote_at
from flytekit.tools.repo import register as _register
from whimbrel.errors import InputInvalid

_UNHEARD = (
    ("-i", "--image"),
    ("-o", "--output"),
    ("-D", "--destination-dir"),
    ("--service-account",),
    ("--raw-data-prefix",),
    ("--env", "--envvars"),
    ("--resource-requests",),
    ("--resource-limits",),
)
_UNHEARD_FLAGS = (("--deref-symlinks",),)


def _unheard_options() -> list[click.Parameter]:
    text = "For a cluster: without effect, which is said."
    valued = [click.Option([*names, _name(names)], multiple=True, metavar="TEXT", help=text) for names in _UNHEARD]
    return [*valued, *(click.Option([*names, _name(names)], is_flag=True, help=text) for names in _UNHEARD_FLAGS)]


def _name(names: tuple[str, ...]) -> str:
    return f"unheard_{max(names, key=len).lstrip('-').replace('-', '_')}"


@click.command(
    "register",
    params=_unheard_options(),
    short_help="Register what is in files, packages and directories.",
    epilog="Example:  pyflyte register workflows.py",
)
@place_options
@click.option("-v", "--version", metavar="VERSION", help="The version.  [default: a digest of code and entities]")
@click.option(
    "--copy",
    type=click.Choice(["all", "auto", "none"]),
    default="all",
    show_default=True,
    help="Which files go along: all below the root, those that are imported, or none.",
)
@click.option("--non-fast", is_flag=True, help="The same as --copy none.")
@click.option("--dry-run", is_flag=True, help="Compile, and say what would be registered.")
@click.option(
    "--activate-launchplans",
    "--activate-launchplan",
    "activate",
    is_flag=True,
    help="Activate every launch plan that is registered.",
)
@click.option("--skip-errors", "--skip-error", is_flag=True, help="Leave out files that do not load.")
@click.argument("package_or_module", nargs=-1, metavar="[PACKAGE_OR_MODULE]...")
@click.pass_context
def register(
    context: click.Context,
    /,
    project: str,
    domain: str,
    version: str | None,
    copy: str,
    non_fast: bool,
    dry_run: bool,
    activate: bool,
    skip_errors: bool,
    package_or_module: tuple[str, ...],
    **unheard: Any,
) -> None:
    """Register every task, workflow and launch plan of files, packages and directories, under one version.

    Their code goes along: it is sent once, and what runs later runs from it, whatever becomes of the files here.
    """
    if not package_or_module:
        raise InputInvalid("name a file, a package or a directory: pyflyte register workflows.py")
    say_unheard(str(context.parent.info_name if context.parent else "pyflyte"), unheard)
    if copy == "none" or non_fast:
        copy = "none"
        if version is None:
            raise InputInvalid("--copy none needs a --version: there is no code to make one from.")
    _register(
        project=project,
        domain=domain,
        version=version,
        package_or_module=tuple(str(Path(name)) for name in package_or_module),
        remote=remote_at(project, domain),
        copy_style=copy,
        dry_run=dry_run,
        activate_launchplans=activate,
        skip_errors=skip_errors,
    )


def say_unheard(program: str, options: dict[str, Any]) -> None:
    """Say which options were given that have no effect."""
    said = sorted(f"--{key.removeprefix('unheard_').replace('_', '-')}" for key, value in options.items() if value)
    if said:
        click.echo(
            f"{program}: {', '.join(said)} {'speaks' if len(said) == 1 else 'speak'} to a cluster; no effect here",
            err=True,
        )
