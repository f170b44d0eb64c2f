"""Writes `console/openapi.json`, what a server says of its REST: `python -m scripts.console_api`.

The console's types are generated from it: `make console-api` does both.

Knows: a server in this process. Must not know: what is served.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from pathlib import Path

from whimbrel.server.app import Server
from whimbrel.server.house import ServerConfig
from whimbrel.server.http.application import endpoints
from whimbrel.server.http.openapi import document

TARGET = Path(__file__).parents[1] / "console" / "openapi.json"


def text() -> str:
    """What the file should say."""
    with tempfile.TemporaryDirectory() as directory:
        return asyncio.run(_read(Path(directory)))


async def _read(directory: Path) -> str:
    server = Server(ServerConfig(directory / "home", port=0, workers=1))
    await server.start()
    try:
        described = document(endpoints(server.house))
    finally:
        await server.stop()
    # The version changes with every release, and says nothing of the shapes.
    described["info"]["version"] = "v1"
    return json.dumps(described, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")
