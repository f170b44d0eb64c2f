"""Where the server is, and who asks: from flytectl's files, ``FLYTE_*`` and ``WHIMBREL_*`` variables, and defaults.

What is said later wins: a default, the file, ``FLYTE_*``, ``WHIMBREL_*``, an argument. The file is the one that is
named, else that of ``$WHIMBREL_CONFIG`` or ``$FLYTECTL_CONFIG``, else what flytectl or union left in ``~``.

Knows: the keys of these files. Must not know: how anything is sent.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from whimbrel.errors import InputInvalid

SANDBOX = "localhost:30080"
"""What ``whimbrel up`` and ``flytectl demo start`` listen on."""
PROJECT = "flytesnacks"
DOMAIN = "development"

_USUAL = ("~/.flyte/config.yaml", "~/.flyte/config", "~/.union/config.yaml")
_FILE_VARIABLES = ("WHIMBREL_CONFIG", "FLYTECTL_CONFIG")
_TRUE = {"true", "1", "yes", "on", "t", "y"}
_FALSE = {"false", "0", "no", "off", "f", "n", ""}


class Config(Struct, frozen=True, kw_only=True):
    """Where a server is, and what a client says of itself.

    ``endpoint`` is ``host:port`` or a URL. ``insecure``: plain HTTP; ``None`` means on this machine plain, elsewhere
    TLS. ``ca_file`` has the certificates that are trusted; ``skip_verify`` trusts any. ``auth_mode`` is one of
    flytectl's words (``Pkce``, ``ClientSecret``, ``DeviceFlow``, ``ExternalCommand``), "" for whatever the server asks
    for. ``client_secret_file`` and ``client_secret_variable`` say where the secret is when it is needed. ``source``
    names the file that was read, "" for none.
    """

    endpoint: str = SANDBOX
    insecure: bool | None = None
    project: str = PROJECT
    domain: str = DOMAIN
    ca_file: str = ""
    skip_verify: bool = False
    auth_mode: str = ""
    client_id: str = ""
    client_secret: str = ""
    client_secret_file: str = ""
    client_secret_variable: str = ""
    scopes: tuple[str, ...] = ()
    audience: str = ""
    command: tuple[str, ...] = ()
    proxy_command: tuple[str, ...] = ()
    http_proxy: str = ""
    token: str = ""
    source: str = ""

    def __repr__(self) -> str:
        # Never with a secret: configurations are printed and logged.
        return f"Config({self.url!r}, project={self.project!r}, domain={self.domain!r})"

    @property
    def url(self) -> str:
        """The address with its scheme, without a slash at its end."""
        scheme, said, rest = self.endpoint.partition("://")
        if said and scheme in ("http", "https"):
            return self.endpoint.rstrip("/")
        host = (rest if said else self.endpoint).strip("/")
        plain = _is_here(host) if self.insecure is None else self.insecure
        return f"{'http' if plain else 'https'}://{host}"

    @property
    def secret(self) -> str:
        """The client's secret, read from where the configuration says that it is; "" for none. Raises
        ``InputInvalid``."""
        if self.client_secret:
            return self.client_secret
        if self.client_secret_variable:
            found = os.environ.get(self.client_secret_variable, "")
            if not found:
                raise InputInvalid(
                    f"the client secret is to be in the variable {self.client_secret_variable}, which is not set. "
                    "Set it, or say clientSecretLocation."
                )
            return found.strip()
        if not self.client_secret_file:
            return ""
        try:
            return Path(self.client_secret_file).expanduser().read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise InputInvalid(
                f"the client secret cannot be read from {self.client_secret_file!r}: "
                f"{getattr(error, 'strerror', None) or error}. Mend clientSecretLocation."
            ) from None

    def at(self, *, project: str | None = None, domain: str | None = None) -> Config:
        """The same with another project or domain, where one is given."""
        return replace(self, project=project or self.project, domain=domain or self.domain)

    @classmethod
    def auto(cls, config_file: str | os.PathLike[str] | None = None) -> Config:
        """As the file and the environment say. Raises ``InputInvalid``: a file that is named but missing, or that says
        something else than it may."""
        path, named_by = _file(config_file)
        said = _read(path, named_by) if path is not None else {}
        fields: dict[str, Any] = {}
        for name, setting in _SETTINGS.items():
            for where, value in _sayings(setting, said, path):
                fields[name] = setting.read(where, value)
        return cls(**fields, source=str(path or ""))

    @classmethod
    def for_sandbox(cls) -> Config:
        """The server of this machine, on its usual port, whatever files and variables say."""
        return cls(endpoint=SANDBOX, insecure=True)

    @classmethod
    def for_endpoint(
        cls, endpoint: str, insecure: bool | None = None, *, config_file: str | os.PathLike[str] | None = None
    ) -> Config:
        """A server at an address; what else there is to say comes from the file and the environment."""
        base = cls.auto(config_file)
        return replace(base, endpoint=_endpoint("the endpoint", endpoint), insecure=insecure)


# --- how what is written is read ----------------------------------------------------------------------------------


def _text(where: str, said: Any) -> str:
    if not isinstance(said, str | int | float) or isinstance(said, bool):
        raise InputInvalid(f"{where}: a text is wanted, not {said!r}. Mend it.")
    return str(said)


def _endpoint(where: str, said: Any) -> str:
    text = _text(where, said).strip()
    # gRPC's way of naming a resolver: flytectl writes it.
    text = text.removeprefix("dns:///")
    scheme, colon, rest = text.partition("://")
    host = rest if colon else text
    if not host.strip("/") or " " in text or (colon and scheme not in ("http", "https")):
        raise InputInvalid(
            f"{where}: {text!r} is no address of a server. Write it like localhost:30080 or https://flyte.example.org."
        )
    return text


def _switch(where: str, said: Any) -> bool:
    if isinstance(said, bool):
        return said
    text = str(said).strip().lower()
    if text in _TRUE | _FALSE:
        return text in _TRUE
    raise InputInvalid(f"{where}: {said!r} is neither true nor false. Mend it.")


def _list(where: str, said: Any) -> tuple[str, ...]:
    if isinstance(said, str):
        return tuple(part.strip() for part in said.split(",") if part.strip())
    if isinstance(said, list):
        return tuple(_text(where, item) for item in said)
    raise InputInvalid(f"{where}: a list is wanted, not {said!r}. Mend it.")


class _Setting(NamedTuple):
    """Where a field is said: the keys of a file, and variables, the first to be overruled by the later ones."""

    keys: tuple[str, ...]
    variables: tuple[str, ...]
    read: Callable[[str, Any], Any] = _text


_SETTINGS = {
    "endpoint": _Setting(("admin.endpoint",), ("FLYTE_PLATFORM_URL", "WHIMBREL_URL"), _endpoint),
    "insecure": _Setting(("admin.insecure",), ("FLYTE_PLATFORM_INSECURE", "WHIMBREL_INSECURE"), _switch),
    "project": _Setting(("root.project", "project"), ("FLYTE_DEFAULT_PROJECT", "WHIMBREL_PROJECT")),
    "domain": _Setting(("root.domain", "domain"), ("FLYTE_DEFAULT_DOMAIN", "WHIMBREL_DOMAIN")),
    "ca_file": _Setting(("admin.caCertFilePath",), ("FLYTE_PLATFORM_CA_CERT_FILE_PATH", "WHIMBREL_CA_FILE")),
    "skip_verify": _Setting(("admin.insecureSkipVerify",), ("FLYTE_PLATFORM_INSECURE_SKIP_VERIFY",), _switch),
    "auth_mode": _Setting(
        ("admin.authType",), ("FLYTE_PLATFORM_AUTH_MODE", "FLYTE_CREDENTIALS_AUTH_MODE", "WHIMBREL_AUTH_MODE")
    ),
    "client_id": _Setting(("admin.clientId",), ("FLYTE_CREDENTIALS_CLIENT_ID", "WHIMBREL_CLIENT_ID")),
    "client_secret": _Setting(
        (), ("FLYTE_CREDENTIALS_CLIENT_CREDENTIALS_SECRET", "FLYTE_CREDENTIALS_CLIENT_SECRET", "WHIMBREL_CLIENT_SECRET")
    ),
    "client_secret_file": _Setting(("admin.clientSecretLocation",), ()),
    "client_secret_variable": _Setting(("admin.clientSecretEnvVar",), ()),
    "scopes": _Setting(
        ("admin.scopes",), ("FLYTE_PLATFORM_SCOPES", "FLYTE_CREDENTIALS_SCOPES", "WHIMBREL_SCOPES"), _list
    ),
    "audience": _Setting(("admin.audience",), ("FLYTE_PLATFORM_AUDIENCE",)),
    "command": _Setting(("admin.command",), ("FLYTE_PLATFORM_COMMAND", "FLYTE_CREDENTIALS_COMMAND"), _list),
    "proxy_command": _Setting(("admin.proxyCommand",), ("FLYTE_PLATFORM_PROXY_COMMAND",), _list),
    "http_proxy": _Setting(("admin.httpProxyURL",), ("FLYTE_PLATFORM_HTTP_PROXY_URL", "WHIMBREL_HTTP_PROXY")),
    "token": _Setting((), ("WHIMBREL_TOKEN",)),
}


def _sayings(setting: _Setting, said: Mapping[str, Any], path: Path | None) -> list[tuple[str, Any]]:
    found = [(f"{path}, {key}", value) for key in setting.keys if (value := _at(said, key)) is not None]
    found += [
        (f"the variable {name}", os.environ[name])
        for name in setting.variables
        if os.environ.get(name) not in (None, "")
    ]
    return found


def _at(said: Any, key: str) -> Any:
    for part in key.split("."):
        said = said.get(part) if isinstance(said, Mapping) else None
    return said


def _file(config_file: str | os.PathLike[str] | None) -> tuple[Path | None, str]:
    """Which file, and who names it: "" for one that was only looked for."""
    if config_file is not None:
        return Path(config_file).expanduser(), "it was given as the configuration file"
    for variable in _FILE_VARIABLES:
        if named := os.environ.get(variable):
            return Path(named).expanduser(), f"${variable} names it"
    found = (Path(name).expanduser() for name in _USUAL)
    return next((path for path in found if path.is_file()), None), ""


def _read(path: Path, named_by: str) -> Mapping[str, Any]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputInvalid(
            f"the configuration file {str(path)!r} cannot be read: {error.strerror or error}"
            + (f" ({named_by})" if named_by else "")
            + ". Name another, or none."
        ) from None
    yaml = _yaml(path)
    try:
        said = yaml.safe_load(data)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputInvalid(
            f"the configuration file {str(path)!r} is not YAML: {' '.join(str(error).split())}. Mend it, or name "
            "another."
        ) from None
    if said is None:
        return {}
    if not isinstance(said, Mapping) or not isinstance(said.get("admin") or {}, Mapping):
        raise InputInvalid(
            f"the configuration file {str(path)!r} is not one of flytectl's: it should have the key `admin`, and "
            "`endpoint` below it. Mend it, or name another."
        )
    return said


def _yaml(path: Path) -> Any:
    try:
        import yaml  # only for those who have a file
    except ModuleNotFoundError:
        raise InputInvalid(
            f"the configuration file {str(path)!r} needs PyYAML to be read: pip install 'whimbrel[client]'."
        ) from None
    return yaml


def _is_here(host: str) -> bool:
    name = host.rpartition("]")[0].lstrip("[") if host.startswith("[") else host.partition(":")[0]
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")
