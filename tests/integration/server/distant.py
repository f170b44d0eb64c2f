"""A project of a user of our flytekit: registered and launched by ``FlyteRemote``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from flytekit import Deck, FlyteFile, LaunchPlan, approve, dynamic, map_task, task, wait_for_input, workflow
from flytekit.experimental import eager


@dataclass
class Nest:
    eggs: int
    place: str = "reeds"


@task
def double(x: int) -> int:
    return 2 * x


@task
def add(a: int, b: int = 1) -> int:
    return a + b


@task
def broken(x: int) -> int:
    if x > 0:
        raise ValueError(f"no {x} today")
    return x


@workflow
def nested(x: int, y: int = 3) -> int:
    return add(a=double(x=x), b=double(x=y))


@workflow
def failing(x: int) -> int:
    return broken(x=double(x=x))


@workflow
def mapped(xs: list[int]) -> list[int]:
    return map_task(double)(x=xs)


@dynamic
def unfolding(n: int) -> list[int]:
    return [double(x=each) for each in range(n)]


@eager
async def reaching(x: int) -> int:
    return await add(a=await double(x=x), b=await nested(x=x))


@task(enable_deck=True)
def counted(file: FlyteFile, nest: Nest) -> tuple[FlyteFile, Nest]:
    with open(file) as opened:
        words = opened.read().split()
    Deck("words", f"<b>{len(words)}</b>")
    out = Path("counted.txt").absolute()
    out.write_text(f"{len(words)} words")
    return FlyteFile(str(out)), Nest(nest.eggs + 1, nest.place)


@workflow
def waiting(x: int) -> int:
    first = wait_for_input("first", timeout=timedelta(hours=1), expected_type=int)
    return add(a=approve(first, "ok", timeout=timedelta(hours=1)), b=x)


fixed = LaunchPlan.get_or_create(nested, "distant fixed", default_inputs={"x": 5}, fixed_inputs={"y": 10})
