"""What is registered, by flytekit's classes: made by ``FlyteRemote``, given back to it.

Knows: whimbrel's entities of a server. Must not know: transports, executions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Generic, NoReturn, TypeVar

from msgspec import Struct

from flytekit._remote.identifiers import Identifier, ResourceType
from flytekit._types.literal_types import LiteralType
from flytekit._types.translating import literal_type
from whimbrel.client.executions import RemoteEntity
from whimbrel.errors import CallMismatch
from whimbrel.model.interface import Interface
from whimbrel.model.registered import EntityKind


class Variable(Struct, frozen=True):
    """An input or output: its type, and what is said of it."""

    type: LiteralType
    description: str = ""


class TypedInterface(Struct, frozen=True):
    """What goes in and what comes out, by name."""

    inputs: dict[str, Variable]
    outputs: dict[str, Variable]

    @classmethod
    def of(cls, interface: Interface) -> TypedInterface:
        """flytekit's form of one."""
        inputs = {name: Variable(literal_type(each.type), each.description) for name, each in interface.inputs.items()}
        outputs = {
            name: Variable(literal_type(each.type), each.description) for name, each in interface.outputs.items()
        }
        return cls(inputs, outputs)


class RegisteredEntity:
    """What the three have in common."""

    resource_type: ClassVar[ResourceType] = ResourceType.UNSPECIFIED
    should_register = False

    def __init__(self, entity: RemoteEntity) -> None:
        self._entity = entity

    @property
    def remote_entity(self) -> RemoteEntity:
        """As whimbrel's client has it."""
        return self._entity

    @property
    def id(self) -> Identifier:
        """Its full id."""
        found = self._entity
        return Identifier(self.resource_type, found.project, found.domain, found.name, found.version)

    @property
    def name(self) -> str:
        """Its name."""
        return self._entity.name

    @property
    def entity_type_text(self) -> str:
        """What it is, for people."""
        return self.resource_type.name.replace("_", " ").title()

    @property
    def interface(self) -> TypedInterface:
        """What it takes when it is launched, and what it gives."""
        return TypedInterface.of(self._entity.interface)

    def __call__(self, *_: Any, **__: Any) -> NoReturn:
        """What was fetched is launched, not called. Raises ``CallMismatch``, which says how it is called by name."""
        id, noun = self.id, self.resource_type.name.lower()
        said = f"project={id.project!r}, domain={id.domain!r}, name={id.name!r}, version={id.version!r}"
        raise CallMismatch(
            f"the fetched {noun.replace('_', ' ')} {id.name} cannot be called in a workflow. Declare a reference: "
            f"@reference_{noun}({said}); or launch it: remote.execute(it, inputs)."
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.id})"


class FlyteTask(RegisteredEntity):
    """A registered task."""

    resource_type = ResourceType.TASK


class FlyteWorkflow(RegisteredEntity):
    """A registered workflow."""

    resource_type = ResourceType.WORKFLOW

    @property
    def flyte_nodes(self) -> dict[str, Any]:
        """Its nodes by id, as whimbrel's program has them."""
        return {node.id: node for node in self._entity.program.workflows[self.name].nodes}


class FlyteLaunchPlan(RegisteredEntity):
    """A registered launch plan."""

    resource_type = ResourceType.LAUNCH_PLAN

    @property
    def state(self) -> str:
        """``ACTIVE`` or ``INACTIVE``, as it was when it was fetched."""
        return self._entity.state

    @property
    def workflow_id(self) -> Identifier:
        """The workflow that it launches."""
        plan = self._entity.program.launch_plans[self.name]
        found = self._entity
        return Identifier(ResourceType.WORKFLOW, found.project, found.domain, plan.workflow, found.version)

    @property
    def is_scheduled(self) -> bool:
        """Whether a schedule launches it while it is active."""
        return self._entity.program.launch_plans[self.name].schedule is not None


CLASSES: dict[EntityKind, type[RegisteredEntity]] = {
    EntityKind.TASK: FlyteTask,
    EntityKind.WORKFLOW: FlyteWorkflow,
    EntityKind.LAUNCH_PLAN: FlyteLaunchPlan,
}

E = TypeVar("E", bound=RegisteredEntity)


class LazyEntity(Generic[E]):
    """An entity that is fetched when something of it is first asked for."""

    def __init__(self, name: str, getter: Callable[[], E]) -> None:
        self._name = name
        self._getter = getter
        self._entity: E | None = None

    @property
    def name(self) -> str:
        """Its name, which needs no server."""
        return self._name

    @property
    def entity(self) -> E:
        """The entity itself. Raises as the fetch does."""
        if self._entity is None:
            self._entity = self._getter()
        return self._entity

    def entity_fetched(self) -> bool:
        """Whether it has been fetched."""
        return self._entity is not None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.entity, name)
