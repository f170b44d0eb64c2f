"""Finding and keeping transformers: order, caching, extension, recursion."""

import importlib
import pathlib
import pickle
import sys
import threading
import types
import typing
from collections import namedtuple
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Generic, Literal, Optional, TypeVar, Union

import pytest
import typing_extensions

from whimbrel.errors import UnsupportedType, UserError, ValueMismatch
from whimbrel.model import literal_types as kinds
from whimbrel.model import literals as lit
from whimbrel.model.literal_types import INTEGER, STRING, ListType, LiteralType, StructType
from whimbrel.types import registry as registry_module
from whimbrel.types.hooks import Hook
from whimbrel.types.kinds import KINDS
from whimbrel.types.pickle import Pickle
from whimbrel.types.registry import Registry, default_registry
from whimbrel.types.transformer import Transformer, TypeTransformer

if TYPE_CHECKING:
    from somewhere import Missing

T = TypeVar("T")


class Money:
    def __init__(self, cents: int) -> None:
        self.cents = cents


class Dollars(Money):
    pass


class Crate(Generic[T]):
    def __init__(self, item: T) -> None:
        self.item = item


class MoneyTransformer(TypeTransformer[Money]):
    python_type = Money

    def literal_type(self, python_type: Any) -> LiteralType:
        return INTEGER

    def to_literal(self, value: Money, python_type: Any) -> lit.Literal:
        return lit.IntLiteral(value.cents)

    def to_python(self, literal: lit.Literal, python_type: Any) -> Money:
        assert isinstance(literal, lit.IntLiteral)
        served = typing.get_origin(python_type) or python_type
        return Dollars(literal.value) if served is Dollars else Money(literal.value)


@dataclass
class Node:
    value: int
    children: "list[Node]" = field(default_factory=list)


@dataclass
class Left:
    right: "Right | None" = None


@dataclass
class Right:
    left: Left | None = None


@dataclass
class Both:
    left: Left
    right: Right


@dataclass
class Unresolved:
    fine: int
    lost: "Missing"


@dataclass
class Holder:
    thing: "Unknown"


class Unknown:
    pass


@dataclass
class Parametrised(Generic[T]):
    item: T
    items: list[T]
    maybe: T | None
    tagged: Annotated[T, "tag"]


@dataclass
class Broken:
    mender: "Mender"
    money: Money


@dataclass
class Mender:
    broken: Broken | None


if TYPE_CHECKING:
    Tree = Any
    Pairs = list
else:
    # As `type Tree = ...` and `type Pairs[T] = ...` are from Python 3.12 on.
    Tree = typing_extensions.TypeAliasType("Tree", "dict[str, Tree] | list[Tree] | int | None")
    Pairs = typing_extensions.TypeAliasType("Pairs", list[tuple[T, T]], type_params=(T,))


def fresh() -> Registry:
    return Registry(KINDS, discover=False)


def unsupported(kind: Any, registry: Registry | None = None) -> str:
    with pytest.raises(UnsupportedType) as refused:
        (registry or default_registry()).transformer(kind)
    return str(refused.value)


def test_a_transformer_is_made_once() -> None:
    registry = fresh()
    assert registry.transformer(dict[str, list[int]]) is registry.transformer(dict[str, list[int]])
    assert registry.transformer(int) is registry.transformer(int)
    assert registry.transformer(Optional[int]) is registry.transformer(Union[int, None])  # noqa: UP007, UP045


def test_types_that_compare_equal_are_told_apart() -> None:
    registry = fresh()
    assert (int | str) == (str | int)
    first, second = registry.transformer(int | str), registry.transformer(str | int)
    assert first.literal_type == kinds.UnionType((INTEGER, STRING))
    assert second.literal_type == kinds.UnionType((STRING, INTEGER))
    assert registry.transformer(list[int | str]).literal_type != registry.transformer(list[str | int]).literal_type
    ones = registry.transformer(Literal[1, 2]), registry.transformer(Literal[2, 1])
    assert [kind.literal_type for kind in ones] == [kinds.EnumType((1, 2)), kinds.EnumType((2, 1))]


def test_metadata_need_not_be_hashable_and_is_kept() -> None:
    registry = fresh()
    for kind in (Annotated[int, ["a"]], Annotated[int, ["b"]]):
        transformer = registry.transformer(kind)
        assert transformer.python_type is kind
        assert transformer.literal_type == INTEGER
    assert registry.transformer(list[Annotated[int, {}]]).literal_type == ListType(INTEGER)


def test_a_registered_transformer_serves_its_class_and_subclasses() -> None:
    registry = fresh()
    registry.register(MoneyTransformer())
    transformer = registry.transformer(list[Dollars])
    literal = transformer.encode([Dollars(3)])
    assert literal == lit.ListLiteral((lit.IntLiteral(3),))
    (back,) = transformer.decode(literal)
    assert type(back) is Dollars
    with pytest.raises(ValueMismatch, match=r"expected Dollars, got str 'x' at \$\[1\]"):
        transformer.check([Dollars(1), "x"])


def test_a_registered_transformer_sees_arguments_and_metadata() -> None:
    seen = []

    class CrateTransformer(TypeTransformer[Crate[Any]]):
        python_type = Crate

        def literal_type(self, python_type: Any) -> LiteralType:
            seen.append(python_type)
            return STRING

        def to_literal(self, value: Crate[Any], python_type: Any) -> lit.Literal:
            return lit.StrLiteral(str(value.item))

        def to_python(self, literal: lit.Literal, python_type: Any) -> Crate[Any]:
            assert isinstance(literal, lit.StrLiteral)
            return Crate(literal.value)

    registry = fresh()
    registry.register(CrateTransformer())
    registry.transformer(Crate[int])
    registry.transformer(Annotated[Crate[int], "sealed"])
    assert seen == [Crate[int], Annotated[Crate[int], "sealed"]]


def test_registering_after_use_takes_effect_everywhere() -> None:
    registry = fresh()
    pickling = registry.pickling()
    assert pickling.transformer(Money).literal_type == kinds.BinaryType("pickle", f"{__name__}.Money")
    registry.register(MoneyTransformer())
    assert pickling.transformer(Money).literal_type == INTEGER
    assert registry.transformer(Money).literal_type == INTEGER


def test_two_for_one_class_are_refused() -> None:
    registry = fresh()
    registry.register(MoneyTransformer())
    with pytest.raises(UserError, match=r"two transformers for .*Money: .*MoneyTransformer and .*MoneyTransformer"):
        registry.register(MoneyTransformer())
    replacement = MoneyTransformer()
    registry.register(replacement, replace=True)
    assert registry.registered(Money) is replacement


def test_a_kind_of_ours_is_replaced_only_on_purpose() -> None:
    class IntTransformer(TypeTransformer[int]):
        python_type = int

        def literal_type(self, python_type: Any) -> LiteralType:
            return STRING

        def to_literal(self, value: int, python_type: Any) -> lit.Literal:
            return lit.StrLiteral(str(value))

        def to_python(self, literal: lit.Literal, python_type: Any) -> int:
            assert isinstance(literal, lit.StrLiteral)
            return int(literal.value)

    registry = fresh()
    with pytest.raises(UserError, match=r"whimbrel knows builtins.int already; pass replace=True"):
        registry.register(IntTransformer())
    registry.register(IntTransformer(), replace=True)
    assert registry.transformer(list[int]).encode([3]) == lit.ListLiteral((lit.StrLiteral("3"),))
    assert fresh().transformer(int).literal_type == INTEGER


def test_a_transformer_must_say_what_it_serves() -> None:
    class Lost(MoneyTransformer):
        python_type = list[Money]  # type: ignore[assignment]

    with pytest.raises(UserError, match="must set python_type to the class that it serves"):
        fresh().register(Lost())


def test_the_last_hook_is_asked_first() -> None:
    registry = fresh()
    assert registry.transformer(Node).literal_type != STRING

    def build(python_type: Any, registry: Any) -> Transformer:
        text = registry.transformer(str)
        return Transformer(python_type, STRING, check=text.check, encode=text.encode, decode=text.decode)

    registry.hook(Hook(lambda kind: kind is Node, build))
    assert registry.transformer(Node).literal_type == STRING


@pytest.fixture
def plug_ins(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Install a distribution, for this test, that names an entry point in our group."""

    def install(entry: str) -> None:
        info = tmp_path / "plugged-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: plugged\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[{registry_module.ENTRY_POINTS}]\nmoney = {entry}\n")
        monkeypatch.syspath_prepend(str(tmp_path))
        importlib.invalidate_caches()

    return install


def plug(name: str, value: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    module = types.ModuleType(name)
    module.plugged = value  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, name, module)
    return f"{name}:plugged"


@pytest.mark.parametrize(
    "plugged", [MoneyTransformer, MoneyTransformer(), lambda registry: registry.register(MoneyTransformer())]
)
def test_entry_points_are_found_by_the_first_unknown_type(
    plugged: Any, plug_ins: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    plug_ins(plug("plugged_money", plugged, monkeypatch))
    registry = Registry(KINDS)
    registry.transformer(list[int])
    assert registry.registered(Money) is None
    assert registry.transformer(Money).literal_type == INTEGER


def test_a_broken_plug_in_is_named_where_it_is_missed(plug_ins: Callable[[str], None]) -> None:
    plug_ins("no_such_module_anywhere:thing")
    registry = Registry(KINDS)
    for _ in range(2):
        message = unsupported(Money, registry)
        assert "the plug-in money (no_such_module_anywhere:thing) could not be loaded: ModuleNotFoundError" in message


def test_a_recursive_type_has_one_literal_type_whoever_asks() -> None:
    direct = fresh().transformer(Node).literal_type
    assert isinstance(direct, StructType)
    assert direct.fields == {"value": INTEGER, "children": ListType(StructType(f"{__name__}.Node"))}
    registry = fresh()
    assert registry.transformer(list[Node]).literal_type == ListType(direct)
    assert registry.transformer(Node).literal_type == direct


def test_mutually_recursive_types_do_not_depend_on_the_order_of_questions() -> None:
    orders = [(Left, Right, Both), (Both, Right, Left), (Right, Both, Left)]
    seen = []
    for order in orders:
        registry = fresh()
        seen.append({kind: registry.transformer(kind).literal_type for kind in order})
    assert seen[0] == seen[1] == seen[2]
    value = Both(Left(Right(Left())), Right())
    transformer = fresh().transformer(Both)
    transformer.check(value)
    assert transformer.decode(transformer.encode(value)) == value


def test_many_types_that_know_each_other_are_made_in_a_moment() -> None:
    # Each of 12 classes has a field of each: written out in full, their literal type would be as long as 12!.
    module = sys.modules["knot"] = types.ModuleType("knot")
    names = [f"Knot{index}" for index in range(12)]
    try:
        for name in names:
            annotations = {other.lower(): f"{other} | None" for other in names}
            made = type(name, (), {"__annotations__": annotations, "__module__": "knot"} | dict.fromkeys(annotations))
            setattr(module, name, dataclass(made))
        knots = fresh().transformer(dict[str, module.Knot0])
        assert len(repr(knots.literal_type)) < 10_000
        value = {"a": module.Knot0(knot1=module.Knot1(module.Knot0(), knot2=module.Knot2()))}
        assert knots.decode(knots.encode(value)) == value
    finally:
        del sys.modules["knot"]


def test_a_class_made_in_a_function_may_name_itself() -> None:
    @dataclass
    class Chain:
        next: "Chain | None" = None

    transformer = fresh().transformer(Chain)
    assert transformer.decode(transformer.encode(Chain(Chain()))) == Chain(Chain())


def test_type_arguments_reach_every_field() -> None:
    literal_type = fresh().transformer(Parametrised[int]).literal_type
    assert isinstance(literal_type, StructType)
    assert literal_type.name == f"{__name__}.Parametrised[int]"
    assert literal_type.fields == {
        "item": INTEGER,
        "items": ListType(INTEGER),
        "maybe": kinds.UnionType((INTEGER, kinds.NONE)),
        "tagged": INTEGER,
    }


def test_type_aliases_may_be_generic_and_recursive() -> None:
    registry = fresh()
    pairs = registry.transformer(Pairs[int])
    assert pairs.decode(pairs.encode([(1, 2)])) == [(1, 2)]
    tree = registry.transformer(Tree)
    value = {"a": [1, {"b": None}]}
    tree.check(value)
    assert tree.decode(tree.encode(value)) == value
    with pytest.raises(ValueMismatch, match=r"got str 'x'"):
        tree.check({"a": [1, {"b": "x"}]})


def test_a_type_that_failed_leaves_nothing_half_made() -> None:
    registry = fresh()
    unsupported(Broken, registry)
    unsupported(Mender, registry)
    registry.register(MoneyTransformer())
    transformer = registry.transformer(Mender)
    value = Mender(Broken(Mender(None), Money(1)))
    back = transformer.decode(transformer.encode(value))
    assert back.broken.mender == Mender(None)
    assert back.broken.money.cents == 1


def test_threads_may_ask_at_once() -> None:
    registry = fresh()
    barrier = threading.Barrier(8)

    def ask(index: int) -> Transformer:
        barrier.wait(10)
        return registry.transformer([Node, Both, Parametrised[int], list[Node]][index % 4])

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(ask, range(8)))
    assert made[:4] == made[4:]


REFUSED = [
    (Unknown, ["no transformer knows", f"{__name__}.Unknown", "Annotated[Unknown, Pickle]", "whimbrel.types.pickle"]),
    (Any, ["Any says nothing about the value", "Annotated[Any, Pickle]"]),
    (object, ["object says nothing about the value", "Annotated[object, Pickle]"]),
    (Holder, ["field 'thing' of", "Holder", "no transformer knows", "Unknown"]),
    (list[dict[str, Unknown]], ["no transformer knows", "Unknown"]),
    (Unresolved, ["field 'lost' of", "the annotation 'Missing' cannot be resolved", "at module level"]),
    ("int", ["the annotation 'int' is a string"]),
    (Parametrised, ["field 'item' of", "nothing says what T is", "with its argument"]),
    (T, ["nothing says what T is"]),
    (pathlib.PurePath, ["declare it as Path, which is a file, or as FlyteFile or FlyteDirectory"]),
    (namedtuple("Bare", "x y"), ["derive from typing.NamedTuple"]),
    (Callable[[int], str], ["no transformer knows Callable"]),
    (Literal[b"x"], ["only str, int, bool, None and enum members"]),
    (type[int], ["no transformer knows type[int]"]),
]


@pytest.mark.parametrize(("kind", "words"), REFUSED)
def test_an_unknown_type_is_refused_with_the_way_out(kind: Any, words: list[str]) -> None:
    message = unsupported(kind)
    assert [word for word in words if word not in message] == []


def test_pickling_is_asked_for() -> None:
    registry = default_registry(pickle_untyped=True)
    assert registry is default_registry().pickling()
    assert registry.pickling() is registry
    for kind, value in ((Unknown, Unknown()), (Any, 3), (object, "x"), (list[Unknown], [Unknown()])):
        transformer = registry.transformer(kind)
        transformer.check(value)
        assert type(transformer.decode(transformer.encode(value))) is type(value)
    loose = registry.transformer(dict)
    assert loose.decode(loose.encode({"a": [1, {2, 3}], "b": (1,)})) == {"a": [1, {2, 3}], "b": (1,)}
    with pytest.raises(ValueMismatch, match="expected Unknown, got int 3"):
        registry.transformer(Unknown).check(3)
    unsupported("int", registry)


def test_a_pickle_is_read_only_where_one_is_declared() -> None:
    registry = default_registry()
    pickled = registry.transformer(Annotated[Any, Pickle]).encode({"a"})
    assert isinstance(pickled, lit.BytesLiteral)
    for kind in (bytes, dict, list, int | None, str):
        with pytest.raises(ValueMismatch):
            registry.transformer(kind).decode(pickled)
        with pytest.raises(ValueMismatch):
            registry.transformer(kind).decode(lit.MapLiteral({"a": pickled}))
    with pytest.raises(
        ValueMismatch, match=r"a value that can be pickled, got function .*PicklingError|AttributeError"
    ):
        registry.transformer(Annotated[Any, Pickle]).encode(lambda: 0)
    with pytest.raises(ValueMismatch, match=r"cannot be read here"):
        registry.transformer(Annotated[Any, Pickle]).decode(lit.BytesLiteral(b"junk", "pickle"))
    harmless = pickle.dumps(3)
    assert registry.transformer(Annotated[Any, Pickle]).decode(lit.BytesLiteral(harmless, "pickle")) == 3
    with pytest.raises(ValueMismatch, match="expected a pickle, got bytes"):
        registry.transformer(Annotated[Any, Pickle]).decode(lit.BytesLiteral(harmless))
    with pytest.raises(ValueMismatch, match="expected Unknown, got set"):
        registry.transformer(Annotated[Unknown, Pickle]).decode(pickled)
