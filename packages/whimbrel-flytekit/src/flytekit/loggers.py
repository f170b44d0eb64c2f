"""``flytekit.loggers``: the logger that user code writes to by flytekit's name."""

import logging

__all__ = ["logger"]

logger = logging.getLogger("flytekit")
