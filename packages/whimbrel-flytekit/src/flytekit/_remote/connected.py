"""A server for ``FlyteRemote``: how it is found, and where people look at what is on it.

Knows: flytekit's configuration. Must not know: what is asked. The client is imported when a server is first asked:
`import flytekit` does not wait for it.
"""

from __future__ import annotations

import importlib
import os
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn, Self

from flytekit._adapt import NotInThisRelease, surface
from flytekit._remote.configuring import client_config
from flytekit._remote.executions import FlyteWorkflowExecution
from flytekit._remote.identifiers import (
    Identifier,
    WorkflowExecutionIdentifier,
)
from flytekit.configuration import Config, DataConfig

if TYPE_CHECKING:
    from whimbrel.client.remote import Remote


class Connected:
    """See the module."""

    def __init__(
        self,
        config: Config,
        default_project: str | None = None,
        default_domain: str | None = None,
        data_upload_location: str = "flyte://my-s3-bucket/",
        interactive_mode_enabled: bool | None = None,
        **_: Any,
    ) -> None:
        self.config = config
        self.default_project = default_project
        self.default_domain = default_domain
        self.data_upload_location = data_upload_location
        self.interactive_mode_enabled = bool(interactive_mode_enabled)

    @classmethod
    def auto(cls, config_file: str | os.PathLike[str] | None = None, *args: Any, **kwargs: Any) -> Self:
        """A remote as ``Config.auto`` finds it."""
        return cls(Config.auto(config_file), *args, **kwargs)

    @classmethod
    def for_endpoint(
        cls,
        endpoint: str,
        insecure: bool = False,
        data_config: DataConfig | None = None,
        config_file: str | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> Self:
        """A remote at an address."""
        return cls(Config.for_endpoint(endpoint, insecure, data_config, config_file), *args, **kwargs)

    @classmethod
    def for_sandbox(cls, *args: Any, **kwargs: Any) -> Self:
        """A remote at the sandbox: the server that ``flytectl demo start`` started."""
        return cls(Config.for_sandbox(), *args, **kwargs)

    @cached_property
    def whimbrel_remote(self) -> Remote:
        """whimbrel's own client of this server."""
        config = client_config(self.config, self.default_project, self.default_domain)
        made: Remote = importlib.import_module("whimbrel.client.remote").Remote(config)
        return made

    @property
    def project(self) -> str:
        """The project that is meant."""
        return self.whimbrel_remote.project

    @property
    def domain(self) -> str:
        """The domain that is meant."""
        return self.whimbrel_remote.domain

    def __getattr__(self, name: str) -> NoReturn:
        instead = surface()["flytekit.remote"]["absent_methods"].get(name)
        if instead is not None:
            raise NotInThisRelease(f"FlyteRemote.{name} is not supported by whimbrel-flytekit. {instead}")
        raise AttributeError(f"FlyteRemote has no attribute {name!r}")

    def __reduce__(self) -> Any:
        # Connections stay where they are.
        said = (self.config, self.default_project, self.default_domain, self.data_upload_location)
        return type(self), (*said, self.interactive_mode_enabled)

    # --- where people look -------------------------------------------------------------------------------------------

    def generate_console_http_domain(self) -> str:
        """Where the console is."""
        console = self.config.platform.console_endpoint
        return console.rstrip("/") if console else self.whimbrel_remote.config.url

    def generate_console_url(self, entity: Any) -> str:
        """Where people look at an execution, a node, a task, a workflow or a launch plan, or at what an id is of."""
        if isinstance(entity, FlyteWorkflowExecution) and entity.execution_url:
            return entity.execution_url
        id = entity if isinstance(entity, Identifier | WorkflowExecutionIdentifier) else entity.id
        id = getattr(getattr(id, "node_execution_id", id), "execution_id", id)
        place = f"{self.generate_console_http_domain()}/console/projects/{id.project}/domains/{id.domain}"
        if isinstance(id, WorkflowExecutionIdentifier):
            return f"{place}/executions/{id.name}"
        return f"{place}/{id.resource_type_name().lower()}/{id.name}/version/{id.version}"

    def place(self, project: str | None, domain: str | None) -> tuple[str, str]:
        known = self.whimbrel_remote
        return project or known.project, domain or known.domain
