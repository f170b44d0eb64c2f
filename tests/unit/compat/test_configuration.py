"""Configuration as data: flytectl's files, ``FLYTE_*`` variables, the sandbox."""

import dataclasses
from pathlib import Path

import pytest

from flytekit.configuration import (
    AuthType,
    Config,
    FastSerializationSettings,
    Image,
    ImageConfig,
    LocalConfig,
    PlatformConfig,
    S3Config,
    SerializationSettings,
    TaskConfig,
)
from whimbrel.errors import InputInvalid

FILE = """
admin:
  endpoint: dns:///flyte.example.com:81
  authType: clientSecret
  insecure: true
  clientId: me
  scopes: [all, offline]
  command: ["token", "print"]
console:
  endpoint: https://console.example.com
storage:
  connection:
    endpoint: http://localhost:30002
    access-key: minio
    secret-key: miniostorage
logger:
  level: 0
"""


@pytest.fixture(autouse=True)
def _nothing_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("FLYTECTL_CONFIG", "FLYTE_PLATFORM_URL", "FLYTE_PLATFORM_INSECURE", "FLYTE_AWS_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)


def test_a_file_that_is_there_is_read(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(FILE)
    config = Config.auto(config_file="config.yaml")
    assert config.platform.endpoint == "flyte.example.com:81"
    assert config.platform.auth_mode is AuthType.CLIENTSECRET
    assert config.platform.insecure is True
    assert config.platform.client_id == "me"
    assert config.platform.scopes == ["all", "offline"]
    assert config.platform.command == ["token", "print"]
    assert config.platform.console_endpoint == "https://console.example.com"
    assert config.data_config.s3.endpoint == "http://localhost:30002"
    assert config.data_config.s3.secret_access_key == "miniostorage"


def test_a_file_that_is_missing_says_nothing() -> None:
    assert Config.auto(config_file="config.yaml") == Config()
    assert Config.auto() == Config()


@pytest.mark.parametrize("place", [".flyte/config.yaml", ".flyte/config", ".union/config.yaml"])
def test_the_usual_places_are_looked_at(tmp_path: Path, place: str) -> None:
    (tmp_path / place).parent.mkdir()
    (tmp_path / place).write_text("admin: {endpoint: 'here:1'}")
    assert PlatformConfig.auto().endpoint == "here:1"


def test_the_environment_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "named.yaml").write_text(FILE)
    monkeypatch.setenv("FLYTECTL_CONFIG", str(tmp_path / "named.yaml"))
    assert PlatformConfig.auto().endpoint == "flyte.example.com:81"
    monkeypatch.setenv("FLYTE_PLATFORM_URL", "https://elsewhere:443")
    monkeypatch.setenv("FLYTE_PLATFORM_INSECURE", "false")
    monkeypatch.setenv("FLYTE_AWS_ENDPOINT", "http://s3")
    config = Config.auto()
    assert config.platform.endpoint == "elsewhere:443"
    assert config.platform.insecure is False
    assert config.data_config.s3.endpoint == "http://s3"
    assert config.data_config.s3.access_key_id == "minio"


@pytest.mark.parametrize("text", ["admin: [unclosed", "- a\n- list\n"])
def test_a_file_that_makes_no_sense_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.yaml").write_text(text)
    with pytest.raises(InputInvalid, match=r"config\.yaml"):
        Config.auto("config.yaml")


def test_an_empty_file_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("")
    assert Config.auto("config.yaml") == Config()


def test_the_sandbox_and_endpoints() -> None:
    sandbox = Config.for_sandbox()
    assert (sandbox.platform.endpoint, sandbox.platform.insecure) == ("localhost:30080", True)
    assert sandbox.data_config.s3.access_key_id == "minio"
    there = Config.for_endpoint("example.com", insecure=True)
    assert (there.platform.endpoint, there.platform.insecure) == ("example.com", True)
    changed = there.with_params(platform=PlatformConfig.for_endpoint("other"))
    assert changed.platform == PlatformConfig(endpoint="other")
    assert changed.data_config == there.data_config


def test_they_are_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Config().platform.endpoint = "elsewhere"  # type: ignore[misc]
    assert dataclasses.replace(S3Config(), retries=1).retries == 1


def test_images() -> None:
    config = ImageConfig.from_images("registry:5000/team/app:v1", {"gpu": "registry/gpu@sha256:abc", "bare": "app"})
    assert config.default_image == Image("default", "registry:5000/team/app", "v1")
    assert config.find_image("gpu") == Image("gpu", "registry/gpu", None, "sha256:abc")
    assert [image.full for image in config.images] == [
        "registry:5000/team/app:v1",
        "registry/gpu@sha256:abc",
        "app:latest",
    ]
    assert config.find_image("none") is None
    assert SerializationSettings(image_config=config, version="v").version == "v"


def test_every_class_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    said = {
        "FLYTE_AZURE_STORAGE_ACCOUNT_NAME": "account",
        "FLYTE_GCP_GSUTIL_PARALLELISM": "true",
        "FLYTE_PERSISTENCE_ATTACH_EXECUTION_METADATA": "false",
        "FLYTE_SECRETS_DEFAULT_DIR": "/secrets",
        "FLYTE_LOCAL_CACHE_ENABLED": "no",
        "FLYTE_AWS_ADDRESSING_STYLE": "path",
        "FLYTE_AWS_BACKOFF_SECONDS": "8",
        "FLYTE_CREDENTIALS_AUDIENCE": "api",
        "FLYTE_DEFAULT_PROJECT": "whales",
    }
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    config = Config.auto()
    assert config.data_config.azure.account_name == "account"
    assert config.data_config.gcs.gsutil_parallelism is True
    assert config.data_config.generic.attach_execution_metadata is False
    assert config.data_config.s3.adressing_style == "path"
    assert config.data_config.s3.backoff.total_seconds() == 8
    assert config.secrets.default_dir == "/secrets"
    assert config.platform.audience == "api"
    assert LocalConfig.auto().cache_enabled is False
    assert TaskConfig.auto() == TaskConfig(project="whales")
    (tmp_path / "config.yaml").write_text("task: {domain: production}\nimages: {gpu: 'registry/gpu:v2'}\n")
    assert TaskConfig.auto("config.yaml").domain == "production"
    assert ImageConfig.auto("config.yaml", img_name="app:v1").find_image("gpu") == Image("gpu", "registry/gpu", "v2")


def test_a_client_secret_comes_from_a_file_or_a_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from a file\n")
    (tmp_path / "config.yaml").write_text("admin: {clientSecretLocation: secret}\n")
    assert PlatformConfig.auto("config.yaml").client_credentials_secret == "from a file"
    (tmp_path / "config.yaml").write_text("admin: {clientSecretEnvVar: MY_SECRET}\n")
    monkeypatch.setenv("MY_SECRET", "from a variable")
    assert PlatformConfig.auto("config.yaml").client_credentials_secret == "from a variable"


def test_settings_of_registering() -> None:
    settings = SerializationSettings.for_image("registry/app:v1", "v7", "p", "d")
    assert settings.image_config == ImageConfig(Image("default", "registry/app", "v1"))
    assert (settings.version, settings.should_fast_serialize()) == ("v7", False)
    fast = FastSerializationSettings(enabled=True, destination_dir="/root")
    assert SerializationSettings(fast_serialization_settings=fast).should_fast_serialize()
