"""What a function takes and gives, read once: the bridge between its annotations and a ``model.Interface``.

Knows Python signatures and the type registry. Must not know who calls the function, or what a graph is. Everything
that is wrong with a signature is collected as problems with the author's line; nothing is raised until somebody needs
the interface.
"""

from __future__ import annotations

import builtins
import copy
import inspect
import typing
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, NoReturn

from whimbrel.authoring.docstrings import parse_docstring
from whimbrel.authoring.pending import PendingCall
from whimbrel.authoring.source import caller_position, function_line, innermost
from whimbrel.errors import (
    CallMismatch,
    CompileError,
    ForgottenAwait,
    Problem,
    UnsupportedType,
    ValueMismatch,
)
from whimbrel.model.interface import Interface, Parameter, Variable
from whimbrel.model.literal_types import BlobType, DatasetType, holds_files
from whimbrel.model.literals import DatasetLiteral, ListLiteral, Literal, Literals
from whimbrel.model.program import SourceLine
from whimbrel.types.held import holds_value, unhashed
from whimbrel.types.iterators import FlyteIterator
from whimbrel.types.registry import default_registry
from whimbrel.types.transformer import Transformer

EMPTY = inspect.Parameter.empty
"""Stands for "no default"."""


class InputSpec(NamedTuple):
    """An input as the author declared it. ``type`` is ``EMPTY`` when there is no annotation."""

    type: Any
    default: Any = EMPTY
    positional: bool = True


class Signature:
    """The inputs and outputs of an entity: Python types, transformers, interface.

    ``result`` is how the outputs come back: ``"none"``, ``"single"`` (the value itself) or ``"tuple"`` (one item an
    output; ``tuple_type`` is its class, a NamedTuple or ``tuple``). ``named_outputs`` takes the place of ``outputs``
    where there is no return annotation; with ``unwrap`` a lone one is the value itself, whatever its name.
    """

    def __init__(
        self,
        name: str,
        inputs: Mapping[str, InputSpec],
        outputs: Any,
        *,
        line: SourceLine,
        doc: str = "",
        pickle_untyped: bool = False,
        problems: Sequence[Problem] = (),
        named_outputs: Mapping[str, Any] | None = None,
        unwrap: bool = False,
    ) -> None:
        self.name = name
        self.line = line
        self.problems = list(problems)
        self._pickle_untyped = pickle_untyped
        self._positional = tuple(input_name for input_name, spec in inputs.items() if spec.positional)
        self.defaults = {key: spec.default for key, spec in inputs.items() if spec.default is not EMPTY}
        self.names = tuple(inputs)
        docs = parse_docstring(doc)
        self.doc = docs.summary

        self.inputs: dict[str, Transformer] = {}
        parameters: dict[str, Parameter] = {}
        for input_name, spec in inputs.items():
            transformer = self._input_transformer(input_name, spec)
            if transformer is None:
                continue
            self.inputs[input_name] = transformer
            default = self._default_literal(input_name, spec, transformer)
            parameters[input_name] = Parameter(transformer.literal_type, docs.parameters.get(input_name, ""), default)

        self.result: str
        self.tuple_type: type[tuple[Any, ...]] | None
        self.result, self.tuple_type, types = (
            _split_result(outputs) if named_outputs is None else _name_result(named_outputs)
        )
        self.outputs: dict[str, Transformer] = {}
        variables: dict[str, Variable] = {}
        for output_name, kind in types.items():
            transformer = self._transformer(kind, f"the output {output_name}" if len(types) > 1 else "the return value")
            if transformer is not None:
                self.outputs[output_name] = transformer
                description = docs.outputs.get(output_name) or _only(docs.outputs, types)
                variables[output_name] = Variable(transformer.literal_type, description)
        self.lone = "o0"
        """The name of the output of a ``"single"`` result."""
        if unwrap and len(types) == 1:
            self.result, self.tuple_type, self.lone = "single", None, next(iter(types))
        self._interface = Interface(parameters, variables)
        # The Direct path runs over these for every call.
        self._input_checks = tuple((key, transformer.check) for key, transformer in self.inputs.items())
        # A path may stand where a file is declared: the Direct path makes the file of it, as an engine would.
        self._input_files = tuple(key for key, made in self.inputs.items() if _wants_form(made))
        self._output_files = tuple(key for key, made in self.outputs.items() if _wants_form(made))
        self._single_check = self.outputs[self.lone].check if self.result == "single" and self.outputs else None
        self._count = len(self.names)
        self.fixed: tuple[str, ...] = ()
        """Inputs of the workflow that a launch plan has fixed: they cannot be given."""

    def prefilled(
        self, name: str, line: SourceLine, *, defaults: Mapping[str, Any], fixed: Mapping[str, Any]
    ) -> Signature:
        """This signature with other defaults, and without the inputs that are ``fixed``. What does not fit is among
        its problems."""
        made = copy.copy(self)
        made.name = name
        made.line = line
        made.problems = list(self.problems)
        parameters = dict(self._interface.inputs)
        for what, given in (("default", defaults), ("fixed value", fixed)):
            for key, value in given.items():
                if key not in self.inputs:
                    if key not in self.names:
                        made.add_problem(f"there is no input {key!r} to give a {what}; {self._known(key)}", "")
                    continue
                try:
                    literal = self.inputs[key].encode(value)
                except ValueMismatch as error:
                    made.add_problem(
                        f"the {what} of {key!r} does not fit: "
                        f"expected {error.expected}, got {error.got} at {error.path}",
                        f"Give {error.expected}.",
                    )
                    continue
                parameters[key] = Parameter(parameters[key].type, parameters[key].description, literal)
        made.names = tuple(key for key in self.names if key not in fixed)
        made.inputs = {key: self.inputs[key] for key in made.names if key in self.inputs}
        made._positional = tuple(key for key in self._positional if key not in fixed)
        both = {**self.defaults, **defaults}
        made.defaults = {key: both[key] for key in made.names if key in both}
        made._interface = Interface(
            {key: parameters[key] for key in made.names if key in parameters}, self._interface.outputs
        )
        made._input_checks = tuple((key, transformer.check) for key, transformer in made.inputs.items())
        made._input_files = tuple(key for key in self._input_files if key not in fixed)
        made._count = len(made.names)
        made.fixed = (*self.fixed, *(key for key in self.names if key in fixed))
        return made

    # --- reading -----------------------------------------------------------------------------------------------------

    def add_problem(self, message: str, remedy: str) -> None:
        """Something is wrong with the function, beyond its annotations."""
        text = f"{self.name}: {message}"
        self.problems.append(Problem(text, remedy=remedy, file=self.line.file or None, line=self.line.line))

    def _input_transformer(self, input_name: str, spec: InputSpec) -> Transformer | None:
        if spec.type is EMPTY and not self._pickle_untyped:
            self.add_problem(
                f"the input {input_name!r} has no type annotation",
                f"Annotate it: `{input_name}: int`, for example.",
            )
            return None
        return self._transformer(Any if spec.type is EMPTY else spec.type, f"the input {input_name!r}")

    def _transformer(self, kind: Any, what: str) -> Transformer | None:
        registry = default_registry()
        try:
            return (registry.pickling() if self._pickle_untyped else registry).transformer(kind)
        except UnsupportedType as error:
            self.add_problem(f"{what} has a type that cannot be carried: {error}", "")
            return None

    def _default_literal(self, input_name: str, spec: InputSpec, transformer: Transformer) -> Literal | None:
        if spec.default is EMPTY:
            return None
        try:
            literal = transformer.encode(spec.default)
            if not holds_value(literal):
                return unhashed(literal)
            self.add_problem(
                f"the default of {input_name!r} is in memory, and a program cannot hold it",
                "Make the default None, or the path or URI of a file, and load it in the function.",
            )
            return None
        except ValueMismatch as error:
            self.add_problem(
                f"the default of {input_name!r} does not fit its annotation: "
                f"expected {error.expected}, got {error.got} at {error.path}",
                "Change the default or the annotation.",
            )
            return None

    # --- the interface -----------------------------------------------------------------------------------------------

    @property
    def interface(self) -> Interface:
        """Inputs and outputs in the engine's terms. Raises ``CompileError`` with everything that is wrong."""
        if self.problems:
            raise CompileError(self.problems)
        return self._interface

    # --- binding arguments -------------------------------------------------------------------------------------------

    def match(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
        """Arguments by input name (defaults filled in), and one sentence for each that does not fit."""
        faults: list[str] = []
        given: dict[str, Any] = {}
        if len(args) > len(self._positional):
            faults.append(
                f"{self.name}() takes {_count(len(self._positional), 'positional argument')}, got {len(args)}"
            )
        given.update(zip(self._positional, args, strict=False))
        for name, value in kwargs.items():
            if name in given:
                faults.append(f"{self.name}() got the input {name!r} twice: by position and by name")
            elif name in self.names:
                given[name] = value
            elif name in self.fixed:
                faults.append(f"{self.name}() is given {name!r}, which the launch plan has fixed")
            else:
                faults.append(f"{self.name}() has no input {name!r}; {self._known(name)}")
        bound = {name: given.get(name, self.defaults.get(name, EMPTY)) for name in self.names}
        missing = [name for name, value in bound.items() if value is EMPTY]
        for name in missing:
            del bound[name]
        if missing:
            noun = "input" if len(missing) == 1 else "inputs"
            faults.append(f"{self.name}() lacks the {noun} {', '.join(map(repr, missing))}")
        return bound, faults

    def bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """Arguments by input name, defaults filled in. Raises ``CallMismatch`` at the author's line."""
        if not args and len(kwargs) == self._count:
            try:
                return {name: kwargs[name] for name in self.names}
            except KeyError:
                pass
        bound, faults = self.match(args, kwargs)
        if faults:
            file, line = caller_position()
            raise CallMismatch(f"{file}:{line}: {'; '.join(faults)}")
        return bound

    def _known(self, name: str) -> str:
        import difflib

        close = difflib.get_close_matches(name, self.names, n=1)
        if close:
            return f"did you mean {close[0]!r}? It takes {', '.join(self.names)}"
        return f"it takes {', '.join(self.names)}" if self.names else "it takes none"

    # --- inputs ------------------------------------------------------------------------------------------------------

    def check_inputs(self, values: dict[str, Any]) -> None:
        """Raise ``ValueMismatch`` unless each value is of its input's type. A path takes the form of the file that is
        declared.
        """
        for name, check in self._input_checks:
            try:
                check(values[name])
            except ValueMismatch as error:
                if not isinstance(values[name], FlyteIterator):
                    self._refuse_input(name, values[name], error)
                values[name] = self._read_through(name, values[name])
        for name in self._input_files:
            try:
                values[name] = _with_files(self.inputs[name], values[name])
            except ValueMismatch as error:
                self._refuse_input(name, values[name], error)

    def _read_through(self, name: str, value: FlyteIterator[Any]) -> Any:
        """The items of an iterator where a list is declared, as an engine, to which both are lists, gives them."""
        try:
            return self.inputs[name].decode(ListLiteral(value.items))
        except ValueMismatch as error:
            self._refuse_input(name, value, error)

    def encode_inputs(self, values: Mapping[str, Any]) -> Literals:
        """The literals of ``values``. Raises ``ValueMismatch``."""
        literals: Literals = {}
        for name, transformer in self.inputs.items():
            try:
                literals[name] = transformer.encode(values[name])
            except ValueMismatch as error:
                self._refuse_input(name, values[name], error)
        return literals

    def decode_inputs(self, literals: Mapping[str, Literal]) -> dict[str, Any]:
        """The values of ``literals``; an input that is missing takes its default. Raises ``ValueMismatch``."""
        values: dict[str, Any] = {}
        for name, transformer in self.inputs.items():
            literal = literals.get(name)
            if literal is None:
                if name not in self.defaults:
                    raise CallMismatch(f"{self.name}() lacks the input {name!r}")
                default = self.defaults[name]
                values[name] = _with_files(transformer, default) if name in self._input_files else default
                continue
            try:
                values[name] = transformer.decode(literal)
            except ValueMismatch as error:
                self._refuse_input(name, literal, error)
        return values

    def checked_literals(self, literals: Mapping[str, Literal]) -> Literals:
        """``literals`` as the author's own types write them, defaults filled in: a model's validators speak here.
        Tables are taken as they are: they are not read for it. Raises ``ValueMismatch``.
        """
        tables = {
            name: literal
            for name, literal in literals.items()
            if isinstance(literal, DatasetLiteral) and isinstance(self.inputs[name].literal_type, DatasetType)
        }
        checked: Literals = {}
        for name, transformer in self.inputs.items():
            if name in tables:
                checked[name] = tables[name]
                continue
            given = literals.get(name)
            if given is None and name not in self.defaults:
                raise CallMismatch(f"{self.name}() lacks the input {name!r}")
            try:
                value = self.defaults[name] if given is None else transformer.decode(given)
                checked[name] = transformer.encode(value)
            except ValueMismatch as error:
                self._refuse_input(name, given, error)
        return checked

    def _refuse_input(self, name: str, value: Any, error: ValueMismatch) -> NoReturn:
        if isinstance(value, PendingCall):
            raise ForgottenAwait(str(value._refusal(f"given to {self.name} as {name!r}"))) from None
        file, line = caller_position()
        raise _mismatch(
            error,
            f"{file}:{line}: {self.name}(), input {name!r}",
            f"Pass {error.expected}, or change the annotation of {name!r} in {self.name}.",
        ) from None

    # --- outputs -----------------------------------------------------------------------------------------------------

    def check_output(self, value: Any) -> Any:
        """``value``, with paths in the form of the files that are declared. Raises ``ValueMismatch`` unless it is what
        the function says that it returns.
        """
        check = self._single_check
        if check is not None:
            try:
                check(value)
                return _with_files(self.outputs[self.lone], value) if self._output_files else value
            except ValueMismatch as error:
                self._refuse_output("", error)
        items = self.outputs_by_name(value)
        for name, item in items.items():
            try:
                self.outputs[name].check(item)
                if name in self._output_files:
                    items[name] = _with_files(self.outputs[name], item)
            except ValueMismatch as error:
                self._refuse_output(name, error)
        return self.assemble(items) if self._output_files else value

    def encode_outputs(self, value: Any) -> Literals:
        """The literals of what the function returned. Raises ``ValueMismatch``."""
        literals: Literals = {}
        for name, item in self.outputs_by_name(value).items():
            try:
                literals[name] = self.outputs[name].encode(item)
            except ValueMismatch as error:
                self._refuse_output(name if self.result == "tuple" else "", error)
        return literals

    def decode_outputs(self, literals: Mapping[str, Literal]) -> Any:
        """The Python return value of ``literals``: a value, a (named) tuple, or ``None``. Raises ``ValueMismatch``."""
        return self.assemble({name: self.outputs[name].decode(literals[name]) for name in self.outputs})

    def assemble(self, values: Mapping[str, Any]) -> Any:
        """The return value made of the outputs by name."""
        if self.result == "none":
            return None
        if self.result == "single":
            return values[self.lone]
        items = [values[name] for name in self.outputs]
        if self.tuple_type is None or self.tuple_type is tuple:
            return tuple(items)
        return self.tuple_type(*items)

    def outputs_by_name(self, value: Any) -> dict[str, Any]:
        """A return value taken apart. Raises ``ValueMismatch`` when the number of outputs is not the declared one."""
        if self.result == "single":
            return {self.lone: value}
        if self.result == "none":
            if value is not None:
                raise self._wrong_count(value, "None: no output is declared", "Annotate the return type.")
            return {}
        names = tuple(self.outputs)
        expected = f"a tuple of {_count(len(names), 'output')}"
        remedy = f"Return {', '.join(names)}, or change the return annotation."
        if not isinstance(value, tuple):
            raise self._wrong_count(value, expected, remedy)
        if len(value) != len(names):
            raise self._wrong_count(f"{len(value)} of them", expected, remedy, literal=True)
        return dict(zip(names, value, strict=True))

    def _wrong_count(self, value: Any, expected: str, remedy: str, *, literal: bool = False) -> ValueMismatch:
        got = value if literal else f"{type(value).__name__} {_short(value)}"
        return _mismatch(ValueMismatch(expected, got), self._where_output(""), remedy)

    def _refuse_output(self, name: str, error: ValueMismatch) -> NoReturn:
        remedy = f"Return {error.expected}, or change the return annotation of {self.name}."
        raise _mismatch(error, self._where_output(name), remedy) from None

    def _where_output(self, name: str) -> str:
        place = f"{self.line.file}:{self.line.line}: " if self.line.file else ""
        return f"{place}{self.name}(), " + (f"output {name!r}" if name else "return value")


def _wants_form(transformer: Transformer) -> bool:
    return transformer.remade or holds_files(transformer.literal_type)


def _only(described: Mapping[str, str], outputs: Mapping[str, Any]) -> str:
    """The description of all outputs together, if the docstring has one and describes none by its name."""
    return next(iter(described.values())) if len(described) == 1 and not described.keys() & outputs.keys() else ""


def _with_files(transformer: Transformer, value: Any) -> Any:
    if transformer.remade:
        return transformer.decode(transformer.encode(value))
    kind = transformer.literal_type
    # A table of which some columns are wanted has only those where it arrives.
    whole = isinstance(kind, BlobType) or (isinstance(kind, DatasetType) and not kind.columns)
    if whole and isinstance(value, transformer.classes):
        # One that has still to go somewhere is brought there, as on an engine.
        return transformer.decode(transformer.encode(value)) if getattr(value, "pending", False) else value
    return transformer.decode(transformer.encode(value))


def _mismatch(error: ValueMismatch, where: str, remedy: str) -> ValueMismatch:
    told = ValueMismatch(error.expected, error.got, error.path, where)
    told.add_note(remedy)
    return told


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _split_result(kind: Any) -> tuple[str, type[tuple[Any, ...]] | None, Mapping[str, Any]]:
    """How a return annotation comes apart: the form, the tuple's class, the types by output name."""
    if kind is None or kind is type(None) or kind is EMPTY:
        return "none", None, {}
    if isinstance(kind, type) and issubclass(kind, tuple) and hasattr(kind, "_fields"):
        return "tuple", kind, typing.get_type_hints(kind, include_extras=True)
    # `-> (int, str)` is no type, but what flytekit's authors write for two outputs.
    args = kind if isinstance(kind, tuple) else typing.get_args(kind)
    if (isinstance(kind, tuple) or typing.get_origin(kind) is tuple) and args and args[-1] is not Ellipsis:
        return "tuple", tuple, {f"o{position}": item for position, item in enumerate(args)}
    return "single", None, {"o0": kind}


def _name_result(types: Mapping[str, Any]) -> tuple[str, type[tuple[Any, ...]] | None, Mapping[str, Any]]:
    """The same for outputs that are given by name: a named tuple, but for a lone ``o0``."""
    if not types:
        return "none", None, {}
    if list(types) == ["o0"]:
        return "single", None, types
    return "tuple", namedtuple("Outputs", list(types)), types


def read_signature(fn: Callable[..., Any], name: str, *, pickle_untyped: bool = False) -> Signature:
    """The signature of ``fn``: that of the innermost function, for what ``functools.wraps`` stands around."""
    inner = innermost(fn)
    line = function_line(fn)
    problems: list[Problem] = []

    def problem(message: str, remedy: str) -> None:
        problems.append(Problem(f"{name}: {message}", remedy=remedy, file=line.file or None, line=line.line))

    try:
        declared = inspect.signature(inner, follow_wrapped=False)
    except (TypeError, ValueError) as error:
        problem(f"its signature cannot be read: {error}", "Decorate a plain Python function.")
        return Signature(name, {}, None, line=line, problems=problems)
    hints = _hints(inner, problem)
    inputs: dict[str, InputSpec] = {}
    for parameter in declared.parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            stars = "*" if parameter.kind is parameter.VAR_POSITIONAL else "**"
            problem(
                f"it takes {stars}{parameter.name}, whose inputs have no names and types",
                "Name each input; if a decorator made this function, put `@functools.wraps(fn)` on its wrapper.",
            )
        elif parameter.kind is parameter.POSITIONAL_ONLY:
            problem(f"the input {parameter.name!r} is positional-only", "Take the `/` out of the parameter list.")
        elif hints is not None:
            positional = parameter.kind is parameter.POSITIONAL_OR_KEYWORD
            inputs[parameter.name] = InputSpec(hints.get(parameter.name, EMPTY), parameter.default, positional)
    outputs = (hints or {}).get("return", EMPTY)
    return Signature(
        name,
        inputs,
        outputs,
        line=line,
        doc=inner.__doc__ or "",
        pickle_untyped=pickle_untyped,
        problems=problems,
    )


def _hints(fn: Callable[..., Any], problem: Callable[[str, str], None]) -> dict[str, Any] | None:
    """The evaluated annotations of ``fn``; names of enclosing functions are known to it too."""
    closure = getattr(fn, "__closure__", None) or ()
    names = getattr(getattr(fn, "__code__", None), "co_freevars", ())
    local: dict[str, Any] = {}
    for key, cell in zip(names, closure, strict=True):
        try:
            local[key] = cell.cell_contents
        except ValueError:  # not assigned yet
            pass
    try:
        return typing.get_type_hints(fn, localns=local or None, include_extras=True)
    except NameError as error:
        missing = error.name or str(error)
        hint = f" (did you mean {missing.lower()!r}?)" if hasattr(builtins, missing.lower()) else ""
        problem(
            f"an annotation names {missing!r}, which is not known in its module{hint}",
            f"Import or define {missing!r} at the top of the module, not inside a function or under TYPE_CHECKING.",
        )
    except Exception as error:  # an annotation is any expression: it may raise anything
        problem(f"its annotations cannot be evaluated: {type(error).__name__}: {error}", "Write types as annotations.")
    return None
