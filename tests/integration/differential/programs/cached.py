"""Caches."""

from flytekit import Cache, task, workflow


@task(cache=True, cache_version="1.0")
def plain(x: int) -> int:
    return x


@task(cache=True, cache_version="2", cache_serialize=True, cache_ignore_input_vars=("y",))
def careful(x: int, y: int) -> int:
    return x


@task(cache=Cache(version="3", serialize=True, ignored_inputs=("b", "a")))
def object_(a: int, b: int, c: int) -> int:
    return c


@workflow
def wf(x: int) -> int:
    return object_(a=1, b=2, c=careful(x=plain(x=x), y=x))
