"""Progress as plain lines."""

from __future__ import annotations

import io

from tests.unit.cli.worlds import MapWorld, World, task
from whimbrel.cli.live import PlainProgress
from whimbrel.model.attempt import AttemptFault, LogChunk, Progress, Succeeded
from whimbrel.model.failure import Failure, Fault
from whimbrel.model.literals import IntLiteral


def chunk(world: World, path: str, text: str, stream: str = "stdout") -> LogChunk:
    return LogChunk(world.attempt(path), stream, text, world.now)


def test_what_tasks_write_stays_in_whole_lines() -> None:
    world = World(task("a"), task("b"))
    stream = io.StringIO()
    progress = PlainProgress(stream, quiet=True)
    for path, text in (("n0", "one "), ("n1", "other\n"), ("n0", "line\nrest")):
        progress.watch(world.run, chunk(world, path, text))
    assert stream.getvalue() == "other\none line\n"
    world.start("n0")
    attempt = world.attempt("n0")
    world.succeed("n0")
    progress.watch(world.run, Succeeded(attempt, {"o0": IntLiteral(1)}, world.now))
    assert stream.getvalue().endswith("rest\n")
    progress.watch(world.run, chunk(world, "n1", "left over"))
    progress.close()
    assert stream.getvalue().endswith("left over\n")


def test_ends_of_nodes_are_told_once() -> None:
    world = World(task("a", retries=1))
    stream = io.StringIO()
    progress = PlainProgress(stream)
    world.start("n0")
    first = world.attempt("n0")
    world.fail("n0", "not yet\nreally")
    failure = Failure(Fault.USER, "not yet\nreally", "builtins:ValueError")
    progress.watch(world.run, AttemptFault(first, failure, world.now))
    world.start("n0")
    second = world.attempt("n0")
    progress.watch(world.run, Progress(second, 3, 10, "rows", world.now))
    world.succeed("n0")
    progress.watch(world.run, Succeeded(second, {"o0": IntLiteral(1)}, world.now))
    assert stream.getvalue().splitlines() == [
        "whimbrel: n0 a attempt 1 failed  1.00 s: ValueError: not yet",
        "whimbrel: n0 3 of 10 (30%) rows",
        "whimbrel: n0 a SUCCEEDED  3.00 s",
    ]


def test_the_tasks_stdout_may_go_elsewhere() -> None:
    world = World(task("a"))
    stream, tasks = io.StringIO(), io.StringIO()
    progress = PlainProgress(stream, quiet=True, tasks=tasks)
    progress.watch(world.run, chunk(world, "n0", "for people\n", "stderr"))
    progress.watch(world.run, chunk(world, "n0", "for pipes\n"))
    assert (stream.getvalue(), tasks.getvalue()) == ("for people\n", "for pipes\n")


class Gone(io.StringIO):
    """A stream whose reader has gone away."""

    def write(self, text: str) -> int:
        raise BrokenPipeError


def test_a_run_goes_on_when_nobody_reads() -> None:
    world = World(task("a"))
    tasks = io.StringIO()
    progress = PlainProgress(Gone(), tasks=tasks)
    progress.say("run r1")
    progress.watch(world.run, chunk(world, "n0", "lost\n", "stderr"))
    progress.watch(world.run, chunk(world, "n0", "heard\n"))
    assert tasks.getvalue() == "heard\n"


def test_the_items_of_a_large_map_are_told_in_tenths() -> None:
    world = MapWorld(200)
    stream = io.StringIO()
    progress = PlainProgress(stream)
    for at in range(200):
        world.start(f"n0/{at}")
        attempt = world.attempt(f"n0/{at}")
        world.succeed(f"n0/{at}")
        progress.watch(world.run, Succeeded(attempt, {"o0": IntLiteral(1)}, world.now))
    lines = stream.getvalue().splitlines()
    assert lines[0] == "whimbrel: n0 map a  20/200"
    assert lines[-1] == "whimbrel: n0 map a  200/200"
    assert len(lines) == 10
