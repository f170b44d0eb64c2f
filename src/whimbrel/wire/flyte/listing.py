"""What lists are asked: filters, sorting and page tokens, as Flyte's clients write them. Pure: no protobuf.

``eq(version,v1)+value_in(name,a;b)``. Tokens are offsets.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from whimbrel.errors import InputInvalid
from whimbrel.model.registered import FIELDS, TIMES, EntityKind, EntityQuery, Filter, Operator

MOST = 1_000
"""Rows of a page, at most: clients take messages of 20 MB."""
_USUAL = 100
_CALL = re.compile(r"\s*(\w+)\(\s*([\w.]+)\s*,(.*)\)\s*", re.DOTALL)
_OWN = ("task", "workflow", "launch_plan", "execution", "entity", "project", "named_entity")
ARCHIVED = "ARCHIVED"
"""The state of executions, projects and names that lists need not show."""
_ARCHIVED = (EntityKind.EXECUTION, EntityKind.PROJECT, EntityKind.NAME)
_STATES = {"0": "INACTIVE", "1": "ACTIVE"}
_ALIASES = {
    "execution_name": "name",
    "execution_project": "project",
    "execution_domain": "domain",
    "identifier": "name",
}


def read_filters(text: str, kind: EntityKind) -> tuple[list[Filter], list[Filter]]:
    """The filters in ``text``: those on fields of entities, and those on other things. Raises ``InputInvalid``."""
    own: list[Filter] = []
    other: list[Filter] = []
    for part in re.split(r"(?<=\))\s*\+", text) if text.strip() else []:
        match = _CALL.fullmatch(part)
        if match is None:
            raise InputInvalid(f"the filter {part!r} cannot be read; write it as eq(field,value).")
        name, field, rest = match.groups()
        try:
            operator = Operator(name)
        except ValueError:
            raise InputInvalid(f"there is no filter {name!r}; there are {', '.join(Operator)}.") from None
        field = _field(field, kind)
        many = operator in (Operator.VALUE_IN, Operator.VALUE_NOT_IN)
        values = [value.strip() for value in (rest.split(";") if many else [rest])]
        if field in TIMES:
            own.append(Filter(field, operator, tuple(_seconds(value) for value in values)))
        elif field in FIELDS and not (field == "state" and kind in _ARCHIVED):
            said = [_STATES.get(value, value) for value in values] if field == "state" else values
            own.append(Filter(field, operator, tuple(said)))
        else:
            other.append(Filter(field, operator, tuple(values)))
    return own, other


def read_query(request: Any, kind: EntityKind, *, filters: Iterable[Filter] = ()) -> EntityQuery:
    """What a ``ResourceListRequest`` asks. Raises ``InputInvalid``. ``filters`` are read apart: ``read_filters``."""
    sort = _field(request.sort_by.key, kind) if request.sort_by.key else "created_at"
    if sort not in FIELDS:
        raise InputInvalid(f"lists cannot be sorted by {sort!r}; they can by {', '.join(FIELDS)}.")
    return EntityQuery(
        kind,
        request.id.project,
        request.id.domain,
        request.id.name,
        tuple(filters),
        sort,
        # 0, which is what is read where nothing is said, is descending.
        request.sort_by.direction == 0,
        read_limit(request.limit),
        read_token(request.token),
    )


def read_limit(limit: int) -> int:
    """How many rows a page has."""
    return min(limit, MOST) or _USUAL


def read_token(token: str) -> int:
    """Where a page begins. Raises ``InputInvalid``."""
    if not token:
        return 0
    if not token.isascii() or not token.isdigit() or len(token) > 12:
        raise InputInvalid(f"the token {token!r} is none of ours; use the one of the page before.")
    return int(token)


def next_token(offset: int, limit: int, found: int) -> str:
    """The token of the page that follows one with ``found`` rows; "" when there is none."""
    return str(offset + limit) if found >= limit else ""


def holds(value: str, filter: Filter) -> bool:
    """Whether a field that has ``value`` passes."""
    wanted = [str(each) for each in filter.values]
    match filter.operator:
        case Operator.EQ | Operator.VALUE_IN:
            return value in wanted
        case Operator.NE | Operator.VALUE_NOT_IN:
            return value not in wanted
        case Operator.CONTAINS:
            return wanted[0] in value
        case _:
            raise InputInvalid(f"{filter.field} has no order; use eq, ne, contains, value_in or value_not_in.")


def archival(filter: Filter) -> Filter:
    """A filter on the state of an execution, project or name, by what rows of those have: "" or ``ARCHIVED``. Clients
    say ``EXECUTION_ACTIVE``, ``NAMED_ENTITY_ARCHIVED``, ``ACTIVE``, 0 or 1."""
    words = [str(value).upper().rpartition("_")[2] for value in filter.values]
    known = {"0": "", "ACTIVE": "", "1": ARCHIVED}
    return replace(filter, values=tuple(known.get(each, each) for each in words))


def _field(field: str, kind: EntityKind) -> str:
    owner, _, name = field.rpartition(".")
    if owner in (kind.value, *(_OWN if kind is not EntityKind.EXECUTION else ("execution",))):
        field = name
    return _ALIASES.get(field, field)


def _seconds(text: str) -> float:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise InputInvalid(f"{text!r} is no time; write it like 2026-01-31T08:00:00Z.") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).timestamp()
