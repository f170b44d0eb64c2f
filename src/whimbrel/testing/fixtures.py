"""Fixtures for pytest: ``from whimbrel.testing.fixtures import whimbrel_engine`` in a ``conftest.py``.

Not a plugin by entry point: pytest would import the whole engine at every start, also where nobody wants it.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from whimbrel.testing.engine import TestEngine


@pytest.fixture
def whimbrel_engine() -> TestEngine:
    """A fresh engine in memory: no time passes, nothing is random."""
    return TestEngine()


@pytest.fixture
def make_whimbrel_engine() -> Callable[..., TestEngine]:
    """What makes engines, for tests that need several, or one with a seed."""
    return TestEngine
