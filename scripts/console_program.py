"""What the pictures of the console show: a small shop's forecasts."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta

import whimbrel
from whimbrel import CronSchedule, Deck, Html, LaunchPlan, approve, eager, map_task, task, workflow


@task
def extract(days: int) -> list[int]:
    """The sales of the last days."""
    print(f"read {days} days of sales")
    time.sleep(0.2)
    return [100 + (day * 37) % 60 for day in range(days)]


@task(cache=True, cache_version="1")
def clean(sales: list[int]) -> list[int]:
    """Without days that cannot be."""
    time.sleep(0.1)
    return [each for each in sales if each < 155]


@task(retries=2)
def forecast(sold: int) -> float:
    """What one day will bring."""
    time.sleep(0.05 + sold % 7 / 40)
    return sold * 1.04


@task(enable_deck=True)
def report(forecasts: list[float]) -> str:
    """A page about it."""
    bars = "".join(
        f'<rect x="{at * 9}" y="{120 - each / 2}" width="7" height="{each / 2}" fill="#5ea3e0"/>'
        for at, each in enumerate(forecasts)
    )
    Deck("Forecast", Html(f'<h2>The next days</h2><svg width="{len(forecasts) * 9}" height="120">{bars}</svg>'))
    for at, each in enumerate(forecasts):
        print(f"\x1b[36mday {at:2}\x1b[0m {each:7.2f}")
    return f"{sum(forecasts):.0f} in {len(forecasts)} days"


@task
def order(amount: float) -> str:
    """Send the order to the warehouse."""
    return f"ordered {amount:.0f}"


@task
def total(forecasts: list[float]) -> float:
    """All days together."""
    return sum(forecasts)


@task
def count(rows: list[int]) -> int:
    """Fails for a shop that was closed."""
    if not rows:
        raise ValueError("there are no sales at all: was the shop closed?")
    return len(rows)


@workflow
def forecasts(days: int = 28) -> tuple[str, float]:
    """Forecast every day by itself, and report."""
    found = map_task(forecast)(sold=clean(sales=extract(days=days)))
    return report(forecasts=found), total(forecasts=found)


@workflow
def restock(days: int = 14) -> str:
    """Forecast, ask, order."""
    _, amount = forecasts(days=days)
    return order(amount=approve(amount, "sign-off", timeout=timedelta(days=2)))


@workflow
def audit(days: int = 0) -> int:
    """Count what there is."""
    return count(rows=clean(sales=extract(days=days)))


@task
def trial(rate: float, depth: int) -> float:
    """One setting."""
    for step in range(5):
        whimbrel.progress(step, 5)
        time.sleep(0.15)
    return rate * depth


@eager
async def search(rounds: int = 3) -> float:
    """Try settings, and go on from the best."""
    best = 0.1
    for depth in range(1, rounds + 1):
        found = await asyncio.gather(*(trial(rate=best * by, depth=depth) for by in (0.5, 1.0, 2.0, 3.0)))
        best = max(best, *found)
    return best


nightly = LaunchPlan.get_or_create(
    forecasts, "nightly-forecasts", default_inputs={"days": 28}, schedule=CronSchedule(schedule="0 2 * * *")
)
