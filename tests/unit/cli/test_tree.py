"""The tree of what ran."""

from __future__ import annotations

from tests.unit.cli.worlds import MapWorld, World, task
from whimbrel.cli.live import fitted
from whimbrel.cli.tree import tree
from whimbrel.model.program import TaskKind


def told(world: World, *, fold: int = 12, detail: bool = False) -> list[str]:
    return [" ".join(line.text.split()) for line in tree(world.run, world.now, fold=fold, detail=detail)]


def test_phases_and_durations() -> None:
    world = World(task("a"), task("b"), task("c"))
    world.start("n0")
    world.succeed("n0")
    world.start("n1")
    assert told(world) == [
        "● run r1 m.wf RUNNING 3.00 s",
        "├─ ✓ n0 a SUCCEEDED 1.00 s",
        "├─ ● n1 b RUNNING 0 ms",
        "└─ ○ n2 c QUEUED 3.00 s",
    ]


def test_a_failure_shows_its_traceback_and_its_attempts() -> None:
    world = World(task("a", retries=1))
    world.start("n0")
    world.fail("n0", "first")
    world.start("n0")
    world.fail("n0", "second", "Traceback (most recent call last):\n  wf.py\nValueError: second\n")
    assert told(world, detail=True) == [
        "✗ run r1 m.wf FAILED 4.00 s",
        "└─ ✗ n0 a FAILED 3.00 s 2 attempts",
        "attempt 1 FAILED 1.00 s worker worker ValueError: first",
        "attempt 2 FAILED 1.00 s worker worker ValueError: second",
        "Traceback (most recent call last):",
        "wf.py",
        "ValueError: second",
    ]


def test_what_failed_inside_is_shown_there() -> None:
    world = World(task("body", kind=TaskKind.EAGER), task("a"))
    world.start("n0")
    world.call("n0", "1", "m.a")
    world.fail("n0/1", "inner", "inner frames")
    world.fail("n0", "inner", "outer frames\nRemote traceback:\ninner frames")
    lines = told(world, detail=True)
    assert lines.count("│ │ outer frames") == 1
    assert sum("inner frames" in line for line in lines) == 1
    assert not any("Remote" in line for line in lines)


def test_equal_rows_fold_unless_there_is_something_to_say() -> None:
    world = World(*[task("a", retries=1) for _ in range(30)])
    for at in range(30):
        world.start(f"n{at}")
        if at == 20:
            world.fail("n20", "once")
            world.start("n20")
        world.succeed(f"n{at}")
    lines = told(world)
    assert lines[4] == "├─ … 17 more a, all SUCCEEDED"
    assert lines[5].startswith("├─ ✓ n20 a SUCCEEDED")
    assert "2 attempts" in lines[5]
    assert len(lines) == 1 + 4 + 1 + 9
    assert len(told(world, fold=0)) == 31


def test_a_live_tree_fits_the_terminal() -> None:
    world = World(*[task(f"a{at}") for at in range(100)])
    for at in range(90):
        world.start(f"n{at}")
    for at in range(60):
        world.succeed(f"n{at}")
    lines = [line.text for line in fitted(world.run, world.now, 20)]
    assert len(lines) == 20
    assert "RUNNING" in lines[1]
    assert lines[-1] == "… 60 of 100 nodes done, 30 running"
    assert len(fitted(world.run, world.now, 200)) == 101


def test_a_large_map_is_counted_and_what_went_wrong_is_shown() -> None:
    world = MapWorld(100)
    world.start("n0/4")
    world.fail("n0/4", "four")
    for at in (0, 1, 2):
        world.start(f"n0/{at}")
        world.succeed(f"n0/{at}")
    world.start("n0/50")
    lines = told(world)
    assert lines[1].startswith("└─ ● n0 map a RUNNING")
    assert lines[1].endswith("4/100, 1 failed")
    assert [line.partition(" ")[2].split(" ")[:4] for line in lines[2:4]] == [
        ["✗", "4", "a", "FAILED"],
        ["●", "50", "a", "RUNNING"],
    ]
    assert lines[4] == "└─ … 98 more: 3 SUCCEEDED, 95 QUEUED"
    assert len(lines) == 5
    assert len(told(world, fold=0)) == 102


def test_a_small_map_shows_its_items() -> None:
    assert len(told(MapWorld(3))) == 5
