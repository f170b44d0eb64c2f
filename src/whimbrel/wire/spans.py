"""Spans of time as people write and read them: ``90s``, ``1h30m``, ``PT1H30M``; and how old something is.

Knows: text. Must not know: literals, options.
"""

from __future__ import annotations

import datetime as dt
import re
from functools import lru_cache

_UNITS = {"w": 604_800.0, "d": 86_400.0, "h": 3_600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6}
_NUMBER = r"\d+(?:\.\d+)?"
_PLAIN = re.compile(rf"(?:({_NUMBER})\s*(ms|us|[wdhms])\s*)+", re.IGNORECASE)
_PART = re.compile(rf"({_NUMBER})\s*(ms|us|[wdhms])", re.IGNORECASE)
_ISO = re.compile(
    rf"P(?=.)(?:({_NUMBER})W)?(?:({_NUMBER})D)?(?:T(?=.)(?:({_NUMBER})H)?(?:({_NUMBER})M)?(?:({_NUMBER})S)?)?",
    re.IGNORECASE,
)
_CLOCK = re.compile(r"(\d+):(\d{2})(?::(\d{2}(?:\.\d+)?))?")


def parse_span(text: str) -> dt.timedelta:
    """The span that ``text`` says. Raises ``ValueError`` when it says none."""
    stripped = text.strip()
    sign = -1 if stripped.startswith("-") else 1
    body = stripped.lstrip("+-").strip()
    if re.fullmatch(_NUMBER, body):
        return sign * dt.timedelta(seconds=float(body))
    if _PLAIN.fullmatch(body):
        seconds = sum(float(number) * _UNITS[unit.lower()] for number, unit in _PART.findall(body))
        return sign * dt.timedelta(seconds=seconds)
    if (iso := _ISO.fullmatch(body)) is not None:
        weeks, days, hours, minutes, rest = (float(part or 0) for part in iso.groups())
        return sign * dt.timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=rest)
    if (clock := _CLOCK.fullmatch(body)) is not None:
        hour, minute, second = clock.groups()
        return sign * dt.timedelta(hours=int(hour), minutes=int(minute), seconds=float(second or 0))
    raise ValueError(f"{text!r} is not a span of time")


def iso_span(days: int, seconds: int, microseconds: int) -> str:
    """ISO 8601, exact to the microsecond: ``P1DT30S``. The inverse of ``parse_span``."""
    total = (days * 86_400 + seconds) * 1_000_000 + microseconds
    sign, total = ("-", -total) if total < 0 else ("", total)
    whole_days, rest = divmod(total, 86_400_000_000)
    whole, fraction = divmod(rest, 1_000_000)
    text = f"{whole_days}D" if whole_days else ""
    if rest or not whole_days:
        decimals = f".{fraction:06d}".rstrip("0") if fraction else ""
        text += f"T{whole}{decimals}S"
    return f"{sign}P{text}"


def show_seconds(seconds: float) -> str:
    """A duration in at most about seven characters: ``3 ms``, ``1.24 s``, ``2m 05s``, ``3h 07m``, ``4d 02h``."""
    seconds = max(seconds, 0.0)
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.2f} s" if seconds < 9.995 else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}m {rest:02d}s"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours}h {minutes:02d}m"
    days, hours = divmod(hours, 24)
    return f"{days}d {hours:02d}h"


def show_moment(at: float) -> str:
    """A moment in local time, to the second; "" for 0.0."""
    if not at:
        return ""
    return dt.datetime.fromtimestamp(at).astimezone().strftime("%Y-%m-%d %H:%M:%S")


# Rows of nodes say each moment several times: a node begins with its attempt.
@lru_cache(maxsize=4096)
def iso_moment(at: float) -> str | None:
    """A moment in UTC for programs; ``None`` for 0.0."""
    return dt.datetime.fromtimestamp(at, dt.UTC).isoformat() if at else None
