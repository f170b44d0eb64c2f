"""Prefect: one flow that submits tasks and waits for all, against the server that ``PREFECT_API_URL`` names."""

import asyncio
import json
import time

from prefect import flow, task

TASKS = 200


@task
async def step(x: int) -> int:
    return x + 1


@flow
async def gathered(n: int) -> int:
    return sum(await asyncio.gather(*[step(i) for i in range(n)]))


def main() -> None:
    times = []
    for repetition in range(6):
        begin = time.perf_counter()
        assert asyncio.run(gathered(TASKS)) == sum(range(1, TASKS + 1))
        if repetition:
            times.append((time.perf_counter() - begin) / TASKS)
    print(json.dumps({"gather": times}))


if __name__ == "__main__":
    main()
