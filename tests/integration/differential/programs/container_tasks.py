"""Tasks that are containers."""

from flytekit import ContainerTask, kwtypes, workflow

area = ContainerTask(
    name="container_tasks.area",
    input_data_dir="/var/inputs",
    output_data_dir="/var/outputs",
    inputs=kwtypes(a=float, b=float),
    outputs=kwtypes(area=float, metadata=str),
    image="ghcr.io/example/area:v1",
    command=["python", "area.py", "{{.inputs.a}}", "{{.inputs.b}}", "/var/outputs"],
)


@workflow
def wf(a: float, b: float) -> float:
    return area(a=a, b=b).area
