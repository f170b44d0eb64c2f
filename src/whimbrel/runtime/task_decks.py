"""The decks that are made for a task: its inputs, outputs, source and packages. Only where its decks are on.

Knows: tasks, renderers. Must not know: how decks are sent. A value that cannot be shown costs its place, not the task.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Mapping
from functools import cache
from typing import Any

from whimbrel.authoring.decks import Deck, DeckField, Html, escaped, wanted_fields
from whimbrel.authoring.renderers import PythonDependencyRenderer, SourceCodeRenderer, rendered
from whimbrel.authoring.source import innermost
from whimbrel.runtime.loading import Runnable


def begin_decks(entity: Runnable, inputs: Mapping[str, Any], decks: list[Deck]) -> None:
    """Add what is known before the function is called."""
    fields = _fields(entity)
    if DeckField.INPUT in fields:
        decks.append(_values(DeckField.INPUT, inputs, _annotations(entity.fn)))
    if DeckField.SOURCE_CODE in fields and (source := _source(entity.fn)):
        decks.append(_page(DeckField.SOURCE_CODE, SourceCodeRenderer().to_html(source)))
    if DeckField.DEPENDENCIES in fields:
        decks.append(_page(DeckField.DEPENDENCIES, _dependencies()))


def end_decks(entity: Runnable, value: Any, decks: list[Deck]) -> None:
    """Add what is known when it has returned."""
    if DeckField.OUTPUT not in _fields(entity):
        return
    annotation = _annotations(entity.fn).get("return")
    names = list(entity.signature.interface.outputs)
    if len(names) > 1:
        kinds = typing.get_args(annotation) if typing.get_origin(annotation) is tuple else ()
        named = entity.signature.outputs_by_name(value)
        outputs, annotations = named, dict(zip(named, kinds, strict=False))
    else:
        outputs, annotations = dict.fromkeys(names, value), dict.fromkeys(names, annotation)
    decks.append(_values(DeckField.OUTPUT, outputs, annotations))


def _fields(entity: Runnable) -> tuple[DeckField, ...]:
    # What stands in for a task in a test has no options.
    return wanted_fields(getattr(entity, "task_options", {}))


def _page(field: DeckField, html: Html) -> Deck:
    return Deck(field.value, html, auto_add_to_deck=False)


def _values(field: DeckField, values: Mapping[str, Any], annotations: Mapping[str, Any]) -> Deck:
    deck = Deck(field.value, auto_add_to_deck=False)
    for name, value in values.items():
        deck.append(Html(f'<h4 class="name">{escaped(name)}</h4>{_shown(value, annotations.get(name))}'))
    return deck


def _shown(value: Any, annotation: Any) -> Html:
    try:
        return rendered(value, annotation)
    except Exception as error:
        # A renderer of the author's, or a repr: the task itself is well.
        return Html(f'<p class="note">{escaped(f"cannot be shown: {type(error).__name__}: {error}")}</p>')


def _annotations(fn: Any) -> dict[str, Any]:
    try:
        return typing.get_type_hints(innermost(fn), include_extras=True)
    except Exception:
        # Names that only a type checker knows: values are shown by their classes.
        return {}


def _source(fn: Any) -> str:
    try:
        return inspect.getsource(innermost(fn))
    except (OSError, TypeError):
        return ""


@cache
def _dependencies() -> Html:
    return PythonDependencyRenderer().to_html()
