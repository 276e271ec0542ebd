"""Measures the memory that downloads of a large file take, and what a small range of it reads.

Run it as `.venv/bin/python -m bench.downloads` (`--megabytes`, `--downloads`).
Starts the project under gunicorn on a store with one large file, downloads it several times at
once, and prints how far the memory of all of gunicorn's processes rose above idle. The memory is
the proportional set size, which counts shared pages once. Needs Linux.
"""

import argparse
import http.client
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench.places import set_up  # noqa: E402

KEY = "assets/large.0123456789ab.bin"
MEGABYTE = 1_000_000
CONFIGURATION = ROOT / "qdn" / "gunicorn.conf.py"
# As bin/demo starts it where the project has no configuration of its own.
OPTIONS = ["--worker-class", "gthread", "--workers", "2", "--threads", "4"]
AT_ONCE = 64 * 1024
SAMPLE_SECONDS = 0.02


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=200)
    parser.add_argument("--downloads", type=int, default=6)
    options = parser.parse_args()
    size = options.megabytes * MEGABYTE
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        set_up(stack, folder, "local")
        store_file(size)
        served = stack.enter_context(server(dict(os.environ)))
        served.warm_up()
        idle = served.memory()
        with watched(served) as peak:
            seconds = download(served, size, options.downloads)
        rise = (peak[0] - idle) / MEGABYTE
        before = served.bytes_read()
        fetch(served, {"Range": "bytes=100000-100099"}, expected=100)
        ranged = served.bytes_read() - before
    print(f"{options.downloads} downloads of {options.megabytes} MB at once: {seconds:.1f} s")
    print(f"memory: {idle / MEGABYTE:.0f} MB idle, at most {rise:.1f} MB more")
    print(f"a range of 100 bytes: {ranged:,} bytes read, request and database included")


def store_file(size: int) -> None:
    """Put a file of so many bytes into the store of the settings."""
    from edge.backends import get_backend  # noqa: PLC0415 - needs the app registry

    get_backend().objects.put(
        KEY, bytes(size), content_type="application/octet-stream", cache_control="no-cache"
    )


@dataclass
class Server:
    """gunicorn and its workers."""

    port: int
    pid: int

    @property
    def pids(self) -> list[int]:
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        return [self.pid, *map(int, children.split())]

    def memory(self) -> int:
        """Return the proportional set size of all processes in bytes."""
        return sum(_field(f"/proc/{pid}/smaps_rollup", "Pss") * 1024 for pid in self.pids)

    def bytes_read(self) -> int:
        """Return how many bytes all processes have read, from files and sockets."""
        return sum(_field(f"/proc/{pid}/io", "rchar") for pid in self.pids)

    def open_files(self, name: str) -> int:
        """Return how many descriptors of files with a name the processes hold."""
        links = [link for pid in self.pids for link in Path(f"/proc/{pid}/fd").iterdir()]
        return sum(_target(link).endswith(name) for link in links)

    def warm_up(self) -> None:
        """Let every thread answer once: what is imported and opened then stays."""
        with ThreadPoolExecutor(16) as pool:
            list(pool.map(lambda _: fetch(self, {"Range": "bytes=0-9"}, expected=10), range(200)))


def _field(path: str, name: str) -> int:
    lines = Path(path).read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


def _target(link: Path) -> str:
    try:
        return os.readlink(link)
    except FileNotFoundError:  # closed in the meantime
        return ""


@contextmanager
def server(environ: dict[str, str], *more: str) -> Iterator[Server]:
    """Serve the project with its own settings on a free port; yield when it answers."""
    own = ["--config", str(CONFIGURATION)] if CONFIGURATION.exists() else OPTIONS
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(128)
        command = [
            sys.executable, "-m", "gunicorn", "qdn.wsgi", *own,
            "--bind", f"fd://{listener.fileno()}", "--log-level", "error", *more,
        ]  # fmt: skip
        process = subprocess.Popen(command, cwd=ROOT, env=environ, pass_fds=[listener.fileno()])
        try:
            served = Server(listener.getsockname()[1], process.pid)
            fetch(served, {"Range": "bytes=0-9"}, expected=10)
            yield served
        finally:
            process.terminate()
            process.wait(timeout=60)


@contextmanager
def watched(served: Server) -> Iterator[list[int]]:
    """Yield a list whose only item is the most memory seen so far."""
    peak, stop = [served.memory()], threading.Event()

    def watch() -> None:
        while not stop.wait(SAMPLE_SECONDS):
            peak[0] = max(peak[0], served.memory())

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield peak
    finally:
        stop.set()
        thread.join()


def download(served: Server, size: int, times: int) -> float:
    """Download the file several times at once, and return the seconds that took."""
    started = time.monotonic()
    with ThreadPoolExecutor(times) as pool:
        for done in [pool.submit(fetch, served, {}, expected=size) for _ in range(times)]:
            done.result()
    return time.monotonic() - started


def fetch(served: Server, headers: dict[str, str], *, expected: int) -> None:
    """Request the file, and count the bytes of the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=120)
    try:
        connection.request("GET", f"/{KEY}", headers={"Host": "localhost", **headers})
        response = connection.getresponse()
        received = 0
        while chunk := response.read(AT_ONCE):
            received += len(chunk)
    finally:
        connection.close()
    assert (response.status, received) == (206 if "Range" in headers else 200, expected)


if __name__ == "__main__":
    main()
