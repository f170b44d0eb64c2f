"""Tasks as ``flyteidl.admin.TaskSpec``: the template with its container, and the description."""

from __future__ import annotations

from typing import Any

from flyteidl.admin import description_entity_pb2, task_pb2
from flyteidl.core import security_pb2, tasks_pb2
from google.protobuf.duration_pb2 import Duration

from whimbrel.model.declared import DocDeclaration, TaskDeclaration
from whimbrel.model.interface import Interface
from whimbrel.model.program import ArrayTarget, Command, Metadata, Resources, TaskKind, TaskSpec
from whimbrel.model.secrets import SecretMount, SecretRequest
from whimbrel.wire.flyte.ids import TASK, Registration
from whimbrel.wire.flyte.interface import encode_interface
from whimbrel.wire.flyte.structs import set_struct
from whimbrel.wire.flyte.types import FieldDefaults

MAP_RESOLVER = "flytekit.core.array_node_map_task.ArrayNodeMapTaskResolver"
_NAMES = tasks_pb2.Resources
_MOUNTS = {
    SecretMount.ANY: security_pb2.Secret.ANY,
    SecretMount.ENV_VAR: security_pb2.Secret.ENV_VAR,
    SecretMount.FILE: security_pb2.Secret.FILE,
}
_DATA = (
    *("--inputs", "{{.input}}"),
    *("--output-prefix", "{{.outputPrefix}}"),
    *("--raw-output-data-prefix", "{{.rawOutputDataPrefix}}"),
    *("--checkpoint-path", "{{.checkpointOutputPrefix}}"),
    *("--prev-checkpoint", "{{.prevCheckpointPrefix}}"),
)
"""What a container is told of its data; a back end fills the templates."""


def encode_task(
    spec: TaskSpec, declared: TaskDeclaration, registration: Registration, defaults: FieldDefaults | None = None
) -> Any:
    """A ``TaskSpec`` message."""
    message = task_pb2.TaskSpec()
    template = message.template
    _template(template, spec.name, spec, declared, registration)
    template.interface.CopyFrom(encode_interface(spec.interface, defaults))
    calls = isinstance(spec.command, Command) and spec.command.eager
    template.metadata.is_eager = calls or spec.kind is TaskKind.EAGER
    _container(template, spec, declared, registration, ("pyflyte-execute", *_DATA, *_loading(spec, registration)))
    describe(message.description, spec.doc)
    return message


def encode_map_task(
    name: str,
    target: ArrayTarget,
    interface: Interface,
    spec: TaskSpec,
    declared: TaskDeclaration,
    registration: Registration,
    defaults: FieldDefaults | None = None,
) -> Any:
    """The ``TaskSpec`` message of a map over a task, which has a template of its own: ``interface`` is the map's."""
    message = task_pb2.TaskSpec()
    template = message.template
    _template(template, name, spec, declared, registration)
    template.task_type_version = 1
    template.interface.CopyFrom(encode_interface(interface, defaults))
    bound = ",".join(bound_inputs(target, interface))
    _, resolver, _, *loader = _loading(spec, registration)
    resolving = ("--resolver", MAP_RESOLVER, "--", "vars", bound, "resolver", resolver, *loader)
    _container(template, spec, declared, registration, ("pyflyte-map-execute", *_DATA, *resolving))
    return message


def bound_inputs(target: ArrayTarget, interface: Interface) -> list[str]:
    """The inputs of a map that are the same for every item, by name."""
    return sorted(name for name in interface.inputs if name not in target.mapped)


def describe(message: Any, doc: str) -> None:
    """The description of an entity: the first paragraph, and the rest."""
    short, _, long = doc.strip().partition("\n\n")
    message.short_description = short.replace("\n", " ")
    if long.strip():
        message.long_description.value = long.strip("\n")
    message.long_description.format = description_entity_pb2.DESCRIPTION_FORMAT_RST


def describe_as(message: Any, docs: DocDeclaration) -> None:
    """The description of an entity that has one beside its docstring."""
    message.Clear()
    message.short_description = docs.short
    if docs.long is not None:
        message.long_description.format = docs.format
        message.long_description.icon_link = docs.icon
        if docs.uri:
            message.long_description.uri = docs.uri
        else:
            message.long_description.value = docs.long
    if docs.source:
        message.source_code.link = docs.source


def duration(seconds: float) -> Any:
    """A ``Duration`` message."""
    whole = int(seconds // 1)
    return Duration(seconds=whole, nanos=round((seconds - whole) * 1e6) * 1000)


def encode_resources(message: Any, requests: Resources | None, limits: Resources | None) -> None:
    """Requests and limits, in flytekit's order of kinds."""
    message.SetInParent()
    for said, into in ((requests, message.requests), (limits, message.limits)):
        if said is None:
            continue
        kinds = (_NAMES.EPHEMERAL_STORAGE, said.storage), (_NAMES.CPU, said.cpu), (_NAMES.GPU, said.gpu)
        for kind, value in (*kinds, (_NAMES.MEMORY, said.mem)):
            if value:
                into.add(name=kind, value=value)


def _template(template: Any, name: str, spec: TaskSpec, declared: TaskDeclaration, registration: Registration) -> None:
    template.id.CopyFrom(registration.identifier(TASK, name))
    template.type = declared.type
    template.task_type_version = declared.type_version
    _metadata(template.metadata, spec, declared, registration)
    if declared.custom:
        set_struct(template.custom, declared.custom)
    template.config.update(declared.config)
    _extended(template, declared)
    if spec.secrets:
        template.security_context.secrets.extend(_secret(request) for request in spec.secrets)


def _metadata(message: Any, spec: TaskSpec, declared: TaskDeclaration, registration: Registration) -> None:
    said: Metadata = spec.metadata
    message.runtime.type = tasks_pb2.RuntimeMetadata.FLYTE_SDK
    message.runtime.flavor = "python"
    message.runtime.version = registration.sdk_version
    message.retries.retries = said.retries or 0
    message.retries.SetInParent()
    if said.timeout is not None:
        message.timeout.CopyFrom(duration(said.timeout))
    if said.interruptible is not None:
        message.interruptible = said.interruptible
    if said.cache is not None:
        message.discoverable = True
        message.discovery_version = said.cache.version
        message.cache_serializable = said.cache.serialize
        message.cache_ignore_input_vars.extend(said.cache.ignored)
    message.deprecated_error_message = declared.deprecated
    message.pod_template_name = declared.pod_template_name
    message.generates_deck.value = spec.deck or spec.kind is TaskKind.EAGER
    message.metadata.SetInParent()


def _extended(template: Any, declared: TaskDeclaration) -> None:
    if declared.accelerator is not None:
        asked = template.extended_resources.gpu_accelerator
        asked.device = declared.accelerator.device
        if declared.accelerator.partition:
            asked.partition_size = declared.accelerator.partition
        elif declared.accelerator.partition is not None:
            asked.unpartitioned = True
    if declared.shared_memory is not None:
        memory = template.extended_resources.shared_memory
        # Where Kubernetes mounts it, and what flytekit calls it.
        memory.mount_path, memory.mount_name = "/dev/shm", "flyte-shared-memory"
        memory.size_limit = declared.shared_memory


def _secret(request: SecretRequest) -> Any:
    return security_pb2.Secret(
        group=request.group,
        key=request.key,
        group_version=request.version,
        mount_requirement=_MOUNTS[request.mount],
        env_var=request.env_var,
    )


def _container(
    template: Any, spec: TaskSpec, declared: TaskDeclaration, registration: Registration, args: tuple[str, ...]
) -> None:
    container = template.container
    own = declared.container
    if own is None:
        container.image = registration.image_of(spec.metadata.image)
        container.args.extend(args)
    else:
        container.image = registration.image_of(own.image)
        container.command.extend(own.command)
        container.args.extend(own.args)
        container.data_config.enabled = True
        container.data_config.input_path = own.input_path
        container.data_config.output_path = own.output_path
    encode_resources(container.resources, declared.requests, declared.limits)
    for key, value in spec.metadata.environment.items():
        container.env.add(key=key, value=value)


def _loading(spec: TaskSpec, registration: Registration) -> tuple[str, ...]:
    """How the entry point finds the function."""
    where = spec.code
    return ("--resolver", registration.resolver, "--", "task-module", where.module, "task-name", where.name)
