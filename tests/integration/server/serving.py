"""A server in a process of its own, and commands of real flytekit against it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
USUAL = "127.0.0.1:30080"
"""Where clients of Flyte look when nothing is said."""


@contextmanager
def running(directory: Path, python: Path) -> Iterator[str]:
    """``whimbrel up``, tasks in the environment of ``python``; its host and port. The port is the one where clients
    look by themselves, unless somebody else has it."""
    command = [str(Path(sys.executable).with_name("whimbrel")), "up", "--home", str(directory / "home")]
    command += ["--image", f"*={python.parent.parent}", "--workers", "3"]
    with (directory / "log").open("w") as log:
        for more in ([], ["--port", "0"]):
            process = subprocess.Popen([*command, *more], stdout=subprocess.PIPE, stderr=log, text=True)
            assert process.stdout is not None
            line = process.stdout.readline()
            if line:
                break
            process.wait(60)
            process.stdout.close()
        try:
            yield f"127.0.0.1:{line.rstrip().rpartition(':')[2]}"
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)
            assert process.stdout is not None
            process.stdout.close()


def environment(home: Path, address: str) -> Mapping[str, str]:
    """That of somebody who has configured nothing, if the server is where clients look by themselves."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("FLYTE", "_F_"))}
    said = {} if address == USUAL else {"FLYTE_PLATFORM_URL": address, "FLYTE_PLATFORM_INSECURE": "true"}
    return {**bare, "HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1", **said}


def begun(python: Path, home: Path, address: str, *command: str) -> subprocess.Popen[str]:
    """A command of flytekit's environment, in the directory of the flows."""
    program = [str(python.parent / "pyflyte")] if command[0] == "pyflyte" else [str(python), command[0]]
    return subprocess.Popen(
        [*program, *command[1:]],
        cwd=HERE,
        env=environment(home, address),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> str:
    """What a command has said, once it has succeeded."""
    said, _ = process.communicate(timeout=300)
    assert process.returncode == 0, said
    return said


def results(said: str) -> dict[str, Any]:
    """What the flows of ``client.py`` have found, by name."""
    lines = [json.loads(line) for line in said.splitlines() if line.startswith('{"flow"')]
    return {line["flow"]: line["found"] for line in lines}
