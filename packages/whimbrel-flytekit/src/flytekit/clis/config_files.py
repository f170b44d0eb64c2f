"""``flytectl config``, and the YAML files that it and ``flytectl demo start`` write, which name a server.

Knows: where flytectl leaves its files. Must not know: servers.
"""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

import click

from flytekit.configuration import Config
from flytekit.configuration._files import usual_file
from flytekit.configuration._sandbox import sandbox_endpoint
from whimbrel.errors import EntityNotFound, InputInvalid

_TEXT = """\
admin:
  endpoint: dns:///{endpoint}
  authType: {auth}
  insecure: {insecure}
console:
  endpoint: {console}
logger:
  show-source: true
  level: 0
"""


def sandbox_file(url: str) -> Path:
    """Write flytectl's file of the sandbox anew, for the server at ``url``; where it is."""
    path = Path("~/.flyte/config-sandbox.yaml").expanduser()
    _write(path, _text(url, insecure=True, auth="Pkce", console=""))
    return path


def _text(url: str, *, insecure: bool, auth: str, console: str) -> str:
    """Raises ``InputInvalid`` when there is no host in ``url``."""
    parts = urlsplit(url.replace("dns:///", "dns://", 1) if "://" in url else f"dns://{url}")
    if not parts.netloc or parts.path.strip("/"):
        raise InputInvalid(f"{url!r} is no address of a server; give it as dns:///host:port.")
    shown = console or f"{'http' if insecure else 'https'}://{parts.netloc}"
    return _TEXT.format(endpoint=parts.netloc, insecure=str(insecure).lower(), auth=auth, console=shown)


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputInvalid(f"{path} cannot be written: {error.strerror}; name another file with -c.") from None


@click.group("config", short_help="Write and find configuration files.")
def config() -> None:
    """Write and find the files that say where the server is."""


@config.command("init", short_help="Write a configuration file.", epilog="Example:  flytectl config init")
@click.option("--host", help="The server: dns:///host:port.  [default: the sandbox]")
@click.option("--console", default="", help="Where people look at runs, if elsewhere.")
@click.option("--insecure", is_flag=True, help="Without TLS.")
@click.option(
    "--auth-type",
    type=click.Choice(["Pkce", "ClientSecret", "DeviceFlow", "ExternalCommand"], case_sensitive=False),
    default="Pkce",
    show_default=True,
    help="How a client shows who it is.",
)
@click.option("--force", is_flag=True, help="Replace a file that is there.")
def init(host: str | None, console: str, insecure: bool, auth_type: str, force: bool) -> None:
    """Write ~/.flyte/config.yaml, or the file that -c names. Clients find it there by themselves."""
    path = Path(os.environ.get("FLYTECTL_CONFIG") or "~/.flyte/config.yaml").expanduser()
    text = _text(host or sandbox_endpoint(), insecure=insecure or host is None, auth=auth_type, console=console)
    if path.exists() and not force:
        raise InputInvalid(f"{path} is there already; give --force to replace it, or name another file with -c.")
    _write(path, text)
    click.echo(f"wrote {path}")


def _found() -> Path:
    named = os.environ.get("FLYTECTL_CONFIG")
    path = Path(named).expanduser() if named else usual_file()
    if path is None or not path.is_file():
        raise EntityNotFound(
            f"there is no configuration file{f' {named}' if named else ''}: write one with `flytectl config init`."
        )
    return path


@config.command("discover", short_help="Which file is read.")
def discover() -> None:
    """Which file clients read."""
    click.echo(str(_found()))


@config.command("validate", short_help="Whether the file can be read.")
def validate() -> None:
    """Read the file, and say which server it names."""
    path = _found()
    platform = Config.auto(path).platform
    click.echo(f"{path} names {platform.endpoint}{' without TLS' if platform.insecure else ''}")
