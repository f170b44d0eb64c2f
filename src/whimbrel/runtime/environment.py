"""Environment variables that an attempt asked for, laid over the process's own while it runs.

The environment belongs to the process: attempts that run at the same time see each other's variables. Workers run one
task at a time and so keep them apart; where attempts share a process, what is here makes sure that at least the end
leaves nothing behind.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext

_lock = threading.Lock()
_layers: list[Mapping[str, str]] = []
_own: dict[str, str | None] = {}
"""What the process had under each name that a layer covers."""


_NOTHING: AbstractContextManager[None] = nullcontext()


def laid_over(variables: Mapping[str, str]) -> AbstractContextManager[None]:
    """Set ``variables``; put back what was there before, whatever the order in which overlapping blocks end."""
    return _laid_over(variables) if variables else _NOTHING


@contextmanager
def _laid_over(variables: Mapping[str, str]) -> Iterator[None]:
    with _lock:
        _layers.append(variables)
        for name, value in variables.items():
            _own.setdefault(name, os.environ.get(name))
            os.environ[name] = value
    try:
        yield
    finally:
        with _lock:
            del _layers[next(at for at, layer in enumerate(_layers) if layer is variables)]
            for name in variables:
                _settle(name)


def _settle(name: str) -> None:
    for layer in reversed(_layers):
        if name in layer:
            os.environ[name] = layer[name]
            return
    before = _own.pop(name)
    if before is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = before
