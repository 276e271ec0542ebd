"""Measures the local edge against WhiteNoise, and the edge function (bench/function.py).

Run it as `.venv/bin/python bench/edge.py` on an idle machine. Both servers run under gunicorn with
the same workers and threads, and are loaded alternately, so that a slow moment affects both. A
ratio is the median of the rounds' ratios. On Linux, the processor time per request is printed too:
other work on the machine affects it less.
"""

import argparse
import hashlib
import os
import socket
import subprocess
import sys
import tempfile
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import NamedTuple

import django
from django.core.management import call_command
from whitenoise.compress import Compressor

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench import function  # noqa: E402
from bench.function import TOKEN  # noqa: E402
from bench.load import requests_per_second  # noqa: E402
from edge.routing import RoutingDocument  # noqa: E402

RELEASE = "20260101-000000-aaaaaaaa"
DOCUMENT = (
    b'{"v":1,"number":"QDN-1042","status":"ready_for_pickup","label":"Ready for pickup",'
    b'"flow":[{"code":"requested","label":"Requested","at":"2026-11-20T17:00:00Z"}],'
    b'"service":"Junk removal","area":"Soderblom Avenue, Fairbanks","first_name":"Mark",'
    b'"price":"$600 all-in","updated_at":"2026-11-20T17:00:00Z","revision":3}'
)
PAGE = b"<!doctype html><title>Track</title>" + b"<p>A line of a page about a job.</p>\n" * 400
# Where the edge and where WhiteNoise serve the same bytes.
PATHS = {
    "tracking document": (f"/track/{TOKEN}.json", "/document.json"),
    "track page": (f"/track/{TOKEN}", "/page.html"),
}
ENCODINGS = {"identity": {}, "gzip": {"Accept-Encoding": "gzip"}}
ROUTING = RoutingDocument(environment="production", release=RELEASE).to_json()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--threads", type=int, default=4)
    options = parser.parse_args()
    function.report()
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(
            DATA_DIR=folder, EDGE_BACKEND="local", DJANGO_SETTINGS_MODULE="qdn.settings"
        )
        prepare(Path(folder))
        with server("edge", options) as edge, server("whitenoise", options) as plain:
            compare(edge, plain, options)


def prepare(folder: Path) -> None:
    """Store the same bytes for both servers."""
    django.setup()
    from edge.backends import get_backend  # noqa: PLC0415 - needs the app registry

    call_command("migrate", verbosity=0)
    backend = get_backend()
    etag = backend.keyvalues.etag()
    backend.keyvalues.update(puts={"host:localhost": ROUTING}, if_match=etag)
    backend.objects.put(
        f"jobs/{hashlib.sha256(TOKEN.encode()).hexdigest()}.json",
        DOCUMENT,
        content_type="application/json",
        cache_control="public, max-age=5",
    )
    backend.objects.put(
        f"releases/{RELEASE}/track/index.html",
        PAGE,
        content_type="text/html; charset=utf-8",
        cache_control="public, max-age=0, must-revalidate",
        metadata={"release": RELEASE},
    )
    plain = folder / "plain"
    plain.mkdir()
    (plain / "document.json").write_bytes(DOCUMENT)
    (plain / "page.html").write_bytes(PAGE)
    list(Compressor(quiet=True).compress(str(plain / "page.html")))


class Server(NamedTuple):
    port: int
    pid: int

    def cpu_seconds(self) -> float:
        """Return the processor time of gunicorn's workers, or 0 if there is no /proc."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        if not children.exists():
            return 0
        stats = [Path(f"/proc/{pid}/stat").read_text() for pid in children.read_text().split()]
        ticks = [stat.rpartition(")")[2].split()[11:13] for stat in stats]
        return sum(int(tick) for pair in ticks for tick in pair) / os.sysconf("SC_CLK_TCK")


class Load(NamedTuple):
    rate: float
    cpu: float  # microseconds per request


def load(target: Server, path: str, headers: dict[str, str], seconds: float) -> Load:
    before = target.cpu_seconds()
    rate = requests_per_second(
        port=target.port, path=path, host="localhost", headers=headers, seconds=seconds
    )
    return Load(rate, (target.cpu_seconds() - before) / (rate * seconds) * 1e6)


@contextmanager
def server(name: str, options):
    """Run one of bench/apps.py under gunicorn and yield it."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(128)
        command = [
            sys.executable, "-m", "gunicorn", f"bench.apps:{name}",
            "--bind", f"fd://{listener.fileno()}", "--worker-class", "gthread",
            "--workers", str(options.workers), "--threads", str(options.threads),
            "--log-level", "error",
        ]  # fmt: skip
        process = subprocess.Popen(command, cwd=ROOT, pass_fds=[listener.fileno()])
        try:
            port = listener.getsockname()[1]
            check_bytes(port, name == "whitenoise")
            yield Server(port, process.pid)
        finally:
            process.terminate()
            process.wait(timeout=10)


def check_bytes(port: int, plain: bool) -> None:
    """Wait for a server to start, and assert that it sends the expected bytes."""
    for name, expected in {"track page": PAGE, "tracking document": DOCUMENT}.items():
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}{PATHS[name][plain]}", headers={"Host": "localhost"}
        )
        with urllib.request.urlopen(request, timeout=60) as response:
            assert response.read() == expected, name


def compare(edge: Server, plain: Server, options) -> None:
    print(f"gunicorn gthread, workers: {options.workers}, threads: {options.threads}")
    for encoding, headers in ENCODINGS.items():
        for name, (edge_path, plain_path) in PATHS.items():
            rounds = [
                (
                    load(edge, edge_path, headers, options.seconds),
                    load(plain, plain_path, headers, options.seconds),
                )
                for _ in range(options.rounds)
            ]
            print(f"{name}, {encoding}: {summary(rounds)}")


def summary(rounds: list[tuple[Load, Load]]) -> str:
    ratios = [ours.rate / theirs.rate for ours, theirs in rounds]
    edge, plain = (
        f"{median(pair[side].rate for pair in rounds):.0f}/s"
        f" at {median(pair[side].cpu for pair in rounds):.0f} us"
        for side in (0, 1)
    )
    return (
        f"edge {edge}, WhiteNoise {plain}, "
        f"ratio {median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
    )


if __name__ == "__main__":
    main()
