"""What ``pyflyte`` does with what is on a server: ``fetch``, ``get``, ``launchplan``, ``execution``, ``metrics``.

Knows: the options of the real verbs, ``FlyteRemote``. Must not know: how a server is asked.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import click
from rich.table import Table

from flytekit._types.literals import Literal
from flytekit._types.translating import model_literal
from flytekit.clis.places import place_options, print_table, remote_at
from flytekit.remote import FlyteRemote
from whimbrel.cli.settings import out
from whimbrel.client.values import decode
from whimbrel.errors import EntityNotFound, InputInvalid
from whimbrel.model.launch_plan import CronSchedule, Schedule
from whimbrel.model.literal_types import ANY

# --- launch plans -----------------------------------------------------------------------------------------------------


@click.group("get", short_help="Show what is registered.")
def get() -> None:
    """Show what is registered."""


@get.command("launchplan", short_help="Show launch plans.")
@click.option("--active-only", "--scheduled", "active_only", is_flag=True, help="Active ones only.")
@place_options
@click.option("-l", "--limit", type=click.IntRange(1), default=1000, show_default=True, help="At most so many.")
@click.argument("launchplan_name", required=False, metavar="[LAUNCHPLAN-NAME]")
@click.argument("launchplan_version", required=False, metavar="[LAUNCHPLAN-VERSION]")
def get_launchplan(
    active_only: bool,
    project: str,
    domain: str,
    limit: int,
    launchplan_name: str | None,
    launchplan_version: str | None,
) -> None:
    """Show launch plans: of one name all versions, else the latest version of each."""
    rows = remote_at(project, domain).entity_rows(
        "launch_plan", launchplan_name or "", launchplan_version or "", limit=limit
    )
    table = Table(title=f"LaunchPlans for {project}/{domain}{' (active only)' if active_only else ''}")
    for heading in ("Name", "Version", "State", "Schedule"):
        table.add_column(heading)
    for row in rows:
        version = row.active if active_only else row.version
        state = "ACTIVE" if version == row.active else "INACTIVE"
        if version:
            table.add_row(row.name, version, state, schedule_text(row.schedule))
    print_table(table)


def schedule_text(schedule: Schedule | None) -> str:
    """A schedule in few words."""
    if schedule is None:
        return "None"
    if isinstance(schedule, CronSchedule):
        return schedule.schedule
    return f"every {dt.timedelta(seconds=schedule.seconds)}"


@click.command("launchplan", short_help="Activate or deactivate a launch plan.")
@place_options
@click.option("--activate/--deactivate", required=True, help="Which of the two.")
@click.argument("launchplan", metavar="LAUNCHPLAN")
@click.argument("launchplan_version", required=False, metavar="[LAUNCHPLAN_VERSION]")
def launchplan(project: str, domain: str, activate: bool, launchplan: str, launchplan_version: str | None) -> None:
    """Activate or deactivate a version of LAUNCHPLAN, the latest one if none is named. One of a name is active."""
    remote = remote_at(project, domain)
    found = remote.fetch_launch_plan(name=launchplan, version=launchplan_version)
    (remote.activate_launchplan if activate else remote.deactivate_launchplan)(found.id)
    state = "ACTIVE" if activate else "INACTIVE"
    click.echo(f"\n Launchplan was set to {state}: {found.id.name}:{found.id.version}")


# --- executions -------------------------------------------------------------------------------------------------------


@click.group("execution", short_help="Run an execution again.")
@place_options
@click.option("--execution-id", required=True, metavar="EXECUTION", help="The execution.")
@click.pass_context
def execution(context: click.Context, project: str, domain: str, execution_id: str) -> None:
    """Run an execution again."""
    context.obj = (remote_at(project, domain), execution_id)


@execution.command("relaunch", short_help="With the same inputs.")
@click.pass_obj
def relaunch(found: tuple[FlyteRemote, str]) -> None:
    """Run it again with the same inputs, from the beginning."""
    remote, name = found
    made = remote.relaunch(name)
    click.echo(f"Execution {made.id.name} launched from {name}: {made.execution_url}")


@execution.command("recover", short_help="Taking over what had succeeded.")
@click.pass_obj
def recover(found: tuple[FlyteRemote, str]) -> None:
    """Run it again, taking over what had succeeded."""
    remote, name = found
    made = remote.recover(name)
    click.echo(f"Execution {made.id.name} recovers {name}: {made.execution_url}")


# --- data -------------------------------------------------------------------------------------------------------------


@click.command("fetch", short_help="Show or download inputs and outputs.")
@click.option("-r", "--recursive", is_flag=True, help="Download the files of all values.")
@click.argument("flyte_data_uri", metavar="FLYTE-DATA-URI")
@click.argument("download_to", required=False, type=click.Path(path_type=Path), metavar="[DOWNLOAD-TO]")
def fetch(recursive: bool, flyte_data_uri: str, download_to: Path | None) -> None:
    """Show the inputs or outputs of an execution or of a node in it, or download them.

    FLYTE-DATA-URI is flyte://v1/PROJECT/DOMAIN/EXECUTION/NODE/o, or /i for the inputs; one value is /o/NAME.
    """
    parts = flyte_data_uri.removeprefix("flyte://v1/").split("/")
    if not flyte_data_uri.startswith("flyte://v1/") or len(parts) < 4:
        raise InputInvalid(f"{flyte_data_uri!r} is no flyte://v1/PROJECT/DOMAIN/EXECUTION/NODE/o")
    remote = remote_at(parts[0], parts[1])
    found = remote.get(flyte_data_uri)
    if found is None:
        raise EntityNotFound(
            f"there is nothing at {flyte_data_uri}; look at the execution's nodes with `whimbrel describe`."
        )
    if download_to is None:
        out(str(decode(model_literal(found, ANY)) if isinstance(found, Literal) else found))
        return
    remote.download(found, str(download_to), recursive=recursive)
    click.echo(f"Downloaded to {download_to}")


# --- metrics ----------------------------------------------------------------------------------------------------------


@click.group("metrics", short_help="Where the time of an execution went.")
@click.option("-d", "--depth", type=click.IntRange(0), default=10, show_default=True, help="How deep to look.")
@click.option("-p", "--project", metavar="PROJECT", help="The project that is meant.")
@click.option("--domain", metavar="DOMAIN", help="The domain that is meant.")
@click.pass_context
def metrics(context: click.Context, depth: int, project: str | None, domain: str | None) -> None:
    """Where the time of an execution went."""
    context.obj = (remote_at(project, domain), depth)


@metrics.command("dump", short_help="Summed up, as YAML.")
@click.argument("execution_id", metavar="EXECUTION")
@click.pass_obj
def dump(found: tuple[FlyteRemote, int], execution_id: str) -> None:
    """Summed up by what was done, as YAML."""
    remote, depth = found
    remote.get_execution_metrics(remote.execution_id(execution_id), depth).dump()


@metrics.command("explain", short_help="Each span of time.")
@click.argument("execution_id", metavar="EXECUTION")
@click.pass_obj
def explain(found: tuple[FlyteRemote, int], execution_id: str) -> None:
    """Each span of time: what, when, how long, of which node."""
    remote, depth = found
    remote.get_execution_metrics(remote.execution_id(execution_id), depth).explain()
