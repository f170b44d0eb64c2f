"""A certified provider of OpenID Connect that runs here."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.integration.auth.upping import LIMIT

HERE = Path(__file__).parent / "provider"


def installed() -> Path:
    """The provider with what it needs, from npm, by the digests of its lock."""
    lock = HERE / "package-lock.json"
    pins = hashlib.sha256(lock.read_bytes() + str(os.getuid()).encode()).hexdigest()[:16]
    home = Path(tempfile.gettempdir()) / f"whimbrel-oidc-provider-{pins}"
    with home.with_suffix(".lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not (home / ".made").exists():
            shutil.rmtree(home, ignore_errors=True)
            home.mkdir()
            for name in ("package.json", "package-lock.json"):
                shutil.copy(HERE / name, home)
            command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
            done = subprocess.run(command, cwd=home, capture_output=True, text=True, timeout=300)
            assert done.returncode == 0, done.stderr
            (home / ".made").touch()
        shutil.copy(HERE / "provider.mjs", home)
    return home


@contextlib.contextmanager
def providing() -> Iterator[str]:
    """The address of a provider, for as long as it is wanted."""
    process = subprocess.Popen(
        ["node", "provider.mjs"], cwd=installed(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    yield process.stdout.readline().strip()
    process.terminate()
    process.wait(LIMIT)
    process.stdout.close()
