"""``flytekit.remote``: where a server is, as data.

A ``FlyteRemote`` can be made, and given to ``@eager(remote=...)``. To talk through it is refused.
"""

from __future__ import annotations

from typing import Any, NoReturn

from flytekit._adapt import NotInThisRelease, missing, surface
from flytekit._remote_entities import *  # noqa: F403 (a star re-exports in the eyes of type checkers too)
from flytekit.configuration import Config as _Config


class FlyteRemote:
    """Where a server is, and the project and domain that are meant unless one is named."""

    def __init__(
        self,
        config: _Config,
        default_project: str | None = None,
        default_domain: str | None = None,
        data_upload_location: str = "flyte://my-s3-bucket/",
        interactive_mode_enabled: bool | None = None,
    ) -> None:
        self.config = config
        self.default_project = default_project
        self.default_domain = default_domain
        self.data_upload_location = data_upload_location
        self.interactive_mode_enabled = bool(interactive_mode_enabled)

    @classmethod
    def auto(cls, config_file: str | None = None, *args: Any, **kwargs: Any) -> FlyteRemote:
        """A remote as ``Config.auto`` finds it."""
        return cls(_Config.auto(config_file), *args, **kwargs)

    @classmethod
    def for_endpoint(cls, endpoint: str, insecure: bool = False, *args: Any, **kwargs: Any) -> FlyteRemote:
        """A remote at an address."""
        return cls(_Config.for_endpoint(endpoint, insecure), *args, **kwargs)

    @classmethod
    def for_sandbox(cls, *args: Any, **kwargs: Any) -> FlyteRemote:
        """A remote at the sandbox's address."""
        return cls(_Config.for_sandbox(), *args, **kwargs)

    def __getattr__(self, name: str) -> NoReturn:
        if name in surface()["flytekit.remote"]["methods"]:
            raise NotInThisRelease(
                f"FlyteRemote.{name} needs a server, which is planned, but not in this release of whimbrel-flytekit. "
                "Run files with `pyflyte run FILE NAME`; see what ran with `whimbrel runs` and `whimbrel describe RUN`."
            )
        raise AttributeError(f"FlyteRemote has no attribute {name!r}")


__getattr__ = missing(__name__)
