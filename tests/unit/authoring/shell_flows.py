"""Shell, SQL and container tasks, and workflows of them."""

from __future__ import annotations

from whimbrel import FlyteDirectory, FlyteFile, ShellTask, eager, kwtypes, task, workflow
from whimbrel.authoring.instance_task import InstanceTask
from whimbrel.authoring.shell_task import OutputLocation

shout = ShellTask(
    "shout",
    script="""
    # Don't stop at what isn't there.
    printf '%s!' {inputs.text} > {outputs.said}
    echo "said: {inputs.text}"
    echo 'and {inputs.text} too' >&2
    """,
    inputs=kwtypes(text=str),
    output_locs=[OutputLocation("said", str, "said.txt")],
)

count = ShellTask(
    "flows.count",
    script="set -e\nwc -l < {inputs.file} > {outputs.lines}\nmkdir {outputs.parts}\n"
    'split -l {inputs.at} "{inputs.file}" {outputs.parts}/part.',
    inputs=kwtypes(file=FlyteFile, at=int),
    output_locs=[OutputLocation("lines", int, "lines"), OutputLocation("parts", FlyteDirectory, "{inputs.at}-parts")],
)

quiet = ShellTask("quiet", script='test "{inputs.n}" -lt 3', inputs=kwtypes(n=int))

sort = ShellTask(
    "sort",
    script="sort {inputs.flags:raw} {inputs.file} > {outputs.sorted}",
    inputs=kwtypes(file=FlyteFile, flags=str),
    output_locs=[OutputLocation("sorted", FlyteFile, "sorted.txt")],
)


class Scaled(InstanceTask):
    """A task of a user's own kind."""

    def __init__(self, name: str, factor: int, **options: object) -> None:
        super().__init__(name, inputs=kwtypes(x=int), outputs=kwtypes(scaled=int), **options)
        self.factor = factor

    def execute(self, x: int) -> int:  # type: ignore[override]  # the inputs are this task's
        return x * self.factor


class Divided(InstanceTask):
    async def execute(self, a: int, b: int) -> tuple[int, int]:  # type: ignore[override]  # the inputs are this task's
        return a // b, a % b


thrice = Scaled("thrice", 3, retries=1)
divided = Divided("flows.divided", inputs=kwtypes(a=int, b=int), outputs=kwtypes(whole=int, rest=int))


@task
def length(text: str) -> int:
    return len(text)


@workflow
def loud(text: str) -> int:
    return thrice(x=length(text=shout(text=text)))


@workflow
def parts(file: FlyteFile) -> int:
    counted = count(file=file, at=2)
    split = divided(a=counted.lines, b=2)
    return split.rest


@eager
async def loudly(text: str) -> int:
    said = await shout(text=text)
    whole, rest = await divided(a=len(said), b=4)
    return await thrice(x=whole * 10 + rest)


@workflow
def may_fail(n: int) -> None:
    quiet(n=n)
