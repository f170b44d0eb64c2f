"""``flytekit.deck``: pages that a task leaves behind."""

from flytekit._adapt import missing
from whimbrel.authoring.decks import DeckField as DeckField
from whimbrel.authoring.decks import HtmlDeck as Deck
from whimbrel.authoring.renderers import MarkdownRenderer as MarkdownRenderer
from whimbrel.authoring.renderers import SourceCodeRenderer as SourceCodeRenderer
from whimbrel.authoring.renderers import TopFrameRenderer as TopFrameRenderer

__all__ = ["Deck", "DeckField", "MarkdownRenderer", "SourceCodeRenderer", "TopFrameRenderer"]

__getattr__ = missing(__name__)
