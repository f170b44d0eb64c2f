"""DBOS on SQLite: one workflow of 1,000 asynchronous steps, awaited in a gather: ``dbos_steps.py DIRECTORY``."""

import asyncio
import json
import logging
import sys
import time

from dbos import DBOS

STEPS = 1_000
DBOS(config={"name": "bench", "system_database_url": f"sqlite:///{sys.argv[1]}/dbos.sqlite", "run_admin_server": False})
logging.getLogger("dbos").setLevel(logging.ERROR)


@DBOS.step()
async def step(x: int) -> int:
    return x + 1


@DBOS.workflow()
async def gathered(n: int) -> int:
    return sum(await asyncio.gather(*[step(i) for i in range(n)]))


@DBOS.workflow()
async def sequential(n: int) -> int:
    x = 0
    for _ in range(n):
        x = await step(x)
    return x


async def measure(workflow, n: int, expected: int) -> list[float]:
    times = []
    for repetition in range(6):
        begin = time.perf_counter()
        assert await workflow(n) == expected
        if repetition:
            times.append((time.perf_counter() - begin) / n)
    return times


async def main() -> None:
    gather = await measure(gathered, STEPS, sum(range(1, STEPS + 1)))
    print(json.dumps({"gather": gather, "sequential": await measure(sequential, 100, 100)}))


DBOS.launch()
asyncio.run(main())
DBOS.destroy()
