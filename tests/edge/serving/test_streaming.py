"""Large files: what is read, what is held in memory, and who closes the file."""

import gzip
import os
import random
import tracemalloc
from wsgiref.util import FileWrapper

import pytest

from edge.backends.local.objects import FolderStore
from edge.errors import StaleEtag
from edge.origins import ORIGIN_KEY
from edge.serving.representation import STREAMED_BYTES
from edge.serving.wsgi import CHUNK_BYTES
from tests.edge.builders import Machine, put

SIZE = 2 * STREAMED_BYTES
CONTENT = random.Random(1).randbytes(SIZE)
KEY = "assets/large.bin"
PATH = f"/{KEY}"
BINARY = {"content_type": "application/octet-stream", "rule": "public, max-age=60"}


class CountingStore(FolderStore):
    """Counts the bytes that are read of each object, and the files that are open."""

    def __init__(self, root):
        super().__init__(root)
        self.read, self.files = 0, 0

    def get(self, key):
        stored = super().get(key)
        self.read += len(stored.body)
        return stored

    def open_part(self, key, **where):
        part = super().open_part(key, **where)
        read, close = part.read, part.close
        self.files += 1

        def counted(size=-1, /):
            found = read(size)
            self.read += len(found)
            return found

        def closed():
            self.files -= 1
            close()

        part.read, part.close = counted, closed
        return part


@pytest.fixture
def machine(tmp_path):
    machine = Machine(tmp_path / "store")
    machine.objects = CountingStore(tmp_path / "store")
    machine.edge._objects = machine.objects
    put(machine.objects, KEY, CONTENT, **BINARY)
    return machine


@pytest.fixture
def etag(machine):
    return machine.objects.head(KEY).etag


def begin(machine, path=PATH, **environ):
    """Return the body of a response as a server gets it."""
    request = {
        "REQUEST_METHOD": "GET",
        "RAW_URI": path,
        "HTTP_HOST": "localhost",
        "wsgi.url_scheme": "http",
        **environ,
    }
    return machine.edge(request, lambda status, headers: None)


def test_whole_file(machine, etag):
    response = machine.ask(PATH)
    assert (response.status, response.body) == (200, CONTENT)
    assert response.headers["content-length"] == str(SIZE)
    assert response.headers["etag"] == etag
    assert response.headers["accept-ranges"] == "bytes"
    assert response.headers["cache-control"] == "public, max-age=60"
    assert machine.objects.files == 0


def test_server_sends_it_if_it_can(machine):
    class Wrapper(FileWrapper):
        """As gunicorn's, which takes the descriptor."""

    body = begin(machine, HTTP_RANGE="bytes=1000-1099", **{"wsgi.file_wrapper": Wrapper})
    assert isinstance(body, Wrapper)
    descriptor = body.filelike.fileno()
    position = os.lseek(descriptor, 0, os.SEEK_CUR)
    assert os.pread(descriptor, 100, position) == CONTENT[1000:1100]
    body.close()
    assert (machine.objects.read, machine.objects.files) == (0, 0)


@pytest.mark.parametrize(
    ("header", "start", "end"),
    [("bytes=0-99", 0, 100), ("bytes=1500000-1500099", 1_500_000, 1_500_100),
     ("bytes=-100", SIZE - 100, SIZE), (f"bytes={SIZE - 1}-", SIZE - 1, SIZE)],
)  # fmt: skip
def test_range_reads_only_what_is_asked(machine, header, start, end):
    response = machine.ask(PATH, HTTP_RANGE=header)
    assert (response.status, response.body) == (206, CONTENT[start:end])
    assert response.headers["content-range"] == f"bytes {start}-{end - 1}/{SIZE}"
    assert response.headers["content-length"] == str(end - start)
    assert (machine.objects.read, machine.objects.files) == (end - start, 0)


def test_head_reads_nothing(machine):
    response = machine.ask(PATH, "HEAD")
    assert (response.status, response.body) == (200, b"")
    assert response.headers["content-length"] == str(SIZE)
    assert machine.ask(PATH, "HEAD", HTTP_RANGE="bytes=0-9").status == 200
    assert machine.objects.read == 0


def test_known_file_is_not_read(machine, etag):
    response = machine.ask(PATH, HTTP_IF_NONE_MATCH=etag, HTTP_RANGE="bytes=0-9")
    assert (response.status, response.body, machine.objects.read) == (304, b"", 0)
    assert "content-length" not in response.headers
    assert machine.ask(PATH, HTTP_IF_NONE_MATCH='"other"').status == 200


def test_range_beyond_the_end_is_416(machine):
    response = machine.ask(PATH, HTTP_RANGE=f"bytes={SIZE}-")
    assert (response.status, response.body, machine.objects.read) == (416, b"", 0)
    assert response.headers["content-range"] == f"bytes */{SIZE}"


def test_range_of_another_file_is_the_whole_one(machine, etag):
    asked = {"HTTP_RANGE": "bytes=0-9"}
    assert machine.ask(PATH, HTTP_IF_RANGE=etag, **asked).status == 206
    response = machine.ask(PATH, HTTP_IF_RANGE='"other"', **asked)
    assert (response.status, response.body) == (200, CONTENT)


def test_large_file_is_never_held_in_memory(machine):
    body = begin(machine)
    tracemalloc.start()
    for _ in body:
        pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    body.close()
    assert peak < 4 * CHUNK_BYTES


def test_large_file_is_not_cached(machine):
    for _ in range(2):
        assert machine.ask(PATH).headers["x-cache"] == "Miss from local edge"


def test_viewer_who_leaves_releases_the_file(machine):
    body = begin(machine)
    assert next(iter(body)) == CONTENT[:CHUNK_BYTES]
    assert machine.objects.files == 1
    body.close()
    assert machine.objects.files == 0


def test_download_goes_on_with_the_former_bytes(machine):
    bodies = [begin(machine) for _ in range(2)]
    chunks = [iter(body) for body in bodies]
    first = [next(one) for one in chunks]
    put(machine.objects, KEY, CONTENT[::-1], **BINARY)
    assert first[0] + b"".join(chunks[0]) == CONTENT
    machine.objects.delete([KEY])
    assert first[1] + b"".join(chunks[1]) == CONTENT
    for body in bodies:
        body.close()
    assert machine.ask(PATH).status == 404


def test_file_that_is_replaced_between_two_looks_is_503(machine, monkeypatch, caplog):
    def replaced(key, **where):
        raise StaleEtag("The object was replaced.")

    monkeypatch.setattr(machine.objects, "open_part", replaced)
    assert machine.ask(PATH).status == 503


def test_file_of_an_origin_is_streamed(machine):
    machine.route(keyvalues={f"{ORIGIN_KEY}localhost": "live/production/"})
    put(machine.objects, f"live/production/{KEY}", CONTENT, **BINARY)
    assert machine.ask(PATH, HTTP_RANGE="bytes=5-9").body == CONTENT[5:10]
    assert machine.objects.read == 5


# Text is compressed up to 10 MB, as CloudFront does; only then is it held in memory.


@pytest.fixture
def text(machine):
    content = b"A line of text.\n" * (SIZE // 16)
    put(machine.objects, "assets/large.txt", content, content_type="text/plain")
    return content


def test_large_text_is_compressed(machine, text):
    response = machine.ask("/assets/large.txt", HTTP_ACCEPT_ENCODING="gzip")
    assert gzip.decompress(response.body) == text


def test_large_text_is_streamed_to_whom_it_cannot_be_compressed(machine, text):
    response = machine.ask("/assets/large.txt")
    assert response.body == text
    assert response.headers["vary"] == "Accept-Encoding"
    machine.objects.read = 0
    asked = {"HTTP_ACCEPT_ENCODING": "gzip", "HTTP_RANGE": "bytes=0-99"}
    assert machine.ask("/assets/large.txt", **asked).body == text[:100]
    assert machine.objects.read == 100


@pytest.mark.parametrize(
    ("size", "is_cached"), [(STREAMED_BYTES, True), (STREAMED_BYTES + 1, False)]
)
def test_only_smaller_files_are_cached(machine, size, is_cached):
    put(machine.objects, "assets/small.bin", bytes(size), **BINARY)
    ages = ["age" in machine.ask("/assets/small.bin").headers for _ in range(2)]
    assert ages == [False, is_cached]
