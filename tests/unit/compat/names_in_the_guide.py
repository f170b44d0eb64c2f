"""The list of names in docs/guide/coming-from-flytekit.md, made from supported.toml.

Run it (`python -m tests.unit.compat.names_in_the_guide`) to write the list anew; a test compares.
"""

from pathlib import Path

from flytekit._adapt import surface

GUIDE = Path(__file__).resolve().parents[3] / "docs" / "guide" / "coming-from-flytekit.md"
BEGIN, END = "<!-- names: begin -->", "<!-- names: end -->"


def names() -> str:
    """The list, as Markdown."""
    here, elsewhere = [], []
    for module, table in surface().items():
        if module == "programs":
            continue
        if "absent" in table:
            told = ", ".join(f"`{name}`" for name in table["names"])
            elsewhere.append(f"| `{module}`{f': {told}' if told else ''} | {table['absent']} | {table['instead']} |")
            continue
        if table["supported"]:
            here.append(f"- `{module}`: {', '.join(f'`{name}`' for name in table['supported'])}")
        for status in ("planned", "unsupported"):
            for name, instead in table.get(status, {}).items():
                elsewhere.append(f"| `{module}.{name}` | {status} | {instead} |")
    head = ["| not here | | instead |", "|---|---|---|"]
    return "\n".join(["Supported:", "", *here, "", *head, *elsewhere])


def written() -> str:
    """The list in the guide."""
    return GUIDE.read_text().partition(BEGIN)[2].partition(END)[0].strip()


if __name__ == "__main__":
    before, _, rest = GUIDE.read_text().partition(BEGIN)
    GUIDE.write_text(f"{before}{BEGIN}\n{names()}\n{END}{rest.partition(END)[2]}")
