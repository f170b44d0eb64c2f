"""PIL's images, kept as files: PNG, unless ``Annotated[Image, ImageFormat("jpeg")]`` says otherwise.

PIL is never imported before somebody has an image. An image that arrives is open: its pixels are read when they are
looked at.

Knows: PIL's public API. Must not know: other kinds.
"""

from __future__ import annotations

import io
import typing
from typing import IO, Any, Final

from whimbrel.types.by_reference import FileTransformer
from whimbrel.types.hooks import Hook, Transformers
from whimbrel.types.mismatch import mismatch
from whimbrel.types.transformer import Transformer, hooks_of

THUMBNAIL: Final = 320
"""Pixels of the longer side: what a deck shows in one of its columns."""


class ImageFormat:
    """``Annotated[Image, ImageFormat("jpeg", quality=85)]``: how an image is written; ``options`` are PIL's own."""

    def __init__(self, format: str, **options: Any) -> None:
        name = format.lower().lstrip(".")
        self.format = {"jpg": "jpeg", "tif": "tiff"}.get(name, name)
        self.options = options

    def __repr__(self) -> str:
        return f"ImageFormat({self.format!r})"


PNG: Final = ImageFormat("png")


class ImageTransformer(FileTransformer[Any]):
    """``PIL.Image.Image`` and, as values, its subclasses."""

    python_type = object

    def check(self, value: Any, python_type: Any) -> None:
        """It must be an image."""
        if not _is_image(type(value)):
            raise mismatch("PIL.Image.Image", value)

    def format_of(self, python_type: Any) -> str:
        """PNG, or what the metadata says."""
        return _format(python_type).format

    def write(self, value: Any, stream: IO[bytes], python_type: Any) -> None:
        """In the format that is declared."""
        form = _format(python_type)
        # Some formats go back to fill their heads in.
        data = io.BytesIO()
        try:
            value.save(data, form.format.upper(), **form.options)
        except (OSError, KeyError, ValueError) as error:
            raise mismatch(
                f"an image that can be written as {form.format}",
                value,
                f"{error}. Convert it, or declare another: Annotated[Image, ImageFormat('tiff')]",
            ) from error
        stream.write(data.getbuffer())

    def read(self, stream: IO[bytes], python_type: Any) -> Any:
        """Its pixels too: the stream does not outlive this."""
        from PIL import Image

        image = Image.open(stream)
        image.load()
        return image


def thumbnail(image: Any, size: int = THUMBNAIL) -> str:
    """``image``, made to fit a square of ``size`` pixels, as an HTML element that needs no other file."""
    from base64 import b64encode

    small = image.copy()
    small.thumbnail((size, size))
    if small.mode not in ("L", "LA", "RGB", "RGBA"):
        small = small.convert("RGBA" if "transparency" in small.info else "RGB")
    data = io.BytesIO()
    small.save(data, "PNG")
    text = b64encode(data.getvalue()).decode()
    return (
        f'<img src="data:image/png;base64,{text}" width="{small.width}" height="{small.height}" '
        f'alt="image of {image.width} by {image.height} pixels">'
    )


def _format(python_type: Any) -> ImageFormat:
    if typing.get_origin(python_type) is typing.Annotated:
        return next((item for item in python_type.__metadata__ if isinstance(item, ImageFormat)), PNG)
    return PNG


def _is_image(python_type: type) -> bool:
    return any(base.__name__ == "Image" and base.__module__ == "PIL.Image" for base in python_type.__mro__)


def _matches(python_type: Any) -> bool:
    declared = python_type.__origin__ if typing.get_origin(python_type) is typing.Annotated else python_type
    # Its subclasses say where a file came from, and no image has to be one.
    return isinstance(declared, type) and declared.__module__ == "PIL.Image" and declared.__name__ == "Image"


_TRANSFORMER: Final = ImageTransformer()


def _build(python_type: Any, registry: Transformers) -> Transformer:
    return hooks_of(_TRANSFORMER, python_type)


HOOK: Final = Hook(_matches, _build)
