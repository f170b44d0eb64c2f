"""Files that a program says by itself are the run's for good."""

from __future__ import annotations

from pathlib import Path

from whimbrel import FlyteDirectory, FlyteFile, LaunchPlan, task, workflow
from whimbrel.runtime.program_files import keep_program_files
from whimbrel.testing.engine import TestEngine


@task
def joined(fixed: FlyteFile, default: FlyteFile, tree: FlyteDirectory, extra: list[FlyteFile]) -> str:
    texts = [Path(file).read_text() for file in (fixed, default, *extra)]
    return " ".join([*texts, *sorted(Path(tree).joinpath(name).read_text() for name in tree.listdir())])


@workflow
def joining(fixed: FlyteFile, default: FlyteFile, tree: FlyteDirectory, extra: list[FlyteFile]) -> str:
    return joined(fixed=fixed, default=default, tree=tree, extra=extra)


def planned(directory: Path, name: str) -> LaunchPlan[..., str]:
    (directory / "tree").mkdir()
    for place in ("a", "b", "c", "tree/d"):
        (directory / place).write_text(place[-1])
    return LaunchPlan.create(
        name,
        joining,
        fixed_inputs={"fixed": FlyteFile(directory / "a"), "tree": FlyteDirectory(directory / "tree")},
        default_inputs={"default": FlyteFile(directory / "b"), "extra": [FlyteFile(directory / "c")]},
    )


def test_those_of_a_launch_plan_are_kept(tmp_path: Path) -> None:
    engine = TestEngine()
    assert engine.run(planned(tmp_path, "kept")) == "a b c d"
    assert "file:/" not in str(engine.events)


def test_those_of_a_launch_plan_that_is_a_node_are_kept(tmp_path: Path) -> None:
    plan = planned(tmp_path, "kept_as_node")

    @workflow
    def around() -> str:
        return plan()

    engine = TestEngine()
    assert engine.run(around) == "a b c d"
    assert "file:/" not in str(engine.events)


def test_constants_of_a_body_are_kept(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    (tmp_path / "tree").mkdir()

    @workflow
    def saying() -> str:
        file = FlyteFile(tmp_path / "a")
        return joined(fixed=file, default=file, tree=FlyteDirectory(tmp_path / "tree"), extra=[file])

    engine = TestEngine()
    assert engine.run(saying) == "a a a"
    assert "file:/" not in str(engine.events)


def test_equal_content_is_an_equal_program(tmp_path: Path) -> None:
    """Its digest is of what the files hold, not of where they were."""
    blobs = TestEngine().blobs
    for name in ("x", "y"):
        (tmp_path / name).mkdir()
    one = keep_program_files(planned(tmp_path / "x", "same").program(), blobs)
    other = keep_program_files(planned(tmp_path / "y", "same").program(), blobs)
    assert one.launch_plans == other.launch_plans
    assert one != planned_without_keeping(tmp_path)


def planned_without_keeping(directory: Path) -> object:
    (directory / "z").mkdir()
    return planned(directory / "z", "same").program()


def test_a_program_without_files_is_left_alone() -> None:
    @workflow
    def nothing() -> int:
        return 1

    program = nothing.program()
    assert keep_program_files(program, TestEngine().blobs) is program
