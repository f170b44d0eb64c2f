"""What a task, a counter and a local cache are told, as data."""

from __future__ import annotations

from dataclasses import dataclass

from flytekit.configuration._more_tables import LOCAL, SECRETS, STATS, TASK
from flytekit.configuration._readable import Readable

__all__ = ["LocalConfig", "SecretsConfig", "StatsConfig", "TaskConfig"]


@dataclass(frozen=True)
class SecretsConfig(Readable, table=SECRETS):
    """Where a task's secrets are."""

    env_prefix: str = "_FSEC_"
    default_dir: str = "/etc/secrets"
    file_prefix: str = ""


@dataclass(frozen=True)
class StatsConfig(Readable, table=STATS):
    """Where counters go. Here they stay with the task: ``current_context().stats``."""

    host: str = "localhost"
    port: int = 8125
    disabled: bool = False
    disabled_tags: bool = False


@dataclass(frozen=True)
class LocalConfig(Readable, table=LOCAL):
    """The cache of local runs, as data. Here it is the home's: ``pyflyte run --overwrite-cache`` computes anew."""

    cache_enabled: bool = True
    cache_overwrite: bool = False


@dataclass(frozen=True)
class TaskConfig(Readable, table=TASK):
    """The project and the domain that are meant unless one is named."""

    project: str = "flytesnacks"
    domain: str = "development"
    org: str | None = None
