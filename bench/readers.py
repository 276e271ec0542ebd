"""Loads whole pages without pause while an operator promotes and rolls back, and counts faults.

Run it as `.venv/bin/python bench/readers.py` (1,000 switches on the local back end) or with
`--backend aws --switches 200` (the local edge in front of the AWS emulator). `--site vite` loads a
site as that generator builds it (tests/sites), in two builds. A page is its HTML, the scripts and
stylesheets it refers to, and those that only scripts refer to. A fault is an answer other than 200,
or a page with parts of two releases. Exits with 1 if there was a fault.
"""

import argparse
import http.client
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from io import StringIO
from itertools import cycle, islice
from multiprocessing import get_context
from pathlib import Path
from urllib.parse import urljoin

from django.core.management import call_command

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench.builds import OURS, SITES, BenchSite, is_hashed, mark_of  # noqa: E402
from bench.places import set_up  # noqa: E402

MARKS = "AB"
WAIT_SECONDS = 60
OK = 200


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--switches", type=int, default=1000)
    parser.add_argument("--readers", type=int, default=16)
    parser.add_argument("--backend", choices=["local", "aws"], default="local")
    parser.add_argument("--site", choices=SITES, default=OURS.name)
    options = parser.parse_args()
    site = SITES[options.site]
    # Handled like Ctrl-C, so that server and readers end too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        set_up(stack, folder, options.backend)
        operator = Operator(folder, site)
        port = stack.enter_context(server())
        with reading(options.readers, port, site) as seen:
            started = time.monotonic()
            operator.switch(options.switches)
            seconds = time.monotonic() - started
    return report(options, seen, seconds)


class Operator:
    """Pushes two builds of a site, then switches between them."""

    def __init__(self, folder: Path, site: BenchSite = OURS) -> None:
        if site.owns_paths:
            for name in ("staging", "production"):
                call_command(
                    "environment", "set", name, application=False, yes=True, stdout=StringIO()
                )
        for mark in MARKS:
            call_command("push", source=site.write(mark, folder / mark), stdout=StringIO())
            if mark == MARKS[0]:
                call_command("promote", yes=True, stdout=StringIO())

    def switch(self, times: int) -> None:
        """Promote and roll back alternately, as the commands do, but in one process."""
        from deployments.deploy.deploy import deploy  # noqa: PLC0415
        from deployments.deploy.freezes import unfreeze  # noqa: PLC0415
        from deployments.deploy.targets import promote_target, rollback_target  # noqa: PLC0415
        from deployments.models import Environment  # noqa: PLC0415
        from edge.backends import get_backend  # noqa: PLC0415

        named = Environment.objects.named
        staging, production = named("staging"), named("production")
        for number in range(times):
            if number % 2:
                target = rollback_target(environment=production, actor="bench")
            else:
                target = promote_target(source=staging, to=production, actor="bench")
                unfreeze(environment=production, release=target.release, actor="bench")
            deploy(get_backend(), target, say=lambda line: None)


@contextmanager
def server():
    """Serve the project as bin/demo does, and yield the port."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        # gunicorn sets this too late for the readers that connect while it starts: each of their
        # answers would wait 40 ms for a delayed acknowledgement.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.listen(128)
        command = [
            sys.executable, "-m", "gunicorn", "-c", "qdn/gunicorn.conf.py",
            "--bind", f"fd://{listener.fileno()}", "--log-level", "error",
        ]  # fmt: skip
        process = subprocess.Popen(command, cwd=ROOT, pass_fds=[listener.fileno()])
        try:
            yield listener.getsockname()[1]
        finally:
            process.terminate()
            process.wait(timeout=10)


@contextmanager
def reading(readers: int, port: int, site: BenchSite):
    """Run readers, and yield a counter that is filled when they have stopped."""
    context = get_context("spawn")
    stop, queue = context.Event(), context.Queue()
    ready = context.Barrier(readers + 1)
    lazy = {mark: site.lazy(mark) for mark in MARKS}
    processes = [
        context.Process(
            target=read, args=(Reader(port, pages, lazy), stop, ready, queue), daemon=True
        )
        for pages in islice(turned(site.pages), readers)
    ]
    for process in processes:
        process.start()
    seen: Counter[str] = Counter()
    ready.wait(WAIT_SECONDS)
    try:
        yield seen
    finally:
        stop.set()
        for _ in processes:
            seen.update(queue.get(timeout=WAIT_SECONDS))


@dataclass(frozen=True)
class Reader:
    """Where a reader asks: a port, pages in the order it loads them, and scripts by mark."""

    port: int
    pages: Sequence[str]
    lazy: Mapping[str, Sequence[str]]


def turned(pages: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield the pages without end, each time from the next one on: readers differ."""
    for first in cycle(range(len(pages))):
        yield [*pages[first:], *pages[:first]]


def read(reader: Reader, stop, ready, queue) -> None:
    """Load one page after another over a persistent connection."""
    seen: Counter[str] = Counter()
    connection = http.client.HTTPConnection("127.0.0.1", reader.port, timeout=30)
    load(connection, reader.pages[0], reader.lazy)
    ready.wait(WAIT_SECONDS)
    for path in cycle(reader.pages):
        if stop.is_set():
            break
        seen.update(load(connection, path, reader.lazy))
    queue.put(seen)


def load(
    connection: http.client.HTTPConnection, path: str, lazy: Mapping[str, Sequence[str]]
) -> Counter[str]:
    """Load a page and its files, and return counts."""
    status, body, release = fetch(connection, path)
    seen = Counter(pages=1, requests=1)
    if status != OK:
        seen[f"fault: {path} answered {status}"] += 1
        return seen
    mark = mark_of(body)
    seen[f"pages of {mark}"] += 1
    seen[f"release {release} is {mark}"] += 1
    linked = re.findall(r'(?:src|href)="([^":?]+\.(?:js|css|svg))"', body.decode())
    for asset in [*(urljoin(path, one) for one in linked), *lazy[mark]]:
        status, content, _ = fetch(connection, asset)
        seen["requests"] += 1
        if status != OK:
            seen[f"fault: {asset} answered {status}"] += 1
        elif is_hashed(asset) and (found := mark_of(content)) != mark:
            seen[f"fault: a page of {mark} with a part of {found}"] += 1
    return seen


def fetch(connection: http.client.HTTPConnection, path: str) -> tuple[int, bytes, str | None]:
    connection.request("GET", path, headers={"Host": "localhost"})
    response = connection.getresponse()
    return response.status, response.read(), response.headers["x-amz-meta-release"]


def report(options, seen: Counter[str], seconds: float) -> int:
    """Print the counts and return the exit code."""
    faults = {text: count for text, count in seen.items() if text.startswith("fault")}
    releases = [text for text in seen if text.startswith("release ")]
    # Each release has one mark; a page with one release's header and the other's text is a fault.
    if len(releases) != 2:
        faults["fault: " + ", ".join(releases)] = 1
    print(
        f"{options.site}, {options.backend}: {options.switches} switches in {seconds:.0f} s, "
        f"{options.readers} readers, {seen['pages']} pages ({seen['pages of A']} of A, "
        f"{seen['pages of B']} of B), {seen['requests']} requests, {sum(faults.values())} faults"
    )
    for text, number in sorted(faults.items())[:20]:
        print(f"  {number} x {text}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
