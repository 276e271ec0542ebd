"""Measures the local edge against WhiteNoise, and the function's time per call.

Run it as `.venv/bin/python bench/edge.py` on a quiet machine. Both servers run under gunicorn with
the same workers and threads, and are loaded in turns, so that a slow moment hits both.
"""

import argparse
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench.load import requests_per_second  # noqa: E402

RELEASE = "20260101-000000-aaaaaaaa"
TOKEN = "abcdefghijklmnopqrstuv"
DOCUMENT = b'{"v":1,"number":"QDN-1042","status":"ready_for_pickup","label":"Ready for pickup",' + (
    b'"flow":[{"code":"requested","label":"Requested","at":"2026-11-20T17:00:00Z"}],'
    b'"service":"Junk removal","area":"Soderblom Avenue, Fairbanks","first_name":"Mark",'
    b'"price":"$600 all-in","updated_at":"2026-11-20T17:00:00Z","revision":3}'
)
PAGE = b"<!doctype html><title>Track</title>" + b"<p>A line of a page about a job.</p>\n" * 400
PATHS = {
    "tracking document": (f"/track/{TOKEN}.json", "/document.json"),
    "track page": (f"/track/{TOKEN}", "/page.html"),
}
ENCODINGS = {"identity": {}, "gzip": {"Accept-Encoding": "gzip"}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--threads", type=int, default=4)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(DATA_DIR=folder, EDGE_BACKEND="local", DEBUG="1")
        prepare(Path(folder))
        measure_function()
        with server("edge", options) as edge, server("whitenoise", options) as plain:
            compare(edge, plain, options)


def prepare(folder: Path) -> None:
    """Store the same bytes for both."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "qdn.settings"
    import django

    django.setup()
    from django.core.management import call_command
    from whitenoise.compress import Compressor

    from edge.backends import get_backend
    from edge.routing import RoutingDocument

    call_command("migrate", verbosity=0)
    backend = get_backend()
    document = RoutingDocument(environment="production", release=RELEASE).to_json()
    backend.keyvalues.update(puts={"host:localhost": document}, if_match=backend.keyvalues.etag())
    store_objects(backend.objects)
    plain = folder / "plain"
    plain.mkdir()
    (plain / "document.json").write_bytes(DOCUMENT)
    (plain / "page.html").write_bytes(PAGE)
    list(Compressor(quiet=True).compress(str(plain / "page.html")))


def store_objects(objects) -> None:
    import hashlib

    objects.put(
        f"jobs/{hashlib.sha256(TOKEN.encode()).hexdigest()}.json",
        DOCUMENT,
        content_type="application/json",
        cache_control="public, max-age=5",
    )
    objects.put(
        f"releases/{RELEASE}/track/index.html",
        PAGE,
        content_type="text/html; charset=utf-8",
        cache_control="public, max-age=0, must-revalidate, s-maxage=31536000",
        metadata={"release": RELEASE},
    )


def measure_function(calls: int = 20_000) -> None:
    """Time the function alone, with the headers of a browser, in the thread of a server."""
    from edge.event import viewer_event
    from edge.runtime.quickjs import EdgeFunction
    from edge.shipped import function_source

    function = EdgeFunction(function_source())
    store = {"host:localhost": f'{{"e":"production","r":"{RELEASE}","p":"","m":0}}'}
    headers = {"host": "localhost:8000", "user-agent": "Mozilla/5.0", "accept": "*/*"}
    for name, (path, _) in PATHS.items():
        event = viewer_event(uri=path, headers=headers)
        times = []
        for _ in range(5):
            started = time.perf_counter()
            for _ in range(calls // 5):
                function.run(event, store, version="1")
            times.append((time.perf_counter() - started) / (calls // 5) * 1e6)
        print(f"function, {name}: {statistics.median(times):.1f} microseconds a call")


@contextmanager
def server(name: str, options):
    """Run one of bench/apps.py under gunicorn; give its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable, "-m", "gunicorn", f"bench.apps:{name}", "--bind", f"127.0.0.1:{port}",
        "--worker-class", "gthread", "--workers", str(options.workers),
        "--threads", str(options.threads), "--log-level", "error",
    ]  # fmt: skip
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        wait_for(port, PATHS["track page"][name == "whitenoise"])
        yield port
    finally:
        process.terminate()
        process.wait(timeout=10)


def wait_for(port: int, path: str) -> None:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}", headers={"Host": "localhost"}
    )
    for _ in range(100):
        try:
            with urllib.request.urlopen(request, timeout=2) as response:
                assert response.read() == PAGE
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("The server did not start.")


def compare(edge: int, plain: int, options) -> None:
    for encoding, headers in ENCODINGS.items():
        for name, (edge_path, plain_path) in PATHS.items():
            ours, theirs = [], []
            for _ in range(options.rounds):
                for port, path, results in ((edge, edge_path, ours), (plain, plain_path, theirs)):
                    results.append(
                        requests_per_second(
                            port=port,
                            path=path,
                            host="localhost",
                            headers=headers,
                            seconds=options.seconds,
                        )
                    )
            ours_rps, theirs_rps = statistics.median(ours), statistics.median(theirs)
            print(
                f"{name}, {encoding}: edge {ours_rps:.0f}/s, WhiteNoise {theirs_rps:.0f}/s, "
                f"ratio {ours_rps / theirs_rps:.2f}"
            )


if __name__ == "__main__":
    main()
