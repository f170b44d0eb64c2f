"""What the executors' tests run: importable by a worker process, each task for one behaviour."""

from __future__ import annotations

import asyncio
import ctypes
import io
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from whimbrel.authoring.calling import current_context
from whimbrel.authoring.context import ExecutionContext
from whimbrel.authoring.eager import eager
from whimbrel.authoring.task import task
from whimbrel.errors import RecoverableError


class Overheated(Exception):
    """An exception of the user's own."""


@task
def add(a: int, b: int = 1) -> int:
    return a + b


@task
async def add_async(a: int, b: int = 1) -> int:
    await asyncio.sleep(0)
    return a + b


@task
def nothing() -> None:
    return None


@task
def big(size: int) -> str:
    return "x" * size


@task
def length(text: str) -> int:
    return len(text)


@task
def fail(message: str) -> int:
    raise Overheated(message)


@task
async def fail_async(message: str) -> int:
    await asyncio.sleep(0)
    raise Overheated(message)


@task
def fail_recoverably() -> int:
    raise RecoverableError("try again")


@task
def leave() -> int:
    sys.exit(3)


@task
def interrupt() -> int:
    raise KeyboardInterrupt


@task
def wrong_type() -> int:
    return "seven"  # type: ignore[return-value]


@task
def cancel_itself() -> int:
    raise asyncio.CancelledError("on a whim")


@task
def speak(words: str) -> int:
    print(words)
    print("oh", file=sys.stderr)
    print("no newline", end="")
    return len(words)


@task
def speak_from_outside() -> int:
    subprocess.run([sys.executable, "-c", "print('child')"], check=True)
    os.write(1, b"raw \xff\n")
    return 0


@task
def sleep_long() -> int:
    try:
        print("running")
        time.sleep(3600)
    finally:
        print("cleaned up")
    return 0


@task
async def sleep_long_async() -> int:
    try:
        print("running")
        await asyncio.sleep(3600)
    finally:
        print("cleaned up")
    return 0


@task
def spin() -> int:
    try:
        print("running")
        count = 0
        while True:
            count += 1
    finally:
        print("cleaned up")


@task
def stubborn() -> int:
    """Takes no hint at all."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("running")
    while True:
        try:
            time.sleep(3600)
        except BaseException:
            continue


@task
def stop_itself() -> int:
    print("running")
    os.kill(os.getpid(), signal.SIGSTOP)
    return 0


def _square(number: int) -> int:
    return number * number


@task
def use_a_pool(method: str) -> int:
    """Child processes of the user's own, which speak through pipes and import this module."""
    with multiprocessing.get_context(method).Pool(2) as pool:
        total = sum(pool.map(_square, range(10)))
        pool.close()
        pool.join()
    return total


@task
def use_threads() -> int:
    with ThreadPoolExecutor(2) as pool:
        return sum(pool.map(_square, range(10)))


@task
def die(code: int) -> int:
    print("last words", file=sys.stderr)
    sys.stderr.flush()
    os._exit(code)


@task
def be_killed() -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


@task
def make_a_mess() -> int:
    """Leave the process otherwise than it was found."""
    os.chdir("/")
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.stdout.write("half a line")
    sys.stdout = None  # type: ignore[assignment]
    sys.stderr = io.StringIO()
    return os.getpid()


@task
def directory() -> str:
    return os.getcwd()


@task
def compute_in_c(seconds: float) -> int:
    """Hold the interpreter in one long call: no other thread of it can run."""
    sample = 1_000_000
    begin = time.perf_counter()
    sum(range(sample))
    taken = time.perf_counter() - begin
    return sum(range(int(sample * seconds / taken)))


@task
def sleep_in_c() -> int:
    """Hold the interpreter and do nothing: what a deadlock looks like."""
    print("running")
    ctypes.PyDLL(None).sleep(3600)
    return 0


@task
def speak_in_tongues() -> int:
    print("odd \ud800")
    return 0


@task
def pid() -> int:
    return os.getpid()


@task
def variable(name: str) -> str:
    return os.environ.get(name, "unset")


@task
def start_child() -> int:
    """Have a child process that would live for an hour, and wait."""
    child = subprocess.Popen(["sleep", "3600"])
    print(os.getpid(), child.pid)
    child.wait()
    return 0


@task
def who_am_i() -> list[str]:
    context: ExecutionContext = current_context()
    with open(os.path.join(context.working_directory, "scratch"), "w") as file:
        file.write("x")
    return [
        str(context.execution_id),
        context.node,
        str(context.attempt),
        str(context.task_id),
        context.working_directory,
    ]


@task
def call_another(a: int) -> int:
    return add(a=a) + add(a=a)


@eager
async def sum_up(n: int) -> int:
    print("driving")
    total = 0
    for number in range(n):
        total = await add(a=total, b=number)
    return total


@eager
async def pid_of_driver() -> int:
    return os.getpid()


@eager
async def variable_of_driver(name: str) -> str:
    return os.environ.get(name, "unset")


@eager
async def wait_for_ever() -> int:
    await asyncio.Event().wait()
    return 0


@eager
async def block_the_loop() -> int:
    print("running")
    time.sleep(3600)  # noqa: ASYNC251 (that it blocks is the point)
    return 0
