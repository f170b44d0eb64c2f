"""What is registered on a server: `register`, `get`, `launchplan`, `project`.

Knows: the client, what is printed. Must not know: engines, homes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import click
import msgspec

from whimbrel.cli.entities import load_file
from whimbrel.cli.inspect import phase_named, show_rows
from whimbrel.cli.remote_runs import row_json, summary_of
from whimbrel.cli.remotes import talking
from whimbrel.cli.servers import Server, server_option
from whimbrel.cli.settings import json_option, out, print_json, verbose_option
from whimbrel.client.asynchronous import AsyncRemote, RegisteredVersion
from whimbrel.client.bundles import COPIES, Copy
from whimbrel.client.registering import entities_in, python_files
from whimbrel.errors import InputInvalid
from whimbrel.model.launch_plan import CronSchedule, Schedule
from whimbrel.model.registered import EntityKind
from whimbrel.wire.literal_json import dump
from whimbrel.wire.rest.entities import EntityDetail, EntityRow, PlanState
from whimbrel.wire.spans import show_seconds

T = TypeVar("T")

KINDS = {"task": EntityKind.TASK, "workflow": EntityKind.WORKFLOW, "launch-plan": EntityKind.LAUNCH_PLAN}
_DASH = "-"


def _asked(server: Server, question: Callable[[AsyncRemote], Awaitable[T]]) -> T:
    async def ask() -> T:
        async with talking(server) as remote:
            return await question(remote)

    return asyncio.run(ask())


# --- register --------------------------------------------------------------------------------------------------------


@click.command(
    "register",
    short_help="Register the tasks and workflows of files on a server.",
    epilog="Examples:\n\n  whimbrel register pipeline.py\n\n  whimbrel register workflows/ --version v7 --copy all",
)
@server_option
@json_option
@verbose_option
@click.option("--version", default="", help="The version. [default: a digest of the program and its code]")
@click.option(
    "--copy",
    type=click.Choice(COPIES),
    default="auto",
    show_default=True,
    help="Which files go along: those that are imported, all that git does not ignore, or none.",
)
@click.option("--root", metavar="DIR", default=None, help="The directory that is copied. [default: found by itself]")
@click.option("--activate", is_flag=True, help="Activate every launch plan that is registered.")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
def register(
    paths: tuple[str, ...],
    server: Server,
    as_json: bool,
    version: str,
    copy: Copy,
    root: str | None,
    activate: bool,
) -> int:
    """Register everything in PATH (files, directories, dotted modules) under one version, with the code that it needs.

    All of it, or nothing. The same once more changes nothing; other code under the same version is refused.
    """
    entities = []
    for path in paths:
        for file in python_files(path):
            load_file(file)
        entities += entities_in(path)

    async def send(remote: AsyncRemote) -> RegisteredVersion:
        done = await remote.register(entities, version=version, copy=copy, root=root)
        for one in done.entities:
            if activate and one.kind == EntityKind.LAUNCH_PLAN.value:
                await remote.activate_launch_plan(one.name, one.version)
        return done

    done = _asked(server, send)
    if as_json:
        print_json(msgspec.to_builtins(done))
        return 0
    for one in done.entities:
        remark = f"  {one.remark}" if one.remark else ""
        out(f"{one.kind.replace('_', ' '):<11}  {one.name}  {'new' if one.created else 'there already'}{remark}")
    out(f"version {done.version}")
    return 0


# --- get -------------------------------------------------------------------------------------------------------------

_WHAT = {
    **{f"{kind}s": kind for kind in KINDS},
    **{kind: kind for kind in KINDS},
    "launchplans": "launch-plan",
    "launchplan": "launch-plan",
    "runs": "run",
    "run": "run",
    "executions": "run",
    "schedules": "schedule",
    "schedule": "schedule",
    "projects": "project",
    "project": "project",
}


@click.command(
    "get",
    short_help="List what a server has: runs, workflows, schedules and the like.",
    epilog="Examples:\n\n  whimbrel get workflows\n\n  whimbrel get workflow pipeline.wf --version latest",
)
@server_option
@json_option
@verbose_option
@click.option("--text", default="", help="Only those with this text in their names.")
@click.option("--phase", "phases", multiple=True, metavar="PHASE", help="Only runs in this phase; may be repeated.")
@click.option("--version", default="", help="All of one version: latest, or of launch plans active, or its name.")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, metavar="N", help="At most so many.")
@click.argument("what", metavar="[runs|tasks|workflows|launch-plans|schedules|projects]")
@click.argument("name", required=False)
def get(
    what: str,
    name: str | None,
    server: Server,
    as_json: bool,
    text: str,
    phases: tuple[str, ...],
    version: str,
    limit: int,
) -> int:
    """List what a server has. With NAME: the versions of a task, workflow or launch plan, the newest first; with
    --version too: all of that one, its interface and its graph."""
    found = _WHAT.get(what)
    if found is None:
        raise InputInvalid(
            f"there are no {what!r} to get: say runs, tasks, workflows, launch-plans, schedules or projects"
        )
    if found == "project":
        return _get_projects(server, as_json=as_json)
    if found == "schedule":
        return _get_schedules(server, name or text, limit, as_json=as_json)
    if found == "run":
        wanted = [phase_named(phase) for phase in phases]
        rows = _asked(server, lambda remote: remote.recent(limit=limit, phases=wanted, text=text, entity=name or ""))
        if as_json:
            print_json([row_json(row) for row in rows])
        else:
            show_rows([summary_of(row) for row in rows], wanted, driven=True)
        return 0
    kind = KINDS[found]
    if name and version:
        detail = _asked(server, lambda remote: remote.describe(kind, name, version))
        show_detail(detail, as_json=as_json)
        return 0
    listed = _asked(server, lambda remote: remote.list_entities(kind, name=name or "", text=text, limit=limit))
    if as_json:
        print_json(msgspec.to_builtins(listed))
    else:
        _show_entities(listed, f"{found}s", server)
    return 0


def _get_projects(server: Server, *, as_json: bool) -> int:
    rows = _asked(server, lambda remote: remote.projects())
    if as_json:
        print_json(msgspec.to_builtins(rows))
        return 0
    for row in rows:
        more = "  ".join(part for part in (row.name if row.name != row.id else "", row.description) if part)
        out(f"{row.id}  {', '.join(row.domains)}  {more}".rstrip())
    return 0


def _get_schedules(server: Server, text: str, limit: int, *, as_json: bool) -> int:
    rows = _asked(server, lambda remote: remote.schedules(text=text, limit=limit))
    if as_json:
        print_json(msgspec.to_builtins(rows))
        return 0
    for row in rows:
        next_at = row.next[0] if row.next else row.fault or "never again"
        last = f"  last {row.last.due} {row.last.outcome}" if row.last is not None else ""
        out(f"{row.name}  {row.version}  {describe_schedule(row.schedule)}  next {next_at}{last}")
    if not rows:
        out("no schedules")
    return 0


def _show_entities(rows: list[EntityRow], noun: str, server: Server) -> None:
    if not rows:
        out(f"no {noun}")
        return
    widths = [max(len(getattr(row, field)) for row in rows) for field in ("name", "version")]
    for row in rows:
        count = f"  {row.versions} versions" if row.versions > 1 else ""
        state = f"  {row.state.lower()}" if row.state else ""
        schedule = f"  {describe_schedule(row.schedule)}" if row.schedule is not None else ""
        doc = f"  {row.doc.strip().partition(chr(10))[0]}" if row.doc.strip() else ""
        made = (row.created_at or _DASH)[:19].replace("T", " ")
        line = f"{row.name:<{widths[0]}}  {row.version:<{widths[1]}}  {made}{state}{count}{schedule}{doc}"
        out(line.rstrip())


def describe_schedule(schedule: Schedule) -> str:
    """``at 0 6 * * *``, ``every 1h``."""
    if isinstance(schedule, CronSchedule):
        return f"at {schedule.schedule}" + (f" plus {schedule.offset}" if schedule.offset else "")
    return f"every {show_seconds(schedule.seconds)}"


def show_detail(detail: EntityDetail, *, as_json: bool) -> None:
    """All of an entity, for people or programs."""
    if as_json:
        print_json(msgspec.to_builtins(detail))
        return
    out(f"{detail.kind.replace('_', ' ')} {detail.name}  version {detail.version}  {detail.state}".rstrip())
    if detail.doc.strip():
        out(detail.doc.strip())
    for title, shapes in (("inputs", detail.interface.inputs), ("outputs", detail.interface.outputs)):
        for name, shape in shapes.items():
            default = "" if shape.required or title == "outputs" else f" = {dump(shape.default, indent=None)}"
            said = f"  {shape.description}" if shape.description else ""
            out(f"{title:<8} {name}: {shape.described}{default}{said}")
    if detail.schedule is not None:
        out(f"schedule {describe_schedule(detail.schedule)}")
    if detail.graph is not None:
        for node in detail.graph.nodes:
            given = ", ".join(f"{key}={value}" for key, value in node.inputs.items())
            out(f"  {node.id}  {node.entity or node.kind}({given})")
    if detail.line is not None and detail.line.file:
        out(f"written  {detail.line.file}:{detail.line.line}")
    if detail.remark:
        out(f"remark   {detail.remark}")


# --- launch plans ----------------------------------------------------------------------------------------------------


@click.group("launchplan", short_help="Activate, deactivate and list launch plans of a server.")
def launchplan() -> None:
    """Launch plans of a server: of each name at most one version is active, and only that one's schedule fires."""


@launchplan.command(
    "activate",
    short_help="Have a launch plan's schedule fire.",
    epilog="Example:  whimbrel launchplan activate nightly --version v7",
)
@server_option
@json_option
@verbose_option
@click.option("--version", default="", help="Which version. [default: the latest]")
@click.argument("name")
def activate(name: str, version: str, server: Server, as_json: bool) -> int:
    """Activate the launch plan NAME; another version of it is deactivated."""
    return _told(_asked(server, lambda remote: remote.activate_launch_plan(name, version or None)), as_json=as_json)


@launchplan.command(
    "deactivate",
    short_help="Have a launch plan's schedule fire no more.",
    epilog="Example:  whimbrel launchplan deactivate nightly",
)
@server_option
@json_option
@verbose_option
@click.option("--version", default="", help="Which version. [default: the active one]")
@click.argument("name")
def deactivate(name: str, version: str, server: Server, as_json: bool) -> int:
    """Deactivate the launch plan NAME. Runs that it has begun go on."""
    return _told(_asked(server, lambda remote: remote.deactivate_launch_plan(name, version or None)), as_json=as_json)


def _told(state: PlanState, *, as_json: bool) -> int:
    if as_json:
        print_json(msgspec.to_builtins(state))
    else:
        out(f"launch plan {state.name}, version {state.version}: {state.state.lower()}")
    return 0


@launchplan.command("list", short_help="List launch plans.", epilog="Example:  whimbrel launchplan list --text nightly")
@server_option
@json_option
@verbose_option
@click.option("--text", default="", help="Only those with this text in their names.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, metavar="N", help="At most so many.")
def list_plans(server: Server, as_json: bool, text: str, limit: int) -> int:
    """List launch plans, with the state and schedule of their latest versions."""
    rows = _asked(server, lambda remote: remote.list_entities(EntityKind.LAUNCH_PLAN, text=text, limit=limit))
    if as_json:
        print_json(msgspec.to_builtins(rows))
    else:
        _show_entities(rows, "launch plans", server)
    return 0


# --- projects --------------------------------------------------------------------------------------------------------


@click.group("project", short_help="Create and list projects of a server.")
def project() -> None:
    """Projects of a server. Each has the domains development, staging and production."""


@project.command(
    "create",
    short_help="Create a project.",
    epilog='Example:  whimbrel project create research --description "what we try"',
)
@server_option
@json_option
@verbose_option
@click.option("--name", default="", help="What people call it. [default: its id]")
@click.option("--description", default="", help="What it is for.")
@click.argument("id")
def create(id: str, name: str, description: str, server: Server, as_json: bool) -> int:
    """Create the project ID: lower-case letters, digits and dashes."""
    row = _asked(server, lambda remote: remote.create_project(id, name=name, description=description))
    if as_json:
        print_json(msgspec.to_builtins(row))
    else:
        out(f"project {row.id}")
    return 0


@project.command("list", short_help="List projects.", epilog="Example:  whimbrel project list --json")
@server_option
@json_option
@verbose_option
def list_projects(server: Server, as_json: bool) -> int:
    """List the projects of a server."""
    return _get_projects(server, as_json=as_json)
