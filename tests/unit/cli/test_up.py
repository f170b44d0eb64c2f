"""`whimbrel up`: what it is told wrongly is said before anything is opened."""

from __future__ import annotations

from pathlib import Path

import pytest

from whimbrel.cli.up import command
from whimbrel.errors import InputInvalid


@pytest.mark.parametrize("said", ["/opt/venv", "registry.example/*=/nowhere"])
def test_an_image_is_a_pattern_and_an_environment(said: str, tmp_path: Path) -> None:
    home = tmp_path / "home"
    with pytest.raises(InputInvalid, match="name the environment that stands for the image"):
        command.main(["--home", str(home), "--image", said], standalone_mode=False)
    assert not home.exists()
