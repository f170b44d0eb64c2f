"""Images and the settings of registering, as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

__all__ = ["Image", "ImageConfig", "SerializationSettings"]


@dataclass(frozen=True)
class Image:
    """A container image under a name of one's own."""

    name: str
    fqn: str
    tag: str | None = None
    digest: str | None = None

    @property
    def full(self) -> str:
        """The reference that a registry understands."""
        return f"{self.fqn}@{self.digest}" if self.digest else f"{self.fqn}:{self.tag or 'latest'}"


@dataclass(frozen=True)
class ImageConfig:
    """The image of tasks that name none, and images by name."""

    default_image: Image | None = None
    images: Sequence[Image] = ()

    def find_image(self, name: str) -> Image | None:
        """The image of that name."""
        return next((image for image in (self.default_image, *self.images) if image and image.name == name), None)

    @classmethod
    def from_images(cls, default_image: str, m: Mapping[str, str] | None = None) -> ImageConfig:
        """References, the first for the default."""
        images = [_image(name, text) for name, text in {"default": default_image, **(m or {})}.items()]
        return cls(images[0], images[1:])


def _image(name: str, text: str) -> Image:
    named, _, digest = text.partition("@")
    # A colon before the last slash is a port.
    head, _, tag = named.rpartition(":") if ":" in named.rpartition("/")[2] else (named, "", "")
    return Image(name, head, tag or None, digest or None)


@dataclass(frozen=True)
class SerializationSettings:
    """What an entity is registered as."""

    image_config: ImageConfig | None = None
    project: str | None = None
    domain: str | None = None
    version: str | None = None
    env: dict[str, str] | None = None
    source_root: str | None = None
