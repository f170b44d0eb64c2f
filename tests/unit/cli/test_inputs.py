"""Options made from an interface, and what is gathered from them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import pytest

from whimbrel.cli.inputs import PREFIX, gather, options_for, parse_environment, unknown_input
from whimbrel.errors import InputInvalid
from whimbrel.model import literal_types as kinds
from whimbrel.model import literals as lit
from whimbrel.model.interface import Interface, Parameter


def parse(interface: Interface, *arguments: str) -> dict[str, Any]:
    command = click.Command("entity", params=list(options_for(interface)))
    return command.make_context("entity", list(arguments)).params


FLAGS = Interface({"dry_run": Parameter(kinds.BOOLEAN, default=lit.BoolLiteral(False)), "n": Parameter(kinds.INTEGER)})


@pytest.mark.parametrize(
    ("arguments", "value"),
    [
        ((), None),
        (("--dry-run",), True),
        (("--dry_run",), True),
        (("--dry-run", "false"), False),
        (("--dry-run=yes",), True),
        (("--no-dry-run",), False),
        (("--no-dry_run",), False),
    ],
)
def test_flags(arguments: tuple[str, ...], value: bool | None) -> None:
    literals = gather(FLAGS, parse(FLAGS, *arguments, "--n", "1"))
    expected: lit.Literals = {} if value is None else {"dry_run": lit.BoolLiteral(value)}
    assert literals == {**expected, "n": lit.IntLiteral(1)}


def test_a_flag_both_ways_is_refused() -> None:
    with pytest.raises(InputInvalid, match="both given"):
        gather(FLAGS, parse(FLAGS, "--dry-run", "--no-dry-run", "--n", "1"))


def test_names_that_only_differ_in_dashes_keep_apart() -> None:
    # An input called no_flag must not be what --no-flag of the input flag means.
    interface = Interface({"flag": Parameter(kinds.BOOLEAN), "no_flag": Parameter(kinds.INTEGER)})
    literals = gather(interface, parse(interface, "--flag", "--no_flag", "3"))
    assert literals == {"flag": lit.BoolLiteral(True), "no_flag": lit.IntLiteral(3)}
    literals = gather(interface, parse(interface, "--flag", "--no-flag", "3"))
    assert literals["no_flag"] == lit.IntLiteral(3)


def test_negative_numbers_are_values() -> None:
    interface = Interface({"x": Parameter(kinds.FLOAT)})
    assert gather(interface, parse(interface, "--x", "-5")) == {"x": lit.FloatLiteral(-5.0)}


def test_defaults_are_left_to_the_engine() -> None:
    interface = Interface({"x": Parameter(kinds.FLOAT, default=lit.FloatLiteral(1.0))})
    assert gather(interface, parse(interface)) == {}


def test_every_fault_is_told() -> None:
    interface = Interface({"a": Parameter(kinds.INTEGER), "b": Parameter(kinds.INTEGER), "c": Parameter(POINT)})
    with pytest.raises(InputInvalid) as caught:
        gather(interface, {f"{PREFIX}a": "x", f"{PREFIX}c": '{"x": "1"}'})
    assert str(caught.value).splitlines() == [
        "--a: expected int, got 'x'. Write it like: --a 3",
        "--b is missing: it takes int. Write it like: --b 3",
        "--c: expected int, got '1' at $.x. Write it like: --c '{\"x\": 3}' or @file.json",
    ]


POINT = kinds.StructType("m.Point", {"x": kinds.INTEGER})


def test_what_cannot_be_written_says_so() -> None:
    interface = Interface({"model": Parameter(kinds.BinaryType("pickle", "m.Model"))})
    with pytest.raises(InputInvalid, match="cannot be written on a command line"):
        gather(interface, {})


def test_environment_pairs() -> None:
    assert parse_environment(["A=1", "B=x=y", "C="]) == {"A": "1", "B": "x=y", "C": ""}
    with pytest.raises(InputInvalid):
        parse_environment(["=1"])


def test_what_a_launch_plan_has_fixed_is_told(tmp_path: Path) -> None:
    """It is an input of the workflow: to say that there is none would send its author looking for a typing error."""
    due = Interface({"due": Parameter(kinds.INTEGER)})
    assert unknown_input("region", due, ["region"]) == (
        "the launch plan fixes 'region'; it takes due. To give 'region' yourself, run the workflow, or a plan that has "
        "it in default_inputs"
    )
    assert unknown_input("regoin", due, ["region"]) == "there is no input 'regoin'; it takes due"
    given = tmp_path / "inputs.json"
    given.write_text('{"region": "south", "due": 3}')
    with pytest.raises(InputInvalid, match="the launch plan fixes 'region'; it takes due"):
        gather(due, {}, str(given), fixed=["region"])
    with pytest.raises(InputInvalid, match="it takes no other"):
        gather(Interface({}), {}, str(given), fixed=["region", "due"])
