"""Secrets are hidden in everything that an attempt says."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whimbrel.errors import SecretLeak
from whimbrel.model.attempt import AttemptFault, DeckUpdate, FinishCall, LogChunk, Progress, Succeeded
from whimbrel.model.failure import Failure, Fault
from whimbrel.model.literals import IntLiteral, ListLiteral, MapLiteral, StrLiteral
from whimbrel.model.run import AttemptId, Failed
from whimbrel.model.secrets import SecretValue
from whimbrel.runtime.masking import MASK, Mask, MaskedStream

AT = AttemptId("r", "n0", 1)
AWKWARD = "pä<ss> & 'w\"rd'\nsecond line"


def mask_of(*values: str) -> Mask:
    return Mask(SecretValue("g", str(n), value.encode()) for n, value in enumerate(values))


@pytest.mark.parametrize(
    "shown",
    [
        AWKWARD,
        repr(AWKWARD),
        json.dumps(AWKWARD),
        json.dumps(AWKWARD, ensure_ascii=False),
        quote(AWKWARD, safe=""),
        base64.b64encode(AWKWARD.encode()).decode(),
        "only the second line",
    ],
)
def test_a_secret_is_found_in_every_form(shown: str) -> None:
    masked = mask_of(AWKWARD).text(f"<{shown}>")
    assert MASK in masked
    assert "ss>" not in masked
    assert "second line" not in masked


def test_short_secrets_are_left_alone_and_long_ones_go_first() -> None:
    assert mask_of("abc").text("abc") == "abc"
    assert not mask_of("abc")
    assert mask_of("password", "password-two").text("password-two password") == "*** ***"


@given(
    st.text(min_size=4, max_size=12).filter(lambda text: text.isascii() and text.isprintable()),
    st.lists(st.text(max_size=5), max_size=5),
    st.integers(1, 4),
)
def test_pieces_are_masked_as_the_whole_is(secret: str, between: list[str], size: int) -> None:
    mask = mask_of(secret)
    text = secret.join(["", *between, ""])
    stream = MaskedStream()
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    out = "".join([stream.feed(mask, piece) for piece in pieces] + [stream.feed(mask, "", final=True)])
    assert secret not in out or secret in MASK + "".join(between)


def test_reports_are_masked() -> None:
    mask = mask_of("hunter2")
    cause = Failure(Fault.USER, "hunter2", args=("hunter2", 1), state={"url": "http://u:hunter2@h", "n": [b"hunter2"]})
    failure = Failure(
        Fault.USER,
        "cannot log in with hunter2",
        notes=("hunter2",),
        traceback='  connect("hunter2")\n',
        cause=cause,
        context=cause,
        members=(cause,),
        line="f.py:1: hunter2",
    )
    reports = [
        AttemptFault(AT, failure, 1.0),
        FinishCall(AT, "n0", "1", Failed(failure), 1.0),
        LogChunk(AT, "stdout", "hunter2", 1.0),
        Progress(AT, 1.0, 2.0, "hunter2", 1.0),
        DeckUpdate(AT, "hunter2", 0, "<b>hunter2</b>", 1.0),
    ]
    for report in reports:
        assert "hunter2" in repr(report)
        assert "hunter2" not in repr(mask.report(report))
    masked = mask.failure(failure)
    assert masked.fault is Fault.USER
    assert masked.cause is not None
    assert masked.cause.args == (MASK, 1)
    done = Succeeded(AT, {"o0": IntLiteral(1)}, 1.0)
    assert mask.report(done) is done


def test_values_that_would_be_kept_may_not_hold_a_secret() -> None:
    mask = mask_of("hunter2")
    mask.refuse({"o0": StrLiteral("all well")}, "it")
    deep = {"o0": ListLiteral((MapLiteral({"a": StrLiteral("x hunter2 y")}),))}
    with pytest.raises(SecretLeak, match="holds the secret 'g/0'"):
        mask.refuse(deep, "it")
    Mask().refuse(deep, "it")


def test_printing_a_secret_value_does_not_show_it() -> None:
    assert "hunter2" not in repr(SecretValue("g", "k", b"hunter2"))
