"""Eager workflows outside any engine: plain asyncio in which entities are awaitable."""

import asyncio
import functools
import inspect
import threading
import warnings
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import pytest

from whimbrel import (
    CallMismatch,
    EagerException,
    ForgottenAwait,
    PromiseMisuse,
    ValueMismatch,
    create_node,
    current_context,
    eager,
    task,
    workflow,
)
from whimbrel.authoring.pending import NeverAwaited, PendingCall


class Named(NamedTuple):
    total: int
    text: str


class Odd(Exception):
    """With a constructor of its own mind."""

    def __init__(self, *, code: int) -> None:
        super().__init__(f"code {code}")
        self.code = code


@task
def inc(x: int) -> int:
    return x + 1


@task
async def inc_async(x: int) -> int:
    await asyncio.sleep(0)
    return x + 1


@task
def named(x: int) -> Named:
    return Named(x, str(x))


@task
def raises(kind: str) -> int:
    match kind:
        case "type":
            raise TypeError("bad", 3)
        case "os":
            raise FileNotFoundError(2, "nope", "there")
        case "odd":
            raise Odd(code=7)
        case "key":
            raise KeyError("k")
        case "group":
            raise ExceptionGroup("both", [ValueError("a"), TypeError("b")])
        case "chained":
            try:
                raise ValueError("inner")
            except ValueError as error:
                raise RuntimeError("outer") from error
    return 0


@task
async def raises_async(x: int) -> int:
    raise ZeroDivisionError(x)


@workflow
def flow(x: int) -> int:
    return inc(x=inc(x=x))


@eager
async def child(x: int) -> int:
    return await inc(x=x) + await inc_async(x=x)


@eager
async def everything(x: int) -> int:
    a = await inc(x=x)
    b = await inc_async(a)
    c = await flow(x=b)
    d = await child(x=c)
    total, text = await named(x=d)
    assert isinstance(text, str)
    return total


def test_entities_are_awaitable() -> None:
    coroutine = everything(x=1)
    assert inspect.iscoroutine(coroutine)
    assert asyncio.run(coroutine) == 12


def test_it_is_a_plain_coroutine_in_somebody_elses_loop() -> None:
    async def main() -> list[int]:
        return await asyncio.gather(everything(x=1), everything(x=2), child.aio(x=1))

    assert asyncio.run(main()) == [12, 14, 4]


@eager
async def takes_every_road(x: int) -> list[int]:
    gathered = await asyncio.gather(*[inc(x=n) for n in range(3)], inc_async(x=9))
    async with asyncio.TaskGroup() as group:
        first = group.create_task(inc(x=1))
        second = group.create_task(child(x=1))
    third = asyncio.create_task(inc_async(x=5))
    fourth = await asyncio.wait_for(inc(x=6), 30)
    async with asyncio.timeout(30):
        fifth = await inc.aio(x=7)
    done, _ = await asyncio.wait([asyncio.ensure_future(inc(x=8))])
    sixth = [await each for each in asyncio.as_completed([inc(x=9)])]
    return [*gathered, first.result(), second.result(), await third, fourth, fifth, done.pop().result(), *sixth]


def test_asyncio_takes_pending_calls_everywhere() -> None:
    assert asyncio.run(takes_every_road(x=1)) == [1, 2, 3, 10, 2, 4, 6, 7, 8, 9, 10]


BARRIER = threading.Barrier(10, timeout=30)


@task
def meets(x: int) -> int:
    BARRIER.wait()
    return x


@eager
async def ten_at_once() -> int:
    return sum(await asyncio.gather(*[meets(x=n) for n in range(10)]))


def test_ten_blocking_tasks_run_side_by_side() -> None:
    # Each waits for the nine others: they would never meet on fewer threads.
    assert asyncio.run(ten_at_once()) == 45


@eager
async def a_thousand() -> int:
    return sum(await asyncio.gather(*[inc(x=n) for n in range(1000)]))


def test_a_thousand_blocking_tasks_share_the_threads() -> None:
    assert asyncio.run(a_thousand()) == 500_500


@eager
async def loop_thread(x: int) -> tuple[bool, bool]:
    return await where(), await where_async()


@task
def where() -> bool:
    return threading.current_thread() is threading.main_thread()


@task
async def where_async() -> bool:
    return threading.current_thread() is threading.main_thread()


def test_blocking_tasks_leave_the_loop_and_async_ones_stay() -> None:
    assert asyncio.run(loop_thread(x=1)) == (False, True)


@task
def calls_a_task(x: int) -> int:
    return inc(x=x) * 2


@task
async def awaits_a_task(x: int) -> int:
    return (await inc_async(x=x)) + inc(x=x)


@eager
async def tasks_in_tasks(x: int) -> int:
    return await calls_a_task(x=x) + await awaits_a_task(x=x) + await inc(x=x)


def test_in_a_task_body_calls_are_plain() -> None:
    assert asyncio.run(tasks_in_tasks(x=1)) == 4 + 4 + 2


# --- arguments -------------------------------------------------------------------------------------------------------


@eager
async def wrong_type(x: int) -> int:
    return await inc(x="a")


@eager
async def wrong_name(x: int) -> int:
    return await inc(y=1)


@eager
async def wrong_result(x: int) -> int:
    return await inc(x=x) > 0 and "text"


def line_in(fn: Any, offset: int) -> str:
    return f"{__file__}:{inspect.getsourcelines(fn.fn)[1] + offset}:"


def test_arguments_are_checked_before_launch() -> None:
    with pytest.raises(ValueMismatch) as mismatch:
        asyncio.run(wrong_type(x=1))
    assert str(mismatch.value).startswith(line_in(wrong_type, 2))
    with pytest.raises(CallMismatch) as call:
        asyncio.run(wrong_name(x=1))
    assert str(call.value).startswith(line_in(wrong_name, 2))
    with pytest.raises(ValueMismatch, match=r"child\(\), input 'x'"):
        child(x="a")
    with pytest.raises(ValueMismatch, match=r"wrong_result\(\), return value"):
        asyncio.run(wrong_result(x=1))


# --- failures --------------------------------------------------------------------------------------------------------


async def caught_from(call: Callable[[], Awaitable[Any]]) -> BaseException | None:
    try:
        await call()
    except EagerException as error:
        return error
    return None


FAILURES: list[tuple[Any, dict[str, Any], type[Exception]]] = [
    (raises, {"kind": "type"}, TypeError),
    (raises, {"kind": "os"}, FileNotFoundError),
    (raises, {"kind": "odd"}, Odd),
    (raises, {"kind": "key"}, KeyError),
    (raises, {"kind": "group"}, ExceptionGroup),
    (raises, {"kind": "chained"}, RuntimeError),
    (raises_async, {"x": 1}, ZeroDivisionError),
]


@pytest.mark.parametrize(("entity", "inputs", "kind"), FAILURES)
def test_failures_are_of_both_classes(entity: Any, inputs: dict[str, Any], kind: type[Exception]) -> None:
    async def body() -> None:
        error = await caught_from(lambda: entity(**inputs))
        assert isinstance(error, kind)
        assert isinstance(error, EagerException)
        frames = []
        traceback = error.__traceback__
        while traceback is not None:
            frames.append(traceback.tb_frame.f_code.co_name)
            traceback = traceback.tb_next
        assert frames[-1] == entity.__name__, "the local traceback leads into the task"
        if isinstance(error, OSError):
            assert (error.errno, error.strerror, error.filename) == (2, "nope", "there")
        if isinstance(error, Odd):
            assert (error.code, str(error)) == (7, "code 7")
        if isinstance(error, RuntimeError):
            assert isinstance(error.__cause__, ValueError)
        if isinstance(error, TypeError):
            assert error.args == ("bad", 3)
        if isinstance(error, ExceptionGroup):
            assert [type(each).__mro__[1:] and str(each) for each in error.exceptions] == ["a", "b"]

    asyncio.run(eager(body)())


@eager
async def failing_child(x: int) -> int:
    return await raises(kind="type")


@eager
async def handles(x: int) -> str:
    try:
        await failing_child(x=x)
    except TypeError as error:
        return type(error).__name__
    return ""


def test_failures_pass_through_nested_bodies() -> None:
    assert asyncio.run(handles(x=1)) == "TypeError"
    with pytest.raises(TypeError) as caught:
        asyncio.run(failing_child(x=1))
    assert isinstance(caught.value, EagerException)


@eager
async def cancelled(x: int) -> str:
    started = asyncio.Event()

    async def wait() -> int:
        started.set()
        return await sleeps()

    running = asyncio.create_task(wait())
    await started.wait()
    running.cancel()
    try:
        await running
    except asyncio.CancelledError:
        return "cancelled"
    return "went on"


@task
async def sleeps() -> int:
    await asyncio.Event().wait()
    return 1


def test_cancelling_is_no_failure() -> None:
    assert asyncio.run(cancelled(x=1)) == "cancelled"


# --- forgotten awaits ------------------------------------------------------------------------------------------------

USES: dict[str, Callable[[Any], Any]] = {
    "condition": lambda call: 1 if call else 2,
    "iteration": lambda call: list(call),
    "length": lambda call: len(call),
    "add": lambda call: call + 1,
    "radd": lambda call: 1 + call,
    "compare": lambda call: call > 1,
    "equal": lambda call: call == 1,
    "attribute": lambda call: call.total,
    "item": lambda call: call[0],
    "f-string": lambda call: f"{call}",
    "text": lambda call: str(call),
    "argument": lambda call: inc(x=call),
    "workflow argument": lambda call: flow(x=call),
    "called": lambda call: call(),
}


@pytest.mark.parametrize("use", [*USES.values()], ids=list(USES))
def test_using_a_pending_call_raises_at_the_line(use: Callable[[Any], Any]) -> None:
    async def body() -> None:
        call = inc(x=1)
        with pytest.raises(ForgottenAwait) as caught:
            use(call)
        assert str(caught.value).startswith(f"{__file__}:{inspect.getsourcelines(use)[1]}: ")
        assert "Write `await` before the call" in str(caught.value)
        assert await call == 2

    asyncio.run(eager(body)())


@eager
async def forgets(x: int) -> int:
    inc(x=x)
    return x


@eager
async def keeps(x: int) -> int:
    call = inc(x=x)
    assert isinstance(call, PendingCall)
    assert "pending call of inc" in repr(call)
    return await call


def test_a_call_that_is_never_awaited_is_reported_at_its_line() -> None:
    with pytest.warns(NeverAwaited) as caught:
        assert asyncio.run(forgets(x=1)) == 1
    [warning] = caught
    assert (warning.filename, f"{warning.filename}:{warning.lineno}:") == (__file__, line_in(forgets, 2))
    assert "inc was called but never awaited" in str(warning.message)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert asyncio.run(keeps(x=1)) == 2


# --- elsewhere -------------------------------------------------------------------------------------------------------


@workflow
def static_parent(x: int) -> int:
    return inc(x=child(x=x))


def test_eager_inside_a_static_workflow() -> None:
    assert static_parent(x=1) == 5
    assert [node.target.name for node in static_parent.graph().nodes] == [child.name, inc.name]

    async def inside() -> int:
        return static_parent(x=1)

    assert asyncio.run(inside()) == 5


@eager
async def uses_static_parent(x: int) -> int:
    return await static_parent(x=x)


def test_static_inside_eager_inside_static() -> None:
    assert asyncio.run(uses_static_parent(x=1)) == 5


@task
def run_name() -> str:
    return current_context().execution_id.name


@eager
async def asks(x: int) -> set[str]:
    return {await run_name(), current_context().execution_id.name, *(await asyncio.gather(run_name(), run_name()))}


def test_a_body_and_its_calls_are_one_execution() -> None:
    assert len(asyncio.run(asks(x=1))) == 1
    assert asyncio.run(asks(x=1)) != asyncio.run(asks(x=1))


@eager(remote=object(), client_secret_group="g", client_secret_key="k", retries=2)
async def with_remote(x: int) -> int:
    return await inc(x=x)


def test_flytekits_options_are_kept_as_data() -> None:
    assert with_remote.task_options["client_secret_group"] == "g"
    assert with_remote.metadata.retries == 2
    assert asyncio.run(with_remote(x=1)) == 2
    with pytest.raises(CallMismatch, match="no option 'client_secret'"):
        eager(client_secret="x")


def traced(fn: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(fn)
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        return await inc(x=await fn(*args, **kwargs))

    return wrapper


@eager
@traced
@traced
async def decorated(x: int) -> int:
    return await inc(x=x)


def test_decorated_eager_workflows() -> None:
    assert asyncio.run(decorated(x=1)) == 4


@eager
async def makes_nodes(x: int) -> int:
    create_node(inc, x=x)
    return 1


def test_create_node_is_refused() -> None:
    with pytest.raises(PromiseMisuse, match=r"await inc\(...\)"):
        asyncio.run(makes_nodes(x=1))
