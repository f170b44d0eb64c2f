"""Convert a directory of CSV files to gzipped JSON lines, one task per file.

    whimbrel run examples/data/convert_files.py convert --source measurements/

A file that cannot be read does not stop the others: `min_success_ratio` says how many must succeed, and those that
failed give `None`.
"""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path

from whimbrel import FlyteDirectory, FlyteFile, map_task, task, workflow

Converted = FlyteFile["jsonl.gz"]


@task
def list_files(source: FlyteDirectory) -> list[FlyteFile]:
    """The CSV files of a directory, by name; none of them is read here."""
    return sorted((file for file in source.listdir() if file.uri.endswith(".csv")), key=lambda file: str(file.uri))


@task
def to_json_lines(file: FlyteFile) -> Converted:
    """Row by row: the file is never in memory."""
    converted = Converted.new_remote_file(Path(file.uri).stem + ".jsonl.gz")
    with file.open("r") as rows, converted.open("wb") as raw, gzip.open(raw, "wt") as out:
        for number, row in enumerate(csv.DictReader(rows), 2):
            if None in row or None in row.values():
                raise ValueError(f"line {number} of {Path(file.uri).name} has not as many cells as the header")
            out.write(json.dumps(row) + "\n")
    return converted


@task
def count(files: list[Converted | None]) -> dict[str, int]:
    """How many rows each converted file has."""
    rows = {}
    for file in files:
        if file is not None:
            with file.open("rb") as raw, gzip.open(raw, "rt") as lines:
                rows[Path(file.uri).name] = sum(1 for _ in lines)
    return rows


@workflow
def convert(source: FlyteDirectory) -> dict[str, int]:
    """Rows by converted file; at least half of the files must be good."""
    converted = map_task(to_json_lines, min_success_ratio=0.5)(file=list_files(source=source))
    return count(files=converted)
