"""Every method of the five services, given nothing, nonsense and noise: it answers, and never UNKNOWN or INTERNAL."""

from __future__ import annotations

import asyncio
import random
import tempfile
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest

from whimbrel.controlplane.executions import Executions
from whimbrel.controlplane.plane import ControlPlane
from whimbrel.controlplane.registry import Registry
from whimbrel.controlplane.system import RandomIds, SystemClock
from whimbrel.executors.inline import InlineExecutor
from whimbrel.model.literals import Literals
from whimbrel.runtime.driver import Driver
from whimbrel.server.downloads import Downloads
from whimbrel.server.feed import Feed
from whimbrel.server.grpc.services import services
from whimbrel.server.uploads import Uploads
from whimbrel.stores.memory import MemoryStore
from whimbrel.testing.blobs import MemoryBlobs
from whimbrel.wire.flyte.services import SERVICES, Method, methods

NAMES = ("../../etc", "'; DROP TABLE entities; --", "<script>", "x" * 5_000, "\u202e", "a/b")


def handlers(directory: Path) -> Any:
    store, clock, ids = MemoryStore(), SystemClock(), RandomIds()
    executor = InlineExecutor(blobs=MemoryBlobs(), driver=Driver)
    plane = ControlPlane(store=store, executor=executor, clock=clock, ids=ids, owner="test", listen=None)
    registry = Registry(store=store, clock=clock)
    executions = Executions(registry=registry, store=store, plane=plane, clock=clock, ids=ids)

    async def fetch(literals: Literals) -> Literals:
        return literals

    uploads = Uploads(directory / "uploads", lambda: "http://localhost")
    return services(registry, executions, fetch, uploads, Feed(), Downloads(directory, lambda: "http://localhost"))


def hostile(message: Any, name: str, depth: int = 4) -> Any:
    """``message`` with every text and id in it set to ``name``."""
    for field in message.DESCRIPTOR.fields:
        if field.is_repeated or depth == 0 or field.containing_oneof is not None:
            continue
        if field.type == field.TYPE_STRING:
            setattr(message, field.name, name)
        elif field.type == field.TYPE_MESSAGE:
            hostile(getattr(message, field.name), name, depth - 1)
    return message


@pytest.mark.parametrize("service", SERVICES)
def test_every_method_answers(service: str, tmp_path: Path) -> None:
    noise = random.Random(service)

    async def scenario() -> None:
        server = grpc.aio.server()
        for registration in handlers(tmp_path):
            registration.add(server)
        address = f"unix:{tmp_path}/grpc"
        server.add_insecure_port(address)
        await server.start()
        async with grpc.aio.insecure_channel(address) as channel:
            for method in methods(service):
                call = channel.unary_unary(f"/{service}/{method.name}")
                bodies = [b"", b"\xff\xff\xff", *(noise.randbytes(100) for _ in range(5))]
                bodies += [hostile(method.request(), name).SerializeToString() for name in NAMES]
                for body in bodies:
                    answers.append((method, body, await _asked(call, body)))
        await server.stop(None)

    answers: list[tuple[Method, bytes, bytes | grpc.aio.AioRpcError]] = []
    asyncio.run(scenario())
    assert len(answers) == 13 * len(methods(service))
    for method, body, answer in answers:
        if isinstance(answer, bytes):
            method.response.FromString(answer)
            continue
        said = (method.name, body[:40], answer.details())
        assert answer.code() not in (grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL), said
        assert str(answer.details()).rstrip().endswith("."), said
    assert [path.name for path in tmp_path.rglob("*") if path.name != "grpc"] == []


async def _asked(call: Any, body: bytes) -> bytes | grpc.aio.AioRpcError:
    try:
        answer: bytes = await call(body, timeout=30)
    except grpc.aio.AioRpcError as error:
        return error
    return answer


PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "flyte-compat.md"
HEAD = """# Flyte's services: what is served

Every method of the services that Flyte's clients call. What is not served answers UNIMPLEMENTED, with a sentence.
Made by a test: `python -m tests.integration.server.test_every_method`.
"""


def page(directory: Path) -> str:
    """The table, of what each method answers to an empty message."""
    found: dict[tuple[str, str], bool] = {}

    async def scenario() -> None:
        server = grpc.aio.server()
        for registration in handlers(directory):
            registration.add(server)
        address = f"unix:{directory}/grpc"
        server.add_insecure_port(address)
        await server.start()
        async with grpc.aio.insecure_channel(address) as channel:
            for service in SERVICES:
                for method in methods(service):
                    answer = await _asked(channel.unary_unary(f"/{service}/{method.name}"), b"")
                    refused = isinstance(answer, grpc.aio.AioRpcError)
                    found[service, method.name] = not refused or answer.code() is not grpc.StatusCode.UNIMPLEMENTED
        await server.stop(None)

    asyncio.run(scenario())
    lines = [HEAD]
    for service in SERVICES:
        lines += [f"## {service.rpartition('.')[2]}", "", "| method | served |", "|---|---|"]
        lines += [f"| {method.name} | {'yes' if found[service, method.name] else '-'} |" for method in methods(service)]
        lines.append("")
    return "\n".join(lines)


def test_the_page_says_what_is_served(tmp_path: Path) -> None:
    assert PAGE.read_text(encoding="utf-8") == page(tmp_path), "python -m tests.integration.server.test_every_method"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        PAGE.write_text(page(Path(made)), encoding="utf-8")
