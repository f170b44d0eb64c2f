"""From SQL to a data frame to a plot in a deck.

    whimbrel run examples/data/sql_report.py sales_report --database shop.db --since 2024-03-01
    whimbrel deck latest --output report.html

The query is a task: its inputs are bound as parameters, never pasted into the text. The plot ends in the deck of
the node, one HTML file with everything in it.
"""

from __future__ import annotations

import sqlite3

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import pandas as pd

from whimbrel import Deck, FlyteFile, task, workflow


@task
def sales(database: FlyteFile, since: str) -> pd.DataFrame:
    """Sales by month."""
    with sqlite3.connect(database.download()) as connection:
        return pd.read_sql_query(
            "select substr(day, 1, 7) as month, sum(price) as sales from orders where day >= ? group by 1 order by 1",
            connection,
            params=(since,),
        )


@task(enable_deck=True)
def plot(table: pd.DataFrame) -> str:
    """Bars by month, in the deck; the best month as the result."""
    figure, axes = plt.subplots(figsize=(6, 3))
    axes.bar(table["month"], table["sales"])
    axes.set_ylabel("sales")
    Deck("Sales", figure)
    plt.close(figure)
    return str(table.loc[table["sales"].idxmax(), "month"])


@workflow
def sales_report(database: FlyteFile, since: str = "2024-01-01") -> str:
    """The best month since a day; the plot is in the deck."""
    return plot(table=sales(database=database, since=since))
