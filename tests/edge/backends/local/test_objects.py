"""The object store in a folder: atomic writes, even if one fails, and keys as file names."""

import os
import tracemalloc
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


@pytest.mark.parametrize("change", [b"", b"longer than before"])
def test_file_of_another_size_than_its_header_says_is_an_error(tmp_path, change):
    """A response promises the size before its body is sent."""
    store = FolderStore(tmp_path)
    etag = store.put("a", b"content", **TEXT).etag
    file = tmp_path / "a~"
    file.write_bytes(file.read_bytes().removesuffix(b"content") + change)
    with pytest.raises(BackendUnavailable, match="should have 7 bytes"):
        store.open_part("a", start=0, end=7, if_match=etag)
    with pytest.raises(BackendUnavailable, match="should have 7 bytes"):
        store.copy("a", "b", metadata={})
    assert store.head("b") is None


def test_part_is_where_a_server_sends_it_from(tmp_path):
    """A server may send a file by its descriptor, from the present position."""
    store = FolderStore(tmp_path)
    etag = store.put("a", b"0123456789", **TEXT).etag
    part = store.open_part("a", start=4, end=8, if_match=etag)
    position = os.lseek(part.fileno(), 0, os.SEEK_CUR)
    assert os.pread(part.fileno(), 4, position) == b"4567"
    part.seek(position + 2)
    assert part.read() == b"67"
    part.close()
    with pytest.raises(ValueError, match="closed"):
        part.fileno()


def test_large_object_is_copied_piece_by_piece(tmp_path):
    store = FolderStore(tmp_path)
    size = 24 * objects.CHUNK_BYTES
    store.put("a", b"x" * size, metadata={"release": "r1"}, **TEXT)
    tracemalloc.start()
    info = store.copy("a", "b", metadata={"release": "r2"})
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < size / 4
    assert info == store.head("b")
    assert store.get("b").body == store.get("a").body


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
