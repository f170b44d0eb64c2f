"""The text of code as far as it means something: syntax without comments, formatting, documentation and our own
decorators; and the names that code reads.

Knows source files, syntax trees and code objects. Must not know what the names lead to.
"""

from __future__ import annotations

import ast
import dis
import os
import sys
from collections.abc import Iterator
from functools import lru_cache
from types import CodeType, FunctionType, ModuleType
from typing import Any, NamedTuple

_OWN = ("whimbrel", "flytekit", "union")
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_POSITIONS = frozenset({"ctx", "type_comment", "kind"})


class _Source:
    """A parsed file: its functions by name and first line, its classes by qualified name."""

    def __init__(self, tree: ast.Module) -> None:
        self.tree = tree
        self.functions: dict[tuple[str, int], ast.AST | None] = {}
        self.classes: dict[str, ast.ClassDef] = {}
        waiting: list[tuple[ast.AST, str]] = [(tree, "")]
        while waiting:
            node, within = waiting.pop()
            inner = within
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
                self._function(node.name, first, node)
                inner = f"{within}{node.name}.<locals>."
            elif isinstance(node, ast.Lambda):
                self._function("<lambda>", node.lineno, node)
            elif isinstance(node, ast.ClassDef):
                self.classes[f"{within}{node.name}"] = node
                inner = f"{within}{node.name}."
            waiting.extend((child, inner) for child in ast.iter_child_nodes(node))

    def _function(self, name: str, line: int, node: ast.AST) -> None:
        # Two on one line cannot be told apart.
        self.functions[name, line] = None if (name, line) in self.functions else node


@lru_cache(maxsize=512)
def _parsed(file: str, _changed: int, _size: int) -> _Source | None:
    try:
        with open(file, "rb") as stream:
            return _Source(ast.parse(stream.read(), file))
    except (OSError, SyntaxError, ValueError):
        return None


def _source(file: str | None) -> _Source | None:
    if not file or not file.endswith(".py"):
        return None
    try:
        status = os.stat(file)
    except OSError:
        return None
    return _parsed(file, status.st_mtime_ns, status.st_size)


def code_text(fn: FunctionType) -> str:
    """The meaning of a function in words; of its byte code where its source is not to be had."""
    code = fn.__code__
    source = _source(code.co_filename)
    node = source.functions.get((code.co_name, code.co_firstlineno)) if source is not None else None
    return _byte_code(code) if node is None else _text(node, fn.__globals__)


def type_text(cls: type) -> str:
    """The statements of a class other than its methods (those are functions); its name where there is no source."""
    module = sys.modules.get(cls.__module__)
    source = _source(getattr(module, "__file__", None))
    node = source.classes.get(cls.__qualname__) if source is not None else None
    if node is None:
        return cls.__qualname__
    rest = [item for item in node.body if not isinstance(item, _DEFINITIONS)]
    bare = ast.ClassDef(node.name, node.bases, node.keywords, rest, node.decorator_list)
    return _text(bare, vars(module))


def file_text(file: str) -> str:
    """A whole file, where it is not known what of it is used; "" if it cannot be read."""
    source = _source(file)
    return "" if source is None else _text(source.tree, {})


def _byte_code(code: CodeType) -> str:
    constants = [_byte_code(item) if isinstance(item, CodeType) else _constant(item) for item in code.co_consts]
    documentation = code.co_consts[:1] if code.co_consts and isinstance(code.co_consts[0], str) else ()
    if documentation and code.co_flags & 0x2:
        constants = constants[1:]
    return f"{code.co_code.hex()} {constants} {code.co_names} {code.co_varnames} {code.co_freevars}"


def _constant(value: Any) -> str:
    return f"frozenset({sorted(map(repr, value))})" if isinstance(value, frozenset) else repr(value)


def _text(node: ast.AST, space: dict[str, Any]) -> str:
    parts: list[str] = []
    _write(node, space, parts)
    return "".join(parts)


def _write(node: Any, space: dict[str, Any], parts: list[str]) -> None:
    """What ``ast.dump`` says, in a form that is the same on every Python version."""
    if isinstance(node, list):
        parts.append("[")
        for item in node:
            _write(item, space, parts)
        parts.append("]")
        return
    if not isinstance(node, ast.AST):
        parts.append(f"{node!r},")
        return
    parts.append(f"{type(node).__name__}(")
    for name in node._fields:
        value: Any = getattr(node, name, None)
        if name in _POSITIONS or (value is None and not isinstance(node, ast.Constant)) or value == []:
            continue
        if name == "body" and isinstance(node, (*_DEFINITIONS, ast.Module)):
            value = _without_documentation(value)
        elif name == "decorator_list":
            value = [decorator for decorator in value if not _is_ours(decorator, space)]
            if not value:
                continue
        parts.append(f"{name}=")
        _write(value, space, parts)
    parts.append(")")


def _without_documentation(body: list[Any]) -> list[Any]:
    first = body[0] if body else None
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        return body[1:]
    return body


def _is_ours(decorator: ast.expr, space: dict[str, Any]) -> bool:
    """Whether a decorator is ``task`` or its like: what it says (retries, resources) is no part of what code does."""
    named: ast.expr = decorator.func if isinstance(decorator, ast.Call) else decorator
    steps: list[str] = []
    while isinstance(named, ast.Attribute):
        steps.append(named.attr)
        named = named.value
    if not isinstance(named, ast.Name):
        return False
    found = space.get(named.id)
    for step in reversed(steps):
        if not isinstance(found, ModuleType):
            return False
        found = getattr(found, step, None)
    module = getattr(found, "__module__", None)
    return isinstance(module, str) and module.partition(".")[0] in _OWN


# --- names -------------------------------------------------------------------------------------------------------

_GLOBAL = frozenset({"LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS", "LOAD_CLASSDEREF"})
_ATTRIBUTE = frozenset({"LOAD_ATTR", "LOAD_METHOD"})


@lru_cache(maxsize=16_384)
def references(code: CodeType) -> tuple[tuple[str, ...], ...]:
    """The globals that ``code`` and the functions inside it read, each with the attributes that follow it:
    ``("helpers", "scale")``. What a body imports is among them, by the module's path."""
    found: dict[tuple[str, ...], None] = {}
    waiting = [code]
    while waiting:
        each = waiting.pop()
        found.update(dict.fromkeys(_read(each)))
        waiting.extend(item for item in each.co_consts if isinstance(item, CodeType))
    return tuple(found)


def _read(code: CodeType) -> Iterator[tuple[str, ...]]:
    path: list[str] = []
    for instruction in dis.get_instructions(code):
        if instruction.opname in _GLOBAL:
            if path:
                yield tuple(path)
            path = [instruction.argval]
        elif path and instruction.opname in _ATTRIBUTE:
            path.append(instruction.argval)
        elif path and instruction.opname not in ("PUSH_NULL", "CACHE", "EXTENDED_ARG"):
            yield tuple(path)
            path = []
    if path:
        yield tuple(path)


class Import(NamedTuple):
    """``from <level dots><module> import <names>``, or ``import <module>`` without names."""

    module: str
    level: int
    names: tuple[str, ...]


def code_imports(code: CodeType) -> Iterator[Import]:
    """What ``code`` and the functions inside it import when they run."""
    waiting = [code]
    while waiting:
        each = waiting.pop()
        waiting.extend(item for item in each.co_consts if isinstance(item, CodeType))
        # Few functions import anything; only those are worth taking apart.
        if not any(instruction.opname == "IMPORT_NAME" for instruction in dis.get_instructions(each)):
            continue
        constants: list[Any] = []
        for instruction in dis.get_instructions(each):
            if instruction.opname in ("LOAD_CONST", "LOAD_SMALL_INT"):
                constants.append(instruction.argval)
            elif instruction.opname == "IMPORT_NAME":
                level, names = constants[-2:] if len(constants) > 1 else (0, None)
                yield Import(instruction.argval, level, tuple(names or ()))


def file_imports(file: str) -> Iterator[Import]:
    """What a file imports, anywhere in it."""
    source = _source(file)
    for node in ast.walk(source.tree) if source is not None else ():
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, 0, ())
        elif isinstance(node, ast.ImportFrom):
            yield Import(node.module or "", node.level, tuple(alias.name for alias in node.names))
