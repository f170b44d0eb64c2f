"""``flytekit.core.testing``: tasks replaced by mocks in unit tests."""

from flytekit.testing import patch as patch
from flytekit.testing import task_mock as task_mock

__all__ = ["patch", "task_mock"]
