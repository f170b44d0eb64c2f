"""What a decorator of a workflow can see of the compilation that it takes part in, under flytekit's names.

``FlyteContextManager.current_context().compilation_state`` is ``None`` unless a workflow is being compiled; then
``.nodes`` lists its nodes so far, a live view. In a decorator it lists the nodes of that decorator and of what it
wraps: so the documented set-up/tear-down pattern stays right when decorators are stacked. In the body it lists them
all.
"""

from __future__ import annotations

from whimbrel.authoring.calling import current
from whimbrel.authoring.context import ExecutionContext
from whimbrel.authoring.tracer import NodesView, Tracer


class CompilationState:
    """A compilation that is under way."""

    def __init__(self, tracer: Tracer, nodes: NodesView) -> None:
        self._tracer = tracer
        self._nodes = nodes

    @property
    def nodes(self) -> NodesView:
        """The nodes so far, in order of creation."""
        return self._nodes


class FlyteContext:
    """The state of affairs where it was asked for."""

    def __init__(self) -> None:
        caller = current.get()
        self._state: CompilationState | None = None
        if isinstance(caller, Tracer):
            self._state = CompilationState(caller, NodesView(caller, caller.layer_start()))
        self._user_space = caller.execution

    @property
    def compilation_state(self) -> CompilationState | None:
        """The compilation that is under way, if any."""
        return self._state

    @property
    def user_space_params(self) -> ExecutionContext:
        """What ``current_context()`` gives."""
        return self._user_space


class FlyteContextManager:
    """Gives the present context."""

    @staticmethod
    def current_context() -> FlyteContext:
        """The present context."""
        return FlyteContext()
