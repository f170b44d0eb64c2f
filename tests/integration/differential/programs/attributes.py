"""Attributes and items of promises."""

from dataclasses import dataclass

from flytekit import task, workflow


@dataclass
class Inner:
    b: str


@dataclass
class Box:
    a: int
    inner: Inner
    xs: list[int]
    table: dict[str, Inner]


@task
def box() -> Box:
    return Box(1, Inner("b"), [1, 2], {"k": Inner("c")})


@task
def rows() -> list[dict[str, int]]:
    return [{"n": 1}]


@task
def use(a: int, b: str) -> str:
    return f"{a}{b}"


@workflow
def wf() -> str:
    x = box()
    use(a=x.a, b=x.inner.b)
    use(a=x.xs[1], b=x.table["k"].b)
    r = rows()
    return use(a=r[0]["n"], b="c")
