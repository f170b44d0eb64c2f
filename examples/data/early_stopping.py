"""Hyperparameter search that stops what does not get anywhere: successive halving in plain asyncio.

    whimbrel run examples/data/early_stopping.py tune --candidates 8

All candidates train a little, in parallel; the better half goes on with twice the budget, until one is left. A
candidate that takes too long is dropped. Kill it at any moment: `whimbrel resume latest` repeats no training that
had finished.
"""

from __future__ import annotations

import asyncio
import math
import random
from dataclasses import dataclass

from whimbrel import eager, task


@dataclass
class Trial:
    """A learning rate, how long it was trained, and the loss it came to."""

    rate: float
    steps: int = 0
    weight: float = 5.0
    loss: float = math.inf


@task
def train(trial: Trial, steps: int) -> Trial:
    """Gradient descent on (w - 1)^2 with a noisy gradient; continues from where the trial was."""
    noise = random.Random(int(trial.rate * 1e6) + trial.steps)
    weight = trial.weight
    for _ in range(steps):
        weight -= trial.rate * (2 * (weight - 1) + noise.gauss(0, 0.01))
        weight = max(min(weight, 1e6), -1e6)  # a rate that is too large diverges
    return Trial(trial.rate, trial.steps + steps, weight, round((weight - 1) ** 2, 9))


@eager
async def tune(candidates: int = 8, steps: int = 4, patience: float = 60.0) -> Trial:
    """The best learning rate of ``candidates`` between 0.001 and 2.

    Args:
        candidates: How many rates are tried.
        steps: The budget of the first round; it doubles with each.
        patience: Seconds after which a candidate is dropped.
    """
    rates = [0.001 * (2000 ** (number / max(candidates - 1, 1))) for number in range(candidates)]
    trials = [Trial(round(rate, 6)) for rate in rates]

    async def one(trial: Trial) -> Trial | None:
        try:
            async with asyncio.timeout(patience):
                return await train(trial=trial, steps=steps)
        except TimeoutError:
            return None

    while True:
        trained = await asyncio.gather(*[one(trial) for trial in trials])
        ranked = sorted((trial for trial in trained if trial is not None), key=lambda trial: trial.loss)
        if len(ranked) == 1:
            return ranked[0]
        if not ranked:
            raise RuntimeError(f"no candidate was trained within {patience:g} s: raise `patience`")
        trials = ranked[: math.ceil(len(ranked) / 2)]
        steps *= 2
