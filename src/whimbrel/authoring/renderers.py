"""Values as HTML for decks: by renderers of their types, and escaped where there is none.

Knows: the shapes of values, renderers. Must not know: decks' readers. Libraries are imported by the renderer that needs
them, and only when it is given something of theirs; so are modules of Python's that `import whimbrel` can do without.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol, get_args

from whimbrel.authoring.decks import Html, escaped, provide_rendering
from whimbrel.errors import UserError

CHARACTERS = 20_000
"""Of a value that is shown as text: a reader wants its beginning, and pages stay light."""
_CELL = 200
"""Of a cell of a table."""


class Renderer(Protocol):
    """Makes HTML of a value."""

    def to_html(self, value: Any) -> str:
        """``value`` as a fragment of HTML."""
        ...


class MarkdownRenderer:
    """CommonMark and tables. HTML inside it is shown, not interpreted."""

    def to_html(self, text: str) -> Html:
        """``text`` rendered."""
        # Comes with rich, which the command line needs anyway.
        from markdown_it import MarkdownIt

        return Html(MarkdownIt("commonmark", {"html": False}).enable("table").render(text))


class SourceCodeRenderer:
    """Python source with its words in colour."""

    def __init__(self, title: str = "Source Code") -> None:
        self._title = title

    def to_html(self, source_code: str) -> Html:
        """``source_code`` rendered."""
        # Comes with rich.
        from pygments import highlight
        from pygments.formatters import HtmlFormatter
        from pygments.lexers import PythonLexer

        lines = highlight(source_code, PythonLexer(), HtmlFormatter(nowrap=True))
        return Html(f'<pre class="code">{lines}</pre>')


class TableRenderer:
    """Rows as a table: mappings, or sequences with ``columns``. Long tables are cut, and say so."""

    def __init__(self, columns: Sequence[str] | None = None, max_rows: int = 100) -> None:
        self._columns = columns
        self._max_rows = max_rows

    def to_html(self, rows: Iterable[Any]) -> Html:
        """``rows`` rendered."""
        listed = list(rows)
        columns = list(self._columns) if self._columns is not None else []
        if not columns and listed and all(isinstance(row, Mapping) for row in listed):
            columns = list(dict.fromkeys(str(name) for row in listed for name in row))
        cells = [_cells(row, columns) for row in listed[: self._max_rows]]
        return table(columns, cells, total=len(listed))


def _cells(row: Any, columns: Sequence[str]) -> list[Any]:
    if isinstance(row, Mapping):
        by_name = {str(name): value for name, value in row.items()}
        return [by_name.get(name, "") for name in columns]
    return list(row) if isinstance(row, Sequence) and not isinstance(row, str) else [row]


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]], *, total: int = -1, note: str = "") -> Html:
    """A table; ``total`` is how many rows there are where not all are given."""
    head = "".join(f"<th>{escaped(str(name))}</th>" for name in columns)
    body = "".join("<tr>" + "".join(_cell(value) for value in row) + "</tr>" for row in rows)
    rest = f"{total - len(rows)} more rows" if total > len(rows) else ""
    caption = "; ".join(part for part in (note, rest) if part)
    foot = f'<p class="note">{escaped(caption)}</p>' if caption else ""
    return Html(f'<table class="data"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{foot}')


def _cell(value: Any) -> str:
    text = str(value)
    shown = text if len(text) <= _CELL else f"{text[:_CELL]}…"
    kind = ' class="number"' if isinstance(value, int | float) and not isinstance(value, bool) else ""
    return f"<td{kind}>{escaped(shown)}</td>"


class TopFrameRenderer:
    """The first rows of a pandas or polars frame, an Arrow table, or anything that gives one of those by ``all()``."""

    def __init__(self, max_rows: int = 10, max_cols: int = 100) -> None:
        self._max_rows = max_rows
        self._max_cols = max_cols

    def to_html(self, df: Any) -> Html:
        """``df`` rendered."""
        columns, rows, total, kinds = self._top(df)
        shown = columns[: self._max_cols]
        more = f", {len(columns) - len(shown)} more columns" if len(columns) > len(shown) else ""
        note = f"{total} rows × {len(columns)} columns{more}" if total >= 0 else f"{len(columns)} columns{more}"
        titles = [f"{name}\n{kind}" if kind else name for name, kind in zip(shown, kinds, strict=False)]
        return table(titles, [row[: self._max_cols] for row in rows], note=note)

    def _top(self, df: Any) -> tuple[list[str], list[list[Any]], int, list[str]]:
        home = type(df).__module__.partition(".")[0]
        if home == "pandas":
            series = type(df).__name__ == "Series"
            frame = df.to_frame() if series else df
            top = frame.head(self._max_rows)
            names = [str(name) for name in top.columns]
            rows = [list(row) for row in top.itertuples(index=False, name=None)]
            return names, rows, len(frame), [str(kind) for kind in frame.dtypes]
        if home == "polars":
            lazy = type(df).__name__ == "LazyFrame"
            top = df.head(self._max_rows).collect() if lazy else df.to_frame() if type(df).__name__ == "Series" else df
            kinds = [str(kind) for kind in top.dtypes]
            rows = [list(row) for row in top.head(self._max_rows).rows()]
            return list(top.columns), rows, -1 if lazy else len(df), kinds
        if home == "pyarrow":
            top = df.slice(0, self._max_rows)
            columns = [column.to_pylist() for column in top.columns]
            rows = [list(row) for row in zip(*columns, strict=True)]
            return list(df.schema.names), rows, df.num_rows, [str(field.type) for field in df.schema]
        raise UserError(
            f"TopFrameRenderer shows frames of pandas, polars and Arrow, not {type(df).__name__}; "
            "give another renderer with Annotated[..., renderer], or register_renderer(type, renderer)."
        )


ArrowRenderer = TopFrameRenderer


class PythonDependencyRenderer:
    """The packages that the task runs with, and their versions."""

    def __init__(self, title: str = "Dependencies") -> None:
        self._title = title

    def to_html(self, value: Any = None) -> Html:
        """The packages rendered."""
        from importlib.metadata import distributions

        found = {found.metadata["Name"]: found.version for found in distributions() if found.metadata["Name"]}
        return table(["package", "version"], sorted(found.items(), key=lambda row: row[0].lower()))


class PlotRenderer:
    """A matplotlib figure, or an axis of one, as a picture that scales."""

    def to_html(self, figure: Any) -> Html:
        """``figure`` rendered."""
        import io

        figure = getattr(figure, "figure", figure)
        kept = io.BytesIO()
        figure.savefig(kept, format="svg", bbox_inches="tight")
        return _picture(kept.getvalue(), "image/svg+xml")


class ImageRenderer:
    """A picture: of Pillow, PNG/JPEG/GIF/WebP bytes, or a path to a file of these."""

    def to_html(self, image: Any) -> Html:
        """``image`` rendered."""
        if hasattr(image, "save") and hasattr(image, "mode"):
            import io

            kept = io.BytesIO()
            image.save(kept, format="PNG")
            return _picture(kept.getvalue(), "image/png")
        if not isinstance(image, bytes | bytearray):
            with open(image, "rb") as file:
                image = file.read()
        data = bytes(image)
        kind = next((kind for start, kind in _MAGIC if data.startswith(start)), "")
        if not kind:
            raise UserError("ImageRenderer shows PNG, JPEG, GIF and WebP; convert the picture to one of them.")
        return _picture(data, kind)


_MAGIC = ((b"\x89PNG", "image/png"), (b"\xff\xd8", "image/jpeg"), (b"GIF8", "image/gif"), (b"RIFF", "image/webp"))


def _picture(data: bytes, kind: str) -> Html:
    import base64

    # In an img element nothing that a picture brings along is run.
    return Html(f'<img src="data:{kind};base64,{base64.b64encode(data).decode()}" alt="">')


_registered: dict[type, Renderer] = {}
_KNOWN: dict[tuple[str, str], type[Any]] = {
    ("pandas", "DataFrame"): TopFrameRenderer,
    ("pandas", "Series"): TopFrameRenderer,
    ("polars", "DataFrame"): TopFrameRenderer,
    ("polars", "LazyFrame"): TopFrameRenderer,
    ("polars", "Series"): TopFrameRenderer,
    ("pyarrow", "Table"): TopFrameRenderer,
    ("matplotlib", "Figure"): PlotRenderer,
    ("PIL", "Image"): ImageRenderer,
}
"""By the top package of a class and its name: asked without importing anything."""


def register_renderer(python_type: type, renderer: Renderer) -> None:
    """Show values of ``python_type``, and of its subclasses, by ``renderer`` on decks. The last one registered counts.

    What its ``to_html`` gives is taken as HTML: escape what comes from data.
    """
    _registered[python_type] = renderer


def renderer_of(value: Any, annotation: Any = None) -> Renderer | None:
    """The renderer for ``value``: the one in its annotation (``Annotated[T, renderer]``), that of its class, or
    ``None``."""
    for extra in get_args(annotation)[1:] if hasattr(annotation, "__metadata__") else ():
        if callable(getattr(extra, "to_html", None)):
            found: Renderer = extra() if isinstance(extra, type) else extra
            return found
    for kind in type(value).__mro__:
        if kind in _registered:
            return _registered[kind]
        known = _KNOWN.get((kind.__module__.partition(".")[0], kind.__name__))
        if known is not None:
            made: Renderer = known()
            return made
    return None


def rendered(value: Any, annotation: Any = None) -> Html:
    """``value`` as HTML: by its renderer, else as text, escaped. What is falsy is shown like everything else."""
    renderer = renderer_of(value, annotation)
    if renderer is None:
        return Html(f"<pre>{escaped(readable(value))}</pre>")
    return Html(renderer.to_html(value))


def readable(value: Any) -> str:
    """``value`` as text: JSON where it is like JSON, else what ``repr`` says; cut."""
    import json

    try:
        text = value if isinstance(value, str) and value else json.dumps(_plain(value), indent=2, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        text = repr(value)
    left = len(text) - CHARACTERS
    return text if left <= 0 else f"{text[:CHARACTERS]}… ({left} more characters)"


def _plain(value: Any) -> Any:
    fields = getattr(type(value), "__dataclass_fields__", None)
    if fields is not None:
        return {name: _plain(getattr(value, name)) for name in fields if hasattr(value, name)}
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, str | int | float):
        return value
    raise TypeError(f"{type(value).__name__} is not like JSON")


provide_rendering(rendered)
