"""A static workflow of 1,000 chained tasks: ``static_chain.py whimbrel|flytekit``."""

import importlib
import json
import sys
import time

api = importlib.import_module(sys.argv[1])
TASKS = 1_000


@api.task
def step(x: int) -> int:
    return x + 1


@api.workflow
def chain(x: int) -> int:
    for _ in range(TASKS):
        x = step(x=x)
    return x


times = []
for repetition in range(6):
    begin = time.perf_counter()
    result = chain(x=0)
    took = time.perf_counter() - begin
    assert result == TASKS, result
    if repetition:
        times.append(took / TASKS)
print(json.dumps({"task": times}))
