"""The caller inside a driver: calls of an eager body become durable calls of its session.

Knows: entities and their signatures, the session. Must not know: transports, workers, blob stores (``Values`` moves
literals in and out).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from whimbrel.authoring.calling import current
from whimbrel.authoring.context import ExecutionContext
from whimbrel.authoring.eager import Eager
from whimbrel.authoring.pending import PendingCall
from whimbrel.authoring.source import caller_position
from whimbrel.authoring.travelling import with_carried
from whimbrel.durable.scope import Scope
from whimbrel.durable.session import CallRequest, Session
from whimbrel.model.content import call_digest
from whimbrel.model.failure import Fault
from whimbrel.model.literals import Literal, Literals
from whimbrel.model.program import Metadata, Program, TaskTarget, WorkflowTarget, overlay
from whimbrel.model.run import Done, Failed, Outcome
from whimbrel.types.failures import capture, rebuild

NOTHING_SAID = Metadata()


class Values(Protocol):
    """Large literals out of the way, and back."""

    def offload(self, literals: Literals) -> Literals:
        """The same with what is large kept elsewhere."""
        ...

    def fetch(self, literals: Literals) -> Literals:
        """The same with everything there."""
        ...


def _itself(entity: Any) -> Any:
    return entity


class Book:
    """What all scopes of one driver share.

    ``substitute`` gives the nested eager workflow to run in place of one that is called: tests have stand-ins.
    ``entropy`` gives as many random bytes as it is asked for.
    """

    def __init__(
        self,
        values: Values,
        execution: ExecutionContext,
        *,
        substitute: Callable[[Any], Any] = _itself,
        entropy: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self.values = values
        self.execution = execution
        self.substitute = substitute
        self.entropy = entropy
        self.open_calls: dict[int, PendingCall[Any]] = {}
        self.entities: dict[str, Any] = {}
        self.session: Session

    def define(self, name: str) -> Program:
        """The closed program of an entity that has been called."""
        program: Program = self.entities[name].program()
        return program


def _trail() -> str:
    """Where in the program a call begins, which need not be where it was made."""
    found: str = getattr(current.get(), "trail", "")
    return found


class DurableCaller:
    """What the ambient variable holds inside a driver's eager bodies: a caller, and a scope for the loop."""

    __slots__ = ("_book", "_said", "scope")

    def __init__(self, book: Book, scope: Scope, said: Metadata = NOTHING_SAID) -> None:
        self._book = book
        self.scope = scope
        self._said = said

    @property
    def execution(self) -> ExecutionContext:
        """The execution that the driver belongs to."""
        return self._book.execution

    @property
    def session(self) -> Session:
        """The driver's session."""
        return self._book.session

    @property
    def trail(self) -> str:
        """Where its scope stands in the program."""
        return self.scope.trail

    def spawn(self, name: str, group: str | None, bare: bool) -> DurableCaller:
        """The caller of an asyncio task that runs a coroutine of this name."""
        return DurableCaller(self._book, self.scope.spawn(name, group, bare), self._said)

    def group(self, kind: str) -> str:
        """The trail of tasks that are created together."""
        return self.scope.group(kind)

    def set_timer(self, when: float, fire: Callable[[], None]) -> Callable[[], None] | None:
        """A durable timer of this scope; ``None`` when nothing is recorded any more."""
        return self._book.session.set_timer(self.scope, when, fire)

    def draw(self, make: Callable[[], Literal]) -> Literal:
        """A value that a new driver draws again."""
        return self._book.session.draw(self.scope, make)

    def time(self) -> float:
        """The driver's clock, in seconds since the epoch."""
        return self._book.session.clock()

    def entropy(self, size: int) -> bytes:
        """Random bytes."""
        return self._book.entropy(size)

    def overlaid(self, metadata: Metadata) -> DurableCaller:
        """This caller, in the same scope, with something said of every call."""
        return DurableCaller(self._book, self.scope, overlay(self._said, metadata))

    def call(
        self, entity: Any, args: tuple[Any, ...], kwargs: dict[str, Any], overrides: Metadata | None = None
    ) -> PendingCall[Any]:
        """A pending call. Arguments are checked and encoded now, and the call takes its number now; it begins when it
        is awaited.

        Raises ``CallMismatch`` and ``ValueMismatch``.
        """
        signature = entity.signature
        inputs = self._book.values.offload(signature.encode_inputs(signature.bind(args, kwargs)))
        name = entity.call_name
        self._book.entities.setdefault(name, entity)
        target = entity.target()
        position = caller_position()
        metadata = self._said if overrides is None else overlay(self._said, overrides)
        request = CallRequest(
            entity=name,
            inputs=inputs,
            digest=call_digest(name, inputs),
            workflow=isinstance(target, WorkflowTarget),
            target=None if isinstance(target, TaskTarget | WorkflowTarget) else target,
            inline=isinstance(entity, Eager),
            metadata=with_carried(metadata),
            line=f"{position[0]}:{position[1]}",
            code=entity.code_digest() if isinstance(entity, Eager) and self._book.session.reuses else "",
        )
        key = self.scope.next_call(metadata.key or None)

        def start() -> Coroutine[Any, Any, Any]:
            if not request.inline:
                return self._run(entity, key, request)
            # What a block says holds for the calls inside a nested body; what the call says itself, for the body.
            return self._run_inline(entity, key, request, overlay(entity.metadata, overrides or NOTHING_SAID))

        return PendingCall(name, start, self._book.open_calls, position, key)

    async def _run(self, entity: Any, key: str, request: CallRequest) -> Any:
        return self._result(entity, await self._book.session.call(self.scope, key, request, _trail()))

    async def _run_inline(self, entity: Eager[Any, Any], key: str, request: CallRequest, metadata: Metadata) -> Any:
        session, scope = self._book.session, self.scope
        place = (scope.parent, key)
        future = session.open(scope, key, request, _trail())
        if not session.answered(scope, key):
            try:
                outcome = await self._body(entity, f"{scope.parent}/{key}", request, metadata)
            except asyncio.CancelledError:
                session.cancel(place)
                raise
            session.finish(scope, key, outcome)
        return self._result(entity, await session.wait(place, future))

    async def _body(self, entity: Eager[Any, Any], path: str, request: CallRequest, metadata: Metadata) -> Outcome:
        allowed = metadata.retries or 0
        for attempt in range(allowed + 1):
            # A retry of the body names its calls anew, so that it does not meet the failures of the try before.
            outcome = await self._try(
                entity, Scope(path, f"retry.{attempt}" if attempt else ""), request, metadata.timeout
            )
            if isinstance(outcome, Done) or not outcome.failure.recoverable or attempt == allowed:
                return outcome
        raise AssertionError("unreachable: the last try returns")

    async def _try(self, entity: Eager[Any, Any], scope: Scope, request: CallRequest, timeout: float | None) -> Outcome:
        token = current.set(DurableCaller(self._book, scope, self._said))
        try:
            async with asyncio.timeout(timeout) as limit:
                body = self._book.substitute(entity).fn
                value = await body(**entity.signature.decode_inputs(self._book.values.fetch(request.inputs)))
            return Done(self._book.values.offload(entity.signature.encode_outputs(value)))
        except Exception as error:
            fault = Fault.TIMEOUT if isinstance(error, TimeoutError) and limit.expired() else Fault.USER
            return Failed(capture(error, node=scope.parent, fault=fault))
        finally:
            current.reset(token)

    def _result(self, entity: Any, outcome: Outcome) -> Any:
        if isinstance(outcome, Failed):
            raise rebuild(outcome.failure)
        return entity.signature.decode_outputs(self._book.values.fetch(outcome.outputs))
