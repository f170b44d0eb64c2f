"""``flytekit.tools``: projects as archives and as messages, found by their files."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from flytekit.configuration import Image, ImageConfig, SerializationSettings
from flytekit.models.core.identifier import Identifier, ResourceType
from flytekit.tools.fast_registration import (
    FastPackageOptions,
    compute_digest,
    fast_package,
    get_additional_distribution_loc,
    print_ls_tree,
)
from flytekit.tools.repo import (
    NoSerializableEntitiesError,
    find_common_root,
    list_packages_and_modules,
    print_registration_status,
    register,
    serialize_and_package,
    serialize_load_only,
    serialize_to_folder,
)
from whimbrel.errors import EntityNotFound, InputInvalid

FLOW = """
from flytekit import task, workflow


@task
def one(x: int) -> int:
    return x


@workflow
def whole(x: int) -> int:
    return one(x=x)
"""


@pytest.fixture
def project(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A project with modules of names of their own: what is imported stays imported."""
    own = f"{request.function.__name__}_flows"
    root = tmp_path / "project"
    for name, text in {
        f"{own}/__init__.py": "",
        f"{own}/first.py": FLOW,
        f"{own}/deeper/__init__.py": "",
        f"{own}/deeper/second.py": FLOW,
        f"{own}_alone.py": FLOW,
        "notes.txt": "no source",
        ".gitignore": "*.log",
        "much.log": "chatter",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def own(project: Path) -> str:
    return next(path.name for path in project.iterdir() if path.is_dir())


def test_the_root_of_a_project_is_above_its_packages(project: Path) -> None:
    name = own(project)
    inside = str(project / name / "deeper" / "second.py")
    assert find_common_root([inside, str(project / f"{name}_alone.py")]) == project
    assert find_common_root([str(project)]) == project
    with pytest.raises(InputInvalid, match="register one project at a time"):
        find_common_root([inside, str(project.parent)])
    with pytest.raises(EntityNotFound, match="there is no file or directory"):
        find_common_root([str(project / "gone.py")])


def test_what_is_named_by_dots(project: Path) -> None:
    name = own(project)
    assert list_packages_and_modules(project, [str(project)]) == [name, f"{name}_alone"]
    named = [str(project / name / "first.py"), str(project / name / "deeper" / "__init__.py")]
    assert list_packages_and_modules(project, named) == [f"{name}.first", f"{name}.deeper"]


def test_a_dry_run_names_all_of_a_project(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    class Nobody:
        """Must not be asked for more than where things would go."""

        class config:
            class platform:
                endpoint = "nowhere:1"

        def place(self, *_: object) -> tuple[str, str]:
            return "p", "d"

    register(package_or_module=[str(project)], remote=Nobody(), dry_run=True)
    told = capsys.readouterr().out
    name = own(project)
    for module in (f"{name}.first", f"{name}.deeper.second", f"{name}_alone"):
        assert f"[✔] Task: {module}.one (would be registered)" in told
        assert f"[✔] Workflow: {module}.whole (would be registered)" in told


def test_nothing_to_register_is_told(tmp_path: Path) -> None:
    (tmp_path / "nothing_to_register.py").write_text("x = 1\n")
    with pytest.raises(NoSerializableEntitiesError, match="no task or workflow"):
        register(package_or_module=[str(tmp_path)], remote=_Somewhere(), dry_run=True)


class _Somewhere:
    class config:
        class platform:
            endpoint = "nowhere:1"


def test_lines_of_registration(capsys: pytest.CaptureFixture[str]) -> None:
    plan = Identifier(ResourceType.LAUNCH_PLAN, "p", "d", "nightly", "v")
    print_registration_status(plan, activation=True)
    print_registration_status(plan, success=False, console_url="http://there", verbosity=1)
    assert capsys.readouterr().out == "[✔] Launch Plan: nightly (activated)\n[x] Launch Plan: nightly http://there\n"


# --- archives ---------------------------------------------------------------------------------------------------------


def test_a_project_is_packed_without_what_git_ignores(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = fast_package(project, tmp_path / "out", options=FastPackageOptions([], show_files=True))
    with tarfile.open(made) as archive:
        names = archive.getnames()
    assert "notes.txt" in names
    assert f"{own(project)}/deeper/second.py" in names
    assert "much.log" not in names
    assert "  notes.txt" in capsys.readouterr().out.splitlines()
    # Equal sources make equal archives, which are called after what is in them.
    assert fast_package(project, tmp_path / "again").name == made.name
    (project / "notes.txt").write_text("other words")
    assert fast_package(project, tmp_path / "again").name != made.name


def test_digests_are_of_names_and_of_what_is_in_files(project: Path) -> None:
    before = compute_digest(project)
    assert compute_digest(project) == before
    (project / "much.log").write_text("more chatter")
    assert compute_digest(project) == before
    without = compute_digest(project, lambda name: name.endswith(".txt"))
    (project / "notes.txt").write_text("other words")
    assert compute_digest(project) != before
    assert compute_digest(project, lambda name: name.endswith(".txt")) == without
    assert compute_digest([project / "notes.txt"]) != before


def test_where_archives_are_and_what_is_in_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert get_additional_distribution_loc("s3://bucket/", "abc") == "s3://bucket/abc.tar.gz"
    print_ls_tree("here", ["b.py", "a.py"])
    assert capsys.readouterr().out == "files below here:\n  a.py\n  b.py\n"


# --- messages ---------------------------------------------------------------------------------------------------------


def test_packages_as_messages(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(project)
    image = ImageConfig(Image.look_up_image_info("default", "registry.example/flows:1"))
    settings = SerializationSettings(image, "p", "d", "v7", source_root=str(project))
    name = f"{own(project)}.first"
    serialize_load_only([name], settings)
    folder = tmp_path / "messages"
    serialize_to_folder([name], settings, folder=str(folder))
    files = sorted(path.name for path in folder.iterdir())
    assert any(f"{name}.one" in file for file in files)
    text = b"".join(path.read_bytes() for path in folder.iterdir())
    assert b"registry.example/flows:1" in text
    assert b"v7" in text
    serialize_and_package([name], settings, str(project), str(tmp_path / "all.tgz"))
    with tarfile.open(tmp_path / "all.tgz") as archive:
        assert sorted(archive.getnames()) == files
    with pytest.raises(EntityNotFound, match="no package 'nobody_has_this'"):
        serialize_load_only(["nobody_has_this"], settings)
