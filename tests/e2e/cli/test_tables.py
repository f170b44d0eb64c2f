"""Tables on the command line: paths in, references out, the first rows for a person."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.cli.shell import Shell

PROGRAM = """
from pathlib import Path
from typing import Annotated
import pandas as pd, polars as pl
from whimbrel import StructuredDataset, eager, kwtypes, task

@task
def doubled(data: pd.DataFrame) -> pl.DataFrame:
    return pl.from_pandas(data).with_columns(a=pl.col("a") * 2)

@task
def total(data: Annotated[pl.LazyFrame, kwtypes(a=int)]) -> int:
    return data.sum().collect().item()

@task
def ready() -> bool:
    if not Path("ready").exists():
        raise RuntimeError("not yet")
    return True

@eager
async def late(data: StructuredDataset) -> int:
    twice = await doubled(data=data)
    await ready()
    return await total(data=twice)
"""


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    (tmp_path / "program.py").write_text(PROGRAM)
    (tmp_path / "data.csv").write_text("a,b\n1,x\n2,y\n")
    return Shell(tmp_path)


def test_a_path_goes_in_and_the_output_of_one_run_is_the_input_of_another(shell: Shell) -> None:
    done = shell("run", "program.py", "doubled", "--data", "data.csv")
    uri = done.out.strip()
    assert uri.startswith("blob:files/")
    assert uri.endswith("/data.parquet")
    assert f"dataset 2 x 2 at {uri}" in done.err
    assert done.err.splitlines()[-3:] == ["a  b", "2  x", "4  y"]
    assert shell("run", "-q", "program.py", "total", "--data", uri).out == "6\n"


def test_without_an_engine_the_output_is_shown(shell: Shell) -> None:
    assert "4" in shell("run", "--direct", "program.py", "doubled", "--data", "data.csv").out
    assert shell("run", "--direct", "program.py", "total", "--data", "data.csv").out == "3\n"


def test_a_run_keeps_what_it_was_given(shell: Shell) -> None:
    assert shell("run", "-q", "program.py", "late", "--data", "data.csv", code=None).code != 0
    (shell.directory / "data.csv").unlink()
    (shell.directory / "ready").touch()
    assert shell("recover", "-q", "latest").out == "6\n"


def test_what_is_no_table_is_refused(shell: Shell) -> None:
    done = shell("run", "program.py", "total", "--data", "nowhere.csv", code=None)
    assert done.code == 2
    assert "'nowhere.csv', which is not there" in done.err
    (shell.directory / "bad.parquet").write_text("nonsense")
    done = shell("run", "program.py", "doubled", "--data", "bad.parquet", code=None)
    assert done.code != 0
    assert "a table in parquet" in done.err
    assert "Traceback" not in done.err.split("a table in parquet")[0]
    done = shell("run", "program.py", "total", "--data", "data.csv", code=None)
    assert done.code == 0
    (shell.directory / "other.csv").write_text("b\n1\n")
    done = shell("run", "program.py", "total", "--data", "other.csv", code=None)
    assert done.code != 0
    assert "a column 'a' of int" in done.err
