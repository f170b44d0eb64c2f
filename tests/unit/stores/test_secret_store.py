"""The encrypted store of secrets."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from whimbrel.errors import EntityNotFound, StoreError, UserError
from whimbrel.stores.secrets import FILE, KEY_FILE, SecretStore

VALUE = b"hunter2-and-more"


def kept(home: Path) -> SecretStore:
    store = SecretStore(home)
    store.put("db", "password", "", VALUE, 5.0)
    return store


def test_what_is_kept_is_found_by_another_process(tmp_path: Path) -> None:
    kept(tmp_path).put("db", "user", "v1", b"\x00\xff", 6.0)
    store = SecretStore(tmp_path)
    assert store.find("db", "password", "") == VALUE
    assert store.find("DB", "Password", "") == VALUE
    assert store.find("db", "user", "v1") == b"\x00\xff"
    assert store.find("db", "user", "") is None
    assert store.keys("db") == ["password", "user"]
    assert [(name.group, name.key, name.version, name.at) for name in store.names()] == [
        ("db", "password", "", 5.0),
        ("db", "user", "v1", 6.0),
    ]


def test_nothing_of_it_is_on_the_disk_in_the_clear_and_only_the_owner_reads_it(tmp_path: Path) -> None:
    kept(tmp_path)
    for file in tmp_path.iterdir():
        assert VALUE not in file.read_bytes()
        assert base64.b64encode(VALUE) not in file.read_bytes()
        assert file.stat().st_mode & 0o077 == 0, file


def test_a_secret_is_replaced_and_deleted(tmp_path: Path) -> None:
    store = kept(tmp_path)
    store.put("DB", "password", "", b"new-value", 7.0)
    assert store.find("db", "password", "") == b"new-value"
    assert len(store.names()) == 1
    store.delete("db", "PASSWORD", "")
    assert store.find("db", "password", "") is None
    with pytest.raises(EntityNotFound, match="secrets list"):
        store.delete("db", "password", "")


def test_an_empty_home_has_none_and_needs_no_key(tmp_path: Path) -> None:
    store = SecretStore(tmp_path / "not" / "there")
    assert store.names() == []
    assert store.find("a", "b", "") is None
    assert store.keys("a") == []


def test_the_key_may_be_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHIMBREL_SECRETS_KEY", base64.b64encode(b"k" * 32).decode())
    store = kept(tmp_path)
    assert not (tmp_path / KEY_FILE).exists()
    assert store.find("db", "password", "") == VALUE
    monkeypatch.delenv("WHIMBREL_SECRETS_KEY")
    with pytest.raises(UserError, match="need their key"):
        store.find("db", "password", "")
    monkeypatch.setenv("WHIMBREL_SECRETS_KEY", base64.b64encode(b"x" * 32).decode())
    with pytest.raises(StoreError, match="with another key"):
        store.find("db", "password", "")
    for wrong in ("short", base64.b64encode(b"k" * 16).decode()):
        monkeypatch.setenv("WHIMBREL_SECRETS_KEY", wrong)
        with pytest.raises(UserError, match="32 bytes"):
            store.find("db", "password", "")


def test_a_value_belongs_to_its_name(tmp_path: Path) -> None:
    store = kept(tmp_path)
    rows = json.loads((tmp_path / FILE).read_text())
    rows[0]["key"] = "another"
    (tmp_path / FILE).write_text(json.dumps(rows))
    with pytest.raises(StoreError, match="changed"):
        store.find("db", "another", "")


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    kept(tmp_path)
    (tmp_path / FILE).write_text("{")
    with pytest.raises(StoreError, match="damaged"):
        SecretStore(tmp_path).names()
