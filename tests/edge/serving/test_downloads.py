"""Large files over a socket: a short run of bench/downloads.py, and viewers who leave."""

import http.client
import os
import subprocess
import sys
import time

import pytest

from bench import downloads
from tests.migrated import put_database

SIZE = 32 * downloads.MEGABYTE
FILE = downloads.KEY.rpartition("/")[2] + "~"  # in the store's folder
PREPARE = """
import sys
import django; django.setup()
from bench.downloads import store_file
store_file(int(sys.argv[1]))
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    environ = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"} | {
        "DATA_DIR": str(folder), "EDGE_BACKEND": "local", "DJANGO_SETTINGS_MODULE": "qdn.settings",
    }  # fmt: skip
    put_database(folder)
    command = [sys.executable, "-c", PREPARE, str(SIZE)]
    subprocess.run(command, cwd=downloads.ROOT, env=environ, check=True)
    with downloads.server(environ) as served:
        served.warm_up()
        yield served


def wait_until_closed(served):
    deadline = time.monotonic() + 30
    while served.open_files(FILE):
        assert time.monotonic() < deadline, "the file is still open after 30 seconds"
        time.sleep(0.05)


def test_downloads_take_less_memory_than_one_file(served):
    idle = served.memory()
    with downloads.watched(served) as peak:
        downloads.download(served, SIZE, 6)
    assert peak[0] - idle < SIZE / 2
    wait_until_closed(served)


def test_range_reads_only_what_is_asked(served):
    before = served.bytes_read()
    downloads.fetch(served, {"Range": "bytes=20000000-20000099"}, expected=100)
    assert served.bytes_read() - before < SIZE / 32


def test_viewer_who_leaves_releases_the_file(served):
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=30)
    connection.request("GET", f"/{downloads.KEY}", headers={"Host": "localhost"})
    response = connection.getresponse()
    assert len(response.read(1000)) == 1000
    assert served.open_files(FILE) == 1
    response.close()
    connection.close()
    wait_until_closed(served)
