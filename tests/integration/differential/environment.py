"""Real flytekit in an environment of its own, made when it is first needed, from pins with hashes."""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
REQUIREMENTS = ROOT / "requirements" / "flytekit.txt"


def flytekit_python() -> Path:
    """The interpreter that has real flytekit, of the Python version that runs. Seconds when there is none yet."""
    home = ROOT / f".venv-flytekit-{sys.version_info[0]}.{sys.version_info[1]}"
    python, stamp = home / "bin" / "python", home / ".made"
    pins = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    lock_name = f"whimbrel-{hashlib.sha256(str(home).encode()).hexdigest()[:16]}.lock"
    with (Path(tempfile.gettempdir()) / lock_name).open("w") as lock:
        # Several workers of one test run may be here.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.read_text() != pins:
            uv = _uv()
            _run(uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(home))
            inside = {**os.environ, "VIRTUAL_ENV": str(home)}
            _run(uv, "pip", "install", "--quiet", "--require-hashes", "--requirement", str(REQUIREMENTS), env=inside)
            stamp.write_text(pins)
    return python


def _uv() -> str:
    for directory in (Path(sys.executable).parent, ROOT / ".venv" / "bin"):
        if (directory / "uv").exists():
            return str(directory / "uv")
    raise FileNotFoundError("uv is not in .venv: run `make dev`")


def _run(*command: str, env: dict[str, str] | None = None) -> None:
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr}")
