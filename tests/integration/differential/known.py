"""Where our messages are not flytekit's, and why. Each entry must still happen, and nothing else may."""

from __future__ import annotations

import re
from typing import NamedTuple

from tests.integration.differential.comparing import Difference


class Known(NamedTuple):
    """Differences whose program and path match; ``reason`` is for the table."""

    programs: str
    path: str
    reason: str

    def covers(self, difference: Difference) -> bool:
        """Whether it is one of these."""
        return bool(re.fullmatch(self.programs, difference.program) and re.fullmatch(self.path, difference.path))


KNOWN = (
    Known(
        ".*",
        "/task .*/template/metadata/runtime/version",
        "the version of what compiled it: flytekit's there, whimbrel's here",
    ),
    Known(
        "eager_entry|dynamic_task",
        "/task .*/template/container/env",
        "flytekit hands its own settings to flytekit in the container (`_F_SS_C`); whimbrel's worker reads none",
    ),
    Known(
        "mapped_least",
        "/workflow mapped_least.least/template/nodes/0/array_node/min_success(es|_ratio)",
        "flytekit writes its default ratio over `min_successes`, which is lost; here it is there",
    ),
    Known(
        "gates",
        "/workflow gates.wf/template/nodes/2/metadata/timeout",
        "flytekit gives every sleep a time-out of an hour, also one that is to last longer; whimbrel gives it none",
    ),
    Known(
        "failure_workflow",
        "/workflow failure_workflow.*/nodes/0/id",
        "nodes of a workflow that is first seen as `on_failure` are `fn0` in flytekit, and `n0` where it was called "
        "before; here they are always `n0`",
    ),
)
UNIVERSAL = KNOWN[0]
"""It is in every program, and no reason to call the program different."""
