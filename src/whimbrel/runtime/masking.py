"""Secrets out of what an attempt says: logs, decks, progress, failures.

A secret is looked for as it is, and as printing, JSON, URLs, HTML and base64 change it; of one with several lines each
line too. Values shorter than ``SHORTEST`` are left alone: a mask of every "1" would tell more than it hides.

Knows: texts, reports. Must not know: where secrets come from, where reports go.
"""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar
from urllib.parse import quote, quote_plus

import msgspec
from msgspec.structs import replace

from whimbrel.errors import SecretLeak
from whimbrel.model import codec
from whimbrel.model.attempt import AttemptFault, DeckUpdate, FinishCall, LogChunk, Lost, Progress, Report
from whimbrel.model.failure import Failure
from whimbrel.model.literals import Literals
from whimbrel.model.run import Failed
from whimbrel.model.secrets import SHORTEST, SecretValue, secret_title

_LINE = 8
"""Characters of a line of a longer secret that is masked by itself: `}` is in every text."""
MASK = "***"

R = TypeVar("R")


class Mask:
    """Hides ``secrets`` in texts. Without secrets it changes nothing."""

    def __init__(self, secrets: Iterable[SecretValue] = ()) -> None:
        self._secrets = [secret for secret in secrets if len(secret.value) >= SHORTEST]
        forms = {form: None for secret in self._secrets for form in _forms(secret.value)}
        # The longest first: where one form begins with another, all of it goes.
        self._forms = sorted(forms, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, self._forms))) if self._forms else None
        self._longest = len(self._forms[0]) if self._forms else 0

    def __bool__(self) -> bool:
        return self._pattern is not None

    def text(self, text: str) -> str:
        """``text`` with every secret in it masked."""
        return self._pattern.sub(MASK, text) if self._pattern is not None else text

    def begun(self, text: str) -> int:
        """How many characters at the end of ``text`` may be the beginning of a secret."""
        for size in range(min(self._longest - 1, len(text)), 0, -1):
            end = text[-size:]
            if any(form.startswith(end) for form in self._forms if len(form) > size):
                return size
        return 0

    def report(self, report: R) -> R:
        """``report`` with every secret in its texts masked."""
        if self._pattern is None:
            return report
        masked: Any = report
        match report:
            case LogChunk() | Lost():
                masked = _walk(report, self.text)
            case Progress():
                masked = replace(report, message=self.text(report.message))
            case DeckUpdate():
                masked = replace(report, name=self.text(report.name), html=self.text(report.html))
            case AttemptFault():
                masked = replace(report, failure=self.failure(report.failure))
            case FinishCall(outcome=Failed(failure=failure)):
                masked = replace(report, outcome=Failed(self.failure(failure)))
            case _:
                pass
        checked: R = masked
        return checked

    def failure(self, failure: Failure) -> Failure:
        """``failure`` with every secret masked: in messages, arguments, attributes, notes, tracebacks, causes."""
        if self._pattern is None:
            return failure
        masked: Failure = _walk(failure, self.text)
        return masked

    def refuse(self, literals: Literals, what: str) -> None:
        """Raise ``SecretLeak`` when a secret is part of ``literals``: they would be kept in the clear."""
        if self._pattern is None:
            return
        data = codec.encode(literals)
        for secret in self._secrets:
            if secret.value in data:
                title = secret_title(secret.group, secret.key)
                raise SecretLeak(
                    f"{what} holds the secret {title!r}, and would be kept in the clear. Pass on what was made with "
                    "it, and read the secret where it is needed."
                )


def masked_send(send: Callable[[Report], None], mask: Mask) -> Callable[[Report], None]:
    """``send`` for reports in which secrets are masked."""
    return (lambda report: send(mask.report(report))) if mask else send


def _walk(value: Any, change: Any) -> Any:
    """``value`` with ``change`` made to every text in it, however deep."""
    if isinstance(value, str):
        # Members of enumerations stay what they are.
        return change(value) if type(value) is str else value
    if isinstance(value, bytes):
        return change(value.decode("latin-1")).encode("latin-1")
    if isinstance(value, dict):
        return {_walk(key, change): _walk(item, change) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)([_walk(item, change) for item in value])
    if isinstance(value, msgspec.Struct):
        return replace(value, **{name: _walk(getattr(value, name), change) for name in value.__struct_fields__})
    return value


def _forms(value: bytes) -> Iterator[str]:
    text = value.decode("utf-8", "backslashreplace")
    pieces = [text]
    lines = text.splitlines()
    if len(lines) > 1:
        pieces += [stripped for line in lines if len(stripped := line.strip()) >= _LINE]
    for piece in pieces:
        yield piece
        yield repr(piece)[1:-1]
        yield json.dumps(piece)[1:-1]
        yield json.dumps(piece, ensure_ascii=False)[1:-1]
        yield html.escape(piece)
        yield quote(piece, safe="")
        yield quote_plus(piece)
    yield base64.b64encode(value).decode()
    yield base64.urlsafe_b64encode(value).decode().rstrip("=")


class MaskedStream:
    """Text that comes in pieces: a secret that is cut in two is masked all the same."""

    def __init__(self) -> None:
        self._held = ""

    def feed(self, mask: Mask, text: str, *, final: bool = False) -> str:
        """The text that can be shown now; with ``final``, all of it."""
        if not mask and not self._held:
            return text
        text = mask.text(self._held + text)
        kept = 0 if final else mask.begun(text)
        self._held = text[len(text) - kept :]
        return text[: len(text) - kept]
