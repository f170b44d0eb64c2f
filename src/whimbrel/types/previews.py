"""The first rows of a table, for people: as text and as HTML, which is escaped. Decks and the command line show them.

Knows: datasets, frames. Must not know: decks, terminals.
"""

from __future__ import annotations

import html
from typing import Any, Final, NamedTuple

from whimbrel.types.datasets import StructuredDataset
from whimbrel.types.libraries import bounded, library_of, table_of
from whimbrel.types.table_files import PARQUET

ROWS: Final = 5
_COLUMNS: Final = 12
_CELL_CHARACTERS: Final = 32


class Preview(NamedTuple):
    """``rows`` is how many the table has, -1 where only reading all of it would tell; ``width`` how many columns;
    ``cells`` the first rows of the first columns, ``names`` and ``types`` of these.
    """

    rows: int
    width: int
    names: tuple[str, ...]
    types: tuple[str, ...]
    cells: tuple[tuple[str, ...], ...]

    def shape(self) -> str:
        """``10,000 x 5``."""
        return f"{f'{self.rows:,}' if self.rows >= 0 else '?'} x {self.width}"

    def text(self) -> str:
        """Columns under their names, aligned; a line for each row."""
        lines = [self.names, *self.cells]
        widths = [max(len(line[at]) for line in lines) for at in range(len(self.names))]
        rendered = ["  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in lines]
        return "\n".join([*rendered, *self._rest()])

    def html(self) -> str:
        """A table element and a line on what it does not show."""
        head = "".join(
            f'<th title="{html.escape(kind)}">{html.escape(name)}</th>'
            for name, kind in zip(self.names, self.types, strict=True)
        )
        body = "".join(f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>" for row in self.cells)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table><p>{self.shape()}</p>"

    def _rest(self) -> list[str]:
        left = []
        if self.rows > len(self.cells):
            left.append(f"{self.rows - len(self.cells):,} more rows")
        if self.width > len(self.names):
            left.append(f"{self.width - len(self.names)} more columns")
        return [f"… {', '.join(left)}"] if left else []


def preview(table: Any, rows: int = ROWS) -> Preview:
    """The first ``rows`` of a frame or a ``StructuredDataset``; of a stored one no more is read than a group of rows.

    Raises ``UnsupportedType`` for what is no table, and what opening a dataset raises.
    """
    if isinstance(table, StructuredDataset) and table.dataframe is None:
        dataset = table.arrow_dataset()
        count = dataset.count_rows() if table.file_format in ("", PARQUET, "feather") else -1
        shown = dataset.head(rows, columns=dataset.schema.names[:_COLUMNS], batch_size=max(1, rows), **bounded(dataset))
        return _of(shown, count, len(dataset.schema.names))
    frame = table.dataframe if isinstance(table, StructuredDataset) else table
    library = library_of(frame)
    if library.frame == "polars.LazyFrame":
        shown = table_of(library, frame.head(rows))
        return _of(shown, -1, shown.num_columns)
    whole = table_of(library, frame)
    return _of(whole.slice(0, rows), whole.num_rows, whole.num_columns)


def _of(shown: Any, rows: int, width: int) -> Preview:
    shown = shown.select(shown.column_names[:_COLUMNS])
    columns = [[_cell(value) for value in column.to_pylist()] for column in shown.columns]
    cells = tuple(zip(*columns, strict=True)) if columns else ()
    names = tuple(_cell(name) for name in shown.column_names)
    return Preview(rows, width, names, tuple(str(kind) for kind in shown.schema.types), cells)


def _cell(value: object) -> str:
    text = "" if value is None else f"{value:.6g}" if isinstance(value, float) else " ".join(str(value).split())
    return text if len(text) <= _CELL_CHARACTERS else f"{text[: _CELL_CHARACTERS - 1]}…"
