"""Enumerations."""

from enum import Enum

from flytekit import task, workflow


class Color(Enum):
    RED = "red"
    GREEN = "green"
    BLUE = "blue"


@task
def mix(a: Color, b: Color = Color.BLUE) -> Color:
    return b


@workflow
def wf(a: Color = Color.RED) -> Color:
    first = mix(a=a)
    return mix(a=first, b=Color.GREEN)
