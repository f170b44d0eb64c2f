"""Text that UTF-8 can hold: output of user code may have lone surrogates, and stores keep UTF-8."""

from __future__ import annotations


def encodable(text: str) -> str:
    """``text`` with every lone surrogate as an escape (``\\udc80``)."""
    # Almost all text is ASCII, and known to be.
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()
