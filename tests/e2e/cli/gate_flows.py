"""Workflows that wait for people. Their tasks leave traces."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

from whimbrel import GateRejected, approve, eager, sleep, task, wait_for_input, workflow


@task
def prepare(x: int) -> int:
    _trace("prepare")
    return 2 * x


@task
def publish(x: int, rows: int) -> str:
    _trace("publish")
    return f"{x} in {rows} rows"


def _trace(text: str) -> None:
    with (Path(os.environ["FLOW_NOTES"]) / "trace").open("a") as file:
        file.write(text + "\n")


@workflow
def release(x: int) -> str:
    checked = approve(prepare(x=x), "release", dt.timedelta(hours=2))
    return publish(x=checked, rows=wait_for_input("rows", dt.timedelta(hours=2), int))


@eager
async def careful(x: int) -> str:
    ready = await prepare(x=x)
    try:
        ready = await approve(ready, "release")
    except GateRejected as error:
        return f"not released: {error}"
    return await publish(x=ready, rows=await wait_for_input("rows", expected_type=int))


@workflow
def nap(x: int, seconds: float) -> int:
    rest = sleep(seconds)
    done = prepare(x=x)
    rest >> done
    return done
