"""The command `whimbrel`: its commands by name, and what becomes of errors.

Knows: where each command is, the exit codes. Must not know: what a command does; each is imported when it is called.
"""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from collections.abc import Sequence

import click

from whimbrel.cli.failures import LoadFailed
from whimbrel.cli.settings import ReaderGone, Settings, err, verbose_option
from whimbrel.errors import SystemFault, WhimbrelError

_COMMANDS = {
    "run": ("whimbrel.cli.run", "command", "Run a task or workflow of a file, durably."),
    "resume": ("whimbrel.cli.run", "resume", "Carry on with a run that was parked or killed."),
    "recover": ("whimbrel.cli.rerun", "recover", "Run again what failed, and take what had succeeded."),
    "fork": ("whimbrel.cli.rerun", "fork", "Run again with other code or inputs; says first what will run."),
    "runs": ("whimbrel.cli.inspect", "runs", "List runs, the newest first."),
    "describe": ("whimbrel.cli.inspect", "describe", "Show what ran: the tree, attempts, cache, errors."),
    "logs": ("whimbrel.cli.logs", "logs", "Show what the tasks of a run wrote."),
    "deck": ("whimbrel.cli.deck", "deck", "Write what a run shows of itself as a page."),
    "abort": ("whimbrel.cli.abort", "abort", "End a run."),
    "approve": ("whimbrel.cli.answer", "approve", "Say yes at a gate of a run."),
    "reject": ("whimbrel.cli.answer", "reject", "Say no at a gate of a run."),
    "signal": ("whimbrel.cli.answer", "signal", "Give a run the value that a gate waits for."),
    "watch": ("whimbrel.cli.remote_runs", "watch", "Follow a run of a server, or all of them, as it goes on."),
    "relaunch": ("whimbrel.cli.remote_runs", "relaunch", "Run again what a run of a server ran."),
    "register": ("whimbrel.cli.registry", "register", "Register the tasks and workflows of files on a server."),
    "get": ("whimbrel.cli.registry", "get", "List what a server has: runs, workflows, schedules and the like."),
    "launchplan": ("whimbrel.cli.registry", "launchplan", "Activate, deactivate and list launch plans of a server."),
    "backfill": ("whimbrel.cli.backfill", "command", "Launch what a schedule was due for in the past."),
    "project": ("whimbrel.cli.registry", "project", "Create and list projects of a server."),
    "secrets": ("whimbrel.cli.secrets", "command", "Keep secrets for tasks, encrypted."),
    "auth": ("whimbrel.cli.access", "command", "Say who may use a server, and see what they did."),
    "check": ("whimbrel.cli.program", "check", "Find everything that is wrong with a file, without running it."),
    "compile": ("whimbrel.cli.program", "compile_", "Print the graph of a workflow."),
    "freeze": ("whimbrel.cli.freeze", "command", "Write a static workflow that does what an eager run did."),
    "up": ("whimbrel.cli.up", "command", "Serve runs over HTTP and gRPC."),
    "doctor": ("whimbrel.cli.doctor", "doctor", "Look whether all is well with this machine and this home."),
}

EXIT_CODES = (
    (0, "the run succeeded; the command did what it was asked for"),
    (1, "the run failed or timed out; check or doctor found problems"),
    (
        2,
        "bad usage or input: unknown file, name, run or option, a value that does not parse, a file that does not load",
    ),
    (3, "the run was aborted"),
    (69, "no server answers"),
    (70, "a fault of whimbrel's own"),
    (74, "the home cannot be used: damaged, written by a newer whimbrel, disk full, not writable"),
    (75, "another process owns the home, or took the run over"),
    (130, "Ctrl-C: the run is parked, the command that carries on was printed"),
    (141, "the reader of the output went away"),
    (143, "SIGTERM: the run is parked"),
)
INTERRUPTED = 130
BROKEN_PIPE = 141
INTERNAL = 70


class Commands(click.Group):
    """Imports a command when it is called for: `whimbrel runs` shall not wait for what `run` needs."""

    def list_commands(self, context: click.Context) -> list[str]:
        """In the order in which people meet them."""
        return list(_COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """The command, imported."""
        if name not in _COMMANDS:
            return None
        module, attribute, _ = _COMMANDS[name]
        command = getattr(importlib.import_module(module), attribute)
        return command if isinstance(command, click.Command) else None

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """The table of commands, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, _, text) in _COMMANDS.items()])

    def format_epilog(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """The table of exit codes."""
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(code), text) for code, text in EXIT_CODES])


@click.group(
    "whimbrel", cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(package_name="whimbrel", prog_name="whimbrel", message="%(prog)s %(version)s")
@verbose_option
def cli() -> None:
    """Plain Python that never loses work: run, resume and look at typed, durable workflows."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The console script: run a command and return its exit code, whatever went wrong."""
    settings = Settings()
    try:
        code = cli.main(
            list(arguments) if arguments is not None else None,
            prog_name="whimbrel",
            standalone_mode=False,
            obj=settings,
        )
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except (ReaderGone, BrokenPipeError):
        # The interpreter flushes stdout once more at its end, and would complain again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except (KeyboardInterrupt, click.Abort):
        err("whimbrel: interrupted")
        return INTERRUPTED
    except click.ClickException as error:
        return _usage(error)
    except WhimbrelError as error:
        return _told(error, settings)
    except Exception as error:
        return _ours(error, settings)


def _usage(error: click.ClickException) -> int:
    err(f"whimbrel: {error.format_message()}")
    context = getattr(error, "ctx", None)
    if context is not None:
        err(f"  {context.command_path} --help lists what there is")
    return error.exit_code


def _told(error: WhimbrelError, settings: Settings) -> int:
    if settings.verbose:
        traceback.print_exception(error)
    if isinstance(error, LoadFailed):
        err(error.report)
    err(f"whimbrel: {error}")
    _tell_notes(error)
    if isinstance(error, SystemFault) and error.exit_code == INTERNAL and not settings.verbose:
        err("  this is a fault of whimbrel's own; --verbose shows where")
    return error.exit_code


def _tell_notes(error: Exception) -> None:
    for note in getattr(error, "__notes__", []):
        err(f"  {note}")


def _ours(error: Exception, settings: Settings) -> int:
    if settings.verbose:
        traceback.print_exception(error)
    err(f"whimbrel: {type(error).__name__}: {error}")
    _tell_notes(error)
    err("  this is a fault of whimbrel's own" + ("" if settings.verbose else "; --verbose shows where"))
    return INTERNAL


if __name__ == "__main__":
    sys.exit(main())
