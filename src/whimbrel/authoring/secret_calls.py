"""Secrets that a task's source asks for and its decorator does not: found without running anything.

Only what is certain is told: ``current_context().secrets`` (or a name bound once to ``current_context()`` or to its
``secrets``), and a group and key that are written out. The rest is checked when the secret is asked for.

Knows syntax trees and requests. Must not know how secrets are found.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections import Counter
from collections.abc import Iterator
from typing import Any

from whimbrel.authoring.calling import current_context
from whimbrel.authoring.source import innermost
from whimbrel.authoring.task import Task
from whimbrel.errors import CompileError, Problem, SecretNotDeclared

_VERBS = frozenset({"get", "get_secrets_env_var", "get_secrets_file", "mount_file"})


def secret_problems(task: Task[..., Any]) -> list[Problem]:
    """Every secret that ``task`` is certain to ask for and has not declared; empty when its source cannot be read."""
    fn = innermost(task.fn)
    try:
        lines, first = inspect.getsourcelines(fn)
        tree = ast.parse(textwrap.dedent("".join(lines)))
        declared = task.secret_requests
    except (OSError, TypeError, SyntaxError, CompileError):
        return []
    problems = []
    for node, group, key in _Reader(tree, fn).asked():
        if not any(request.covers(group, key) for request in declared):
            error = SecretNotDeclared(task.short_name, group, key)
            message, _, remedy = str(error).partition(". ")
            line = first + node.lineno - 1
            problems.append(Problem(message, remedy=remedy, file=fn.__code__.co_filename, line=line))
    return problems


class _Reader:
    def __init__(self, tree: ast.Module, fn: Any) -> None:
        self._tree = tree
        self._globals = fn.__globals__
        stored = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
        self._bound = Counter(node.id for node in stored)
        self._bound.update(node.arg for node in ast.walk(tree) if isinstance(node, ast.arg))
        self._assigned = {
            node.targets[0].id: node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name)
        }

    def asked(self) -> Iterator[tuple[ast.expr, str, str]]:
        """Where a secret is asked for, its group and its key, in the order of the source."""
        nodes = [node for node in ast.walk(self._tree) if isinstance(node, ast.expr)]
        for node in sorted(nodes, key=lambda node: (node.lineno, node.col_offset)):
            if (said := self._said(node)) is not None:
                yield node, *said

    def _said(self, node: ast.expr) -> tuple[str, str] | None:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr == "get" and self._is_secrets(node.func.value):
                return _arguments(node)
            group = node.func
            if group.attr not in _VERBS and self._is_secrets(group.value) and len(node.args) == 1:
                key = _constant(node.args[0])
                return (group.attr, key) if key else None
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute):
            group = node.value
            if group.attr not in _VERBS and not group.attr.startswith("_") and self._is_secrets(group.value):
                return group.attr, node.attr
        return None

    def _is_secrets(self, node: ast.expr) -> bool:
        node = self._followed(node)
        return isinstance(node, ast.Attribute) and node.attr == "secrets" and self._is_context(node.value)

    def _is_context(self, node: ast.expr) -> bool:
        node = self._followed(node)
        if not isinstance(node, ast.Call) or node.args or node.keywords:
            return False
        called = node.func
        if isinstance(called, ast.Attribute):
            module = self._globals.get(called.value.id) if isinstance(called.value, ast.Name) else None
            return getattr(module, "__dict__", {}).get(called.attr) is current_context
        return isinstance(called, ast.Name) and self._globals.get(called.id) is current_context

    def _followed(self, node: ast.expr) -> ast.expr:
        """What a name stands for that is bound once."""
        if isinstance(node, ast.Name) and self._bound[node.id] == 1 and node.id in self._assigned:
            return self._assigned[node.id]
        return node


def _arguments(call: ast.Call) -> tuple[str, str] | None:
    given: dict[str, ast.expr] = dict(zip(("group", "key"), call.args, strict=False))
    for keyword in call.keywords:
        if keyword.arg is None:
            return None
        given[keyword.arg] = keyword.value
    if any(isinstance(argument, ast.Starred) for argument in call.args):
        return None
    said = []
    for name in ("group", "key"):
        text = _constant(given[name]) if name in given else ""
        if text is None:
            return None
        said.append(text)
    return (said[0], said[1]) if any(said) else None


def _constant(node: ast.expr) -> str | None:
    if isinstance(node, ast.Constant) and (node.value is None or isinstance(node.value, str)):
        return node.value or ""
    return None
