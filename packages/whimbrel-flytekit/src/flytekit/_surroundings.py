"""What is around a run: contexts, decks, the server, the logger."""

from flytekit._loading import lazy_module as lazy_module
from flytekit._loading import load_implicit_plugins as load_implicit_plugins
from flytekit.configuration import Config as Config
from flytekit.core.context_manager import ExecutionParameters as ExecutionParameters
from flytekit.core.context_manager import FlyteContext as FlyteContext
from flytekit.core.context_manager import FlyteContextManager as FlyteContextManager
from flytekit.loggers import LOGGING_RICH_FMT_ENV_VAR as LOGGING_RICH_FMT_ENV_VAR
from flytekit.loggers import logger as logger
from flytekit.remote import FlyteRemote as FlyteRemote
from whimbrel.authoring.calling import current_context as current_context
from whimbrel.authoring.context import Checkpoint as Checkpoint
from whimbrel.authoring.decks import HtmlDeck as Deck

__all__ = [
    "LOGGING_RICH_FMT_ENV_VAR",
    "Checkpoint",
    "Config",
    "Deck",
    "ExecutionParameters",
    "FlyteContext",
    "FlyteContextManager",
    "FlyteRemote",
    "current_context",
    "lazy_module",
    "load_implicit_plugins",
    "logger",
]
