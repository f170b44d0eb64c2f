"""`whimbrel backfill`: launch what a schedule was due for, in a time that is past.

Knows: the client. Must not know: when anything is due.
"""

from __future__ import annotations

import asyncio

import click
import msgspec

from whimbrel.cli.remotes import talking
from whimbrel.cli.servers import Server, server_option
from whimbrel.cli.settings import json_option, out, print_json, verbose_option
from whimbrel.wire.rest.schedules import BackfillDetail


@click.command(
    "backfill",
    short_help="Launch what a schedule was due for in the past.",
    epilog="Example:  whimbrel backfill nightly --since 2026-01-01 --until 2026-01-31 --dry-run",
)
@server_option
@json_option
@verbose_option
@click.option(
    "--since", required=True, metavar="MOMENT", help="The first due time that is meant, as 2026-01-31T12:00Z."
)
@click.option("--until", default="", metavar="MOMENT", help="The last one. [default: now]")
@click.option("--version", default="", help="Which version of the launch plan. [default: the active one]")
@click.option("--concurrency", type=click.IntRange(1, 1000), default=4, show_default=True, help="Runs at a time.")
@click.option("--dry-run", is_flag=True, help="Only say what would be launched.")
@click.argument("name")
def command(
    name: str,
    server: Server,
    as_json: bool,
    since: str,
    until: str,
    version: str,
    concurrency: int,
    dry_run: bool,
) -> int:
    """Launch the launch plan NAME for every time at which its schedule was due from --since to --until.

    What was launched for a due time, by the schedule or by another backfill, is not launched again.
    """

    async def ask() -> BackfillDetail:
        async with talking(server) as remote:
            return await remote.backfill(
                name, since, until, version=version or None, concurrency=concurrency, dry_run=dry_run
            )

    found = asyncio.run(ask())
    if as_json:
        print_json(msgspec.to_builtins(found))
        return 0
    for time in found.times:
        out(f"{time.due}  {time.run or time.execution}  {time.phase or ('would run' if dry_run else 'waits')}")
    count = len(found.times)
    noun = "due time" if count == 1 else "due times"
    out(f"{count} {noun} of {found.name}, version {found.version}" + (f": backfill {found.id}" if found.id else ""))
    return 0
