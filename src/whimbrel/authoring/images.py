"""What a task runs in, as data: ``ImageSpec`` and ``PodTemplate``. Nothing is built here."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from whimbrel.errors import CallMismatch

_IMAGE_VARIABLE = "FLYTE_INTERNAL_IMAGE"
"""Names the image in a container of Flyte's."""


class ImageSpec(Struct, frozen=True, dict=True):
    """An image, by what shall be in it. Each field is as flytekit has it; ``with_…`` gives another one with more.

    Raises ``CallMismatch`` for a field that is no list where one is wanted.
    """

    name: str = "flytekit"
    python_version: str | None = None
    builder: str | None = None
    source_root: str | None = None
    env: dict[str, str] | None = None
    registry: str | None = None
    packages: list[str] | None = None
    conda_packages: list[str] | None = None
    conda_channels: list[str] | None = None
    requirements: str | None = None
    apt_packages: list[str] | None = None
    cuda: str | None = None
    cudnn: str | None = None
    base_image: Any = None
    platform: str | None = None
    pip_index: str | None = None
    pip_extra_index_url: list[str] | None = None
    pip_secret_mounts: list[tuple[str, str]] | None = None
    pip_extra_args: str | None = None
    registry_config: str | None = None
    entrypoint: list[str] | None = None
    commands: list[str] | None = None
    tag_format: str | None = None
    source_copy_mode: Any = None
    copy: list[str] | None = None
    python_exec: str | None = None
    runtime_packages: list[str] | None = None
    builder_options: dict[str, Any] | None = None
    builder_config: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        for field in _LISTS:
            value = getattr(self, field)
            if value is not None and (isinstance(value, str) or not isinstance(value, Sequence)):
                raise CallMismatch(f"the {field} of the image {self.name!r} are {value!r}. Give a list of texts.")
        if self.env is not None and not isinstance(self.env, Mapping):
            raise CallMismatch(f"the env of the image {self.name!r} is {self.env!r}. Give a dict of texts.")

    def image_name(self) -> str:
        """Registry and name, without a tag."""
        return f"{self.registry}/{self.name}" if self.registry else self.name

    def is_container(self) -> bool:
        """Whether this process runs in the image: outside any container of Flyte's, always."""
        running = os.environ.get(_IMAGE_VARIABLE)
        return running is None or running.rpartition(":")[0] == self.image_name() or running == self.image_name()

    def _more(self, field: str, added: str | Sequence[str]) -> ImageSpec:
        more = [added] if isinstance(added, str) else added
        return replace(self, **{field: [*(getattr(self, field) or ()), *more]})

    def with_packages(self, packages: str | Sequence[str]) -> ImageSpec:
        """With more Python packages."""
        return self._more("packages", packages)

    def with_apt_packages(self, apt_packages: str | Sequence[str]) -> ImageSpec:
        """With more packages of the system's."""
        return self._more("apt_packages", apt_packages)

    def with_commands(self, commands: str | Sequence[str]) -> ImageSpec:
        """With more commands that are run while it is built."""
        return self._more("commands", commands)

    def with_copy(self, src: str | Sequence[str]) -> ImageSpec:
        """With more files copied into it."""
        return self._more("copy", src)

    def with_runtime_packages(self, runtime_packages: str | Sequence[str]) -> ImageSpec:
        """With more Python packages that are installed when it starts."""
        return self._more("runtime_packages", runtime_packages)

    def with_builder_options(self, builder_options: Mapping[str, Any]) -> ImageSpec:
        """With more said to what builds it."""
        return replace(self, builder_options={**(self.builder_options or {}), **builder_options})

    def force_push(self) -> ImageSpec:
        """The same; whoever builds it shall push it even if it is there."""
        copied = replace(self)
        copied.__dict__["_is_force_push"] = True
        return copied


_LISTS = (
    "packages",
    "conda_packages",
    "conda_channels",
    "apt_packages",
    "pip_extra_index_url",
    "entrypoint",
    "commands",
    "copy",
    "runtime_packages",
)


class PodTemplate(Struct, frozen=True):
    """The Kubernetes pod of a task. ``pod_spec`` is a ``V1PodSpec`` of the Kubernetes client, or a dict of its form."""

    pod_spec: Any = None
    primary_container_name: str = "primary"
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None

    def __post_init__(self) -> None:
        if not self.primary_container_name:
            raise CallMismatch("a PodTemplate has no primary_container_name. Name the container that runs the task.")
