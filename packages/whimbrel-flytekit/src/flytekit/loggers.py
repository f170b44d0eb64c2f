"""``flytekit.loggers``: the logger that user code writes to by flytekit's name."""

import logging

from flytekit._adapt import missing

__all__ = ["LOGGING_RICH_FMT_ENV_VAR", "logger"]

logger = logging.getLogger("flytekit")

LOGGING_RICH_FMT_ENV_VAR = "FLYTE_SDK_RICH_TRACEBACKS"
"""Data only: the logger has no handlers of its own to format with."""

__getattr__ = missing(__name__)
