"""`whimbrel up`: the server, in this process, until it is told to stop.

Knows: options, signals, the log's form. Must not know: what is served, or how.
"""

from __future__ import annotations

import asyncio
import difflib
import logging
import math
import signal
import sys
from pathlib import Path
from typing import Any

import click
import msgspec

from whimbrel.cli.settings import err, home_option, out, verbose_option
from whimbrel.cli.up_config import VARIABLE, ConfiguredCommand
from whimbrel.errors import InputInvalid
from whimbrel.wire.spans import iso_moment

try:
    from whimbrel.cli.up_access import access_options, access_settings
    from whimbrel.controlplane.scheduler import CATCH_UP
    from whimbrel.server.app import Server
    from whimbrel.server.house import LOOPBACK, PORT, ServerConfig
    from whimbrel.server.limits import Limits
except ModuleNotFoundError as missing:
    if (missing.name or "").startswith("whimbrel"):
        raise
    # Said as a sentence, like everything else that the user can mend.
    raise InputInvalid(
        f"the server needs {missing.name}, which is not installed: pip install 'whimbrel[server]'"
    ) from missing


@click.command(
    "up",
    cls=ConfiguredCommand,
    short_help="Serve runs over HTTP and gRPC.",
    epilog="Example:  whimbrel up --port 0",
)
@home_option
@click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    envvar=VARIABLE,
    show_envvar=True,
    expose_value=False,
    help="A TOML or YAML file with these options, below environment and command line.  [default: server.toml in the "
    "home]",
)
@click.option("--print-config", is_flag=True, help="Print what holds, and where it was said; serve nothing.")
@verbose_option
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=PORT,
    show_default=True,
    envvar="WHIMBREL_PORT",
    show_envvar=True,
    help="The one port, for HTTP and gRPC; 0 takes a free one.",
)
@click.option(
    "--host",
    default=LOOPBACK,
    show_default=True,
    envvar="WHIMBREL_HOST",
    show_envvar=True,
    help="The address to listen on; one that other machines can reach wants --auth.",
)
@click.option(
    "--workers",
    type=click.IntRange(1),
    envvar="WHIMBREL_WORKERS",
    show_envvar=True,
    help="Tasks at a time.  [default: one a processor]",
)
@click.option(
    "--drain",
    type=click.FloatRange(0, 3600),
    default=10.0,
    show_default=True,
    envvar="WHIMBREL_DRAIN",
    show_envvar=True,
    metavar="SECONDS",
    help="How long running tasks are given when the server is stopped.",
)
@click.option(
    "--catch-up",
    type=click.IntRange(0),
    default=CATCH_UP,
    show_default=True,
    envvar="WHIMBREL_CATCH_UP",
    show_envvar=True,
    metavar="COUNT",
    help="Of what a schedule missed while no server ran: how many are launched, the newest.",
)
@click.option(
    "--image",
    "images",
    multiple=True,
    metavar="PATTERN=DIRECTORY",
    help="Where tasks run that flytekit registered with an image: 'registry.example/team/*=/opt/team-venv'.",
)
@access_options
@click.option(
    "--limit",
    "limits",
    multiple=True,
    metavar="NAME=NUMBER",
    envvar="WHIMBREL_LIMITS",
    show_envvar=True,
    help="How much is taken from clients; the guide lists the names.",
)
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    show_default=True,
    envvar="WHIMBREL_LOG_LEVEL",
    show_envvar=True,
    help="What to log to stderr, as lines of JSON.",
)
def command(
    home: Path,
    port: int,
    host: str,
    workers: int | None,
    drain: float,
    catch_up: int,
    images: tuple[str, ...],
    limits: tuple[str, ...],
    log_level: str,
    print_config: bool,
    **access: Any,
) -> int:
    """Serve the home's runs on one port, and carry on with those that were under way.

    Prints one line with the address when it is ready. SIGTERM and Ctrl-C stop it: running tasks are given their time,
    runs stay as they are on disk, and the next `whimbrel up` carries on. A second Ctrl-C does not wait for tasks.
    """
    config = ServerConfig(
        home,
        host=host,
        port=port,
        workers=workers,
        drain=drain,
        images=_images(images),
        catch_up=catch_up,
        limits=_limits(limits),
        **access_settings(**access),
    )
    if print_config:
        context = click.get_current_context()
        assert isinstance(context.command, ConfiguredCommand)
        out(context.command.printed(context))
        return 0
    _log_to_stderr(log_level)
    return asyncio.run(_serve(config))


def _images(said: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for each in said:
        pattern, equals, prefix = each.rpartition("=")
        if not equals or not (Path(prefix) / "bin").is_dir():
            raise InputInvalid(
                f"--image {each} is no PATTERN=DIRECTORY with a directory that has bin/ in it; name the environment "
                "that stands for the image."
            )
        found[pattern] = str(Path(prefix).absolute())
    return found


def _limits(said: tuple[str, ...]) -> Limits:
    found = {}
    for each in said:
        name, _, number = each.partition("=")
        name = name.strip().replace("-", "_")
        if name not in Limits.__struct_fields__:
            close = difflib.get_close_matches(name, Limits.__struct_fields__, n=1)
            hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(Limits.__struct_fields__)}."
            raise InputInvalid(f"--limit {each}: there is no limit {name!r}; {hint}")
        try:
            found[name] = float(number)
            if not (math.isfinite(found[name]) and (found[name] > 0 or (found[name] == 0 and name == "rate"))):
                raise ValueError
        except ValueError:
            raise InputInvalid(f"--limit {each}: {number!r} is no number above zero; write {name}=NUMBER.") from None
    try:
        return msgspec.convert(found, Limits, strict=False)
    except msgspec.ValidationError as error:
        raise InputInvalid(f"--limit: {error}; sizes and counts are whole numbers.") from None


async def _serve(config: ServerConfig) -> int:
    told = asyncio.Event()
    hurry = asyncio.Event()

    def stop() -> None:
        (hurry if told.is_set() else told).set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    server = Server(config)
    starting = asyncio.ensure_future(server.start())
    waiting = asyncio.ensure_future(told.wait())
    await asyncio.wait({starting, waiting}, return_when=asyncio.FIRST_COMPLETED)
    if not starting.done():
        # Told to stop before it was ready: what has been opened is closed again.
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        return 0
    await starting
    out(f"whimbrel is ready at {server.url}")
    await waiting
    err("whimbrel: stopping; running tasks are given their time (once more to stop at once)")
    hurrying = asyncio.ensure_future(hurry.wait())
    stopping = asyncio.ensure_future(server.stop())
    await asyncio.wait({stopping, hurrying}, return_when=asyncio.FIRST_COMPLETED)
    if not stopping.done():
        server.hurry()
    await stopping
    hurrying.cancel()
    return 0


# --- the log ---------------------------------------------------------------------------------------------------------


_FIELDS = ("request", "client", "principal", "run", "method", "path", "status", "ms")
"""What a record may say beside its message. No headers, queries or bodies: those may have secrets in them."""


class _Lines(logging.Formatter):
    """A record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """See ``logging``."""
        said: dict[str, Any] = {
            "at": iso_moment(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **{name: getattr(record, name) for name in _FIELDS if hasattr(record, name)},
        }
        if record.exc_info:
            said["traceback"] = self.formatException(record.exc_info)
        return msgspec.json.encode(said).decode()


def _log_to_stderr(level: str) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Lines())
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(level.upper())
    # What every connection does is of interest to nobody but its author.
    for chatty in ("uvicorn", "asyncio", "grpc", "alembic"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, root.level))
