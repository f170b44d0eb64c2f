"""What a task asks of the machine that it runs on: ``Resources``, checked when they are written.

Quantities are Kubernetes': ``"500m"`` or ``0.5`` processors, ``"2Gi"`` of memory. A pair is a request and a limit.
"""

from __future__ import annotations

import re
from typing import Any

from whimbrel.errors import CallMismatch

_QUANTITY = re.compile(r"\d+(\.\d+)?(e\d+|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?")

_FACTORS = {"m": 1e-3, "": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18} | {
    f"{unit}i": 1024.0**power for power, unit in enumerate("KMGTPE", start=1)
}


class Resources:
    """``cpu``, ``mem``, ``gpu`` and ``ephemeral_storage``, each a quantity or a pair of them.

    Raises ``CallMismatch`` for what is neither.
    """

    def __init__(
        self,
        cpu: Any = None,
        mem: Any = None,
        gpu: Any = None,
        ephemeral_storage: Any = None,
        *,
        storage: Any = None,
    ) -> None:
        if ephemeral_storage is not None and storage not in (None, ""):
            raise CallMismatch("storage and ephemeral_storage are two names of one thing: give one of them.")
        self.cpu = _checked("cpu", cpu)
        self.mem = _checked("mem", mem)
        self.gpu = _checked("gpu", gpu)
        self.ephemeral_storage = _checked("ephemeral_storage", ephemeral_storage if storage is None else storage)

    def _said(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if value is not None}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Resources) and self._said() == other._said()

    def __hash__(self) -> int:
        return hash(repr(self))

    def __repr__(self) -> str:
        return f"Resources({', '.join(f'{name}={value!r}' for name, value in self._said().items())})"


def _checked(name: str, value: Any) -> Any:
    if value is None or value == "":
        return None
    if isinstance(value, list | tuple):
        if len(value) != 2:
            raise CallMismatch(f"{name} is {value!r}. Give a quantity, or a pair: a request and a limit.")
        low, high = (_checked(name, each) for each in value)
        if low is not None and high is not None and amount(low) > amount(high):
            raise CallMismatch(f"{name} asks for {low} but is limited to {high}. Raise the limit.")
        return low, high
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise CallMismatch(f"{name} is {value!r}. Give a quantity, such as '500m', 2 or '4Gi'.")
    if not _QUANTITY.fullmatch(str(value)):
        raise CallMismatch(f"{name} is {value!r}, which is no quantity. Write '500m', '2' or '4Gi', for example.")
    return value


def amount(quantity: Any) -> float:
    """A quantity as a number."""
    text = str(quantity)
    digits = re.match(r"[\d.]+(e\d+)?", text)
    assert digits is not None
    return float(digits[0]) * _FACTORS[text[digits.end() :]]
