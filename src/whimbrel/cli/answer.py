"""`whimbrel approve`, `reject` and `signal`: answer a gate of a run, whoever drives it.

The answer is checked against the run as it is on disk, then left in the run's inbox, where it is safe; whoever drives
the run takes it from there. Knows: stores, the engine's fold of events. Must not know: entities, executors.
"""

from __future__ import annotations

import asyncio
import getpass
import os
import time
from collections.abc import Callable
from pathlib import Path

import click

from whimbrel.cli.ownership import owner_of
from whimbrel.cli.run_ids import find_run
from whimbrel.cli.servers import remote_option
from whimbrel.cli.settings import (
    err,
    home_argument,
    home_option,
    json_option,
    looking,
    out,
    print_json,
    verbose_option,
)
from whimbrel.cli.waiting import waiting_lines
from whimbrel.controlplane.answering import Gate, as_it_will_be, known_gate, must_be_open
from whimbrel.controlplane.describing import waiting_json
from whimbrel.controlplane.requests import SIGNAL, signal_text
from whimbrel.engine.run import Run
from whimbrel.errors import InputInvalid, ValueMismatch
from whimbrel.model.events import SignalReceived
from whimbrel.model.literal_types import describe
from whimbrel.model.literals import BoolLiteral, Literal
from whimbrel.model.program import GateKind
from whimbrel.model.run import RunSummary
from whimbrel.runtime.literal_text import example, from_text
from whimbrel.runtime.ports import BlobStore
from whimbrel.runtime.values import keep_files, write_literals

WAIT = 15.0
"""Seconds that whoever drives the run has to take the answer; it looks for requests four times a second."""
_POLL = 0.1

_by = click.option("--by", metavar="NAME", help="Who answers. [default: the name of your account]")


Read = Callable[[Gate], Literal]
"""The value to send to a gate. Raises ``InputInvalid`` for a gate that takes another."""


@click.command("approve", short_help="Say yes at a gate of a run.", epilog="Example:  whimbrel approve latest release")
@remote_option("whimbrel.cli.remote_runs:approve")
@home_option
@json_option
@verbose_option
@_by
@click.argument("run")
@click.argument("gate", required=False)
@click.pass_context
def approve(context: click.Context, run: str, gate: str | None, home: Path, as_json: bool, by: str | None) -> int:
    """Approve GATE (its name, or the path of its node) of RUN (an id, the beginning of one, or `latest`).

    Without GATE: list what the run waits for. An answer that comes before its gate is kept until that is reached.
    """
    return _answer(context, home, run, gate, lambda known: _verdict(known, yes=True), as_json, by)


@click.command(
    "reject",
    short_help="Say no at a gate of a run.",
    epilog='Example:  whimbrel reject latest release --reason "not this week"',
)
@remote_option("whimbrel.cli.remote_runs:reject")
@home_option
@json_option
@verbose_option
@_by
@click.option("--reason", default="", help="Is told to the run.")
@click.argument("run")
@click.argument("gate", required=False)
@click.pass_context
def reject(
    context: click.Context, run: str, gate: str | None, home: Path, as_json: bool, by: str | None, reason: str
) -> int:
    """Reject at GATE (its name, or the path of its node) of RUN: the step fails, an eager body may catch that.

    Without GATE: list what the run waits for.
    """
    return _answer(context, home, run, gate, lambda known: _verdict(known, yes=False), as_json, by, reason)


@click.command(
    "signal",
    short_help="Give a run the value that a gate waits for.",
    epilog="Example:  whimbrel signal latest rows 500",
)
@remote_option("whimbrel.cli.remote_runs:signal")
@home_option
@json_option
@verbose_option
@_by
@click.argument("run")
@click.argument("gate", required=False)
@click.argument("value", required=False)
@click.pass_context
def signal(
    context: click.Context,
    run: str,
    gate: str | None,
    value: str | None,
    home: Path,
    as_json: bool,
    by: str | None,
) -> int:
    """Give VALUE to GATE (its name, or the path of its node) of RUN, written as an input of `whimbrel run` is.

    Without GATE: list what the run waits for.
    """

    def read(known: Gate) -> Literal:
        try:
            if value is not None:
                return from_text(value, known.wanted)
            fault = "a value is missing"
        except ValueMismatch as error:
            fault = str(error).removesuffix(" at $")
        raise InputInvalid(
            f"the gate {gate!r} takes {describe(known.wanted)}: {fault}. For example: {example(known.wanted)}"
        )

    return _answer(context, home, run, gate, read, as_json, by)


def _verdict(known: Gate, *, yes: bool) -> Literal:
    if known.kind is not GateKind.APPROVE:
        raise InputInvalid(f"it waits for {describe(known.wanted)}, not for an approval: use `whimbrel signal`")
    return BoolLiteral(yes)


# --- sending ---------------------------------------------------------------------------------------------------------


def _answer(
    context: click.Context,
    home: Path,
    text: str,
    gate: str | None,
    read: Read,
    as_json: bool,
    by: str | None,
    reason: str = "",
) -> int:
    repeat = home_argument(context, home)
    if gate is None:
        return asyncio.run(_list(home, text, repeat, as_json))
    summary, taken = asyncio.run(_sent(home, text, gate, read, by or account(), reason))
    driven = owner_of(home) is not None
    if as_json:
        print_json({"run": summary.id, "gate": gate, "taken": taken})
    elif taken:
        out(f"run {summary.id}: the gate {gate!r} has its answer")
    elif not driven:
        out(f"run {summary.id}: the answer is kept; nobody is driving the run: whimbrel resume {summary.id}{repeat}")
    if not taken and driven:
        err(f"whimbrel: the answer is kept, and is taken when run {summary.id} is driven; it has not been in time")
        return 1
    return 0


def account() -> str:
    """The name of the account, "" where it has none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""  # an account without a name, in a container


async def _list(home: Path, text: str, repeat: str, as_json: bool) -> int:
    async with looking(home) as opened:
        summary = await find_run(opened.store, text)
        run = await as_it_will_be(opened.store, summary, time.time())
    if as_json:
        print_json([waiting_json(node) for node in run.waiting])
        return 0
    lines = waiting_lines(run, repeat)
    out("\n".join(lines) if lines else f"run {summary.id} waits for no answer")
    return 0


async def _sent(home: Path, text: str, gate: str, read: Read, by: str, reason: str) -> tuple[RunSummary, bool]:
    """Check the answer and leave it; whether it was taken."""
    async with looking(home) as opened:
        summary = await find_run(opened.store, text)
        run = await as_it_will_be(opened.store, summary, time.time())
        value = _kept(read(known_gate(run, gate)), opened.blobs)
        answer = SignalReceived(gate, value, by, time.time(), os.urandom(8).hex(), reason)
        run.handle(answer)
        if refusal := run.refusal(answer.id):
            raise InputInvalid(f"run {summary.id}: {refusal}")
        await opened.store.send(summary.id, SIGNAL, signal_text(answer), answer.at)
        until = time.monotonic() + WAIT
        while owner_of(home) is not None and time.monotonic() < until:
            await asyncio.sleep(_POLL)
            events = await opened.store.events(summary.id)
            if any(isinstance(event, SignalReceived) and event.id == answer.id for event in events):
                if refusal := Run.replay(events).refusal(answer.id):
                    raise InputInvalid(f"run {summary.id}: {refusal}")
                return summary, True
            summary = await opened.store.summary(summary.id)
            must_be_open(summary)
        return summary, False


def _kept(value: Literal, blobs: BlobStore) -> Literal:
    return write_literals({"o0": keep_files(value, blobs)}, blobs)["o0"]
