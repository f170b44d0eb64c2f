"""Workflows of a flytekit user, registered and run by real flytekit."""

from __future__ import annotations

import functools
import os
from typing import NamedTuple

from flytekit import (
    Deck,
    FlyteFile,
    Secret,
    conditional,
    current_context,
    dynamic,
    map_task,
    task,
    workflow,
)
from flytekit.exceptions.user import FlyteRecoverableException


@task
def double(x: int) -> int:
    print(f"doubling {x}")
    return 2 * x


@task
def add(a: int, b: int) -> int:
    return a + b


@task
def words(n: int, word: str = "a") -> list[str]:
    return [word * (i + 1) for i in range(n)]


@workflow
def three(x: int = 3) -> int:
    return add(a=double(x=x), b=double(x=10))


@workflow
def outer(x: int) -> int:
    return double(x=three(x=x))


@workflow
def chosen(x: int) -> int:
    return conditional("size").if_(x > 5).then(double(x=x)).else_().then(add(a=x, b=100))


@task(retries=2)
def flaky(folder: str) -> int:
    with open(os.path.join(folder, "tries"), "a") as file:
        file.write("x")
    tries = os.path.getsize(os.path.join(folder, "tries"))
    if tries < 3:
        raise FlyteRecoverableException(f"not yet: {tries}")
    return tries


@task(retries=2)
def broken(folder: str) -> int:
    with open(os.path.join(folder, "tries"), "a") as file:
        file.write("x")
    if folder:
        raise ValueError("nothing good")
    return 0


class Odd(Exception):
    pass


@task
def odd(x: int) -> int:
    if x % 2:
        raise Odd(f"{x} is odd:\nvery odd")
    return x


@dynamic
def spread(n: int) -> list[int]:
    return [double(x=i) for i in range(n)]


@dynamic
def nothing_to_do(n: int) -> int:
    return n


@workflow
def spreading(n: int) -> list[int]:
    return spread(n=n)


@task
def item(x: int, base: int) -> int:
    if x == 2:
        raise ValueError("two is not wanted")
    index = os.environ["BATCH_JOB_ARRAY_INDEX_VAR_NAME"]
    return base + x + 1000 * int(os.environ[index])


@workflow
def mapped(xs: list[int]) -> list[int]:
    return map_task(functools.partial(item, base=100))(x=xs)


@task
def present(found: list[int | None]) -> int:
    return sum(1 for each in found if each is not None)


@workflow
def mostly(xs: list[int]) -> int:
    return present(found=map_task(functools.partial(item, base=100), min_success_ratio=0.6)(x=xs))


@task
def write_file(text: str) -> FlyteFile:
    path = os.path.join(current_context().working_directory, "out.txt")
    with open(path, "w") as file:
        file.write(text)
    return FlyteFile(path)


@task
def upper(file: FlyteFile) -> FlyteFile:
    with open(file) as read, open("upper.txt", "w") as written:
        written.write(read.read().upper())
    return FlyteFile("upper.txt")


@workflow
def files(text: str) -> FlyteFile:
    return upper(file=write_file(text=text))


@task(enable_deck=True)
def decked(x: int) -> int:
    Deck("own", f"<p>seen {x}</p>")
    return x


@task(secret_requests=[Secret(group="db", key="password")])
def secretive() -> int:
    secret = current_context().secrets.get("db", "password")
    print(f"it is {secret}")
    return len(secret)


@task
def context() -> list[str]:
    id = current_context().execution_id
    task = current_context().task_id
    return [id.project, id.domain, id.name, task.name, task.version]


@task
def slow(folder: str, x: int) -> int:
    import time

    with open(os.path.join(folder, "pid"), "a") as file:
        file.write(f"{os.getpid()}\n")
    while not os.path.exists(os.path.join(folder, "go")):
        time.sleep(0.05)
    return x


@task(timeout=2)
def endless(folder: str) -> int:
    return slow.task_function(folder=folder, x=1)


@workflow
def slowly(folder: str) -> int:
    return add(a=double(x=4), b=slow(folder=folder, x=double(x=5)))


class Pair(NamedTuple):
    first: int
    rest: list[str]


@task
def pair(n: int) -> Pair:
    return Pair(n, ["x"] * n)
