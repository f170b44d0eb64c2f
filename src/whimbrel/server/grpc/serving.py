"""The gRPC server: the services, health, reflection, and the rules of the channel.

Knows: gRPC. Must not know: what the services do.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from urllib.parse import unquote

import grpc
import grpc.aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from whimbrel.server.grpc.registration import Registration
from whimbrel.server.limits import Buckets, Limits, whole_seconds
from whimbrel.server.peers import address_of, forwarded

log = logging.getLogger("whimbrel.grpc")

METADATA = 32 * 1024
"""Bytes of the metadata of a call: what Flyte's clients allow themselves."""

STREAMS = 256
"""Calls of a connection at a time; a client with more of them waits."""
HANDSHAKE = 10_000
"""Milliseconds that a connection has to send its settings."""

OPTIONS = (
    ("grpc.max_concurrent_streams", STREAMS),
    ("grpc.server_handshake_timeout_ms", HANDSHAKE),
    ("grpc.max_metadata_size", METADATA),
    # Flyte's clients ping every 30 seconds, also between calls; by default that is answered with "too many pings".
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 10_000),
    ("grpc.http2.max_ping_strikes", 0),
    ("grpc.so_reuseport", 0),
)

Handle = Callable[[grpc.HandlerCallDetails], Awaitable[Any]]


class GrpcServing:
    """The services of ``registrations`` on the Unix socket ``path``. ``trusts_proxy`` believes x-forwarded-for."""

    def __init__(
        self, path: str, registrations: Sequence[Registration], limits: Limits, *, trusts_proxy: bool = False
    ) -> None:
        self._limits = limits
        self._trusts_proxy = trusts_proxy
        self._path = path
        self._registrations = registrations
        self._server: grpc.aio.Server | None = None
        self._health = health.aio.HealthServicer()

    async def start(self) -> None:
        """Serve."""
        server = self._server = grpc.aio.server(
            interceptors=(_Guard(self._limits, self._trusts_proxy),),
            options=(
                *OPTIONS,
                ("grpc.max_receive_message_length", self._limits.message),
                ("grpc.max_send_message_length", self._limits.message),
            ),
        )
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        names = [health.SERVICE_NAME, *(registration.name for registration in self._registrations)]
        for registration in self._registrations:
            registration.add(server)
        reflection.enable_server_reflection((*names, reflection.SERVICE_NAME), server)
        server.add_insecure_port(f"unix:{self._path}")
        await server.start()
        for name in ("", *names):
            await self._health.set(name, health_pb2.HealthCheckResponse.SERVING)

    async def drain(self) -> None:
        """Say that nothing more should be asked here."""
        await self._health.enter_graceful_shutdown()

    async def stop(self, grace: float) -> None:
        """Take no call any more; those that run have ``grace`` seconds."""
        if self._server is not None:
            await self._server.stop(grace)


class _Guard(grpc.aio.ServerInterceptor):  # type: ignore[misc]  # grpc brings no types
    """What a service raises and does not mean is INTERNAL, with a sentence: Flyte's clients take the default, UNKNOWN,
    for a missing login. Who asks too often is told so, and every call is a line in the log.
    """

    def __init__(self, limits: Limits, trusts_proxy: bool) -> None:
        self._trusts_proxy = trusts_proxy
        self._buckets = Buckets(limits.rate, limits.burst, time.monotonic)

    async def intercept_service(self, continuation: Handle, details: grpc.HandlerCallDetails) -> Any:
        """See grpc."""
        handler = await continuation(details)
        if handler is None or handler.unary_unary is None:
            return handler
        answer = handler.unary_unary

        async def guarded(request: Any, context: grpc.aio.ServicerContext) -> Any:
            client = address_of(unquote(context.peer()))
            if self._trusts_proxy:
                sent = dict(context.invocation_metadata() or ())
                client = forwarded(client, str(sent.get("x-forwarded-for", "")))
            begun = time.monotonic()
            try:
                if wait := self._buckets.take(client):
                    said = f"you ask too often; try again in {whole_seconds(wait)} s"
                    await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, said)
                return await answer(request, context)
            except grpc.aio.AbortError:
                raise
            except Exception as error:
                log.exception("%s failed", details.method)
                said = f"{type(error).__name__} in {details.method}: this is a fault of the server; its log says more"
                await context.abort(grpc.StatusCode.INTERNAL, said)
            finally:
                _note(details.method, client, context.code(), begun)

        return grpc.unary_unary_rpc_method_handler(
            guarded, request_deserializer=handler.request_deserializer, response_serializer=handler.response_serializer
        )


_READS = ("Get", "List")


def _note(method: str, client: str, code: Any, begun: float) -> None:
    """A line in the log; of what only looks, for those who want to know everything."""
    level = logging.DEBUG if method.rpartition("/")[2].startswith(_READS) else logging.INFO
    if log.isEnabledFor(level):
        status = code.name if isinstance(code, grpc.StatusCode) else "OK"
        said = {
            "request": secrets.token_hex(8),
            "client": client,
            "method": method,
            "status": status,
            "ms": round((time.monotonic() - begun) * 1e3, 1),
        }
        log.log(level, "%s: %s", method, status, extra=said)
