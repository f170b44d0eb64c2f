"""``flytekit.deck.renderer``: values as HTML."""

from flytekit._adapt import missing
from whimbrel.authoring.renderers import MarkdownRenderer as MarkdownRenderer
from whimbrel.authoring.renderers import PythonDependencyRenderer as PythonDependencyRenderer
from whimbrel.authoring.renderers import Renderer as Renderable
from whimbrel.authoring.renderers import SourceCodeRenderer as SourceCodeRenderer
from whimbrel.authoring.renderers import TopFrameRenderer as TopFrameRenderer

__all__ = ["MarkdownRenderer", "PythonDependencyRenderer", "Renderable", "SourceCodeRenderer", "TopFrameRenderer"]

__getattr__ = missing(__name__)
