"""What passes the gate on its way: signed addresses, streams that end, addresses of those who ask, TLS."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from tests.integration.auth.certificates import certificates
from whimbrel.errors import InputInvalid, NotAllowed, NotAuthenticated
from whimbrel.model.access import EVERYWHERE, Grant, Place, Principal, PrincipalKind, Role
from whimbrel.model.run import AttemptId
from whimbrel.server.auth.access import Access, made_access
from whimbrel.server.auth.accounts import Accounts
from whimbrel.server.auth.oidc import read_rule
from whimbrel.server.auth.signing import Signed, Signer
from whimbrel.server.auth.tokens import Login, Tokens
from whimbrel.server.house import Auth, ServerConfig, must_be_safe
from whimbrel.server.http import admission
from whimbrel.server.peers import address_of, address_of_scope, forwarded
from whimbrel.server.port import Front
from whimbrel.server.tls import tls_context
from whimbrel.stores.memory import MemoryStore

SIGNED = Signed("1B2M2Y8AsgTpgAmY7PhCfg==", 10)


def query(text: str) -> dict[str, str]:
    return dict(parse_qsl(text))


def test_an_address_is_good_for_what_it_was_signed_for() -> None:
    signer = Signer(b"key", lambda: 100.0)
    said = query(signer.query("PUT", "/uploads/p/d/r/n", SIGNED, 60))
    assert signer.check("PUT", "/uploads/p/d/r/n", said) == SIGNED
    for method, path, changed in [
        ("GET", "/uploads/p/d/r/n", {}),
        ("PUT", "/uploads/p/d/r/other", {}),
        ("PUT", "/uploads/p/d/r/n", {"expires": "999"}),
        ("PUT", "/uploads/p/d/r/n", {"md5": ""}),
        ("PUT", "/uploads/p/d/r/n", {"size": "11"}),
        ("PUT", "/uploads/p/d/r/n", {"signature": "0" * 64}),
    ]:
        with pytest.raises(NotAuthenticated, match="signed"):
            signer.check(method, path, said | changed)
    with pytest.raises(NotAuthenticated, match="passed"):
        Signer(b"key", lambda: 161.0).check("PUT", "/uploads/p/d/r/n", said)
    with pytest.raises(NotAuthenticated, match="signed"):
        Signer(b"another", lambda: 100.0).check("PUT", "/uploads/p/d/r/n", said)


@given(st.dictionaries(st.sampled_from(["expires", "md5", "size", "signature"]), st.text(max_size=70)))
def test_no_noise_is_a_signature(said: dict[str, str]) -> None:
    with pytest.raises(NotAuthenticated):
        Signer(b"key", lambda: 0.0).check("PUT", "/x", said)


# --- streams


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


async def world(clock: Clock) -> tuple[Access, Tokens, Accounts]:
    store = MemoryStore()
    accounts = Accounts(store, clock)
    return await made_access(store, clock, url=lambda: "http://x"), Tokens(store, accounts, clock), accounts


def request(token: str, **path: str) -> Request:
    headers = [(b"authorization", f"Bearer {token}".encode())]
    scope = {"type": "http", "method": "GET", "path": "/", "headers": headers, "query_string": b"", "path_params": path}
    return Request(scope)


async def endless() -> AsyncIterator[bytes]:
    yield b"one"
    await asyncio.Event().wait()


@pytest.mark.parametrize("how", ["it expires", "it is revoked", "the role is taken away"])
def test_a_stream_ends_with_the_token(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "LOOK_AGAIN", 0.02)

    async def scenario() -> None:
        clock = Clock()
        access, tokens, accounts = await world(clock)
        await accounts.grant("user:ada", Role.VIEWER, EVERYWHERE)
        issued = await tokens.issue(Login(PrincipalKind.USER, "ada", "c", ("all",), "f"))

        async def handler(asked: Request) -> Response:
            return StreamingResponse(endless())

        async def place(run: str) -> Place:
            return EVERYWHERE

        guarded = admission.admitted(handler, access, "GET", "/api/v1/runs/{run}/events", place)
        answer = await guarded(request(issued.access, run="r"))
        assert isinstance(answer, StreamingResponse)
        chunks: Any = answer.body_iterator
        assert await anext(chunks) == b"one"
        rest = asyncio.ensure_future(anext(chunks, None))
        await asyncio.wait({rest}, timeout=0.1)
        assert not rest.done()
        clock.now += 5
        if how == "it expires":
            clock.now += issued.seconds
        elif how == "it is revoked":
            await tokens.revoke(issued.access, "c")
        else:
            await accounts.revoke("user:ada", Role.VIEWER, EVERYWHERE)
        async with asyncio.timeout(30):
            assert await rest is None

    asyncio.run(scenario())


def test_the_token_of_an_attempt_dies_with_it() -> None:
    async def scenario() -> None:
        access, _, _ = await world(Clock())
        attempt = AttemptId("r", "n0", 1)
        token = access.attempts.issue(attempt, Place("p", "d"), "v1")
        found = await access.gate.who(f"Bearer {token}")
        assert isinstance(found, Principal)
        assert found.grants == (Grant(Role.RUNNER, Place("p", "d")),)
        access.attempts.end(attempt)
        with pytest.raises(NotAuthenticated):
            await access.gate.who(f"Bearer {token}")

    asyncio.run(scenario())


def test_strangers_cannot_fill_the_audit_log() -> None:
    async def scenario() -> None:
        clock = Clock()
        access, _, _ = await world(clock)
        for _ in range(500):
            await access.auditor.note("", "GET /", outcome="NotAuthenticated")
        assert len(await access.store.audited(limit=1_000)) == 60
        clock.now += 61
        await access.auditor.note("", "GET /", outcome="NotAuthenticated")
        await access.auditor.note("user:ada", "x" * 10_000)
        said = await access.store.audited(limit=1_000)
        assert len(said) == 62
        assert len(said[0].action) < 10_000 or said[0].principal == "user:ada"

    asyncio.run(scenario())


# --- where calls come from


def test_addresses() -> None:
    assert address_of("unix:/tmp/whimbrel-x/127.0.0.1:40302") == "127.0.0.1"
    assert address_of("/tmp/whimbrel-x/::1:40302") == "::1"
    assert address_of("") == ""
    assert forwarded("10.0.0.1", "6.6.6.6, 192.0.2.7") == "192.0.2.7"
    assert forwarded("10.0.0.1", "") == "10.0.0.1"
    scope = {"client": ("10.0.0.1", 0), "headers": [(b"x-forwarded-for", b"192.0.2.7")]}
    assert address_of_scope(scope, trusts_proxy=False) == "10.0.0.1"
    assert address_of_scope(scope, trusts_proxy=True) == "192.0.2.7"


# --- what may be listened on


@pytest.mark.parametrize(
    ("said", "refusal"),
    [
        ({"host": "0.0.0.0"}, "--auth"),
        ({"host": "0.0.0.0", "insecure": True}, "--auth"),
        ({"host": "::", "auth": Auth.BUILTIN}, "--tls-cert"),
        ({"auth": Auth.OIDC}, "--oidc-issuer"),
        ({"behind_proxy": True}, "--auth"),
        ({"tls_key": Path("k")}, "--tls-cert"),
        ({}, None),
        ({"host": "0.0.0.0", "auth": Auth.BUILTIN, "insecure": True}, None),
        ({"host": "0.0.0.0", "auth": Auth.BUILTIN, "behind_proxy": True}, None),
        ({"host": "0.0.0.0", "auth": Auth.BUILTIN, "tls_cert": Path("c")}, None),
    ],
)
def test_a_server_that_strangers_could_use_is_refused(said: dict[str, Any], refusal: str | None) -> None:
    config = ServerConfig(Path("home"), **said)
    if refusal is None:
        must_be_safe(config)
        return
    with pytest.raises(InputInvalid, match=refusal):
        must_be_safe(config)


def test_rules() -> None:
    rule = read_rule("groups=ml:runner:flytesnacks")
    assert (rule.claim, rule.value, rule.grant) == ("groups", "ml", Grant(Role.RUNNER, Place("flytesnacks")))
    for wrong in ("", "groups", "groups=ml", "groups=ml:king", "=x:admin", "groups=ml:admin:p:d:e", "groups=ml:admin:"):
        with pytest.raises(InputInvalid):
            read_rule(wrong)


def test_reading_everywhere_is_not_reading_somewhere() -> None:
    async def scenario() -> None:
        clock = Clock()
        access, tokens, accounts = await world(clock)
        await accounts.grant("user:ada", Role.ADMIN, Place("p", "d"))
        issued = await tokens.issue(Login(PrincipalKind.USER, "ada", "c", ("all",), "f"))

        async def handler(asked: Request) -> Response:
            return Response()

        async def place(run: str) -> Place:
            return EVERYWHERE

        with pytest.raises(NotAllowed, match="no role"):
            await admission.admitted(handler, access, "GET", "/api/v1/runs", place)(request(issued.access))
        # A route that nobody has thought of needs everything.
        with pytest.raises(NotAllowed):
            await admission.admitted(handler, access, "GET", "/forgotten", place)(request(issued.access))

    asyncio.run(scenario())


# --- TLS


def test_gRPC_gets_h2_and_whoever_can_speak_http_1_does(tmp_path: Path) -> None:
    made = certificates(tmp_path)

    async def scenario() -> None:
        front = Front(
            grpc=str(tmp_path / "grpc"),
            http=str(tmp_path / "http"),
            tls=tls_context(made.certificate, made.key),
        )

        async def echoing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"seen " + await reader.read(100))
            await writer.drain()
            writer.close()

        inner = [await asyncio.start_unix_server(echoing, str(tmp_path / name)) for name in ("grpc", "http")]
        port = front.bind("127.0.0.1", 0)
        front.start()
        try:
            for offered, chosen in ((["h2", "http/1.1"], "http/1.1"), (["h2"], "h2"), (["grpc-exp", "h2"], "h2")):
                trust = ssl.create_default_context(cafile=str(made.authority))
                trust.set_alpn_protocols(offered)
                reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trust)
                assert writer.get_extra_info("ssl_object").selected_alpn_protocol() == chosen
                writer.write(b"GET / HTTP/1.1\r\n")
                assert (await reader.read(100)).startswith(b"seen GET")
                writer.close()
            # What is no TLS is hung up on, and disturbs nobody.
            plain, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET / HTTP/1.1\r\n\r\n")
            assert b"HTTP" not in await plain.read(1_000)
            writer.close()
        finally:
            await front.close()
            for server in inner:
                server.close()

    asyncio.run(scenario())


def test_certificates_that_cannot_be_used_are_refused_in_words(tmp_path: Path) -> None:
    made = certificates(tmp_path)
    (tmp_path / "noise").write_text("no certificate")
    for certificate, key in ((tmp_path / "missing", None), (tmp_path / "noise", made.key), (made.certificate, None)):
        with pytest.raises(InputInvalid, match="TLS"):
            tls_context(certificate, key)
