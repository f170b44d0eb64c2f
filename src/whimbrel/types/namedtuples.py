"""``typing.NamedTuple`` classes: a tuple whose items have names.

Knows: fields, tuples. Must not know: other kinds.
"""

from __future__ import annotations

import inspect
import typing
from typing import Any, Final

from whimbrel.types.fields import field_transformers
from whimbrel.types.hooks import Hook, Transformers
from whimbrel.types.sequences import fixed_tuple
from whimbrel.types.transformer import Transformer


def _matches(python_type: Any) -> bool:
    served = typing.get_origin(python_type) or python_type
    # collections.namedtuple gives no annotations: nothing says what its fields hold.
    return (
        isinstance(served, type)
        and issubclass(served, tuple)
        and hasattr(served, "_fields")
        and any(inspect.get_annotations(base) for base in served.__mro__)
    )


def _build(python_type: Any, registry: Transformers) -> Transformer:
    served = typing.get_origin(python_type) or python_type
    made = field_transformers(python_type, served._fields, registry)
    return fixed_tuple(python_type, tuple(made.values()), names=tuple(made), of=served)


HOOK: Final = Hook(_matches, _build, recursive=True)
