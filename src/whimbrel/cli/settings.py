"""What every command may be told: which home, how much to say, in which form. And how a home is opened to look at it.

Knows: click, environment variables. Must not know: what any one command does.
"""

from __future__ import annotations

import functools
import os
import shlex
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from whimbrel.stores.home import Home, open_home
from whimbrel.wire.literal_json import dump

DEFAULT_HOME = ".whimbrel"
HOME_VARIABLE = "WHIMBREL_HOME"

F = TypeVar("F", bound=Callable[..., Any])


class ReaderGone(Exception):
    """The reader of the output has gone away. Not an ``OSError``: click would end the process for that."""


class Settings:
    """What ``main`` must know after a command has failed."""

    def __init__(self) -> None:
        self.verbose = False


def _set_verbose(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value and isinstance(context.obj, Settings):
        context.obj.verbose = True


def verbose_option(command: F) -> F:
    """``--verbose``."""
    return click.option(
        "--verbose",
        is_flag=True,
        expose_value=False,
        callback=_set_verbose,
        help="Show tracebacks of whimbrel's own when something goes wrong.",
    )(command)


def home_option(command: F) -> F:
    """``--home``."""
    return click.option(
        "--home",
        type=click.Path(file_okay=False, path_type=Path),
        envvar=HOME_VARIABLE,
        default=DEFAULT_HOME,
        show_default=True,
        show_envvar=True,
        help="Directory that keeps the runs.",
    )(command)


def json_option(command: F) -> F:
    """``--json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout.")(command)


def home_argument(context: click.Context, home: Path) -> str:
    """`` --home …`` as it must be repeated in a command that we print; "" when it is found without."""
    source = context.get_parameter_source("home")
    return repeated_home(home) if source is click.core.ParameterSource.COMMANDLINE else ""


def repeated_home(home: Path) -> str:
    """`` --home …`` for a shell."""
    return f" --home {shlex.quote(str(home))}"


@asynccontextmanager
async def looking(home: Path) -> AsyncIterator[Home]:
    """A home to look at, beside whoever owns it. Raises ``EntityNotFound`` when there is none."""
    with open_home(home, exclusive=False) as opened:
        yield opened


def print_json(value: Any) -> None:
    """One JSON value on stdout."""
    out(dump(value))


def out(text: str) -> None:
    """A line on stdout; characters that it cannot take are escaped."""
    _write(sys.stdout, text)


def err(text: str) -> None:
    """A line on stderr."""
    _write(sys.stderr, text)


def _write(stream: Any, text: str) -> None:
    try:
        try:
            stream.write(text + "\n")
        except UnicodeEncodeError:
            encoding = stream.encoding or "ascii"
            stream.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
        stream.flush()
    except BrokenPipeError:
        raise ReaderGone from None


@functools.cache
def colour(stream_name: str) -> bool:
    """Whether styles may be written to ``stdout`` or ``stderr``."""
    return bool(getattr(sys, stream_name).isatty()) and "NO_COLOR" not in os.environ
