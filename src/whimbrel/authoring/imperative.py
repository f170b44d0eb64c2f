"""``ImperativeWorkflow``: a workflow laid out by calls on an object instead of by a function's body."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from whimbrel.authoring.calling import current
from whimbrel.authoring.compiling import Compiled, conclude
from whimbrel.authoring.context import ExecutionContext
from whimbrel.authoring.failure_handler import failure_node, handle_failure
from whimbrel.authoring.local import LocalFlow, LocalNode, ValuePromise, resolve
from whimbrel.authoring.promise import Promise, misuse
from whimbrel.authoring.signature import EMPTY, InputSpec, Signature
from whimbrel.authoring.source import caller_line
from whimbrel.authoring.tracer import NodeHandle, NodePromise, Tracer
from whimbrel.authoring.workflow import Workflow
from whimbrel.errors import CallMismatch, CompileError
from whimbrel.model.program import Binding, SourceLine


class ImperativeWorkflow(Workflow[..., Any]):
    """A workflow made piece by piece: inputs, then entities, then outputs.

    ``name`` is its name as it stands. It can be called, compiled and run like any other workflow once it is ``ready``.
    """

    def __init__(self, name: str, **options: Any) -> None:
        def body(**_: Any) -> Any:
            raise NotImplementedError  # it has no body: its nodes are made from outside

        super().__init__(body, options)
        self._line = caller_line()
        self._name = name
        self.__name__ = name
        self._inputs: dict[str, InputSpec] = {}
        self._outputs: dict[str, tuple[Any, Any]] = {}
        self._kinds: dict[str, Any] = {}
        self._tracer = Tracer(name, self._kinds)
        self._calls: list[tuple[NodeHandle, Any, dict[str, Any]]] = []

    @property
    def line(self) -> SourceLine:
        """Where it was made."""
        return self._line

    def _read_signature(self) -> Signature:
        outputs = {name: kind for name, (_, kind) in self._outputs.items()}
        return Signature(self._name, self._inputs, None, line=self._line, named_outputs=outputs)

    # --- laying out --------------------------------------------------------------------------------------------------

    @property
    def inputs(self) -> dict[str, NodePromise]:
        """The promises of the inputs."""
        return {name: self._tracer.input(name) for name in self._inputs}

    def add_workflow_input(self, input_name: str, python_type: Any, default: Any = EMPTY) -> NodePromise:
        """Declare an input. Raises ``CallMismatch`` when there is one of this name."""
        if input_name in self._inputs:
            raise CallMismatch(f"{self._name} has an input {input_name!r} already.")
        self._changed()
        self._inputs[input_name] = InputSpec(python_type, default)
        transformer = self.read.inputs.get(input_name)
        self._kinds[input_name] = None if transformer is None else transformer.literal_type
        return self._tracer.input(input_name)

    def add_entity(self, entity: Any, /, **inputs: Any) -> NodeHandle:
        """Add a node. Its inputs are constants, promises of inputs, or outputs of other nodes."""
        self._changed()
        entity, _, inputs = entity.prepared((), inputs)
        handle = self._tracer.create_node(entity, (), inputs)
        self._calls.append((handle, entity, inputs))
        return handle

    add_task = add_entity
    add_subwf = add_entity
    add_launch_plan = add_entity

    def add_workflow_output(self, output_name: str, value: Any, python_type: Any = None) -> None:
        """Declare an output: a promise, or a list or dict of them. ``python_type`` is needed for the latter."""
        if output_name in self._outputs:
            raise CallMismatch(f"{self._name} has an output {output_name!r} already.")
        if python_type is None:
            if not isinstance(value, NodePromise):
                raise misuse(f"the output {output_name!r} has no type", "Give python_type=list[int], for example.")
            python_type = self._python_type(value)
        self._changed()
        self._outputs[output_name] = (value, python_type)

    def _python_type(self, promise: NodePromise) -> Any:
        entity = self._tracer.entity_of(promise._draft) if promise._draft is not None else None
        source = self.read.inputs if entity is None else entity.read.outputs
        if promise._path:
            raise misuse("an output is taken from inside a promise", "Give python_type=..., the type of that part.")
        return source[promise._var].python_type

    def add_on_failure_handler(self, entity: Any) -> None:
        """Let ``entity`` run when the workflow does not succeed: see ``workflow(on_failure=...)``."""
        self._changed()
        self.workflow_options["on_failure"] = entity

    def ready(self) -> bool:
        """Whether it can be compiled: every node's inputs are bound, nothing was wrong so far."""
        return bool(self._calls) and not self.compiled().problems

    def _changed(self) -> None:
        for cached in ("read", "signature", "_compiled", "_program"):
            self.__dict__.pop(cached, None)

    # --- compiling and running ---------------------------------------------------------------------------------------

    @cached_property
    def _compiled(self) -> Compiled:
        signature = self.read
        self._tracer.tell(signature.problems)
        outputs: dict[str, Binding] = {}
        for name, (value, _) in self._outputs.items():
            try:
                outputs[name] = self._tracer.binder.bind(value, signature.outputs[name])
            except CallMismatch as error:
                raise misuse(f"output {name!r} of {self._name}: {error}", "") from None
        handler, told = (None, "")
        if self.on_failure is not None:
            handler, told = failure_node(self._tracer, signature, self.on_failure)
        graph = self._tracer.builder.finish(
            signature._interface,
            outputs,
            failure_policy=self.failure_policy,
            metadata=self.metadata,
            line=self._line,
            failure_node=handler,
            failure_error=told,
        )
        return conclude(self._tracer, graph, complete=True)

    def run_blocking(self, inputs: dict[str, Any], execution: ExecutionContext) -> Any:
        """Run the nodes in the order in which they were added."""
        compiled = self.compiled()
        if compiled.problems:
            raise CompileError(compiled.problems)
        flow = LocalFlow(execution)
        done: dict[str, LocalNode] = {}

        def local(value: Any) -> Any:
            if isinstance(value, NodePromise):
                base: Promise
                base = (
                    ValuePromise(inputs[value._var])
                    if value._draft is None
                    else done[value._draft.id].outputs[value._var]
                )
                for step in value._path:
                    base = base[step]
                return base
            if isinstance(value, list):
                return [local(item) for item in value]
            if isinstance(value, dict):
                return {key: local(item) for key, item in value.items()}
            return value

        token = current.set(flow)
        try:
            for handle, entity, given in self._calls:
                done[handle.id] = flow.create_node(entity, (), {name: local(value) for name, value in given.items()})
            values = {name: resolve(local(value)) for name, (value, _) in self._outputs.items()}
        except BaseException as error:
            if self.on_failure is not None:
                handle_failure(self.on_failure, inputs, error, execution)
            raise
        finally:
            current.reset(token)
        result = self.signature.assemble(values)
        return self.signature.check_output(result)
