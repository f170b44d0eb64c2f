"""What our own client sends, made by hand: bundles of a few files, programs of their modules; and a server for it."""

from __future__ import annotations

import gzip
import hashlib
import importlib
import io
import sys
import tarfile
import textwrap
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
from msgspec.structs import replace

from whimbrel.authoring.declaring import declarations, whole_program
from whimbrel.model.program import CodeRef
from whimbrel.server.app import Server
from whimbrel.server.house import ServerConfig
from whimbrel.wire.rest.registering import JSON, MSGPACK, Registration, encode_registration

PLACE = "/api/v1/projects/flytesnacks/domains/development"
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
LIMIT = 60.0


def archive(files: Mapping[str, str]) -> tuple[str, bytes]:
    """A bundle and its digest."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, text in files.items():
            data = textwrap.dedent(text).encode()
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    data = gzip.compress(out.getvalue(), mtime=0)
    return hashlib.sha256(data).hexdigest(), data


def registration(root: Path, files: Mapping[str, str], module: str, *names: str, version: str) -> Registration:
    """What is registered of entities of ``module``, as if they had been compiled in a process of their own."""
    for name, text in files.items():
        place = root / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(textwrap.dedent(text))
    before = set(sys.modules)
    sys.path.insert(0, str(root))
    importlib.invalidate_caches()
    try:
        loaded = importlib.import_module(module)
        roots = [getattr(loaded, name) for name in names]
        program = whole_program(roots)
        declared = declarations(roots, program)
    finally:
        sys.path.remove(str(root))
        for name in set(sys.modules) - before:
            del sys.modules[name]
    tasks = {
        name: replace(spec, code=CodeRef(spec.code.module, spec.code.name, "")) for name, spec in program.tasks.items()
    }
    return Registration(version, archive(files)[0], PYTHON, replace(program, tasks=tasks), declared)


class Client:
    """A client of a server in this process."""

    def __init__(self, server: Server, http: httpx.AsyncClient) -> None:
        self.server = server
        self.http = http

    async def get(self, path: str, status: int = 200, **parameters: Any) -> Any:
        answer = await self.http.get(path, params=parameters)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def post(self, path: str, said: Any = None, status: int = 200) -> Any:
        answer = await self.http.post(path, json=said or {})
        assert answer.status_code == status, answer.text
        return answer.json()

    async def post_exactly(self, path: str, said: Any, status: int = 200) -> Any:
        data = encode_registration(said) if isinstance(said, Registration) else msgspec.msgpack.encode(said)
        answer = await self.http.post(path, content=data, headers={"content-type": MSGPACK, "accept": JSON})
        assert answer.status_code == status, answer.text
        return answer.json()

    async def send(self, files: Mapping[str, str]) -> int:
        digest, data = archive(files)
        return (await self.http.put(f"/api/v1/bundles/{digest}", content=data)).status_code

    async def register(self, said: Registration, files: Mapping[str, str]) -> Any:
        assert await self.send(files) in (200, 201)
        return await self.post_exactly(f"{PLACE}/register", said)

    async def ended(self, run: str) -> Any:
        """The run when it has ended."""
        async with self.http.stream("GET", f"/api/v1/runs/{run}/events") as answer:
            async for _ in answer.aiter_lines():
                continue
        return await self.get(f"/api/v1/runs/{run}")


@asynccontextmanager
async def serving(home: Path, **config: Any) -> AsyncIterator[Client]:
    """A server on the home, and its client."""
    server = Server(ServerConfig(home=home, port=0, workers=2, drain=0.1, **config))
    await server.start()
    try:
        async with httpx.AsyncClient(base_url=server.url, timeout=LIMIT) as http:
            yield Client(server, http)
    finally:
        await server.stop()
