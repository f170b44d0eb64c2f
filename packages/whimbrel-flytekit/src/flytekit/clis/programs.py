"""What ``pyflyte``, ``union`` and ``flytectl`` share: a group of verbs that knows what is not here, and how errors end.

Knows: click, ``supported.toml``. Must not know: what a verb does.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from flytekit._adapt import Absence, NotInThisRelease, surface
from whimbrel.errors import WhimbrelError

SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
INTERRUPTED = 130
"""128 + SIGINT, as shells have it."""


class Verbs(click.Group):
    """A group that says, for a verb that is not here, what to do instead."""

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """The verb. Raises ``NotInThisRelease`` for one that flytekit has."""
        table = surface()["programs"][str(self.name)]
        for status in ("planned", "unsupported"):
            if name in table[status]:
                raise NotInThisRelease(Absence(status, table[status][name]).told_of(f"`{self.name} {name}`"))
        return super().get_command(context, name)


def run_program(program: Verbs, arguments: Sequence[str] | None) -> int:
    """Run it; its exit code. What goes wrong is told on stderr."""
    try:
        code = program.main(
            list(arguments) if arguments is not None else None, prog_name=program.name, standalone_mode=False
        )
        return code if isinstance(code, int) else 0
    except (KeyboardInterrupt, click.Abort):
        return _told(program, "interrupted", INTERRUPTED)
    except click.ClickException as error:
        return _told(program, error.format_message(), error.exit_code)
    except WhimbrelError as error:
        return _told(program, str(error), error.exit_code)


def _told(program: Verbs, message: str, code: int) -> int:
    print(f"{program.name}: {message}", file=sys.stderr)
    return code
