"""``datetime``, ``date`` and ``timedelta``.

A naive datetime stays naive; an aware one keeps its moment and its zone: an IANA zone by its key, any other by its
offset.

Knows: literals. Must not know: other kinds.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from whimbrel.model import literal_types as kinds
from whimbrel.model import literals as lit
from whimbrel.types.hooks import Hook, Transformers
from whimbrel.types.mismatch import literal_mismatch, mismatch
from whimbrel.types.transformer import Transformer

_UTC: Final = dt.UTC
_NO_OFFSET: Final = dt.timedelta(0)


def check_datetime(value: Any) -> None:
    if type(value) is not dt.datetime or value.tzinfo is not None:
        # An aware moment may lie outside the years 1 to 9999 of UTC.
        encode_datetime(value)


def encode_datetime(value: Any) -> lit.Literal:
    if not isinstance(value, dt.datetime):
        raise mismatch("datetime", value)
    if type(value) is not dt.datetime:
        plain = dt.datetime.combine(value.date(), value.time(), value.tzinfo)
        value = plain.replace(fold=value.fold)
    offset = value.utcoffset()
    if offset is None:
        return lit.DatetimeLiteral(value.replace(tzinfo=None))
    if value.tzinfo is _UTC:
        return lit.DatetimeLiteral(value)
    try:
        moment = (value.replace(tzinfo=None) - offset).replace(tzinfo=_UTC, fold=0)
    except OverflowError:
        raise mismatch("datetime", value, "it lies outside the years 1 to 9999 of UTC") from None
    return lit.DatetimeLiteral(moment, _zone_of(value, offset, moment))


def _zone_of(value: dt.datetime, offset: dt.timedelta, moment: dt.datetime) -> str:
    key = getattr(value.tzinfo, "key", None)
    # A time that the clocks skipped does not come back from its moment: it keeps its offset instead of its zone.
    if isinstance(key, str) and moment.astimezone(value.tzinfo).replace(tzinfo=None) == value.replace(tzinfo=None):
        return key
    if offset == _NO_OFFSET:
        return ""
    sign, span = ("-", -offset) if offset < _NO_OFFSET else ("+", offset)
    minutes, rest = divmod(span, dt.timedelta(minutes=1))
    text = f"{sign}{minutes // 60:02}:{minutes % 60:02}"
    return text if not rest else f"{text}:{rest.total_seconds():09.6f}"


def decode_datetime(literal: lit.Literal) -> dt.datetime:
    while isinstance(literal, lit.UnionLiteral):
        literal = literal.value
    if not isinstance(literal, lit.DatetimeLiteral):
        raise literal_mismatch("datetime", literal)
    if not literal.zone:
        return literal.value
    return literal.value.astimezone(_tzinfo(literal.zone, literal))


def _tzinfo(zone: str, literal: lit.Literal) -> dt.tzinfo:
    if zone[0] in "+-":
        hours, minutes, *seconds = zone[1:].split(":")
        span = dt.timedelta(
            hours=int(hours), minutes=int(minutes), microseconds=round(float(seconds[0]) * 1e6) if seconds else 0
        )
        return dt.timezone(-span if zone[0] == "-" else span)
    import zoneinfo  # reads the time-zone database; only values that name a zone need it

    try:
        return zoneinfo.ZoneInfo(zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        raise literal_mismatch("datetime", literal, f"its time zone {zone} is not known here: install tzdata") from None


def check_date(value: Any) -> None:
    if type(value) is not dt.date and (not isinstance(value, dt.date) or isinstance(value, dt.datetime)):
        raise mismatch("date", value)


def encode_date(value: Any) -> lit.Literal:
    if type(value) is not dt.date:
        check_date(value)
        value = dt.date(value.year, value.month, value.day)
    return lit.DateLiteral(value)


def decode_date(literal: lit.Literal) -> dt.date:
    while isinstance(literal, lit.UnionLiteral):
        literal = literal.value
    if not isinstance(literal, lit.DateLiteral):
        raise literal_mismatch("date", literal)
    return literal.value


def check_timedelta(value: Any) -> None:
    if type(value) is not dt.timedelta and not isinstance(value, dt.timedelta):
        raise mismatch("timedelta", value)


def encode_timedelta(value: Any) -> lit.Literal:
    check_timedelta(value)
    return lit.DurationLiteral(value.days, value.seconds, value.microseconds)


def decode_timedelta(literal: lit.Literal) -> dt.timedelta:
    while isinstance(literal, lit.UnionLiteral):
        literal = literal.value
    if not isinstance(literal, lit.DurationLiteral):
        raise literal_mismatch("timedelta", literal)
    return dt.timedelta(literal.days, literal.seconds, literal.microseconds)


_TIMES: Final = {
    dt.datetime: Transformer(
        dt.datetime,
        kinds.DATETIME,
        check=check_datetime,
        encode=encode_datetime,
        decode=decode_datetime,
        classes=(dt.datetime,),
    ),
    dt.date: Transformer(
        dt.date, kinds.DATE, check=check_date, encode=encode_date, decode=decode_date, classes=(dt.date,), plain=dt.date
    ),
    dt.timedelta: Transformer(
        dt.timedelta,
        kinds.DURATION,
        check=check_timedelta,
        encode=encode_timedelta,
        decode=decode_timedelta,
        classes=(dt.timedelta,),
        plain=dt.timedelta,
    ),
}


def _matches(python_type: Any) -> bool:
    return isinstance(python_type, type) and python_type in _TIMES


def _build(python_type: Any, registry: Transformers) -> Transformer:
    return _TIMES[python_type]


HOOK: Final = Hook(_matches, _build)
