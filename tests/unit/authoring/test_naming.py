"""Names of entities, and where a worker finds them."""

import subprocess
import sys
from pathlib import Path

from whimbrel import task


class Space:
    @staticmethod
    @task
    def inside(x: int) -> int:
        return x


@task
def plain(x: int) -> int:
    return x


def test_a_dotted_name_is_followed() -> None:
    assert Space.inside.name == f"{__name__}.Space.inside"
    assert Space.inside.spec().code.name == "Space.inside"


def test_the_root_is_where_the_top_package_lies() -> None:
    code = plain.spec().code
    path = Path(code.root, *code.module.split(".")).with_suffix(".py")
    assert path == Path(__file__)


def run(*arguments: str, cwd: Path) -> list[str]:
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=cwd, check=True, capture_output=True, text=True).stdout.splitlines()


SCRIPT = """
from whimbrel import task

@task
def hello() -> None:
    pass

if __name__ == "__main__":
    code = hello.spec().code
    print(hello.name, code.module, code.name, code.root)
"""


def test_a_script_is_the_module_of_its_stem(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    assert run("script.py", cwd=tmp_path) == [f"script.hello script hello {tmp_path}"]


def test_a_module_run_with_m_keeps_its_name(tmp_path: Path) -> None:
    package = tmp_path / "pack" / "sub"
    package.mkdir(parents=True)
    (tmp_path / "pack" / "__init__.py").touch()
    (package / "__init__.py").touch()
    (package / "script.py").write_text(SCRIPT)
    expected = f"pack.sub.script.hello pack.sub.script hello {tmp_path}"
    assert run("-m", "pack.sub.script", cwd=tmp_path) == [expected]


def test_a_task_of_a_session_without_a_file_cannot_be_loaded(tmp_path: Path) -> None:
    program = (
        "from whimbrel import CompileError, task\n"
        "@task\ndef typed(x: int) -> int: return x\n"
        "assert typed(x=1) == 1\n"
        "try: typed.spec()\n"
        "except CompileError as error: print(error.problems[0].message)\n"
    )
    [message] = run("-c", program, cwd=tmp_path)
    assert "has no file: a worker cannot import it" in message
