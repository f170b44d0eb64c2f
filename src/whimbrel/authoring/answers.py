"""Answers to gates where no engine keeps them waiting: those that a test has laid out, else somebody at the terminal.

Knows the terminal. Must not know how a gate came to be asked, or graphs.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from whimbrel.errors import GateRejected, GateUnanswered, ValueMismatch
from whimbrel.model.program import SourceLine
from whimbrel.types.transformer import Transformer

# Not a context variable: the bodies of eager workflows ask from threads of their own.
_laid_out: list[Mapping[str, Any]] = []

_MISSING = object()


@contextmanager
def laid_out(answers: Mapping[str, Any]) -> Iterator[None]:
    """Answer gates from ``answers``, by name, for as long as this lasts; sleeps take no time."""
    _laid_out.append(answers)
    try:
        yield
    finally:
        _laid_out.remove(answers)


def sleeps_pass() -> bool:
    """Whether sleeping is to take no time."""
    return bool(_laid_out)


def ask_approval(name: str, what: str, line: SourceLine) -> None:
    """Return when the answer is yes. Raises ``GateRejected`` when it is no, ``GateUnanswered`` when nobody is there."""
    answer = _laid_out_for(name, "True", line)
    if answer is _MISSING:
        shown = f" of {what}" if what else ""
        answer = _typed(f"The gate {name!r} waits for an approval{shown}. Approve? [y/N] ").lower() in ("y", "yes")
    if isinstance(answer, str):
        raise GateRejected(f"the gate {name!r} was rejected: {answer}")
    if answer is not True and answer is not False:
        raise ValueMismatch("True, False, or the reason for a rejection", repr(answer), "$", f"the gate {name!r}")
    if not answer:
        raise GateRejected(f"the gate {name!r} was rejected")


def ask_value(name: str, transformer: Transformer, line: SourceLine) -> Any:
    """The value that somebody gives. Raises ``ValueMismatch`` for one that does not fit, ``GateUnanswered``."""
    answer = _laid_out_for(name, "...", line)
    if answer is _MISSING:
        answer = _read(name, transformer)
    try:
        transformer.check(answer)
    except ValueMismatch as error:
        raise ValueMismatch(error.expected, error.got, error.path, f"the answer to the gate {name!r}") from None
    return answer


def _laid_out_for(name: str, example: str, line: SourceLine) -> Any:
    for answers in reversed(_laid_out):
        if name in answers:
            answer = answers[name]
            if isinstance(answer, Iterator):
                answer = next(answer, _MISSING)
            if answer is not _MISSING:
                return answer
    if _laid_out or not _at_terminal():
        test = f"gate_answers({{{name!r}: {example}}})"
        raise GateUnanswered(
            f"{line.file}:{line.line}: nobody is here to answer the gate {name!r}. Run it with `whimbrel run`, and "
            f"answer with `whimbrel approve` or `whimbrel signal`; in a test, call it in `{test}`."
        )
    return _MISSING


def _at_terminal() -> bool:
    # Both may be None where there is no console at all.
    return bool(sys.stdin and sys.stdin.isatty() and sys.stderr and sys.stderr.isatty())


def _typed(prompt: str) -> str:
    sys.stderr.write(prompt)
    sys.stderr.flush()
    return sys.stdin.readline().strip()


def _read(name: str, transformer: Transformer) -> Any:
    import json

    text = _typed(f"The gate {name!r} waits for {transformer.name}: ")
    if transformer.python_type is str:
        return text
    try:
        return json.loads(text)
    except ValueError:
        raise ValueMismatch(transformer.name, f"{text!r}, which is not JSON", "$", f"the gate {name!r}") from None
