"""Secrets of a server: the halves for servers of `secrets set`, `list` and `delete`.

Knows: the client. Must not know: stores.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec

from whimbrel.cli.remotes import talking
from whimbrel.cli.secrets import parts_of, read_secret
from whimbrel.cli.servers import Server
from whimbrel.cli.settings import out, print_json
from whimbrel.errors import InputInvalid
from whimbrel.model.secrets import secret_title
from whimbrel.wire.rest.entities import SecretShape


def set_(server: Server, name: str, source: Path | None, group_version: str) -> int:
    """`secrets set`."""
    _no_version(group_version)
    group, key = parts_of(name)
    value = read_secret(source)

    async def keep() -> str:
        async with talking(server) as remote:
            await remote.set_secret(key, value, group=group)
            return remote.config.url

    url = asyncio.run(keep())
    out(f"kept {secret_title(group, key, '')} at {url}")
    return 0


def list_(server: Server, as_json: bool) -> int:
    """`secrets list`."""

    async def names() -> list[SecretShape]:
        async with talking(server) as remote:
            return await remote.secrets()

    found = asyncio.run(names())
    if as_json:
        print_json(msgspec.to_builtins(found))
        return 0
    for one in found:
        out(f"{(one.set_at or '')[:19].replace('T', ' ')}  {secret_title(one.group, one.key, '')}")
    if not found:
        out("no secrets are kept there")
    return 0


def delete(server: Server, name: str, group_version: str) -> int:
    """`secrets delete`."""
    _no_version(group_version)
    group, key = parts_of(name)

    async def forget() -> None:
        async with talking(server) as remote:
            await remote.delete_secret(key, group=group)

    asyncio.run(forget())
    out(f"deleted {secret_title(group, key, '')}")
    return 0


def _no_version(version: str) -> None:
    if version:
        raise InputInvalid("--version: secrets of a server have none. Leave it out.")
