"""Temporal's dev server: one workflow that gathers activities: ``temporal_activities.py ADDRESS``."""

import asyncio
import json
import sys
import time
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import Worker

ACTIVITIES = 1_000


@activity.defn
async def step(x: int) -> int:
    return x + 1


@workflow.defn
class Gathered:
    @workflow.run
    async def run(self, n: int) -> int:
        calls = [workflow.execute_activity(step, i, start_to_close_timeout=timedelta(minutes=5)) for i in range(n)]
        return sum(await asyncio.gather(*calls))


async def main() -> None:
    client = await Client.connect(sys.argv[1])
    times = []
    async with Worker(
        client,
        task_queue="bench",
        workflows=[Gathered],
        activities=[step],
        max_concurrent_activities=ACTIVITIES,
        max_concurrent_activity_task_polls=20,
    ):
        for repetition in range(6):
            begin = time.perf_counter()
            result = await client.execute_workflow(
                Gathered.run, ACTIVITIES, id=f"gathered-{repetition}", task_queue="bench"
            )
            assert result == sum(range(1, ACTIVITIES + 1)), result
            if repetition:
                times.append((time.perf_counter() - begin) / ACTIVITIES)
    print(json.dumps({"gather": times}))


if __name__ == "__main__":
    asyncio.run(main())
