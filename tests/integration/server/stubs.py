"""Flyte's services over a store in memory, asked by stubs; what tasks give is said by the test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
from flyteidl.admin import execution_pb2, launch_plan_pb2, task_pb2, workflow_pb2
from flyteidl.core import identifier_pb2, interface_pb2, literals_pb2, types_pb2
from flyteidl.core import workflow_pb2 as core_pb2

from whimbrel.controlplane.executions import Executions
from whimbrel.controlplane.plane import ControlPlane
from whimbrel.controlplane.registry import Registry
from whimbrel.controlplane.system import RandomIds, SystemClock
from whimbrel.engine.run import Run
from whimbrel.model.attempt import AttemptFault, Cancel, Deliver, Launch, Report, Started, Succeeded
from whimbrel.model.events import Event
from whimbrel.model.failure import Failure, Fault
from whimbrel.model.literals import IntLiteral
from whimbrel.model.run import AttemptId
from whimbrel.server.downloads import Downloads
from whimbrel.server.feed import Feed
from whimbrel.server.grpc.services import services
from whimbrel.server.grpc.serving import GrpcServing
from whimbrel.server.limits import Limits
from whimbrel.server.uploads import Uploads
from whimbrel.stores.memory import MemoryStore
from whimbrel.wire.flyte import services as flyte
from whimbrel.wire.flyte.services import methods

P, D, V = "flytesnacks", "development", "v1"
KINDS = {"task": 1, "workflow": 2, "plan": 3}


class Told:
    """An executor whose attempts end as ``gives`` says (``None``: not yet), or when ``finish`` is called."""

    def __init__(self, gives: Callable[[Launch], Report | None]) -> None:
        self._gives = gives
        self._report: Callable[[Report], None] = lambda report: None
        self.live: dict[AttemptId, Launch] = {}
        self.launched: list[Launch] = []
        self.begun = asyncio.Event()

    async def start(self, report: Callable[[Report], None]) -> None:
        self._report = report

    def launch(self, launch: Launch) -> None:
        self.launched.append(launch)
        self.begun.set()
        self.live[launch.attempt] = launch
        asyncio.get_running_loop().call_soon(self._begin, launch)

    def _begin(self, launch: Launch) -> None:
        self._report(Started(launch.attempt, "here", 1.0))
        end = self._gives(launch)
        if end is not None and self.live.pop(launch.attempt, None) is not None:
            self._report(end)

    def finish(self) -> None:
        """What goes on ends."""
        self.begun.clear()
        for launch in list(self.live.values()):
            del self.live[launch.attempt]
            self._report(one(launch))

    def cancel(self, cancel: Cancel) -> None:
        if self.live.pop(cancel.attempt, None) is not None:
            self._report(AttemptFault(cancel.attempt, Failure(Fault.CANCELLED, "stopped"), 2.0))

    def deliver(self, deliver: Deliver) -> None:
        """Nothing."""

    def running(self) -> frozenset[AttemptId]:
        return frozenset(self.live)

    async def close(self) -> None:
        self.live.clear()


def one(launch: Launch) -> Succeeded:
    """It gives 1."""
    return Succeeded(launch.attempt, {"o0": IntLiteral(1)}, 2.0)


class Site:
    """The services, by method."""

    def __init__(self, channel: grpc.aio.Channel, executor: Told, path: str) -> None:
        self._channel = channel
        self.executor = executor
        self.path = path
        self._known = {
            method.name: (service, method)
            for service in (flyte.ADMIN, flyte.DATA_PROXY, flyte.SIGNAL)
            for method in methods(service)
        }

    async def ask(self, method: str, /, timeout: float = 60.0, **fields: Any) -> Any:
        """The answer to a request with ``fields``. Raises ``AioRpcError``."""
        return await self.send(method, self._known[method][1].request(**fields), timeout)

    async def send(self, name: str, request: Any, timeout: float = 60.0) -> Any:
        """The answer to a request."""
        service, method = self._known[name]
        call = self._channel.unary_unary(f"/{service}/{name}", request.SerializeToString, method.response.FromString)
        return await call(request, timeout=timeout)

    async def refused(self, name: str, request: Any) -> grpc.StatusCode:
        """The code of a refusal."""
        try:
            await self.send(name, request)
        except grpc.aio.AioRpcError as error:
            code: grpc.StatusCode = error.code()
            return code
        raise AssertionError(f"{name} was not refused")

    async def launch(self, target: Any, name: str, **spec: Any) -> Any:
        """The id of a new execution."""
        request = execution_pb2.ExecutionCreateRequest(project=P, domain=D, name=name)
        request.spec.CopyFrom(execution_pb2.ExecutionSpec(launch_plan=target, **spec))
        request.inputs.CopyFrom(literals_pb2.LiteralMap(literals={"x": integer(1)}))
        return (await self.send("CreateExecution", request)).id

    async def ended(self, id: Any) -> Any:
        """An execution, once it has ended."""
        async with asyncio.timeout(60):
            while True:
                found = await self.ask("GetExecution", id=id)
                if found.closure.phase in (4, 6, 7, 8):
                    return found
                await asyncio.sleep(0.01)


@asynccontextmanager
async def site(directory: Path, gives: Callable[[Launch], Report | None] = one, **options: Any) -> AsyncIterator[Site]:
    """Everything, served on a socket in ``directory``."""
    store, clock, ids, feed, executor = MemoryStore(), SystemClock(), RandomIds(), Feed(), Told(gives)

    def changed(run: Run, event: Event | Any) -> None:
        feed.tell(run.id)
        executions.note(run)

    plane = ControlPlane(store=store, executor=executor, clock=clock, ids=ids, owner="test", listen=None, watch=changed)
    registry = Registry(store=store, clock=clock)
    executions = Executions(registry=registry, store=store, plane=plane, clock=clock, ids=ids)

    async def fetch(literals: Any) -> Any:
        return literals

    def url() -> str:
        return "http://localhost"

    places = Uploads(directory / "uploads", url), feed, Downloads(directory, url)
    path = str(directory / "grpc")
    serving = GrpcServing(path, services(registry, executions, fetch, *places), Limits())
    await plane.start()
    await serving.start()
    limits = (("grpc.max_receive_message_length", 20 * 1024 * 1024), *options.pop("channel", ()))
    try:
        async with grpc.aio.insecure_channel(f"unix:{path}", options=limits) as channel:
            yield Site(channel, executor, path)
    finally:
        feed.close()
        await serving.stop(None)
        await executions.close()
        await plane.close()


# --- messages --------------------------------------------------------------------------------------------------------


def id_of(kind: str, name: str, version: str = V) -> Any:
    return identifier_pb2.Identifier(resource_type=KINDS[kind], project=P, domain=D, name=name, version=version)


def integer(value: int) -> Any:
    primitive = literals_pb2.Primitive(integer=value)
    return literals_pb2.Literal(scalar=literals_pb2.Scalar(primitive=primitive))


INTEGER = types_pb2.LiteralType(simple=types_pb2.INTEGER)
INTERFACE = interface_pb2.TypedInterface(
    inputs=interface_pb2.VariableMap(variables={"x": interface_pb2.Variable(type=INTEGER)}),
    outputs=interface_pb2.VariableMap(variables={"o0": interface_pb2.Variable(type=INTEGER)}),
)


async def register_task(site: Site, name: str, *, dynamic: bool = False) -> Any:
    """A task of an integer to an integer."""
    spec = task_pb2.TaskSpec()
    template = spec.template
    template.type = "python-task"
    template.interface.CopyFrom(INTERFACE)
    template.container.image = "an-image"
    template.container.args.append("pyflyte-execute")
    if dynamic:
        template.container.env.add(key="_F_SS_C", value="settings")
    spec.description.short_description = f"what {name} does"
    await site.ask("CreateTask", id=id_of("task", name), spec=spec)
    return id_of("task", name)


async def register_workflow(site: Site, name: str, target: Any) -> Any:
    """A workflow of one node, and its launch plan, whose id this is."""
    spec = workflow_pb2.WorkflowSpec()
    template = spec.template
    template.id.CopyFrom(id_of("workflow", name))
    template.interface.CopyFrom(INTERFACE)
    node = template.nodes.add(id="n0")
    node.inputs.add(var="x", binding=_promise("start-node", "x"))
    if target.resource_type == KINDS["task"]:
        node.task_node.reference_id.CopyFrom(target)
    else:
        node.workflow_node.launchplan_ref.CopyFrom(target)
    template.outputs.add(var="o0", binding=_promise("n0", "o0"))
    await site.ask("CreateWorkflow", id=id_of("workflow", name), spec=spec)
    plan = launch_plan_pb2.LaunchPlanSpec(workflow_id=id_of("workflow", name))
    plan.default_inputs.parameters["x"].var.type.CopyFrom(INTEGER)
    plan.default_inputs.parameters["x"].required = True
    plan.labels.values["of"] = "the plan"
    await site.ask("CreateLaunchPlan", id=id_of("plan", name), spec=plan)
    return id_of("plan", name)


def _promise(node: str, var: str) -> Any:
    return literals_pb2.BindingData(promise=types_pb2.OutputReference(node_id=node, var=var))


def nodes_of(template: Any) -> list[str]:
    """The ids of the nodes of a template, without those of its ends."""
    assert isinstance(template, core_pb2.WorkflowTemplate)
    return [node.id for node in template.nodes if node.id not in ("start-node", "end-node")]
