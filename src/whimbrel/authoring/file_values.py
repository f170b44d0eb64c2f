"""Values that cross to other programs: as text in command lines and files, and back by their Python types.

Knows Python types. Must not know tasks, who runs the programs.
"""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Mapping
from typing import Any

from whimbrel.errors import UserError, ValueMismatch
from whimbrel.types.directories import FlyteDirectory
from whimbrel.types.files import FlyteFile


def text_of(value: Any) -> str:
    """``value`` as text: files and directories are where they lie on this machine, containers JSON, moments ISO 8601,
    the rest as Python prints it."""
    if isinstance(value, str):
        return value
    if isinstance(value, os.PathLike):
        return str(os.path.abspath(os.fspath(value)))
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    if type(value) in (list, tuple, dict):
        return json.dumps(value, default=text_of, ensure_ascii=False)
    return str(value)


def json_of(value: Any) -> Any:
    """``value`` as JSON has it; what JSON has no form for as text."""
    if isinstance(value, bool | int | float | str | type(None)):
        return value
    if isinstance(value, list | tuple):
        return [json_of(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): json_of(item) for key, item in value.items()}
    return text_of(value)


def value_at(path: str, kind: Any, what: str) -> Any:
    """What a program left at ``path``, as a value of the type ``kind``. Raises ``UserError``, ``ValueMismatch``."""
    if isinstance(kind, type) and issubclass(kind, FlyteDirectory):
        if not os.path.isdir(path):
            raise UserError(f"{what}: there is no directory at {path}. The command must make it.")
        return kind(path)
    if not os.path.isfile(path):
        raise UserError(f"{what}: there is no file at {path}. The command must write it.")
    if isinstance(kind, type) and issubclass(kind, FlyteFile):
        return kind(path)
    with open(path, encoding="utf-8") as file:
        return value_of(file.read(), kind, what)


def value_of(text: str, kind: Any, what: str) -> Any:
    """``text`` as a value of the type ``kind``: JSON for everything that is not a scalar. Raises ``ValueMismatch``."""
    if kind is str:
        return text.removesuffix("\n")
    import msgspec

    bare = text.strip()
    try:
        if kind in (int, float):
            return kind(bare)
        if kind is bool and bare.lower() in ("true", "false", "1", "0"):
            return bare.lower() in ("true", "1")
        if kind in (dt.datetime, dt.date):
            return kind.fromisoformat(bare)
        if kind is dt.timedelta:
            return dt.timedelta(seconds=float(bare))
        return msgspec.json.decode(bare.encode(), type=kind)
    except (ValueError, msgspec.MsgspecError) as error:
        name = getattr(kind, "__name__", str(kind))
        shown = repr(bare if len(bare) <= 60 else f"{bare[:59]}…")
        raise ValueMismatch(name, f"{shown} ({error})", "$", what) from None
