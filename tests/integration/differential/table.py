"""Writes docs/reference/compiled-output.md."""

from __future__ import annotations

from tests.integration.differential.corpus import TABLE, all_differences, compiled, table


def main() -> None:
    """Compile the corpus and write what was found."""
    TABLE.parent.mkdir(exist_ok=True)
    TABLE.write_text(table(all_differences(*compiled())), encoding="utf-8")


if __name__ == "__main__":
    main()
