"""Runs of a server on the command line: the halves for servers of the verbs that homes have too, and `watch` and
`relaunch`.

Knows: the client, the engine's fold of events, what is printed. Must not know: stores, executors.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import Any

import click
import msgspec

from whimbrel.cli.answer import account
from whimbrel.cli.inputs import unknown_input
from whimbrel.cli.inspect import phase_named, show_rows, show_run
from whimbrel.cli.logs import LogPrinter
from whimbrel.cli.remote_driving import follow_run, watch_list
from whimbrel.cli.remotes import find_remote_run, talking
from whimbrel.cli.rerun import tell_forecast
from whimbrel.cli.servers import Server, server_option
from whimbrel.cli.settings import json_option, out, print_json, verbose_option
from whimbrel.cli.waiting import waiting_lines
from whimbrel.client.asynchronous import AsyncRemote
from whimbrel.client.executions import Execution
from whimbrel.controlplane.ports import LogLine
from whimbrel.controlplane.rerun import Forecast, Verdict
from whimbrel.engine.gates import gate_of
from whimbrel.engine.run import Run
from whimbrel.errors import EntityNotFound, InputInvalid, ValueMismatch
from whimbrel.model.attempt import LogChunk, Progress
from whimbrel.model.literal_types import BlobType, DatasetType, LiteralType
from whimbrel.model.literals import Literals
from whimbrel.model.run import AttemptId, Phase, RunSummary
from whimbrel.runtime.literal_text import from_text
from whimbrel.runtime.values import read_literals, write_literals
from whimbrel.wire.literal_json import to_json
from whimbrel.wire.rest.runs import Line

_ENDING = 60.0
"""Seconds that `abort` waits for the end of a run: bodies and teardowns clean up first, for 30 at most."""


# --- looking ---------------------------------------------------------------------------------------------------------


def runs(server: Server, as_json: bool, phases: tuple[str, ...], limit: int) -> int:
    """`runs`."""
    wanted = [phase_named(text) for text in phases]
    found = asyncio.run(_recent(server, wanted, limit))
    if as_json:
        print_json([row_json(row) for row in found])
    else:
        show_rows([summary_of(row) for row in found], wanted, driven=True)
    return 0


async def _recent(server: Server, phases: list[Phase], limit: int) -> list[Execution]:
    async with talking(server) as remote:
        everywhere = not (server.project or server.domain)
        return await remote.recent(limit=limit, phases=phases, everywhere=everywhere)


def row_json(row: Execution) -> dict[str, Any]:
    """A run of a list, for programs."""
    moments = {
        name: None if (at := getattr(row, name)) is None else at.isoformat()
        for name in ("created_at", "started_at", "ended_at")
    }
    return {
        "run": row.run,
        "entity": row.entity,
        "phase": row.phase.value,
        "project": row.project,
        "domain": row.domain,
        "name": row.name,
        "version": row.version,
        "source": row.source,
        **moments,
        "message": row.message,
        "url": row.url,
    }


def summary_of(row: Execution) -> RunSummary:
    """A run of a list, as a home has it."""
    created, started, ended = (
        0.0 if at is None else at.timestamp() for at in (row.created_at, row.started_at, row.ended_at)
    )
    return RunSummary(row.run, row.entity, row.phase, created, started, ended, source=row.source, message=row.message)


def describe(server: Server, run: str, as_json: bool, everything: bool, story: bool) -> int:
    """`describe`."""
    return asyncio.run(_describe(server, run, as_json=as_json, everything=everything, story=story))


async def _describe(server: Server, text: str, *, as_json: bool, everything: bool, story: bool) -> int:
    async with talking(server) as remote:
        run = await find_remote_run(remote, text, server)
        if as_json:
            answer = await remote.detail(run)
            print_json(msgspec.to_builtins(answer))
            return 0
        state, progress = await state_now(remote, run)
        row = Execution(run)
        row.tell_row(await remote.detail(run))
        inputs = await asyncio.to_thread(read_literals, state.inputs, remote.blobs)
        outputs = await asyncio.to_thread(read_literals, state.outputs, remote.blobs)
        show_run(summary_of(row), state, inputs, outputs, progress, everything=everything, repeat=server.repeat)
        if story:
            out("")
            for line in state.story():
                out(line)
        return 0


async def state_now(remote: AsyncRemote, run: str) -> tuple[Run, dict[str, Progress]]:
    """A run folded from its events, and how far its nodes say that they are."""
    state, progress = Run(), {}
    async for said in remote.exact_events(run, live=False):
        if isinstance(said, Progress):
            progress[said.attempt.path] = said
        elif not isinstance(said, LogChunk):
            state.handle(said)
    return state, progress


def logs(server: Server, run: str, as_json: bool, node: str, follow: bool, raw: bool) -> int:
    """`logs`."""
    return asyncio.run(_logs(server, run, node, follow=follow, printer=LogPrinter(as_json=as_json, raw=raw)))


async def _logs(server: Server, text: str, node: str, *, follow: bool, printer: LogPrinter) -> int:
    async with talking(server) as remote:
        run = await find_remote_run(remote, text, server)
        anything = False
        async for line in remote.logs(run, node=node, follow_on=follow):
            anything = True
            printer.show(log_line(run, line))
        printer.close()
        if node and not anything:
            state, _ = await state_now(remote, run)
            if node not in state.nodes:
                known = ", ".join(list(state.nodes)[:12]) + (", …" if len(state.nodes) > 12 else "")
                raise EntityNotFound(f"run {run} has no node {node!r}; it has {known or 'none'}")
    return 0


def log_line(run: str, line: Line) -> LogLine:
    """A chunk of output as a home has it."""
    at = 0.0 if line.at is None else dt.datetime.fromisoformat(line.at).timestamp()
    return LogLine(line.id, AttemptId(run, line.node, line.attempt), line.stream, line.text, at, line.level)


@click.command(
    "watch",
    short_help="Follow a run of a server, or all of them, as it goes on.",
    epilog="Examples:\n\n  whimbrel watch latest\n\n  whimbrel watch --url flyte.example.org --project research",
)
@server_option
@json_option
@verbose_option
@click.option("-q", "--quiet", is_flag=True, help="No progress: on stderr only what tasks write, and errors.")
@click.argument("run", required=False)
def watch(run: str | None, server: Server, as_json: bool, quiet: bool) -> int:
    """Follow RUN (an id, the beginning of one, or `latest`) to its end, and print its outputs, as `whimbrel run` does.
    Without RUN: a line for every change of a run. Ctrl-C stops following, and nothing else.

    A server that is started again in between is waited for; nothing is missed.
    """
    if run is None:
        return watch_list(server, as_json=as_json)
    return follow_run(server, run, as_json=as_json, quiet=quiet)


# --- doing -----------------------------------------------------------------------------------------------------------


def abort(server: Server, run: str, as_json: bool, reason: str) -> int:
    """`abort`."""
    execution = asyncio.run(_abort(server, run, reason))
    if as_json:
        print_json({"run": execution.run, "phase": execution.phase.value, "acknowledged": execution.is_done})
    elif execution.is_done:
        out(f"run {execution.run} {execution.phase.value}")
    else:
        out(f"run {execution.run} has not ended in time; the request stands")
    return 0 if execution.is_done else 1


async def _abort(server: Server, text: str, reason: str) -> Execution:
    async with talking(server) as remote:
        run = await find_remote_run(remote, text, server)
        await remote.terminate(run, reason)
        execution = Execution(run)
        try:
            return await remote.wait(execution, timeout=_ENDING)
        except TimeoutError:
            return execution


def approve(server: Server, run: str, gate: str | None, as_json: bool, by: str | None) -> int:
    """`approve`."""
    return asyncio.run(_answer(server, run, gate, as_json, by, verb="approve"))


def reject(server: Server, run: str, gate: str | None, as_json: bool, by: str | None, reason: str) -> int:
    """`reject`."""
    return asyncio.run(_answer(server, run, gate, as_json, by, verb="reject", reason=reason))


def signal(server: Server, run: str, gate: str | None, value: str | None, as_json: bool, by: str | None) -> int:
    """`signal`."""
    if gate is not None and value is None:
        raise InputInvalid(f"the gate {gate!r} takes a value, which is missing: write it behind the gate")
    return asyncio.run(_answer(server, run, gate, as_json, by, verb="signal", value=value or ""))


async def _answer(
    server: Server,
    text: str,
    gate: str | None,
    as_json: bool,
    by: str | None,
    *,
    verb: str,
    reason: str = "",
    value: str = "",
) -> int:
    async with talking(server) as remote:
        run = await find_remote_run(remote, text, server)
        if gate is None:
            execution = await remote.run(run)
            if as_json:
                print_json(execution.waiting)
                return 0
            state, _ = await state_now(remote, run)
            lines = waiting_lines(state, server.repeat)
            out("\n".join(lines) if lines else f"run {run} waits for no answer")
            return 0
        who = by or account()
        if verb == "approve":
            await remote.approve(run, gate, by=who, reason=reason)
        elif verb == "reject":
            await remote.reject(run, gate, by=who, reason=reason)
        else:
            await remote.signal(run, gate, await _read_value(remote, run, gate, value), by=who)
    if as_json:
        print_json({"run": run, "gate": gate, "taken": True})
    else:
        out(f"run {run}: the gate {gate!r} has its answer")
    return 0


async def _read_value(remote: AsyncRemote, run: str, gate: str, text: str) -> Any:
    """What was written for a gate, by the type that it waits for, as JSON. A gate that is not reached yet is told what
    the text is as JSON, or the text itself."""
    state, _ = await state_now(remote, run)
    kind: LiteralType | None = None
    for node in state.gates(gate) or [node for node in state.waiting if node.path == gate]:
        kind = gate_of(node).interface.outputs["o0"].type if "o0" in gate_of(node).interface.outputs else None
    if kind is None:
        try:
            return msgspec.json.decode(text.encode())
        except msgspec.DecodeError:
            return text
    if isinstance(kind, BlobType | DatasetType) and "://" not in text and not text.startswith("blob:"):
        return await remote.upload(text)
    try:
        return to_json(from_text(text, kind))
    except ValueMismatch as error:
        raise InputInvalid(f"the gate {gate!r}: {str(error).removesuffix(' at $')}") from None


def recover(server: Server, run: str, as_json: bool, quiet: bool, task_output: str, **_: Any) -> int:
    """`recover`."""
    return follow_run(
        server, run, as_json=as_json, quiet=quiet, task_output=task_output, first=lambda remote, id: remote.recover(id)
    )


def fork(
    server: Server,
    run: str,
    as_json: bool,
    given: tuple[str, ...],
    code: str | None,
    version: str | None,
    dry_run: bool,
    yes: bool,
    quiet: bool,
    task_output: str,
    **_: Any,
) -> int:
    """`fork`."""
    if code is not None:
        raise InputInvalid("a server runs what is registered: `whimbrel register` the code, then fork without --code")
    literals = asyncio.run(_foreseen(server, run, given, version or "", as_json=as_json, dry_run=dry_run, yes=yes))
    if literals is None:
        return 0

    async def forked(remote: AsyncRemote, id: str) -> Execution:
        return await remote.fork(id, literals=literals, version=version or "")

    return follow_run(server, run, as_json=as_json, quiet=quiet, task_output=task_output, first=forked)


async def _foreseen(
    server: Server, text: str, given: tuple[str, ...], version: str, *, as_json: bool, dry_run: bool, yes: bool
) -> Literals | None:
    """What is given, after it has been said what comes of it; ``None`` when that was all."""
    async with talking(server) as remote:
        run = await find_remote_run(remote, text, server)
        literals = await _inputs(remote, await remote.run(run), version, given) if given else {}
        found = await remote.forecast(run, literals=literals, version=version)
    lines = [Forecast(line.path, line.entity, Verdict(line.verdict), line.why) for line in found.lines]
    goes_on = tell_forecast(lines, run, as_json=as_json, dry_run=dry_run, yes=yes)
    return literals if goes_on else None


@click.command(
    "relaunch",
    short_help="Run again what a run of a server ran.",
    epilog="Example:  whimbrel relaunch latest --input rate=0.2",
)
@server_option
@json_option
@verbose_option
@click.option("--input", "given", multiple=True, metavar="NAME=VALUE", help="Another value for an input.")
@click.option("-q", "--quiet", is_flag=True, help="No progress: on stderr only what tasks write, and errors.")
@click.option("--detach", is_flag=True, help="Do not follow the new run: print its id.")
@click.argument("run")
def relaunch(run: str, server: Server, as_json: bool, given: tuple[str, ...], quiet: bool, detach: bool) -> int:
    """Run again what RUN (an id, the beginning of one, or `latest`) ran, with its inputs, some of them replaced by
    --input. Nothing of what it had done is taken over: that is `whimbrel recover`."""

    async def again(remote: AsyncRemote, id: str) -> Execution:
        if not given:
            return await remote.relaunch(id)
        old = await remote.run(id)
        return await remote.relaunch(id, literals=await _inputs(remote, old, old.version, given))

    return follow_run(server, run, as_json=as_json, quiet=quiet, detach=detach, first=again)


async def _inputs(remote: AsyncRemote, old: Execution, version: str, given: tuple[str, ...]) -> Literals:
    """What ``--input`` says, for ``version`` of what ``old`` ran. Raises ``InputInvalid``."""
    known = await remote.fetch(old.entity, version or None, project=old.project or None, domain=old.domain or None)
    inputs: Literals = {}
    for pair in given:
        name, equals, text = pair.partition("=")
        if not equals:
            raise InputInvalid(f"--input {pair!r}: write it like --input NAME=VALUE")
        parameter = known.interface.inputs.get(name)
        if parameter is None:
            raise InputInvalid(f"{known.name}: {unknown_input(name, known.interface)}")
        try:
            inputs[name] = from_text(text, parameter.type)
        except ValueMismatch as error:
            raise InputInvalid(f"--input {name}: {str(error).removesuffix(' at $')}") from None
    return await asyncio.to_thread(write_literals, inputs, remote.blobs)
