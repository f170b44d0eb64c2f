"""Secrets in a file of a home, encrypted: AES-256-GCM, each value with a nonce of its own, bound to its name.

The key is in ``WHIMBREL_SECRETS_KEY`` (32 bytes, base64), else in a file beside the store that only its owner can read
and that is made with the first secret. Whoever has the key file has the secrets; keep the key elsewhere where the home
is copied or backed up.

Knows: files, one library for encryption (an extra, imported when something is there to decrypt). Must not know: who may
read a secret.
"""

from __future__ import annotations

import base64
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from whimbrel.errors import EntityNotFound, StoreError, UserError
from whimbrel.model.secrets import KEY_VARIABLE
from whimbrel.stores.flushing import flush_directory

FILE = "secrets.json"
KEY_FILE = "secrets.key"
_KEY_BYTES = 32
_NONCE_BYTES = 12


class SecretRow(msgspec.Struct, frozen=True):
    """A secret in the file: its name in the clear, its value encrypted."""

    group: str
    key: str
    version: str
    nonce: bytes
    value: bytes
    at: float


class SecretName(msgspec.Struct, frozen=True, order=True):
    """What may be shown of a secret, and when it was set, in seconds since the epoch."""

    group: str
    key: str
    version: str
    at: float


_rows = msgspec.json.Decoder(list[SecretRow])


class SecretStore:
    """The secrets of the home at ``path``. Names are equal in any case. Blocking; every process may use it."""

    def __init__(self, path: Path) -> None:
        self._file = path / FILE
        self._key_file = path / KEY_FILE

    def find(self, group: str, key: str, version: str) -> bytes | None:
        """The secret; ``None`` when there is none. Raises ``UserError`` without a key or the library, ``StoreError``
        when it cannot be decrypted."""
        for row in self._read():
            if _name(row) == _folded(group, key, version):
                return self._decrypted(row)
        return None

    def keys(self, group: str) -> list[str]:
        """The keys of ``group``."""
        return [row.key for row in self._read() if row.group.lower() == group.lower() and row.key]

    def names(self) -> list[SecretName]:
        """All secrets by name, without their values."""
        return sorted(SecretName(row.group, row.key, row.version, row.at) for row in self._read())

    def put(self, group: str, key: str, version: str, value: bytes, at: float) -> None:
        """Keep a secret in the place of an earlier one. Raises as ``find`` does."""
        with self._locked():
            nonce = os.urandom(_NONCE_BYTES)
            sealed = _cipher(self._key(make=True)).encrypt(nonce, value, _bound(group, key, version))
            rest = [row for row in self._read() if _name(row) != _folded(group, key, version)]
            self._write([*rest, SecretRow(group, key, version, nonce, sealed, at)])

    def delete(self, group: str, key: str, version: str) -> None:
        """Forget a secret. Raises ``EntityNotFound``."""
        with self._locked():
            rows = self._read()
            rest = [row for row in rows if _name(row) != _folded(group, key, version)]
            if len(rest) == len(rows):
                raise EntityNotFound("there is no such secret in this home: `whimbrel secrets list` shows them")
            self._write(rest)

    # --- inside

    def _decrypted(self, row: SecretRow) -> bytes:
        cipher = _cipher(self._key(make=False))
        try:
            value: bytes = cipher.decrypt(row.nonce, row.value, _bound(row.group, row.key, row.version))
        except Exception as error:
            raise StoreError(
                f"a secret in {self._file} cannot be decrypted: it was set with another key, or changed. "
                "Set it again, or give the key that it was set with."
            ) from error
        return value

    def _key(self, *, make: bool) -> bytes:
        said = os.environ.get(KEY_VARIABLE)
        where = KEY_VARIABLE
        if not said:
            where = str(self._key_file)
            try:
                said = self._key_file.read_text(encoding="ascii").strip()
            except FileNotFoundError:
                if not make:
                    raise UserError(
                        f"the secrets of {self._file.parent} need their key: set {KEY_VARIABLE}, or put {where} back."
                    ) from None
                said = base64.b64encode(os.urandom(_KEY_BYTES)).decode()
                with open(os.open(self._key_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                    file.write(said + "\n")
                    file.flush()
                    os.fsync(file.fileno())
                flush_directory(self._key_file.parent)
        try:
            key = base64.b64decode(said, validate=True)
        except ValueError:
            key = b""
        if len(key) != _KEY_BYTES:
            raise UserError(f"{where} does not hold a key: 32 bytes, written in base64.")
        return key

    def _read(self) -> list[SecretRow]:
        try:
            data = self._file.read_bytes()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise StoreError(f"{self._file}: {error.strerror}") from error
        try:
            return _rows.decode(data)
        except msgspec.DecodeError as error:
            raise StoreError(f"{self._file} is damaged ({error}): remove it and set its secrets again") from error

    def _write(self, rows: list[SecretRow]) -> None:
        draft = self._file.with_suffix(".new")
        try:
            with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(msgspec.json.format(msgspec.json.encode(rows)))
                file.flush()
                os.fsync(file.fileno())
            os.replace(draft, self._file)
            flush_directory(self._file.parent)
        except OSError as error:
            raise StoreError(f"{self._file}: {error.strerror}") from error

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One writer at a time, beside whoever owns the home."""
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._file.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StoreError(f"{self._file.parent}: {error.strerror}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _folded(group: str, key: str, version: str) -> tuple[str, str, str]:
    return group.lower(), key.lower(), version.lower()


def _name(row: SecretRow) -> tuple[str, str, str]:
    return _folded(row.group, row.key, row.version)


def _bound(group: str, key: str, version: str) -> bytes:
    """What the value is bound to: moved under another name it cannot be decrypted."""
    return f"{group}\0{key}\0{version}".encode()


def _cipher(key: bytes) -> Any:
    try:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    except ImportError:
        raise UserError(
            "the encrypted store of secrets needs a library: pip install 'whimbrel[secrets]'. "
            "Secrets in variables and files do not."
        ) from None
    return AESGCM(key)
