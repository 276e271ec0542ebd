"""Loads whole pages without pause while an operator promotes and rolls back, and counts faults.

Run it as `.venv/bin/python bench/readers.py` (1,000 switches on the local back end) or with
`--backend aws --switches 200` (the local edge in front of the AWS emulator). A page is its HTML and
the files it refers to. A fault is an answer other than 200, or a page with parts of two releases.
Exits with 1 if there was a fault.
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
from contextlib import ExitStack, contextmanager
from io import StringIO
from itertools import cycle
from multiprocessing import get_context
from pathlib import Path

from django.core.management import call_command

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench.places import set_up  # noqa: E402

PAGES = {
    "/": "index.html",
    "/book/": "book/index.html",
    "/track/abcdefghijklmnopqrstuv": "track/index.html",
    "/dashboard/": "dashboard/index.html",
}
ASSETS_A_PAGE = 6
WAIT_SECONDS = 60
OK = 200


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--switches", type=int, default=1000)
    parser.add_argument("--readers", type=int, default=16)
    parser.add_argument("--backend", choices=["local", "aws"], default="local")
    options = parser.parse_args()
    # Handled like Ctrl-C, so that server and readers end too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        set_up(stack, folder, options.backend)
        operator = Operator(folder)
        port = stack.enter_context(server())
        with reading(options.readers, port) as seen:
            started = time.monotonic()
            operator.switch(options.switches)
            seconds = time.monotonic() - started
    return report(options, seen, seconds)


class Operator:
    """Pushes two sites that share only one asset, then switches between them."""

    def __init__(self, folder: Path) -> None:
        for mark in "AB":
            call_command("push", source=write_site(folder / mark, mark), stdout=StringIO())
            if mark == "A":
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
                unfreeze(environment=production, actor="bench")
                target = promote_target(source=staging, to=production, actor="bench")
            deploy(get_backend(), target, say=lambda line: None)


def write_site(folder: Path, mark: str) -> Path:
    """Write pages that refer to their own assets and to one that both sites have."""
    common = "common.0123456789ab.css"
    for page in PAGES.values():
        name = page.replace("/", "-").removesuffix(".html")
        own = [f"{name}-{n}.{mark * 12}.js" for n in range(ASSETS_A_PAGE)]
        links = "".join(f'<script src="/assets/{asset}"></script>' for asset in [*own, common])
        write(folder / page, f"<!doctype html><title>{mark}</title>{links}")
        for asset in own:
            write(folder / "assets" / asset, f"// {mark} {'x' * 2_000}")
    write(folder / "assets" / common, "// common")
    return folder


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@contextmanager
def server():
    """Serve the project as bin/demo does, and yield the port."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(128)
        command = [
            sys.executable, "-m", "gunicorn", "qdn.wsgi", "--bind", f"fd://{listener.fileno()}",
            "--worker-class", "gthread", "--workers", "2", "--threads", "8",
            "--log-level", "error",
        ]  # fmt: skip
        process = subprocess.Popen(command, cwd=ROOT, pass_fds=[listener.fileno()])
        try:
            yield listener.getsockname()[1]
        finally:
            process.terminate()
            process.wait(timeout=10)


@contextmanager
def reading(readers: int, port: int):
    """Run readers, and yield a counter that is filled when they have stopped."""
    context = get_context("spawn")
    stop, queue = context.Event(), context.Queue()
    ready = context.Barrier(readers + 1)
    processes = [
        context.Process(target=read, args=(port, number, stop, ready, queue), daemon=True)
        for number in range(readers)
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


def read(port, number, stop, ready, queue) -> None:
    """Load one page after another over a persistent connection."""
    seen: Counter[str] = Counter()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    paths = list(PAGES)[number % len(PAGES) :] + list(PAGES)[: number % len(PAGES)]
    load(connection, paths[0])
    ready.wait(WAIT_SECONDS)
    for path in cycle(paths):
        if stop.is_set():
            break
        seen.update(load(connection, path))
    queue.put(seen)


def load(connection: http.client.HTTPConnection, path: str) -> Counter[str]:
    """Load a page and the files it refers to, and return counts."""
    status, body, release = fetch(connection, path)
    seen = Counter(pages=1, requests=1)
    if status != OK:
        seen[f"fault: {path} answered {status}"] += 1
        return seen
    mark = body.partition("<title>")[2].partition("<")[0]
    seen[f"pages of {mark}"] += 1
    seen[f"release {release} is {mark}"] += 1
    for asset in re.findall(r'src="([^"]+)"', body):
        status, content, _ = fetch(connection, asset)
        seen["requests"] += 1
        if status != OK:
            seen[f"fault: {asset} answered {status}"] += 1
        elif content.split()[1] not in {mark, "common"}:
            seen[f"fault: a page of {mark} with a part of {content.split()[1]}"] += 1
    return seen


def fetch(connection: http.client.HTTPConnection, path: str) -> tuple[int, str, str | None]:
    connection.request("GET", path, headers={"Host": "localhost"})
    response = connection.getresponse()
    return response.status, response.read().decode(), response.headers["x-amz-meta-release"]


def report(options, seen: Counter[str], seconds: float) -> int:
    """Print the counts and return the exit code."""
    faults = {text: count for text, count in seen.items() if text.startswith("fault")}
    releases = [text for text in seen if text.startswith("release ")]
    # Each release has one mark; a page with one release's header and the other's text is a fault.
    if len(releases) != 2:
        faults["fault: " + ", ".join(releases)] = 1
    print(
        f"{options.backend}: {options.switches} switches in {seconds:.0f} s, {options.readers} "
        f"readers, {seen['pages']} pages ({seen['pages of A']} of A, {seen['pages of B']} of B), "
        f"{seen['requests']} requests, {sum(faults.values())} faults"
    )
    for text, number in sorted(faults.items())[:20]:
        print(f"  {number} x {text}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
