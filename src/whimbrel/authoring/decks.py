"""Decks: pages that a task shows of itself, also while it runs.

What is put on a deck is escaped, unless it says that it is HTML (``Html``, which renderers give). Whoever shows a deck
shows it in a frame of its own in which nothing runs: escaping keeps pages as they were meant, the frame keeps them
harmless.

Knows: text. Must not know: who shows decks, or keeps them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Any, ClassVar, Protocol


class DeckField(StrEnum):
    """The decks that are made for a task whose decks are on."""

    INPUT = "Input"
    OUTPUT = "Output"
    SOURCE_CODE = "Source Code"
    TIMELINE = "Timeline"
    DEPENDENCIES = "Dependencies"


class Html(str):
    """Text that is HTML, and is to be shown as such."""

    __slots__ = ()


class Show(Protocol):
    """Where an attempt shows what it does."""

    def publish(self, decks: list[Deck]) -> None:
        """Show the decks as they are now."""
        ...

    def progress(self, done: float, total: float | None, message: str) -> None:
        """Say how far it is."""
        ...


def escaped(text: str) -> Html:
    """``text`` as HTML that shows it."""
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("'", "&#x27;")):
        text = text.replace(character, entity)
    return Html(text)


Render = Callable[[Any], Html]

_render: Render | None = None
_belongs: Callable[[], Any] | None = None


def provide_rendering(render: Render) -> None:
    """Say how values that are no text are rendered: the module that knows renderers does."""
    global _render
    _render = render


def provide_context(context: Callable[[], Any]) -> None:
    """Say who knows the context that a new deck belongs to: the module that has the ambient caller does."""
    global _belongs
    _belongs = context


class Deck:
    """A page with a name. ``html`` is what it begins with.

    Text is escaped; ``Html`` is taken as it is; any other value is rendered by the renderer of its type. With
    ``auto_add_to_deck`` it joins the decks of the task that is running.
    """

    takes_html: ClassVar[bool] = False
    """Whether all text is HTML."""

    def __init__(self, name: str, html: Any = None, auto_add_to_deck: bool = True) -> None:
        self._name = str(name)
        self._parts: list[str] = []
        if html is not None and html != "":
            self.append(html)
        if auto_add_to_deck and _belongs is not None:
            _belongs().decks.append(self)

    @property
    def name(self) -> str:
        """What it is called."""
        return self._name

    @property
    def html(self) -> str:
        """All of it."""
        return "\n".join(self._parts)

    def append(self, content: Any) -> Deck:
        """Add to the end; gives the deck."""
        if isinstance(content, Html) or (self.takes_html and isinstance(content, str)):
            self._parts.append(content)
        elif isinstance(content, str):
            self._parts.append(f'<p class="text">{escaped(content)}</p>')
        else:
            self._parts.append(_rendered(content))
        return self

    def clear(self) -> Deck:
        """Take everything off; gives the deck."""
        self._parts.clear()
        return self

    @staticmethod
    def publish() -> None:
        """Show the decks of the task that is running as they are now. Outside a run nothing happens."""
        if _belongs is not None:
            _belongs().publish_decks()

    def __repr__(self) -> str:
        return f"<deck {self._name!r}>"


class HtmlDeck(Deck):
    """A deck of which all text is HTML: flytekit's."""

    takes_html = True


class TimelineDeck(HtmlDeck):
    """How long the parts of a task took: ``with current_context().timeline_deck.span("load"): ...``"""

    def __init__(self, name: str, *, auto_add_to_deck: bool = True, clock: Callable[[], float] = time.time) -> None:
        super().__init__(name, auto_add_to_deck=auto_add_to_deck)
        self._clock = clock
        self._spans: list[tuple[str, float, float]] = []

    @contextmanager
    def span(self, name: str) -> Iterator[None]:
        """Measure the block."""
        begin = self._clock()
        try:
            yield
        finally:
            self._spans.append((str(name), begin, self._clock()))

    @property
    def html(self) -> str:
        """The spans as bars, and what was appended."""
        return "\n".join([_bars(self._spans), *self._parts]) if self._spans else super().html


def _rendered(value: Any) -> str:
    return _render(value) if _render is not None else f"<pre>{escaped(repr(value))}</pre>"


def _bars(spans: list[tuple[str, float, float]]) -> str:
    first = min(begin for _, begin, _ in spans)
    whole = max(end for _, _, end in spans) - first or 1.0
    rows = []
    for name, begin, end in spans:
        left, width = 100 * (begin - first) / whole, max(100 * (end - begin) / whole, 0.5)
        rows.append(
            f"<tr><td>{escaped(name)}</td><td>{end - begin:.3f} s</td>"
            f'<td class="track"><span class="bar" style="margin-left:{left:.2f}%;width:{width:.2f}%"></span></td></tr>'
        )
    return f'<table class="spans">{"".join(rows)}</table>'


def wants_decks(options: dict[str, Any]) -> bool:
    """Whether a task's options turn decks on: ``enable_deck``, or ``disable_deck=False`` as older programs say.

    Raises ``ValueError`` when both are said.
    """
    enable, disable = options.get("enable_deck"), options.get("disable_deck")
    if enable is not None and disable is not None:
        raise ValueError("enable_deck and disable_deck were both said; keep enable_deck")
    return bool(enable) if enable is not None else disable is False


def wanted_fields(options: dict[str, Any]) -> tuple[DeckField, ...]:
    """Which decks are made for a task: ``deck_fields``, all if it does not say. Raises ``ValueError``."""
    said = options.get("deck_fields")
    return tuple(DeckField) if said is None else tuple(DeckField(getattr(field, "value", field)) for field in said)
