"""whimbrel-flytekit and the real thing don't share an environment."""

import sys
from pathlib import Path

import pytest

from flytekit._adapt import refuse_beside


def with_distribution(monkeypatch: pytest.MonkeyPatch, path: Path, entry: str) -> None:
    (path / entry).mkdir()
    monkeypatch.setattr(sys, "path", ["", str(path / "no-such-directory"), str(path)])
    monkeypatch.chdir(path.parent)


@pytest.mark.parametrize("name", ["flytekit", "union"])
def test_the_real_distribution_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str) -> None:
    with_distribution(monkeypatch, tmp_path, f"{name}-1.16.3.dist-info")
    with pytest.raises(ImportError, match=rf"holds {name} 1\.16\.3 beside whimbrel-flytekit.*pip uninstall {name}"):
        refuse_beside(name)


@pytest.mark.parametrize(
    "entry", ["whimbrel_flytekit-0.1.0.dist-info", "flytekitplugins_ray-1.16.3.dist-info", "flytekit"]
)
def test_others_are_not(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, entry: str) -> None:
    with_distribution(monkeypatch, tmp_path, entry)
    refuse_beside("flytekit")


def test_this_environment_is_fine() -> None:
    refuse_beside("flytekit")
    refuse_beside("union")
