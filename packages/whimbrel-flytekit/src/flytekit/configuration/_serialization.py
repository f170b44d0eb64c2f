"""The settings of registering, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flytekit.configuration._images import Image, ImageConfig

__all__ = ["EntrypointSettings", "FastSerializationSettings", "SerializationSettings"]


@dataclass(frozen=True)
class EntrypointSettings:
    """Where the entry point is in an image."""

    path: str | None = None


@dataclass(frozen=True)
class FastSerializationSettings:
    """Where code that is uploaded is put, and where it comes from."""

    enabled: bool = False
    destination_dir: str | None = None
    distribution_location: str | None = None


@dataclass(frozen=True)
class SerializationSettings:
    """What an entity is registered as."""

    image_config: ImageConfig | None = None
    project: str | None = None
    domain: str | None = None
    version: str | None = None
    env: dict[str, str] | None = None
    default_resources: Any = None
    git_repo: str | None = None
    python_interpreter: str = "/opt/venv/bin/python3"
    flytekit_virtualenv_root: str | None = None
    fast_serialization_settings: FastSerializationSettings | None = None
    source_root: str | None = None

    @classmethod
    def for_image(cls, image: str, version: str, project: str = "", domain: str = "") -> SerializationSettings:
        """Everything runs in one image."""
        return cls(ImageConfig(Image.look_up_image_info("default", image)), project, domain, version)

    def should_fast_serialize(self) -> bool:
        """Whether code is uploaded rather than found in the image."""
        return self.fast_serialization_settings is not None and self.fast_serialization_settings.enabled
