"""Images, as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike

from flytekit.configuration._files import settings
from flytekit.configuration._more_tables import IMAGES

__all__ = ["Image", "ImageConfig"]


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

    @classmethod
    def look_up_image_info(cls, name: str, image_identifier: str) -> Image:
        """A reference, taken apart."""
        named, _, digest = image_identifier.partition("@")  # a colon before the last slash is a port
        head, _, tag = named.rpartition(":") if ":" in named.rpartition("/")[2] else (named, "", "")
        return cls(name, head, tag or None, digest or None)


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
        images = [Image.look_up_image_info(*item) for item in {"default": default_image, **(m or {})}.items()]
        return cls(images[0], images)

    @classmethod
    def auto(cls, config_file: str | PathLike[str] | None = None, img_name: str | None = None) -> ImageConfig:
        """The images that the file names, and ``img_name`` for the default one. Raises ``InputInvalid``."""
        named = settings(IMAGES, config_file).get("images", {})
        default = img_name or named.pop("default", None)
        images = [Image.look_up_image_info(name, str(text)) for name, text in named.items()]
        return cls(Image.look_up_image_info("default", default) if default else None, images)
