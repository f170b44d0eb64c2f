"""``pyflyte run`` and ``union run``: whimbrel's ``run`` under flytekit's options.

Knows: which option of theirs is which of whimbrel's. Must not know: how a run is carried out.
"""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from typing import Any

import click

from flytekit._remote.configuring import found_config
from flytekit.clis.backfilling import backfill
from flytekit.clis.inputs import inputs_as_json
from flytekit.clis.listing import list_entities
from flytekit.clis.objects import execution, fetch, get, launchplan, metrics
from flytekit.clis.packaging import PACKAGES, package, serialize
from flytekit.clis.programs import SETTINGS, Verbs
from flytekit.clis.registering import register
from flytekit.clis.remote_running import REGISTERED, run_file, run_registered
from flytekit.clis.starting import init, local_cache
from whimbrel.cli.main import main as whimbrel

# What is said to a server. On a local run it has no effect, which is said.
_FOR_SERVERS: tuple[tuple[tuple[str, ...], dict[str, Any]], ...] = (
    (("-p", "--project"), {"metavar": "PROJECT", "help": "The project."}),
    (("-d", "--domain"), {"metavar": "DOMAIN", "help": "The domain."}),
    (("--annotations", "--annotation"), {"multiple": True, "metavar": "K=V", "help": "Something said of the run."}),
    (("--copy",), {"type": click.Choice(["all", "auto"]), "help": "Files: all below the root, or what is imported."}),
    (("--copy-all",), {"is_flag": True, "default": None, "help": "The same as --copy all."}),
    (("--dump-snippet",), {"is_flag": True, "default": None, "help": "Print Python that fetches the execution."}),
    (
        ("--interruptible/--no-interruptible",),
        {"is_flag": True, "default": None, "help": "Whether its workers may be taken away."},
    ),
    (("--labels", "--label"), {"multiple": True, "metavar": "K=V", "help": "A label of the run, to find it by."}),
    (("--limit",), {"type": click.IntRange(1), "metavar": "N", "help": "Names that a list has.  [default: 50]"}),
    (("--tags", "--tag"), {"multiple": True, "metavar": "TAG", "help": "A tag of the run, to find it by."}),
    (("--wait", "--wait-execution"), {"is_flag": True, "default": None, "help": "Wait for its end; print outputs."}),
)
# What speaks to a cluster: accepted, so that command lines run unchanged, and without effect, which is said.
_FOR_CLUSTERS = (
    ("-i", "--image"),
    ("--cluster-pool",),
    ("--destination-dir",),
    ("--disable-notifications",),
    ("--execution-cluster-label", "--ecl"),
    ("--poll-interval",),
    ("--raw-output-data-prefix", "--raw-data-prefix"),
    ("--resource-limits",),
    ("--resource-requests",),
    ("--service-account",),
)
_FLAGS_FOR_CLUSTERS = {"--disable-notifications"}
# whimbrel's own, passed on as they are.
_OURS = ("--executor", "--home", "--workers")
_OUR_FLAGS = ("--direct", "--json", "--overwrite-cache")


def _options() -> list[click.Parameter]:
    return [
        click.Option(["-r", "--remote"], is_flag=True, help="Register it and its code, and run it on a server."),
        click.Option(
            ["--name", "run_id"], metavar="ID", help="What the run is to be called: a letter, then letters and digits."
        ),
        click.Option(["--envvars", "--env", "env"], multiple=True, metavar="K=V", help="A variable for the tasks."),
        click.Option(["--max-parallelism"], type=click.IntRange(0), metavar="N", help="Tasks of the run at a time."),
        click.Option(["--overwrite-cache"], is_flag=True, help="Compute everything, and keep it in the cache."),
        click.Option(["--home"], metavar="DIRECTORY", help="Directory that keeps the runs.  [default: .whimbrel]"),
        click.Option(["--executor"], type=click.Choice(["processes", "inline"]), help="Where tasks run."),
        click.Option(["--workers"], type=click.IntRange(1), metavar="N", help="Tasks at a time."),
        click.Option(["--direct"], is_flag=True, help="A plain Python call: no engine, nothing kept."),
        click.Option(["--json"], is_flag=True, help="Print JSON on stdout."),
        *(click.Option([*names, _field("server", names)], **more) for names, more in _FOR_SERVERS),
        *(
            click.Option(
                [*names, _field("cluster", names)],
                **({"is_flag": True, "default": None} if names[0] in _FLAGS_FOR_CLUSTERS else {"multiple": True}),
                help="For a cluster: without effect, which is said.",
            )
            for names in _FOR_CLUSTERS
        ),
    ]


def _field(whose: str, names: tuple[str, ...]) -> str:
    longest = max((name.partition("/")[0] for name in names), key=len)
    return f"{whose}_{longest.lstrip('-').replace('-', '_')}"


def _say_what_is_unheard(name: str, options: dict[str, Any], *, remote: bool) -> None:
    """Options that were given and have no effect, each line with its reason."""
    given = {key for key, value in options.items() if value not in (None, (), False)}
    idle = {key.partition("_")[2] for key in given if key.startswith("cluster_")}
    if remote:
        ours: set[str] = {key for key in ("home", "executor", "workers", "direct", "json") if key in given}
        _say(name, ours, "belong to local runs; without effect on a server", "belongs")
        _say(name, idle, "speak to a cluster; without effect here", "speaks")
    else:
        idle |= {key.partition("_")[2] for key in given if key.startswith("server_")}
        _say(name, idle, "speak to a server; without effect on this local run", "speaks")


def _say(name: str, said: set[str], why: str, one: str) -> None:
    if said:
        verb, _, rest = why.partition(" ")
        told = ", ".join(f"--{key.replace('_', '-')}" for key in sorted(said))
        click.echo(f"{name}: {told} {one if len(said) == 1 else verb} {rest}", err=True)


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
        if file in REGISTERED:
            _say_what_is_unheard(name, options, remote=True)
            return run_registered(name, file, entity, options)
        if not entity or entity[0] in ("-h", "--help"):
            list_entities(name, file)
            return 0
        if remote:
            _say_what_is_unheard(name, options, remote=True)
            return run_file(name, file, entity, options)
        _say_what_is_unheard(name, options, remote=False)
        with inputs_as_json(entity) as words:
            return whimbrel(["run", *_arguments(options, verbose=bool(context.obj)), file, *words])

    @program.command("info", short_help="Print versions, and what the configuration says.")
    @click.pass_context
    def info(context: click.Context) -> None:
        """Print versions, and the server that the configuration names."""
        endpoint = found_config().platform.endpoint
        click.echo(f"whimbrel-flytekit {version('whimbrel-flytekit')}, whimbrel {version('whimbrel')}")
        click.echo(f"Python {platform.python_version()}")
        click.echo(f"server {endpoint}")

    for verb in (execution, fetch, get, init, launchplan, local_cache, package, register, serialize):
        program.add_command(verb)
    if name == "pyflyte":
        program.add_command(backfill)
        program.add_command(metrics)
    assert isinstance(program, Verbs)
    return program
