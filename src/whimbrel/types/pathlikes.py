"""``os.PathLike`` and ``pathlib.Path`` as the types of files.

A task that declares ``os.PathLike`` is given a ``FlyteFile``, which is one, and fetched when its path is asked for. A
``Path`` knows nothing of that: its file is fetched before the task begins, and an eager body that is given one has
fetched it. Both take what ``FlyteFile`` takes.

Knows: files. Must not know: other kinds.
"""

from __future__ import annotations

import os
import sys
import typing
from typing import Any, Final

from whimbrel.model import literals as lit
from whimbrel.types.files import FlyteFile
from whimbrel.types.hooks import Hook, Transformers
from whimbrel.types.paths import transformer_of
from whimbrel.types.transformer import Transformer


def _matches(python_type: Any) -> bool:
    if (typing.get_origin(python_type) or python_type) is os.PathLike:
        return True
    return python_type is getattr(sys.modules.get("pathlib"), "Path", None)


def _build(python_type: Any, registry: Transformers) -> Transformer:
    file = transformer_of(FlyteFile)
    lazy = (typing.get_origin(python_type) or python_type) is os.PathLike

    def decode(literal: lit.Literal) -> Any:
        found = file.decode(literal)
        return found if lazy else python_type(found.download())

    return Transformer(
        python_type,
        file.literal_type,
        check=file.check,
        encode=file.encode,
        decode=decode,
        name="os.PathLike" if lazy else "Path",
        classes=(FlyteFile,) if lazy else (python_type,),
    )


HOOK: Final = Hook(_matches, _build)
