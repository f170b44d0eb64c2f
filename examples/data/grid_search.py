"""Split a table, fit one model per point of a grid in parallel, keep the best.

    whimbrel run examples/data/grid_search.py search

A static workflow: the graph is known and checked before anything runs, and `map_task` fans out over a list whose
length is known only then. A grid point that was fitted is not fitted again after a kill.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import pandas as pd
from sklearn.datasets import load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from whimbrel import map_task, task, workflow


class Split(NamedTuple):
    """Rows to learn from, and rows to judge by."""

    train: pd.DataFrame
    test: pd.DataFrame


class Best(NamedTuple):
    """The winner, and what every point of the grid scored."""

    strength: float
    accuracy: float
    scores: list[float]


@task(cache=True, cache_version="1")
def split(seed: int, share: float) -> Split:
    """Wine samples, ``share`` of them held back; the same ones for the same seed."""
    table = load_wine(as_frame=True).frame
    train, test = train_test_split(table, test_size=share, random_state=seed, stratify=table["target"])
    return Split(train.reset_index(drop=True), test.reset_index(drop=True))


@task
def score(strength: float, train: pd.DataFrame, test: pd.DataFrame) -> float:
    """How many held-back wines a model of this regularisation names right, from 0 to 1."""
    model = make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=500))
    model.fit(train.drop(columns="target"), train["target"])
    return round(float(model.score(test.drop(columns="target"), test["target"])), 4)


@task
def choose(grid: list[float], scores: list[float]) -> Best:
    """The first of the best."""
    best = max(range(len(grid)), key=lambda index: scores[index])
    return Best(grid[best], scores[best], scores)


GRID = [0.0001, 0.001, 0.01, 0.1, 1.0, 10.0]


@workflow
def search(grid: list[float] = GRID, seed: int = 7, share: float = 0.4) -> Best:
    """Try every regularisation strength of ``grid``."""
    rows = split(seed=seed, share=share)
    scores = map_task(partial(score, train=rows.train, test=rows.test), concurrency=4)(strength=grid)
    return choose(grid=grid, scores=scores)
