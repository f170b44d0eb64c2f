"""A server in a process of its own, and commands of real flytekit against it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


@contextmanager
def running(directory: Path, python: Path) -> Iterator[str]:
    """``whimbrel up`` on a free port, tasks in the environment of ``python``; its host and port."""
    log = (directory / "log").open("w")
    command = [str(Path(sys.executable).with_name("whimbrel")), "up", "--home", str(directory / "home"), "--port", "0"]
    command += ["--image", f"none:*={python.parent.parent}"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        yield f"127.0.0.1:{line.rstrip().rpartition(':')[2]}"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        if process.stdout is not None:
            process.stdout.close()
        log.close()


def flytekit(python: Path, address: str, *command: str, code: int = 0) -> str:
    """What a command of flytekit's environment says, in the directory of the flows."""
    environment = {
        **os.environ,
        "FLYTE_PLATFORM_URL": address,
        "FLYTE_PLATFORM_INSECURE": "true",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    program = str(python.parent / command[0]) if command[0] == "pyflyte" else str(python)
    arguments = command[1:] if command[0] == "pyflyte" else command
    done = subprocess.run([program, *arguments], cwd=HERE, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def client(python: Path, address: str, flow: str, *arguments: str) -> Any:
    """The result of a flow of ``client.py``."""
    said = flytekit(python, address, "client.py", flow, *arguments)
    return next(json.loads(line)[flow] for line in said.splitlines() if line.startswith(f'{{"{flow}"'))
