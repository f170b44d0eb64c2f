"""A run or a node as its page shows it: values with what they are and cut to size, why it ran, how, which code; what
is in its files and tables. Moments are ISO 8601 in UTC, ``null`` while they are not known.

What is shown of a value is ``null``, a boolean, a number, a string, or an object of one of these ``kind``:

- ``integer``, ``float`` with ``text``: a number that JSON would not have to the bit;
- ``string`` with ``text``, its beginning, and ``bytes``, its whole size;
- ``datetime`` with ``text`` and ``zone``; ``date``, ``enum`` with ``text``; ``duration`` with ``text`` and ``seconds``;
- ``bytes`` with ``base64``, the beginning, ``bytes`` and ``encoding``;
- ``list`` with ``items``, the first of ``length``, and ``names`` for a named tuple;
- ``map`` and ``struct`` (with ``type``) with ``fields``, the first of ``length``, each a pair of name and value;
- ``file``, ``directory``, ``dataset`` with ``name``, ``uri``, ``format``, ``bytes`` (-1 unknown) and ``link``, where
  its content can be fetched, if it is here;
- ``more`` with ``bytes`` and ``length`` (-1 unknown): there was no room to show it;
- ``lost`` with ``text``: the store does not have it any more.

Knows: JSON. Must not know: the model.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from whimbrel.wire.rest.runs import NodeProgress, Row

Side = Literal["inputs", "outputs"]


class AboutQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which: the node at the path ``node``, or the run itself."""

    node: str = ""


class ValueQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which value: of the run, or of the node at the path ``node``, among its inputs or outputs, by ``name``; what is
    inside it at ``at``, a JSON list of keys and indices. ``entry`` is a file of a directory. Of a list, a map, a text
    or a directory, what follows the first ``offset``."""

    name: str
    side: Side = "outputs"
    node: str = ""
    at: str = "[]"
    entry: str = ""
    offset: Annotated[int, Meta(ge=0)] = 0


class ShownValue(Struct, frozen=True):
    """An input or an output. ``type`` is as a person writes it, ``value`` as the module says, ``bytes`` its size as it
    is kept, -1 where that is not known. ``link`` is where all of it is, as JSON (a string: as text)."""

    name: str
    type: str
    description: str
    value: Any
    bytes: int
    link: str


class Shown(Struct, frozen=True):
    """Part of a value. ``next`` is the ``offset`` of the next one, ``null`` behind the last."""

    value: Any
    next: int | None


class Frame(Struct, frozen=True):
    """A call in a traceback. ``own`` is whether the author wrote it; ``context`` has the lines around it, by number,
    where their code is here; ``text`` the line itself and ``marks`` what Python underlines in it."""

    file: str
    line: int
    function: str
    own: bool
    text: str
    marks: str
    context: list[tuple[int, str]]


class ShownFailure(Struct, frozen=True):
    """A failure, cut to what can be read. ``type`` is ``module:QualName``. ``frames`` are from the outermost call to
    the one that failed; ``traceback`` is the whole text. ``cause`` is what it was raised from, or while handling;
    ``members`` are the first of ``count``."""

    fault: str
    message: str
    type: str
    traceback: str
    frames: list[Frame]
    notes: list[str]
    cause: ShownFailure | None
    during: bool
    members: list[ShownFailure]
    count: int
    node: str
    line: str


class ShownAttempt(Struct, frozen=True):
    """A try at a node."""

    number: int
    phase: str
    launched_at: str | None
    started_at: str | None
    ended_at: str | None
    worker: str
    failure: ShownFailure | None


class Reason(Struct, frozen=True):
    """Why a node ran, or did not: a sentence, and the run and node that it speaks of."""

    text: str
    run: str = ""
    node: str = ""


class CacheShape(Struct, frozen=True):
    """What its outputs are cached by: the digest of the key, and of each input that counts."""

    version: str
    key: str
    inputs: dict[str, str]
    ignored: tuple[str, ...]
    serialize: bool


class HowItRuns(Struct, frozen=True):
    """What the author says about running it; "" and ``null`` where nothing is said. ``environment`` are the names of
    variables, ``secrets`` those of secrets: never what they hold."""

    cpu: str
    mem: str
    gpu: str
    storage: str
    image: str
    timeout: float | None
    retries: int | None
    backoff: float | None
    interruptible: bool | None
    environment: list[str]
    secrets: list[str]


class CodeShape(Struct, frozen=True):
    """Which code it is. ``digest`` is of the function and all that it uses, ``bundle`` of what was registered.
    ``registered`` is whether the entity has a page: of ``kind``, ``name``, ``version`` in ``project`` and
    ``domain``."""

    module: str
    function: str
    file: str
    line: int
    digest: str
    bundle: str
    python: str
    kind: str
    name: str
    version: str
    project: str
    domain: str
    registered: bool
    doc: str


class GateAnswer(Struct, frozen=True):
    """Who answered a gate."""

    by: str
    at: str | None
    reason: str


class About(Struct, frozen=True):
    """All that the page of a run or of one node shows. ``path`` is "" for the run; ``outputs`` are ``null`` while there
    are none. ``waiting`` are the gates of a run that wait."""

    run: Row
    path: str
    kind: str
    entity: str
    name: str
    phase: str
    line: str
    created_at: str | None
    queued_at: str | None
    started_at: str | None
    ended_at: str | None
    inputs: list[ShownValue]
    outputs: list[ShownValue] | None
    failure: ShownFailure | None
    attempts: list[ShownAttempt]
    progress: NodeProgress | None
    waits_for: str | None
    why: list[Reason]
    cache: CacheShape | None
    runs_with: HowItRuns | None
    code: CodeShape | None
    answer: GateAnswer | None
    waiting: list[dict[str, Any]]


class Column(Struct, frozen=True):
    """A column of a table; ``number`` is whether its values are numbers."""

    name: str
    type: str
    number: bool


class TableHead(Struct, frozen=True):
    """The first rows of a table. ``count`` is how many it has, -1 where only reading all of it would tell; ``width``
    how many columns. Cells are text, cut; ``null`` where there is nothing. ``remark`` says why there is no more."""

    columns: list[Column]
    rows: list[list[str | None]]
    count: int
    width: int
    remark: str


class DirectoryEntry(Struct, frozen=True):
    """A file of a directory."""

    path: str
    bytes: int
    link: str


class Directory(Struct, frozen=True):
    """Files of a directory, of ``count`` in all; ``next`` as in ``Shown``."""

    entries: list[DirectoryEntry]
    count: int
    bytes: int
    next: int | None


class FileHead(Struct, frozen=True):
    """The beginning of a file: ``text`` of a text file, "" of others. ``media`` is what its bytes are, as far as it can
    be told; ``picture`` whether a browser can show it."""

    text: str
    bytes: int
    cut: bool
    media: str
    picture: bool
