"""The object store in a folder: atomic writes, even if one fails, and keys as file names."""

import os
from typing import Any

import pytest

from edge.backends.local import objects
from edge.backends.local.objects import FolderStore
from edge.errors import BackendUnavailable, KeyRefused, ObjectMissing

TEXT: dict[str, Any] = {"content_type": "text/plain", "cache_control": "no-store"}


def test_folder_is_created_with_the_first_object(tmp_path):
    store = FolderStore(tmp_path / "deep" / "store")
    assert list(store.list("")) == []
    store.put("a", b"x", **TEXT)
    assert store.get("a").body == b"x"


def test_failed_write_leaves_the_old_object_and_no_temporary_file(tmp_path, monkeypatch):
    store = FolderStore(tmp_path)
    store.put("a", b"old", **TEXT)

    def broken(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(objects.os, "replace", broken)
    with pytest.raises(BackendUnavailable, match="No space left"):
        store.put("a", b"new", **TEXT)
    monkeypatch.undo()
    assert store.get("a").body == b"old"
    assert os.listdir(tmp_path / objects.TEMPORARY) == []


def test_temporary_file_is_not_listed(tmp_path):
    store = FolderStore(tmp_path)
    store.put("a", b"x", **TEXT)
    (tmp_path / objects.TEMPORARY / "half").write_bytes(b"half")
    assert [o.key for o in store.list("")] == ["a"]


def test_file_without_a_header_is_an_error_with_its_key(tmp_path):
    (tmp_path / "a~").write_bytes(b"no header")
    with pytest.raises(BackendUnavailable, match="'a'"):
        FolderStore(tmp_path).head("a")


@pytest.mark.parametrize("read", [FolderStore.get, FolderStore.head])
def test_unreadable_file_is_an_error_and_not_a_missing_object(tmp_path, read):
    (tmp_path / "a~").mkdir()
    with pytest.raises(BackendUnavailable, match="'a': Is a directory"):
        read(FolderStore(tmp_path), "a")


def test_key_cannot_leave_the_folder(tmp_path):
    (tmp_path / "secret~").write_bytes(b"{}")
    store = FolderStore(tmp_path / "store")
    with pytest.raises(ObjectMissing):
        store.get("../secret")


def test_name_longer_than_the_file_system_allows(tmp_path):
    store = FolderStore(tmp_path)
    with pytest.raises(KeyRefused, match="250 bytes"):
        store.put("x" * 300, b"x", **TEXT)
    assert store.head("x" * 300) is None
