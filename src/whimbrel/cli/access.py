"""`whimbrel auth`: who may use a server, what they are, and what they did. It works on the home, also while a server
runs on it.

Knows: accounts, the audit log. Must not know: tokens, protocols. Secrets are printed once, when they are made.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from whimbrel.cli.settings import err, home_option, json_option, out, print_json, verbose_option
from whimbrel.errors import InputInvalid
from whimbrel.model.access import ANY, Place, Role
from whimbrel.server.auth.accounts import Accounts
from whimbrel.stores.home import Home, open_home
from whimbrel.stores.sql.store import SqlStore
from whimbrel.wire.spans import iso_moment, show_moment

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")

_ROLES = click.Choice([role.value for role in Role])


@click.group("auth", short_help="Say who may use a server, and see what they did.")
def command() -> None:
    """Say who may use a server of this home, and see what they did. It matters to `whimbrel up --auth builtin`."""


@command.group("client", short_help="Programs with a secret of their own.")
def client() -> None:
    """Programs that use the server in their own name, with a secret: CI, scripts, other services."""


@command.group("user", short_help="People, who log in with a password.")
def user() -> None:
    """People, who log in with a name and a password."""


@command.group("role", short_help="What users and clients may do, and where.")
def role() -> None:
    """What users and clients may do: a viewer reads, a runner also registers, launches and answers, an admin also makes
    projects, sets secrets and reads the audit log. Everywhere, or in one project, or in one domain of it."""


def _opened(home: Path, make: bool) -> Home:
    if make and not (home / "whimbrel.db").exists():
        open_home(home, exclusive=True).close()
    return open_home(home, exclusive=False)


def _on(home: Path, work: Callable[[Accounts, SqlStore], Awaitable[T]], *, make: bool = False) -> T:
    with _opened(home, make) as opened:

        async def scenario() -> T:
            return await work(Accounts(opened.store, time.time), opened.store)

        return asyncio.run(scenario())


# --- clients


@client.command("create", epilog="Example:  whimbrel auth client create ci --role runner")
@home_option
@json_option
@verbose_option
@click.option("--public", is_flag=True, help="It can keep no secret: people log in with it.")
@click.option("--redirect", "redirects", multiple=True, metavar="URL", help="Where people go once they have logged in.")
@click.option("--description", default="", help="What it is, for people.")
@click.option("--role", "roles", multiple=True, type=_ROLES, help="A role everywhere; may be repeated.")
@click.argument("id")
def create_client(
    home: Path,
    as_json: bool,
    public: bool,
    redirects: tuple[str, ...],
    description: str,
    roles: tuple[str, ...],
    id: str,
) -> int:
    """Make the client ID, and print its secret: once, as only a digest of it is kept."""

    async def work(accounts: Accounts, store: SqlStore) -> str:
        secret = await accounts.add_client(id, public=public, redirects=redirects, description=description)
        for each in roles:
            await accounts.grant(f"client:{id}", Role(each), Place())
        return secret

    secret = _on(home, work, make=True)
    if as_json:
        print_json({"client_id": id, "client_secret": secret or None})
    elif secret:
        err(f"whimbrel: client {id} is made; this is its secret, which is not shown again:")
        out(secret)
    else:
        out(f"client {id} is made; it has no secret")
    return 0


@client.command("list", epilog="Example:  whimbrel auth client list")
@home_option
@json_option
@verbose_option
def list_clients(home: Path, as_json: bool) -> int:
    """List clients and what they are."""

    async def work(accounts: Accounts, store: SqlStore) -> list[dict[str, Any]]:
        return [
            {
                "id": each.id,
                "public": each.public,
                "description": each.description,
                "redirects": list(each.redirects),
                "roles": [str(grant) for grant in await accounts.grants_of(f"client:{each.id}")],
                "created_at": iso_moment(each.created_at),
            }
            for each in await accounts.clients()
        ]

    _show(_on(home, work), as_json, "id", "there are no clients")
    return 0


@client.command("revoke", epilog="Example:  whimbrel auth client revoke ci")
@home_option
@verbose_option
@click.argument("id")
def revoke_client(home: Path, id: str) -> int:
    """Take the client ID away, with its roles and its tokens."""
    _on(home, lambda accounts, store: accounts.drop_client(id))
    out(f"client {id} is revoked; a running server hears of it within a second")
    return 0


# --- users


@user.command("create", epilog="Example:  whimbrel auth user create ada --role admin")
@home_option
@verbose_option
@click.option("--email", default="", help="For people.")
@click.option("--role", "roles", multiple=True, type=_ROLES, help="A role everywhere; may be repeated.")
@click.argument("name")
def create_user(home: Path, email: str, roles: tuple[str, ...], name: str) -> int:
    """Make the user NAME. The password is asked for, or read from a pipe."""
    password = _password()

    async def work(accounts: Accounts, store: SqlStore) -> None:
        await accounts.add_user(name, password, email)
        for each in roles:
            await accounts.grant(f"user:{name}", Role(each), Place())

    _on(home, work, make=True)
    out(f"user {name} is made")
    return 0


@user.command("password", epilog="Example:  whimbrel auth user password ada")
@home_option
@verbose_option
@click.argument("name")
def set_password(home: Path, name: str) -> int:
    """Give the user NAME another password, and log them out everywhere."""
    password = _password()
    _on(home, lambda accounts, store: accounts.set_password(name, password))
    out(f"user {name} has another password")
    return 0


@user.command("list", epilog="Example:  whimbrel auth user list")
@home_option
@json_option
@verbose_option
def list_users(home: Path, as_json: bool) -> int:
    """List users and what they are."""

    async def work(accounts: Accounts, store: SqlStore) -> list[dict[str, Any]]:
        return [
            {
                "name": each.name,
                "email": each.email,
                "roles": [str(grant) for grant in await accounts.grants_of(f"user:{each.name}")],
                "created_at": iso_moment(each.created_at),
            }
            for each in await accounts.users()
        ]

    _show(_on(home, work), as_json, "name", "there are no users")
    return 0


@user.command("remove", epilog="Example:  whimbrel auth user remove ada")
@home_option
@verbose_option
@click.argument("name")
def remove_user(home: Path, name: str) -> int:
    """Take the user NAME away, with their roles and tokens."""
    _on(home, lambda accounts, store: accounts.drop_user(name))
    out(f"user {name} is removed; a running server hears of it within a second")
    return 0


def _password() -> str:
    if sys.stdin.isatty():
        typed: str = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
        return typed
    return sys.stdin.readline().rstrip("\r\n")


# --- roles


def _place_options(command: F) -> F:
    command = click.option("--domain", default=ANY, metavar="ID", help="In this domain alone.")(command)
    return click.option("--project", default=ANY, metavar="ID", help="In this project alone.")(command)


@role.command("grant", epilog="Example:  whimbrel auth role grant user:ada runner --project flytesnacks")
@home_option
@verbose_option
@_place_options
@click.argument("principal", metavar="user:NAME|client:ID")
@click.argument("role_", metavar="ROLE", type=_ROLES)
def grant_role(home: Path, project: str, domain: str, principal: str, role_: str) -> int:
    """Make somebody viewer, runner or admin. People of another issuer are user:SUBJECT."""
    place = _place(project, domain)
    _on(home, lambda accounts, store: accounts.grant(principal, Role(role_), place), make=True)
    out(f"{principal} is {role_} in {place}")
    return 0


@role.command("revoke", epilog="Example:  whimbrel auth role revoke user:ada runner --project flytesnacks")
@home_option
@verbose_option
@_place_options
@click.argument("principal", metavar="user:NAME|client:ID")
@click.argument("role_", metavar="ROLE", type=_ROLES)
def revoke_role(home: Path, project: str, domain: str, principal: str, role_: str) -> int:
    """Take a role away that was granted in exactly this place."""
    place = _place(project, domain)
    _on(home, lambda accounts, store: accounts.revoke(principal, Role(role_), place))
    out(f"{principal} is not {role_} in {place} any more; a running server hears of it within a second")
    return 0


@role.command("list", epilog="Example:  whimbrel auth role list")
@home_option
@json_option
@verbose_option
def list_roles(home: Path, as_json: bool) -> int:
    """List who is what, and where."""
    found = _on(home, lambda accounts, store: accounts.grants())
    rows = [
        {
            "principal": principal,
            "role": grant.role.value,
            "project": grant.place.project,
            "domain": grant.place.domain,
        }
        for principal, grant in found
    ]
    _show(rows, as_json, "principal", "nobody has a role")
    return 0


def _place(project: str, domain: str) -> Place:
    if project == ANY and domain != ANY:
        raise InputInvalid("a domain is one of a project: say --project too")
    return Place(project, domain)


# --- the audit log


@command.command("audit", epilog="Example:  whimbrel auth audit --principal user:ada")
@home_option
@json_option
@verbose_option
@click.option("--principal", default="", metavar="user:NAME", help="What this one did.")
@click.option("--action", default="", metavar="NAME", help="Calls of this name: AdminService.CreateExecution.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=100, show_default=True, help="At most so many.")
def audit(home: Path, as_json: bool, principal: str, action: str, limit: int) -> int:
    """Show who did what, when, from where, to what, and what came of it: the latest first."""
    found = _on(home, lambda accounts, store: store.audited(principal=principal, action=action, limit=limit))
    if as_json:
        print_json(
            [{**{f: getattr(each, f) for f in each.__struct_fields__}, "at": iso_moment(each.at)} for each in found]
        )
        return 0
    for each in found:
        said = (each.principal or "somebody", each.action, each.place, each.target, each.outcome, each.address)
        out("  ".join((show_moment(each.at), *(_printable(part) or "-" for part in said))))
    if not found:
        out("nothing is noted: servers with --auth note what changes something, and what they refuse")
    return 0


def _printable(text: str) -> str:
    """Others chose it: no escapes of terminals."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def _show(rows: list[dict[str, Any]], as_json: bool, first: str, none: str) -> None:
    if as_json:
        print_json(rows)
        return
    for row in rows:
        rest = (value for name, value in row.items() if name not in (first, "created_at") and value)
        out("  ".join((row[first], *(", ".join(each) if isinstance(each, list) else str(each) for each in rest))))
    if not rows:
        out(none)
