"""Temporal's dev server: a workflow of three activities, submitted to it, until the client has the result:
``temporal_three.py ADDRESS ROUNDS``. The client waits by Temporal's own long poll; the worker is warm and runs here."""

import asyncio
import json
import sys
import time
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import Worker


@activity.defn
async def step(x: int) -> int:
    return x + 1


@workflow.defn
class Three:
    @workflow.run
    async def run(self, x: int) -> int:
        for _ in range(3):
            x = await workflow.execute_activity(step, x, start_to_close_timeout=timedelta(minutes=5))
        return x


async def main() -> None:
    client = await Client.connect(sys.argv[1])
    rounds = int(sys.argv[2])
    times = []
    async with Worker(client, task_queue="bench", workflows=[Three], activities=[step]):
        for number in range(rounds + 3):
            begin = time.perf_counter()
            assert await client.execute_workflow(Three.run, 1, id=f"three-{number}", task_queue="bench") == 4
            if number >= 3:
                times.append(time.perf_counter() - begin)
    print(json.dumps({"submitted": times}))


if __name__ == "__main__":
    asyncio.run(main())
