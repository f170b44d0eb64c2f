"""The code that a function's result may depend on, as digests: the function, everything of its project that it
reaches, and the constants that these read.

*Of its project* means: defined in a module under the code root of the entity, and not in the standard library or among
installed packages. Functions and classes count by their syntax (no comments, no formatting, no documentation), or by
their byte code where there is no source; globals, defaults and closure cells count by value where they are constants
or containers of such, else by type. What is looked up by name at run time (``getattr``, ``importlib``) is not seen,
nor is the state of objects.

Knows functions, modules and their source. Must not know what an entity is beyond ``fn``.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import re
import sys
from collections.abc import Callable, Mapping
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any, get_args

from msgspec import Struct

from whimbrel.authoring.naming import module_name, module_root
from whimbrel.authoring.syntax import Import, code_imports, code_text, file_imports, file_text, references, type_text

_DIGITS = 16
"""Of a component's digest: 64 bits tell the versions of one function apart."""

_DEEP = 6
_WIDE = 1_000
"""How far a container in a global is read. Deeper or larger ones count by type and length: they are data, and data
that a result depends on belongs in inputs."""

_OWN = ("whimbrel", "flytekit", "union")
_INSTALLED = re.compile(r"[/\\](site|dist)-packages[/\\]")
_STDLIB = os.path.join(os.path.dirname(os.path.realpath(os.__file__)), "")
_IDENTIFIERS = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")


class Closure(Struct, frozen=True):
    """``digest`` is of all ``components``: ``kind:digest`` by qualified name, where kind is ``function``, ``class``,
    ``constant`` or ``module``."""

    digest: str
    components: dict[str, str]


EMPTY = Closure("", {})
"""Of what cannot be read at all."""


def closure_of(fn: Callable[..., Any], module: str) -> Closure:
    """The closure of ``fn``, a function of ``module`` with its decorators. Never raises for odd code: what cannot be
    read counts by its type."""
    walk = _Walk(module, module_root(module))
    walk.add(fn)
    walk.finish()
    components = walk.components()
    return Closure(_digest(repr(list(components.items())), 32), components) if components else EMPTY


def _digest(text: str, digits: int = _DIGITS) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:digits]


class _Walk:
    """One closure in the making.

    ``_waiting`` are things found and not looked at yet: cycles end, and depth costs no stack.
    """

    def __init__(self, module: str, root: str) -> None:
        self._module = module
        self._root = os.path.join(os.path.realpath(root), "") if root else ""
        self._found: dict[tuple[str, str], list[str]] = {}
        self._seen: dict[int, Any] = {}
        self._waiting: list[Any] = []
        self._local: dict[str, bool] = {}
        self._files: set[str] = set()
        self._constants: set[tuple[str, str]] = set()

    def add(self, found: Any) -> None:
        """Look at ``found`` too, sooner or later."""
        if id(found) not in self._seen:
            self._seen[id(found)] = found
            self._waiting.append(found)

    def finish(self) -> None:
        """Look at everything that is reached."""
        while self._waiting:
            found = self._waiting.pop()
            if isinstance(found, FunctionType):
                self._function(found)
            elif isinstance(found, type):
                self._class(found)
            elif isinstance(found, ModuleType):
                self._file(module_name(found.__name__), getattr(found, "__file__", None) or "")
            else:
                self._wrapper(found)

    def _put(self, name: str, kind: str, text: str) -> None:
        """Several may have one name: two closures of one decorator, say. They count together, in any order."""
        self._found.setdefault((name, kind), []).append(_digest(text))

    def components(self) -> dict[str, str]:
        """Everything that was reached, in order of name."""
        said: dict[str, str] = {}
        for (name, kind), digests in sorted(self._found.items()):
            said[name] = f"{kind}:{digests[0] if len(digests) == 1 else _digest(repr(sorted(digests)))}"
        return said

    # --- functions, classes, wrappers

    def _function(self, fn: FunctionType) -> None:
        # Where its code is, not what ``functools.wraps`` says of it.
        module = str(fn.__globals__.get("__name__") or self._module)
        if not self._is_local(module):
            inner = getattr(fn, "__wrapped__", None)
            if inner is not None:
                self.add(inner)
            return
        name = f"{module_name(module)}.{fn.__code__.co_qualname}"
        state = []
        if fn.__defaults__ or fn.__kwdefaults__:
            state.append(self._value((fn.__defaults__, fn.__kwdefaults__ or {})))
        for variable, cell in zip(fn.__code__.co_freevars, fn.__closure__ or (), strict=True):
            try:
                content = cell.cell_contents
            except ValueError:  # not filled yet
                continue
            if variable != "__class__":
                state.append(f"{variable}={self._value(content)}")
        self._put(name, "function", "\n".join((code_text(fn), *state)))
        self._references(fn.__code__, fn.__globals__)
        self._annotations(fn.__annotations__, fn.__globals__)
        for each in code_imports(fn.__code__):
            self._import(each, str(fn.__globals__.get("__package__") or ""))
        inner = getattr(fn, "__wrapped__", None)
        if inner is not None:
            self.add(inner)

    def _references(self, code: CodeType, space: dict[str, Any]) -> None:
        for path in references(code):
            self._reference(path, space)

    # --- whole files: modules of which it is not known what is used, or whether they are loaded in this process

    def _file(self, module: str, file: str) -> None:
        if not file or module in self._files:
            return
        self._files.add(module)
        self._put(module, "module", file_text(file) or module)
        package = module if os.path.basename(file) == "__init__.py" else module.rpartition(".")[0]
        for each in file_imports(file):
            self._import(each, package)

    def _import(self, each: Import, package: str) -> None:
        module = each.module
        if each.level:
            above = package.split(".")[: len(package.split(".")) - each.level + 1]
            module = ".".join([*above, module] if module else above)
        for name in (module, *(f"{module}.{name}" for name in each.names)):
            file = self._file_of(name)
            if file:
                self._file(name, file)

    def _file_of(self, module: str) -> str:
        """The file of a module of the project, loaded or not; "" if it is none."""
        if not self._root or module.partition(".")[0] in _OWN:
            return ""
        stem = os.path.join(self._root, *module.split("."))
        for file in (f"{stem}.py", os.path.join(stem, "__init__.py")):
            if not _INSTALLED.search(file) and os.path.isfile(file):
                return file
        return ""

    def _reference(self, path: tuple[str, ...], space: dict[str, Any]) -> None:
        name, *steps = path
        if name.startswith("__") or name not in space:
            return
        found, owner = space[name], str(space.get("__name__", ""))
        while isinstance(found, ModuleType):
            if not self._is_local(found.__name__):
                return
            if not steps or steps[0] not in vars(found):
                self.add(found)
                return
            owner, name = found.__name__, steps.pop(0)
            found = vars(found)[name]
        self._global(owner, name, found)

    def _global(self, owner: str, name: str, found: Any) -> None:
        if isinstance(found, FunctionType | type) or _inside(found) is not None:
            self.add(found)
        elif self._is_local(owner) and (owner, name) not in self._constants:
            self._constants.add((owner, name))
            self._put(f"{module_name(owner)}.{name}", "constant", self._value(found))

    def _annotations(self, annotations: Mapping[str, Any], space: dict[str, Any]) -> None:
        # A method of an input's class is reached through the input: no name in the body says so.
        for annotation in annotations.values():
            if isinstance(annotation, str):
                for path in _IDENTIFIERS.findall(annotation):
                    self._annotated(tuple(path.split(".")), space)
            else:
                self._type(annotation)

    def _annotated(self, path: tuple[str, ...], space: dict[str, Any]) -> None:
        found = space.get(path[0])
        for step in path[1:]:
            found = getattr(found, step, None) if isinstance(found, ModuleType) else None
        self._type(found)

    def _type(self, annotation: Any) -> None:
        if isinstance(annotation, type):
            self.add(annotation)
        for argument in get_args(annotation):
            self._type(argument)

    def _class(self, cls: type) -> None:
        if not self._is_local(cls.__module__):
            return
        state = []
        file = getattr(sys.modules.get(cls.__module__), "__file__", None)
        for name, member in vars(cls).items():
            inner = _member(member)
            if isinstance(inner, FunctionType):
                # What dataclasses and named tuples make has no line in the file, and follows from what has.
                if inner.__code__.co_filename == file or inner.__globals__.get("__name__") != cls.__module__:
                    self.add(inner)
            elif not name.startswith("__") and not name.startswith("_abc"):
                state.append(f"{name}={self._value(inner)}")
        for base in cls.__mro__[1:]:
            self.add(base)
        self._annotations(vars(cls).get("__annotations__", {}), vars(sys.modules.get(cls.__module__, sys)))
        self._put(
            f"{module_name(cls.__module__)}.{cls.__qualname__}", "class", "\n".join((type_text(cls), *sorted(state)))
        )

    def _wrapper(self, found: Any) -> None:
        for part in _inside(found) or ():
            if isinstance(part, FunctionType | type) or _inside(part) is not None:
                self.add(part)
            else:
                self._value(part)

    # --- values

    def _value(self, value: Any, depth: int = 0) -> str:
        """Text that is the same for equal constants, everywhere. What it refers to is looked at too."""
        if value is None or isinstance(value, bool | int | float | complex | str | bytes):
            if type(value).__module__ == "builtins":
                return repr(value)
        elif isinstance(value, list | tuple | set | frozenset | dict) and type(value).__module__ == "builtins":
            if depth >= _DEEP or len(value) > _WIDE:
                return f"<{type(value).__name__} of {len(value)}>"
            if isinstance(value, dict):
                pairs = [
                    f"{self._value(key, depth + 1)}: {self._value(item, depth + 1)}" for key, item in value.items()
                ]
                return "{" + ", ".join(sorted(pairs)) + "}"
            items = [self._value(item, depth + 1) for item in value]
            if isinstance(value, set | frozenset):
                items.sort()
            return f"{type(value).__name__}({', '.join(items)})"
        if isinstance(value, ModuleType):
            if self._is_local(value.__name__):
                self.add(value)
            return f"<module {module_name(value.__name__)}>"
        if isinstance(value, FunctionType | type) or _inside(value) is not None:
            self.add(value)
            return f"<{_named(value)}>"
        kind = type(value)
        self.add(kind)
        member = getattr(value, "name", None) if _is_enum(kind) else None
        return f"<{_named(kind)}{f' {member}' if member else ''}>"

    # --- what belongs to the project

    def _is_local(self, module: str | None) -> bool:
        if module is None:
            return False
        known = self._local.get(module)
        if known is None:
            known = self._local[module] = self._belongs(module)
        return known

    def _belongs(self, module: str) -> bool:
        if module == self._module:
            return True
        if module.partition(".")[0] in _OWN or not self._root:
            return False
        file = getattr(sys.modules.get(module), "__file__", None)
        if not file:
            return False
        path = os.path.realpath(file)
        return path.startswith(self._root) and not _INSTALLED.search(path) and not path.startswith(_STDLIB)


def _named(found: Any) -> str:
    name = getattr(found, "__qualname__", None) or type(found).__qualname__
    module = getattr(found, "__module__", None)
    return f"{module_name(module)}.{name}" if isinstance(module, str) else str(name)


def _is_enum(kind: type) -> bool:
    return any(base.__module__ == "enum" for base in kind.__mro__)


def _member(member: Any) -> Any:
    """The function behind what a class holds: methods of every kind, properties."""
    if isinstance(member, staticmethod | classmethod):
        return member.__func__
    if isinstance(member, property):
        return member.fget
    if isinstance(member, functools.cached_property):
        return member.func
    return member


def _inside(found: Any) -> tuple[Any, ...] | None:
    """What is behind something that stands around functions: an entity, a partial, a bound method, a wrapper made in
    C. ``None`` for anything else."""
    if isinstance(found, functools.partial):
        return (found.func, *found.args, *found.keywords.values())
    if isinstance(found, MethodType):
        return (found.__func__, type(found.__self__))
    if isinstance(found, type | FunctionType | ModuleType):
        return None
    held = _instance_dict(found)
    for attribute in ("fn", "entity", "__wrapped__"):
        if callable(inner := held.get(attribute)):
            return (inner, type(found))
    # ``functools.lru_cache`` keeps it out of the instance's own dictionary on some versions.
    inner = getattr(found, "__wrapped__", None) if type(found).__module__ == "functools" else None
    return None if inner is None else (inner,)


def _instance_dict(found: Any) -> dict[str, Any]:
    """What an object holds under its own attributes. No code of its class runs: promises and the like answer to any
    name."""
    try:
        held = dict(object.__getattribute__(found, "__dict__"))
    except (AttributeError, TypeError):
        held = {}
    for cls in type(found).__mro__:
        for name in vars(cls).get("__slots__", ()):
            if name in ("entity", "fn"):
                with contextlib.suppress(AttributeError):
                    held[name] = object.__getattribute__(found, name)
    return held
