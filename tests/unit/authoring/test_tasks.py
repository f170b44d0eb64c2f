"""Tasks as plain functions: binding, type checks, options, decorators."""

import asyncio
import datetime as dt
import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.unit.authoring.user_modules import line_of, user_module
from whimbrel import Cache, CallMismatch, CompileError, Resources, Task, ValueMismatch, current_context, task
from whimbrel.model.literals import IntLiteral, StrLiteral
from whimbrel.model.program import CacheSpec, TaskKind
from whimbrel.model.program import Resources as ModelResources


class Split(NamedTuple):
    whole: int
    part: float


@task
def scale(x: int, factor: float = 2.0) -> float:
    """Scale a number.

    Args:
        x: what to scale
        factor: by how much
    """
    return x * factor


@task
async def later(x: int) -> int:
    await asyncio.sleep(0)
    return x + 1


@task
def split(x: float) -> Split:
    return Split(int(x), x - int(x))


@task
def pair(x: int) -> tuple[int, str]:
    return x, str(x)


@task
def nothing(x: int):
    pass


@task
def lies(x: int) -> int:
    return str(x)


@task
def short_pair(x: int) -> tuple[int, str]:
    return (x,)


def test_a_call_runs_the_function() -> None:
    assert scale(x=2) == 4.0
    assert scale(2, 3.0) == 6.0
    assert scale(2, factor=0.5) == 1.0
    assert split(x=2.5) == Split(2, 0.5)
    assert pair(3) == (3, "3")
    assert nothing(x=1) is None


def test_an_async_task_is_awaited() -> None:
    assert asyncio.run(later.aio(x=1)) == 2
    coroutine = later(x=1)
    assert inspect.iscoroutine(coroutine)
    assert asyncio.run(coroutine) == 2


def test_aio_of_a_task_that_blocks_leaves_the_loop_free() -> None:
    async def main() -> tuple[float, list[str]]:
        seen: list[str] = []
        blocking = asyncio.create_task(scale.aio(x=1))
        await asyncio.sleep(0)
        seen.append("loop ran")
        return await blocking, seen

    assert asyncio.run(main()) == (2.0, ["loop ran"])


@pytest.mark.parametrize(
    ("args", "kwargs", "words"),
    [
        ((), {}, "lacks the input 'x'"),
        ((), {"x": 1, "y": 2}, "has no input 'y'; it takes x, factor"),
        ((), {"x": 1, "facto": 2.0}, "did you mean 'factor'?"),
        ((1, 2.0, 3), {}, "takes 2 positional arguments, got 3"),
        ((1,), {"x": 1}, "got the input 'x' twice"),
    ],
)
def test_arguments_must_fit(args: tuple[Any, ...], kwargs: dict[str, Any], words: str) -> None:
    with pytest.raises(CallMismatch, match=r"test_tasks\.py:\d+") as caught:
        scale(*args, **kwargs)
    assert words in str(caught.value)


def test_a_wrong_argument_is_told_with_line_and_remedy() -> None:
    with pytest.raises(ValueMismatch) as caught:
        scale(x="3")
    error = caught.value
    assert (error.expected, error.path) == ("int", "$")
    here = inspect.getsourcelines(test_a_wrong_argument_is_told_with_line_and_remedy)[1] + 2
    assert f"test_tasks.py:{here}: scale(), input 'x'" in str(error)
    assert error.__notes__ == ["Pass int, or change the annotation of 'x' in scale."]


def test_a_wrong_result_is_told() -> None:
    with pytest.raises(ValueMismatch, match=r"lies\(\), return value: expected int, got str '1'"):
        lies(x=1)
    with pytest.raises(ValueMismatch, match="expected a tuple of 2 outputs, got 1 of them"):
        short_pair(x=1)


def test_literals_there_and_back() -> None:
    signature = scale.signature
    literals = signature.encode_inputs(signature.bind((), {"x": 1}))
    assert signature.decode_inputs(literals) == {"x": 1, "factor": 2.0}
    assert signature.decode_inputs({"x": IntLiteral(1)}) == {"x": 1, "factor": 2.0}
    with pytest.raises(CallMismatch, match="lacks the input 'x'"):
        signature.decode_inputs({})
    outputs = split.signature.encode_outputs(Split(1, 0.5))
    assert list(outputs) == ["whole", "part"]
    assert split.signature.decode_outputs(outputs) == Split(1, 0.5)
    assert pair.signature.encode_outputs((1, "a")) == {"o0": IntLiteral(1), "o1": StrLiteral("a")}
    assert nothing.signature.encode_outputs(None) == {}
    assert nothing.signature.decode_outputs({}) is None


def test_interface_has_types_defaults_and_docs() -> None:
    interface = scale.interface
    assert list(interface.inputs) == ["x", "factor"]
    assert interface.inputs["x"].default is None
    assert interface.inputs["factor"].default is not None
    assert interface.inputs["factor"].description == "by how much"
    assert scale.spec().doc == "Scale a number."


def test_it_looks_like_its_function() -> None:
    assert isinstance(scale, Task)
    assert scale.__name__ == "scale"
    assert scale.name == f"{__name__}.scale"
    assert scale.__doc__ is not None
    assert list(inspect.signature(scale).parameters) == ["x", "factor"]
    assert repr(scale) == f"<task {__name__}.scale>"


# --- options ---------------------------------------------------------------------------------------------------------


@task(
    retries=3,
    timeout=dt.timedelta(minutes=2),
    backoff=0.5,
    backoff_limit=8,
    cache=True,
    cache_version="7",
    cache_serialize=True,
    cache_ignore_input_vars=("b",),
    interruptible=True,
    environment={"A": "1"},
    requests=Resources(cpu="2"),
    limits=Resources(cpu="4", mem="1Gi"),
    container_image="img:1",
)
def configured(a: int, b: int) -> int:
    return a


@task(cache=Cache(ignored_inputs=("a",)))
def cached(a: int) -> int:
    return a


def test_options_become_metadata() -> None:
    metadata = configured.metadata
    assert metadata.retries == 3
    assert metadata.timeout == 120.0
    assert (metadata.backoff, metadata.backoff_limit) == (0.5, 8.0)
    assert metadata.cache == CacheSpec("7", ("b",), True)
    assert metadata.interruptible is True
    assert metadata.environment == {"A": "1"}
    assert metadata.resources == ModelResources(cpu="2", mem="1Gi")
    assert metadata.image == "img:1"
    assert configured.spec().kind is TaskKind.TASK


def test_a_cache_without_version_follows_the_source() -> None:
    assert cached.metadata.cache is not None
    assert cached.metadata.cache.version == cached.code_digest()[:16] != ""
    assert cached.metadata.cache.ignored == ("a",)


def test_an_unknown_option_is_refused_at_once() -> None:
    with pytest.raises(CallMismatch, match=r"there is no option 'retrys'\. Did you mean 'retries'"):
        task(retrys=3)
    with pytest.raises(CallMismatch, match="there is no option 'memory'"):
        scale.options(memory="1Gi")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"retries": -1}, "retries must be a whole number"),
        ({"retries": True}, "retries must be a whole number"),
        ({"timeout": "soon"}, "timeout must be a number of seconds or a timedelta"),
        ({"cache_version": "1"}, "need cache=True"),
    ],
)
def test_options_that_make_no_sense_are_told_with_the_line(options: dict[str, Any], words: str) -> None:
    made = task(**options)(scale.fn)
    with pytest.raises(CompileError, match=words) as caught:
        _ = made.metadata
    [problem] = caught.value.problems
    assert problem.file == __file__
    assert problem.line == inspect.getsourcelines(scale.fn)[1] + 1


def test_options_do_nothing_in_a_plain_call() -> None:
    assert scale.options(mem="8Gi", retries=2)(x=1) == 2.0
    assert scale.with_overrides(timeout=3)(2, 2.0) == 4.0
    assert asyncio.run(later.options(retries=1).aio(x=1)) == 2


# --- decorators ------------------------------------------------------------------------------------------------------


def doubled(fn: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(fn)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return fn(*args, **kwargs) * 2

    return wrapper


def awaited_twice(fn: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(fn)
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        return await fn(*args, **kwargs) + await fn(*args, **kwargs)

    return wrapper


def unwrapped(fn: Callable[..., Any]) -> Callable[..., Any]:
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return fn(*args, **kwargs)

    return wrapper


@task
@doubled
@doubled
def decorated(x: int) -> int:
    return x


@task
@awaited_twice
@awaited_twice
async def decorated_async(x: int) -> int:
    return x


@task
@unwrapped
def hidden(x: int) -> int:
    return x


def test_decorated_tasks_keep_their_signature() -> None:
    assert decorated(x=3) == 12
    assert decorated.name == f"{__name__}.decorated"
    assert list(decorated.interface.inputs) == ["x"]
    assert asyncio.run(decorated_async.aio(x=3)) == 12


def test_the_digest_covers_the_decorators() -> None:
    assert decorated.code_digest() != task(decorated.fn.__wrapped__).code_digest()


def test_a_decorator_without_wraps_is_told() -> None:
    with pytest.raises(CompileError) as caught:
        hidden.spec()
    text = str(caught.value)
    assert "takes *args, whose inputs have no names and types" in text
    assert "functools.wraps" in text


# --- where it can be read from ---------------------------------------------------------------------------------------


def test_a_function_without_source_works() -> None:
    space: dict[str, Any] = {"task": task}
    exec("@task\ndef made(x: int) -> int:\n    raise ValueError(x)\n", space)
    made = space["made"]
    assert list(made.interface.inputs) == ["x"]
    assert made.code_digest() != ""  # that of its byte code
    with pytest.raises(ValueError, match="3"):
        made(x=3)


def test_string_annotations_and_local_names_are_evaluated() -> None:
    class Local(NamedTuple):
        a: int

    def outer(x: "int") -> "Local":
        return Local(x)

    assert task(outer)(x=1) == Local(1)


def test_decorating_reads_nothing(tmp_path: Path) -> None:
    source = """
    @task
    def broken(x: Nowhere) -> int:
        return x

    @task
    def fine(x: int) -> int:
        return x
    """
    with user_module(tmp_path, source.replace("Nowhere", "'Nowhere'")) as flows:
        assert flows.fine(x=1) == 1
        with pytest.raises(CompileError) as caught:
            flows.broken(x=1)
        [problem] = caught.value.problems
        assert problem.line == line_of(flows, "def broken")
        assert problem.file == flows.__file__
        assert "'Nowhere'" in problem.message


def test_the_context_of_a_plain_call() -> None:
    context = current_context()
    assert context.execution_id.name.startswith("local-")
    assert str(context.execution_id) == context.execution_id.name
