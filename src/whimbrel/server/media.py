"""What the bytes of a file are, as far as a page has to know: a picture that browsers show, text, or something else.

What a file says of itself counts; of its name, only what is no risk.

Knows: the first bytes of formats. Must not know: where files are.
"""

from __future__ import annotations

OCTETS = "application/octet-stream"
_PICTURES = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (4, b"ftypavif", "image/avif"),
    (4, b"ftypavis", "image/avif"),
)
_CONTROLS = frozenset(range(32)) - {7, 8, 9, 10, 12, 13, 27}


def media_type(front: bytes, name: str) -> str:
    """The media type by the first bytes: one of a picture, or that of any bytes."""
    for at, magic, kind in _PICTURES:
        if front[at : at + len(magic)] == magic:
            return kind
    # As an <img> it runs no script; by itself it is a download in a sandbox.
    return "image/svg+xml" if name.lower().endswith(".svg") and b"<svg" in front[:1024] else OCTETS


def shown_text(data: bytes, *, cut: bool) -> str | None:
    """``data`` as text, ``None`` where it is none; the last character of what was ``cut`` may be half of one."""
    if _CONTROLS.intersection(data):
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if cut and error.start >= len(data) - 4:
            return data[: error.start].decode("utf-8-sig")
        return None
