"""``TaskMetadata``: options of a task in flytekit's form, for tasks that are made by calls."""

from __future__ import annotations

import datetime as dt
from typing import Any

from msgspec import Struct

from whimbrel.errors import CallMismatch


class TaskMetadata(Struct, frozen=True):
    """As flytekit has it. ``options()`` are those of ``task``. Raises ``CallMismatch``."""

    cache: bool = False
    cache_serialize: bool = False
    cache_version: str = ""
    cache_ignore_input_vars: tuple[str, ...] = ()
    interruptible: bool | None = None
    deprecated: str = ""
    retries: int = 0
    timeout: dt.timedelta | int | None = None
    pod_template_name: str | None = None
    generates_deck: bool = False
    is_eager: bool = False
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None

    def __post_init__(self) -> None:
        if self.timeout is not None and (
            isinstance(self.timeout, bool) or not isinstance(self.timeout, int | dt.timedelta)
        ):
            raise CallMismatch(f"the timeout is {self.timeout!r}. Give seconds or a timedelta.")
        if self.cache and not self.cache_version:
            raise CallMismatch("cache=True needs a cache_version here. Give one.")
        if not self.cache and (self.cache_serialize or self.cache_ignore_input_vars):
            raise CallMismatch("cache_serialize and cache_ignore_input_vars need cache=True.")

    @property
    def retry_strategy(self) -> int:
        """How many retries it allows."""
        return self.retries

    def options(self) -> dict[str, Any]:
        """What is said in it, as options of ``task``."""
        said = {name: getattr(self, name) for name in self.__struct_fields__}
        del said["generates_deck"], said["is_eager"]
        return {name: value for name, value in said.items() if value not in (None, "", (), False, 0)}
