"""What stands for a value that is not there yet, and refuses to be used as one.

Python asks an object for its truth, length, text and so on by special methods; each is turned into one clear error
here. Promises (static workflows) and pending calls (eager workflows) are stand-ins; each says its own error.
"""

from __future__ import annotations

from typing import Any


class Standin:
    """Refuses every use as a value. Subclasses say how in ``_refusal`` and take back what they allow."""

    __slots__ = ()

    def _refusal(self, use: str) -> Exception:
        """The error for ``use``, which reads after "is": ``used as a condition``."""
        raise NotImplementedError

    def __bool__(self) -> bool:
        raise self._refusal("used as a condition (if, while, and, or, not)")

    def __iter__(self) -> Any:
        raise self._refusal("iterated over")

    def __len__(self) -> int:
        raise self._refusal("asked for its length")

    def __contains__(self, item: object) -> bool:
        raise self._refusal("searched with 'in'")

    def __getitem__(self, key: Any) -> Any:
        raise self._refusal(f"indexed with [{key!r}]")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise self._refusal("called")

    def __str__(self) -> str:
        raise self._refusal("turned into text")

    def __format__(self, spec: str) -> str:
        raise self._refusal("formatted in an f-string")

    def __int__(self) -> int:
        raise self._refusal("turned into an int")

    def __float__(self) -> float:
        raise self._refusal("turned into a float")

    def __index__(self) -> int:
        raise self._refusal("used as an index")

    def __bytes__(self) -> bytes:
        raise self._refusal("turned into bytes")

    def __eq__(self, other: object) -> Any:
        raise self._refusal("compared with ==")

    def __ne__(self, other: object) -> Any:
        raise self._refusal("compared with !=")

    def __lt__(self, other: Any) -> Any:
        raise self._refusal("compared with <")

    def __le__(self, other: Any) -> Any:
        raise self._refusal("compared with <=")

    def __gt__(self, other: Any) -> Any:
        raise self._refusal("compared with >")

    def __ge__(self, other: Any) -> Any:
        raise self._refusal("compared with >=")

    __hash__ = object.__hash__

    def __add__(self, other: Any) -> Any:
        raise self._refusal("used in arithmetic (+)")

    def __sub__(self, other: Any) -> Any:
        raise self._refusal("used in arithmetic (-)")

    def __mul__(self, other: Any) -> Any:
        raise self._refusal("used in arithmetic (*)")

    def __matmul__(self, other: Any) -> Any:
        raise self._refusal("used in arithmetic (@)")

    def __truediv__(self, other: Any) -> Any:
        raise self._refusal("used in arithmetic (/)")

    def __floordiv__(self, other: Any) -> Any:
        raise self._refusal("used in arithmetic (//)")

    def __mod__(self, other: Any) -> Any:
        raise self._refusal("used in arithmetic (%)")

    def __pow__(self, other: Any) -> Any:
        raise self._refusal("used in arithmetic (**)")

    def __neg__(self) -> Any:
        raise self._refusal("used in arithmetic (-)")

    def __pos__(self) -> Any:
        raise self._refusal("used in arithmetic (+)")

    def __abs__(self) -> Any:
        raise self._refusal("used in arithmetic (abs)")

    def __round__(self, digits: int | None = None) -> Any:
        raise self._refusal("used in arithmetic (round)")

    def __invert__(self) -> Any:
        raise self._refusal("inverted with ~")

    def __and__(self, other: Any) -> Any:
        raise self._refusal("joined with &")

    def __or__(self, other: Any) -> Any:
        raise self._refusal("joined with |")

    def __xor__(self, other: Any) -> Any:
        raise self._refusal("joined with ^")

    # The reflected operators: ``1 + promise`` is refused as ``promise + 1`` is.
    def __radd__(self, other: Any) -> Any:
        raise self._refusal("used in arithmetic (+)")

    def __rsub__(self, other: Any) -> Any:
        raise self._refusal("used in arithmetic (-)")

    def __rmul__(self, other: Any) -> Any:
        raise self._refusal("used in arithmetic (*)")

    def __rmatmul__(self, other: Any) -> Any:
        raise self._refusal("used in arithmetic (@)")

    def __rtruediv__(self, other: Any) -> Any:
        raise self._refusal("used in arithmetic (/)")

    def __rfloordiv__(self, other: Any) -> Any:
        raise self._refusal("used in arithmetic (//)")

    def __rmod__(self, other: Any) -> Any:
        raise self._refusal("used in arithmetic (%)")

    def __rpow__(self, other: Any) -> Any:
        raise self._refusal("used in arithmetic (**)")

    def __rand__(self, other: Any) -> Any:
        raise self._refusal("joined with &")

    def __ror__(self, other: Any) -> Any:
        raise self._refusal("joined with |")

    def __rxor__(self, other: Any) -> Any:
        raise self._refusal("joined with ^")
