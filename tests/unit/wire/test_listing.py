"""Filters, sorting and tokens of lists, as Flyte's clients write them."""

from __future__ import annotations

import pytest
from flyteidl.admin import common_pb2

from whimbrel.errors import InputInvalid
from whimbrel.model.registered import EntityKind, Filter, Operator
from whimbrel.wire.flyte.listing import next_token, read_filters, read_query, read_token

TASK, PLAN, EXECUTION = EntityKind.TASK, EntityKind.LAUNCH_PLAN, EntityKind.EXECUTION


@pytest.mark.parametrize(
    ("text", "kind", "own", "other"),
    [
        ("", TASK, [], []),
        ("eq(version,v1)", TASK, [Filter("version", Operator.EQ, ("v1",))], []),
        ("value_in(name,a;b)", TASK, [Filter("name", Operator.VALUE_IN, ("a", "b"))], []),
        ("eq(task.name,a+b)", TASK, [Filter("name", Operator.EQ, ("a+b",))], []),
        ("eq(state,1)", PLAN, [Filter("state", Operator.EQ, ("ACTIVE",))], []),
        ("gte(created_at,1970-01-01T00:01:00Z)", TASK, [Filter("created_at", Operator.GTE, (60.0,))], []),
        (
            "ne(name,x)+eq(phase,FAILED)",
            EXECUTION,
            [Filter("name", Operator.NE, ("x",))],
            [Filter("phase", Operator.EQ, ("FAILED",))],
        ),
        (
            "eq(execution_tag.key,eager)+eq(task.name,f)",
            EXECUTION,
            [],
            [Filter("execution_tag.key", Operator.EQ, ("eager",)), Filter("task.name", Operator.EQ, ("f",))],
        ),
    ],
)
def test_filters_are_read(text: str, kind: EntityKind, own: list[Filter], other: list[Filter]) -> None:
    assert read_filters(text, kind) == (own, other)


@pytest.mark.parametrize("text", ["nonsense", "eq(a)", "like(name,x)", "gt(created_at,yesterday)", "eq(;,x)"])
def test_what_is_no_filter_is_refused(text: str) -> None:
    with pytest.raises(InputInvalid):
        read_filters(text, TASK)


def test_nothing_said_is_newest_first() -> None:
    query = read_query(common_pb2.ResourceListRequest(), TASK)
    assert (query.sort, query.descending, query.limit, query.offset) == ("created_at", True, 100, 0)
    asked = common_pb2.ResourceListRequest(limit=5_000_000, token="300")
    asked.sort_by.key, asked.sort_by.direction = "name", common_pb2.Sort.ASCENDING
    query = read_query(asked, TASK)
    assert (query.sort, query.descending, query.limit, query.offset) == ("name", False, 1_000, 300)
    asked.sort_by.key = "message"
    with pytest.raises(InputInvalid):
        read_query(asked, TASK)


def test_tokens_are_ours_or_refused() -> None:
    assert read_token(next_token(100, 50, 50)) == 150
    assert next_token(100, 50, 49) == ""
    for token in ("-1", "x", "1" * 40, "\u0663"):
        with pytest.raises(InputInvalid):
            read_token(token)
