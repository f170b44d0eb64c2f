"""``flytekit.types.pickle``: values that travel as pickles, for authors who say so: ``FlytePickle[Model]``.

Reading a pickle runs code, and ties the reader to the writer's classes: nothing is pickled that was not declared so.
"""

from __future__ import annotations

from typing import Annotated, Any

from flytekit._adapt import missing
from whimbrel.types.pickle import Pickle

__all__ = ["FlytePickle"]


class FlytePickle(Pickle):
    """``FlytePickle[T]`` is ``Annotated[T, Pickle]``."""

    def __class_getitem__(cls, python_type: Any) -> Any:
        return Annotated[python_type, Pickle]


__getattr__ = missing(__name__)
