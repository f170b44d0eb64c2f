"""A workflow that is put together by calls."""

from flytekit import Workflow, task


@task
def first(a: str) -> str:
    return a + " world"


@task
def second():
    print("side effect")


wf = Workflow(name="imperative.by_hand")
wf.add_workflow_input("in1", str)
node_first = wf.add_entity(first, a=wf.inputs["in1"])
node_second = wf.add_entity(second)
node_first >> node_second
wf.add_workflow_output("from_first", node_first.outputs["o0"])
