"""``pyflyte run`` and ``union run``: whimbrel's ``run`` under flytekit's options.

Knows: which option of theirs is which of whimbrel's. Must not know: how a run is carried out.
"""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from typing import Any

import click

from flytekit._adapt import NotInThisRelease
from flytekit.clis.inputs import inputs_as_json
from flytekit.clis.listing import list_entities
from flytekit.clis.packaging import PACKAGES, package, serialize
from flytekit.clis.programs import SETTINGS, Verbs
from flytekit.clis.starting import init, local_cache
from flytekit.configuration import Config
from whimbrel.cli.main import main as whimbrel

# What speaks to a cluster: accepted, so that command lines run unchanged, and without effect on a local run.
_FOR_CLUSTERS = (
    ("-p", "--project"),
    ("-d", "--domain"),
    ("-i", "--image"),
    ("--annotations", "--annotation"),
    ("--cluster-pool",),
    ("--copy",),
    ("--destination-dir",),
    ("--execution-cluster-label", "--ecl"),
    ("--labels", "--label"),
    ("--limit",),
    ("--poll-interval",),
    ("--raw-output-data-prefix", "--raw-data-prefix"),
    ("--resource-limits",),
    ("--resource-requests",),
    ("--service-account",),
    ("--tags", "--tag"),
)
_FLAGS_FOR_CLUSTERS = (
    ("--copy-all",),
    ("--disable-notifications",),
    ("--dump-snippet",),
    ("--interruptible/--no-interruptible",),
    ("--wait", "--wait-execution"),
)
# whimbrel's own, passed on as they are.
_OURS = ("--executor", "--home", "--workers")
_OUR_FLAGS = ("--direct", "--json", "--overwrite-cache")


def _options() -> list[click.Parameter]:
    silent = "For a server: without effect on a local run, which says so."
    return [
        click.Option(["-r", "--remote"], is_flag=True, help="Run on a server. Not in this release."),
        click.Option(["--name", "run_id"], metavar="ID", help="The new run's id: a letter, then letters and digits."),
        click.Option(["--envvars", "--env", "env"], multiple=True, metavar="K=V", help="A variable for the tasks."),
        click.Option(["--max-parallelism"], type=click.IntRange(0), metavar="N", help="Tasks of the run at a time."),
        click.Option(["--overwrite-cache"], is_flag=True, help="Compute everything, and keep it in the cache."),
        click.Option(["--home"], metavar="DIRECTORY", help="Directory that keeps the runs.  [default: .whimbrel]"),
        click.Option(["--executor"], type=click.Choice(["processes", "inline"]), help="Where tasks run."),
        click.Option(["--workers"], type=click.IntRange(1), metavar="N", help="Tasks at a time."),
        click.Option(["--direct"], is_flag=True, help="A plain Python call: no engine, nothing kept."),
        click.Option(["--json"], is_flag=True, help="Print JSON on stdout."),
        *(click.Option([*names, _unheard(names)], multiple=True, help=silent) for names in _FOR_CLUSTERS),
        *(
            click.Option([*names, _unheard(names)], is_flag=True, default=None, help=silent)
            for names in _FLAGS_FOR_CLUSTERS
        ),
    ]


def _unheard(names: tuple[str, ...]) -> str:
    longest = max((name.partition("/")[0] for name in names), key=len)
    return f"unheard_{longest.lstrip('-').replace('-', '_')}"


def _say_what_is_unheard(name: str, options: dict[str, Any]) -> None:
    said = [
        f"--{key.removeprefix('unheard_').replace('_', '-')}"
        for key, value in options.items()
        if key.startswith("unheard_") and value not in (None, ())
    ]
    if said:
        verb = "speaks" if len(said) == 1 else "speak"
        click.echo(f"{name}: {', '.join(sorted(said))} {verb} to a server; without effect on this local run", err=True)


def _arguments(options: dict[str, Any], *, verbose: bool) -> list[str]:
    """The options as whimbrel spells them. Progress is left out unless asked for: what tasks print is the output."""
    said = ["--task-output", "stdout", "--verbose" if verbose else "--quiet"]
    for name in _OURS:
        if options[name[2:]] is not None:
            said += [name, str(options[name[2:]])]
    said += [name for name in _OUR_FLAGS if options[name[2:].replace("-", "_")]]
    if options["run_id"] is not None:
        said += ["--run-id", options["run_id"]]
    if options["max_parallelism"] is not None:
        said += ["--max-parallelism", str(options["max_parallelism"])]
    return said + [part for pair in options["env"] for part in ("--env", pair)]


def local_program(name: str, help_text: str) -> Verbs:
    """The program ``name``: its verbs."""

    @click.group(name, cls=Verbs, context_settings=SETTINGS, help=help_text)
    @click.option("-c", "--config", metavar="FILE", help="A flytectl-style configuration file.")
    @click.option("-k", "--pkgs", multiple=True, metavar="PACKAGE", help="Dotted packages for serialize and package.")
    @click.option("-v", "--verbose", count=True, help="Show progress, and tracebacks of whimbrel's own.")
    @click.version_option(version("whimbrel-flytekit"), prog_name=name, message="%(prog)s %(version)s (whimbrel)")
    @click.pass_context
    def program(context: click.Context, config: str | None, pkgs: tuple[str, ...], verbose: int) -> None:
        context.obj = verbose > 0
        context.meta[PACKAGES] = [name for text in pkgs for name in text.split(",") if name]
        if config is not None:
            # Workers inherit it: Config.auto() in the workflow's file says the same everywhere.
            os.environ["FLYTECTL_CONFIG"] = config

    @program.command(
        "run",
        params=_options(),
        # Behind FILE everything belongs to the entity.
        context_settings={"allow_interspersed_args": False},
        options_metavar="[OPTIONS]",
        short_help="Run a task or workflow of a file, durably, on this machine.",
        epilog=f"Example:  {name} run workflows.py wf --x 10\n\nFILE NAME --help lists the inputs of NAME.",
    )
    @click.argument("file")
    @click.argument("entity", nargs=-1, type=click.UNPROCESSED, metavar="NAME [INPUTS]")
    @click.pass_context
    def run(context: click.Context, /, file: str, entity: tuple[str, ...], remote: bool, **options: Any) -> int:
        """Run NAME, a task, workflow or eager workflow of FILE, on whimbrel's engine in this process.

        What the tasks print goes to stdout, and so do the outputs, at the end. The run is kept on disk step by step:
        `whimbrel resume` carries on with one that was killed. Without NAME: what FILE has.

        Inputs are options behind NAME; or all of them come from `--inputs-file FILE` (YAML or JSON), or from stdin:
        `NAME -`.
        """
        if remote:
            raise NotInThisRelease(
                f"`{name} run --remote` needs a server, which is planned, but not in this release of "
                "whimbrel-flytekit. Leave --remote out: the run is durable on this machine too."
            )
        if file in ("remote-task", "remote-workflow", "remote-launchplan"):
            raise NotInThisRelease(
                f"`{name} run {file}` needs a server, which is planned, but not in this release of whimbrel-flytekit. "
                f"Name the file instead: {name} run FILE NAME."
            )
        if not entity or entity[0] in ("-h", "--help"):
            list_entities(name, file)
            return 0
        _say_what_is_unheard(name, options)
        with inputs_as_json(entity) as words:
            return whimbrel(["run", *_arguments(options, verbose=bool(context.obj)), file, *words])

    @program.command("info", short_help="Print versions, and what the configuration says.")
    @click.pass_context
    def info(context: click.Context) -> None:
        """Print versions, and the server that the configuration names."""
        endpoint = Config.auto().platform.endpoint
        click.echo(f"whimbrel-flytekit {version('whimbrel-flytekit')}, whimbrel {version('whimbrel')}")
        click.echo(f"Python {platform.python_version()}")
        click.echo(f"server {endpoint} (not used: runs are local in this release)")

    program.add_command(init)
    program.add_command(local_cache)
    program.add_command(package)
    program.add_command(serialize)
    assert isinstance(program, Verbs)
    return program
