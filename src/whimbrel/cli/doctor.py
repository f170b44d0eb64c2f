"""`whimbrel doctor`: whether this machine and this home can do the work, and how fast.

Knows: the home, the disk, worker processes. Must not know: runs' contents.
"""

from __future__ import annotations

import asyncio
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import click
from msgspec import Struct

from whimbrel.cli.ownership import owner_of
from whimbrel.cli.settings import home_option, json_option, out, print_json, verbose_option
from whimbrel.errors import WhimbrelError
from whimbrel.executors.processes import ProcessExecutor
from whimbrel.model.attempt import AttemptFault, Launch, Lost, Report, Succeeded
from whimbrel.model.interface import Interface
from whimbrel.model.program import CodeRef, Metadata, TaskSpec
from whimbrel.model.run import AttemptId
from whimbrel.stores.home import DATABASE, open_home

_LITTLE = 200 * 1024 * 1024
"""Free bytes below which a home is likely to fill up during a run."""
_SLOW_FSYNC = 0.05
"""Seconds a flush above which every durable step is felt."""
_WORKER_LIMIT = 30.0
"""Seconds that a worker has to come up."""

_LIBRARIES = ("click", "rich", "msgspec", "sqlalchemy", "alembic", "obstore")


class Finding(Struct, frozen=True):
    """One thing that was looked at. ``ok`` ``None``: worth knowing, neither good nor bad."""

    name: str
    ok: bool | None
    text: str
    remedy: str = ""


@click.command(
    "doctor",
    short_help="Look whether all is well with this machine and this home.",
    epilog="Example:  whimbrel doctor --home .whimbrel",
)
@home_option
@json_option
@verbose_option
def doctor(home: Path, as_json: bool) -> int:
    """Look at Python, the libraries, the home (all of its database), the disk, and whether workers start.

    Changes nothing that is kept. Exits 1 when something is wrong.
    """
    findings: list[Finding] = []
    looks: dict[str, Callable[[], Finding]] = {
        "python": _python,
        "versions": _versions,
        "home": lambda: _home(home),
        "disk": lambda: _disk(home),
        "flush": lambda: _flush(home),
        "worker": _worker,
    }
    for name, look in looks.items():
        try:
            findings.append(look())
        except WhimbrelError as error:
            findings.append(Finding(name, False, str(error)))
    failed = [finding for finding in findings if finding.ok is False]
    if as_json:
        print_json(
            {
                "ok": not failed,
                "findings": [
                    {"name": found.name, "ok": found.ok, "text": found.text, "remedy": found.remedy}
                    for found in findings
                ],
            }
        )
    else:
        for found in findings:
            mark = "·" if found.ok is None else ("✓" if found.ok else "✗")
            out(f"{mark} {found.name:<9} {found.text}")
            if found.ok is False and found.remedy:
                out(f"            {found.remedy}")
    return 1 if failed else 0


def _python() -> Finding:
    text = f"{platform.python_implementation()} {platform.python_version()} at {sys.executable}"
    return Finding("python", sys.version_info >= (3, 11), text, "Use Python 3.11 or newer.")


def _versions() -> Finding:
    listed = ", ".join(f"{name} {metadata.version(name)}" for name in _LIBRARIES)
    return Finding("versions", True, f"whimbrel {metadata.version('whimbrel')}; {listed}")


def _home(home: Path) -> Finding:
    if not (home / DATABASE).exists():
        return Finding("home", None, f"{home.absolute()}: there is none yet; the first run makes it")
    with open_home(home, exclusive=False) as opened:
        wrong = opened.store.check_integrity()
        size = (home / DATABASE).stat().st_size / 1024**2
        if wrong:
            return Finding(
                "home",
                False,
                f"{home.absolute()}: " + "; ".join(wrong[:5]),
                "Put a backup in its place, or start a new home.",
            )
    owner = owner_of(home)
    used = f"in use by {owner}" if owner else "nobody uses it"
    return Finding("home", True, f"{home.absolute()}: database of {size:.1f} MiB, whole; {used}")


def _existing(path: Path) -> Path:
    path = path.absolute()
    while not path.exists():
        path = path.parent
    return path


def _disk(home: Path) -> Finding:
    place = _existing(home)
    free = shutil.disk_usage(place).free
    return Finding(
        "disk",
        free >= _LITTLE,
        f"{free / 1024**3:.1f} GiB free under {place}",
        "Free some space, or put the home elsewhere with --home.",
    )


def _flush(home: Path) -> Finding:
    place = _existing(home)
    times = []
    try:
        with tempfile.TemporaryFile(dir=place) as file:
            for _ in range(20):
                begin = time.perf_counter()
                file.write(b"x" * 4096)
                file.flush()
                os.fsync(file.fileno())
                times.append(time.perf_counter() - begin)
    except OSError as error:
        return Finding(
            "flush", False, f"{place} cannot be written: {error.strerror}", "Check who may write there, or use --home."
        )
    middle = sorted(times)[len(times) // 2]
    text = f"{middle * 1000:.2f} ms to flush 4 KiB to disk"
    return Finding(
        "flush",
        True if middle < _SLOW_FSYNC else None,
        text + ("" if middle < _SLOW_FSYNC else ": each step waits for that"),
    )


def _worker() -> Finding:
    begin = time.perf_counter()
    problem = asyncio.run(_try_worker())
    took = time.perf_counter() - begin
    if problem:
        return Finding(
            "worker",
            False,
            problem.strip().replace("\n", "\n            "),
            "Mend what it says; tasks cannot run until then.",
        )
    return Finding("worker", True, f"a worker process started and answered in {took:.2f} s")


async def _try_worker() -> str:
    """Send an attempt whose code does not exist: a worker that refuses it has come up. "" when all is well."""
    ended: asyncio.Future[Report] = asyncio.get_running_loop().create_future()

    def report(said: Report) -> None:
        if isinstance(said, Succeeded | AttemptFault | Lost) and not ended.done():
            ended.set_result(said)

    with tempfile.TemporaryDirectory(prefix="whimbrel-doctor-") as scratch:
        executor = ProcessExecutor(blobs=scratch, workers=1, warm=1)
        await executor.start(report)
        try:
            spec = TaskSpec("doctor.ping", Interface(), CodeRef("whimbrel_doctor_ping", "ping"))
            executor.launch(Launch(AttemptId("doctor", "n0", 1), spec, {}, Metadata()))
            end = await asyncio.wait_for(ended, _WORKER_LIMIT)
        except TimeoutError:
            return f"no worker process answered within {_WORKER_LIMIT:.0f} s"
        finally:
            await executor.close()
    return end.reason if isinstance(end, Lost) else ""
