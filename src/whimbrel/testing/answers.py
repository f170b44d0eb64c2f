"""``gate_answers``: answers to gates for plain calls of workflows, where no engine keeps a gate waiting.

For runs on an engine see ``TestEngine.signal``.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

from whimbrel.authoring.answers import laid_out


def gate_answers(answers: Mapping[str, Any]) -> AbstractContextManager[None]:
    """Answer the gates of plain calls inside ``with gate_answers({"release": True, "rows": 5}):``.

    An approval takes ``True``, ``False`` or the reason for a rejection; a gate that waits for input the value; an
    iterator gives one answer after the other. ``sleep`` takes no time meanwhile. A gate without an answer raises
    ``GateUnanswered``.
    """
    return laid_out(answers)
