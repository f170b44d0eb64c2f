"""REST for launching: runs of what is registered, once more, and the values of runs.

Knows: the house, literals as JSON. Must not know: how executions are kept, how runs are driven.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from whimbrel.controlplane.executions import Begun
from whimbrel.controlplane.preparing import ReadInputs
from whimbrel.controlplane.rerun import Verdict
from whimbrel.engine.run import Run
from whimbrel.errors import EntityNotFound, InputInvalid, ValueMismatch
from whimbrel.model.interface import Parameter
from whimbrel.model.literal_types import describe
from whimbrel.model.literals import (
    BlobLiteral,
    DatasetLiteral,
    ListLiteral,
    Literal,
    Literals,
    MapLiteral,
    UnionLiteral,
)
from whimbrel.runtime.literal_text import from_json
from whimbrel.runtime.values import read_literals, write_literals
from whimbrel.server.house import House
from whimbrel.server.http.admission import must_reach, principal_of
from whimbrel.server.http.exchange import (
    BODY,
    answer,
    answer_exactly,
    answer_struct,
    body,
    exact_body,
    is_msgpack,
    query,
    wants_msgpack,
)
from whimbrel.wire.literal_json import by_name
from whimbrel.wire.rest.launching import (
    Data,
    DataQuery,
    ExactForesee,
    ExactFork,
    ExactLaunch,
    ExactRelaunch,
    ForecastLine,
    Forecasts,
    Foresee,
    Fork,
    Launch,
    Launched,
    Recover,
    Relaunch,
)

INPUTS = 16 * BODY
"""Bytes of a request to launch. What is larger goes into the blob store first."""


_AT_ONCE = 2
"""Forecasts that are made at the same time: each folds a run, in a thread."""


class LaunchCalls:
    """The handlers."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._executions = house.executions
        self._foreseeing = asyncio.Semaphore(_AT_ONCE)

    async def launch_run(self, request: Request) -> Response:
        """Launch what is registered."""
        if is_msgpack(request):
            exact = await exact_body(request, ExactLaunch, INPUTS)
            await must_reach(request, exact.project, exact.domain)
            literals = self._exactly(exact.literals)
            return self._launched(await self._executions.launch(exact, literals, principal=principal_of(request)))
        said = await body(request, Launch, INPUTS)
        await must_reach(request, said.project, said.domain)
        inputs = self._from_json(said.inputs)
        return self._launched(await self._executions.launch(said, inputs, principal=principal_of(request)))

    async def relaunch_run(self, request: Request) -> Response:
        """Launch what a run ran, with other inputs or options."""
        run = request.path_params["run"]
        if is_msgpack(request):
            exact = await exact_body(request, ExactRelaunch, INPUTS)
            literals = self._exactly(exact.literals)
            return self._launched(await self._executions.again(run, exact, literals, principal=principal_of(request)))
        said = await body(request, Relaunch, INPUTS)
        inputs = self._from_json(said.inputs)
        return self._launched(await self._executions.again(run, said, inputs, principal=principal_of(request)))

    async def recover_run(self, request: Request) -> Response:
        """Begin a new run of the same program with the same inputs that takes over every outcome that this one had."""
        said = await body(request, Recover)
        run, who = request.path_params["run"], principal_of(request)
        return self._launched(await self._executions.again(run, said, lambda _: {}, principal=who))

    async def fork_run(self, request: Request) -> Response:
        """Begin a new run of another version or with other inputs that takes over what these leave as it was."""
        run, who = request.path_params["run"], principal_of(request)
        if is_msgpack(request):
            exact = await exact_body(request, ExactFork, INPUTS)
            literals = self._exactly(exact.literals)
            return self._launched(await self._executions.again(run, exact, literals, principal=who))
        said = await body(request, Fork, INPUTS)
        return self._launched(await self._executions.again(run, said, self._from_json(said.inputs), principal=who))

    async def foresee_run(self, request: Request) -> Response:
        """Say what a fork or a recovery would take over and what it would compute, and why."""
        said: Foresee | ExactForesee
        if is_msgpack(request):
            said = exact = await exact_body(request, ExactForesee, INPUTS)
            read = self._exactly(exact.literals)
        else:
            said = plain = await body(request, Foresee, INPUTS)
            read = self._from_json(plain.inputs)
        if said.how not in ("fork", "recover"):
            raise InputInvalid(f"how {said.how[:80]!r}: it is fork or recover.")
        if said.limit < 0:
            raise InputInvalid(f"limit {said.limit}: it is 0 or more.")
        again = Recover() if said.how == "recover" else Fork(version=said.version)
        async with self._foreseeing:
            found = await self._executions.foresee(request.path_params["run"], again, read)
        counted = Counter(line.verdict for line in found.lines)
        lines = tuple(
            ForecastLine(line.path, line.entity, line.verdict.value, line.why) for line in found.lines[: said.limit]
        )
        return answer_struct(
            Forecasts(
                *(found.target.version, counted[Verdict.REUSE], counted[Verdict.RUN], counted[Verdict.DEPENDS], lines)
            )
        )

    async def get_data(self, request: Request) -> Response:
        """What a run or a node was given, and what came of it."""
        asked = query(request, DataQuery)
        summary = await self._house.home.store.summary(request.path_params["run"])
        events = await self._house.home.store.events(summary.id)
        blobs, exact = self._house.home.blobs, wants_msgpack(request)

        def fold() -> Response:
            run = Run.replay(events, keep_story=False)
            if asked.node and asked.node not in run.nodes:
                raise EntityNotFound(f"run {summary.id} has no node {asked.node!r}; describe it to see which there are")
            at = run.nodes[asked.node] if asked.node else run
            outputs = at.outputs if at.phase.has_outputs else None
            if exact:
                return answer_exactly(Data(at.inputs, outputs, at.failure))
            return answer(
                {
                    "inputs": by_name(read_literals(at.inputs, blobs)),
                    "outputs": None if outputs is None else by_name(read_literals(outputs, blobs)),
                    "failure": msgspec.to_builtins(at.failure),
                }
            )

        return await asyncio.to_thread(fold)

    # --- inside

    def _launched(self, begun: Begun) -> Response:
        id = begun.id
        url = self._house.page_of(begun.run)
        return answer_struct(Launched(begun.run, id.project, id.domain, id.name, url), 201 if begun.created else 200)

    def _exactly(self, literals: Literals) -> ReadInputs:
        def read(parameters: Mapping[str, Parameter]) -> Literals:
            for name, literal in literals.items():
                _must_be_reachable(name, literal)
            return write_literals(literals, self._house.home.blobs)

        return read

    def _from_json(self, inputs: Mapping[str, Any]) -> ReadInputs:
        def read(parameters: Mapping[str, Parameter]) -> Literals:
            given: Literals = {}
            for name, value in inputs.items():
                if name not in parameters:
                    takes = ", ".join(parameters) or "nothing"
                    raise InputInvalid(f"there is no input {name!r}; it takes {takes}.")
                kind = parameters[name].type
                try:
                    given[name] = from_json(value, kind)
                except ValueMismatch as error:
                    raise InputInvalid(f"the input {name!r} takes {describe(kind)}: {error}") from None
                _must_be_reachable(name, given[name])
            return write_literals(given, self._house.home.blobs)

        return read


def _must_be_reachable(name: str, literal: Literal) -> None:
    """Raises ``InputInvalid`` for a path: it would be one of this machine's, and the client means its own."""
    match literal:
        case BlobLiteral(uri=uri) | DatasetLiteral(uri=uri):
            if uri.startswith("file:") or ":" not in uri:
                raise InputInvalid(
                    f"the input {name!r} is a path, and the server is elsewhere: PUT the file to /api/v1/blobs first, "
                    "and give its uri."
                )
        case ListLiteral(items=items):
            for item in items:
                _must_be_reachable(name, item)
        case MapLiteral(items=fields):
            for item in fields.values():
                _must_be_reachable(name, item)
        case UnionLiteral(value=value):
            _must_be_reachable(name, value)
        case _:
            return
