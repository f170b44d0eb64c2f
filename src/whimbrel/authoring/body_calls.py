"""What is wrong with the calls in an eager body, read from its source: nothing of it is run.

Only what is certain is told: names that are bound once, to an entity of the module, to an input, or to what an awaited
call gives; maps of entities; gates; constants; calls without ``*`` and ``**``; and calls without an ``await`` that
stand, in the body itself, where only their value would do. The rest is checked by the call itself when it is made.

Knows syntax trees and signatures. Must not know how calls are carried out.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from types import ModuleType
from typing import Any

from whimbrel.authoring.entity import Entity
from whimbrel.authoring.gate import approve, sleep, wait_for_input
from whimbrel.authoring.maps import MapTask, map_task
from whimbrel.authoring.signature import Signature
from whimbrel.authoring.source import innermost
from whimbrel.errors import CallMismatch, CompileError, Problem, UserError, ValueMismatch
from whimbrel.model.literal_types import LiteralType, UnionType, assignable, describe

_UNKNOWN = object()
"""Stands for a value that only running would tell."""

_GATES = (approve, sleep, wait_for_input)

_CONFIGURING = ("options", "with_overrides")


def body_problems(entity: Entity[..., Any]) -> list[Problem]:
    """Every call in the body of ``entity`` whose arguments cannot fit; empty when its source cannot be read."""
    fn = innermost(entity.fn)
    try:
        lines, first = inspect.getsourcelines(fn)
        tree = ast.parse(textwrap.dedent("".join(lines)))
    except (OSError, TypeError, SyntaxError):
        return []
    if not tree.body or not isinstance(tree.body[0], ast.FunctionDef | ast.AsyncFunctionDef):
        return []
    body = _Body(tree.body[0], fn, entity)
    file = fn.__code__.co_filename
    problems = []
    for call in body.calls():
        for message, remedy in body.faults(call):
            problems.append(Problem(message, remedy=remedy, file=file, line=first + call.lineno - 1))
    if not getattr(entity.fn, "calls_block", False):
        for node, message in body.forgotten():
            problems.append(
                Problem(message, remedy="Write `await` before it.", file=file, line=first + node.lineno - 1)
            )
    return problems


class _Body:
    """A function's syntax tree, and what its names mean."""

    def __init__(self, tree: ast.FunctionDef | ast.AsyncFunctionDef, fn: Any, entity: Entity[..., Any]) -> None:
        self._tree = tree
        self._globals = fn.__globals__
        closure = inspect.getclosurevars(fn)
        self._enclosing = dict(closure.nonlocals)
        self._bound = Counter(_bindings(tree))
        self._inputs = entity.signature.interface.inputs
        self._assigned = {
            statement.targets[0].id: statement.value
            for statement in ast.walk(tree)
            if isinstance(statement, ast.Assign)
            and len(statement.targets) == 1
            and isinstance(statement.targets[0], ast.Name)
        }

    def calls(self) -> Iterator[ast.Call]:
        """The calls of entities, in the order of the source."""
        found = [node for stage in self._tree.body for node in ast.walk(stage) if isinstance(node, ast.Call)]
        return (call for call in sorted(found, key=_place) if self._callee(call) or self._gate(call))

    # --- what is called ----------------------------------------------------------------------------------------------

    def _callee(self, call: ast.Call) -> Entity[..., Any] | None:
        target = call.func
        if isinstance(target, ast.Attribute) and target.attr == "aio":
            target = target.value
        if isinstance(target, ast.Call) and isinstance(target.func, ast.Attribute) and target.func.attr in _CONFIGURING:
            target = target.func.value
        if isinstance(target, ast.Call):
            return self._map(target)
        value = self._value(target)
        return value if isinstance(value, Entity) else None

    def _map(self, call: ast.Call) -> Entity[..., Any] | None:
        """The map that ``map_task(entity, …)`` makes, if it is certain what it takes and gives."""
        if self._value(call.func) is not map_task or len(call.args) != 1:
            return None
        inner = self._value(call.args[0])
        said = {}
        for keyword in call.keywords:
            if keyword.arg not in ("concurrency", "min_successes", "min_success_ratio"):
                return None
            if not isinstance(keyword.value, ast.Constant):
                return None
            said[keyword.arg] = keyword.value.value
        if not isinstance(inner, Entity) or inner.read.problems:
            return None
        try:
            made: Entity[..., Any] = map_task(inner, **said)
        except UserError:
            return None  # told when it is made
        return None if made.read.problems else made

    def _gate(self, call: ast.Call) -> Callable[..., Any] | None:
        value = self._value(call.func)
        return value if any(value is gate for gate in _GATES) else None

    def _value(self, expression: ast.expr) -> Any:
        """What a name, or a dotted name through modules, means to the function."""
        if isinstance(expression, ast.Name) and not self._bound[expression.id]:
            return self._enclosing.get(expression.id, self._globals.get(expression.id))
        if isinstance(expression, ast.Attribute):
            module = self._value(expression.value)
            # Attributes of anything else may run code.
            return vars(module).get(expression.attr) if isinstance(module, ModuleType) else None
        return None

    # --- what is wrong -----------------------------------------------------------------------------------------------

    def faults(self, call: ast.Call) -> Iterator[tuple[str, str]]:
        """Messages and remedies."""
        if any(isinstance(argument, ast.Starred) for argument in call.args):
            return
        if any(keyword.arg is None for keyword in call.keywords):
            return
        given = {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg is not None}
        callee = self._callee(call)
        if callee is None:
            yield from self._gate_faults(call, given)
            return
        try:
            signature = callee.signature
        except CompileError:
            return  # told where it is defined
        if isinstance(callee, MapTask):
            try:
                fitting, _, _ = callee.prepared(tuple(_UNKNOWN for _ in call.args), dict.fromkeys(given, _UNKNOWN))
            except CallMismatch as error:
                yield str(error).partition(": ")[2], "Give the lists by name."
                return
            names = [name for name in callee.inner.read._positional if name not in callee.given]
            given = {**dict(zip(names, call.args, strict=False)), **given}
            signature, positional = fitting.signature, []
        else:
            positional = call.args
        placeholders = dict.fromkeys(given, _UNKNOWN)
        _, faults = signature.match(tuple(_UNKNOWN for _ in positional), placeholders)
        takes = ", ".join(signature.names)
        for fault in faults:
            yield fault, f"The call must fit `{signature.name}({takes})`."
        if not faults:
            named = {**dict(zip(signature.names, positional, strict=False)), **given}
            for name, expression in named.items():
                yield from self._misfit(signature, name, expression)

    def _gate_faults(self, call: ast.Call, given: Mapping[str, ast.expr]) -> Iterator[tuple[str, str]]:
        gate = self._gate(call)
        assert gate is not None
        try:
            inspect.signature(gate).bind(*call.args, **given)
        except TypeError as error:
            parameters = ", ".join(inspect.signature(gate).parameters)
            yield f"{gate.__name__}(): {error}", f"The call must fit `{gate.__name__}({parameters})`."

    # --- calls that nobody awaits ------------------------------------------------------------------------------------

    def forgotten(self) -> Iterator[tuple[ast.expr, str]]:
        """Calls of entities, and names of such calls, that stand in the body where only their value would do."""
        around = {child: parent for parent in self._own(self._tree) for child in ast.iter_child_nodes(parent)}
        for node, parent in sorted(
            ((node, parent) for node, parent in around.items() if isinstance(node, ast.Call | ast.Name)),
            key=lambda pair: _place(pair[0]),
        ):
            callee = self._pending(node)
            if callee is None:
                continue
            if isinstance(parent, ast.keyword):
                parent = around[parent]
            use = "" if isinstance(node, ast.Name) and isinstance(parent, ast.Expr) else self._use(node, parent)
            if use:
                what = (
                    f"{node.id}, a call of {callee.short_name}(),"
                    if isinstance(node, ast.Name)
                    else (f"the call of {callee.short_name}()")
                )
                yield node, f"{what} is {use}" + ("" if isinstance(parent, ast.Expr) else " before it was awaited")

    def _own(self, tree: ast.AST) -> Iterator[ast.AST]:
        """What runs in the body itself, not in functions that are defined in it."""
        waiting = [tree]
        while waiting:
            node = waiting.pop()
            yield node
            waiting.extend(
                child
                for child in ast.iter_child_nodes(node)
                if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef)
            )

    def _pending(self, node: ast.expr) -> Entity[..., Any] | None:
        """The entity that an expression is a call of, which has not been awaited."""
        if isinstance(node, ast.Call):
            return self._callee(node)
        assert isinstance(node, ast.Name)
        value = self._assigned.get(node.id) if self._bound[node.id] == 1 and isinstance(node.ctx, ast.Load) else None
        return self._callee(value) if isinstance(value, ast.Call) else None

    def _use(self, node: ast.expr, parent: ast.AST) -> str:
        """How ``parent`` uses the value of ``node``, "" if it may do without."""
        match parent:
            case ast.Expr():
                return "never awaited: it does not run"
            case ast.BinOp() | ast.UnaryOp():
                return "used in arithmetic"
            case ast.Compare(ops=ops) if all(isinstance(op, ast.Lt | ast.LtE | ast.Gt | ast.GtE) for op in ops):
                return "compared"
            case ast.FormattedValue():
                return "put into a text"
            case ast.Subscript(value=value) if value is node:
                return "indexed"
            case ast.For(iter=value) | ast.comprehension(iter=value) if value is node:
                return "iterated over"
            case ast.If(test=value) | ast.While(test=value) | ast.IfExp(test=value) | ast.Assert(test=value) if (
                value is node
            ):
                return "used as a condition"
            case ast.Return():
                return "returned"
            case ast.Call(func=called) if called is not node and (taker := self._callee(parent)) is not None:
                return f"given to {taker.short_name}()"
        return ""

    def _misfit(self, signature: Signature, name: str, expression: ast.expr) -> Iterator[tuple[str, str]]:
        transformer = signature.inputs[name]
        where = f"{signature.name}(), input {name!r}"
        remedy = f"or change the annotation of {name!r} in {signature.name}."
        try:
            value = ast.literal_eval(expression)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            kind = self._kind(expression)
            if kind is not None and not _may_fit(kind, transformer.literal_type):
                yield (
                    f"{where}: expected {transformer.name}, got {describe(kind)}",
                    f"Pass {transformer.name}, {remedy}",
                )
            return
        try:
            transformer.check(value)
        except ValueMismatch as error:
            at = "" if error.path == "$" else f" at {error.path}"
            yield f"{where}: expected {error.expected}, got {error.got}{at}", f"Pass {error.expected}, {remedy}"

    # --- what a value is ---------------------------------------------------------------------------------------------

    def _kind(self, expression: ast.expr) -> LiteralType | None:
        """The literal type of an expression, ``None`` when it is not certain."""
        if isinstance(expression, ast.Await) and isinstance(expression.value, ast.Call):
            return self._result_kind(expression.value)
        if not isinstance(expression, ast.Name):
            return None
        bound = self._bound[expression.id]
        if bound == 1 and expression.id in self._inputs:
            return self._inputs[expression.id].type
        if bound == 1 and expression.id in self._assigned:
            value = self._assigned[expression.id]
            return self._kind(value) if isinstance(value, ast.Await) else None
        return None

    def _result_kind(self, call: ast.Call) -> LiteralType | None:
        callee = self._callee(call)
        if callee is None or isinstance(callee, MapTask):
            return None
        try:
            signature = callee.signature
        except CompileError:
            return None
        return signature.outputs[signature.lone].literal_type if signature.result == "single" else None


def _place(node: ast.expr) -> tuple[int, int]:
    return node.lineno, node.col_offset


def _may_fit(kind: LiteralType, wanted: LiteralType) -> bool:
    """Whether some value of ``kind`` fits: the body may have looked which variant of a union it has."""
    if isinstance(kind, UnionType):
        return any(_may_fit(variant, wanted) for variant in kind.variants)
    return assignable(kind, wanted)


def _bindings(tree: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    """Every name that the function, or a function in it, binds; as often as it does. Scopes are not told apart."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                yield name
            case ast.arg(arg=name):
                yield name
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                yield name
            case ast.MatchMapping(rest=str(name)):
                yield name
            case ast.alias(name=name, asname=alias):
                yield alias or name.partition(".")[0]
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                if node is not tree:
                    yield name
            case ast.Global(names=names) | ast.Nonlocal(names=names):
                # Bound elsewhere, who knows how often.
                yield from names
                yield from names
