"""`whimbrel freeze`: a static workflow, as Python source, that does what a recorded eager run did.

Knows: click, entities, how source is written. Must not know: how edges are found (`controlplane/freezing.py`).
"""

from __future__ import annotations

import asyncio
import dataclasses
import enum
import typing
from pathlib import Path
from types import CodeType
from typing import Any

import click

from whimbrel.authoring.entity import Entity
from whimbrel.authoring.source import innermost, wrapped_chain
from whimbrel.authoring.syntax import references
from whimbrel.cli.current_code import named_entity, recorded_program, root_entity
from whimbrel.cli.python_source import Names, NoSource
from whimbrel.cli.run_ids import find_run
from whimbrel.cli.settings import err, home_option, looking, out, verbose_option
from whimbrel.controlplane.freezing import Constant, Edge, Fields, Frozen, Items, NotFreezable, Source, freeze
from whimbrel.engine.run import Run
from whimbrel.errors import EntityNotFound, InputInvalid, UserError
from whimbrel.model.content import input_digest
from whimbrel.model.literal_types import ListType, LiteralType, MapType, StructType, TupleType, UnionType
from whimbrel.model.literals import (
    BigIntLiteral,
    BoolLiteral,
    BytesLiteral,
    FloatLiteral,
    IntLiteral,
    Literals,
    StrLiteral,
)
from whimbrel.model.program import START
from whimbrel.runtime.loading import load_entity
from whimbrel.runtime.values import read_literals

_SMALL = 2**63
_DEEP = 4
"""How far constants are looked for in containers."""


@click.command(
    "freeze",
    short_help="Write a static workflow that does what an eager run did.",
    epilog="Example:  whimbrel freeze latest -o frozen.py && whimbrel check frozen.py",
)
@home_option
@verbose_option
@click.argument("run")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write it there.")
def command(run: str, home: Path, output: Path | None) -> int:
    """Write a @workflow with the calls that the eager workflow of RUN (an id, the beginning of one, or `latest`) made.

    What a call was given becomes an edge where an earlier call gave the same value, or the run was given it; read the
    result, comments say where several fitted. Loops are unrolled. A run has no such form if its body lost or caught
    something, drew time or chance, waited for a timer, or computed what it handed on: each reason is listed.
    """
    text = asyncio.run(_frozen(home, run))
    if output is None:
        out(text.rstrip("\n"))
    else:
        output.write_text(text, encoding="utf-8")
        err(f"whimbrel: written to {output}; look at it, then: whimbrel check {output}")
    return 0


async def _frozen(home: Path, text: str) -> str:
    async with looking(home) as opened:
        summary = await find_run(opened.store, text)
        events = await opened.store.events(summary.id)
        run = Run.replay(events, keep_story=False)
        blobs = opened.blobs

        def fetch(literals: Literals) -> Literals:
            return read_literals(literals, blobs)

        program = recorded_program(events)
        if run.workflow not in program.tasks:
            raise InputInvalid(f"run {summary.id} cannot be frozen: it is not the run of an eager workflow")
        entity = root_entity(program, run.workflow, summary.source, None)
        try:
            frozen = freeze(run, fetch, _constants(entity))
            return _Writer(entity, run, fetch).text(frozen, summary.id)
        except NotFreezable as refusal:
            reasons = "\n".join(f"  {reason}" for reason in refusal.reasons)
            raise InputInvalid(f"run {summary.id} cannot be frozen:\n{reasons}") from None
        except NoSource as refusal:
            raise InputInvalid(f"run {summary.id} cannot be frozen:\n  {refusal}") from None


# --- what stands in the code -----------------------------------------------------------------------------


def _constants(entity: Entity[..., Any]) -> frozenset[str]:
    """Digests of the constants in the body's code, in the globals that it reads, and in its defaults."""
    found: set[str] = set()
    for layer in wrapped_chain(entity.fn):
        code = getattr(layer, "__code__", None)
        if isinstance(code, CodeType):
            _gather(code, found)
            space = getattr(layer, "__globals__", {})
            for path in references(code):
                value = space.get(path[0])
                for step in path[1:]:
                    value = getattr(value, step, None) if value is not None else None
                _gather(value, found)
        _gather(getattr(layer, "__defaults__", None), found)
        _gather(getattr(layer, "__kwdefaults__", None), found)
    return frozenset(found)


def _gather(value: Any, found: set[str], depth: int = 0) -> None:
    if isinstance(value, enum.Enum):
        _gather(value.value, found, depth)
    elif isinstance(value, type) and issubclass(value, enum.Enum):
        _gather(list(value), found, depth)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type) and depth < _DEEP:
        _gather(list(vars(value).values()), found, depth + 1)
    elif isinstance(value, CodeType):
        for inner in value.co_consts:
            _gather(inner, found, depth)
    elif isinstance(value, list | tuple | set | frozenset | dict) and depth < _DEEP:
        for inner in (*value.keys(), *value.values()) if isinstance(value, dict) else value:
            _gather(inner, found, depth + 1)
    elif isinstance(value, str):
        found.add(input_digest(StrLiteral(str(value))))
    elif isinstance(value, bytes):
        found.add(input_digest(BytesLiteral(value)))
    elif isinstance(value, bool):
        found.add(input_digest(BoolLiteral(value)))
    elif isinstance(value, int):
        for number in (value, -value):
            small = -_SMALL <= number < _SMALL
            found.add(input_digest(IntLiteral(int(number)) if small else BigIntLiteral(str(int(number)))))
            found.add(input_digest(FloatLiteral(float(number)))) if small else None
    elif isinstance(value, float):
        found.update((input_digest(FloatLiteral(float(value))), input_digest(FloatLiteral(-float(value)))))


# --- the text --------------------------------------------------------------------------------------------


class _Writer:
    def __init__(self, entity: Entity[..., Any], run: Run, fetch: Any) -> None:
        self._entity = entity
        self._run = run
        self._fetch = fetch
        self._names = Names()
        self._variables: dict[str, str] = {}
        self._entities: dict[str, Entity[..., Any]] = {}
        self._remarks: list[str] = []

    def text(self, frozen: Frozen, run_id: str) -> str:
        """The whole module."""
        entity, names = self._entity, self._names
        for name in entity.interface.inputs:
            names.fresh(name)
        decorator = names.imported("whimbrel", "workflow")
        title = names.fresh(f"{entity.short_name}_frozen")
        for call in frozen.calls:
            self._entities[call.node.path] = self._found(call.node.entity, call.node.spec)
        signature = self._signature(title)
        body: list[str] = []
        for call in frozen.calls:
            body += self._call(call.node.path, call.node.inputs, call.inputs, call.after)
        body += self._return(frozen.outputs)
        said = f'"""What run {run_id} of {entity.name} did, as a static workflow."""'
        lines = [said, "", *names.lines(), "", "", f"@{decorator}", signature, *(f"    {line}" for line in body)]
        return "\n".join(lines) + "\n"

    def _found(self, name: str, spec: Any) -> Entity[..., Any]:
        try:
            found = load_entity(spec.code) if spec is not None else named_entity(name)
        except UserError as error:
            raise NoSource(f"{name} cannot be loaded: {error}") from None
        if found is None:
            raise EntityNotFound(f"{name} is gone: it cannot be called")
        return found

    def _called(self, path: str) -> str:
        code = self._entities[path].code()
        return self._names.imported(code.module, code.name)

    def _signature(self, title: str) -> str:
        entity = self._entity
        hints = typing.get_type_hints(innermost(entity.fn))
        defaults = {
            name: parameter.default
            for name, parameter in entity.interface.inputs.items()
            if parameter.default is not None
        }
        values = {
            name: entity.signature.inputs[name].decode(literal) for name, literal in self._fetch(defaults).items()
        }
        written: list[str] = []
        by_name = False
        for name in entity.interface.inputs:
            by_name = by_name or (name not in values and " = " in "".join(written))
            default = f" = {self._names.value(values[name])}" if name in values else ""
            written.append(f"{name}: {self._names.type(hints[name])}{default}")
        if by_name:
            written.insert(0, "*")
        returns = self._names.type(hints.get("return"))
        return f"def {title}({', '.join(written)}) -> {returns}:"

    def _call(self, path: str, recorded: Literals, sources: dict[str, Source], after: tuple[str, ...]) -> list[str]:
        signature = self._entities[path].signature
        values = signature.decode_inputs(self._fetch(recorded))
        self._remarks = []
        given = ", ".join(f"{name}={self._source(source, values[name])}" for name, source in sources.items())
        variable = self._variables[path] = self._names.fresh(f"{self._entities[path].short_name}_1")
        lines = [*(f"# {remark}" for remark in self._remarks), f"{variable} = {self._called(path)}({given})"]
        return lines + [f"{self._variables[before]} >> {variable}" for before in after]

    def _return(self, outputs: dict[str, Source]) -> list[str]:
        if not outputs:
            return []
        signature = self._entity.signature
        (node,) = (node for node in self._run.nodes.values() if not node.parent)
        by_name = signature.outputs_by_name(signature.decode_outputs(self._fetch(node.outputs)))
        self._remarks = []
        written = [self._source(source, by_name[name]) for name, source in outputs.items()]
        remarks = [f"# {remark}" for remark in self._remarks]
        if signature.result == "single":
            return [*remarks, f"return {written[0]}"]
        kind = self._names.type(signature.tuple_type) if signature.tuple_type is not None else ""
        return [*remarks, f"return {kind}({', '.join(written)})"]

    def _source(self, source: Source, value: Any) -> str:
        if isinstance(source, Edge):
            if source.others:
                others = ", ".join(map(self._edge, source.others))
                self._remarks.append(f"{self._edge(source)} has the same value as {others}")
            return self._edge(source)
        if isinstance(source, Items):
            return f"[{', '.join(self._source(item, each) for item, each in zip(source.items, value, strict=True))}]"
        if isinstance(source, Fields):
            if not isinstance(value, dict):
                raise NoSource(f"a {type(value).__name__} was made in the body of what calls gave: make it in a task")
            pairs = (f"{key!r}: {self._source(item, value[key])}" for key, item in source.items.items())
            return "{" + ", ".join(pairs) + "}"
        assert isinstance(source, Constant)
        return self._names.value(value)

    def _edge(self, edge: Edge) -> str:
        if edge.node == START:
            text = edge.var
            kind: LiteralType | None = self._entity.interface.inputs[edge.var].type
        else:
            entity = self._entities[edge.node]
            text, kind = self._variables[edge.node], entity.interface.outputs[edge.var].type
            if entity.signature.result != "single":
                names = list(entity.interface.outputs)
                text += f"[{names.index(edge.var)}]" if edge.var.startswith("o") else f".{edge.var}"
        for step in edge.path:
            text, kind = _step(text, kind, step)
        return text


def _step(text: str, kind: LiteralType | None, step: str | int) -> tuple[str, LiteralType | None]:
    """One step into a promise, written as its type wants it."""
    while isinstance(kind, UnionType):
        kind = next((variant for variant in kind.variants if _holds(variant, step)), None)
    if isinstance(kind, StructType) and kind.fields is not None and isinstance(step, str):
        return f"{text}.{step}", kind.fields[step]
    if isinstance(kind, TupleType) and isinstance(step, int):
        return f"{text}[{step}]", kind.items[step]
    inner = kind.item if isinstance(kind, ListType) else kind.value if isinstance(kind, MapType) else None
    return f"{text}[{step!r}]", inner


def _holds(kind: LiteralType, step: str | int) -> bool:
    return isinstance(kind, ListType | TupleType if isinstance(step, int) else StructType | MapType)
