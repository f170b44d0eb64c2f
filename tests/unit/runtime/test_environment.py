"""Variables are there while they should be and leave nothing behind."""

from __future__ import annotations

import os

import pytest

from whimbrel.runtime.environment import laid_over


def test_variables_are_set_and_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("W_OLD", "old")
    monkeypatch.delenv("W_NEW", raising=False)
    with laid_over({"W_OLD": "other", "W_NEW": "new"}):
        assert (os.environ["W_OLD"], os.environ["W_NEW"]) == ("other", "new")
    assert os.environ["W_OLD"] == "old"
    assert "W_NEW" not in os.environ


@pytest.mark.parametrize("first_ends_first", [True, False])
def test_overlapping_layers_leave_nothing_behind(first_ends_first: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("W_SHARED", "own")
    monkeypatch.delenv("W_MINE", raising=False)
    first, second = laid_over({"W_SHARED": "1", "W_MINE": "1"}), laid_over({"W_SHARED": "2"})
    first.__enter__()
    second.__enter__()
    assert os.environ["W_SHARED"] == "2"
    ends = [first, second] if first_ends_first else [second, first]
    ends[0].__exit__(None, None, None)
    assert os.environ["W_SHARED"] == ("2" if first_ends_first else "1")
    ends[1].__exit__(None, None, None)
    assert os.environ["W_SHARED"] == "own"
    assert "W_MINE" not in os.environ


def test_the_same_variables_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("W_TWICE", raising=False)
    variables = {"W_TWICE": "x"}
    with laid_over(variables):
        with laid_over(variables):
            assert os.environ["W_TWICE"] == "x"
        assert os.environ["W_TWICE"] == "x"
    assert "W_TWICE" not in os.environ


def test_an_error_inside_puts_them_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("W_ERROR", raising=False)
    with pytest.raises(RuntimeError), laid_over({"W_ERROR": "x"}):
        raise RuntimeError
    assert "W_ERROR" not in os.environ
