"""Unions of everything: each variant has flytekit's tag."""

import datetime
from dataclasses import dataclass
from enum import Enum
from typing import Dict, List, Union

from flytekit import task, workflow
from flytekit.types.directory import FlyteDirectory
from flytekit.types.file import FlyteFile


@dataclass
class Point:
    x: int


class Color(Enum):
    RED = "red"


@task
def any_of(
    a: Union[bool, datetime.datetime, datetime.timedelta, None],
    b: Union[Point, List[int], Dict[str, int]],
    c: Union[FlyteFile, FlyteDirectory],
    d: Union[Color, float],
) -> Union[datetime.date, str]:
    return "x"


@workflow
def wf(path: FlyteFile) -> Union[datetime.date, str]:
    return any_of(a=True, b=Point(1), c=path, d=1.5)
