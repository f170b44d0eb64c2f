"""A workflow put together by calls, with lists and workflows in it."""

from flytekit import Workflow, task, workflow


@task
def number(x: int) -> int:
    return x


@task
def total(xs: list[int]) -> int:
    return sum(xs)


@workflow
def inner(x: int) -> int:
    return number(x=x)


wf = Workflow(name="imperative_lists.by_hand")
x = wf.add_workflow_input("x", int)
a = wf.add_task(number, x=x)
b = wf.add_subwf(inner, x=a.outputs["o0"])
c = wf.add_entity(total, xs=[a.outputs["o0"], b.outputs["o0"]])
wf.add_workflow_output("sum", c.outputs["o0"])
wf.add_workflow_output("parts", [a.outputs["o0"], b.outputs["o0"]], python_type=list[int])
