"""Which files go along, and that equal sources make equal archives."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest

from whimbrel.client import bundles
from whimbrel.client.bundles import make_bundle
from whimbrel.errors import InputInvalid

FILES = {
    "flow.py": "import lib.deep\nfrom lib import names\n\ndef later():\n    import aside\n",
    "lib/__init__.py": "",
    "lib/deep.py": "from . import names\nfrom .. import nothing\nfrom .names import x\n",
    "lib/names.py": "import os, json\nx = 1\n",
    "lib/unused.py": "",
    "aside.py": "",
    "test_flow.py": "import flow\n",
    "data/table.csv": "1,2\n",
    "secret.env": "KEY=1\n",
    "data/.gitignore": "*.tmp\n!kept.tmp\n",
    "data/scratch.tmp": "",
    "data/kept.tmp": "",
    ".gitignore": "*.env\nbuilt/\n",
    "built/out.py": "",
    ".git/config": "",
    "__pycache__/flow.cpython-311.pyc": "",
    "old/pyvenv.cfg": "",
    "old/lib.py": "",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_auto_takes_what_is_imported_wherever_that_stands(project: Path) -> None:
    found = make_bundle(project, ["flow"])
    assert found.files == ("aside.py", "flow.py", "lib/__init__.py", "lib/deep.py", "lib/names.py")


def test_all_takes_what_git_would(project: Path) -> None:
    (project / "link.py").symlink_to("/etc/passwd")
    found = make_bundle(project, [], "all")
    assert set(found.files) == {
        *(".gitignore", "aside.py", "data/.gitignore", "data/kept.tmp", "data/table.csv", "flow.py"),
        *("lib/__init__.py", "lib/deep.py", "lib/names.py", "lib/unused.py", "test_flow.py"),
    }


def test_none_takes_nothing(project: Path) -> None:
    assert make_bundle(project, ["flow"], "none").digest == ""


def test_equal_sources_make_equal_archives(project: Path, tmp_path: Path) -> None:
    first = make_bundle(project, ["flow"], "all")
    moved = tmp_path / "elsewhere"
    project.rename(moved)
    os.utime(moved / "flow.py", (1, 1))
    (moved / "flow.py").chmod(0o600)
    second = make_bundle(moved, ["flow"], "all")
    assert second.data == first.data
    imported = make_bundle(moved, ["flow"]).digest
    (moved / "lib" / "unused.py").write_text("changed = 1\n")
    assert make_bundle(moved, ["flow"], "all").digest != first.digest
    assert make_bundle(moved, ["flow"], "all").content != first.content
    # Nothing imports it.
    assert make_bundle(moved, ["flow"]).digest == imported


def test_the_archive_has_the_files_and_nothing_of_who_made_it(project: Path) -> None:
    found = make_bundle(project, ["flow"])
    with tarfile.open(fileobj=io.BytesIO(found.data)) as archive:
        members = archive.getmembers()
        assert [member.name for member in members] == list(found.files)
        assert {(member.mtime, member.uid, member.uname, member.mode) for member in members} == {(0, 0, "", 0o644)}
        taken = archive.extractfile("lib/names.py")
        assert taken is not None
        assert taken.read().decode() == FILES["lib/names.py"]


def test_modules_of_another_directory_below_the_root(project: Path) -> None:
    (project / "src").mkdir()
    (project / "src" / "app.py").write_text("import aside\nimport inner\n")
    (project / "src" / "inner.py").write_text("")
    found = make_bundle(project, ["app"], paths=["src"], more=["data/table.csv", "no/such"])
    assert found.files == ("aside.py", "data/table.csv", "src/app.py", "src/inner.py")


def test_what_cannot_be_bundled_is_told(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputInvalid, match="there is nothing to bundle"):
        make_bundle(project, ["no_such"])
    (project / "lib" / "names.py").write_text("def broken(:\n")
    with pytest.raises(InputInvalid, match=r"names\.py.*cannot be read"):
        make_bundle(project, ["flow"])
    with pytest.raises(InputInvalid, match="it is one of auto, all, none"):
        make_bundle(project, ["flow"], "some")  # type: ignore[arg-type]  # what a caller may get wrong
    monkeypatch.setattr(bundles, "LIMIT", 10)
    with pytest.raises(InputInvalid, match=r"The\s+largest: flow\.py"):
        make_bundle(project, ["flow"], "all")
