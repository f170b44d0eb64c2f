"""Decks and renderers: what is on a deck is what was put there, and nothing that data says is markup."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any

import matplotlib as mpl
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from PIL import Image

from whimbrel import Deck, DeckField, Html, current_context, register_renderer, task
from whimbrel.authoring import renderers
from whimbrel.authoring.context import ExecutionContext
from whimbrel.authoring.decks import HtmlDeck, TimelineDeck, wanted_fields, wants_decks
from whimbrel.authoring.renderers import (
    ImageRenderer,
    MarkdownRenderer,
    PlotRenderer,
    PythonDependencyRenderer,
    SourceCodeRenderer,
    TableRenderer,
    TopFrameRenderer,
    readable,
    rendered,
)
from whimbrel.errors import CompileError, UserError

EVIL = "<script>alert('1')</script>&\""


def alone(content: Any = None) -> Deck:
    return Deck("d", content, auto_add_to_deck=False)


def test_text_is_escaped_and_html_is_not() -> None:
    assert "<script" not in alone(EVIL).html
    assert "&lt;script&gt;" in alone(EVIL).html
    assert alone(Html("<b>x</b>")).append(Html("<i>y</i>")).html == "<b>x</b>\n<i>y</i>"
    assert HtmlDeck("d", "<b>x</b>", auto_add_to_deck=False).append("<i>y</i>").html == "<b>x</b>\n<i>y</i>"
    assert alone("a").clear().html == ""
    assert alone().html == ""


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (False, "false"), ("", "&quot;&quot;"), ([], "[]"), ({}, "{}"), (None, "null"), (0.0, "0.0")],
)
def test_what_is_falsy_is_shown_as_it_is(value: object, text: str) -> None:
    assert rendered(value) == f"<pre>{text}</pre>"


def test_a_deck_joins_the_decks_of_the_context() -> None:
    # Outside everything there is one context; it is put back as it was.
    decks = current_context().decks
    before = list(decks)
    try:
        mine = Deck("mine")
        Deck("other", auto_add_to_deck=False)
        Deck.publish()
        assert decks == [*before, mine]
    finally:
        decks[:] = before


def test_the_decks_that_a_context_has() -> None:
    context = ExecutionContext()
    context.default_deck.append("<b>as flytekit has it</b>")
    assert context.default_deck.html == "<b>as flytekit has it</b>"
    assert [deck.name for deck in context.decks] == ["default"]
    assert context.timeline_deck.name == "Timeline"
    context.publish_decks()


def test_spans() -> None:
    times = iter([0.0, 1.0, 1.0, 3.0])
    deck = TimelineDeck("t", auto_add_to_deck=False, clock=lambda: next(times))
    assert deck.html == ""
    with deck.span(EVIL):
        pass
    with pytest.raises(KeyError), deck.span("fails"):
        raise KeyError
    assert "<script" not in deck.html
    assert "1.000 s" in deck.html
    assert "margin-left:33.33%;width:66.67%" in deck.html


def test_options() -> None:
    assert not wants_decks({})
    assert wants_decks({"enable_deck": True})
    assert not wants_decks({"enable_deck": False})
    assert wants_decks({"disable_deck": False})
    assert not wants_decks({"disable_deck": True})
    assert wanted_fields({}) == tuple(DeckField)
    assert wanted_fields({"deck_fields": (DeckField.INPUT, "Output")}) == (DeckField.INPUT, DeckField.OUTPUT)

    @task(enable_deck=True, disable_deck=True)
    def both() -> None: ...

    with pytest.raises(CompileError, match="keep enable_deck"):
        _ = both.shows_decks


def test_frames_are_shown_by_their_first_rows_and_escaped() -> None:
    data = {"n": list(range(30)), "<b>": [EVIL] * 30}
    for frame in (pd.DataFrame(data), pl.DataFrame(data), pl.DataFrame(data).lazy(), pa.table(data)):
        html = rendered(frame)
        assert html.count("<tr>") == 11
        assert "<script" not in html
        assert "<b>" not in html
        assert "2 columns" in html
    assert "30 rows" in rendered(pd.DataFrame(data))
    assert rendered(pd.Series([1, 2])).count("<tr>") == 3
    assert rendered(pl.Series("s", [1, 2])).count("<tr>") == 3
    assert TopFrameRenderer(max_rows=2, max_cols=1).to_html(pd.DataFrame(data)).count("<tr>") == 3
    with pytest.raises(UserError, match="register_renderer"):
        TopFrameRenderer().to_html(3)


def test_markdown_source_tables_and_packages() -> None:
    page = MarkdownRenderer().to_html(f"# Title\n\n{EVIL}\n\n[x](javascript:alert(1))")
    assert "<h1>Title</h1>" in page
    assert "<script" not in page
    assert 'href="javascript' not in page
    code = SourceCodeRenderer().to_html('x = "<script>"\n')
    assert "<script>" not in code
    assert "<pre" in code
    rows = TableRenderer(max_rows=1).to_html([{"a": EVIL, "b": 1}, {"a": 2}])
    assert "<script" not in rows
    assert "1 more rows" in rows
    assert TableRenderer(["only"]).to_html([3, "x"]).count("<td") == 2
    assert "pytest" in PythonDependencyRenderer().to_html()


def test_pictures() -> None:
    mpl.use("Agg")
    from matplotlib.figure import Figure

    figure = Figure()
    axis = figure.subplots()
    axis.set_title(EVIL)
    for html in (rendered(figure), PlotRenderer().to_html(axis)):
        assert html.startswith('<img src="data:image/svg+xml;base64,')
        assert "<script" not in html
    picture = Image.new("RGB", (2, 2))
    assert rendered(picture).startswith('<img src="data:image/png;base64,')
    assert ImageRenderer().to_html(b"\xff\xd8rest").startswith('<img src="data:image/jpeg;base64,')
    with pytest.raises(UserError, match="convert"):
        ImageRenderer().to_html(b"<svg onload=alert(1)>")


class Shout:
    def to_html(self, value: Any) -> str:
        return f"<b>{value!r}!</b>"


@dataclasses.dataclass
class Pair:
    left: int
    right: str


@pytest.fixture
def own_renderers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renderers, "_registered", {})


@pytest.mark.usefixtures("own_renderers")
def test_renderers_of_types_and_of_annotations() -> None:
    assert "&lt;" in rendered(Pair(1, "<"))
    register_renderer(Pair, Shout())
    assert rendered(Pair(1, "x")) == "<b>Pair(left=1, right='x')!</b>"
    assert rendered(3, Annotated[int, Shout()]) == "<b>3!</b>"
    assert rendered(3, Annotated[int, Shout]) == "<b>3!</b>"
    assert rendered(3, Annotated[int, "no renderer"]) == "<pre>3</pre>"
    assert alone(Pair(1, "x")).html == "<b>Pair(left=1, right='x')!</b>"


def test_values_as_text() -> None:
    assert readable(Pair(0, "x")) == '{\n  "left": 0,\n  "right": "x"\n}'
    assert readable("text") == "text"
    assert readable({1, 2}) == "{1, 2}"
    assert readable("x" * 20_010).endswith("… (10 more characters)")
    loop: list[Any] = []
    loop.append(loop)
    assert readable(loop) == "[[...]]"
