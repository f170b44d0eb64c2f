"""``flytectl demo``: a ``whimbrel up`` in the background, one for each user, and the configuration file that names it.

Knows: processes, the owner's lock of a home, flytectl's files. Must not know: what the server serves.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click
import msgspec

from flytekit.clis.config_files import sandbox_file
from flytekit.configuration._sandbox import note, noted
from whimbrel.errors import InputInvalid
from whimbrel.stores.home import DATABASE, LOCK, Holder

PORT = 30080
LOG = "server.log"
_READY = "whimbrel is ready at "
_LOOK = 0.05
"""Seconds between two looks at a process that starts or ends."""
_LAST_LINES = 8


class Demo(NamedTuple):
    """A server that runs."""

    home: Path
    pid: int
    url: str


def running() -> Demo | None:
    """The demo's server, if it lives."""
    said = noted()
    if said is None:
        return None
    demo = Demo(Path(said["home"]), int(said["pid"]), str(said["url"]))
    return demo if _holder(demo.home) == demo.pid else None


def _holder(home: Path) -> int | None:
    """The process that owns a home, by its lock: a number that another process was given since is not taken for it."""
    try:
        with (home / LOCK).open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return msgspec.json.decode(file.read(), type=Holder).pid
    except (OSError, msgspec.DecodeError):
        pass
    return None


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """One of these commands at a time."""
    path = note().with_suffix(".lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputInvalid(
                "another `flytectl demo` command is at work; wait until it has ended, and try again."
            ) from None
        yield


def _demo_home() -> Path:
    said = os.environ.get("WHIMBREL_HOME")
    return Path(said).absolute() if said else note().with_suffix("")


# --- start and stop ---------------------------------------------------------------------------------------------------


def _started(home: Path, port: int, workers: int | None, patience: float) -> Demo:
    """Start it, and wait until it is ready. Raises ``InputInvalid`` with the reason that it gave for not starting."""
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputInvalid(f"{home} cannot be made: {error.strerror}; name another with WHIMBREL_HOME.") from None
    log = home / LOG
    if log.exists():
        log.replace(log.with_name(f"{LOG}.1"))
    command = [sys.executable, "-m", "whimbrel.cli.main", "up", "--home", str(home), "--port", str(port)]
    command += ["--workers", str(workers)] if workers is not None else []
    with log.open("wb") as file:
        process = subprocess.Popen(
            command, cwd=home, stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True
        )
    try:
        url = _ready(process, log, patience)
    except BaseException:
        process.terminate()
        raise
    note().write_text(json.dumps({"home": str(home), "pid": process.pid, "url": url}), encoding="utf-8")
    return Demo(home, process.pid, url)


def _ready(process: subprocess.Popen[bytes], log: Path, patience: float) -> str:
    deadline = time.monotonic() + patience
    while True:
        ended = process.poll() is not None
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        for line in lines:
            if line.startswith(_READY):
                return line.removeprefix(_READY).strip()
        if ended:
            said = "\n".join(lines[-_LAST_LINES:]).removeprefix("whimbrel: ")
            raise InputInvalid(f"the server did not start: {said}" if said else f"the server did not start; see {log}")
        if time.monotonic() > deadline:
            raise InputInvalid(
                f"the server was not ready after {patience:g} s; see {log}, or give it more time with --timeout."
            )
        time.sleep(_LOOK)


def _stopped(demo: Demo, patience: float) -> None:
    """Let it drain, and wait until it has gone. Raises ``InputInvalid`` when it takes too long."""
    os.kill(demo.pid, signal.SIGTERM)
    deadline = time.monotonic() + patience
    while _holder(demo.home) == demo.pid:
        if time.monotonic() > deadline:
            raise InputInvalid(
                f"process {demo.pid} has not ended after {patience:g} s: tasks that run are given their time. "
                f"Try again with a longer --timeout, or end it with `kill -9 {demo.pid}`: runs are kept."
            )
        time.sleep(_LOOK)
    note().unlink(missing_ok=True)


def _say_ready(demo: Demo, file: Path) -> None:
    click.echo(f"whimbrel is ready at {demo.url} (process {demo.pid})")
    click.echo(f"runs are kept in {demo.home}, its log is {demo.home / LOG}")
    click.echo("clients find it by themselves; flytectl's own configuration names it too:")
    click.echo(f"    export FLYTECTL_CONFIG={file}")


# --- verbs ------------------------------------------------------------------------------------------------------------

_CONTAINER = (
    ("--disable-agent", True),
    ("--dev", True),
    ("--dry-run", True),
    ("--pre", True),
    ("--env", False),
    ("--image", False),
    ("--imagePullOptions", False),
    ("--imagePullPolicy", False),
    ("--source", False),
    ("--version", False),
)


def _unheard(name: str) -> str:
    return f"container_{name.lstrip('-').replace('-', '_')}"


def _container_options() -> list[click.Parameter]:
    help_text = "Speaks to a container: without effect, which is said."
    return [
        click.Option(
            [name, _unheard(name)],
            **({"is_flag": True, "default": None} if flag else {"multiple": True}),
            help=help_text,
        )
        for name, flag in _CONTAINER
    ]


def _timeout(default: float) -> click.Option:
    return click.Option(
        ["--timeout"],
        type=click.FloatRange(0),
        default=default,
        show_default=True,
        metavar="SECONDS",
        help="How long to wait for it.",
    )


@click.group("demo", short_help="A server on this machine.")
def demo() -> None:
    """Start, stop and look at a server on this machine, for this user: no container, no cluster."""


@demo.command(
    "start",
    params=[
        click.Option(
            ["--port"],
            type=click.IntRange(0, 65535),
            default=PORT,
            show_default=True,
            help="The one port; 0 takes a free one.",
        ),
        click.Option(["--workers"], type=click.IntRange(1), help="Tasks at a time.  [default: one a processor]"),
        click.Option(["--force"], is_flag=True, help="Stop the one that runs, and start anew. Runs are kept."),
        _timeout(60),
        *_container_options(),
    ],
    short_help="Start it in the background.",
    epilog="Example:  flytectl demo start",
)
def start(port: int, workers: int | None, force: bool, timeout: float, **container: object) -> None:
    """Start the server in the background, wait until it is ready, and write ~/.flyte/config-sandbox.yaml.

    Runs are kept in ~/.whimbrel/demo, or where WHIMBREL_HOME says.
    """
    said = [name for name, _ in _CONTAINER if container[_unheard(name)]]
    if said:
        verb = "speaks" if len(said) == 1 else "speak"
        click.echo(f"flytectl: {', '.join(said)} {verb} to a container; without effect here", err=True)
    with _alone():
        found = running()
        if found is not None and not force:
            click.echo("a demo server runs already")
            _say_ready(found, sandbox_file(found.url))
            return
        if found is not None:
            _stopped(found, timeout)
        made = _started(_demo_home(), port, workers, timeout)
        _say_ready(made, sandbox_file(made.url))


@demo.command("status", short_help="Whether it runs, and where.")
def status() -> int:
    """Whether it runs, where, and whether it takes work. Exit code 1 when it does not."""
    found = running()
    if found is None:
        click.echo("no demo server runs; start one with `flytectl demo start`")
        return 1
    ready = _answers(found.url)
    click.echo(f"whimbrel {'runs' if ready else 'does not take work'} at {found.url} (process {found.pid})")
    click.echo(f"runs are kept in {found.home}, its log is {found.home / LOG}")
    return 0 if ready else 1


def _answers(url: str) -> bool:
    # A proxy of the environment is for addresses elsewhere.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{url}/readyz", timeout=10) as response:
            return bool(response.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def _stop(timeout: float, volume: bool) -> None:
    with _alone():
        found, home = running(), _demo_home()
        if found is None:
            note().unlink(missing_ok=True)
            click.echo("no demo server runs")
        else:
            home = found.home
            _stopped(found, timeout)
            kept = "" if volume else f"; runs are kept in {home}, and carry on with the next `flytectl demo start`"
            click.echo(f"stopped{kept}")
        if volume and (home / DATABASE).exists():
            if _holder(home) is not None:
                raise InputInvalid(
                    f"{home} is in use by process {_holder(home)}; stop that before its runs are removed."
                )
            shutil.rmtree(home)
            click.echo(f"removed {home}")


_ENDING = [
    _timeout(60),
    click.Option(["-v", "--volume"], is_flag=True, help="Remove what it has kept, for good."),
]


@demo.command("stop", params=_ENDING, short_help="Stop it.")
def stop(timeout: float, volume: bool) -> None:
    """Let running tasks have their time, then stop the server. Runs stay as they are on disk."""
    _stop(timeout, volume)


@demo.command("teardown", params=_ENDING, short_help="Stop it, in flytectl's word.")
def teardown(timeout: float, volume: bool) -> None:
    """The same as `stop`. With --volume what the server has kept is removed, for good."""
    _stop(timeout, volume)


@demo.command("reload", params=[_timeout(60)], short_help="Stop it and start it again.")
def reload(timeout: float) -> None:
    """Stop the server and start it again on the same port. Runs that were under way carry on."""
    with _alone():
        found = running()
        if found is None:
            raise InputInvalid("no demo server runs; start one with `flytectl demo start`.")
        _stopped(found, timeout)
        made = _started(found.home, int(found.url.rpartition(":")[2]), None, timeout)
        _say_ready(made, sandbox_file(made.url))


@demo.command("exec", short_help="There is no container to run a command in.")
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def exec_(words: tuple[str, ...]) -> None:
    """There is no container to run a command in."""
    raise InputInvalid("there is no container to run a command in: the server is a process here; run it in your shell.")
