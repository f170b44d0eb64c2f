"""Tasks that are shell scripts."""

from flytekit import kwtypes, workflow
from flytekit.extras.tasks.shell import OutputLocation, ShellTask
from flytekit.types.file import FlyteFile

count = ShellTask(
    name="shell_tasks.count",
    debug=True,
    script="wc -l {inputs.x} > {outputs.y}",
    inputs=kwtypes(x=FlyteFile),
    output_locs=[OutputLocation(var="y", var_type=FlyteFile, location="count.txt")],
)


@workflow
def wf(x: FlyteFile) -> FlyteFile:
    return count(x=x)
