"""What a flytectl-style YAML file and the ``FLYTE_*`` variables say. The environment wins over the file.

A file that is named but missing says nothing; one that is there must be YAML.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from whimbrel.errors import InputInvalid

# Where flytectl and union leave their files.
_USUAL = ("~/.flyte/config.yaml", "~/.flyte/config", "~/.union/config.yaml")


class Setting(NamedTuple):
    """Where one field is said: a variable, a dotted key of the file; and how its text is read."""

    variable: str
    key: str
    read: Callable[[Any], Any] = lambda said: said


def settings(table: Mapping[str, Setting], config_file: str | os.PathLike[str] | None) -> dict[str, Any]:
    """The fields of ``table`` that the environment or the file says. Raises ``InputInvalid``."""
    said = _read(config_file or os.environ.get("FLYTECTL_CONFIG") or usual_file())
    found = {name: os.environ.get(where.variable, _at(said, where.key)) for name, where in table.items()}
    return {name: table[name].read(value) for name, value in found.items() if value is not None}


def _at(said: Any, key: str) -> Any:
    for part in key.split("."):
        said = said.get(part) if isinstance(said, Mapping) else None
    return said


def usual_file() -> Path | None:
    """The first of the usual files that is there."""
    return next((path for path in (Path(name).expanduser() for name in _USUAL) if path.is_file()), None)


def _read(config_file: str | os.PathLike[str] | None) -> Mapping[str, Any]:
    path = Path(config_file).expanduser() if config_file is not None else None
    if path is None or not path.is_file():
        return {}
    import yaml  # only for those who have a file

    try:
        said = yaml.safe_load(path.read_bytes())
    except yaml.YAMLError as error:
        raise InputInvalid(
            f"the configuration file {str(path)!r} is not YAML: {error}. Mend it, or name another."
        ) from None
    if said is not None and not isinstance(said, Mapping):
        raise InputInvalid(f"the configuration file {str(path)!r} holds no mapping. It should begin with `admin:`.")
    return said or {}
