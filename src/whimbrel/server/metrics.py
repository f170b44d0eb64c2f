"""Figures that the server counts, in Prometheus's text format.

Knows: the text format (version 0.0.4). Must not know: what is counted, or by whom.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""Seconds. From a commit on a fast disk to one that somebody will complain of."""


class Histogram:
    """How often something took how long, in seconds."""

    def __init__(self) -> None:
        self._counts = [0] * (len(BUCKETS) + 1)
        self._sum = 0.0

    def observe(self, seconds: float) -> None:
        """It took so long once."""
        self._counts[bisect_left(BUCKETS, seconds)] += 1
        self._sum += seconds

    def lines(self, name: str, help: str) -> list[str]:
        """The figures, cumulative."""
        said = [f"# HELP {name} {help}", f"# TYPE {name} histogram"]
        total = 0
        for bound, count in zip((*map(str, BUCKETS), "+Inf"), self._counts, strict=True):
            total += count
            said.append(f'{name}_bucket{{le="{bound}"}} {total}')
        return [*said, f"{name}_sum {self._sum:.9g}", f"{name}_count {total}"]


class Metrics:
    """The counters of one server: ``commits`` is how long the store took to make a write durable, ``lateness`` how long
    after their due times launch plans were launched by their schedules."""

    def __init__(self) -> None:
        self.commits = Histogram()
        self.lateness = Histogram()
        self._counters: dict[str, dict[str, int]] = {}

    def count(self, name: str, label: str = "") -> None:
        """One more of ``name``; ``label`` is ``key="value"``."""
        of = self._counters.setdefault(name, {})
        of[label] = of.get(label, 0) + 1

    def counted(self, name: str, label: str = "") -> int:
        """How many there have been."""
        return self._counters.get(name, {}).get(label, 0)

    def counter_lines(self, name: str, help: str) -> list[str]:
        """The figures of one counter."""
        return _lines(name, help, "counter", self._counters.get(name, {}))


def gauge_lines(name: str, help: str, values: Mapping[str, float]) -> list[str]:
    """Figures that go up and down, by label."""
    return _lines(name, help, "gauge", values)


def _lines(name: str, help: str, kind: str, values: Mapping[str, float]) -> list[str]:
    said = [f"# HELP {name} {help}", f"# TYPE {name} {kind}"]
    for label, value in values.items() or {"": 0}.items():
        said.append(f"{name}{{{label}}} {value:.12g}" if label else f"{name} {value:.12g}")
    return said
