"""Which variable and which key of the file says which field: of blobs, secrets and local runs."""

from __future__ import annotations

import datetime as dt

from flytekit.configuration._files import Setting
from flytekit.configuration._tables import flag

STORAGE = {
    "enable_debug": Setting("FLYTE_AWS_ENABLE_DEBUG", "", flag),
    "endpoint": Setting("FLYTE_AWS_ENDPOINT", "storage.connection.endpoint"),
    "retries": Setting("FLYTE_AWS_RETRIES", "", int),
    "backoff": Setting("FLYTE_AWS_BACKOFF_SECONDS", "", lambda said: dt.timedelta(seconds=float(said))),
    "access_key_id": Setting("FLYTE_AWS_ACCESS_KEY_ID", "storage.connection.access-key"),
    "secret_access_key": Setting("FLYTE_AWS_SECRET_ACCESS_KEY", "storage.connection.secret-key"),
    "adressing_style": Setting("FLYTE_AWS_ADDRESSING_STYLE", "storage.connection.addressing-style"),
}
GCS = {"gsutil_parallelism": Setting("FLYTE_GCP_GSUTIL_PARALLELISM", "", flag)}
AZURE = {
    "account_name": Setting("FLYTE_AZURE_STORAGE_ACCOUNT_NAME", ""),
    "account_key": Setting("FLYTE_AZURE_STORAGE_ACCOUNT_KEY", ""),
    "tenant_id": Setting("FLYTE_AZURE_TENANT_ID", ""),
    "client_id": Setting("FLYTE_AZURE_CLIENT_ID", ""),
    "client_secret": Setting("FLYTE_AZURE_CLIENT_SECRET", ""),
}
PERSISTENCE = {
    "attach_execution_metadata": Setting("FLYTE_PERSISTENCE_ATTACH_EXECUTION_METADATA", "", flag),
}
SECRETS = {
    "env_prefix": Setting("FLYTE_SECRETS_ENV_PREFIX", "secrets.env_prefix"),
    "default_dir": Setting("FLYTE_SECRETS_DEFAULT_DIR", "secrets.default_dir"),
    "file_prefix": Setting("FLYTE_SECRETS_FILE_PREFIX", "secrets.file_prefix"),
}
STATS: dict[str, Setting] = {}
LOCAL = {
    "cache_enabled": Setting("FLYTE_LOCAL_CACHE_ENABLED", "", flag),
    "cache_overwrite": Setting("FLYTE_LOCAL_CACHE_OVERWRITE", "", flag),
}
TASK = {
    "project": Setting("FLYTE_DEFAULT_PROJECT", "task.project"),
    "domain": Setting("FLYTE_DEFAULT_DOMAIN", "task.domain"),
    "org": Setting("FLYTE_DEFAULT_ORG", "task.org"),
}
IMAGES = {"images": Setting("", "images", dict)}
