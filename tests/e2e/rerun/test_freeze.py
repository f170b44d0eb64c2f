"""Frozen runs: the written file is checked, run, and gives what the recorded run gave."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.cli.shell import Shell

FLOW = """
import asyncio
import enum
from dataclasses import dataclass
from typing import NamedTuple

import whimbrel
from whimbrel import eager, task, workflow

LIMIT = 40


class Level(enum.Enum):
    LOW = "low"
    HIGH = "high"


@dataclass
class Settings:
    rate: float
    tags: list[str]


class Both(NamedTuple):
    score: int
    words: str


@task
def double(x: int) -> int:
    return x * 2


@task
def total(parts: list[int], limit: int, level: Level = Level.LOW) -> int:
    return min(sum(parts), limit) + (100 if level is Level.HIGH else 0)


@task
def settings(x: int) -> Settings:
    return Settings(rate=x / 4, tags=["north", "south"])


@task
def label(tag: str, rate: float) -> str:
    return f"{tag} at {rate}"


@task
def both(x: int, text: str) -> Both:
    return Both(x, text)


@task
def clear() -> None:
    pass


@task
def slow(x: int) -> int:
    return x


@task
def broken(x: int) -> int:
    raise ValueError(x)


@workflow
def twice(x: int) -> int:
    return double(x=double(x=x))


@eager
async def nested(x: int) -> int:
    return await double(x=x) + 5


@eager
async def body(n: int = 7) -> Both:
    await clear()
    first, second = await asyncio.gather(double(x=n), nested(x=n))
    again = await twice(x=second)
    score = await total(parts=[first, again, 3], limit=LIMIT, level=Level.HIGH)
    made = await settings(x=score)
    text = await label(tag=made.tags[1], rate=made.rate)
    return await both(x=score, text=text)


@eager
async def fan(n: int) -> int:
    return await total(parts=list(await asyncio.gather(*[double(x=n), double(x=50), double(x=51)])), limit=1000)


@eager
async def counted(n: int) -> list[int]:
    return [await double(x=i) for i in range(3)]


@eager
async def computed(n: int) -> int:
    return await double(x=n + 30)


@eager
async def caught(n: int) -> int:
    try:
        return await broken(x=n)
    except ValueError:
        return n


@eager
async def timed(n: int) -> int:
    await asyncio.sleep(0.01)
    return await double(x=n)


@eager
async def drawn(n: int) -> float:
    return whimbrel.random()


@eager
async def mended(n: int) -> int:
    return (await double(x=n)) + 3
"""


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    (tmp_path / "flow.py").write_text(FLOW)
    return Shell(tmp_path)


@pytest.mark.parametrize(
    ("name", "inputs"), [("body", ()), ("body", ("--n", "9")), ("fan", ("--n", "12")), ("counted", ("--n", "5"))]
)
def test_a_frozen_run_gives_what_the_run_gave(shell: Shell, name: str, inputs: tuple[str, ...]) -> None:
    recorded = shell("run", "--json", "-q", "flow.py", name, *inputs).json["outputs"]
    shell("freeze", "latest", "-o", "frozen.py")
    shell("check", "frozen.py")
    again = shell("run", "--json", "-q", "frozen.py", f"{name}_frozen", *inputs).json
    assert again["outputs"] == recorded


def test_the_text(shell: Shell) -> None:
    shell("run", "-q", "--run-id", "r1", "flow.py", "body")
    text = shell("freeze", "r1").out.splitlines()
    order = {line.strip() for line in text if " >> " in line}
    assert (
        [line for line in text if " >> " not in line]
        == '''"""What run r1 of flow.body did, as a static workflow."""

from flow import Both, Level, both, clear, double, label, nested, settings, total, twice
from whimbrel import workflow


@workflow
def body_frozen(n: int = 7) -> Both:
    clear_1 = clear()
    double_1 = double(x=n)
    nested_1 = nested(x=n)
    twice_1 = twice(x=nested_1)
    total_1 = total(parts=[double_1, twice_1, 3], limit=40, level=Level.HIGH)
    settings_1 = settings(x=total_1)
    label_1 = label(tag=settings_1.tags[1], rate=settings_1.rate)
    both_1 = both(x=total_1, text=label_1)
    # both_1.score has the same value as total_1
    # both_1.words has the same value as label_1
    return Both(both_1.score, both_1.words)
'''.splitlines()
    )
    # Of two gathered calls one may have ended before the other began: then the record keeps that order, too.
    assert "clear_1 >> double_1" in order
    assert order & {"clear_1 >> nested_1", "double_1 >> nested_1"}
    assert order <= {"clear_1 >> double_1", "clear_1 >> nested_1", "double_1 >> nested_1", "double_1 >> twice_1"}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("computed", "input 'x' of call n0/1 (double) was computed in the body"),
        ("caught", "call n0/1 (broken) ended FAILED"),
        ("timed", "a timer fired in the body"),
        ("drawn", "the body drew a value"),
        ("mended", "output 'o0' was computed in the body"),
        ("twice", "it is not the run of an eager workflow"),
    ],
)
def test_what_has_no_such_form(shell: Shell, name: str, reason: str) -> None:
    inputs = ("--x", "5") if name == "twice" else ("--n", "5")
    shell("run", "-q", "flow.py", name, *inputs)
    assert reason in shell("freeze", "latest", code=2).err
