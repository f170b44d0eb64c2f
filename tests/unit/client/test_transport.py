"""What is sent again, what is not, and refusals as errors of ours."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.unit.client.scripted import answer, scripted
from whimbrel.client.configuration import Config
from whimbrel.client.transport import Answer, Transport
from whimbrel.errors import (
    AlreadyExists,
    CompileError,
    EntityNotFound,
    InputInvalid,
    NotAllowed,
    NotAuthenticated,
    RunNotResumable,
    ServerFault,
    ServerUnreachable,
    WhimbrelError,
)

FINE = answer(200, b'{"ok": true}')
PROBLEM = "application/problem+json"


def problem(status: int, kind: str, detail: str, **more: Any) -> bytes:
    said = {"type": f"urn:whimbrel:problem:{kind}", "title": "T", "status": status, "detail": detail, **more}
    return answer(status, json.dumps(said).encode(), PROBLEM)


async def sent(url: str, method: str = "GET", *, patience: float = 30.0, **said: Any) -> Answer:
    credentials = said.pop("credentials", None)
    transport = Transport(Config(endpoint=url), patience=patience, pause=0.001, credentials=credentials)
    try:
        return await transport.send(method, "/api/v1/x", **said)
    finally:
        await transport.close()


@pytest.mark.parametrize("broken", [None, answer(503, b"busy", "text/plain"), problem(503, "StoreError", "busy")])
def test_what_may_be_repeated_is(broken: bytes | None) -> None:
    async def main() -> None:
        transport_answers = (FINE, broken, FINE)
        async with scripted(*transport_answers) as script:
            transport = Transport(Config(endpoint=script.url), pause=0.001)
            for _ in range(2):
                found = await transport.send("POST", "/api/v1/x", json={"a": 1}, repeat=True)
                assert found.read(dict[str, bool]) == {"ok": True}
            await transport.close()
            assert len(script.requests) == 3
            assert script.requests[1].endswith('{"a":1}')

    asyncio.run(main())


def test_what_may_not_be_repeated_is_not() -> None:
    async def main() -> None:
        async with scripted(FINE, None, FINE) as script:
            transport = Transport(Config(endpoint=script.url), pause=0.001)
            await transport.send("GET", "/api/v1/x")
            with pytest.raises(ServerUnreachable, match="went away"):
                await transport.send("POST", "/api/v1/x")
            await transport.close()
            assert len(script.requests) == 2

    asyncio.run(main())


def test_too_many_at_once_are_told_when_to_come_back() -> None:
    async def main() -> None:
        async with scripted(problem(429, "TooMany", "slowly"), FINE) as script:
            assert (await sent(script.url, "POST")).status == 200

    asyncio.run(main())


@pytest.mark.parametrize(
    ("said", "error", "message"),
    [
        (problem(404, "EntityNotFound", "no run"), EntityNotFound, "no run"),
        (problem(409, "RunNotResumable", "has ended"), RunNotResumable, "has ended"),
        (problem(409, "Unheard", "is there"), AlreadyExists, "is there"),
        (problem(404, "NotFound", "nothing here"), EntityNotFound, "nothing here"),
        (problem(400, "ValueMismatch", "expected int"), InputInvalid, "expected int"),
        (problem(401, "Whoever", "who are you"), NotAuthenticated, "who are you"),
        (problem(403, "Whoever", "not you"), NotAllowed, "not you"),
        (problem(500, "Fault", "its log says more"), ServerFault, "the server has a fault: its log says more"),
        (answer(404, b"<html>nginx</html>", "text/html", server="nginx"), ServerFault, "answered with 404 by nginx"),
    ],
)
def test_refusals_are_errors_of_ours(said: bytes, error: type[WhimbrelError], message: str) -> None:
    async def main() -> None:
        async with scripted(said) as script:
            with pytest.raises(error) as refused:
                await sent(script.url)
        assert type(refused.value) is error
        assert message in str(refused.value)

    asyncio.run(main())


def test_every_problem_of_a_program_is_told() -> None:
    async def main() -> None:
        lines = [{"message": "one", "file": "flow.py", "line": 3}, {"message": "two", "remedy": "Mend it."}]
        async with scripted(problem(422, "CompileError", "two problems", problems=lines)) as script:
            with pytest.raises(CompileError) as refused:
                await sent(script.url, "POST")
        assert [str(each) for each in refused.value.problems] == ["flow.py:3: one", "two\n    Mend it."]

    asyncio.run(main())


def test_an_answer_that_is_no_answer_of_ours() -> None:
    async def main() -> None:
        async with scripted(answer(200, b"hello", "text/plain")) as script:
            with pytest.raises(ServerFault, match="cannot be read"):
                (await sent(script.url)).read(dict[str, int])

    asyncio.run(main())


class Tokens:
    """Credentials whose first token has expired."""

    def __init__(self) -> None:
        self.asked = 0

    async def headers(self) -> Mapping[str, str]:
        return {"authorization": f"Bearer {self.asked}"}

    async def refresh(self) -> bool:
        self.asked += 1
        return True


def test_credentials_are_refreshed_once() -> None:
    async def main() -> None:
        refused = problem(401, "NotAuthenticated", "expired")
        async with scripted(refused, FINE, refused, refused) as script:
            assert (await sent(script.url, credentials=Tokens())).status == 200
            assert [f"Bearer {at}" in request for at, request in enumerate(script.requests)] == [True, True]
            with pytest.raises(NotAuthenticated, match="expired"):
                await sent(script.url, credentials=Tokens())

    asyncio.run(main())


def test_a_server_that_never_answered_is_not_waited_for() -> None:
    async def main() -> None:
        async with scripted() as script:
            pass
        with pytest.raises(ServerUnreachable, match="Start one with `whimbrel up`"):
            await sent(script.url, patience=3600.0)

    asyncio.run(main())
