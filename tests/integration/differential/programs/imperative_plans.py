"""A workflow put together by calls, with a launch plan in it."""

from flytekit import LaunchPlan, Workflow, task, workflow


@task
def work(x: int) -> int:
    return x


@workflow
def inner(x: int, y: int = 2) -> int:
    return work(x=x)


plan = LaunchPlan.get_or_create(inner, "imperative_plans.plan", default_inputs={"x": 3})

wf = Workflow(name="imperative_plans.by_hand")
x = wf.add_workflow_input("x", int)
node = wf.add_launch_plan(plan, x=x)
wf.add_workflow_output("out", node.outputs["o0"])
