"""`whimbrel secrets`: the encrypted store of a home.

Knows: the store. Must not know: tasks, runs. Values are read from a prompt, a pipe or a file, never from the command
line, which other users of the machine can see.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click

from whimbrel.cli.servers import remote_option
from whimbrel.cli.settings import err, home_option, json_option, out, print_json, verbose_option
from whimbrel.errors import InputInvalid
from whimbrel.model.secrets import SHORTEST, secret_title
from whimbrel.stores.home import prepare_home
from whimbrel.stores.secrets import SecretStore
from whimbrel.wire.spans import iso_moment, show_moment


@click.group("secrets", short_help="Keep secrets for tasks, encrypted.")
def command() -> None:
    """Keep secrets for tasks, encrypted in the home. NAME is `group/key`, or a group or key alone.

    Tasks that declare one (@task(secret_requests=[Secret("db", "password")])) are handed it. Secrets in variables
    (WHIMBREL_SECRET_DB_PASSWORD) and files (/etc/secrets/db/password) come before those kept here.
    """


@command.command(
    "set", short_help="Keep a secret; its value is asked for.", epilog="Example:  whimbrel secrets set db/password"
)
@remote_option("whimbrel.cli.remote_secrets:set_")
@home_option
@verbose_option
@click.option("--file", "source", type=click.Path(dir_okay=False, path_type=Path), help="Take the bytes of this file.")
@click.option("--version", "group_version", default="", metavar="VERSION", help="The group's version.")
@click.argument("name")
def set_(name: str, home: Path, source: Path | None, group_version: str) -> int:
    """Keep the secret NAME (`group/key`). Its value is asked for, or read from a pipe, or from --file."""
    group, key = parts_of(name)
    value = read_secret(source)
    prepare_home(home)
    SecretStore(home.absolute()).put(group, key, group_version, value, time.time())
    if len(value) < SHORTEST:
        err(f"whimbrel: secrets of fewer than {SHORTEST} characters are not masked in logs")
    out(f"kept {secret_title(group, key, group_version)} in {home}")
    return 0


def read_secret(source: Path | None) -> bytes:
    """The value of a secret: from a file, a prompt or a pipe. Raises ``InputInvalid``, also for an empty one."""
    value = _value(source)
    if not value:
        raise InputInvalid("a secret has at least one character: type it, or pipe it in")
    return value


def _value(source: Path | None) -> bytes:
    if source is not None:
        try:
            return source.read_bytes()
        except OSError as error:
            raise InputInvalid(f"{source}: {error.strerror}") from error
    if sys.stdin.isatty():
        typed: str = click.prompt("Value", hide_input=True, err=True)
        return typed.encode("utf-8", "surrogateescape")
    return sys.stdin.buffer.read().removesuffix(b"\n").removesuffix(b"\r")


@command.command("list", short_help="List secrets by name.", epilog="Example:  whimbrel secrets list")
@remote_option("whimbrel.cli.remote_secrets:list_")
@home_option
@json_option
@verbose_option
def list_(home: Path, as_json: bool) -> int:
    """List the secrets of the home by name, and when each was set. Values are not shown."""
    names = SecretStore(home.absolute()).names()
    if as_json:
        print_json(
            [
                {"group": name.group, "key": name.key, "version": name.version, "set_at": iso_moment(name.at)}
                for name in names
            ]
        )
        return 0
    for name in names:
        out(f"{show_moment(name.at)}  {secret_title(name.group, name.key, name.version)}")
    if not names:
        out("no secrets are kept here")
    return 0


@command.command("delete", short_help="Forget a secret.", epilog="Example:  whimbrel secrets delete db/password")
@remote_option("whimbrel.cli.remote_secrets:delete")
@home_option
@verbose_option
@click.option("--version", "group_version", default="", metavar="VERSION", help="The group's version.")
@click.argument("name")
def delete(name: str, home: Path, group_version: str) -> int:
    """Forget the secret NAME."""
    group, key = parts_of(name)
    SecretStore(home.absolute()).delete(group, key, group_version)
    out(f"deleted {secret_title(group, key, group_version)}")
    return 0


def parts_of(name: str) -> tuple[str, str]:
    """Group and key of ``group/key``. Raises ``InputInvalid``."""
    group, slash, key = name.partition("/")
    if not group or (slash and not key) or "/" in key:
        raise InputInvalid(f"{name!r} is not the name of a secret: write group/key, such as db/password")
    return group, key
