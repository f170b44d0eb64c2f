"""Law: a run that was begun with an earlier release goes on with this one: every journal that was ever recorded is
read, folded, and replayed by the code of today without a difference.

If one of these fails, it is not the journal that is wrong.
"""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import msgspec
import pytest

from tests.golden.record import file_name, journals
from whimbrel.testing.engine import TestEngine
from whimbrel.testing.journals import read_journal, replay_journal

from .corpus import SAMPLES, add_one, double, eager_loop, fan_out

JOURNALS = journals()


def sample_of(path: Path) -> str:
    return path.stem.partition("-")[0]


@pytest.mark.parametrize("path", JOURNALS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_an_old_journal_is_replayed(path: Path) -> None:
    replayed = replay_journal(path, SAMPLES[sample_of(path)].entity)
    assert not replayed.divergences
    assert replayed.run.phase.terminal
    if sample_of(path).startswith("eager"):
        assert replayed.bodies
        assert replayed.entries


def test_every_sample_has_a_journal_of_this_release() -> None:
    folder = Path(__file__).parents[1] / "golden" / version("whimbrel")
    missing = [name for name in SAMPLES if not (folder / file_name(name)).is_file()]
    assert not missing, "python -m tests.golden.record"


def test_journals_are_small() -> None:
    assert sum(path.stat().st_size for path in JOURNALS) < 1_000_000


# --- what the replay would say ---------------------------------------------------------------------------------------


def kept(tmp_path: Path, entity: object, **inputs: object) -> Path:
    engine = TestEngine()
    engine.run(entity, **inputs)
    engine.write_journal(tmp_path / "run.journal")
    return tmp_path / "run.journal"


def test_another_body_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = kept(tmp_path, eager_loop, n=3)
    monkeypatch.setattr(eager_loop, "fn", doubles)
    told = replay_journal(path).divergences
    assert any("calls tests.laws.corpus.double as 1" in line and "not recorded" in line for line in told)


async def doubles(n: int) -> int:
    return await double(x=n)


def test_a_shorter_body_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = kept(tmp_path, eager_loop, n=3)
    monkeypatch.setattr(eager_loop, "fn", gives_up)
    told = replay_journal(path).divergences
    assert "n0: it did not come to 3, a call of tests.laws.corpus.add_one, which was recorded" in told
    assert "n0: it returned another value than the one recorded" in told


async def gives_up(n: int) -> int:
    return await add_one(x=1 + await add_one(x=0))


def test_another_graph_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = kept(tmp_path, fan_out, x=1)
    assert not replay_journal(path, fan_out).divergences
    journal = read_journal(path)
    program = fan_out.program()
    graph = program.workflows[fan_out.name]
    changed = {fan_out.name: msgspec.structs.replace(graph, nodes=graph.nodes[:-1])}
    monkeypatch.setitem(fan_out.__dict__, "_program", msgspec.structs.replace(program, workflows=changed))
    assert any("is not there" in line for line in replay_journal(journal, fan_out).divergences)
