"""Tasks with decorators of their own."""

from functools import partial, wraps

from flytekit import task, workflow


def log_io(fn):
    @wraps(fn)
    def wrapper(*args, **kwargs):
        print(f"{fn.__name__} called with {args}, {kwargs}")
        return fn(*args, **kwargs)

    return wrapper


def validate(fn=None, *, floor):
    @wraps(fn)
    def wrapper(*args, **kwargs):
        out = fn(*args, **kwargs)
        if out <= floor:
            raise ValueError(f"{out} is below {floor}")
        return out

    if fn is None:
        return partial(validate, floor=floor)
    return wrapper


@task
@log_io
def t1(x: int) -> int:
    return x + 1


@task
@log_io
@validate(floor=10)
def t2(x: int) -> int:
    return x + 10


@workflow
def wf(x: int) -> int:
    return t2(x=t1(x=x))
