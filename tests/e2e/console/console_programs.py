"""Programs that the tests of the console look at."""

import asyncio
import time
from pathlib import Path

from whimbrel import CronSchedule, Deck, Html, LaunchPlan, approve, eager, map_task, task, workflow

HOSTILE = "<img src=x onerror=document.title='taken'><script>document.title='taken'</script>"


@task
def double(x: int) -> int:
    print(f"\x1b[31mdoubling\x1b[0m {x} {HOSTILE}")
    return 2 * x


@task
def held(x: int, door: str) -> int:
    """Says that it has begun, and goes on when the door is opened."""
    print("at the door", flush=True)
    while not Path(door).exists():
        time.sleep(0.01)
    return x


@task
def broken(x: int) -> int:
    raise ValueError(f"not today {HOSTILE}")


@task(enable_deck=True)
def shown(x: int) -> int:
    Deck("page", Html(f"<h1 id=told>deck</h1>{HOSTILE}<script>parent.document.title = 'taken'</script>"))
    return x


@workflow
def waits(x: int, door: str) -> int:
    return double(x=held(x=double(x=x), door=door))


@workflow
def fails(x: int) -> int:
    return broken(x=double(x=x))


@workflow
def asks(x: int) -> int:
    return double(x=approve(double(x=x), "release", timeout=None))


@workflow
def wide(xs: list[int]) -> list[int]:
    return map_task(double)(x=xs)


@workflow
def decked(x: int) -> int:
    return shown(x=x)


@eager
async def grows(doors: list[str]) -> int:
    total = 0
    for at, door in enumerate(doors):
        total += sum(await asyncio.gather(double(x=at), held(x=at, door=door)))
    return total


nightly = LaunchPlan.get_or_create(
    wide, "nightly-wide", default_inputs={"xs": [1]}, schedule=CronSchedule(schedule="0 2 * * *")
)
