"""What the pictures of the console show: a shop that forecasts its sales, trains models and asks before it orders."""

from __future__ import annotations

import asyncio
import math
import time
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

import pandas as pd

import whimbrel
from whimbrel import (
    CronSchedule,
    Deck,
    FlyteFile,
    Html,
    LaunchPlan,
    StructuredDataset,
    approve,
    current_context,
    eager,
    map_task,
    task,
    workflow,
)


@dataclass
class Model:
    """What a training run leaves behind."""

    name: str
    rate: float
    depth: int
    error: float


@task
def extract(days: int) -> list[int]:
    """The sales of the last days, as the tills have counted them."""
    print(f"read {days} days of sales from 3 tills")
    time.sleep(0.25)
    return [round(118 + 34 * math.sin(day / 3.5) + (day * 37) % 23) for day in range(days)]


@task(cache=True, cache_version="1")
def clean(sales: list[int]) -> list[int]:
    """Without days that cannot be: a till that counted twice, a day on which nobody came."""
    time.sleep(0.15)
    kept = [each for each in sales if 60 < each < 168]
    print(f"kept {len(kept)} of {len(sales)} days")
    return kept


@task(retries=2)
def forecast(sold: int) -> float:
    """What one day will bring, from the day a year before."""
    time.sleep(0.05 + sold % 7 / 40)
    return round(sold * 1.04, 2)


@task(enable_deck=True)
def report(forecasts: list[float]) -> str:
    """A page about the days to come, for whoever orders."""
    most = max(forecasts, default=1.0)
    bars = "".join(
        f'<rect x="{at * 18}" y="{160 - 150 * each / most:.0f}" width="13" height="{150 * each / most:.0f}" rx="2"/>'
        for at, each in enumerate(forecasts)
    )
    page = f'<svg viewBox="0 0 {len(forecasts) * 18} 160" width="100%" fill="#4f93c4">{bars}</svg>'
    total = sum(forecasts)
    words = f"<p>{len(forecasts)} days, <b>{total:,.0f}</b> pieces in all, at most {most:.0f} on one day.</p>"
    style = "<style>body{font:14px system-ui,sans-serif;margin:24px;color:#1b1f23}h2{font-size:18px}</style>"
    Deck("Forecast", Html(f"{style}<h2>The days to come</h2>{words}{page}"))
    for at, each in enumerate(forecasts):
        level = "\x1b[33mlow \x1b[0m" if each < 100 else "\x1b[32mgood\x1b[0m"
        print(f"\x1b[36mday {at + 1:2}\x1b[0m {level} {each:7.2f} {'▪' * round(each / 8)}")
    time.sleep(0.1)
    return f"{total:.0f} pieces in {len(forecasts)} days"


class Published(NamedTuple):
    """What the shop's people look at in the morning."""

    plan: StructuredDataset
    chart: FlyteFile
    busiest: date


@task
def publish(forecasts: list[float]) -> Published:
    """The days to come as a table and as a picture."""
    first = date(2026, 11, 23)
    days = [first + timedelta(days=at) for at in range(len(forecasts))]
    plan = pd.DataFrame(
        {"day": days, "pieces": forecasts, "staff": [2 + int(each > 125) + int(each > 145) for each in forecasts]}
    )
    most = max(forecasts, default=1.0)
    step = 560 / max(1, len(forecasts) - 1)
    dots = " ".join(f"{20 + at * step:.0f},{190 - 160 * each / most:.0f}" for at, each in enumerate(forecasts))
    lines = "".join(f'<path d="M20 {y}H580" stroke="#e3e6e8"/>' for y in range(30, 200, 40))
    chart = Path(current_context().working_directory) / "days.svg"
    chart.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 600 210" width="600" height="210">'
        f'<rect width="600" height="210" fill="#fff"/>{lines}<polygon points="20,190 {dots} 580,190" fill="#d9e9f3"/>'
        f'<polyline points="{dots}" fill="none" stroke="#1a6586" stroke-width="2.5" stroke-linejoin="round"/></svg>'
    )
    return Published(StructuredDataset(dataframe=plan), FlyteFile(str(chart)), days[forecasts.index(most)])


@task
def total(forecasts: list[float]) -> float:
    """All days together."""
    return round(sum(forecasts), 2)


@task
def order(amount: float) -> str:
    """Send the order to the warehouse."""
    return f"ordered {amount:.0f} pieces"


@task
def count(rows: list[int]) -> int:
    """How many days there are to count. Fails for a shop that was closed."""
    if not rows:
        raise ValueError("there are no sales at all: was the shop closed?")
    return len(rows)


@workflow
def forecasts(days: int = 28) -> tuple[str, float]:
    """Forecast every day by itself, and report.

    Runs every night from the launch plan nightly-forecasts; restock calls it before it orders.
    """
    found = map_task(forecast)(sold=clean(sales=extract(days=days)))
    publish(forecasts=found)
    return report(forecasts=found), total(forecasts=found)


@workflow
def restock(days: int = 14) -> str:
    """Forecast, ask the buyer, order."""
    _, amount = forecasts(days=days)
    return order(amount=approve(amount, "sign-off", timeout=timedelta(days=2)))


@workflow
def audit(days: int = 0) -> int:
    """Count what there is. Somebody has asked for no days at all."""
    return count(rows=clean(sales=extract(days=days)))


@task
def trial(rate: float, depth: int) -> Model:
    """Train one model, and say how far off it is."""
    for step in range(4):
        whimbrel.progress(step, 4, message=f"epoch {step + 1}")
        time.sleep(0.12)
    error = abs(math.log10(rate) + 1.6) / 3 + 0.4 / depth
    return Model(name=f"gb-{depth}-{rate:g}", rate=rate, depth=depth, error=round(error, 4))


@eager
async def train(rounds: int = 3) -> Model:
    """Try settings side by side, and go on from the best of them."""
    best = Model(name="none", rate=0.1, depth=1, error=9.0)
    for depth in range(1, rounds + 1):
        found = await asyncio.gather(*(trial(rate=best.rate * by, depth=depth) for by in (0.25, 0.5, 1.0, 2.0)))
        best = min([best, *found], key=lambda model: model.error)
    return best


nightly = LaunchPlan.get_or_create(
    forecasts, "nightly-forecasts", default_inputs={"days": 28}, schedule=CronSchedule(schedule="0 2 * * *")
)
