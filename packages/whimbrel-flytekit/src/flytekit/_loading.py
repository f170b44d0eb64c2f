"""Names of flytekit's that load something, where there is little to load."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

__all__ = ["lazy_module", "load_implicit_plugins"]


class _Lazy(ModuleType):
    """A module that is imported when something of it is asked for."""

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module(self.__name__), name)


def lazy_module(fullname: str) -> ModuleType:
    """The module, imported when something of it is first asked for."""
    return _Lazy(fullname)


def load_implicit_plugins() -> None:
    """Nothing is left to do: types and renderers of others are found when they are needed, by their entry points."""
