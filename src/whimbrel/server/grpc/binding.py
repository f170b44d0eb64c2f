"""From handlers to a service of gRPC: which method is whose, and what an error of ours is on the wire.

A handler takes the request and the empty answer, and fills it. Methods without one answer UNIMPLEMENTED, with a
sentence.

Knows: gRPC, the tree of errors. Must not know: what a method does.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

import grpc
import grpc.aio

from whimbrel.errors import (
    AlreadyExists,
    EntityNotFound,
    NotAllowed,
    NotAuthenticated,
    Overloaded,
    RunNotResumable,
    StoreFull,
    UserError,
    WhimbrelError,
)
from whimbrel.model.access import Principal
from whimbrel.server.grpc.guarding import Caller, RpcGuard
from whimbrel.server.grpc.registration import Registration
from whimbrel.wire.flyte.services import Method, methods

log = logging.getLogger("whimbrel.grpc")

Handler = Callable[[Any, Any], Awaitable[None]]
"""Takes the request and the empty answer."""


class Call(NamedTuple):
    """A call as it came: the name of its connection, the seconds until its deadline (``None`` without one), and whose
    it is, where the server wants to know that."""

    peer: str
    remaining: float | None
    principal: Principal | None = None


class Calling(NamedTuple):
    """A handler that wants to know whose call it is, too."""

    handle: Callable[[Any, Any, Call], Awaitable[None]]


_CODES: tuple[tuple[type[WhimbrelError], grpc.StatusCode], ...] = (
    (AlreadyExists, grpc.StatusCode.ALREADY_EXISTS),
    (EntityNotFound, grpc.StatusCode.NOT_FOUND),
    (NotAuthenticated, grpc.StatusCode.UNAUTHENTICATED),
    (NotAllowed, grpc.StatusCode.PERMISSION_DENIED),
    (RunNotResumable, grpc.StatusCode.FAILED_PRECONDITION),
    (UserError, grpc.StatusCode.INVALID_ARGUMENT),
    (Overloaded, grpc.StatusCode.RESOURCE_EXHAUSTED),
    (StoreFull, grpc.StatusCode.RESOURCE_EXHAUSTED),
)
_LONGEST = 8_000
"""Letters of a message: it travels in the trailers, of which clients take 32 KB."""


def bind(service: str, handlers: Mapping[str, Handler | Calling], guard: RpcGuard | None = None) -> Registration:
    """The service of that name, behind ``guard`` if there is one. Raises ``ValueError`` for a handler of a method that
    it has not."""
    known = methods(service)
    unknown = set(handlers) - {method.name for method in known}
    if unknown:
        raise ValueError(f"{service} has no method {', '.join(sorted(unknown))}")
    bound = {method.name: _bound(service, method, handlers.get(method.name), guard) for method in known}

    def add(server: grpc.aio.Server) -> None:
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, bound),))

    return Registration(service, add)


def _bound(service: str, method: Method, handler: Handler | Calling | None, guard: RpcGuard | None) -> Any:
    async def handled(request: Any, response: Any, context: grpc.aio.ServicerContext, caller: Caller | None) -> None:
        principal = caller.principal if caller is not None else None
        if isinstance(handler, Calling):
            await handler.handle(request, response, Call(context.peer(), context.time_remaining(), principal))
        elif handler is not None:
            await handler(request, response)

    async def guarded(data: bytes, response: Any, context: grpc.aio.ServicerContext) -> None:
        if guard is None:
            await handled(method.read(data), response, context, None)
            return
        # Who calls is asked before the request is read: strangers need not be told what is wrong with it.
        caller = await guard.who(service, method.name, context)
        request = method.read(data)
        await guard.may(caller, request)
        try:
            await handled(request, response, context, caller)
        except Exception as error:
            await guard.done(caller, request, response, error)
            raise
        await guard.done(caller, request, response, None)

    async def answer(data: bytes, context: grpc.aio.ServicerContext) -> Any:
        response = method.response()
        try:
            if handler is None:
                if guard is not None:
                    await guard.who(service, method.name, context)
                said = f"{service}.{method.name} is not served by whimbrel"
                await context.abort(
                    grpc.StatusCode.UNIMPLEMENTED, f"{said}; docs/reference/flyte-compat.md lists what is."
                )
            await guarded(data, response, context)
        except WhimbrelError as error:
            code = next((code for kind, code in _CODES if isinstance(error, kind)), grpc.StatusCode.INTERNAL)
            if code is grpc.StatusCode.INTERNAL:
                log.exception("%s.%s failed", service, method.name)
            said = str(error)
            await context.abort(code, said if len(said) <= _LONGEST else f"{said[:_LONGEST]}...")
        return response

    # No deserializer: what gRPC makes of one that raises is UNKNOWN, which clients take for a missing login.
    return grpc.unary_unary_rpc_method_handler(answer, response_serializer=method.response.SerializeToString)
