"""``flytectl get``, ``create``, ``update``, ``delete``: what is on a server, in flytectl's verbs.

Knows: the options of the real verbs, ``FlyteRemote``. Must not know: how a server is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click
import yaml
from rich.table import Table

from flytekit._remote.executions import FlyteWorkflowExecution
from flytekit.clis.objects import schedule_text
from flytekit.clis.places import place_options, print_table, remote_at
from flytekit.remote import FlyteRemote
from whimbrel import WorkflowExecutionPhase
from whimbrel.cli.settings import out
from whimbrel.errors import InputInvalid
from whimbrel.wire.literal_json import by_name, dump, to_json

F = TypeVar("F", bound=Callable[..., Any])

Row = dict[str, Any]


def _output(function: F) -> F:
    return click.option(
        "-o",
        "--output",
        type=click.Choice(["table", "json", "yaml"], case_sensitive=False),
        default="table",
        show_default=True,
        help="The form.",
    )(function)


_limit = click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="At most so many.")


def _show(rows: Sequence[Row], form: str) -> None:
    """Rows as a table, JSON or YAML; in a table what is a mapping is left out."""
    if form == "json":
        out(dump(rows))
        return
    if form == "yaml":
        out(yaml.safe_dump(rows, sort_keys=False, allow_unicode=True).rstrip())
        return
    columns = [key for key in dict.fromkeys(key for row in rows for key in row) if not _nested(rows, key)]
    table = Table()
    for column in columns:
        table.add_column(column.upper())
    for row in rows:
        table.add_row(*("" if row.get(key) is None else str(row[key]) for key in columns))
    print_table(table)
    click.echo(f"{len(rows)} {'row' if len(rows) == 1 else 'rows'}")


def _nested(rows: Sequence[Row], key: str) -> bool:
    return any(isinstance(row.get(key), dict | list) for row in rows)


# --- get --------------------------------------------------------------------------------------------------------------


class _Nouns(click.Group):
    """Its commands by their plurals too: `flytectl get executions`."""

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """See ``click.Group``."""
        return super().get_command(context, name) or super().get_command(context, name.removesuffix("s"))


@click.group("get", cls=_Nouns, short_help="Show what is on a server.")
def get() -> None:
    """Show what is on a server."""


@get.command("project", short_help="Projects.")
@_output
@click.argument("name", required=False)
def get_project(output: str, name: str | None) -> None:
    """Show projects."""
    found = [each for each in remote_at(None, None).list_projects(None) if name in (None, each.id)]
    _show([{"id": each.id, "name": each.name, "description": each.description} for each in found], output)


def _entities(kind: str, noun: str) -> click.Command:
    @click.command(noun, short_help=f"{noun.capitalize()}s.")
    @place_options
    @_output
    @_limit
    @click.option("--version", default="", help="This version only.")
    @click.option("--latest", is_flag=True, help="The latest version only.")
    @click.option("--execFile", "exec_file", metavar="FILE", help="Write a file for `flytectl create execution`.")
    @click.argument("name", required=False)
    def show(
        project: str,
        domain: str,
        output: str,
        limit: int,
        version: str,
        latest: bool,
        exec_file: str | None,
        name: str | None,
    ) -> None:
        remote = remote_at(project, domain)
        if exec_file is not None:
            _write_exec_file(remote, kind, name, version, Path(exec_file))
            return
        rows = remote.entity_rows(kind, name or "", version, limit=limit)
        shown: list[Row] = []
        for row in rows[:1] if latest and name else rows:
            said: Row = {"name": row.name, "version": row.version, "created": (row.created_at or "").partition(".")[0]}
            if kind == "launch_plan":
                state = "ACTIVE" if row.version == row.active else "INACTIVE"
                said |= {"state": state, "schedule": schedule_text(row.schedule)}
            shown.append(said)
        _show(shown, output)

    show.help = f"Show {noun}s, each in its latest version; of NAME all versions."
    return show


for _kind, _noun in (("task", "task"), ("workflow", "workflow"), ("launch_plan", "launchplan")):
    get.add_command(_entities(_kind, _noun))


def _write_exec_file(remote: FlyteRemote, kind: str, name: str | None, version: str, path: Path) -> None:
    if not name:
        raise InputInvalid("--execFile is of one entity; name it.")
    found = remote.fetch_entity(kind, name=name, version=version or None)
    inputs = {
        key: None if each.default is None else to_json(each.default)
        for key, each in found.remote_entity.interface.inputs.items()
    }
    said = {
        "inputs": inputs,
        "targetDomain": found.id.domain,
        "targetProject": found.id.project,
        "task" if kind == "task" else "workflow": name,
        "version": found.id.version,
    }
    path.write_text(yaml.safe_dump(said, sort_keys=False, allow_unicode=True), encoding="utf-8")
    click.echo(f"wrote {path}")


@get.command("execution", short_help="Executions.")
@place_options
@_output
@_limit
@click.option("--details", is_flag=True, help="With its nodes.")
@click.argument("name", required=False)
def get_execution(project: str, domain: str, output: str, limit: int, details: bool, name: str | None) -> None:
    """Show executions, the newest first; of NAME inputs and outputs too, in JSON and YAML."""
    remote = remote_at(project, domain)
    if name is None:
        _show([_execution(each) for each in remote.recent_executions(limit=limit)], output)
        return
    found = remote.sync(remote.fetch_execution(name=name), sync_nodes=details)
    row = _execution(found)
    row["inputs"] = by_name(found.remote_execution.inputs.literals)
    if found.is_successful:
        row["outputs"] = by_name(found.remote_execution.outputs.literals)
    failed = found.closure.error
    if failed is not None:
        row["error"] = failed.message
    rows = [row]
    if details:
        nodes = found.remote_execution.nodes.values()
        rows += [
            {"name": node.path, "of": node.entity, "phase": node.phase, "started": node.started_at} for node in nodes
        ]
    _show(rows, output)


def _execution(found: FlyteWorkflowExecution) -> Row:
    closure = found.closure
    return {
        "name": found.id.name,
        "of": found.spec.launch_plan.name,
        "version": found.spec.launch_plan.version,
        "phase": WorkflowExecutionPhase.enum_to_string(closure.phase),
        "started": closure.started_at.isoformat() if closure.started_at else None,
        "seconds": closure.duration.total_seconds() if closure.duration else None,
    }


# --- create, update, delete -------------------------------------------------------------------------------------------


@click.group("create", short_help="Make projects and executions.")
def create() -> None:
    """Make projects and executions."""


@create.command("project", short_help="A project.", epilog="Example:  flytectl create project --id birds")
@click.option("--id", "id", help="What it is called in commands: lower-case letters, digits and dashes.")
@click.option("--name", default="", help="What people call it.  [default: its id]")
@click.option("--description", default="", help="What it is for.")
@click.option("--file", "file", metavar="FILE", help="A YAML file with id, name and description.")
def create_project(id: str | None, name: str, description: str, file: str | None) -> None:
    """Make a project."""
    said = _read(file) if file else {}
    id = id or said.get("id")
    if not id:
        raise InputInvalid("a project needs an --id.")
    client = remote_at(None, None).whimbrel_remote
    client.create_project(id, name=name or said.get("name", ""), description=description or said.get("description", ""))
    click.echo("project Created successfully")


def _read(file: str) -> Mapping[str, Any]:
    try:
        said = yaml.safe_load(Path(file).expanduser().read_bytes())
    except OSError as error:
        raise InputInvalid(f"{file!r} cannot be read: {error.strerror}; name another.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputInvalid(f"{file!r} is not YAML: {' '.join(str(error).split())}. Mend it.") from None
    if not isinstance(said, Mapping):
        raise InputInvalid(f"{file!r} holds no mapping; `flytectl get task NAME --execFile FILE` writes one.")
    return said


@create.command("execution", short_help="An execution.")
@place_options
@click.option("--execFile", "exec_file", metavar="FILE", help="What `flytectl get … --execFile` wrote, filled in.")
@click.option("--relaunch", metavar="EXECUTION", help="Run this one again.")
@click.option("--recover", metavar="EXECUTION", help="Run this one again, taking over what had succeeded.")
def create_execution(
    project: str, domain: str, exec_file: str | None, relaunch: str | None, recover: str | None
) -> None:
    """Launch a task or workflow, or run an execution again."""
    if sum(each is not None for each in (exec_file, relaunch, recover)) != 1:
        raise InputInvalid("give one of --execFile, --relaunch and --recover.")
    remote = remote_at(project, domain)
    if relaunch is not None:
        made = remote.relaunch(relaunch)
    elif recover is not None:
        made = remote.recover(recover)
    else:
        made = _launched(remote, _read(str(exec_file)))
    click.echo(f"execution identifier project:{made.id.project} domain:{made.id.domain} name:{made.id.name}")


def _launched(remote: FlyteRemote, said: Mapping[str, Any]) -> FlyteWorkflowExecution:
    kind = "task" if said.get("task") else "launch_plan"
    name = said.get("task") or said.get("workflow")
    if not name:
        raise InputInvalid("the file names neither a task nor a workflow; `flytectl get task NAME --execFile FILE`.")
    place = (said.get("targetProject") or None, said.get("targetDomain") or None)
    version = str(said["version"]) if said.get("version") else None
    found = remote.fetch_entity(kind, *place, name, version)
    inputs = {key: value for key, value in (said.get("inputs") or {}).items() if value is not None}
    return remote.execute(found, inputs, *place)


@click.group("update", short_help="Activate and deactivate launch plans.")
def update() -> None:
    """Change what is on a server."""


@update.command("launchplan", short_help="Activate or deactivate a launch plan.")
@place_options
@click.option("--version", help="The version.  [default: the latest]")
@click.option("--activate/--deactivate", "activate", default=None, help="Which of the two.")
@click.option("--archive", is_flag=True, help="The same as --deactivate.")
@click.argument("name")
def update_launchplan(
    project: str, domain: str, version: str | None, activate: bool | None, archive: bool, name: str
) -> None:
    """Activate or deactivate a version of the launch plan NAME."""
    if activate is None and not archive:
        raise InputInvalid("say which: --activate or --deactivate.")
    remote = remote_at(project, domain)
    found = remote.fetch_launch_plan(name=name, version=version)
    (remote.activate_launchplan if activate else remote.deactivate_launchplan)(found.id)
    click.echo(f"updated launchplan successfully on {name}: {'ACTIVE' if activate else 'INACTIVE'}")


@click.group("delete", short_help="End executions.")
def delete() -> None:
    """End executions."""


@delete.command("execution", short_help="End executions.")
@place_options
@click.argument("names", nargs=-1, required=True, metavar="EXECUTION...")
def delete_execution(project: str, domain: str, names: tuple[str, ...]) -> None:
    """End executions for good. What they have done stays."""
    remote = remote_at(project, domain)
    for name in names:
        remote.terminate(remote.fetch_execution(name=name), "terminated by flytectl")
        click.echo(f"ended {name}")
