"""Data classes whose fields can be read from flytectl's files and the ``FLYTE_*`` variables."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, ClassVar, Self

from flytekit.configuration._files import Setting, settings


class Readable:
    """A data class whose fields can be read from a file and the environment: those of ``table``."""

    _table: ClassVar[Mapping[str, Setting]]

    def __init_subclass__(cls, *, table: Mapping[str, Setting], **options: Any) -> None:
        super().__init_subclass__(**options)
        cls._table = table

    @classmethod
    def auto(cls, config_file: str | os.PathLike[str] | None = None) -> Self:
        """As a flytectl-style file and the environment say. Raises ``whimbrel.errors.InputInvalid``."""
        return cls(**settings(cls._table, config_file))
