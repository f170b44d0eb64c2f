"""Whether the console's types are those of the REST that is served."""

from __future__ import annotations

import hashlib
from pathlib import Path

from scripts import console_api

TYPES = Path(__file__).parents[3] / "console" / "src" / "api" / "schema.d.ts"
STALE = "the console's types are those of another REST: run `make console-api`"


def test_the_document_is_what_a_server_says() -> None:
    assert console_api.TARGET.read_text(encoding="utf-8") == console_api.text(), STALE


def test_the_types_are_those_of_the_document() -> None:
    digest = hashlib.sha256(console_api.TARGET.read_bytes()).hexdigest()
    first = TYPES.read_text(encoding="utf-8").partition("\n")[0]
    assert f"(sha256 {digest})" in first, STALE
