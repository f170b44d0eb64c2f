"""What a server loads to be there: a start is quick, and an idle server small, because nothing is imported that it does
not need yet."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

WANTED = {
    *("anyio", "click", "cronsim", "flyteidl", "google", "grpc", "grpc_health", "grpc_reflection", "h11", "idna"),
    *("msgspec", "obstore", "protoc_gen_openapiv2", "sniffio", "starlette", "typing_extensions", "uvicorn", "whimbrel"),
}
"""Of what is not Python's own. SQLAlchemy, httpx, frames, tokens and cryptography are for who asks for them."""
MOST = 1_000
"""Modules, Python's own included: about 830 when this was written."""

STARTED = """
import asyncio, sys
from pathlib import Path
import whimbrel.cli.up
from whimbrel.server.app import Server
from whimbrel.server.house import ServerConfig

async def main():
    server = Server(ServerConfig(Path(sys.argv[1]), port=0))
    await server.start()
    print(*sorted(sys.modules))
    await server.stop()

asyncio.run(main())
"""


def test_a_server_that_starts_loads_what_it_needs_and_no_more(tmp_path: Path) -> None:
    command = [sys.executable, "-c", STARTED, str(tmp_path / "home")]
    modules = subprocess.run(command, capture_output=True, check=True, text=True, timeout=120).stdout.split()
    found = {name.partition(".")[0] for name in modules} - set(sys.stdlib_module_names)
    # Compiled extensions leave such traces of their own.
    found = {name for name in found if not name.startswith("_") and name != "cython_runtime"}
    assert "whimbrel" in found
    assert found <= WANTED, f"why are these loaded: {', '.join(sorted(found - WANTED))}?"
    assert len(modules) < MOST
