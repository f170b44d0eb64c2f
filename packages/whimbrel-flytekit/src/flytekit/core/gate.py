"""``flytekit.core.gate``: workflows that wait for a person, or for a while."""

from flytekit._adapt import missing
from whimbrel import approve as approve
from whimbrel import wait_for_input as wait_for_input
from whimbrel.authoring.gate import Gate as Gate
from whimbrel.authoring.gate import sleep as sleep

__all__ = ["Gate", "approve", "sleep", "wait_for_input"]

__getattr__ = missing(__name__)
