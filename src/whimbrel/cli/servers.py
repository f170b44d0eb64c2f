"""Which server a command talks to: its options, and verbs that work on a home or on a server.

A verb that works on a home works on a server when it is told one: by `--remote` (the configured one), `--url` or
`--config`. The two halves of such a verb are two functions; that for servers is imported when it is called for.

Knows: click, the client's configuration. Must not know: what any one command does.
"""

from __future__ import annotations

import functools
import importlib
import shlex
from collections.abc import Callable
from typing import Any, TypeVar, cast

import click
from msgspec import Struct

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS = (
    ("--url", "url", "URL", "The server, as host:port or a URL."),
    ("--config", "config_file", "FILE", "A configuration file, as flytectl writes them."),
    ("--project", "project", "NAME", "The project that is meant."),
    ("--domain", "domain", "NAME", "The domain that is meant."),
)
_NAMES = tuple(name for _, name, _, _ in _OPTIONS)


class Server(Struct, frozen=True):
    """A server as it was named on a command line. ``repeat`` is what must be said to name it again."""

    url: str | None = None
    config_file: str | None = None
    project: str | None = None
    domain: str | None = None

    @property
    def repeat(self) -> str:
        """`` --url …`` for a shell; `` --remote`` where nothing else was said."""
        said = [(option, getattr(self, name)) for option, name, _, _ in _OPTIONS[:2]]
        text = "".join(f" {option} {shlex.quote(value)}" for option, value in said if value)
        return text or " --remote"


def options_of_server(*, optional: bool) -> list[click.Option]:
    """``--url`` and the like; ``optional`` for verbs that work on a home too, with ``--remote`` before them."""
    made = [
        click.Option([option, name], metavar=metavar, default=None, help=text)
        for option, name, metavar, text in _OPTIONS
    ]
    if optional:
        made.insert(
            0,
            click.Option(
                ["--remote"], is_flag=True, help="On a server: the configured one, or that of --url or --config."
            ),
        )
    return made


def server_option(command: F) -> F:
    """The options of a verb that always talks to a server: it is given them as ``server``."""

    @functools.wraps(command)
    def called(*args: Any, **kwargs: Any) -> Any:
        return command(*args, server=Server(**{name: kwargs.pop(name) for name in _NAMES}), **kwargs)

    return cast(F, _with_options(called, command, optional=False))


def remote_option(where: str) -> Callable[[F], F]:
    """Have a verb that works on a home work on a server too. ``where`` (``module:function``) is that half: it is given
    ``server`` in place of ``home``, and no context."""

    def decorate(command: F) -> F:
        @functools.wraps(command)
        def called(*args: Any, **kwargs: Any) -> Any:
            server = server_of(kwargs)
            if server is None:
                return command(*args, **kwargs)
            kwargs.pop("home", None)
            module, _, name = where.partition(":")
            return getattr(importlib.import_module(module), name)(server=server, **kwargs)

        return cast(F, _with_options(called, command, optional=True))

    return decorate


def server_of(options: dict[str, Any]) -> Server | None:
    """The server that is among ``options``, from which it is taken; ``None`` when a home is meant."""
    remote = options.pop("remote", False)
    said = {name: options.pop(name, None) for name in _NAMES}
    return Server(**said) if remote or any(said.values()) else None


def _with_options(called: Any, command: Any, *, optional: bool) -> Any:
    # As click's own decorators do it: the first to be shown is the last in the list.
    params = list(getattr(command, "__click_params__", []))
    called.__click_params__ = [*params, *reversed(options_of_server(optional=optional))]
    return called
