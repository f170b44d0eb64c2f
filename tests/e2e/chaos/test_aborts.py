"""`whimbrel abort` from a second process at random moments, with and without a kill of the owner: nothing that had been
done is forgotten, and nothing new is begun."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.e2e.chaos.history import violations
from tests.e2e.chaos.killing import LIMIT, SCRIPT, Patient
from whimbrel.engine.run import Run
from whimbrel.model.attempt import Succeeded
from whimbrel.model.events import AbortRequested
from whimbrel.model.run import Phase

ABORTED = 3


def command(patient: Patient, *arguments: str) -> int:
    return subprocess.run(
        [SCRIPT, *arguments], cwd=patient.folder, env=patient.environment, capture_output=True, timeout=LIMIT
    ).returncode


@pytest.mark.parametrize("killed", [False, True], ids=["owner lives", "owner killed"])
@pytest.mark.parametrize("seed", [11, 12, 13])
def test_abort_at_a_random_moment(tmp_path: Path, seed: int, killed: bool) -> None:
    patient = Patient(tmp_path / "run", seed, length=40)
    process = patient.begin()
    patient.until_lines(process, patient.chance.randrange(3, 30))
    assert command(patient, "abort", patient.run) == 0
    if killed:
        patient.kill(process)
        # The request waits for the next owner, unless the last one has taken it.
        if patient.summary()[0] != "ABORTED":
            process = patient.begin()
            assert process.wait(LIMIT) == ABORTED
    else:
        assert process.wait(LIMIT) == ABORTED
    assert patient.summary()[0] == "ABORTED"
    patient.mark()
    # It is over: nobody can carry it on.
    assert command(patient, "resume", patient.run) == 2
    history = patient.history()
    assert violations(history) == []
    run = Run.replay(history.events)
    run.check_invariants()
    assert run.phase is Phase.ABORTED
    # What had finished is still seen, with what came out of it.
    aborted = next(n for n, event in enumerate(history.events) if isinstance(event, AbortRequested))
    finished = [event.attempt.path for event in history.events[:aborted] if isinstance(event, Succeeded)]
    assert finished
    assert {run.nodes[path].phase for path in finished} == {Phase.SUCCEEDED}
