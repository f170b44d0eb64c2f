"""``pyflyte backfill``: launch what a schedule would have launched.

Knows: the options of the real verb, how moments and spans are written. Must not know: schedules.
"""

from __future__ import annotations

import datetime as dt
import re

import click

from flytekit.clis.places import place_options, remote_at
from whimbrel.errors import InputInvalid

_FORMATS = ("%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S")
_UNITS = {"MINUTE": 60, "HOUR": 3600, "DAY": 86400, "WEEK": 604800}


def moment(text: str, option: str) -> dt.datetime:
    """A moment in UTC. Raises ``InputInvalid``."""
    now = dt.datetime.now(dt.UTC)
    if text == "now":
        return now
    if text == "today":
        return now.replace(hour=0, minute=0, second=0, microsecond=0)
    for form in _FORMATS:
        try:
            return dt.datetime.strptime(text, form).replace(tzinfo=dt.UTC)
        except ValueError:
            continue
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError:
        raise InputInvalid(f"{option} {text!r}: write it like 2024-01-31, 2024-01-31T08:00:00, now or today.") from None
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)


def span(text: str) -> dt.timedelta:
    """``1:24`` (hours and minutes), ``:22``, ``10 DAYS``. Raises ``InputInvalid``."""
    clock = re.fullmatch(r"(\d*):(\d{1,2})", text.strip())
    if clock:
        return dt.timedelta(hours=int(clock[1] or 0), minutes=int(clock[2]))
    said = re.fullmatch(r"(\d+)\s*([A-Za-z]+?)S?", text.strip(), re.IGNORECASE)
    unit = _UNITS.get(said[2].upper()) if said else None
    if said is None or unit is None:
        raise InputInvalid(f"--backfill-window {text!r}: write it like 1:24, :22, '10 DAYS'.")
    return dt.timedelta(seconds=int(said[1]) * unit)


def window(since: str | None, until: str | None, length: str | None) -> tuple[dt.datetime, dt.datetime]:
    """From when to when. Raises ``InputInvalid`` when that is not said."""
    first = moment(since, "--from-date") if since else None
    last = moment(until, "--to-date") if until else None
    if length is not None and first is not None and last is None:
        last = first + span(length)
    elif length is not None and last is not None and first is None:
        first = last - span(length)
    if first is None or last is None:
        raise InputInvalid("say from when to when: two of --from-date, --to-date and --backfill-window.")
    return first, last


@click.command("backfill", short_help="Launch what a schedule would have launched.")
@place_options
@click.option("-v", "--version", help="There is no workflow of a backfill: refused.")
@click.option("-n", "--execution-name", help="There is no execution of a backfill: refused.")
@click.option("--dry-run", is_flag=True, help="Only say what would be launched.")
@click.option("--parallel/--serial", default=False, show_default=True, help="Side by side, or one after the other.")
@click.option("--execute/--do-not-execute", default=True, show_default=True, help="Whether to launch anything.")
@click.option("--from-date", metavar="MOMENT", help="From when: 2024-01-31, 2024-01-31T08:00:00, now, today; UTC.")
@click.option("--to-date", metavar="MOMENT", help="Until when, included.")
@click.option("--backfill-window", metavar="SPAN", help="How long, in place of one of them: 1:24, :22, '10 DAYS'.")
@click.argument("launchplan", metavar="LAUNCHPLAN")
@click.argument("launchplan_version", required=False, metavar="[LAUNCHPLAN_VERSION]")
def backfill(
    project: str,
    domain: str,
    version: str | None,
    execution_name: str | None,
    dry_run: bool,
    parallel: bool,
    execute: bool,
    from_date: str | None,
    to_date: str | None,
    backfill_window: str | None,
    launchplan: str,
    launchplan_version: str | None,
) -> None:
    """Launch what the schedule of LAUNCHPLAN would have launched from one moment to another, both included.

    Each is an execution of its own, named by its time: what has been launched is not launched again.
    """
    since, until = window(from_date, to_date, backfill_window)
    found = remote_at(project, domain).launch_backfill(
        project,
        domain,
        since,
        until,
        launchplan,
        launchplan_version,
        execution_name,
        version,
        dry_run,
        execute,
        parallel,
    )
    for each in found.times:
        click.echo(f"{each.due}  {each.execution}  {each.phase or ('' if found.id else 'would be launched')}".rstrip())
    said = f"backfill {found.id}: {found.state}" if found.id else "nothing was launched"
    click.echo(f"{len(found.times)} executions; {said}")
