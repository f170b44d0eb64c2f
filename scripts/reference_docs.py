"""Write docs/reference anew: ``python -m scripts.reference_docs``, or ``make docs``. A test compares.

Everything comes from the code: signatures and docstrings, click's options, ``supported.toml``, the table of hurts. The
pages are the same on every Python that we support: nothing in them is an interpreter's own way to print things.
"""

from __future__ import annotations

import importlib
import inspect
import re
import sys
import types
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from typing import Any

import click

import whimbrel
from flytekit._adapt import surface
from flytekit.clis.running import local_program
from whimbrel.cli.main import EXIT_CODES, Commands

from .hurts import HURTS

ROOT = Path(__file__).resolve().parents[1]
HERE = ROOT / "docs" / "reference"
TESTING = ("engine", "fixtures", "mocks", "resuming", "journals", "world")
STATUS = {
    "works": "works",
    "data": "data only",
    "planned": "raises: planned",
    "unsupported": "raises",
}


def page(title: str, about: str, *parts: str) -> str:
    """A page; it says that it is made."""
    made = "<!-- Made by `make docs` (scripts/reference_docs.py): change the code, not this page. -->"
    return "\n\n".join([made, f"# {title}", about, *(part for part in parts if part)]).rstrip() + "\n"


# --- the interface in Python ------------------------------------------------------------------------------------------


def first_paragraph(thing: Any) -> str:
    """Of its own docstring: an inherited one says nothing of it."""
    doc = thing.__dict__.get("__doc__") if isinstance(thing, type) else getattr(thing, "__doc__", None)
    return " ".join(inspect.cleandoc(doc or "").partition("\n\n")[0].split())


def signature(thing: Any) -> str:
    """As an author would write it."""
    if isinstance(thing, type) and issubclass(thing, BaseException):
        return ""
    try:
        text = str(inspect.signature(thing))
    except (TypeError, ValueError):
        return ""
    text = re.sub(r"<factory>|<object object at 0x[0-9a-f]+>|<[^<>]* at 0x[0-9a-f]+>", "...", text)
    text = re.sub(r"<([\w.]+): [^<>]*>", r"\1", text)
    text = re.sub(r"<class '([\w.]+)'>", r"\1", text)
    return text.replace("'", "") if "'" in text and ": '" in text else text


def kind_of(thing: Any) -> str:
    """A word for it."""
    if isinstance(thing, type):
        return "exception" if issubclass(thing, BaseException) else "class"
    return "function"


def entry(name: str, thing: Any) -> str:
    """A name: what it is, how it is called, what it is for."""
    lines = [f"### `{name}`", ""]
    if isinstance(thing, type) and issubclass(thing, Enum):
        lines += [f"Enum: {', '.join(f'`{member}`' for member in thing.__members__)}.", ""]
    else:
        lines += ["```text", f"{kind_of(thing)} {name}{signature(thing)}", "```", ""]
    lines.append(first_paragraph(thing) or "(see its class)")
    if isinstance(thing, type) and not issubclass(thing, (BaseException, Enum)):
        lines += list(methods(thing))
    return "\n".join(lines)


def methods(kind: type) -> Iterator[str]:
    """A line for each public method and property that the class itself defines and describes."""
    found = []
    for name, value in vars(kind).items():
        plain = value.__func__ if isinstance(value, classmethod | staticmethod) else value
        said = first_paragraph(plain.fget) if isinstance(plain, property) else ""
        if isinstance(plain, types.FunctionType):
            said = first_paragraph(plain)
        if said and not name.startswith("_"):
            call = name if isinstance(plain, property) else f"{name}()"
            found.append(f"- `{call}`: {said}")
    if found:
        yield ""
        yield from found


def api() -> str:
    """Every name of the facade, and of the testing kit."""
    own = [entry(name, getattr(whimbrel, name)) for name in whimbrel.__all__]
    kit = []
    for part in TESTING:
        module = importlib.import_module(f"whimbrel.testing.{part}")
        for name, thing in vars(module).items():
            public = not name.startswith("_") and getattr(thing, "__module__", "") == module.__name__
            if public and (isinstance(thing, type) or callable(thing)) and first_paragraph(thing):
                kit.append(entry(f"{module.__name__}.{name}", thing))
    about = "Every name of `whimbrel`, then the testing kit. The guide says how they go together."
    return page("Python", about, "## whimbrel", *own, "## whimbrel.testing", *kit)


# --- command lines ----------------------------------------------------------------------------------------------------


def usage(path: str, command: click.Command) -> str:
    """One command: its arguments, what it does, its options."""
    context = click.Context(command, info_name=path)
    lines = [f"### `{' '.join([path, *command.collect_usage_pieces(context)])}`", "", _prose(command.help or "")]
    rows = []
    for parameter in command.params:
        if isinstance(parameter, click.Option) and not parameter.hidden:
            spelt = ", ".join(f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts))
            value = "" if parameter.is_flag or parameter.count else f" {_kind(parameter)}"
            rows.append(f"| {spelt}{value} | {_cell(parameter.help or '')}{_default(parameter)} |")
    if rows:
        lines += ["", "| option | |", "|---|---|", *rows]
    return "\n".join(lines)


def _kind(option: click.Option) -> str:
    if option.metavar:
        return _cell(option.metavar)
    if isinstance(option.type, click.Choice):
        return "\\|".join(str(choice) for choice in option.type.choices)
    return option.type.name.upper()


def _default(option: click.Option) -> str:
    plain = isinstance(option.default, str | int | float) and not isinstance(option.default, bool)
    return f" [default: {option.default}]" if option.show_default and plain else ""


def _prose(text: str) -> str:
    return "\n\n".join(" ".join(part.split()) for part in inspect.cleandoc(text).replace("\b\n", "").split("\n\n"))


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def commands(path: str, group: click.Group) -> Iterator[str]:
    """Every command of a group, and of the groups in it."""
    context = click.Context(group, info_name=path)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield usage(f"{path} {name}", command)
        if isinstance(command, click.Group):
            yield from commands(f"{path} {name}", command)


def cli() -> str:
    """`whimbrel`, `pyflyte` and `union`."""
    codes = ["| exit code | |", "|---|---|", *(f"| {code} | {_cell(text)} |" for code, text in EXIT_CODES)]
    about = "`COMMAND --help` says the same, with examples. `union` has the commands of `pyflyte`."
    pyflyte = local_program("pyflyte", "")
    return page(
        "Command lines",
        about,
        "## whimbrel",
        *commands("whimbrel", Commands("whimbrel")),
        "\n".join(codes),
        "## pyflyte",
        *commands("pyflyte", pyflyte),
    )


# --- flytekit's names -------------------------------------------------------------------------------------------------


def flytekit_surface() -> str:
    """Every public name of flytekit 1.16, with its tier and status here."""
    rows, counts = [], {}
    for module, table in surface().items():
        if module == "programs":
            continue
        for name, status, told in _names(module, table):
            tier = table.get("tiers", {}).get(name, table["tier"])
            rows.append(f"| `{module}` | `{name}` | {tier} | {status} | {told} |")
            counts[tier, status.partition(":")[0]] = counts.get((tier, status.partition(":")[0]), 0) + 1
    kinds = ["works", "data only", "raises", "inside"]
    summary = ["| tier | " + " | ".join(kinds) + " |", "|---|" + "---|" * len(kinds)]
    summary += [
        f"| {tier} | " + " | ".join(str(counts.get((tier, kind), 0)) for kind in kinds) + " |" for tier in "ABC"
    ]
    about = (
        "What becomes of every public name of flytekit 1.16 in `whimbrel-flytekit`. Tier A is the language itself, B "
        "what is expected of it, C the rest. *Data only*: it is kept and shown, and changes nothing in a local run. "
        "*Raises*: importing or using it says what stands in the last column. *Inside*: flytekit's own machinery. A "
        "name counts once for each module that has it."
    )
    head = "| module | name | tier | status | test, or what to do instead |\n|---|---|---|---|---|"
    verbs = ["| program | verb | status | what to do instead |", "|---|---|---|---|"]
    for program, table in surface()["programs"].items():
        verbs += [f"| `{program}` | `{verb}` | works | |" for verb in table["supported"]]
        for part in ("planned", "unsupported"):
            verbs += [
                f"| `{program}` | `{verb}` | {STATUS[part]} | {_cell(told)} |" for verb, told in table[part].items()
            ]
    names, programs = "\n".join([head, *rows]), "\n".join(verbs)
    remote = surface()["flytekit.remote"]
    methods = ["| method of `FlyteRemote` | status | what to do instead |", "|---|---|---|"]
    methods += [f"| `{name}` | works | |" for name in remote["methods"]]
    methods += [f"| `{name}` | raises | {_cell(told)} |" for name, told in remote["absent_methods"].items()]
    parts = ("## Names", names, "## FlyteRemote", "\n".join(methods), "## Programs", programs)
    return page("flytekit's names", about, "\n".join(summary), *parts)


def _names(module: str, table: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    if "absent" in table:
        status = STATUS[table["absent"]]
        for name in table["names"] or ["(the module)"]:
            yield name, status, _cell(table["instead"])
        return
    for part in ("works", "data"):
        for name in table.get(part, ()):
            test = table.get("tests", {}).get(name, table["test"])
            yield name, STATUS[part], f"[{test.rpartition('/')[2]}](../../{test.partition('::')[0]})"
    for part in ("planned", "unsupported"):
        for name, instead in table.get(part, {}).items():
            yield name, STATUS[part], _cell(instead)
    for name in table.get("inside", ()):
        yield name, "inside", ""


# --- hurts ------------------------------------------------------------------------------------------------------------


def hurts() -> str:
    """What hurts in flytekit, and the test that shows it right here."""
    rows = []
    for hurt in HURTS:
        file, _, function = hurt.test.partition("::")
        rows.append(f"| {_cell(hurt.what)} | {hurt.issue} | [{function}](../../{file}) |")
    about = (
        "What users of flytekit have reported or we have measured in 1.16, each with a test that shows it right here."
    )
    return page("Hurts", about, "\n".join(["| hurt | flytekit | our test |", "|---|---|---|", *rows]))


PAGES: dict[str, Callable[[], str]] = {
    "api.md": api,
    "cli.md": cli,
    "flytekit-surface.md": flytekit_surface,
    "hurts.md": hurts,
}


def main() -> int:
    """Write them all."""
    HERE.mkdir(parents=True, exist_ok=True)
    for name, make in PAGES.items():
        (HERE / name).write_text(make(), encoding="utf-8")
    sys.stdout.write(f"wrote {', '.join(PAGES)} to {HERE.relative_to(ROOT)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
