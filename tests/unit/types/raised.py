"""Exception classes of every awkward sort, importable, as a user's module would have them."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any, ClassVar

from whimbrel.errors import EagerException


class Keyworded(Exception):
    """Its constructor wants keywords only."""

    def __init__(self, *, code: int, url: str) -> None:
        super().__init__(f"{code} at {url}")
        self.code = code
        self.url = url


class Slotted(Exception):
    __slots__ = ("size",)

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def __str__(self) -> str:
        return f"of size {self.size}"


class Propertied(Exception):
    def __init__(self, level: int) -> None:
        super().__init__(level)
        self._level = level

    @property
    def level(self) -> int:
        return self._level


class Sealed(Exception):
    def __init_subclass__(cls) -> None:
        raise TypeError("no subclasses")


class Registered(Exception):
    known: ClassVar[list[type]] = []

    def __init_subclass__(cls) -> None:
        Registered.known.append(cls)


class PathError(OSError):
    def __init__(self, path: str) -> None:
        super().__init__(2, "it is gone", path)
        self.asked = path


class Holding(ValueError):
    """Its message needs what does not travel."""

    def __init__(self, thing: Any) -> None:
        self.thing = thing

    def __str__(self) -> str:
        return f"holding {self.thing.name}"


@dataclass(frozen=True)
class Frozen(Exception):
    number: int


class TwoParents(KeyError, AttributeError):
    pass


class OwnNew(Exception):
    def __new__(cls, left: int, right: int) -> OwnNew:
        return super().__new__(cls, left, right)


class Meta(type):
    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("made by the factory only")


class Manufactured(Exception, metaclass=Meta):
    pass


class Mine(EagerException):
    """Already what a failed call raises."""

    def __init__(self, code: int) -> None:
        super().__init__(f"code {code}")
        self.code = code


class Bunch(ExceptionGroup[Exception]):
    def derive(self, members: Any) -> Bunch:
        return Bunch(self.message, members)


class OwnBunch(ExceptionGroup[Exception]):
    """A group that cannot be made of a message and members."""

    def __new__(cls, *members: Exception) -> OwnBunch:
        return super().__new__(cls, "own", members)

    def derive(self, members: Any) -> OwnBunch:
        return OwnBunch(*members)


class Status(enum.IntEnum):
    GONE = 410


class Outer:
    class Nested(LookupError):
        pass
