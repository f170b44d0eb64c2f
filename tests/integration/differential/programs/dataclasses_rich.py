"""Dataclasses with fields of every kind."""

import datetime
from dataclasses import dataclass
from enum import Enum
from typing import Dict, List, Optional, Union

from flytekit import task, workflow
from flytekit.types.directory import FlyteDirectory
from flytekit.types.file import FlyteFile


class Color(Enum):
    RED = "red"
    BLUE = "blue"


@dataclass
class Leaf:
    on: bool = True


@dataclass
class Tree:
    moment: datetime.datetime
    day: datetime.date
    span: datetime.timedelta
    color: Color
    source: FlyteFile
    folder: FlyteDirectory
    table: dict
    rows: List[List[int]]
    by_name: Dict[str, List[int]]
    either: Union[int, str]
    leaf: Optional[Leaf]
    shade: Color = Color.BLUE
    size: int = 3
    name: str = "oak"


@task
def grow(tree: Tree) -> Tree:
    return tree


@workflow
def wf(tree: Tree) -> Tree:
    return grow(tree=tree)
