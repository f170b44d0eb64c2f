"""Which variable and which key of the file says which field."""

from __future__ import annotations

from typing import Any

from flytekit.configuration._files import Setting


def flag(said: Any) -> bool:
    return said.strip().lower() in {"1", "true", "yes", "on"} if isinstance(said, str) else bool(said)


def _address(said: Any) -> str:
    text = str(said)
    for scheme in ("dns:///", "http://", "https://"):
        text = text.removeprefix(scheme)
    return text


def _words(said: Any) -> list[str]:
    return said.split() if isinstance(said, str) else [str(word) for word in said]


PLATFORM = {
    "endpoint": Setting("FLYTE_PLATFORM_URL", "admin.endpoint", _address),
    "insecure": Setting("FLYTE_PLATFORM_INSECURE", "admin.insecure", flag),
    "insecure_skip_verify": Setting("FLYTE_PLATFORM_INSECURE_SKIP_VERIFY", "admin.insecureSkipVerify", flag),
    "ca_cert_file_path": Setting("FLYTE_PLATFORM_CA_CERT_FILE_PATH", "admin.caCertFilePath"),
    "console_endpoint": Setting("FLYTE_PLATFORM_CONSOLE_ENDPOINT", "console.endpoint"),
    "command": Setting("FLYTE_CREDENTIALS_COMMAND", "admin.command", _words),
    "proxy_command": Setting("FLYTE_CREDENTIALS_PROXY_COMMAND", "admin.proxyCommand", _words),
    "client_id": Setting("FLYTE_CREDENTIALS_CLIENT_ID", "admin.clientId"),
    "client_credentials_secret": Setting("FLYTE_CREDENTIALS_CLIENT_SECRET", ""),
    "secret_file": Setting("FLYTE_CREDENTIALS_CLIENT_CREDENTIALS_SECRET_LOCATION", "admin.clientSecretLocation"),
    "secret_variable": Setting("FLYTE_CREDENTIALS_CLIENT_CREDENTIALS_SECRET_ENV_VAR", "admin.clientSecretEnvVar"),
    "audience": Setting("FLYTE_CREDENTIALS_AUDIENCE", "admin.audience"),
    "scopes": Setting("FLYTE_CREDENTIALS_SCOPES", "admin.scopes", _words),
    "auth_mode": Setting("FLYTE_CREDENTIALS_AUTH_MODE", "admin.authType"),
    "http_proxy_url": Setting("FLYTE_PLATFORM_HTTP_PROXY_URL", "admin.httpProxyURL"),
}
