"""Thumbnails of a directory of images, and a contact sheet.

    whimbrel run examples/data/thumbnails.py contact_sheet --source photos/ --size 48

Images are a type: they travel by reference, as PNG. Each is made small in a task of its own.
"""

from __future__ import annotations

from functools import partial

from PIL import Image

from whimbrel import FlyteDirectory, FlyteFile, map_task, task, workflow


@task
def pictures(source: FlyteDirectory) -> list[FlyteFile]:
    """The images of a directory, by name; none is opened here."""
    return sorted(
        (file for file in source.listdir() if file.uri.endswith((".png", ".jpg"))), key=lambda file: str(file.uri)
    )


@task
def thumbnail(picture: FlyteFile, size: int) -> Image.Image:
    """The picture in a square of ``size`` pixels, its proportions kept."""
    with picture.open("rb") as file, Image.open(file) as image:
        small = image.convert("RGB")
        small.thumbnail((size, size))
        sheet = Image.new("RGB", (size, size), "white")
        sheet.paste(small, ((size - small.width) // 2, (size - small.height) // 2))
        return sheet


@task
def arrange(thumbnails: list[Image.Image], columns: int) -> Image.Image:
    """All of them on one sheet, row by row."""
    size = thumbnails[0].width if thumbnails else 1
    rows = -(-len(thumbnails) // columns)
    sheet = Image.new("RGB", (columns * size, max(rows, 1) * size), "white")
    for position, image in enumerate(thumbnails):
        sheet.paste(image, (position % columns * size, position // columns * size))
    return sheet


@workflow
def contact_sheet(source: FlyteDirectory, size: int = 64, columns: int = 3) -> Image.Image:
    """A sheet of all the pictures of a directory."""
    found = pictures(source=source)
    return arrange(thumbnails=map_task(partial(thumbnail, size=size))(picture=found), columns=columns)
