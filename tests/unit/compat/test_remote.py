"""``FlyteRemote`` before it has talked to anybody: what it keeps, whom it would ask, what it refuses by itself."""

from __future__ import annotations

import copy
import inspect
import pickle
from dataclasses import replace
from pathlib import Path

import pytest

import union.remote
from flytekit import dynamic, eager, map_task, task, workflow
from flytekit._adapt import NotInThisRelease, surface
from flytekit._remote.catalogue import kind_of
from flytekit._remote.configuring import client_config, found_config
from flytekit._remote.phases import execution_phase
from flytekit._remote.refusals import in_flytekits_words
from flytekit.configuration import AuthType, Config, PlatformConfig
from flytekit.core.launch_plan import LaunchPlan
from flytekit.exceptions.system import FlyteSystemUnavailableException
from flytekit.exceptions.user import FlyteEntityNotExistException, FlyteInvalidInputException
from flytekit.models.core.execution import NodeExecutionPhase, TaskExecutionPhase, WorkflowExecutionPhase
from flytekit.models.core.identifier import (
    Identifier,
    NodeExecutionIdentifier,
    ResourceType,
    SignalIdentifier,
    TaskExecutionIdentifier,
    WorkflowExecutionIdentifier,
)
from flytekit.remote import FlyteRemote
from whimbrel.errors import EntityNotFound, InputInvalid, ServerUnreachable
from whimbrel.model.registered import EntityKind
from whimbrel.model.run import Phase


@task
def one(x: int) -> int:
    return x


@workflow
def whole(x: int) -> int:
    return one(x=x)


@dynamic
def unfolding(x: int) -> int:
    return one(x=x)


@eager
async def going(x: int) -> int:
    return one(x=x)


@pytest.fixture(autouse=True)
def _nothing_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("FLYTECTL_CONFIG", "FLYTE_PLATFORM_URL", "FLYTE_DEFAULT_PROJECT", "FLYTE_DEFAULT_DOMAIN"):
        monkeypatch.delenv(name, raising=False)


def nobody() -> FlyteRemote:
    return FlyteRemote(Config.for_endpoint("localhost:1", insecure=True))


def test_it_keeps_what_it_was_told() -> None:
    remote = FlyteRemote(config=Config.for_sandbox(), default_project="flytesnacks", default_domain="development")
    assert remote.config.platform.endpoint == "localhost:30080"
    assert (remote.default_project, remote.default_domain) == ("flytesnacks", "development")
    assert union.remote.FlyteRemote is union.remote.UnionRemote is FlyteRemote
    assert (nobody().project, nobody().domain) == ("flytesnacks", "development")


def test_the_short_ways_to_make_one() -> None:
    assert FlyteRemote.for_sandbox(default_project="p").default_project == "p"
    assert FlyteRemote.for_endpoint("e:1", insecure=True).config.platform.endpoint == "e:1"
    assert FlyteRemote.auto("no-such-file.yaml", "p", "d").default_domain == "d"


def test_it_can_be_copied_and_travel_without_its_connections() -> None:
    remote = nobody()
    assert remote.whimbrel_remote is remote.whimbrel_remote
    for again in (pickle.loads(pickle.dumps(remote)), copy.deepcopy(remote)):
        assert again.config == remote.config
        assert "whimbrel_remote" not in vars(again)


@pytest.mark.parametrize("method", surface()["flytekit.remote"]["methods"])
def test_every_method_that_is_listed_is_there(method: str) -> None:
    assert inspect.getdoc(getattr(FlyteRemote, method))


@pytest.mark.parametrize(("method", "instead"), surface()["flytekit.remote"]["absent_methods"].items())
def test_methods_that_are_not_there_say_what_to_do_instead(method: str, instead: str) -> None:
    with pytest.raises(NotInThisRelease) as caught:
        getattr(FlyteRemote.for_sandbox(), method)
    assert str(caught.value) == f"FlyteRemote.{method} is not supported by whimbrel-flytekit. {instead}"


def test_a_method_that_flytekit_has_not_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'frobnicate'"):
        _ = FlyteRemote.for_sandbox().frobnicate


# --- whom it asks -----------------------------------------------------------------------------------------------------


def test_which_configuration_is_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert found_config() == Config.for_sandbox()
    (tmp_path / "named.yaml").write_text("admin: {endpoint: 'dns:///there:81'}")
    assert found_config(tmp_path / "named.yaml").platform.endpoint == "there:81"
    monkeypatch.setenv("FLYTE_PLATFORM_URL", "elsewhere:1")
    assert found_config().platform.endpoint == "elsewhere:1"
    monkeypatch.setenv("FLYTECTL_CONFIG", str(tmp_path / "not-there.yaml"))
    monkeypatch.delenv("FLYTE_PLATFORM_URL")
    assert found_config() == Config.for_sandbox()


def test_configurations_reach_the_client(monkeypatch: pytest.MonkeyPatch) -> None:
    platform = PlatformConfig(
        endpoint="there:81",
        auth_mode=AuthType.CLIENT_CREDENTIALS,
        client_id="me",
        client_credentials_secret="quiet",
        scopes=["all"],
        command=["token"],
        audience="them",
    )
    made = client_config(Config(platform), "p", None)
    assert (made.url, made.project, made.domain) == ("https://there:81", "p", "development")
    assert (made.auth_mode, made.client_id, made.secret) == ("ClientSecret", "me", "quiet")
    assert (made.scopes, made.command, made.audience) == (("all",), ("token",), "them")
    monkeypatch.setenv("FLYTE_DEFAULT_DOMAIN", "staging")
    assert client_config(Config(replace(platform, insecure=True)), None, None).url == "http://there:81"
    assert client_config(Config(platform), None, None).domain == "staging"


@pytest.mark.parametrize(
    ("platform", "url"),
    [
        (PlatformConfig("localhost:30080", insecure=True), "http://localhost:30080"),
        # flytekit's default says nothing of TLS; a server here has it only if something is said.
        (PlatformConfig("localhost:30080"), "http://localhost:30080"),
        (PlatformConfig("localhost:30080", ca_cert_file_path="ours.pem"), "https://localhost:30080"),
        (PlatformConfig("there:443"), "https://there:443"),
        (PlatformConfig("there:443", insecure=True), "http://there:443"),
    ],
)
def test_where_tls_is_spoken(platform: PlatformConfig, url: str) -> None:
    assert client_config(Config(platform), None, None).url == url


def test_nobody_there_is_told_in_both_words() -> None:
    with pytest.raises(FlyteSystemUnavailableException, match="there is no server at http://localhost:1") as caught:
        nobody().fetch_task(name="a.b")
    assert isinstance(caught.value, ServerUnreachable)


# --- what it refuses by itself ----------------------------------------------------------------------------------------


def test_what_cannot_be_asked_is_refused() -> None:
    remote = nobody()
    for wrong in (
        lambda: remote.fetch_task(),
        lambda: remote.fetch_execution(),
        lambda: remote.execute(one, {"x": 1}, execution_name="a", execution_name_prefix="b"),
        lambda: remote.execute(one, {"x": 1}, name="another"),
        lambda: remote.execute(42),
        lambda: remote.execute(one, {"y": 1}),
        lambda: remote.execute(one, {"x": "a text"}),
        lambda: remote.recent_executions(filters=["one"]),
        lambda: remote.get("s3://somewhere/else"),
        lambda: remote.get("flyte://v1/p/d"),
    ):
        with pytest.raises(FlyteInvalidInputException) as caught:
            wrong()
        assert isinstance(caught.value, InputInvalid)


def test_errors_keep_both_of_their_meanings() -> None:
    with pytest.raises(FlyteEntityNotExistException) as caught, in_flytekits_words():
        raise EntityNotFound("there is none")
    assert isinstance(caught.value, EntityNotFound)
    assert str(caught.value) == "there is none"
    with pytest.raises(FlyteEntityNotExistException) as again, in_flytekits_words():
        raise caught.value
    assert again.value is caught.value


# --- words ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entity", "kind"),
    [
        (one, EntityKind.TASK),
        (going, EntityKind.TASK),
        (unfolding, EntityKind.TASK),
        (whole, EntityKind.WORKFLOW),
        (map_task(one), EntityKind.WORKFLOW),
        (LaunchPlan.get_or_create(whole, name="a plan of it"), EntityKind.LAUNCH_PLAN),
    ],
)
def test_what_entities_are_to_a_registry(entity: object, kind: EntityKind) -> None:
    assert kind_of(entity) is kind


def test_every_phase_has_a_number() -> None:
    for phase in Phase:
        told = execution_phase(phase)
        node, attempt = NodeExecutionPhase.of(phase), TaskExecutionPhase.of(phase)
        if phase is not Phase.UNDEFINED:
            assert 0 not in (told, node, attempt)
        ended = (WorkflowExecutionPhase.SUCCEEDED, WorkflowExecutionPhase.FAILED)
        ended += (WorkflowExecutionPhase.ABORTED, WorkflowExecutionPhase.TIMED_OUT)
        assert (told in ended) == phase.terminal
    assert NodeExecutionPhase.enum_to_string(10) == "RECOVERED"
    assert TaskExecutionPhase.enum_to_string(99) == "UNKNOWN"


def test_ids_are_written_as_flyte_writes_them() -> None:
    plan = Identifier(ResourceType.LAUNCH_PLAN, "p", "d", "n", "v")
    assert str(plan) == "LAUNCH_PLAN:p:d:n:v"
    execution = WorkflowExecutionIdentifier("p", "d", "e")
    node = NodeExecutionIdentifier("n0", execution)
    assert str(TaskExecutionIdentifier(plan, node, 1)) == "ex:p:d:e:n0:1"
    assert SignalIdentifier("gate", execution).execution_id == execution


def test_urls_of_what_ids_are_of() -> None:
    remote = nobody()
    place = "http://localhost:1/console/projects/p/domains/d"
    assert remote.generate_console_url(Identifier(1, "p", "d", "a.b", "v1")) == f"{place}/task/a.b/version/v1"
    execution = WorkflowExecutionIdentifier("p", "d", "e")
    assert remote.generate_console_url(execution) == f"{place}/executions/e"
    elsewhere = FlyteRemote(Config(PlatformConfig("there:1", console_endpoint="https://console.example.com/")))
    assert elsewhere.generate_console_url(execution).startswith("https://console.example.com/console/projects/p/")
