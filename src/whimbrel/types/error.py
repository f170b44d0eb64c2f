"""``FlyteError``: what the failure node of a workflow is told."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class FlyteError:
    """Why a workflow did not succeed: the message, and the path of the node that failed, "" if it was stopped."""

    message: str
    failed_node_id: str
