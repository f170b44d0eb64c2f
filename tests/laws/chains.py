"""Chains of calls that run side by side, for the laws of deaths at random points."""

from __future__ import annotations

import asyncio
import itertools

from whimbrel import eager, task

_answers = itertools.count(1)


@task
def step(x: int) -> int:
    return x + 1


@task
def ask(prompt: str) -> int:
    """As a model does: another answer each time, to the same words."""
    return next(_answers)


@task
def conclude(branch: int, answers: list[int]) -> list[int]:
    return [branch, *answers]


async def chain(length: int) -> int:
    value = 0
    for _ in range(length):
        value = await step(x=value)
    return value


@eager
async def race_of_chains(slow: int, fast: int) -> str:
    first, second = await asyncio.gather(chain(slow), chain(fast))
    return f"{first} {second}"


@eager
async def sampled_chains(branches: int, rounds: int) -> str:
    async def branch(number: int) -> bool:
        answers: list[int] = []
        for i in range(rounds):
            answers.append(await ask(prompt="the same for all"))
            if number % 2 and i % 2:
                await step(x=0)
        return await conclude(branch=number, answers=answers) == [number, *answers] and sorted(answers) == answers

    kept = await asyncio.gather(*[branch(number) for number in range(branches)])
    return "every branch kept its own" if all(kept) else f"branches mixed their answers up: {kept}"
